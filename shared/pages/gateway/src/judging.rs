//! What a text is judged by: the models, and the policies. All that the front door asks of either is here.

use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use modstream_classifier::{ByDefault, Label, REMOVAL, Score, Scratch, not_judged};
use modstream_events::{Comment, EventRef, ModelRef, Prediction, Severity, Term};
use modstream_in_use::models::InUse;
use modstream_in_use::policies;
use modstream_policy::{Judgement, Why, WhyNot};
use serde::Serialize;

/// How many terms an answer names.
const TERMS: usize = 5;

/// The models that answer.
#[derive(Clone, Debug)]
pub struct Models {
    /// The model in use, which learned what moderators remove.
    pub removal: Arc<InUse>,
    /// The models with labels.
    pub labelled: Vec<Arc<InUse>>,
}

/// The models and the policies that a request is answered by.
#[derive(Clone, Copy, Debug)]
pub struct Judging<'a> {
    /// The models.
    pub models: &'a Models,
    /// The policies.
    pub policies: &'a policies::InUse,
}

/// What measures something: a label of a model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Measure {
    /// The model in use, whatever it is called: how probable it is that a moderator would remove the comment.
    Removal,
    /// A label of a model with labels.
    Label { model: String, label: String },
}

impl FromStr for Measure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            None if text == REMOVAL => Ok(Measure::Removal),
            Some((model, label)) if !model.is_empty() && !label.is_empty() => {
                Ok(Measure::Label { model: model.to_owned(), label: label.to_owned() })
            }
            _ => Err(format!("`{text}` is no label: say MODEL/LABEL, such as harm/toxic, or {REMOVAL}")),
        }
    }
}

/// Where a measure is found: the model, and its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    model: usize,
    label: usize,
}

/// The measures that one request asks for, each found in its model.
pub(crate) struct Panel<'a> {
    models: Vec<&'a InUse>,
    places: Vec<Place>,
}

impl Models {
    fn all(&self) -> impl Iterator<Item = &InUse> {
        std::iter::once(&*self.removal).chain(self.labelled.iter().map(|model| &**model))
    }

    fn place(&self, measure: &Measure) -> Option<Place> {
        match measure {
            Measure::Removal => Some(Place { model: 0, label: 0 }),
            Measure::Label { model, label } => self.labelled.iter().zip(1..).find_map(|(labelled, place)| {
                let at = labelled.model.labels().iter().position(|known| known.name() == label);
                at.filter(|_| labelled.name == *model).map(|label| Place { model: place, label })
            }),
        }
    }

    /// Whether a measure is there to be asked.
    pub(crate) fn has(&self, measure: &Measure) -> bool {
        self.place(measure).is_some()
    }

    /// What there is to be asked, as settings name it.
    pub(crate) fn known(&self) -> Vec<String> {
        let labelled = self
            .labelled
            .iter()
            .flat_map(|model| model.model.labels().iter().map(|label| format!("{}/{}", model.name, label.name())));
        std::iter::once(REMOVAL.to_owned()).chain(labelled).collect()
    }

    /// The measures of these that are there, in their order: whoever goes by the order asks for no other.
    pub(crate) fn panel<'a, 'm>(&'a self, measures: impl IntoIterator<Item = &'m Measure>) -> Panel<'a> {
        let places = measures.into_iter().filter_map(|measure| self.place(measure)).collect();
        Panel { models: self.all().collect(), places }
    }
}

impl Panel<'_> {
    /// The probabilities of a text, in the order of the measures. Each model reads the text once.
    pub(crate) fn probabilities(&self, text: &str, scratch: &mut Scratch) -> Vec<f64> {
        let mut of_models: Vec<Option<Vec<f64>>> = vec![None; self.models.len()];
        let mut probability = |place: &Place| {
            let scores = of_models[place.model].get_or_insert_with(|| {
                let scores = self.models[place.model].model.scores(text, scratch);
                scores.iter().map(Score::probability).collect()
            });
            scores[place.label]
        };
        self.places.iter().map(&mut probability).collect()
    }

    /// The models that answer, each with its version: what a score is repeated with.
    pub(crate) fn models(&self) -> String {
        let mut used: Vec<usize> = self.places.iter().map(|place| place.model).collect();
        used.sort_unstable();
        used.dedup();
        let named = used.into_iter().map(|model| named(self.models[model]));
        named.collect::<Vec<_>>().join(", ")
    }
}

/// A model by name and version.
pub(crate) fn named(model: &InUse) -> String {
    format!("{}@{}", model.name, model.version)
}

/// A label of a text, and which terms say so.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct LabelScore {
    /// The label, with its model: `harm/toxic`.
    pub(crate) label: String,
    /// The label's calibrated probability.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub(crate) probability: f64,
    /// Whether the label counts where nobody chose labels; one that does not is a hint.
    pub(crate) counts: bool,
    /// The terms that moved the log-odds most, strongest first.
    pub(crate) terms: Vec<Term<'static>>,
}

