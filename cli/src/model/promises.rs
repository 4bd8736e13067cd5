//! What a model promises at a base rate, and which policies ask for more.

use modstream_classifier::artifact::Manifest;
use modstream_classifier::{BaseRate, HeldOut, Intervals, LogOdds, Rates};
use modstream_events::OperatingPoint;
use modstream_policy::{Policies, Rules};
use publish_alerts::Condition;
use serde_json::{Value, json};

#[cfg(feature = "aws")]
use crate::common::display::in_full;
use crate::common::display::{one_line, short_version};

/// What alerting from a probability up gives.
pub(crate) struct Threshold {
    pub(crate) probability: f64,
    pub(crate) point: OperatingPoint,
    pub(crate) intervals: Intervals,
}

/// A model's promises at a base rate.
pub(crate) struct Promises {
    rates: Rates,
    /// The training data's base rate.
    trained: BaseRate,
    /// The base rate that is assumed.
    pub(crate) assumed: BaseRate,
    pub(crate) held_out: HeldOut,
}

impl Promises {
    /// The promises of the model that `manifest` describes; the training data's base rate is assumed where none is
    /// given.
    ///
    /// # Errors
    /// Where the manifest's rates make no table.
    pub(crate) fn of(manifest: &Manifest, base_rate: Option<BaseRate>) -> anyhow::Result<Self> {
        let head = manifest.first_head();
        let counts = head.measured.counts;
        let trained = BaseRate::new(counts.share())?;
        Ok(Promises {
            rates: Rates::new(head.rates.clone())?,
            trained,
            assumed: base_rate.unwrap_or(trained),
            held_out: HeldOut { removed: counts.positives, kept: counts.negatives() },
        })
    }

    /// What alerting from the highest threshold up gives: the best that the model can promise.
    pub(crate) fn best(&self) -> Threshold {
        self.at(self.rates.highest())
    }

    fn shift(&self) -> f64 {
        self.assumed.log_odds() - self.trained.log_odds()
    }

    fn at(&self, log_odds: LogOdds) -> Threshold {
        Threshold {
            probability: LogOdds(log_odds.0 + self.shift()).probability(),
            point: self.rates.operating_point(log_odds, self.assumed),
            intervals: self.rates.intervals(log_odds, self.assumed, self.held_out),
        }
    }

    /// Where a policy begins; `None` where it never does.
    pub(crate) fn from(&self, condition: Condition) -> Option<Threshold> {
        let lowest = match condition {
            Condition::Probability(least) => Some(LogOdds(LogOdds::of(least).0 - self.shift())),
            Condition::Precision(_) | Condition::Share(_) => {
                self.rates.lowest(self.assumed, |point| condition.is_met_by(f64::NAN, point))
            }
        };
        lowest.map(|log_odds| self.at(log_odds))
    }
}

/// A policy that no comment can meet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OutOfReach {
    asked: Condition,
    /// What the model promises from its highest threshold up.
    best: OperatingPoint,
}

impl OutOfReach {
    /// The condition, where the model can't meet it.
    pub(crate) fn find(condition: Condition, promises: &Promises) -> Option<Self> {
        let best = condition.out_of_reach(&promises.rates, promises.assumed)?;
        Some(OutOfReach { asked: condition, best })
    }

    /// What is asked, and the best that `model` can do; `whose` is the part of a document that asks for it.
    pub(crate) fn in_words(&self, whose: &str, model: &str) -> String {
        let OutOfReach { asked, best } = self;
        let found = match asked {
            Condition::Share(_) => format!("a share of {:.4} at least", best.share),
            Condition::Precision(_) | Condition::Probability(_) => {
                format!("a precision of {:.2} at most", best.precision)
            }
        };
        let rate = best.base_rate * 100.0;
        format!("no comment can meet {asked}{whose}: where {rate:.1} % are removed, {model} promises {found}")
    }
}

/// What a document asks that a model can't promise.
pub(crate) struct Unmet {
    /// The model's name and version.
    model: (String, String),
    /// The subreddit whose rules ask for it, none for the default's, and what they ask.
    rules: Vec<(Option<String>, OutOfReach)>,
}

impl Unmet {
    /// What `policies` ask that the model can't promise. A rule without a base rate has the given one, or the training
    /// data's.
    ///
    /// # Errors
    /// Where the manifest's rates make no table.
    pub(crate) fn of(policies: &Policies, manifest: &Manifest, assumed: Option<BaseRate>) -> anyhow::Result<Self> {
        let mut rules = Vec::new();
        let own = policies.subreddits().map(|(name, rules)| (Some(name.to_owned()), rules));
        for (subreddit, Rules { threshold, base_rate, .. }) in [(None, &policies.default)].into_iter().chain(own) {
            let base_rate = base_rate.map(BaseRate::new).transpose()?.or(assumed);
            let found = OutOfReach::find(*threshold, &Promises::of(manifest, base_rate)?);
            rules.extend(found.map(|found| (subreddit, found)));
        }
        Ok(Unmet { model: (manifest.name.clone(), manifest.version.clone()), rules })
    }

    /// Warns on standard error, a line for all rules that ask the same.
    pub(crate) fn warn(&self) {
        for warning in self.warnings() {
            eprintln!("warning: {}", one_line(&warning));
        }
    }

    /// The same as a text; none where there is nothing to say.
    pub(crate) fn in_words(&self) -> Option<String> {
        Some(self.warnings().join("; ")).filter(|words| !words.is_empty())
    }

    fn warnings(&self) -> Vec<String> {
        let (name, version) = &self.model;
        let model = format!("the model {name} {}", short_version(version));
        let mut said: Vec<(&OutOfReach, Vec<String>)> = Vec::new();
        for (subreddit, found) in &self.rules {
            let whose = subreddit.as_ref().map_or_else(|| "default".to_owned(), |name| format!("subreddits.{name}"));
            match said.iter_mut().find(|(known, _)| *known == found) {
                Some((_, all)) => all.push(whose),
                None => said.push((found, vec![whose])),
            }
        }
        said.iter().map(|(found, whose)| found.in_words(&format!(" ({})", whose.join(", ")), &model)).collect()
    }

    /// The rules out of reach for a program, an object each.
    pub(crate) fn in_json(&self) -> Value {
        let rule = |(subreddit, OutOfReach { asked, best }): &(Option<String>, OutOfReach)| {
            json!({
                "subreddit": subreddit,
                "policy": asked.to_string(),
                "base_rate": best.base_rate,
                "best": { "precision": best.precision, "recall": best.recall, "share": best.share },
            })
        };
        self.rules.iter().map(rule).collect()
    }
}

/// What can't be promised, as far as it can be found out: that it can't be is a warning.
#[cfg(feature = "aws")]
pub(crate) fn unmet_if_known(found: anyhow::Result<Option<Unmet>>) -> Option<Unmet> {
    found.unwrap_or_else(|error| {
        let cause = one_line(&in_full(&error));
        eprintln!("warning: whether the model in use can meet the policies is not known: {cause}");
        None
    })
}
