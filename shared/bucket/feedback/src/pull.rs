use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use modstream_archive::{Content, Reader as Archive};
use modstream_events::{Alert, CommentEvent, CommentVersion, Decision, DeletedBy, Event};
use modstream_ledger::{AlertKey, Kind, Ledger, LedgerError, decided_since, unpack};
use modstream_platform::deliver::{DeliveryError, items};
use modstream_platform::table::{Consistency, Item, Key, Table};
use modstream_platform::{Clock, Objects};

use crate::{Judged, Verdict, standing};

/// How long a call is tried.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How many texts are read at a time.
const READ_AT_ONCE: usize = 1_000;
/// A comment arrives on its stream at most so long before the alert about it is made, as far as the archive is searched for it.
const AROUND: Duration = Duration::from_secs(24 * 60 * 60);

/// What was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pulled {
    /// Comments with their verdicts, in order of the alerts' ids.
    pub judged: Vec<Judged>,
    /// Alerts whose every decision was undone.
    pub undone: usize,
    /// Alerts about the probe, which is nothing to learn from.
    pub probes: usize,
    /// Explored comments that nobody decided about, of the days from the first that somebody did to `to`: they say nothing
    /// yet about what is missed. 0 where no explored comment was decided about.
    pub waiting: usize,
    /// Verdicts whose comment is gone: deleted by whoever wrote it or with the account, forgotten, or no longer kept.
    pub without_text: usize,
    /// Verdicts whose text comes from the archive, since the ledger's is cut, or gone where a moderator removed the comment.
    pub from_archive: usize,
    /// Items and objects that can't be read, and what is wrong with each.
    pub unreadable: Vec<(String, String)>,
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PullError {
    /// A call failed.
    #[error("decisions and archive: {0}")]
    Delivery(#[from] DeliveryError),
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Reads the decisions that were taken from `from` on and before `to`, and the comment of each from the ledger; where its text is
/// cut there, from the archive of the stream `stream`. It costs by the decisions since `from`.
///
/// # Errors
/// Where a call fails for half a minute. An item or an object that is damaged costs itself alone.
pub async fn pull<B: Table, O: Objects, C: Clock>(
    (table, objects): (&B, &O),
    clock: &C,
    stream: &str,
    from: Timestamp,
    to: Timestamp,
) -> Result<Pulled, PullError> {
    let mut pulled = Pulled::default();
    let found = read_decisions(table, clock, from, &mut pulled).await?;
    let events: Vec<Event<'_, Decision<'_>>> = found.iter().filter_map(|bytes| Event::decode(bytes).ok()).collect();
    let keys: HashMap<&str, AlertKey> =
        events.iter().map(|event| (event.data.alert_id.as_ref(), AlertKey::of_decision(&event.data))).collect();
    let alerts = |probe: bool| -> HashSet<&str> {
        let of_kind = events.iter().filter(|event| event.data.probe == probe);
        of_kind.map(|event| event.data.alert_id.as_ref()).collect()
    };
    let stands = standing(&events);
    pulled.probes = alerts(true).len();
    pulled.undone = alerts(false).len() - stands.len();
    let wanted: Vec<Verdict> = stands.into_iter().filter(|verdict| (from..to).contains(&verdict.decided)).collect();
    let mut cut: HashMap<(String, String), Vec<Verdict>> = HashMap::new();
    for verdicts in wanted.chunks(READ_AT_ONCE) {
        join_with_ledger(table, clock, verdicts, &keys, &mut cut, &mut pulled).await?;
    }
    join_with_archive(objects, clock, stream, &mut cut, &mut pulled).await?;
    pulled.without_text += cut.into_values().map(|verdicts| verdicts.len()).sum::<usize>();
    pulled.judged.sort_by(|one, other| one.decision.alert_id.cmp(&other.decision.alert_id));
    let explored = pulled.judged.iter().filter(|judged| judged.decision.is_explored());
    if let Some(first) = explored.map(|judged| judged.decision.alerted).min() {
        count_waiting(table, clock, (first, to.min(clock.now())), &mut pulled).await?;
    }
    Ok(pulled)
}

/// Counts the explored comments of the time from `first` to `last` that wait for a decision.
async fn count_waiting<B: Table, C: Clock>(
    table: &B,
    clock: &C,
    (first, last): (Timestamp, Timestamp),
    pulled: &mut Pulled,
) -> Result<(), PullError> {
    let mut after = None;
    loop {
        let page = Ledger::new(table, clock, clock.now() + READ_TIMEOUT).waiting(after).await?;
        let explored = page.found.iter().filter(|alert| alert.kind == Kind::Exploration);
        pulled.waiting += explored.filter(|alert| (first..=last).contains(&alert.made)).count();
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// The bytes of all decision events since a time.
async fn read_decisions<B: Table, C: Clock>(
    table: &B,
    clock: &C,
    from: Timestamp,
    pulled: &mut Pulled,
) -> Result<Vec<Vec<u8>>, PullError> {
    let deadline = || clock.now() + READ_TIMEOUT;
    let from = from.max(Timestamp::UNIX_EPOCH);
    let mut query = decided_since(from);
    let mut found = Vec::new();
    loop {
        let page = items::query(table, clock, deadline(), &query).await?;
        let keys: Vec<Key> = page.items.into_iter().map(|item| item.key).collect();
        for (key, item) in items::get_all(table, clock, deadline(), &keys, Consistency::Eventual).await? {
            match decision_event(&item) {
                Ok(event) => found.push(event),
                Err(why) => pulled.unreadable.push((format!("{} {}", key.partition, key.sort), why)),
            }
        }
        query.after = page.next;
        if query.after.is_none() {
            return Ok(found);
        }
    }
}

/// The decision event of an item, else what is wrong with it.
fn decision_event(item: &Item) -> Result<Vec<u8>, String> {
    let packed = item.bytes("event").ok_or("it has no event")?;
    let event = unpack(packed).map_err(|damaged| damaged.to_string())?;
    let decoded = Event::<'_, Decision<'_>>::decode(&event).map(drop);
    decoded.map_err(|bad| bad.to_string())?;
    Ok(event)
}

/// Joins verdicts with what the ledger has; those whose text is cut there, or was taken out where a moderator removed the comment,
/// are left in `cut`.
async fn join_with_ledger<B: Table, C: Clock>(
    table: &B,
    clock: &C,
    verdicts: &[Verdict],
    keys: &HashMap<&str, AlertKey>,
    cut: &mut HashMap<(String, String), Vec<Verdict>>,
    pulled: &mut Pulled,
) -> Result<(), PullError> {
    let named: BTreeMap<&str, &AlertKey> = verdicts
        .iter()
        .filter_map(|verdict| Some((verdict.alert_id.as_str(), keys.get(verdict.alert_id.as_str())?)))
        .collect();
    let wanted: Vec<AlertKey> = named.values().map(|key| (*key).clone()).collect();
    let (entries, unreadable) = Ledger::new(table, clock, clock.now() + READ_TIMEOUT).entries(&wanted).await?;
    for error in unreadable {
        if let LedgerError::Unreadable { key, detail } = error {
            pulled.unreadable.push((format!("{} {}", key.partition, key.sort), detail));
        }
    }
    for verdict in verdicts {
        let entry = named.get(verdict.alert_id.as_str()).and_then(|key| entries.get(*key));
        // Of deleted comments the archive has the texts still. Only what a moderator removed is learned from.
        let deleted_by = entry.and_then(|entry| entry.withdrawn.as_ref()).map(|withdrawn| withdrawn.by);
        let of = || (verdict.source.clone(), verdict.comment_event_id.clone());
        match deleted_by {
            None => {}
            Some(DeletedBy::Moderator) => {
                cut.entry(of()).or_default().push(verdict.clone());
                continue;
            }
            Some(DeletedBy::Author | DeletedBy::Account | DeletedBy::Unknown) => {
                pulled.without_text += 1;
                continue;
            }
        }
        let alert = entry.and_then(|entry| Event::<'_, Alert<'_>>::decode(&entry.event).ok());
        let Some(alert) = alert else {
            pulled.without_text += 1;
            continue;
        };
        if alert.data.body_truncated {
            cut.entry(of()).or_default().push(verdict.clone());
            continue;
        }
        match Judged::new(&alert.data.comment, verdict.clone()) {
            Some(judged) => pulled.judged.push(judged),
            None => pulled.without_text += 1,
        }
    }
    Ok(())
}

/// Takes from `wanted` what the archive has.
async fn join_with_archive<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    stream: &str,
    wanted: &mut HashMap<(String, String), Vec<Verdict>>,
    pulled: &mut Pulled,
) -> Result<(), PullError> {
    let times = || wanted.values().flatten().map(|verdict| verdict.alerted);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return Ok(()) };
    let (from, to) =
        (first.checked_sub(AROUND).unwrap_or(Timestamp::MIN), last.checked_add(AROUND).unwrap_or(Timestamp::MAX));
    let mut archive = Archive::open(objects, clock, stream, from, to).await?;
    while let Some(stored) = archive.next().await? {
        if wanted.is_empty() {
            break;
        }
        let Content::Data(data) = &stored.record.content else { continue };
        let Some(said) = CommentEvent::decode(data).ok().and_then(CommentEvent::into_version) else { continue };
        let CommentVersion { source, event_id, comment, .. } = said;
        let Some(verdicts) = wanted.remove(&(source.into_owned(), event_id.into_owned())) else { continue };
        for verdict in verdicts {
            match Judged::new(&comment, verdict) {
                Some(judged) => {
                    pulled.judged.push(judged);
                    pulled.from_archive += 1;
                }
                None => pulled.without_text += 1,
            }
        }
    }
    let unreadable = archive.unreadable().iter().map(|object| (object.key.clone(), object.error.to_string()));
    pulled.unreadable.extend(unreadable);
    Ok(())
}
