use std::borrow::Cow;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::borrow::own;
use crate::versioned::first_version;
use crate::{
    Comment, EventRef, LabelPrediction, Meets, ModelRef, NotJudged, OperatingPoint, Outside, Prediction, SelfHarm,
    Term, borrow, harm, object,
};

/// The most characters of a comment's body that an alert carries, so that it always fits a message: SNS takes 256 KiB,
/// and 2,000 characters are at most 24,000 bytes of JSON.
pub const MAX_BODY_CHARS: usize = 2_000;

/// The most characters of each other text of an alert's comment; no forum's are as long.
pub const MAX_FIELD_CHARS: usize = 300;

/// Cuts a text; whether there was something to cut.
fn truncate(text: &mut Cow<'_, str>, chars: usize) -> bool {
    let Some((at, _)) = text.char_indices().nth(chars) else { return false };
    match text {
        Cow::Borrowed(text) => *text = &text[..at],
        Cow::Owned(text) => text.truncate(at),
    }
    true
}

/// What a moderator gets: a comment that meets a policy, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Alert<'a> {
    /// The comment; its body at most 2,000 characters long.
    #[serde(borrow, deserialize_with = "object::only")]
    pub comment: Comment<'a>,
    /// Whether the body was cut.
    pub body_truncated: bool,
    /// The comment event this is about.
    #[serde(borrow, deserialize_with = "object::only")]
    pub comment_event: EventRef<'a>,
    /// The comment's version, where it is a later one of its comment.
    #[serde(borrow, default, deserialize_with = "borrow::option", skip_serializing_if = "Option::is_none")]
    pub version: Option<Cow<'a, str>>,
    /// The prediction it follows from.
    #[serde(borrow)]
    pub prediction_id: Cow<'a, str>,
    /// The probability that a moderator would remove the comment.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub probability: f64,
    /// Its log-odds.
    pub log_odds: f64,
    /// How urgent.
    pub severity: Severity,
    /// The policy that it meets.
    #[serde(borrow, deserialize_with = "object::only")]
    pub policy: PolicyRef<'a>,
    /// The terms that moved the log-odds most, as the prediction has them.
    #[serde(borrow, deserialize_with = "object::list")]
    pub terms: Vec<Term<'a>>,
    /// Which model said so.
    #[serde(borrow, deserialize_with = "object::only")]
    pub model: ModelRef<'a>,
    /// What one gets when alerting from this probability up.
    #[serde(deserialize_with = "object::only")]
    pub operating_point: OperatingPoint,
    /// How harmful the comment is, from 0 to 1: the largest of a label's weight times its probability. The severity follows it;
    /// where there is none, it follows the probability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub harm: Option<f64>,
    /// What the harm model says of the labels that alert, the most harmful first.
    #[serde(borrow, default, deserialize_with = "harm::labels", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<LabelPrediction<'_>>"))]
    pub labels: Option<Vec<LabelPrediction<'a>>>,
    /// Which harm model gave the labels.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "ModelRef<'_>"))]
    pub harm_model: Option<ModelRef<'a>>,
    /// How the comment differs from all that the harm model learned from, where it does: nothing is known of its harm then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Outside"))]
    pub harm_support: Option<Outside>,
    /// Which of the policies about removals and about harm the comment meets, where labels were judged.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Meets<'_>"))]
    pub meets: Option<Meets<'a>>,
    /// That the comment may be of somebody who thinks of harming themselves.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "SelfHarm<'_>"))]
    pub self_harm: Option<SelfHarm<'a>>,
    /// Why the model had nothing to judge, where it had nothing: the numbers say nothing then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "NotJudged"))]
    pub not_judged: Option<NotJudged>,
    /// How the comment differs from all that the model learned from, where it does: the numbers are a guess then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Outside"))]
    pub support: Option<Outside>,
    /// The always-alert term that the body contains, where that is why.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<Cow<'a, str>>,
    /// The share of the comments that meet no policy and are asked about all the same, where this is one of them: its
    /// probability of being here. So what moderators say about it stands for all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub exploration: Option<f64>,
    /// Whether the comment is the probe text, which always alerts and counts nowhere.
    #[serde(default, skip_serializing_if = "is_false")]
    pub probe: bool,
    /// Where to decide.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Links<'_>"))]
    pub links: Option<Links<'a>>,
}

/// For a field that is left out where it says no.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(crate) fn is_false(value: &bool) -> bool {
    !value
}

