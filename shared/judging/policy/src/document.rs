//! The document as it is written.

use std::collections::BTreeMap;
use std::fmt;

use modstream_events::Severity;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{AlwaysTerm, Setting};

/// Policies as they are written, in TOML or JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Part of an alert's id: under another name the same comment alerts again. `default` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 64)))]
    pub name: Option<String>,
    /// The rules for all comments.
    pub default: RulesDocument,
    /// By the subreddit's name, without `r/`: the rules that differ there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subreddits: BTreeMap<String, RulesDocument>,
    /// What holds for all subreddits together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<TotalDocument>,
    /// When so many comments alert that something must be wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<BreakerDocument>,
    /// What the labels of the harm model mean here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harm: Option<HarmDocument>,
    /// How comments of people who may harm themselves are found, and whom they can turn to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_harm: Option<SelfHarmDocument>,
}

/// What labels mean: harm is the largest of a label's weight times its probability, and severity follows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HarmDocument {
    /// Which labels are named before others that are as harmful.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Vec<String>>,
    /// How much a label counts, from 0 to 1. What is left out counts as it does without a document: `threat` 1, `severe_toxic` 0.9,
    /// `insult` and `toxic` 0.45, `obscene` 0.25, others nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("additionalProperties" = { "type": "number", "minimum": 0, "maximum": 1 })))]
    pub weights: BTreeMap<String, f64>,
    /// From which probability of a label up a comment alerts: a probability such as `0.8`, or `false_alarms<=0.01`, or `none`. What
    /// is left out alerts at `false_alarms<=0.01`, if it counts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub alert: BTreeMap<String, LabelThreshold>,
    /// From which harm up an alert is how urgent: 0.3 and 0.5 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<SeverityDocument>,
}

/// A threshold of a label, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct LabelThreshold(pub String);

impl<'de> Deserialize<'de> for LabelThreshold {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let expected = "a probability such as 0.8, or \"false_alarms<=0.01\", or \"none\"";
        from.deserialize_any(TextOrNumberOf(expected)).map(LabelThreshold)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for LabelThreshold {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LabelThreshold".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [{ "type": "string" }, { "type": "number", "minimum": 0, "maximum": 1 }] })
    }
}

/// How comments of people who may harm themselves are found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SelfHarmDocument {
    /// The phrases that are looked for, in place of those in English that are looked for otherwise; none in the empty list. They are
    /// found as `always` terms are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phrases: Option<Vec<AlwaysTerm>>,
    /// More phrases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_phrases: Vec<AlwaysTerm>,
    /// Whom such a person can turn to, a line each, such as the number of a helpline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
}

/// Rules. What a subreddit leaves out is as in `default`; what that leaves out is as said here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RulesDocument {
    /// Which comments alert: a probability such as `0.8`, or `precision>=0.9`, or `share<=0.05`. `default` must have one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    #[cfg_attr(feature = "schema", schemars(with = "TextOrNumber"))]
    pub threshold: Option<String>,
    /// The share of comments that moderators remove here. The model's where it is left out or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1)))]
    pub base_rate: Option<Setting<f64>>,
    /// From which probability up an alert is how urgent: 0.7 and 0.9 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<SeverityDocument>,
    /// The most alerts of a subreddit that are published in an hour; any number where it is left out or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = 10_000)))]
    pub max_alerts_per_hour: Option<Setting<i64>>,
    /// When no alert is published by itself; never where it is left out or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<Setting<QuietHoursDocument>>,
    /// Where alerts go: `alerts`, `digest`; both where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<Channel>>,
    /// Whose comments never alert, by name, without `u/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exempt_authors: Option<Vec<String>>,
    /// What always alerts: a comment that holds one of these texts, in capitals or not. A text is found as a word, or several;
    /// `{ includes = "text" }` is found inside of words too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub always: Option<Vec<AlwaysTerm>>,
    /// The share of the other comments that moderators are asked about all the same, to learn from; 0 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 0.1)))]
    pub exploration_share: Option<f64>,
    /// What becomes of a comment unlike all that the model learned from, such as one of a word, or in another language: `quiet`,
    /// where its score alerts nobody, or `judged`, where it is taken as any other's. `quiet` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside_support: Option<OutsideSupport>,
}

/// What becomes of a comment unlike all that the model learned from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum OutsideSupport {
    /// Its score alerts nobody, and nobody is asked about it.
    #[default]
    Quiet,
    /// Its score is taken as any other's.
    Judged,
}

/// Probabilities from which up an alert is more urgent than `low`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SeverityDocument {
    /// Look today; at most `high`.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub medium: f64,
    /// Look first.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub high: f64,
}

/// When nobody is to be woken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct QuietHoursDocument {
    /// Their beginning on the clocks there, such as `22:00`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")))]
    pub from: String,
    /// Their end, such as `07:00`; after midnight where it is before `from`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")))]
    pub to: String,
    /// The IANA name of the clocks, such as `Europe/Berlin`.
    pub time_zone: String,
    /// The severities that are published all the same; none where it is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<Severity>,
}

/// A way to moderators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// One message an alert.
    Alerts,
    /// Every few minutes one message for all.
    Digest,
}

/// What holds for all subreddits together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TotalDocument {
    /// The most alerts that are published in an hour, of all subreddits.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 10_000)))]
    pub max_alerts_per_hour: i64,
}

/// When so many comments alert that something must be wrong, alerts are withheld and one message says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BreakerDocument {
    /// The largest share of comments that may alert.
    #[cfg_attr(feature = "schema", schemars(range(max = 1), extend("exclusiveMinimum" = 0)))]
    pub max_share: f64,
    /// Over so many minutes; 5 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 60)))]
    pub window: Option<i64>,
    /// Fewer alerts than these are not looked at; 50 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1_000_000)))]
    pub min_alerts: Option<i64>,
    /// It stays open for so many minutes; 60 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1_440)))]
    pub open_for: Option<i64>,
}

/// For the schema: a threshold may be written as a number.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "its schema is what is used")]
enum TextOrNumber {
    Text(String),
    Number(#[schemars(range(min = 0, max = 1))] f64),
}

fn text_or_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let expected = "a probability such as 0.8, or \"precision>=0.9\", or \"share<=0.05\"";
    from.deserialize_any(TextOrNumberOf(expected)).map(Some)
}

/// Reads a threshold as a text, whether it is written as one or as a number, and says what was expected.
struct TextOrNumberOf(&'static str);

impl Visitor<'_> for TextOrNumberOf {
    type Value = String;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }
}
