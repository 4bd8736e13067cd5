//! Nothing lost, nothing doubled: looks at what a run left behind, not at what the functions said.

use plain_text::{agree, counted};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use modstream_events::{Alert, CommentEvent, Event, Prediction, PredictionEvent, ids};
use modstream_policy::{Judgement, Policies};

use crate::pipeline::system::{Record, StreamKind, System};

/// An alert as the subscriber got it.
pub(crate) struct Received {
    pub(crate) alert_id: String,
    pub(crate) comment_event: (String, String),
    /// When the alert was made.
    pub(crate) time: Timestamp,
    /// The comment's subreddit, empty for a comment without one.
    pub(crate) subreddit: String,
    pub(crate) at: Timestamp,
}

impl Received {
    pub(crate) fn of(event: &Event<'_, Alert<'_>>, at: Timestamp) -> Self {
        let of = &event.data.comment_event;
        Received {
            alert_id: event.id.to_string(),
            comment_event: (of.source.to_string(), of.id.to_string()),
            time: event.time,
            subreddit: event.data.comment.subreddit.as_deref().unwrap_or_default().to_owned(),
            at,
        }
    }
}

/// What a run left behind.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    /// How many different comment events there are.
    pub(crate) comments: usize,
    /// How many different predictions there are.
    pub(crate) predictions: usize,
    /// The highest probability of the predictions.
    pub(crate) highest: Option<f64>,
    /// How many objects are in quarantine.
    pub(crate) quarantined: usize,
    /// How many different alerts there are.
    pub(crate) alerts: usize,
    /// How many alerts were held back.
    pub(crate) held_back: usize,
    /// How many events and alerts came again.
    pub(crate) duplicates: usize,
    /// The times from a comment's arrival on its stream to its alert's at the subscriber, sorted.
    pub(crate) latencies: Vec<Duration>,
    /// Broken promises, in words.
    pub(crate) broken: Vec<String>,
}

/// The id of the alert that a prediction gives under policies, held back or not; none where it gives none.
pub(crate) fn alert_due(policies: &Policies, prediction: &Prediction<'_>) -> Option<String> {
    let rules = policies.for_subreddit(prediction.comment.subreddit.as_deref());
    let is_due = matches!(rules.judge(prediction), Judgement::Alert { .. });
    let of = &prediction.comment_event;
    is_due.then(|| ids::alert(&of.source, &of.id, &policies.name).to_string())
}

type Key = (String, String);

impl Audit {
    /// `sent` is how many comments were to be sent; none where that was cut short.
    pub(crate) async fn of<S: System>(
        system: &S,
        policies: &Policies,
        received: &[Received],
        sent: Option<u64>,
    ) -> anyhow::Result<Self> {
        let mut audit = Audit::default();
        let quarantine = system.quarantine().await?;
        audit.quarantined = quarantine.len();

        let mut predicted: HashSet<Key> = HashSet::new();
        let mut prediction_ids: HashSet<String> = HashSet::new();
        let mut due: HashSet<String> = HashSet::new();
        for Record { place, data, .. } in system.records(StreamKind::Predictions).await? {
            let event = match PredictionEvent::decode(&data) {
                Ok(PredictionEvent::Predicted(event)) => event,
                Ok(PredictionEvent::Deleted(_) | PredictionEvent::Reported(_) | PredictionEvent::Beside(_)) => continue,
                Err(_) => {
                    audit.broken.push(format!("the record at {place} of predictions is no prediction"));
                    continue;
                }
            };
            let of = &event.data.comment_event;
            audit.highest = Some(audit.highest.unwrap_or(0.0).max(event.data.probability));
            predicted.insert((of.source.to_string(), of.id.to_string()));
            due.extend(alert_due(policies, &event.data));
            audit.duplicates += usize::from(!prediction_ids.insert(event.id.to_string()));
        }
        audit.predictions = prediction_ids.len();

        let mut arrived: HashMap<Key, Timestamp> = HashMap::new();
        let mut lost = 0;
        let stream = format!("quarantine/{}/", system.name(StreamKind::Comments));
        for Record { place, data, arrived: at } in system.records(StreamKind::Comments).await? {
            let said = CommentEvent::decode(&data);
            if let Ok(CommentEvent::Deleted(_) | CommentEvent::Reported(_)) = said {
                continue;
            }
            let said = said.ok().and_then(CommentEvent::into_version);
            let key = said.map(|said| (said.source.into_owned(), said.event_id.into_owned()));
            let is_kept = quarantine.contains(&format!("{stream}{place}.json"));
            lost += usize::from(!is_kept && !key.as_ref().is_some_and(|key| predicted.contains(key)));
            let Some(key) = key else {
                // A record that is no event: it counts by its place.
                audit.comments += 1;
                continue;
            };
            audit.duplicates += usize::from(arrived.insert(key, at).is_some());
        }
        let unsent = quarantine.iter().filter(|key| key.starts_with(&format!("{stream}unsent/"))).count();
        audit.comments += arrived.len() + unsent;
        if let Some(sent) = sent.filter(|sent| *sent != audit.comments as u64) {
            audit.broken.push(format!(
                "{} {} to be sent, {} {} there",
                counted(sent, "comment"),
                agree(sent, "was", "were"),
                audit.comments,
                agree(audit.comments, "is", "are")
            ));
        }
        if lost > 0 {
            audit.broken.push(format!(
                "{} {} neither a prediction nor a quarantine object",
                counted(lost, "comment"),
                agree(lost, "has", "have")
            ));
        }

        let alerts: HashSet<String> = received.iter().map(|alert| alert.alert_id.clone()).collect();
        audit.alerts = alerts.len();
        audit.duplicates += received.len() - alerts.len();
        let withheld = system.withheld().await?;
        audit.held_back = due.intersection(&withheld).count();
        let missing = due.difference(&alerts).filter(|id| !withheld.contains(*id)).count();
        let stray = alerts.difference(&due).count();
        if missing > 0 {
            audit.broken.push(format!(
                "{} {} the policy and {} no alert",
                counted(missing, "prediction"),
                agree(missing, "meets", "meet"),
                agree(missing, "has", "have")
            ));
        }
        if stray > 0 {
            audit.broken.push(format!(
                "{} {} no prediction that meets the policy",
                counted(stray, "alert"),
                agree(stray, "has", "have")
            ));
        }
        audit.latencies = received
            .iter()
            .filter_map(|alert| alert.at.duration_since(*arrived.get(&alert.comment_event)?).try_into().ok())
            .collect();
        audit.latencies.sort_unstable();
        Ok(audit)
    }

    /// The latency that `share` of all alerts stay within, in milliseconds; none without alerts.
    pub(crate) fn latency_ms(&self, share: f64) -> Option<f64> {
        let last = self.latencies.len().checked_sub(1)?;
        let latency = self.latencies[(last as f64 * share).round() as usize];
        Some((latency.as_secs_f64() * 1e5).round() / 1e2)
    }
}
