//! What a text is judged by: the models, and the policies. All that the front door asks of either is here.

use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use modstream_classifier::{ByDefault, Label, REMOVAL, Score, Scratch, not_judged};
use modstream_events::{
    Comment, EventRef, LabelPrediction, Meets, ModelRef, Outside, Prediction, SelfHarm, Severity, Term,
};
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
    /// Which of them comments are scored with, too, so that severity follows harm; none where none is.
    pub harm: Option<Arc<InUse>>,
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
    /// How the text differs from all that the model learned from, where it does: the label says nothing of it then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) support: Option<Outside>,
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
    /// How harmful the comment is, which severity follows, where labels were judged: the largest of a label's weight times its
    /// probability.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub(crate) harm: Option<f64>,
    /// Which of the policies about removals and about harm the comment meets.
    pub(crate) meets: Meets<'static>,
    /// That the comment may be of somebody who thinks of harming themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) self_harm: Option<SelfHarm<'static>>,
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
    /// The prediction meets the threshold, or neither that nor a label's.
    Threshold,
    /// The prediction meets a label's threshold, and not that of removals.
    Label,
    /// The comment holds a phrase of people who may harm themselves.
    SelfHarm,
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
        let InUse { model, .. } = &*self.models.removal;
        let body = comment.body.as_deref().unwrap_or_default();
        let not_judged = not_judged(body);
        let harm = self.models.harm.as_deref().filter(|_| not_judged.is_none());
        let said = harm.map(|harm| harm.model.label_predictions(body, TERMS, scratch));
        let (labels, harm_support) = match said {
            Some(Ok(labels)) => (Some(labels.into_iter().map(LabelPrediction::into_owned).collect()), None),
            Some(Err(outside)) => (None, Some(outside)),
            None => (None, None),
        };
        let explanation = model.explain(body, TERMS, scratch);
        let terms = explanation.terms.into_iter().map(Term::into_owned).collect();
        let named = |model: &InUse| ModelRef { name: model.name.clone().into(), version: model.version.clone().into() };
        Prediction {
            probability: explanation.score.probability(),
            log_odds: explanation.score.log_odds.0,
            intercept: explanation.intercept,
            terms,
            other: explanation.other,
            model: named(&self.models.removal),
            operating_point: model.operating_point(explanation.score),
            labels,
            harm_model: harm.map(named),
            harm_support,
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
                support: explanation.outside,
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
        let harm = rules.harm(prediction).map(|found| found.harm);
        let mut self_harm = None;
        let (verdict, severity, matched, explanation) = match rules.judge(prediction) {
            Judgement::Alert { why, severity } => {
                let (matched, explanation) = match why {
                    Why::Thresholds(meets) if meets.labels.is_empty() => {
                        (Matched::Threshold, format!("it meets the threshold {threshold}"))
                    }
                    Why::Thresholds(meets) => {
                        let labels = rules.label_conditions(&meets);
                        match meets.removal {
                            true => (Matched::Threshold, format!("it meets the threshold {threshold}, and {labels}")),
                            false => (Matched::Label, format!("it meets {labels}")),
                        }
                    }
                    Why::SelfHarm(phrase) => {
                        let explanation =
                            format!("it holds `{phrase}`: whoever says so may think of harming themselves");
                        self_harm = Some(rules.self_harm.found(&phrase));
                        (Matched::SelfHarm, explanation)
                    }
                    Why::Always(term) => (Matched::Always, format!("it holds `{term}`, which always alerts")),
                    Why::Probe => (Matched::Probe, "it is the probe, which always alerts".to_owned()),
                };
                (Outcome::Alert, Some(severity), matched, explanation)
            }
            Judgement::Explore { .. } | Judgement::Pass(WhyNot::Threshold) => {
                let nor = if harm.is_some() { ", nor does a label meet its own" } else { "" };
                let explanation = format!("it does not meet the threshold {threshold}{nor}");
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
        let (meets, policies_version) = (rules.meets(prediction), version.clone());
        Verdict { verdict, severity, harm, meets, self_harm, matched, explanation, policies, policies_version }
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
