//! How harmful a comment is, by the labels that a model gives it, and which labels alert.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use modstream_events::LabelPrediction;
use named_mutations::is_on;

use crate::Severities;

/// What a label weighs where a document does not say it, the one that is named first of two as harmful first. A threat is urgent
/// by itself; an insult is not, however sure the model is; what names a group of people is a hint that counts where a community
/// asks for it.
const WEIGHTS: [(&str, f64); 6] = [
    ("threat", 1.0),
    ("severe_toxic", 0.9),
    ("insult", 0.45),
    ("toxic", 0.45),
    ("obscene", 0.25),
    ("identity_attack", 0.0),
];

/// The share of harmless comments that a label may alert on, where a document does not say it.
const FALSE_ALARMS: f64 = 0.01;

/// From which harm up an alert is how urgent, where a document does not say it.
const SEVERITIES: Severities = Severities { high: 0.5, medium: 0.3 };

/// What labels mean in a community: the document's `[harm]`.
#[derive(Clone, Debug, PartialEq)]
pub struct HarmRules {
    /// The labels that are named before others which are as harmful, in this order.
    pub(crate) order: Vec<String>,
    /// The weights that differ from what holds without a document.
    pub(crate) weights: BTreeMap<String, f64>,
    /// The conditions that differ from what holds without a document; none where a label never alerts.
    pub(crate) alert: BTreeMap<String, Option<LabelCondition>>,
    /// From which harm up an alert is how urgent.
    pub severities: Severities,
}

impl Default for HarmRules {
    fn default() -> Self {
        HarmRules { order: Vec::new(), weights: BTreeMap::new(), alert: BTreeMap::new(), severities: SEVERITIES }
    }
}

/// What a label must meet to alert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LabelCondition {
    /// `0.8`: the label's probability is at least this.
    Probability(f64),
    /// `false_alarms<=0.01`: alerting from this probability up alerts on at most this share of comments without the label.
    FalseAlarms(f64),
}

/// A text that is no condition of a label.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no threshold of a label: write a probability such as `0.8`, or `false_alarms<=0.01` (numbers from 0 to 1), or `none` \
     for never"
)]
pub struct LabelConditionError(String);

impl LabelCondition {
    /// Whether a comment with this label alerts.
    pub fn is_met_by(&self, label: &LabelPrediction<'_>) -> bool {
        match *self {
            LabelCondition::Probability(least) => label.probability >= least,
            LabelCondition::FalseAlarms(most) => label.false_alarms <= most,
        }
    }
}

impl FromStr for LabelCondition {
    type Err = LabelConditionError;

    fn from_str(text: &str) -> Result<Self, LabelConditionError> {
        let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let (condition, number): (fn(f64) -> LabelCondition, &str) = match plain.strip_prefix("false_alarms<=") {
            Some(most) => (LabelCondition::FalseAlarms, most),
            None => (LabelCondition::Probability, plain.strip_prefix("probability>=").unwrap_or(&plain)),
        };
        match number.parse::<f64>() {
            Ok(number) if (0.0..=1.0).contains(&number) => Ok(condition(number)),
            _ => Err(LabelConditionError(text.to_owned())),
        }
    }
}

impl fmt::Display for LabelCondition {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LabelCondition::Probability(least) => write!(to, "probability>={least}"),
            LabelCondition::FalseAlarms(most) => write!(to, "false_alarms<={most}"),
        }
    }
}

/// What rules say of a comment's labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Harm<'p> {
    /// How harmful the comment is: the largest of a label's weight times its probability.
    pub harm: f64,
    /// The labels, the most harmful first; of those alike the one that is named first in the rules.
    pub labels: Vec<JudgedLabel<'p>>,
}

/// What rules say of a label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JudgedLabel<'p> {
    /// What the model says.
    pub said: &'p LabelPrediction<'p>,
    /// The label's weight times its probability.
    pub harm: f64,
    /// Whether the comment alerts by it.
    pub alerts: Alerts,
}

/// Whether a comment alerts by a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alerts {
    /// The label's condition is met.
    Yes,
    /// The label's condition is not met, or it has none.
    No,
}

impl Harm<'_> {
    /// The names of the labels that the comment alerts by, the most harmful first.
    pub fn alerting(&self) -> impl Iterator<Item = &str> {
        let labels = self.labels.iter().filter(|label| label.alerts == Alerts::Yes);
        labels.map(|label| label.said.label.as_ref())
    }
}

