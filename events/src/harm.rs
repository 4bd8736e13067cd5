//! What is said of harm: by a model with labels, and about a person who may harm themselves.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::borrow::own;
use crate::{Alert, Term, object};

/// What a model with labels says of a comment by one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LabelPrediction<'a> {
    /// The label's name, such as `threat`.
    #[serde(borrow)]
    pub label: Cow<'a, str>,
    /// The calibrated probability that the comment has the label, from 0 to 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub probability: f64,
    /// ln(p / (1 - p)) of `probability`. `intercept`, the contributions of `terms` and `other` add up to it.
    pub log_odds: f64,
    /// The log-odds of a comment without any feature.
    pub intercept: f64,
    /// The terms that moved the log-odds most, as those of a removal are ordered; none where the label is too far from an alert for anybody to ask
    /// why.
    #[serde(borrow, deserialize_with = "object::list")]
    pub terms: Vec<Term<'a>>,
    /// The contributions that `terms` leaves out, in sum.
    pub other: f64,
    /// The share of comments without the label that get this probability or a higher one, as the model's held-out texts promise:
    /// what one gets of false alarms when alerting from here up.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub false_alarms: f64,
}

impl LabelPrediction<'_> {
    /// The same, holding its own texts.
    pub fn into_owned(self) -> LabelPrediction<'static> {
        LabelPrediction {
            label: own(self.label),
            probability: self.probability,
            log_odds: self.log_odds,
            intercept: self.intercept,
            terms: self.terms.into_iter().map(Term::into_owned).collect(),
            other: self.other,
            false_alarms: self.false_alarms,
        }
    }
}

/// Which policies a comment meets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Meets<'a> {
    /// Whether it meets the policy about removals: the community would likely remove it.
    pub removal: bool,
    /// The labels by which it meets the policy about harm, the most harmful first.
    #[serde(borrow)]
    pub labels: Vec<Cow<'a, str>>,
}

impl Meets<'_> {
    /// The same, holding its own texts.
    pub fn into_owned(self) -> Meets<'static> {
        Meets { removal: self.removal, labels: self.labels.into_iter().map(own).collect() }
    }
}

/// That a comment may be of somebody who thinks of harming themselves: moderators are to get them help, and not to be quick to
/// remove what they said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SelfHarm<'a> {
    /// The phrase that the comment contains.
    #[serde(borrow)]
    pub phrase: Cow<'a, str>,
    /// Whom such a person can turn to, as the community says it.
    #[serde(borrow)]
    pub contacts: Vec<Cow<'a, str>>,
}

impl SelfHarm<'_> {
    /// The same, holding its own texts.
    pub fn into_owned(self) -> SelfHarm<'static> {
        SelfHarm { phrase: own(self.phrase), contacts: self.contacts.into_iter().map(own).collect() }
    }
}

/// A probability as people say it in a few characters, such as `.93`; never quite certain, as nothing is.
fn short(probability: f64) -> String {
    let text = format!("{:.2}", probability.clamp(0.01, 0.99));
    text.trim_start_matches('0').to_owned()
}

impl Alert<'_> {
    /// What models say of the comment that alerts, each in a few words and the most harmful first: `threat .93`, `this community would
    /// likely remove it .81`. Empty where labels were not judged.
    pub fn said(&self) -> Vec<String> {
        let Some(Meets { removal, labels }) = &self.meets else { return Vec::new() };
        let is_said = |label: &&LabelPrediction<'_>| labels.contains(&label.label);
        let labels = self.labels.iter().flatten().filter(is_said);
        let labels = labels.map(|label| format!("{} {}", label.label.replace('_', " "), short(label.probability)));
        let guess = if self.support.is_some() { "a guess: " } else { "" };
        let removal =
            removal.then(|| format!("{guess}this community would likely remove it {}", short(self.probability)));
        labels.chain(removal).collect()
    }

    /// Whether the policy about removals is met. Where labels were not judged, nothing says so: it is unless the numbers are a guess
    /// and something else made the alert.
    pub fn meets_removal(&self) -> bool {
        self.meets.as_ref().map_or_else(|| !self.is_beside_a_guess(), |meets| meets.removal)
    }

    /// Whether the probability of a removal is a guess and did not make the alert, such as that of a short comment with an
    /// always-alert term: its terms explain nothing.
    pub fn is_beside_a_guess(&self) -> bool {
        (self.not_judged.is_some() || self.support.is_some()) && !self.is_of_removal()
    }

    /// Whether the alert is there since the model of removals says so: it meets the policy about removals, and nothing else made
    /// it, as always-alert terms, the probe and the like do.
    pub fn is_of_removal(&self) -> bool {
        let is_met = self.meets.as_ref().is_none_or(|meets| meets.removal);
        is_met && self.matched.is_none() && self.self_harm.is_none() && self.exploration.is_none() && !self.probe
    }
}

