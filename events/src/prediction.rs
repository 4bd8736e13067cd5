use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::borrow::own;
use crate::versioned::first_version;
use crate::{Comment, LabelPrediction, borrow, harm, object};

/// What a model makes of one comment event.
///
/// It carries the comment, since a moderator needs to read it, and its operating point, so that nobody downstream needs the
/// model: a policy such as `precision>=0.9` compares fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Prediction<'a> {
    /// The comment.
    #[serde(borrow, deserialize_with = "object::only")]
    pub comment: Comment<'a>,
    /// The comment event that this answers.
    #[serde(borrow, deserialize_with = "object::only")]
    pub comment_event: EventRef<'a>,
    /// The comment's version, where the comment event says that it is a later one of its comment.
    #[serde(borrow, default, deserialize_with = "borrow::option", skip_serializing_if = "Option::is_none")]
    pub version: Option<Cow<'a, str>>,
    /// The calibrated probability that a moderator would remove the comment, from 0 to 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub probability: f64,
    /// ln(p / (1 - p)) of `probability`. `intercept`, the contributions of `terms` and `other` add up to it.
    pub log_odds: f64,
    /// The log-odds of a comment without any feature.
    pub intercept: f64,
    /// The terms that moved the log-odds most, strongest first: content words, then common words and marks, then the text's form.
    #[serde(borrow, deserialize_with = "object::list")]
    pub terms: Vec<Term<'a>>,
    /// The contributions that `terms` leaves out, in sum.
    pub other: f64,
    /// Which model said so.
    #[serde(borrow, deserialize_with = "object::only")]
    pub model: ModelRef<'a>,
    /// What one gets when alerting from this probability up.
    #[serde(deserialize_with = "object::only")]
    pub operating_point: OperatingPoint,
    /// What the harm model says, a label each; none where there was no such model, or nothing to judge, or nothing that it knows of.
    #[serde(borrow, default, deserialize_with = "harm::labels", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<LabelPrediction<'_>>"))]
    pub labels: Option<Vec<LabelPrediction<'a>>>,
    /// Which harm model said so.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "ModelRef<'_>"))]
    pub harm_model: Option<ModelRef<'a>>,
    /// How the comment differs from all that the harm model learned from, where it does: there are no labels then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Outside"))]
    pub harm_support: Option<Outside>,
    /// Why the model had nothing to judge, where it had nothing: the numbers say nothing then, and no policy is met by them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "NotJudged"))]
    pub not_judged: Option<NotJudged>,
    /// How the comment differs from all that the model learned from, where it does: the numbers are a guess then, and no policy is
    /// met by them unless it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Outside"))]
    pub support: Option<Outside>,
}

/// Why a model had nothing to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotJudged {
    /// The comment has no letter and no digit outside of links and pictures.
    NoText,
    /// What stands there is what a forum shows in place of a text that is gone, such as `[removed]`.
    Placeholder,
}

impl NotJudged {
    /// The same as a sentence.
    pub fn in_words(self) -> &'static str {
        match self {
            NotJudged::NoText => "there is no text to judge: no letter and no digit, but for links and pictures",
            NotJudged::Placeholder => "what stands there, such as [removed], stands in place of a text that is gone",
        }
    }
}

/// How a comment differs from all that a model learned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outside {
    /// The comment is shorter than nearly all of them.
    Shorter,
    /// The comment is longer than nearly all of them.
    Longer,
    /// The model knows too few of the comment's words: it is in another language, say.
    UnknownWords,
}

impl Outside {
    /// The same as a sentence.
    pub fn in_words(self) -> &'static str {
        match self {
            Outside::Shorter => "the text is shorter than nearly all that the model learned from",
            Outside::Longer => "the text is longer than nearly all that the model learned from",
            Outside::UnknownWords => {
                "the model knows too few of the text's words, as in another language than it learned from"
            }
        }
    }
}

first_version!(Prediction, "modstream.prediction.v1");

/// Names an event: CloudEvents are unique by (source, id).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventRef<'a> {
    /// Its `source`.
    #[serde(borrow)]
    pub source: Cow<'a, str>,
    /// Its `id`.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// Its `time`.
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub time: Timestamp,
}

impl EventRef<'_> {
    /// The same reference, holding its own texts.
    pub fn into_owned(self) -> EventRef<'static> {
        EventRef { source: own(self.source), id: own(self.id), time: self.time }
    }
}

/// Names a model: its version is the SHA-256 of its manifest, in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelRef<'a> {
    /// The name it is promoted under.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// 64 hex digits.
    #[serde(borrow)]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[0-9a-f]{64}$")))]
    pub version: Cow<'a, str>,
}

impl ModelRef<'_> {
    /// The same reference, holding its own texts.
    pub fn into_owned(self) -> ModelRef<'static> {
        ModelRef { name: own(self.name), version: own(self.version) }
    }
}

/// What the term of a text's form begins with.
const FORM: &str = "[form: ";

/// A term of the comment, as the reader sees it there, and what it adds to the log-odds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Term<'a> {
    /// A word, a pair of words, a punctuation mark, or, last of its list, the form of the whole text, such as
    /// `[form: 20 characters, 1 link]`.
    #[serde(borrow)]
    pub term: Cow<'a, str>,
    /// In log-odds; above zero speaks for removal.
    pub contribution: f64,
}

impl Term<'_> {
    /// What the form of the whole text adds, the form said in words.
    pub fn of_form(form: &str, contribution: f64) -> Self {
        Term { term: format!("{FORM}{form}]").into(), contribution }
    }

    /// The form of the whole text in words, if this is what it adds. No word is taken for one: it has no blank, nor has a pair a
    /// bracket on both sides with words within.
    pub fn form(&self) -> Option<&str> {
        self.term.strip_prefix(FORM)?.strip_suffix(']')
    }

    /// The same as a reader has it.
    pub fn in_words(&self) -> Cow<'_, str> {
        self.form().map_or_else(|| Cow::Borrowed(&*self.term), |form| format!("its form: {form}").into())
    }

    /// The same term, holding its own text.
    pub fn into_owned(self) -> Term<'static> {
        Term { term: own(self.term), contribution: self.contribution }
    }
}

/// Alerting from this prediction's probability up: precision, recall and share of comments alerted, as the model's held-out
/// comments promise at `base_rate`. Monotone in the probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OperatingPoint {
    /// The share of alerts that a moderator would remove.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub precision: f64,
    /// The share of removable comments that alert.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub recall: f64,
    /// The share of all comments that alert.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub share: f64,
    /// The share of comments that moderators remove, as assumed.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub base_rate: f64,
}
