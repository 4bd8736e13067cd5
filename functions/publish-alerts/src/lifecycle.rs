//! What happens to a comment after it was written, and to the alerts about it.
//!
//! The records of one comment share a partition key, so these come in the order in which they happened. A repeat, also one that
//! comes after later ones, changes nothing: what is known of the comment says which version is its latest.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use kinesis_batch::Outcome;
use modstream_events::{CommentDeleted, CommentReported, DeletedBy, Event, EventRef, Prediction, ids};
use modstream_ledger::comments::{CONCURRENT_CALLS, CommentRecord, Comments, Deletion, Filed, TOMBSTONE, Version};
use modstream_ledger::{Keys, Ledger, Missed};
use modstream_platform::deliver::DeliveryError;
use modstream_platform::{Clock, Objects, Topic};
use modstream_telemetry::{alerts_superseded, alerts_withdrawn, comment_missed, comment_reported};

use crate::{Delivered, PublishAlerts, Publishing};

/// What all that is known of a prediction's comment is filed under. A comment without an id is known by its event.
pub(crate) fn comment_key(prediction: &Prediction<'_>) -> String {
    let event = &prediction.comment_event;
    let id = prediction.comment.id.as_deref().filter(|id| !id.is_empty()).unwrap_or(&event.id);
    ids::comment_key(&event.source, id).to_string()
}

/// What a record says of a comment beyond an alert.
pub(crate) struct Change {
    comment_key: String,
    kind: Kind,
}

enum Kind {
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
        Some(Change { comment_key: comment_key(prediction), kind: Kind::Edited { comment_event, version } })
    }

    pub(crate) fn deleted(event: &Event<'_, CommentDeleted<'_>>) -> Self {
        let CommentDeleted { id, subreddit, by } = &event.data;
        let subreddit = subreddit.as_deref().map(str::to_owned);
        let comment_key = ids::comment_key(&event.source, id).to_string();
        let event = (event.id.to_string(), event.time);
        Change { comment_key, kind: Kind::Deleted { by: *by, subreddit, event } }
    }

    /// Whether both are about one comment.
    pub(crate) fn is_of_the_same(&self, other: &Change) -> bool {
        self.comment_key == other.comment_key
    }

    pub(crate) fn reported(event: &Event<'_, CommentReported<'_>>) -> Self {
        let CommentReported { id, subreddit, reporter, .. } = &event.data;
        let reporter = reporter.as_deref().filter(|reporter| !reporter.is_empty()).unwrap_or(&event.id);
        let report = ids::comment_reported(&event.source, id, reporter).to_string();
        let comment_key = ids::comment_key(&event.source, id).to_string();
        let subreddit = subreddit.as_deref().map(str::to_owned);
        Change { comment_key, kind: Kind::Reported { report, subreddit } }
    }
}

/// The version of this name, as a comment event says that comes now.
pub(crate) fn version(comment_event: &EventRef<'_>, name: &str, now: Timestamp) -> Version {
    Version { comment_event: comment_event.id.to_string(), name: name.to_owned(), time: now }
}

/// What is to be recorded beside an alert, about it and the others of its comment.
pub(crate) struct Besides {
    comment_key: String,
    record: CommentRecord,
    keys: Keys,
}

impl Besides {
    /// None where nothing happened to the comment.
    pub(crate) fn of(record: CommentRecord, comment_key: String, keys: &Keys) -> Option<Self> {
        let is_needed = !record.versions.is_empty() || !record.reports.is_empty();
        is_needed.then(|| Besides { comment_key, record, keys: keys.clone() })
    }
}

/// Does the same about each, some at the same time, until one fails.
async fn for_each<T, F: Future<Output = Result<(), DeliveryError>>>(
    all: Vec<T>,
    one: impl Fn(T) -> F,
) -> Result<(), DeliveryError> {
    stream::iter(all).map(one).buffer_unordered(CONCURRENT_CALLS).try_collect().await
}