/// What a moderator can do for somebody who may harm themselves, besides whom to turn to.
pub const GET_HELP: &str = "Somebody may need help: answer them, or let those know who can reach them, such as the forum's safety \
                            team or, in danger, the local emergency number. Removing the comment first may leave them alone.";

/// For an optional list of objects.
pub(crate) fn labels<'de: 'a, 'a, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<Vec<LabelPrediction<'a>>>, D::Error> {
    let objects = Option::<Vec<object::Object<LabelPrediction<'a>>>>::deserialize(from)?;
    Ok(objects.map(|objects| objects.into_iter().map(|object| object.0).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    fn alert(data: &str) -> Alert<'static> {
        let text = format!(
            r#"{{"specversion":"1.0","id":"a","source":"s","type":"modstream.alert.v1","time":"2026-01-05T10:00:00Z",
            "data":{{"comment":{{"body":"text"}},"body_truncated":false,
            "comment_event":{{"source":"u","id":"e","time":"2026-01-05T10:00:00Z"}},"prediction_id":"p",
            "probability":0.814,"log_odds":1.5,"severity":"high","policy":{{"name":"p","condition":"c"}},"terms":[],
            "model":{{"name":"m","version":"v"}},
            "operating_point":{{"precision":0.8,"recall":0.3,"share":0.1,"base_rate":0.32}}{data}}}}}"#
        );
        Event::<Alert<'_>>::decode(text.as_bytes()).expect("an alert").data.into_owned()
    }

    fn labelled(removal: bool, labels: &str) -> Alert<'static> {
        let label = |name: &str, probability: f64| {
            format!(
                r#"{{"label":"{name}","probability":{probability},"log_odds":1,"intercept":0,"terms":[],"other":1,"false_alarms":0}}"#
            )
        };
        let all = [label("severe_toxic", 1.0), label("threat", 0.931), label("insult", 0.001)].join(",");
        alert(&format!(r#","labels":[{all}],"meets":{{"removal":{removal},"labels":[{labels}]}}"#))
    }

    #[test]
    fn what_models_say_is_said_in_a_few_words_and_only_what_made_the_alert() {
        let both = labelled(true, r#""threat","severe_toxic""#);
        assert_eq!(both.said(), ["severe toxic .99", "threat .93", "this community would likely remove it .81"]);
        assert!(both.is_of_removal());
        let harm_alone = labelled(false, r#""insult""#);
        assert_eq!(harm_alone.said(), ["insult .01"]);
        assert!(!harm_alone.is_of_removal());
        assert_eq!(alert("").said(), Vec::<String>::new());
        assert!(alert("").is_of_removal());
        assert!(!alert(r#","self_harm":{"phrase":"x","contacts":[]}"#).is_of_removal());
        assert!(!alert(r#","matched":"x""#).is_of_removal());
        assert!(alert(r#","matched":"x""#).meets_removal() && !alert(r#","matched":"x""#).is_beside_a_guess());
        let by_term = alert(r#","matched":"x","support":"shorter""#);
        assert!(by_term.is_beside_a_guess() && !by_term.meets_removal());
        let by_policy = alert(r#","support":"shorter""#);
        assert!(!by_policy.is_beside_a_guess() && by_policy.meets_removal());
    }
}
