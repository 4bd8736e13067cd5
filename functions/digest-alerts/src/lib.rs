//! A schedule → the ledger's alerts of a window → one message a subreddit on the topic `digests`.
//!
//! A run closes the newest window that is complete at its time: one object says which digests it has. Each is published, and
//! recorded as sent, in that order, so it is published at least once, and again only after a call whose outcome is unknown. Its
//! id knows subreddit and window, so there is one, and an alert is in one, even if runs overlap. What is left out of time makes
//! the invocation fail with a count, and Lambda's asynchronous retry goes on; so does every later run, for a day.

mod config;
pub mod digest;
mod invocation;
mod ledger;
mod rules;
pub mod text;
mod wiring;

use plain_text::agree;
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};
use kinesis_batch::catch;
use modstream_in_use::policies::StoreError;
use modstream_ledger::digests::{Covered, Digest, Digests, DigestsError, window_key};
use modstream_ledger::{Hour, LedgerError, Reader};
use modstream_platform::deliver::{Cause, DeliveryError, Published, publish_all};
use modstream_platform::{Clock, MAX_PUBLISH_MESSAGES, Objects, Topic};
use modstream_telemetry::{digest_panicked, digest_refused, digest_resumed, digest_sent, digests_done, digests_unsent};
use modstream_windows::{LengthError, Tumbling, Window};
use serde::Serialize;
use tokio::sync::Mutex;

pub use config::Config;
pub use invocation::{Invocation, InvocationError};
pub use rules::{Rules, RulesInUse};
pub use wiring::{AlertLink, DigestLink, DigestRules, Links};

use digest::Run;
use ledger::{AlertEvent, CONCURRENT_READS, Memory, Shown, decode, default_if_unreadable};
use text::{Rendering, SHOWN};

/// The function's name.
pub const NAME: &str = "digest-alerts";

/// How far back an alert may be that no digest covers yet.
pub const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24);

/// SNS takes an email subscription away that gets more than ten messages a second
/// ([why](https://repost.aws/knowledge-center/sns-email-subscription-disabled)). A call has ten messages at most.
const PAUSE_BETWEEN_CALLS: Duration = Duration::from_secs(2);

/// The function.
#[derive(Debug)]
pub struct DigestAlerts<T, O, C> {
    digests: T,
    objects: O,
    clock: C,
    windowing: Tumbling,
    length: SignedDuration,
    allowed_lateness: SignedDuration,
    links: Links,
    forum: String,
    memory: Mutex<Memory>,
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

/// A digest to send.
struct Outgoing {
    id: String,
    /// The digest's position in its window.
    position: usize,
    digest: Digest,
}

/// What became of a digest.
enum Delivery {
    Sent { alerts: usize },
    Refused,
    Panicked,
    Unsent(String),
}

impl<T: Topic, O: Objects, C: Clock> DigestAlerts<T, O, C> {
    /// The function over its topic and bucket.
    ///
    /// # Errors
    /// Where windows can't be so long.
    pub fn new(config: &Config, digests: T, objects: O, clock: C, links: Links) -> Result<Self, LengthError> {
        Ok(DigestAlerts {
            digests,
            objects,
            clock,
            windowing: Tumbling::new(config.window)?,
            length: config.window,
            allowed_lateness: config.allowed_lateness,
            links,
            forum: config.forum.clone(),
            memory: Mutex::default(),
        })
    }

    /// Handles one invocation. Everything is done by `deadline`. `rules` says what holds for a subreddit at a time; the empty
    /// name stands for comments without a subreddit.
    ///
    /// # Errors
    /// Where payload or bucket can't be used, or not all digests got out.
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
        let mut shown = Shown::new(self.windowing);
        let all = self.outgoing(run, &mut shown, deadline, &rules).await?;

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
            for delivery in self.send(group, &shown, deadline).await {
                match delivery {
                    Delivery::Sent { alerts } => {
                        digested.digests += 1;
                        digested.alerts += alerts;
                    }
                    Delivery::Refused => digested.refused += 1,
                    Delivery::Panicked => digested.panicked += 1,
                    Delivery::Unsent(cause) => unsent.get_or_insert((0, cause)).0 += 1,
                }
            }
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

    /// The digests to send: those of closed windows that were not sent, this run's among them.
    async fn outgoing(
        &self,
        run: Run,
        shown: &mut Shown,
        deadline: Timestamp,
        rules: &impl Fn(&str, Timestamp) -> DigestRules,
    ) -> Result<Vec<Outgoing>, DigestError> {
        let window = run.window();
        let earliest = |before| window.end.checked_sub(before).unwrap_or(Timestamp::MIN);
        let digests = Digests::new(&self.objects, &self.clock, deadline);
        let mut memory = self.memory.lock().await;
        // A repeat may come after later runs, whose digests cover alerts, too.
        let newest = Hour::of(self.clock.now().max(window.start));
        let listed = digests.between(Hour::of(earliest(LOOK_BACK + self.length)), newest).await?;
        memory.read_windows(&digests, &listed.windows).await?;
        let before: BTreeSet<String> = memory.digests().map(|(_, digest)| digest.id()).collect();
        self.close(run, &mut memory, shown, &digests, deadline, rules).await?;
        let goes_out = |digest: &Digest| {
            let is_quiet = || rules(digest.subreddit.as_deref().unwrap_or_default(), run.scheduled_for).quiet;
            digest.end <= window.end && !listed.sent.contains(&digest.id()) && !is_quiet()
        };
        let outgoing = memory.digests().filter(|(_, digest)| goes_out(digest));
        let outgoing: Vec<Outgoing> =
            outgoing.map(|(position, digest)| Outgoing { id: digest.id(), position, digest: digest.clone() }).collect();
        outgoing.iter().filter(|one| before.contains(&one.id)).for_each(|one| digest_resumed(&one.id));
        Ok(outgoing)
    }

