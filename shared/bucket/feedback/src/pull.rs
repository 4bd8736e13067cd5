use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use modstream_archive::{Content, Reader as Archive};
use modstream_events::{Alert, CommentEvent, CommentVersion, Decision, DeletedBy, Event, ids};
use modstream_ledger::comments::{Comments, TOMBSTONE};
use modstream_ledger::{Hour, LedgerError, PREFIX as ALERTS, Reader as Ledger, Withheld, Withholding};
use modstream_platform::deliver::{DeliveryError, get, list};
use modstream_platform::{Clock, Fetched, Objects};

use crate::{Judged, Verdict, standing};

/// The prefix of all logs of decisions.
const PREFIX: &str = "decisions/";
/// How long a call is tried.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How many objects are read at once.
const CONCURRENT_READS: usize = 32;
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
    /// Verdicts whose text comes from the ledger, since the archive has the comment no more. Texts are whole all the same:
    /// cut ones are left out and counted above.
    pub from_ledger: usize,
    /// Objects that can't be read, and what is wrong with each.
    pub unreadable: Vec<(String, String)>,
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PullError {
    /// A call failed.
    #[error("decisions/ and archive/ of the bucket: {0}")]
    Delivery(#[from] DeliveryError),
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Reads the decisions that were taken from `from` on and before `to`, and the comment of each from the archive of the stream
/// `stream`, or from the ledger.
///
/// # Errors
/// Where a call fails for half a minute. An object that is damaged costs itself alone.
pub async fn pull<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    stream: &str,
    from: Timestamp,
    to: Timestamp,
) -> Result<Pulled, PullError> {
    let mut pulled = Pulled::default();
    let found = read_decisions(objects, clock, &mut pulled).await?;
    let events: Vec<Event<'_, Decision<'_>>> = found.iter().filter_map(|bytes| Event::decode(bytes).ok()).collect();
    let alerts = |probe: bool| -> HashSet<&str> {
        let of_kind = events.iter().filter(|event| event.data.probe == probe);
        of_kind.map(|event| event.data.alert_id.as_ref()).collect()
    };
    let stands = standing(&events);
    pulled.probes = alerts(true).len();
    pulled.undone = alerts(false).len() - stands.len();
    let decided: HashSet<String> = stands.iter().map(|verdict| verdict.alert_id.clone()).collect();
    let mut wanted: HashMap<(String, String), Vec<Verdict>> = HashMap::new();
    for verdict in stands.into_iter().filter(|verdict| (from..to).contains(&verdict.decided)) {
        wanted.entry((verdict.source.clone(), verdict.comment_event_id.clone())).or_default().push(verdict);
    }
    join_with_archive(objects, clock, stream, &mut wanted, &mut pulled).await?;
    leave_out_deleted(objects, clock, &mut pulled).await?;
    for verdict in wanted.into_values().flatten() {
        join_with_ledger(objects, clock, verdict, &mut pulled).await?;
    }
    pulled.judged.sort_by(|one, other| one.decision.alert_id.cmp(&other.decision.alert_id));
    let explored = pulled.judged.iter().filter(|judged| judged.decision.is_explored());
    if let Some(first) = explored.map(|judged| judged.decision.alerted).min() {
        count_waiting(objects, clock, (first, to.min(clock.now())), &decided, &mut pulled).await?;
    }
    Ok(pulled)
}

/// Counts the explored comments of the days from `first` to `last` that are not among the `decided` alerts.
async fn count_waiting<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    (first, last): (Timestamp, Timestamp),
    decided: &HashSet<String>,
    pulled: &mut Pulled,
) -> Result<(), PullError> {
    let deadline = || clock.now() + READ_TIMEOUT;
    let days = Hour::days(Hour::of(first), Hour::of(last)).map(async |day| {
        let prefix = format!("{ALERTS}{day}");
        list(objects, clock, deadline(), &prefix).await
    });
    let keys: Vec<Vec<String>> = stream::iter(days).buffered(CONCURRENT_READS).try_collect().await?;
    let keys: Vec<String> = keys.into_iter().flatten().collect();
    let named = |key: &str, names: &[&str]| {
        let (folder, name) = key.rsplit_once('/')?;
        names.contains(&name).then(|| folder.rsplit('/').next().unwrap_or_default().to_owned())
    };
    // About these there is nothing to decide any more.
    let closed: HashSet<String> =
        keys.iter().filter_map(|key| named(key, &["superseded.json", "withdrawn.json"])).collect();
    let undecided = keys
        .into_iter()
        .filter(|key| named(key, &["withheld.json"]).is_some_and(|id| !decided.contains(&id) && !closed.contains(&id)));
    let reads = undecided.map(async |key| {
        let fetched = get(objects, clock, deadline(), &key, None).await?;
        Ok::<_, DeliveryError>((key, fetched))
    });
    let fetched: Vec<(String, Fetched)> = stream::iter(reads).buffered(CONCURRENT_READS).try_collect().await?;
    for (key, fetched) in fetched {
        let Fetched::Object { bytes, .. } = fetched else { continue };
        match serde_json::from_slice::<Withheld>(&bytes) {
            Ok(withheld) => pulled.waiting += usize::from(withheld.reason == Withholding::Exploration),
            Err(error) => pulled.unreadable.push((key, error.to_string())),
        }
    }
    Ok(())
}

