//! What happens to a comment after it was written, and to the alerts about it.
//!
//! The records of one comment share a partition key, so these come in the order in which they happened. A repeat, also one that
//! comes after later ones, changes nothing: what is known of the comment says which version is its latest.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use kinesis_batch::Outcome;
use modstream_events::{CommentDeleted, CommentReported, DeletedBy, Event, EventRef, Prediction, ids};
use modstream_ledger::comments::{CONCURRENT_CALLS, CommentRecord, Deletion, TOMBSTONE, Version};
use modstream_ledger::{AlertKey, Entry, Kind, LedgerError, Missed, comment_key, comment_key_of};
use modstream_platform::deliver::DeliveryError;
use modstream_platform::table::Table;
use modstream_platform::{Clock, Objects, Topic};
use modstream_telemetry::{alerts_superseded, alerts_withdrawn, comment_missed, comment_reported};
use named_mutations::is_on;

use crate::{Delivered, Publishing, failed};

/// What all that is known of a prediction's comment is kept under. A comment without an id is known by its event.
pub(crate) fn comment_of(prediction: &Prediction<'_>) -> String {
    let Prediction { comment, comment_event, .. } = prediction;
    comment_key_of(&comment_event.source, comment.id.as_deref(), &comment_event.id)
}

/// What a record says of a comment beyond an alert.
pub(crate) struct Change {
    comment_key: String,
    what: Happened,
}

enum Happened {
    /// The comment has a later version, which alerts about nothing.
    Edited { comment_event: EventRef<'static>, version: String },
    /// The comment is gone.
    Deleted { by: DeletedBy, subreddit: Option<String>, event: (String, Timestamp) },
    /// Somebody reported the comment.
    Reported { report: String, subreddit: Option<String> },
}

impl Change {
    /// That a prediction is of a later version of its comment; none where it is not.
    pub(crate) fn edited(prediction: &Prediction<'_>) -> Option<Self> {
        let version = prediction.version.as_deref()?.to_owned();
        let comment_event = prediction.comment_event.clone().into_owned();
        Some(Change { comment_key: comment_of(prediction), what: Happened::Edited { comment_event, version } })
    }

    pub(crate) fn deleted(event: &Event<'_, CommentDeleted<'_>>) -> Self {
        let CommentDeleted { id, subreddit, by } = &event.data;
        let subreddit = subreddit.as_deref().map(str::to_owned);
        let comment_key = comment_key(&event.source, id);
        let event = (event.id.to_string(), event.time);
        Change { comment_key, what: Happened::Deleted { by: *by, subreddit, event } }
    }

    /// Whether both are about one comment.
    pub(crate) fn is_of_the_same(&self, other: &Change) -> bool {
        self.comment_key == other.comment_key
    }

    pub(crate) fn reported(event: &Event<'_, CommentReported<'_>>) -> Self {
        let CommentReported { id, subreddit, reporter, .. } = &event.data;
        let reporter = reporter.as_deref().filter(|reporter| !reporter.is_empty()).unwrap_or(&event.id);
        let report = ids::comment_reported(&event.source, id, reporter).to_string();
        let comment_key = comment_key(&event.source, id);
        let subreddit = subreddit.as_deref().map(str::to_owned);
        Change { comment_key, what: Happened::Reported { report, subreddit } }
    }
}

/// The version of this name, as a comment event says that comes now.
pub(crate) fn version(comment_event: &EventRef<'_>, name: &str, now: Timestamp) -> Version {
    Version { comment_event: comment_event.id.to_string(), name: name.to_owned(), time: now }
}

/// What is to be recorded beside an alert, about it and the others of its comment.
pub(crate) struct Besides {
    record: CommentRecord,
    key: AlertKey,
}

impl Besides {
    /// None where nothing happened to the comment.
    pub(crate) fn of(record: CommentRecord, key: AlertKey) -> Option<Self> {
        let is_needed = !record.versions.is_empty() || !record.reports.is_empty();
        is_needed.then_some(Besides { record, key })
    }
}

/// What was seen of a comment's alerts.
#[derive(Default)]
struct Seen {
    /// How many alerts something was done about.
    done: usize,
    /// Whether somebody was alerted, and not asked about it to learn alone.
    alerted: bool,
}

impl<T: Topic, B: Table, O: Objects, C: Clock> Publishing<'_, T, B, O, C> {
    pub(crate) async fn record_besides(&self, besides: &Besides) -> Result<(), LedgerError> {
        let Besides { record, key } = besides;
        if !record.reports.is_empty()
            && let Some(entry) = self.ledger().entry(key).await?
        {
            self.ledger().report(&entry, record.reports.len()).await?;
        }
        self.supersede(&key.comment, record).await
    }

