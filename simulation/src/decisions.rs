//! What must hold of the moderators' decisions: one counts once, for whoever was told that it counts, and is on the stream.

use std::collections::{BTreeMap, BTreeSet};

use modstream_decisions::{PREFIX, Place, UNSENT_PREFIX};
use modstream_events::{Action, Decision, Event};
use modstream_platform::{Fetched, Objects};

use crate::moderators::{Answer, Told};
use crate::world::World;

/// An alert's decisions: number, action, and who.
type Log = Vec<(u32, Action, String)>;

/// What is broken in logs, stream and outbox, given what moderators were told.
pub(crate) async fn broken(world: &World, answers: &[Answer]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut logged: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mut logs: BTreeMap<String, Log> = BTreeMap::new();
    for key in world.objects.list(PREFIX).await.expect("the memory bucket lists") {
        let versions = world.objects.versions(&key);
        if versions.len() != 1 {
            broken.push(format!("{key} was written {} times", versions.len()));
        }
        let (place, number) = Place::of_key(&key).expect("a log's key");
        let found = world.objects.get(&key, None).await.expect("the memory bucket reads");
        let Fetched::Object { bytes, .. } = found else { continue };
        let event = Event::<'_, Decision<'_>>::decode(&bytes).expect("a decision");
        let entry = (number, event.data.action, event.data.moderator.to_string());
        logs.entry(place.prefix()).or_default().push(entry);
        logged.insert(bytes);
    }
    for (prefix, log) in &logs {
        // Decisions and undos take turns, and no number is left out.
        let is_sound = (1..).zip(log).all(|(expected, (number, action, _))| {
            *number == expected && (*action == Action::Undo) == (expected % 2 == 0)
        });
        if !is_sound {
            broken.push(format!("the log {prefix} has {log:?}"));
        }
        let is_wanted = |(number, action, who): &&(u32, Action, String)| {
            answers.iter().any(|answer| {
                let Answer { wish, after, told, .. } = answer;
                prefix_of(answer) == *prefix
                    && (answer.who, *wish, after + 1) == (who.as_str(), *action, *number)
                    && *told != Told::NotOffered
            })
        };
        broken.extend(log.iter().filter(|entry| !is_wanted(entry)).map(|entry| format!("nobody wanted {entry:?}")));
    }
    let none = Log::new();
    broken.extend(answers.iter().filter_map(|answer| {
        let log = logs.get(&prefix_of(answer)).unwrap_or(&none);
        (!agrees(answer, log)).then(|| {
            let Answer { who, alert_id, wish, after, told, .. } = answer;
            format!(
                "{who} wanted {wish} for {alert_id} after number {after} and was told {told:?}; the log has {log:?}"
            )
        })
    }));
    let sent: BTreeSet<Vec<u8>> = world.decisions.records().iter().map(|record| record.data.to_vec()).collect();
    if sent != logged {
        let (only_logged, only_sent) = (logged.difference(&sent).count(), sent.difference(&logged).count());
        broken.push(format!("decisions: {only_logged} in logs are not on the stream, {only_sent} there are in no log"));
    }
    let unsent = world.objects.list(UNSENT_PREFIX).await.expect("the memory bucket lists");
    broken.extend(unsent.iter().map(|key| format!("{key} stayed")));
    broken
}

fn prefix_of(Answer { hour, alert_id, .. }: &Answer) -> String {
    Place { hour: *hour, alert_id }.prefix()
}

/// Whether the log says what the moderator was told.
fn agrees(answer: &Answer, log: &Log) -> bool {
    let Answer { who, wish, after, told, .. } = answer;
    let at = |wanted: u32| log.iter().find(|(number, ..)| *number == wanted);
    let next = at(after + 1);
    let is_own = next.is_some_and(|(_, action, name)| (action, name.as_str()) == (wish, *who));
    match told {
        Told::Done => is_own,
        // Another's came first, or the own one was not the last any more when it was asked for again.
        Told::Refused => next.is_some() && (!is_own || at(after + 2).is_some()),
        Told::NotOffered => {
            let decision_stands = at(*after).is_some_and(|(_, action, _)| *action != Action::Undo);
            decision_stands == (*wish != Action::Undo)
        }
        Told::Unknown => true,
    }
}
