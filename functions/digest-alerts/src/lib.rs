//! A schedule → the ledger's alerts of a window → one message a subreddit on the topic `digests`.
//!
//! A run closes the newest window that is complete at its time, and with it all time since the window that was closed before: one
//! transaction says which digests it has. Each is published, and recorded as sent, in that order, so it is published at least
//! once, and again only after a call whose outcome is unknown. Its id knows subreddit and window, so there is one, and an alert is
//! in one, even if runs overlap. What is left out of time makes the invocation fail with a count, and Lambda's asynchronous retry
//! goes on; so does every later run, for a day.
//!
//! A run costs by what is new. The index of alerts may lag behind, so it looks at some of the time before once more
//! ([`LOOKED_AT_AGAIN_AFTER`]): what came to the index since is late.

mod config;
pub mod digest;
mod invocation;
mod rules;
pub mod text;
mod wiring;

use plain_text::agree;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use kinesis_batch::catch;
use modstream_events::{Alert, Event};
use modstream_in_use::policies::StoreError;
use modstream_ledger::digests::{
    Closed, Closing, Digest, Digests, DigestsError, Head, StoredDigest, WaitingSince, Window,
};
use modstream_ledger::{AlertKey, Ledger, LedgerError, List};
use modstream_platform::deliver::{Cause, DeliveryError, Published, publish_all};
use modstream_platform::table::Table;
use modstream_platform::{Clock, MAX_PUBLISH_MESSAGES, Topic};
use modstream_telemetry::{
    digest_input_unreadable, digest_panicked, digest_refused, digest_resumed, digest_sent, digests_done, digests_unsent,
};
use modstream_windows::{LengthError, Tumbling};
use named_mutations::is_on;
use serde::Serialize;

pub use config::Config;
pub use invocation::{Invocation, InvocationError};
pub use rules::{Rules, RulesInUse};
pub use wiring::{AlertLink, DigestLink, DigestRules, Links};

use digest::{Candidate, Run};
use text::{Rendering, SHOWN};

/// The function's name.
pub const NAME: &str = "digest-alerts";

/// How far back an alert may be that no digest covers yet.
pub const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24);

/// How long after it a time is looked at again, besides the quarter of an hour before what is new: an index lags behind by less than
/// a second, and by more where something is wrong. So an alert is in a digest however late it comes to the index, within a day.
pub const LOOKED_AT_AGAIN_AFTER: [SignedDuration; 3] =
    [SignedDuration::from_hours(1), SignedDuration::from_hours(6), SignedDuration::from_hours(23)];
/// How much before what is new each run looks at: an alert is made within the invocation in which its time is taken, and that lasts
/// at most so long.
const MARGIN: SignedDuration = SignedDuration::from_mins(15);
/// How many alerts are read at a time of those that wait: a text is kept no longer than it takes to look at it.
const READ_AT_ONCE: usize = 1_000;
/// How often a run begins anew because another one closed a window meanwhile.
const ROUNDS: usize = 10;

/// SNS takes an email subscription away that gets more than ten messages a second
/// ([why](https://repost.aws/knowledge-center/sns-email-subscription-disabled)). A call has ten messages at most.
const PAUSE_BETWEEN_CALLS: Duration = Duration::from_secs(2);

/// The function.
#[derive(Debug)]
pub struct DigestAlerts<T, B, C> {
    digests: T,
    table: B,
    clock: C,
    windowing: Tumbling,
    allowed_lateness: SignedDuration,
    links: Links,
    forum: String,
}

/// What an invocation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Digested {
    /// The start of the run's window.
    pub start: Timestamp,
    /// The first moment after the run's window.
    pub end: Timestamp,
    /// How many digests the topic took.
    pub digests: usize,
    /// How many alerts these cover.
    pub alerts: usize,
    /// How many digests the topic refuses for good.
    pub refused: usize,
    /// How many digests can't be made into a message, because that panics; the runs to come try again.
    #[serde(skip_serializing_if = "is_zero")]
    pub panicked: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Why an invocation failed. A repeat goes on.