    /// Does something about each of a comment's alerts that it is to be done about, some at the same time, page by page. Where
    /// that takes longer than an invocation, the next one finds done what was, and goes on.
    async fn about_each<F: Future<Output = Result<(), DeliveryError>>>(
        &self,
        comment: &str,
        is_to_do: impl Fn(&Entry) -> bool,
        act: impl Fn(Entry) -> F,
    ) -> Result<Seen, LedgerError> {
        let ledger = self.ledger();
        let (mut seen, mut after) = (Seen::default(), None);
        loop {
            let page = ledger.of_comment(comment, after).await?;
            seen.alerted |= page.found.iter().any(|entry| entry.kind != Kind::Exploration);
            let todo: Vec<Entry> = page.found.into_iter().filter(|entry| is_to_do(entry)).collect();
            seen.done += todo.len();
            let acts = stream::iter(todo).map(&act).buffer_unordered(CONCURRENT_CALLS);
            let _: Vec<()> = acts.try_collect().await?;
            after = page.next;
            if after.is_none() {
                return Ok(seen);
            }
        }
    }

    /// Records which alerts are about earlier texts of a comment than its latest.
    async fn supersede(&self, comment: &str, record: &CommentRecord) -> Result<(), LedgerError> {
        let Some(latest) = record.versions.last() else { return Ok(()) };
        let (ledger, latest) = (self.ledger(), latest.comment_event.as_str());
        let is_to_do = |entry: &Entry| entry.is_open() && record.outdates(entry);
        let act = |entry: Entry| async move { ledger.supersede(&entry.key, latest).await };
        let seen = self.about_each(comment, is_to_do, act).await?;
        if seen.done > 0 {
            alerts_superseded(seen.done);
        }
        Ok(())
    }

    /// Does what a record says of a comment.
    pub(crate) async fn changed(&self, change: &Change) -> Delivered {
        let done = match &change.what {
            Happened::Edited { comment_event, version } => {
                self.edited(&change.comment_key, comment_event, version).await
            }
            Happened::Deleted { by, subreddit, event } => {
                self.deleted(&change.comment_key, *by, subreddit.as_deref(), event).await
            }
            Happened::Reported { report, subreddit } => {
                self.reported(&change.comment_key, report, subreddit.as_deref()).await
            }
        };
        done.map_or_else(failed, |()| Outcome::Done)
    }

    async fn edited(&self, comment_key: &str, comment_event: &EventRef<'_>, name: &str) -> Result<(), LedgerError> {
        let version = version(comment_event, name, self.function.clock.now());
        let record = self.ledger().change(comment_key, |record| record.note_version(version.clone())).await?;
        self.supersede(comment_key, &record).await
    }

    async fn deleted(
        &self,
        comment_key: &str,
        by: DeletedBy,
        subreddit: Option<&str>,
        event: &(String, Timestamp),
    ) -> Result<(), LedgerError> {
        let now = self.function.clock.now();
        let ledger = self.ledger();
        let record = ledger
            .change(comment_key, |record| {
                let is_known = record.deleted.as_ref().is_some_and(|deletion| deletion.event == *event);
                if !is_known && record.gone(now).is_none() {
                    record.deleted = Some(Deletion { time: now, by, event: event.clone() });
                }
            })
            .await?;
        let Some(deletion) = &record.deleted else { return Ok(()) };
        // A repeat says nothing about a comment that is back since.
        let is_to_do =
            |entry: &Entry| entry.withdrawn.is_none() && entry.made.duration_since(deletion.time) < TOMBSTONE;
        let act = |entry: Entry| async move { ledger.withdraw(&entry, deletion).await };
        let seen = self.about_each(comment_key, is_to_do, act).await?;
        if seen.done > 0 {
            alerts_withdrawn(seen.done);
        }
        self.missed(comment_key, &record, &seen, subreddit).await
    }

    async fn reported(&self, comment_key: &str, report: &str, subreddit: Option<&str>) -> Result<(), LedgerError> {
        let ledger = self.ledger();
        let record = ledger.change(comment_key, |record| record.note_report(report)).await?;
        let reports = record.reports.len();
        let act = |entry: Entry| async move { ledger.report(&entry, reports).await };
        let seen = self.about_each(comment_key, |entry| entry.reports < reports, act).await?;
        comment_reported();
        self.missed(comment_key, &record, &seen, subreddit).await
    }

    /// Notes a comment that was reported and removed at the forum, in whatever order, and that nobody was alerted about.
    async fn missed(
        &self,
        comment_key: &str,
        record: &CommentRecord,
        seen: &Seen,
        subreddit: Option<&str>,
    ) -> Result<(), LedgerError> {
        let Some(deletion) = record.deleted.as_ref().filter(|deletion| deletion.by == DeletedBy::Moderator) else {
            return Ok(());
        };
        if record.reports.is_empty() || (seen.alerted && !is_on("miss-what-alerted")) {
            return Ok(());
        }
        let (time, reports) = (deletion.time, record.reports.len());
        let missed = Missed { time, subreddit: subreddit.map(str::to_owned), reports };
        self.ledger().missed(comment_key, &missed).await?;
        comment_missed();
        Ok(())
    }
}
