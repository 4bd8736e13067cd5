use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use modstream_events::{Meets, PolicyRef};
use normal_form::name_key;

use crate::{
    AlwaysTerm, AlwaysTerms, Channel, Condition, Document, HarmRules, OutsideSupport, Policy, Problem, QuietHours,
    RulesDocument, SelfHarmRules, Severities, SeverityDocument,
};

/// Rules for all comments, and by subreddit where they differ: a checked document.
#[derive(Clone, Debug, PartialEq)]
pub struct Policies {
    pub(crate) document: Document,
    /// The policies' name. It is part of an alert's id: under another name the same comment alerts again.
    pub name: String,
    /// The rules of subreddits that have none of their own.
    pub default: Rules,
    /// The rules that differ, by the key of the subreddit's name.
    pub(crate) subreddits: BTreeMap<String, Rules>,
    /// The most alerts that are published in an hour, of all subreddits.
    pub max_alerts_per_hour: Option<u32>,
    /// When alerts are held back because there are too many.
    pub breaker: Option<Breaker>,
}

/// The rules for a comment.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// The condition that a prediction must meet.
    pub threshold: Condition,
    /// The share of comments that moderators remove; the model's where it is not set.
    pub base_rate: Option<f64>,
    /// How urgent an alert is.
    pub severities: Severities,
    /// The most alerts of a subreddit that are published in an hour.
    pub max_alerts_per_hour: Option<u32>,
    /// When nobody is to be woken.
    pub quiet_hours: Option<QuietHours>,
    /// Where alerts go.
    pub channels: Vec<Channel>,
    /// The authors whose comments never alert.
    pub exempt_authors: Vec<String>,
    /// The texts that always alert, wherever a comment holds one.
    pub always: AlwaysTerms,
    /// The share of other comments that moderators are asked about all the same.
    pub exploration_share: f64,
    /// What becomes of a comment unlike all that the model learned from.
    pub outside_support: OutsideSupport,
    /// What labels mean; the same in all subreddits.
    pub harm: Arc<HarmRules>,
    /// How comments of people who may harm themselves are found; the same in all subreddits.
    pub self_harm: Arc<SelfHarmRules>,
}

/// When so many comments alert that something must be wrong: the numbers of the document's breaker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breaker {
    /// The largest share of comments that may alert.
    pub max_share: f64,
    /// The stretch of time that the share is of.
    pub window: SignedDuration,
    /// The number of alerts below which the breaker stays closed.
    pub min_alerts: u64,
    /// How long the breaker stays open.
    pub open_for: SignedDuration,
}

impl Policies {
    /// Policies that say no more than a policy and severities.
    pub fn of(policy: &Policy, severities: Severities) -> Self {
        let Severities { medium, high } = severities;
        let rules = RulesDocument {
            threshold: Some(policy.condition.to_string()),
            severity: Some(SeverityDocument { medium, high }),
            ..RulesDocument::default()
        };
        let document = Document { name: Some(policy.name.clone()), default: rules, ..Document::default() };
        Policies {
            document,
            name: policy.name.clone(),
            default: Rules { severities, ..Rules::new(policy.condition) },
            subreddits: BTreeMap::new(),
            max_alerts_per_hour: None,
            breaker: None,
        }
    }

    /// The rules for a comment of this subreddit, whatever the case of its name.
    pub fn for_subreddit(&self, subreddit: Option<&str>) -> &Rules {
        let own = subreddit.filter(|_| !self.subreddits.is_empty());
        own.and_then(|name| self.subreddits.get(name_key(name).as_ref())).unwrap_or(&self.default)
    }

    /// The subreddits that have rules of their own, with their names as written, in order.
    pub fn subreddits(&self) -> impl Iterator<Item = (&str, &Rules)> {
        self.document.subreddits.keys().map(|name| (name.as_str(), self.for_subreddit(Some(name))))
    }

    /// The `always` terms that begin with a mark, so that they are hardly ever found, each with its field.
    pub fn begin_with_mark(&self) -> Vec<(String, &AlwaysTerm)> {
        self.always_terms().filter(|(_, term)| term.begins_with_mark()).collect()
    }