impl<T: Topic, O: Objects, C: Clock> Publishing<'_, T, O, C> {
    pub(crate) async fn record_besides(&self, besides: &Besides) -> Result<(), DeliveryError> {
        let PublishAlerts { objects, clock, .. } = self.function;
        let ledger = Ledger::new(objects, clock, self.deadline);
        let Besides { comment_key, record, keys } = besides;
        self.supersede(comment_key, record).await?;
        let ledger = &ledger;
        for_each(record.reports.clone(), |report| async move { ledger.report(keys, &report).await }).await
    }

    /// Records which alerts are about earlier texts of a comment than its latest.
    async fn supersede(&self, comment_key: &str, record: &CommentRecord) -> Result<(), DeliveryError> {
        let PublishAlerts { objects, clock, .. } = self.function;
        let Some(latest) = record.versions.last() else { return Ok(()) };
        let ledger = Ledger::new(objects, clock, self.deadline);
        let alerts = Comments::new(objects, clock, self.deadline).alerts(comment_key).await?;
        let outdated: Vec<&Filed> = alerts.iter().filter(|filed| record.is_outdated(filed)).collect();
        let (ledger, latest) = (&ledger, latest.comment_event.as_str());
        let keys = outdated.iter().map(|filed| filed.keys()).collect();
        for_each(keys, |keys| async move { ledger.supersede(&keys, latest).await }).await?;
        if !outdated.is_empty() {
            alerts_superseded(outdated.len());
        }
        Ok(())
    }

    /// Does what a record says of a comment.
    pub(crate) async fn changed(&self, change: &Change) -> Delivered {
        let done = match &change.kind {
            Kind::Edited { comment_event, version } => self.edited(&change.comment_key, comment_event, version).await,
            Kind::Deleted { by, subreddit, event } => {
                self.deleted(&change.comment_key, *by, subreddit.as_deref(), event).await
            }
            Kind::Reported { report, subreddit } => {
                self.reported(&change.comment_key, report, subreddit.as_deref()).await
            }
        };
        done.map_or_else(Outcome::Transient, |()| Outcome::Done)
    }

    async fn edited(&self, comment_key: &str, comment_event: &EventRef<'_>, name: &str) -> Result<(), DeliveryError> {
        let PublishAlerts { objects, clock, .. } = self.function;
        let comments = Comments::new(objects, clock, self.deadline);
        let version = version(comment_event, name, clock.now());
        let record = comments.change(comment_key, |record| record.note_version(version.clone())).await?;
        self.supersede(comment_key, &record).await
    }

    async fn deleted(
        &self,
        comment_key: &str,
        by: DeletedBy,
        subreddit: Option<&str>,
        event: &(String, Timestamp),
    ) -> Result<(), DeliveryError> {
        let PublishAlerts { objects, clock, .. } = self.function;
        let now = clock.now();
        let comments = Comments::new(objects, clock, self.deadline);
        let record = comments
            .change(comment_key, |record| {
                let is_known = record.deleted.as_ref().is_some_and(|deletion| deletion.event == *event);
                if !is_known && record.gone(now).is_none() {
                    record.deleted = Some(Deletion { time: now, by, event: event.clone() });
                }
            })
            .await?;
        let Some(deletion) = &record.deleted else { return Ok(()) };
        let ledger = Ledger::new(objects, clock, self.deadline);
        let alerts = comments.alerts(comment_key).await?;
        // A repeat says nothing about a comment that is back since.
        let before = |filed: &&Filed| filed.time.duration_since(deletion.time) < TOMBSTONE;
        let gone: Vec<&Filed> = alerts.iter().filter(before).collect();
        let ledger = &ledger;
        let keys = gone.iter().map(|filed| filed.keys()).collect();
        for_each(keys, |keys| async move { ledger.withdraw(&keys, deletion).await }).await?;
        if !gone.is_empty() {
            alerts_withdrawn(gone.len());
        }
        self.missed(comment_key, &record, &alerts, subreddit).await
    }

    async fn reported(&self, comment_key: &str, report: &str, subreddit: Option<&str>) -> Result<(), DeliveryError> {
        let PublishAlerts { objects, clock, .. } = self.function;
        let comments = Comments::new(objects, clock, self.deadline);
        let record = comments.change(comment_key, |record| record.note_report(report)).await?;
        let ledger = Ledger::new(objects, clock, self.deadline);
        let alerts = comments.alerts(comment_key).await?;
        // Of a comment that is reported more often than counts, the reports that do are there.
        if record.reports.iter().any(|known| known == report) {
            let ledger = &ledger;
            let keys = alerts.iter().map(Filed::keys).collect();
            for_each(keys, |keys| async move { ledger.report(&keys, report).await }).await?;
        }
        comment_reported();
        self.missed(comment_key, &record, &alerts, subreddit).await
    }

    /// Notes a comment that was reported and removed at the forum, in whatever order, and that nobody was alerted about.
    async fn missed(
        &self,
        comment_key: &str,
        record: &CommentRecord,
        alerts: &[Filed],
        subreddit: Option<&str>,
    ) -> Result<(), DeliveryError> {
        let PublishAlerts { objects, clock, .. } = self.function;
        let Some(deletion) = record.deleted.as_ref().filter(|deletion| deletion.by == DeletedBy::Moderator) else {
            return Ok(());
        };
        if record.reports.is_empty() || alerts.iter().any(|filed| !filed.is_exploration) {
            return Ok(());
        }
        let (time, reports) = (deletion.time, record.reports.len());
        let missed = Missed { time, subreddit: subreddit.map(str::to_owned), reports };
        Ledger::new(objects, clock, self.deadline).missed(comment_key, &missed).await?;
        comment_missed();
        Ok(())
    }
}
