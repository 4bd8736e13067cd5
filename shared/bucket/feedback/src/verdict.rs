use std::collections::BTreeMap;

use jiff::Timestamp;
use modstream_events::{Action, Decision, Event, OperatingPoint, Severity};
use serde::{Deserialize, Serialize};

/// What stands about one alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The alert's id.
    pub alert_id: String,
    /// The source of the comment event.
    pub source: String,
    /// The id of the comment event.
    pub comment_event_id: String,
    /// The time of the comment event.
    pub time: Timestamp,
    /// Whether the comment is to go.
    pub removed: bool,
    /// Who said so.
    pub moderator: String,
    /// When the alert was made.
    pub alerted: Timestamp,
    /// When it was decided.
    pub decided: Timestamp,
    /// The comment's subreddit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subreddit: Option<String>,
    /// How urgent the alert was.
    pub severity: Severity,
    /// The policy's name.
    pub policy: String,
    /// What the policy asked for.
    pub condition: String,
    /// The model's name.
    pub model: String,
    /// The model's version.
    pub model_version: String,
    /// The probability that the model claimed.
    pub probability: f64,
    /// What it claimed about alerting from this probability up.
    pub operating_point: OperatingPoint,
    /// The always-alert term that was why, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<String>,
    /// Why the comment was asked about, as far as it was not for its probability of a removal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<Beside>,
    /// How probable it was that a comment like this was asked about: 1 for an alert, the policy's exploration share for one
    /// that met no policy.
    pub propensity: f64,
}

/// What else than a probable removal made an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beside {
    /// The labels of the harm model, alone.
    Labels,
    /// A phrase of people who may harm themselves.
    SelfHarm,
}

impl Beside {
    fn of(decision: &Decision<'_>) -> Option<Self> {
        let by_labels = decision.meets.as_ref().is_some_and(|meets| !meets.removal && !meets.labels.is_empty());
        match (decision.self_harm, by_labels) {
            (true, _) => Some(Beside::SelfHarm),
            (false, true) => Some(Beside::Labels),
            (false, false) => None,
        }
    }
}

impl Verdict {
    /// Whether the comment met no policy and was asked about all the same.
    pub fn is_explored(&self) -> bool {
        self.propensity < 1.0
    }

    /// Whether the comment alerted for its probability of a removal: only then does the policy claim anything of it.
    pub fn is_claimed(&self) -> bool {
        !self.is_explored() && self.matched.is_none() && self.beside.is_none()
    }

    fn of(event: &Event<'_, Decision<'_>>, removed: bool) -> Self {
        let Event { time: decided, data: decision, .. } = event;
        Verdict {
            alert_id: decision.alert_id.to_string(),
            source: decision.comment_event.source.to_string(),
            comment_event_id: decision.comment_event.id.to_string(),
            time: decision.comment_event.time,
            removed,
            moderator: decision.moderator.to_string(),
            alerted: decision.alerted,
            decided: *decided,
            subreddit: decision.subreddit.as_ref().map(ToString::to_string),
            severity: decision.severity,
            policy: decision.policy.name.to_string(),
            condition: decision.policy.condition.to_string(),
            model: decision.model.name.to_string(),
            model_version: decision.model.version.to_string(),
            probability: decision.probability,
            operating_point: decision.operating_point,
            matched: decision.matched.as_ref().map(ToString::to_string),
            beside: Beside::of(decision),
            propensity: decision.exploration.unwrap_or(1.0),
        }
    }
}

/// What stands about each alert, in order of the alerts' ids: its last decision, unless that takes back the one before. Repeats
/// of an event count once; the order they come in does not matter. A probe is nothing to learn from and is left out.
pub fn standing<'e>(decisions: impl IntoIterator<Item = &'e Event<'e, Decision<'e>>>) -> Vec<Verdict> {
    let mut of_alert: BTreeMap<&str, BTreeMap<u32, &Event<'_, Decision<'_>>>> = BTreeMap::new();
    for event in decisions.into_iter().filter(|event| !event.data.probe) {
        of_alert.entry(&event.data.alert_id).or_default().insert(event.data.number, event);
    }
    let stands = of_alert.into_values().filter_map(|numbered| {
        let (_, last) = numbered.last_key_value()?;
        match last.data.action {
            Action::Remove => Some(Verdict::of(last, true)),
            Action::Keep => Some(Verdict::of(last, false)),
            Action::Undo => None,
        }
    });
    stands.collect()
}
