//! Moderators decide about what a run left in the ledger, with faults of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use modstream_decisions::{Decisions, Log, Outcome, PREFIX, Place, Swept, UNSENT_PREFIX};
use modstream_events::{Action, Alert, Decision, Event};
use modstream_ledger::{Hour, Reader};
use modstream_platform::memory::{MemoryClock, MemoryObjects, MemoryStream};
use modstream_platform::{Clock, Fetched, Objects};

use crate::faults::{Faults, Process};
use crate::plan::Plan;
use crate::services::Faulty;
use crate::world::World;

/// The most alerts about which somebody decides.
const ALERTS: usize = 3;
/// A page that fails is asked for again.
const ATTEMPTS: usize = 4;
/// What the function is told it has.
const TIME: Duration = Duration::from_secs(20);
/// When an attempt that is in no log is dropped.
const LATER: Duration = Duration::from_secs(2 * 3_600);
/// Sets the decisions' faults apart from the run's.
const SEED: u64 = 0x6465_6369_6465;

/// What a moderator wants, having seen the log up to `after`.
#[derive(Clone, Copy, Debug)]
struct Wish {
    who: &'static str,
    action: Action,
    after: u32,
}

/// What moderators were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Done,
    Behind,
    NothingToUndo,
    /// Each attempt failed.
    Unknown,
}

/// About each of some alerts, moderators decide, undo and decide again: two of them at once, or one alone, and each asks again
/// where a page fails. Says what it broke: a decision counts once, for whoever was told that it counts, and is on the stream.
pub(crate) async fn broken(world: &World, plan: &Plan, table: &Faults) -> Vec<String> {
    let faults = Faults::new(&Plan::of_seed(plan.seed ^ SEED), world.clock, |_| String::new());
    let stream = MemoryStream::new("decisions", 1, world.clock);
    let desk = Desk { world, faults: &faults, table, stream: &stream };
    let mut dice = Rng::with_seed(plan.seed ^ SEED);
    let mut broken = Vec::new();
    for bytes in alerts(world).await {
        let alert = Event::<'_, Alert<'_>>::decode(&bytes).expect("the ledger holds alerts");
        let place = Place { hour: Hour::of(alert.data.comment_event.time), alert_id: &alert.id };
        for round in 0..3 {
            let after = desk.log(place).await.last_number();
            let mut wish = |who| {
                let action =
                    if round == 1 { Action::Undo } else { dice.choice([Action::Remove, Action::Keep]).expect("two") };
                Wish { who, action, after }
            };
            let [ana, ben] = ["ana", "ben"].map(&mut wish);
            let told = if dice.u8(..4) == 0 {
                vec![(ana, desk.ask(&alert, ana).await)]
            } else {
                table.count("decisions raced");
                let (first, second) = tokio::join!(desk.ask(&alert, ana), desk.ask(&alert, ben));
                vec![(ana, first), (ben, second)]
            };
            let log = desk.log(place).await;
            broken.extend(told.iter().filter_map(|(wish, told)| contradiction(*wish, *told, &log)));
        }
    }
    faults.end();
    world.clock.sleep(LATER).await;
    if desk.sweep().await.is_none_or(|swept| swept.left > 0) {
        broken.push("decisions: nothing goes wrong, and the sweep leaves some".to_owned());
    }
    if desk.sweep().await != Some(Swept::default()) {
        broken.push("decisions: the sweep does not come to an end".to_owned());
    }
    broken.extend(broken_in_logs(world, &stream).await);
    broken
}

/// Some alerts of the ledger.
async fn alerts(world: &World) -> Vec<Vec<u8>> {
    let reader = Reader::new(&world.objects, &world.clock, Timestamp::MAX);
    let last = world.clock.now();
    let first = last - SignedDuration::from_hours(24 * 8);
    let mut found = Vec::new();
    for hour in Hour::between(first, last) {
        for entry in reader.hour(hour).await.expect("the memory bucket lists") {
            if found.len() == ALERTS {
                return found;
            }
            found.extend(reader.alert(hour, &entry.id).await.expect("the memory bucket reads"));
        }
    }
    found
}

/// The moderators' way to the decisions.
struct Desk<'a> {
    world: &'a World,
    faults: &'a Faults,
    table: &'a Faults,
    stream: &'a MemoryStream,
}