/// What the policies say of a comment.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Verdict {
    /// Whether the comment would alert.
    pub(crate) verdict: Outcome,
    /// How urgent the alert would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) severity: Option<Severity>,
    /// The rule that decided.
    pub(crate) matched: Matched,
    /// The same as a sentence.
    pub(crate) explanation: String,
    /// The policies' name.
    pub(crate) policies: String,
    /// The SHA-256 of the policies; `environment` where there is no document.
    pub(crate) policies_version: String,
}

/// Whether a comment would alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// The comment does not alert.
    Pass,
    /// The comment alerts.
    Alert,
}

/// The rule that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Matched {
    /// The prediction meets the threshold, or does not.
    Threshold,
    /// The comment holds a text that always alerts.
    Always,
    /// The comment is the probe.
    Probe,
    /// The comment's author is exempt.
    ExemptAuthor,
    /// The comment has nothing that a model could judge.
    NotJudged,
    /// The comment is unlike all that the model learned from.
    OutsideSupport,
}

impl Judging<'_> {
    /// The prediction of a comment, as `score-comments` would make it.
    pub(crate) fn predict<'c>(
        &self,
        comment: Comment<'c>,
        comment_event: EventRef<'c>,
        scratch: &mut Scratch,
    ) -> Prediction<'c> {
        let InUse { model, name, version } = &*self.models.removal;
        let body = comment.body.as_deref().unwrap_or_default();
        let not_judged = not_judged(body);
        let explanation = model.explain(body, TERMS, scratch);
        let terms = explanation.terms.into_iter().map(Term::into_owned).collect();
        Prediction {
            probability: explanation.score.probability(),
            log_odds: explanation.score.log_odds.0,
            intercept: explanation.intercept,
            terms,
            other: explanation.other,
            model: ModelRef { name: name.clone().into(), version: version.clone().into() },
            operating_point: model.operating_point(explanation.score),
            not_judged,
            support: explanation.outside,
            version: None,
            comment,
            comment_event,
        }
    }

    /// All labels of a text.
    pub(crate) fn labels(&self, text: &str, scratch: &mut Scratch) -> Vec<LabelScore> {
        let mut all = Vec::new();
        for InUse { model, name, .. } in self.models.labelled.iter().map(|model| &**model) {
            let explained = model.explain_labels(text, TERMS, scratch);
            all.extend(model.labels().iter().zip(explained).map(|(label, explanation): (&Label, _)| LabelScore {
                label: format!("{name}/{}", label.name()),
                probability: explanation.score.probability(),
                counts: label.by_default() == ByDefault::On,
                terms: explanation.terms.into_iter().map(Term::into_owned).collect(),
            }));
        }
        all
    }

    /// What the policies say of a prediction. Whether it is asked about at random is nobody's to know before.
    pub(crate) fn verdict(&self, prediction: &Prediction<'_>) -> Verdict {
        let policies::InUse { policies, version } = self.policies;
        let rules = policies.for_subreddit(prediction.comment.subreddit.as_deref());
        let threshold = &rules.threshold;
        let (verdict, severity, matched, explanation) = match rules.judge(prediction) {
            Judgement::Alert { why, severity } => {
                let (matched, explanation) = match why {
                    Why::Threshold => (Matched::Threshold, format!("it meets the threshold {threshold}")),
                    Why::Always(term) => (Matched::Always, format!("it holds `{term}`, which always alerts")),
                    Why::Probe => (Matched::Probe, "it is the probe, which always alerts".to_owned()),
                };
                (Outcome::Alert, Some(severity), matched, explanation)
            }
            Judgement::Explore { .. } | Judgement::Pass(WhyNot::Threshold) => {
                let explanation = format!("it does not meet the threshold {threshold}");
                (Outcome::Pass, None, Matched::Threshold, explanation)
            }
            Judgement::Pass(WhyNot::ExemptAuthor) => {
                let explanation = "the policies exempt its author".to_owned();
                (Outcome::Pass, None, Matched::ExemptAuthor, explanation)
            }
            Judgement::Pass(WhyNot::NotJudged(why)) => {
                (Outcome::Pass, None, Matched::NotJudged, why.in_words().to_owned())
            }
            Judgement::Pass(WhyNot::Outside(outside)) => {
                (Outcome::Pass, None, Matched::OutsideSupport, outside.in_words().to_owned())
            }
        };
        let policies = policies.name.clone();
        Verdict { verdict, severity, matched, explanation, policies, policies_version: version.clone() }
    }

    /// All models that a check asks, each with its version.
    pub(crate) fn models(&self) -> String {
        self.models.all().map(named).collect::<Vec<_>>().join(", ")
    }
}

/// The reference to a comment's event that is not there yet.
pub(crate) fn unsent(source: &str, id: String, now: Timestamp) -> EventRef<'_> {
    EventRef { source: source.into(), id: id.into(), time: now }
}