#[derive(Debug, thiserror::Error)]
pub enum DigestError {
    /// The payload can't be used.
    #[error(transparent)]
    Invocation(#[from] InvocationError),
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The digests before can't be read.
    #[error(transparent)]
    Digests(#[from] DigestsError),
    /// A call failed.
    #[error("the ledger: {0}")]
    Delivery(#[from] DeliveryError),
    /// Other runs went on closing windows.
    #[error("other runs closed windows meanwhile, {ROUNDS} times: let fewer run at the same time")]
    Overtaken,
    /// It is not known which policies hold.
    #[error(transparent)]
    Policies(#[from] StoreError),
    /// Not all digests got out.
    #[error("{unsent} of {digests} {} not sent: {cause}", agree(*digests, "digest was", "digests were"))]
    Unsent {
        /// How many digests were not sent.
        unsent: usize,
        /// How many digests there were.
        digests: usize,
        /// Why the first of them was not.
        cause: String,
    },
}

/// An alert's event, which holds its own text.
type AlertEvent = Event<'static, Alert<'static>>;

/// A digest to send.
struct Outgoing {
    id: String,
    /// The window's place among those that have some.
    window: usize,
    stored: StoredDigest,
}

/// What became of a digest.
enum Delivery {
    Sent { alerts: usize },
    Refused,
    Panicked,
    Unsent(String),
}

impl<T: Topic, B: Table, C: Clock> DigestAlerts<T, B, C> {
    /// The function over its topic and table.
    ///
    /// # Errors
    /// Where windows can't be so long.
    pub fn new(config: &Config, digests: T, table: B, clock: C, links: Links) -> Result<Self, LengthError> {
        Ok(DigestAlerts {
            digests,
            table,
            clock,
            windowing: Tumbling::new(config.window)?,
            allowed_lateness: config.allowed_lateness,
            links,
            forum: config.forum.clone(),
        })
    }

    /// Handles one invocation. Everything is done by `deadline`. `rules` says what holds for a subreddit at a time; the empty
    /// name stands for comments without a subreddit.
    ///
    /// # Errors
    /// Where payload or table can't be used, or not all digests got out.
    pub async fn handle(
        &self,
        payload: &[u8],
        deadline: Timestamp,
        rules: impl Fn(&str, Timestamp) -> DigestRules,
    ) -> Result<Digested, DigestError> {
        let scheduled_for = Invocation::parse(payload)?.time.unwrap_or_else(|| self.clock.now());
        let run = Run { scheduled_for, windowing: self.windowing, allowed_lateness: self.allowed_lateness };
        let window = run.window();
        let mut digested =
            Digested { start: window.start, end: window.end, digests: 0, alerts: 0, refused: 0, panicked: 0 };
        let store = Digests::new(&self.table, &self.clock, deadline);
        let closed = self.close(run, &store, deadline, &rules).await?;
        let windows = store.unsent().await?;
        let mut all = Vec::new();
        // Of each window, how many digests are not sent.
        let mut left = vec![0_usize; windows.len()];
        for (window, unsent) in windows.iter().enumerate() {
            for stored in store.digests(unsent).await?.into_iter().filter(|stored| !stored.is_sent) {
                left[window] += 1;
                let subreddit = stored.digest.subreddit.as_deref().unwrap_or_default();
                if !rules(subreddit, scheduled_for).quiet {
                    let id = stored.digest.id();
                    if closed != Some(unsent.window) {
                        digest_resumed(&id);
                    }
                    all.push(Outgoing { id, window, stored });
                }
            }
        }

        let count = all.len();
        let mut unsent: Option<(usize, String)> = None;
        let mut rest = all.into_iter();
        let mut is_first = true;
        loop {
            let group: Vec<Outgoing> = rest.by_ref().take(MAX_PUBLISH_MESSAGES).collect();
            if group.is_empty() {
                break;
            }
            if !std::mem::take(&mut is_first) {
                let has_time = self.clock.now() + PAUSE_BETWEEN_CALLS < deadline;
                if !has_time {
                    let error = DeliveryError { cause: Cause::NotTried, deadline_passed: true };
                    unsent.get_or_insert((0, error.to_string())).0 += group.len() + rest.len();
                    break;
                }
                self.clock.sleep(PAUSE_BETWEEN_CALLS).await;
            }
            for (window, delivery) in self.send(group, &store, deadline).await {
                match delivery {
                    Delivery::Sent { alerts } => {
                        left[window] -= 1;
                        digested.digests += 1;
                        digested.alerts += alerts;
                    }
                    Delivery::Refused => digested.refused += 1,
                    Delivery::Panicked => digested.panicked += 1,
                    Delivery::Unsent(cause) => unsent.get_or_insert((0, cause)).0 += 1,
                }
            }
        }
        for (window, _) in windows.iter().zip(left).filter(|(_, left)| *left == 0) {
            store.all_sent(window).await?;
        }
        match unsent {
            None => {
                digests_done(&window.start, digested.digests, digested.alerts, digested.refused);
                Ok(digested)
            }
            Some((unsent, cause)) => {
                digests_unsent(&window.start, unsent, count, &cause);
                Err(DigestError::Unsent { unsent, digests: count, cause })
            }
        }
    }

    /// Closes the run's window, and all time since the one before; none where that was done before.
    async fn close(
        &self,
        run: Run,
        store: &Digests<'_, B, C>,
        deadline: Timestamp,
        rules: &impl Fn(&str, Timestamp) -> DigestRules,
    ) -> Result<Option<Window>, DigestError> {
        let window = run.window();
        for _ in 0..ROUNDS {
            let head = store.head().await?;
            if head.end.is_some_and(|end| end >= window.end) {
                return Ok(None);
            }
            let closing = self.closing(run, store, &head, deadline, rules).await?;
            if store.close(&head, &closing).await? == Closed::Ours {
                return Ok(Some(closing.window));
            }
        }
        Err(DigestError::Overtaken)
    }

    /// What closes the run's window, from where the head is.
    async fn closing(
        &self,
        run: Run,
        store: &Digests<'_, B, C>,
        head: &Head,
        deadline: Timestamp,
        rules: &impl Fn(&str, Timestamp) -> DigestRules,
    ) -> Result<Closing, DigestError> {
        let of_run = run.window();
        let window = Window { start: of_run.start, end: of_run.end };
        let ledger = Ledger::new(&self.table, &self.clock, deadline);
        let new = self.untaken(store, &ledger, head, window).await?;
        let rules_of = |subreddit: &str| rules(subreddit, run.scheduled_for);
        let mut still_waiting = head.waiting.clone();
        still_waiting.retain(|subreddit, since| !rules_of(subreddit).leave_out && since.is_kept(window));
        // Whose alerts waited gets them with its next digest.
        let has_alerts: BTreeSet<&str> =
            new.iter().filter(|candidate| !candidate.is_exploration).map(Candidate::subreddit).collect();
        let mut candidates = new.clone();
        for (subreddit, since) in &still_waiting {
            let has_one = since.alerts || has_alerts.contains(subreddit.as_str());
            if has_one && !rules_of(subreddit).quiet {
                candidates.extend(self.waiting(store, &ledger, subreddit, since).await?);
            }
        }
        let digests = digest::build(run, &candidates, rules);
        let mut waiting: BTreeMap<String, Vec<AlertKey>> = BTreeMap::new();
        let mut taken = Vec::new();
        let told: BTreeSet<&str> =
            digests.iter().map(|digest| digest.subreddit.as_deref().unwrap_or_default()).collect();
        still_waiting.retain(|subreddit, _| !told.contains(subreddit.as_str()));
        for candidate in new {
            let subreddit = candidate.subreddit();
            // Where no digest ever goes out, nothing is taken: should one go out one day, the last alerts are in it.
            if rules_of(subreddit).leave_out {
                continue;
            }
            if !told.contains(subreddit) {
                let since = still_waiting.entry(subreddit.to_owned()).or_insert_with(|| WaitingSince::of(window));
                since.alerts |= !candidate.is_exploration;
                waiting.entry(subreddit.to_owned()).or_default().push(candidate.alert.clone());
            }
            taken.push((candidate.time, candidate.alert));
        }
        Ok(Closing { window, digests, taken, waiting, still_waiting })
    }

    /// The alerts that no window took: of the time since the head, and of some before it those that came late.
    async fn untaken(
        &self,
        store: &Digests<'_, B, C>,
        ledger: &Ledger<'_, B, C>,
        head: &Head,
        window: Window,
    ) -> Result<Vec<Candidate>, DigestError> {
        let before = |time: Timestamp, by: SignedDuration| time.checked_sub(by).unwrap_or(Timestamp::MIN);
        let earliest = before(window.end, LOOK_BACK);
        let since = head.end.unwrap_or(earliest).max(earliest);
        let again = LOOKED_AT_AGAIN_AFTER.map(|after| (before(since, after).max(earliest), before(window.end, after)));
        let looks_again = !is_on("look-at-windows-once");
        let first = if looks_again { before(since, MARGIN).max(earliest) } else { since };
        let stretches = [(first, window.end)].into_iter();
        let stretches = joined(stretches.chain(again).filter(|(from, to)| from < to).collect());
        let mut found = Vec::new();
        for stretch in &stretches {
            let mut after = None;
            loop {
                let page = ledger.made_between(List::Standing, *stretch, after).await?;
                found.extend(page.found.into_iter().filter_map(Candidate::listed));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        // What is newer than the head no window took yet.
        let looked_at: Vec<(Timestamp, Timestamp)> = found
            .iter()
            .map(|candidate| candidate.time)
            .filter(|time| head.end.is_some_and(|end| *time < end))
            .map(|time| (time, time))
            .collect();
        if !looked_at.is_empty() {
            let taken = store.taken(&looked_at).await?;
            found.retain(|candidate| !taken.contains(&candidate.alert));
        }
        Ok(found)
    }

    /// The alerts of a subreddit that wait for a digest, as they are now.
    async fn waiting(
        &self,
        store: &Digests<'_, B, C>,
        ledger: &Ledger<'_, B, C>,
        subreddit: &str,
        since: &WaitingSince,
    ) -> Result<Vec<Candidate>, DigestError> {
        let mut found = Vec::new();
        for alerts in store.waiting(subreddit, since).await?.chunks(READ_AT_ONCE) {
            let (entries, unreadable) = ledger.entries(alerts).await?;
            unreadable.iter().for_each(|error| digest_input_unreadable(&error.to_string()));
            found.extend(entries.values().filter_map(Candidate::waiting));
        }
        Ok(found)
    }

    /// Publishes a call's worth of digests, and records which were sent; what became of each, with its window's place.
    async fn send(
        &self,
        group: Vec<Outgoing>,
        store: &Digests<'_, B, C>,
        deadline: Timestamp,
    ) -> Vec<(usize, Delivery)> {
        let strongest =
            |outgoing: &Outgoing| outgoing.stored.digest.alerts.iter().take(SHOWN).cloned().collect::<Vec<_>>();
        let named: Vec<AlertKey> = group.iter().flat_map(strongest).collect();
        let shown = match self.events(&named, deadline).await {
            Ok(shown) => shown,
            Err(error) => {
                let unsent = |outgoing: Outgoing| (outgoing.window, Delivery::Unsent(error.to_string()));
                return group.into_iter().map(unsent).collect();
            }
        };
        let mut deliveries = Vec::new();
        let mut going = Vec::new();
        let mut messages = Vec::new();
        for outgoing in group {
            let shown: Vec<Option<AlertEvent>> =
                strongest(&outgoing).iter().map(|alert| shown.get(alert).cloned()).collect();
            let DigestAlerts { links, forum, .. } = self;
            let Outgoing { id, stored: StoredDigest { position, digest, .. }, .. } = &outgoing;
            let rendering = Rendering { id, position: *position, digest, shown: &shown, links, forum };
            match catch(|| rendering.message()) {
                Ok(message) => {
                    messages.push(message);
                    going.push(outgoing);
                }
                Err(panicked) => {
                    digest_panicked(id, panicked.place());
                    deliveries.push((outgoing.window, Delivery::Panicked));
                }
            }
        }
        let published = publish_all(&self.digests, &self.clock, deadline, messages).await;
        let records = going.iter().zip(published).map(|(outgoing, published)| async move {
            let Outgoing { id, window, stored } = outgoing;
            let Digest { start, count, late, .. } = &stored.digest;
            let delivery = match published {
                Published::Accepted { message_id } => {
                    digest_sent(id, start, *count, stored.digest.withheld(), late.map_or(0, |it| it.count));
                    match store.mark_sent(stored, &message_id).await {
                        Ok(()) => Delivery::Sent { alerts: *count },
                        Err(error) => Delivery::Unsent(error.to_string()),
                    }
                }
                Published::Refused { code, message } => {
                    digest_refused(id, &format!("{code}: {message}"));
                    Delivery::Refused
                }
                Published::Failed(error) => Delivery::Unsent(error.to_string()),
            };
            (*window, delivery)
        });
        deliveries.extend(join_all(records).await);
        deliveries
    }

    /// The events of alerts, as the ledger has them now: what is forgotten is in no digest that is sent later.
    async fn events(
        &self,
        alerts: &[AlertKey],
        deadline: Timestamp,
    ) -> Result<BTreeMap<AlertKey, AlertEvent>, LedgerError> {
        let (entries, unreadable) = Ledger::new(&self.table, &self.clock, deadline).entries(alerts).await?;
        unreadable.iter().for_each(|error| digest_input_unreadable(&error.to_string()));
        let decoded = entries.into_iter().filter_map(|(key, entry)| {
            let event: Result<Event<'_, Alert<'_>>, _> = Event::decode(&entry.event);
            let event = event.inspect_err(|bad| digest_input_unreadable(&format!("the alert {key}: {bad}"))).ok()?;
            Some((key, event.into_owned()))
        });
        Ok(decoded.collect())
    }
}

/// The same time, in stretches that do not touch.
fn joined(mut stretches: Vec<(Timestamp, Timestamp)>) -> Vec<(Timestamp, Timestamp)> {
    stretches.sort_unstable();
    let mut joined: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (from, to) in stretches {
        match joined.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => joined.push((from, to)),
        }
    }
    joined
}