impl HarmRules {
    /// What a label weighs, from 0 to 1. One that neither the document nor this crate knows weighs nothing.
    pub fn weight(&self, label: &str) -> f64 {
        let known = || WEIGHTS.iter().find(|(name, _)| *name == label).map(|(_, weight)| *weight);
        self.weights.get(label).copied().or_else(known).unwrap_or(0.0)
    }

    /// The weight that harm is made of.
    fn counted_weight(&self, label: &str) -> f64 {
        if is_on("harm-ignores-weights") { 1.0 } else { self.weight(label) }
    }

    /// What a label must meet to alert; none where it never does, as one that weighs nothing unless the document says otherwise.
    pub fn condition(&self, label: &str) -> Option<LabelCondition> {
        match self.alert.get(label) {
            Some(condition) => *condition,
            None => (self.weight(label) > 0.0).then_some(LabelCondition::FalseAlarms(FALSE_ALARMS)),
        }
    }

    /// What the rules say of labels.
    pub fn judge<'p>(&self, labels: &'p [LabelPrediction<'p>]) -> Harm<'p> {
        let judged = labels.iter().map(|said| JudgedLabel {
            said,
            harm: (self.counted_weight(&said.label) * said.probability).clamp(0.0, 1.0),
            alerts: match self.condition(&said.label) {
                Some(condition) if condition.is_met_by(said) => Alerts::Yes,
                _ => Alerts::No,
            },
        });
        let mut labels: Vec<JudgedLabel<'p>> = judged.collect();
        labels.sort_by(|one, other| self.by_harm(one, other));
        let harm = labels.first().map_or(0.0, |label| label.harm);
        Harm { harm, labels }
    }

    fn by_harm(&self, one: &JudgedLabel<'_>, other: &JudgedLabel<'_>) -> Ordering {
        let place = |label: &JudgedLabel<'_>| {
            let name = label.said.label.as_ref();
            let in_document = self.order.iter().position(|known| known == name).unwrap_or(usize::MAX);
            let by_default = WEIGHTS.iter().position(|(known, _)| *known == name).unwrap_or(usize::MAX);
            (in_document, by_default)
        };
        other.harm.total_cmp(&one.harm).then_with(|| place(one).cmp(&place(other)))
    }

    /// The labels that these rules name, each with the field that does, in order: a model must have them.
    pub fn named(&self) -> Vec<(String, &str)> {
        let order = self.order.iter().enumerate();
        let order = order.map(|(index, label)| (format!("harm.order[{index}]"), label.as_str()));
        let weights = self.weights.keys().map(|label| (format!("harm.weights.{label}"), label.as_str()));
        let alert = self.alert.keys().map(|label| (format!("harm.alert.{label}"), label.as_str()));
        order.chain(weights).chain(alert).collect()
    }