    /// Closes the run's window with the digests it has, where it has some and is not closed yet.
    ///
    /// They may cover alerts of earlier windows that no digest covers. So that no other run does at the same time, these and
    /// all windows since are closed first, with no digests: who comes later for them finds that.
    async fn close(
        &self,
        run: Run,
        memory: &mut Memory,
        shown: &mut Shown,
        digests: &Digests<'_, O, C>,
        deadline: Timestamp,
        rules: &impl Fn(&str, Timestamp) -> DigestRules,
    ) -> Result<(), DigestError> {
        let window = run.window();
        let key = |window: Window| window_key(window.start, window.end);
        if memory.is_closed(&key(window)) {
            return Ok(());
        }
        let ledger = Reader::new(&self.objects, &self.clock, deadline);
        let from = window.end.checked_sub(LOOK_BACK).unwrap_or(Timestamp::MIN);
        let mut candidates = memory.candidates(&ledger, (from, window.end), shown).await?;
        loop {
            let new = digest::build(run, &candidates, rules);
            if new.is_empty() {
                return Ok(());
            }
            let covered: HashSet<&str> = new.iter().flat_map(Digest::covered).map(|alert| alert.id.as_str()).collect();
            let times = candidates.iter().filter(|alert| covered.contains(alert.alert.id.as_str()));
            let oldest = times.map(|alert| alert.time).min().unwrap_or(window.start);
            let is_open = |earlier: &Window| !memory.is_closed(&key(*earlier));
            let earlier = run.windows_since(oldest).filter(is_open);
            let closing = earlier.map(|earlier| async move {
                let closed = default_if_unreadable(digests.close(earlier.start, earlier.end, Vec::new()).await)?;
                Ok::<_, DigestError>((key(earlier), closed))
            });
            let mut closed: Vec<_> = stream::iter(closing).buffered(CONCURRENT_READS).try_collect().await?;
            // What another run has in these may cover some of it.
            let is_news = closed.iter().any(|(_, digests)| !digests.is_empty());
            if !is_news {
                closed.push((key(window), default_if_unreadable(digests.close(window.start, window.end, new).await)?));
            }
            closed.into_iter().for_each(|(key, digests)| memory.closed(key, digests));
            if !is_news {
                return Ok(());
            }
            memory.retain_uncovered(&mut candidates);
        }
    }

    /// Publishes a call's worth of digests, and records which were sent.
    async fn send(&self, group: Vec<Outgoing>, shown: &Shown, deadline: Timestamp) -> Vec<Delivery> {
        let store = &Digests::new(&self.objects, &self.clock, deadline);
        let mut deliveries = Vec::new();
        let mut going = Vec::new();
        let mut messages = Vec::new();
        for Outgoing { id, position, digest } in group {
            match self.strongest(&digest.alerts, shown, deadline).await {
                Ok(shown) => {
                    let DigestAlerts { links, forum, .. } = self;
                    let rendering = Rendering { id: &id, position, digest: &digest, shown: &shown, links, forum };
                    match catch(|| rendering.message()) {
                        Ok(message) => {
                            messages.push(message);
                            going.push((id, digest));
                        }
                        Err(panicked) => {
                            digest_panicked(&id, panicked.place());
                            deliveries.push(Delivery::Panicked);
                        }
                    }
                }
                Err(error) => deliveries.push(Delivery::Unsent(error.to_string())),
            }
        }
        let published = publish_all(&self.digests, &self.clock, deadline, messages).await;
        let records = going.iter().zip(published).map(|((id, digest), published)| async move {
            match published {
                Published::Accepted { message_id } => {
                    digest_sent(
                        id,
                        &digest.start,
                        digest.alerts.len(),
                        digest.withheld(),
                        digest.late.map_or(0, |it| it.count),
                    );
                    match store.mark_sent(digest.hour(), id, message_id).await {
                        Ok(()) => Delivery::Sent { alerts: digest.alerts.len() },
                        Err(error) => Delivery::Unsent(error.to_string()),
                    }
                }
                Published::Refused { code, message } => {
                    digest_refused(id, &format!("{code}: {message}"));
                    Delivery::Refused
                }
                Published::Failed(error) => Delivery::Unsent(error.to_string()),
            }
        });
        deliveries.extend(join_all(records).await);
        deliveries
    }

    /// The events of the alerts that are shown: of those that this run did not read, as the ledger has them now.
    async fn strongest(
        &self,
        alerts: &[Covered],
        shown: &Shown,
        deadline: Timestamp,
    ) -> Result<Vec<Option<AlertEvent>>, LedgerError> {
        let ledger = &Reader::new(&self.objects, &self.clock, deadline);
        let reading = alerts.iter().take(SHOWN).map(|alert| async move {
            if let Some(event) = shown.get(alert) {
                return Ok(Some(event.clone()));
            }
            let bytes = ledger.alert(alert.hour, &alert.id).await?;
            Ok(bytes.and_then(|bytes| Some(decode(&alert.id, &bytes)?.into_owned())))
        });
        stream::iter(reading).buffered(CONCURRENT_READS).try_collect().await
    }
}