/// The bytes of all decision events.
async fn read_decisions<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    pulled: &mut Pulled,
) -> Result<Vec<Vec<u8>>, PullError> {
    let keys = list(objects, clock, clock.now() + READ_TIMEOUT, PREFIX).await?;
    let reads = keys.into_iter().map(async |key| {
        let fetched = get(objects, clock, clock.now() + READ_TIMEOUT, &key, None).await?;
        Ok::<_, DeliveryError>((key, fetched))
    });
    let fetched: Vec<(String, Fetched)> = stream::iter(reads).buffered(CONCURRENT_READS).try_collect().await?;
    let mut found = Vec::with_capacity(fetched.len());
    for (key, fetched) in fetched {
        let Fetched::Object { bytes, .. } = fetched else { continue };
        match Event::<'_, Decision<'_>>::decode(&bytes) {
            Ok(_) => found.push(bytes),
            Err(bad) => pulled.unreadable.push((key, bad.to_string())),
        }
    }
    Ok(found)
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
                Some(judged) => pulled.judged.push(judged),
                None => pulled.without_text += 1,
            }
        }
    }
    let unreadable = archive.unreadable().iter().map(|object| (object.key.clone(), object.error.to_string()));
    pulled.unreadable.extend(unreadable);
    Ok(())
}

/// Leaves out the comments that were deleted since, but for those that a moderator removed, which are what is learned from. The
/// archive has their texts still; the ledger's are gone.
async fn leave_out_deleted<O: Objects, C: Clock>(objects: &O, clock: &C, pulled: &mut Pulled) -> Result<(), PullError> {
    let archived = std::mem::take(&mut pulled.judged);
    let checks = archived.into_iter().map(async |judged| {
        let Some(id) = &judged.id else { return Ok((judged, false)) };
        let key = ids::comment_key(&judged.decision.source, id).to_string();
        let record = Comments::new(objects, clock, clock.now() + READ_TIMEOUT).record(&key).await?;
        let alerted = judged.decision.alerted;
        // What is alerted about later is of a comment that is back.
        let is_deleted = record.deleted.is_some_and(|deletion| {
            deletion.by != DeletedBy::Moderator && alerted.duration_since(deletion.time) < TOMBSTONE
        });
        Ok::<_, DeliveryError>((judged, is_deleted))
    });
    let checked: Vec<(Judged, bool)> = stream::iter(checks).buffered(CONCURRENT_READS).try_collect().await?;
    for (judged, is_deleted) in checked {
        if is_deleted {
            pulled.without_text += 1;
        } else {
            pulled.judged.push(judged);
        }
    }
    Ok(())
}

async fn join_with_ledger<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    verdict: Verdict,
    pulled: &mut Pulled,
) -> Result<(), PullError> {
    let ledger = Ledger::new(objects, clock, clock.now() + READ_TIMEOUT);
    let bytes = ledger.alert(Hour::of(verdict.alerted), &verdict.alert_id).await?;
    let alert = bytes.as_deref().and_then(|bytes| Event::<'_, Alert<'_>>::decode(bytes).ok());
    let whole = alert.as_ref().filter(|alert| !alert.data.body_truncated);
    match whole.and_then(|alert| Judged::new(&alert.data.comment, verdict)) {
        Some(judged) => {
            pulled.judged.push(judged);
            pulled.from_ledger += 1;
        }
        None => pulled.without_text += 1,
    }
    Ok(())
}
