//! A moderator's decision counts once, for whoever was told that it counts, and is on the stream.

use std::collections::{BTreeMap, BTreeSet};

use super::Evidence;
use super::json::{number, parse, text};
use crate::moderators::{Answer, Told};

/// An alert's decisions: number, action, and who.
type Log = Vec<(u32, String, String)>;

/// What takes the decision before it back.
const UNDO: &str = "undo";

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    let mut logged: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mut logs: BTreeMap<&str, Log> = BTreeMap::new();
    for (key, content) in evidence.under("decisions/") {
        let (folder, name) = key.split_at(key.rfind('/').unwrap_or_default() + 1);
        let event = parse(content).unwrap_or_default();
        let said = number(&event, "/data/number") as u32;
        if name != format!("{said:04}.json") {
            broken.push(format!("{key} holds number {said}"));
        }
        let field = |pointer: &str| text(&event, pointer).unwrap_or_default().to_owned();
        logs.entry(folder).or_default().push((said, field("/data/action"), field("/data/moderator")));
        logged.insert(content.to_vec());
    }
    for (folder, log) in &logs {
        // Decisions and undos take turns, and no number is left out.
        let is_sound = (1..)
            .zip(log)
            .all(|(expected, (number, action, _))| *number == expected && (action == UNDO) == (expected % 2 == 0));
        if !is_sound {
            broken.push(format!("the log {folder} has {log:?}"));
        }
        let is_wanted = |(number, action, who): &&(u32, String, String)| {
            evidence.answers.iter().any(|answer| {
                let Answer { wish, after, told, .. } = answer;
                answer.log == *folder
                    && (answer.who, wish.as_str(), after + 1) == (who.as_str(), action.as_str(), *number)
                    && *told != Told::NotOffered
            })
        };
        broken.extend(log.iter().filter(|entry| !is_wanted(entry)).map(|entry| format!("nobody wanted {entry:?}")));
    }
    let none = Log::new();
    broken.extend(evidence.answers.iter().filter_map(|answer| {
        let log = logs.get(answer.log.as_str()).unwrap_or(&none);
        (!agrees(answer, log)).then(|| {
            let Answer { who, wish, after, told, .. } = answer;
            let folder = &answer.log;
            format!("{who} wanted {wish} in {folder} after number {after} and was told {told:?}; the log has {log:?}")
        })
    }));
    let sent: BTreeSet<Vec<u8>> = evidence.decisions.iter().cloned().collect();
    if sent != logged {
        let (only_logged, only_sent) = (logged.difference(&sent).count(), sent.difference(&logged).count());
        broken.push(format!("decisions: {only_logged} in logs are not on the stream, {only_sent} there are in no log"));
    }
    broken.extend(evidence.under("decisions-unsent/").map(|(key, _)| format!("{key} stayed")));
    broken
}

/// Whether the log says what the moderator was told.
fn agrees(answer: &Answer, log: &Log) -> bool {
    let Answer { who, wish, after, told, .. } = answer;
    let at = |wanted: u32| log.iter().find(|(number, ..)| *number == wanted);
    let next = at(after + 1);
    let is_own = next.is_some_and(|(_, action, name)| (action.as_str(), name.as_str()) == (wish.as_str(), *who));
    match told {
        Told::Done => is_own,
        // Another's came first, or the own one was not the last any more when it was asked for again.
        Told::Refused => next.is_some() && (!is_own || at(after + 2).is_some()),
        Told::NotOffered => {
            let decision_stands = at(*after).is_some_and(|(_, action, _)| action != UNDO);
            decision_stands == (wish.as_str() != UNDO)
        }
        Told::Unknown => true,
    }
}
