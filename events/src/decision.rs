use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::is_false;
use crate::versioned::first_version;
use crate::{Alert, Event, EventRef, Meets, ModelRef, OperatingPoint, PolicyRef, Severity, ids, object};

/// The `source` of every decision event, wherever the decision is taken: its id knows the alert and the number alone.
pub const DECISIONS_SOURCE: &str = "urn:modstream:decisions";

/// The most characters of a moderator's pseudonym.
pub const MAX_MODERATOR_CHARS: usize = 40;

/// What a moderator said about an alert. It carries no text and no author of the comment.
///
/// Decisions about one alert are numbered from 1: the last one stands, and an `undo` takes the one before it back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Decision<'a> {
    /// What is to happen.
    pub action: Action,
    /// Who said so: a pseudonym, at most 40 characters long.
    #[serde(borrow)]
    pub moderator: Cow<'a, str>,
    /// Which decision about the alert this is, from 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub number: u32,
    /// The alert.
    #[serde(borrow)]
    pub alert_id: Cow<'a, str>,
    /// When the alert was made.
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub alerted: Timestamp,
    /// The prediction it follows from.
    #[serde(borrow)]
    pub prediction_id: Cow<'a, str>,
    /// The comment event it is about.
    #[serde(borrow, deserialize_with = "object::only")]
    pub comment_event: EventRef<'a>,
    /// The comment's id in its forum.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub comment_id: Option<Cow<'a, str>>,
    /// The comment's subreddit.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub subreddit: Option<Cow<'a, str>>,
    /// How urgent the alert was.
    pub severity: Severity,
    /// The policy that alerted.
    #[serde(borrow, deserialize_with = "object::only")]
    pub policy: PolicyRef<'a>,
    /// The model that predicted.
    #[serde(borrow, deserialize_with = "object::only")]
    pub model: ModelRef<'a>,
    /// The probability that it claimed.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub probability: f64,
    /// What it claimed about alerting from this probability up.
    #[serde(deserialize_with = "object::only")]
    pub operating_point: OperatingPoint,
    /// The always-alert term that was why, if one was.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<Cow<'a, str>>,
    /// Which of the policies about removals and about harm the comment met, where labels were judged.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Meets<'_>"))]
    pub meets: Option<Meets<'a>>,
    /// Whether the comment may be of somebody who thinks of harming themselves, so that the alert asked to get them help.
    #[serde(default, skip_serializing_if = "is_false")]
    pub self_harm: bool,
    /// The share of un-alerted comments that are asked about, if it was one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub exploration: Option<f64>,
    /// Whether the comment is the probe text, which counts in no statistic.
    #[serde(default, skip_serializing_if = "is_false")]
    pub probe: bool,
}

first_version!(Decision, "modstream.decision.v1");

impl<'a> Decision<'a> {
    /// What `moderator` says about an alert, as the alert's decision of this number.
    pub fn about(alert: &'a Event<'_, Alert<'_>>, action: Action, moderator: &'a str, number: u32) -> Self {
        let Alert { comment, comment_event, policy, model, .. } = &alert.data;
        let text = |text: &'a Cow<'_, str>| Cow::Borrowed(text.as_ref());
        Decision {
            action,
            moderator: moderator.into(),
            number,
            alert_id: text(&alert.id),
            alerted: alert.time,
            prediction_id: text(&alert.data.prediction_id),
            comment_event: EventRef {
                source: text(&comment_event.source),
                id: text(&comment_event.id),
                time: comment_event.time,
            },
            comment_id: comment.id.as_ref().map(text),
            subreddit: comment.subreddit.as_ref().map(text),
            severity: alert.data.severity,
            policy: PolicyRef { name: text(&policy.name), condition: text(&policy.condition) },
            model: ModelRef { name: text(&model.name), version: text(&model.version) },
            probability: alert.data.probability,
            operating_point: alert.data.operating_point,
            matched: alert.data.matched.as_ref().map(text),
            meets: alert
                .data
                .meets
                .as_ref()
                .map(|meets| Meets { removal: meets.removal, labels: meets.labels.iter().map(text).collect() }),
            self_harm: alert.data.self_harm.is_some(),
            exploration: alert.data.exploration,
            probe: alert.data.probe,
        }
    }

    /// The event of this decision, taken at `time`.
    pub fn into_event(self, time: Timestamp) -> Event<'a, Self> {
        let id = ids::decision(&self.alert_id, self.number);
        Event::new(id.to_string(), DECISIONS_SOURCE, time, self)
    }
}

/// What a moderator wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The comment goes.
    Remove,
    /// The comment stays.
    Keep,
    /// The decision before this one is taken back.
    Undo,
}

impl Action {
    /// As it stands in events and links.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Remove => "remove",
            Action::Keep => "keep",
            Action::Undo => "undo",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.as_str())
    }
}

/// A text that is no action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no decision: write `remove`, `keep` or `undo`")]
pub struct NoAction(String);

impl FromStr for Action {
    type Err = NoAction;

    fn from_str(text: &str) -> Result<Self, NoAction> {
        [Action::Remove, Action::Keep, Action::Undo]
            .into_iter()
            .find(|action| action.as_str() == text)
            .ok_or_else(|| NoAction(text.to_owned()))
    }
}