impl Desk<'_> {
    /// Asks until there is an answer.
    async fn ask(&self, alert: &Event<'_, Alert<'_>>, wish: Wish) -> Told {
        for _ in 0..ATTEMPTS {
            let process = Process::default();
            let objects = Faulty::new(self.world.objects.clone(), self.faults, &process);
            let stream = Faulty::new(self.stream.clone(), self.faults, &process);
            let clock = Faulty::new(self.world.clock, self.faults, &process);
            let decisions = Decisions::new(&objects, &stream, &clock, clock.now() + TIME);
            let Wish { who, action, after } = wish;
            let (told, row) = match process.live(decisions.decide(alert, action, who, Some(after))).await {
                Some(Ok(Outcome::Done { repeated: true, .. })) => (Told::Done, "decision asked for again"),
                Some(Ok(Outcome::Done { .. })) if action == Action::Undo => (Told::Done, "decision undone"),
                Some(Ok(Outcome::Done { .. })) => (Told::Done, "decision taken"),
                Some(Ok(Outcome::Behind { .. })) => (Told::Behind, "decision of another seen"),
                Some(Ok(Outcome::NothingToUndo { .. })) => (Told::NothingToUndo, "nothing to undo"),
                Some(Err(_)) | None => continue,
            };
            self.table.count(row);
            return told;
        }
        Told::Unknown
    }

    /// The decisions where nothing goes wrong.
    fn calm(&self) -> Decisions<'_, MemoryObjects, MemoryStream, MemoryClock> {
        let World { objects, clock, .. } = self.world;
        Decisions::new(objects, self.stream, clock, clock.now() + TIME)
    }

    async fn log(&self, place: Place<'_>) -> Log {
        self.calm().log(place).await.expect("logs hold decisions")
    }

    /// What `digest-alerts` does at each run.
    async fn sweep(&self) -> Option<Swept> {
        self.calm().sweep().await.ok()
    }
}

/// Where the log says something else than a moderator was told.
fn contradiction(wish: Wish, told: Told, log: &Log) -> Option<String> {
    let Wish { who, action, after } = wish;
    let next = log.all().iter().find(|recorded| recorded.number == after + 1);
    let is_own = next.is_some_and(|next| next.action == action && next.moderator == who);
    let holds = match told {
        Told::Done => is_own,
        // Another's came first, or one stands that was not undone.
        Told::Behind => !is_own && (next.is_some() || log.standing().decided().is_some()),
        Told::NothingToUndo => log.standing().decided().is_none(),
        Told::Unknown => true,
    };
    (!holds).then(|| {
        let log: Vec<_> = log.all().iter().map(|it| (it.number, it.action, it.moderator.as_str())).collect();
        format!("decisions: {wish:?} was told {told:?}, and the log has {log:?}")
    })
}

/// Each log is in order and was never changed; the stream has what the logs have, and nothing else.
async fn broken_in_logs(world: &World, stream: &MemoryStream) -> Vec<String> {
    let World { objects, .. } = world;
    let mut broken = Vec::new();
    let mut logged: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mut logs: BTreeMap<String, Vec<(u32, Action)>> = BTreeMap::new();
    for key in objects.list(PREFIX).await.expect("the memory bucket lists") {
        let versions = objects.versions(&key);
        if versions.len() != 1 {
            broken.push(format!("{key} was written {} times", versions.len()));
        }
        let (place, number) = Place::of_key(&key).expect("a log's key");
        let found = objects.get(&key, None).await.expect("the memory bucket reads");
        let Fetched::Object { bytes, .. } = found else { continue };
        let event = Event::<'_, Decision<'_>>::decode(&bytes).expect("a decision");
        logs.entry(place.prefix()).or_default().push((number, event.data.action));
        logged.insert(bytes);
    }
    for (prefix, log) in &logs {
        // Decisions and undos take turns, and no number is left out.
        let is_sound = (1..).zip(log).all(|(expected, (number, action))| {
            *number == expected && (*action == Action::Undo) == (expected % 2 == 0)
        });
        if !is_sound {
            broken.push(format!("the log {prefix} has {log:?}"));
        }
    }
    let sent: BTreeSet<Vec<u8>> = stream.records().iter().map(|record| record.data.to_vec()).collect();
    if sent != logged {
        let (only_logged, only_sent) = (logged.difference(&sent).count(), sent.difference(&logged).count());
        broken.push(format!("decisions: {only_logged} in logs are not on the stream, {only_sent} there are in no log"));
    }
    let unsent = objects.list(UNSENT_PREFIX).await.expect("the memory bucket lists");
    broken.extend(unsent.iter().map(|key| format!("{key} stayed")));
    broken
}