/// The body that always alerts, as a mail filter's test text does: it shows that the whole way works, and counts in no
/// statistic. The comment's body is this and nothing else, but for white space around it, and its event comes from
/// [`PROBE_SOURCE`]: anybody can write the text.
pub const PROBE_BODY: &str = "modstream probe 2f6b1c9e-7d43-5a18-9e0b-c4d2a7f81356: this comment always alerts";

/// The source of probes' comment events. Whoever puts comments on the stream gives them another one.
pub const PROBE_SOURCE: &str = "urn:modstream:probe";

/// Pages that take a decision about an alert, with one more click there. They are signed and expire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Links<'a> {
    /// Proposes that the comment goes.
    #[serde(borrow)]
    pub remove: Cow<'a, str>,
    /// Proposes that it stays.
    #[serde(borrow)]
    pub keep: Cow<'a, str>,
}

first_version!(Alert, "modstream.alert.v1");

/// Ages are shown to the minute or the hour, and comments take some time to come here.
const NOTICED_AFTER: SignedDuration = SignedDuration::from_hours(1);

impl<'a> Alert<'a> {
    /// The alert that `prediction` gives under `policy`.
    pub fn new(
        prediction: Prediction<'a>,
        prediction_id: Cow<'a, str>,
        severity: Severity,
        policy: PolicyRef<'a>,
    ) -> Self {
        let mut comment = prediction.comment;
        let body_truncated = comment.body.as_mut().is_some_and(|body| truncate(body, MAX_BODY_CHARS));
        let Comment { id, parent_id, link_id, subreddit, author, permalink, .. } = &mut comment;
        for text in [id, parent_id, link_id, subreddit, author, permalink].into_iter().flatten() {
            truncate(text, MAX_FIELD_CHARS);
        }
        Alert {
            comment,
            body_truncated,
            comment_event: prediction.comment_event,
            version: prediction.version,
            prediction_id,
            probability: prediction.probability,
            log_odds: prediction.log_odds,
            severity,
            policy,
            terms: prediction.terms,
            model: prediction.model,
            operating_point: prediction.operating_point,
            harm: None,
            labels: prediction.labels,
            harm_model: prediction.harm_model,
            harm_support: prediction.harm_support,
            meets: None,
            self_harm: None,
            not_judged: prediction.not_judged,
            support: prediction.support,
            matched: None,
            exploration: None,
            probe: false,
            links: None,
        }
    }

    /// The time that the comment bears, where that is noticeably another than the one at which its alert was made. It is for
    /// people to see: nothing follows from a clock of the author or of a producer.
    pub fn dated(&self, made: Timestamp) -> Option<Timestamp> {
        let written = self.comment.created_utc.and_then(|seconds| Timestamp::from_second(seconds).ok());
        let dated = written.unwrap_or(self.comment_event.time);
        (made.duration_since(dated).abs() >= NOTICED_AFTER).then_some(dated)
    }

    /// The same alert, holding its own texts.
    pub fn into_owned(self) -> Alert<'static> {
        Alert {
            comment: self.comment.into_owned(),
            body_truncated: self.body_truncated,
            comment_event: self.comment_event.into_owned(),
            version: self.version.map(own),
            prediction_id: own(self.prediction_id),
            probability: self.probability,
            log_odds: self.log_odds,
            severity: self.severity,
            policy: PolicyRef { name: own(self.policy.name), condition: own(self.policy.condition) },
            terms: self.terms.into_iter().map(Term::into_owned).collect(),
            model: self.model.into_owned(),
            operating_point: self.operating_point,
            harm: self.harm,
            labels: self.labels.map(|labels| labels.into_iter().map(LabelPrediction::into_owned).collect()),
            harm_model: self.harm_model.map(ModelRef::into_owned),
            harm_support: self.harm_support,
            meets: self.meets.map(Meets::into_owned),
            self_harm: self.self_harm.map(SelfHarm::into_owned),
            not_judged: self.not_judged,
            support: self.support,
            matched: self.matched.map(own),
            exploration: self.exploration,
            probe: self.probe,
            links: self.links.map(|links| Links { remove: own(links.remove), keep: own(links.keep) }),
        }
    }
}

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Look when there is time.
    Low,
    /// Look today.
    Medium,
    /// Look first.
    High,
}

impl Severity {
    /// As it stands in events and message attributes.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.as_str())
    }
}

/// Names a policy and says what it asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyRef<'a> {
    /// Its name; part of the alert's id.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Its condition, for example `precision>=0.9`.
    #[serde(borrow)]
    pub condition: Cow<'a, str>,
}
