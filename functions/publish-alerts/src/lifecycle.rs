//! What happens to a comment after it was written, and to the alerts about it.
//!
//! The records of one comment share a partition key, so these come in the order in which they happened. A repeat, also one that
//! comes after later ones, changes nothing: what is known of the comment says which version is its latest.

use kinesis_batch::Outcome;
use modstream_events::{CommentDeleted, CommentReported, DeletedBy, Event, Prediction, ids};
use modstream_ledger::comments::{CommentRecord, Comments, Deletion};
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
    Edited { comment_event: String },
    /// The comment is gone.
    Deleted { by: DeletedBy, subreddit: Option<String> },
    /// Somebody reported the comment.
    Reported { report: String },
}

impl Change {
    /// That a prediction is of a later version of its comment; none where it is not.
    pub(crate) fn edited(prediction: &Prediction<'_>) -> Option<Self> {
        prediction.version.as_ref()?;
        let comment_event = prediction.comment_event.id.to_string();
        Some(Change { comment_key: comment_key(prediction), kind: Kind::Edited { comment_event } })
    }

    pub(crate) fn deleted(event: &Event<'_, CommentDeleted<'_>>) -> Self {
        let CommentDeleted { id, subreddit, by } = &event.data;
        let subreddit = subreddit.as_deref().map(str::to_owned);
        let comment_key = ids::comment_key(&event.source, id).to_string();
        Change { comment_key, kind: Kind::Deleted { by: *by, subreddit } }
    }

    pub(crate) fn reported(event: &Event<'_, CommentReported<'_>>) -> Self {
        let CommentReported { id, reporter, .. } = &event.data;
        let reporter = reporter.as_deref().filter(|reporter| !reporter.is_empty()).unwrap_or(&event.id);
        let report = ids::comment_reported(&event.source, id, reporter).to_string();
        let comment_key = ids::comment_key(&event.source, id).to_string();
        Change { comment_key, kind: Kind::Reported { report } }
    }
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

impl<T: Topic, O: Objects, C: Clock> Publishing<'_, T, O, C> {
    pub(crate) async fn record_besides(&self, besides: &Besides) -> Result<(), DeliveryError> {
        let PublishAlerts { objects, clock, .. } = self.function;
        let ledger = Ledger::new(objects, clock, self.deadline);
        let Besides { comment_key, record, keys } = besides;
        self.supersede(comment_key, record).await?;
        for report in &record.reports {
            ledger.report(keys, report).await?;
        }
        Ok(())
    }

    /// Records which alerts are about earlier texts of a comment than its latest.
    async fn supersede(&self, comment_key: &str, record: &CommentRecord) -> Result<(), DeliveryError> {
        let PublishAlerts { objects, clock, .. } = self.function;
        let Some(latest) = record.versions.last() else { return Ok(()) };
        let ledger = Ledger::new(objects, clock, self.deadline);
        let alerts = Comments::new(objects, clock, self.deadline).alerts(comment_key).await?;
        let mut superseded = 0;
        for filed in alerts.iter().filter(|filed| filed.comment_event != *latest) {
            ledger.supersede(&filed.keys(), latest).await?;
            superseded += 1;
        }
        if superseded > 0 {
            alerts_superseded(superseded);
        }
        Ok(())
    }

    /// Does what a record says of a comment.
    pub(crate) async fn changed(&self, change: &Change) -> Delivered {
        let done = match &change.kind {
            Kind::Edited { comment_event } => self.edited(&change.comment_key, comment_event).await,
            Kind::Deleted { by, subreddit } => self.deleted(&change.comment_key, *by, subreddit.as_deref()).await,
            Kind::Reported { report } => self.reported(&change.comment_key, report).await,
        };
        done.map_or_else(Outcome::Transient, |()| Outcome::Done)
    }

    async fn edited(&self, comment_key: &str, comment_event: &str) -> Result<(), DeliveryError> {
        let PublishAlerts { objects, clock, .. } = self.function;
        let comments = Comments::new(objects, clock, self.deadline);
        let record = comments.change(comment_key, |record| record.note_version(comment_event)).await?;
        self.supersede(comment_key, &record).await
    }

    async fn deleted(&self, comment_key: &str, by: DeletedBy, subreddit: Option<&str>) -> Result<(), DeliveryError> {
        let PublishAlerts { objects, clock, .. } = self.function;
        let now = clock.now();
        let comments = Comments::new(objects, clock, self.deadline);
        let record = comments
            .change(comment_key, |record| {
                if !record.is_gone(now) {
                    record.deleted = Some(Deletion { time: now, by });
                }
            })
            .await?;
        let Some(deletion) = record.deleted else { return Ok(()) };
        let ledger = Ledger::new(objects, clock, self.deadline);
        let alerts = comments.alerts(comment_key).await?;
        for filed in &alerts {
            ledger.withdraw(&filed.keys(), deletion).await?;
        }
        if !alerts.is_empty() {
            alerts_withdrawn(alerts.len());
        } else if deletion.by == DeletedBy::Moderator && !record.reports.is_empty() {
            let missed =
                Missed { time: deletion.time, subreddit: subreddit.map(str::to_owned), reports: record.reports.len() };
            ledger.missed(comment_key, &missed).await?;
            comment_missed();
        }
        Ok(())
    }

    async fn reported(&self, comment_key: &str, report: &str) -> Result<(), DeliveryError> {
        let PublishAlerts { objects, clock, .. } = self.function;
        let comments = Comments::new(objects, clock, self.deadline);
        let record = comments.change(comment_key, |record| record.note_report(report)).await?;
        let ledger = Ledger::new(objects, clock, self.deadline);
        // Of a comment that is reported more often than counts, the reports that do are there.
        if record.reports.iter().any(|known| known == report) {
            for filed in comments.alerts(comment_key).await? {
                ledger.report(&filed.keys(), report).await?;
            }
        }
        comment_reported();
        Ok(())
    }
}