    /// The `always` terms that are never found, since nothing is left of them in their normal form, each with its field.
    pub fn never_found(&self) -> Vec<(String, &AlwaysTerm)> {
        self.always_terms().filter(|(_, term)| term.is_never_found()).collect()
    }

    /// The labels that the document names and a model does not have, each as a problem of its field: what is said of them would
    /// hold of nothing. `model` says in words which model it is.
    pub fn unknown_labels<'l>(&self, labels: impl IntoIterator<Item = &'l str>, model: &str) -> Vec<Problem> {
        let known: Vec<&str> = labels.into_iter().collect();
        let unknown = self.default.harm.named().into_iter().filter(|(_, label)| !known.contains(label));
        let has = known.join(", ");
        unknown
            .map(|(field, label)| Problem {
                line: None,
                field,
                what: format!(
                    "{model} has no label `{label}`: write one of those that it has ({has}), or leave it out"
                ),
            })
            .collect()
    }

    /// The labels that the document names, each with the field that does first.
    pub fn named_labels(&self) -> BTreeMap<&str, String> {
        let mut named = BTreeMap::new();
        for (field, label) in self.default.harm.named() {
            named.entry(label).or_insert(field);
        }
        named
    }

    fn always_terms(&self) -> impl Iterator<Item = (String, &AlwaysTerm)> {
        let Document { default, subreddits, self_harm, .. } = &self.document;
        let subreddits = subreddits.iter().map(|(name, rules)| (format!("subreddits.{name}"), rules));
        let always = [("default".to_owned(), default)].into_iter().chain(subreddits).flat_map(|(at, rules)| {
            let terms = rules.always.iter().flatten().enumerate();
            terms.map(move |(index, term)| (format!("{at}.always[{index}]"), term))
        });
        let self_harm = self_harm.iter().flat_map(|own| {
            let phrases = own.phrases.iter().flatten().enumerate().map(|found| ("phrases", found));
            phrases.chain(own.more_phrases.iter().enumerate().map(|found| ("more_phrases", found)))
        });
        always.chain(self_harm.map(|(list, (index, term))| (format!("self_harm.{list}[{index}]"), term)))
    }

    /// The one JSON text of these policies, however they were written.
    ///
    /// # Panics
    /// Never: every document has a JSON form.
    pub fn canonical(&self) -> Vec<u8> {
        serde_json::to_vec(&self.document).expect("documents serialise into memory")
    }

    /// How alerts name the rules they follow from. Of an alert that labels alone make, these are the labels' conditions.
    pub fn to_ref<'a>(&'a self, rules: &Rules, meets: Option<&Meets<'_>>) -> PolicyRef<'a> {
        let by_labels = meets.filter(|meets| !meets.removal && !meets.labels.is_empty());
        let condition = by_labels.map_or_else(|| rules.threshold.to_string(), |meets| rules.label_conditions(meets));
        PolicyRef { name: self.name.as_str().into(), condition: condition.into() }
    }
}

impl Rules {
    /// The conditions of the labels that a comment meets, as a text.
    pub fn label_conditions(&self, meets: &Meets<'_>) -> String {
        let conditions = meets.labels.iter().map(|label| match self.harm.condition(label) {
            Some(condition) => format!("{label} {condition}"),
            None => label.to_string(),
        });
        conditions.collect::<Vec<_>>().join(", ")
    }

    /// Rules that say no more than a threshold.
    pub fn new(threshold: Condition) -> Self {
        Rules {
            threshold,
            base_rate: None,
            severities: Severities::default(),
            max_alerts_per_hour: None,
            quiet_hours: None,
            channels: vec![Channel::Alerts, Channel::Digest],
            exempt_authors: Vec::new(),
            always: AlwaysTerms::default(),
            exploration_share: 0.0,
            outside_support: OutsideSupport::default(),
            harm: Arc::default(),
            self_harm: Arc::default(),
        }
    }
}
