//! Says which policies no comment can meet, since the model promises less than they ask: nobody would miss their alerts.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use modstream_events::Prediction;
use modstream_in_use::policies::InUse;
use modstream_in_use::promised::{PromisedError, promised_rates};
use modstream_platform::{Clock, Objects};
use modstream_policy::{Policies, Rules};
use modstream_rates::{BaseRate, Rates};
use modstream_telemetry::{Promise, policy_out_of_reach, policy_reach_unknown};
use tokio::sync::Mutex;

/// A look at a model's manifest takes at most this long: the batch is handled, and its answer waits.
const CHECK_TIME: Duration = Duration::from_secs(3);
/// After a call that failed, the manifest is asked for again at most this often.
const RETRY_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// The model that a batch was scored with.
#[derive(Debug, Default)]
pub(crate) struct Scored(OnceLock<Model>);

#[derive(Debug)]
struct Model {
    name: String,
    version: String,
    /// The share of comments that moderators remove, as the scorer assumes it.
    base_rate: f64,
}

impl Scored {
    /// Notes the model of a prediction, if it is the batch's first.
    pub(crate) fn note(&self, prediction: &Prediction<'_>) {
        self.0.get_or_init(|| Model {
            name: prediction.model.name.clone().into_owned(),
            version: prediction.model.version.clone().into_owned(),
            base_rate: prediction.operating_point.base_rate,
        });
    }
}

/// What was said already.
#[derive(Debug, Default)]
pub(crate) struct Reach(Mutex<Said>);

#[derive(Debug, Default)]
struct Said {
    /// The versions of policies and model that nothing is left to say about.
    done: BTreeSet<(String, String)>,
    failed: Option<Timestamp>,
}

impl Reach {
    /// Says of each policies document and model, once, what of the document the model can't promise. A manifest that can't be
    /// read disturbs nothing: that it is not known is said instead.
    pub(crate) async fn tell<O: Objects, C: Clock>(
        &self,
        objects: &O,
        clock: &C,
        deadline: Timestamp,
        in_use: &InUse,
        scored: Scored,
    ) {
        let Some(model) = scored.0.into_inner() else { return };
        let InUse { policies, version } = in_use;
        if !all_rules(policies).any(|(_, rules)| rules.threshold.asks_for_a_promise()) {
            return;
        }
        let mut said = self.0.lock().await;
        let versions = (version.clone(), model.version.clone());
        let now = clock.now();
        let waits = said.failed.is_some_and(|failed| now.duration_since(failed) < RETRY_EVERY);
        if waits || said.done.contains(&versions) {
            return;
        }
        let until = now.checked_add(CHECK_TIME).map_or(deadline, |until| until.min(deadline));
        match promised_rates(objects, clock, until, &model.name, &model.version).await {
            Ok(rates) => {
                say(version, policies, &model, &rates);
                said.done.insert(versions);
            }
            Err(error) => {
                policy_reach_unknown(version, &model.version, &error.to_string());
                if matches!(error, PromisedError::Delivery(_)) {
                    said.failed = Some(now);
                } else {
                    said.done.insert(versions);
                }
            }
        }
    }
}

/// The default's rules and those of each subreddit, by name.
fn all_rules(policies: &Policies) -> impl Iterator<Item = (&str, &Rules)> {
    std::iter::once(("default", &policies.default)).chain(policies.subreddits())
}

fn say(version: &str, policies: &Policies, model: &Model, rates: &Rates) {
    for (scope, rules) in all_rules(policies) {
        let Ok(base_rate) = BaseRate::new(rules.base_rate.unwrap_or(model.base_rate)) else { continue };
        if let Some(best) = rules.threshold.out_of_reach(rates, base_rate) {
            let promise = Promise { precision: best.precision, share: best.share, base_rate: best.base_rate };
            policy_out_of_reach(version, scope, &rules.threshold, &model.version, promise);
        }
    }
}