    /// Of these labels, those that count for nothing and alert nobody.
    pub fn idle<'l>(&self, labels: impl IntoIterator<Item = &'l str>) -> Vec<&'l str> {
        let is_idle = |label: &&str| self.weight(label) <= 0.0 && self.condition(label).is_none();
        labels.into_iter().filter(is_idle).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a model says of one label, with as many false alarms as `false_alarms`.
    pub(crate) fn label(name: &str, probability: f64, false_alarms: f64) -> LabelPrediction<'static> {
        LabelPrediction {
            label: name.to_owned().into(),
            probability,
            log_odds: (probability / (1.0 - probability)).ln(),
            intercept: 0.0,
            terms: Vec::new(),
            other: 0.0,
            false_alarms,
        }
    }

    #[test]
    fn a_threshold_of_a_label_is_a_probability_or_a_share_of_false_alarms() {
        for (text, condition) in [
            ("0.8", LabelCondition::Probability(0.8)),
            ("probability >= .5", LabelCondition::Probability(0.5)),
            ("false_alarms<=0.01", LabelCondition::FalseAlarms(0.01)),
            (" false_alarms <= 1", LabelCondition::FalseAlarms(1.0)),
        ] {
            assert_eq!(text.parse(), Ok(condition), "{text}");
        }
        for text in ["", "2", "-0.1", "NaN", "false_alarms>=0.01", "precision>=0.9", "share<=0.05", "1 %"] {
            let error = text.parse::<LabelCondition>().expect_err(text).to_string();
            assert!(error.contains("false_alarms<=0.01"), "{error}");
        }
    }

    #[test]
    fn without_a_document_a_threat_is_high_an_insult_medium_at_most_and_a_hint_nothing() {
        let rules = HarmRules::default();
        let severity = |label| rules.severities.of(rules.judge(&[label]).harm);
        let surely = |name: &str| label(name, 1.0, 0.0);
        use modstream_events::Severity::{High, Low, Medium};
        for (name, wanted) in [
            ("threat", High),
            ("severe_toxic", High),
            ("insult", Medium),
            ("toxic", Medium),
            ("obscene", Low),
            ("identity_attack", Low),
            ("unheard_of", Low),
        ] {
            assert_eq!(severity(surely(name)), wanted, "{name}");
        }
        let all = ["threat", "identity_attack", "insult"].map(surely);
        let harm = rules.judge(&all);
        assert_eq!(harm.alerting().collect::<Vec<_>>(), ["threat", "insult"]);
    }

    #[test]
    fn a_threshold_is_met_at_itself_and_a_label_is_idle_that_neither_counts_nor_alerts() {
        let at = label("x", 0.8, 0.01);
        assert!(LabelCondition::Probability(0.8).is_met_by(&at) && LabelCondition::FalseAlarms(0.01).is_met_by(&at));
        let rules = HarmRules {
            weights: [("toxic".to_owned(), 0.0)].into(),
            alert: [("hint".to_owned(), Some(LabelCondition::Probability(0.9))), ("threat".to_owned(), None)].into(),
            ..HarmRules::default()
        };
        assert_eq!(rules.idle(["toxic", "hint", "threat", "insult", "unheard_of"]), ["toxic", "unheard_of"]);
    }

    #[test]
    fn a_document_changes_what_it_names_and_a_label_with_a_weight_alerts() {
        let rules = HarmRules {
            order: vec!["insult".to_owned(), "threat".to_owned()],
            weights: [("insult".to_owned(), 1.0), ("doxxing".to_owned(), 0.8)].into(),
            alert: [
                ("threat".to_owned(), None),
                ("identity_attack".to_owned(), Some(LabelCondition::Probability(0.9))),
            ]
            .into(),
            ..HarmRules::default()
        };
        let labels = ["threat", "insult", "doxxing", "identity_attack"].map(|name| label(name, 0.95, 0.005));
        let harm = rules.judge(&labels);
        assert!((harm.harm - 0.95).abs() < 1e-12);
        let order: Vec<&str> = harm.labels.iter().map(|label| label.said.label.as_ref()).collect();
        assert_eq!(order, ["insult", "threat", "doxxing", "identity_attack"]);
        assert_eq!(harm.alerting().collect::<Vec<_>>(), ["insult", "doxxing", "identity_attack"]);
        let named: Vec<String> = rules.named().into_iter().map(|(field, _)| field).collect();
        assert_eq!(
            named,
            [
                "harm.order[0]",
                "harm.order[1]",
                "harm.weights.doxxing",
                "harm.weights.insult",
                "harm.alert.identity_attack",
                "harm.alert.threat"
            ]
        );
    }

    proptest! {
        #[test]
        fn harm_is_the_largest_weight_times_probability_whatever_the_order(
            probabilities in prop::collection::vec(0.0..=1.0_f64, 6), weights in prop::collection::vec(0.0..=1.0_f64, 6),
            turn in 0..6_usize,
        ) {
            let names: Vec<&str> = WEIGHTS.iter().map(|(name, _)| *name).collect();
            let own = names.iter().zip(&weights).map(|(name, weight)| ((*name).to_owned(), *weight)).collect();
            let rules = HarmRules { weights: own, ..HarmRules::default() };
            let mut labels: Vec<_> =
                names.iter().zip(&probabilities).map(|(name, probability)| label(name, *probability, 0.5)).collect();
            let expected = probabilities.iter().zip(&weights).map(|(p, w)| p * w).fold(0.0, f64::max);
            let harm = rules.judge(&labels).harm;
            prop_assert!((harm - expected).abs() < 1e-15);
            labels.rotate_left(turn);
            let again = rules.judge(&labels);
            prop_assert!(again.harm.total_cmp(&harm) == Ordering::Equal);
            prop_assert!(again.labels.windows(2).all(|two| two[0].harm >= two[1].harm));
        }
    }
}
