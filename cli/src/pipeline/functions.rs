//! Scoring and publishing over any world: what runs on AWS, wired for this process.

use std::path::Path;
use std::time::Duration;

use modstream_classifier::BaseRate;
use modstream_classifier::artifact::{Manifest, ModelFiles};
use modstream_in_use::models::ModelStore;
use modstream_platform::event_source::FunctionError;
use modstream_platform::table::Table;
use modstream_platform::{Clock, Objects, Stream, Topic};
use publish_alerts::{PublishAlerts, Severities};
use score_comments::ScoreComments;
use serde::Serialize;

use crate::common::args::{HarmArgs, or_default};
use crate::model::embedded;

/// How many terms a prediction names.
const TERMS: usize = 5;
/// What table, bucket and topic are called where there is one of each.
const THE_ONE: &str = "here";

/// How long an invocation may take.
pub(crate) const FUNCTION_TIMEOUT: Duration = Duration::from_secs(60);

/// `score-comments` and `publish-alerts`, over a world that has a model in use.
pub(crate) struct Functions<S, B, O, T, C> {
    score: ScoreComments<S, O, C>,
    publish: PublishAlerts<T, B, O, C>,
    clock: C,
    timeout: Duration,
}

/// The stream, table, bucket and topic that the functions work on.
pub(crate) struct Places<S, B, O, T> {
    pub(crate) predictions: S,
    pub(crate) table: B,
    pub(crate) objects: O,
    pub(crate) alerts: T,
}

impl<S: Stream, B: Table, O: Objects + Clone, T: Topic, C: Clock + Clone> Functions<S, B, O, T, C> {
    /// Starts the functions with the models of these names that are in use. Policies are those in the bucket, or one that
    /// alerts from the default probability on.
    pub(crate) async fn start(
        names: &ModelNames,
        base_rate: Option<BaseRate>,
        places: Places<S, B, O, T>,
        clock: C,
        timeout: Duration,
    ) -> anyhow::Result<Self> {
        let Places { predictions, table, objects, alerts } = places;
        let score = score_comments::Config {
            predictions_stream: predictions.name().to_owned(),
            bucket: THE_ONE.to_owned(),
            model_name: names.removal.clone(),
            harm_model_name: names.harm.clone(),
            base_rate,
            top_terms: TERMS,
        };
        let publish = publish_alerts::Config {
            alerts_topic_arn: THE_ONE.to_owned(),
            table: THE_ONE.to_owned(),
            bucket: THE_ONE.to_owned(),
            policy: or_default(None),
            severities: Severities::default(),
            links: None,
        };
        let deadline = clock.now() + timeout;
        Ok(Functions {
            score: ScoreComments::start(&score, predictions, objects.clone(), clock.clone(), deadline).await?,
            publish: PublishAlerts::new(&publish, alerts, table, objects, clock.clone()),
            clock,
            timeout,
        })
    }

    /// The same, with links to decide in each alert.
    #[cfg(feature = "aws")]
    pub(crate) fn with_links(self, links: modstream_links::LinkMaker) -> Self {
        Functions { publish: self.publish.with_links(Some(links)), ..self }
    }

    /// Answers a payload of comments.
    pub(crate) async fn score(&self, payload: &[u8]) -> Result<Vec<u8>, FunctionError> {
        answered(self.score.handle(payload, self.clock.now() + self.timeout).await)
    }

    /// Answers a payload of predictions.
    pub(crate) async fn publish(&self, payload: &[u8]) -> Result<Vec<u8>, FunctionError> {
        answered(self.publish.handle(payload, self.clock.now() + self.timeout).await)
    }
}

/// A function's answer, as whoever invoked it gets it.
pub(crate) fn answered<T: Serialize, E: std::error::Error>(answer: Result<T, E>) -> Result<Vec<u8>, FunctionError> {
    let failed = |error: &dyn std::error::Error| FunctionError(error.to_string());
    let answer = answer.map_err(|error| failed(&error))?;
    serde_json::to_vec(&answer).map_err(|error| failed(&error))
}

/// The names of the models that functions score with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelNames {
    /// The models of removals.
    pub(crate) removal: String,
    /// The harm models; none where none are wanted.
    pub(crate) harm: Option<String>,
}

/// The models that functions in this process score with.
#[derive(Clone)]
pub(crate) struct Models {
    pub(crate) files: ModelFiles,
    pub(crate) manifest: Manifest,
    /// The harm model, where one is wanted.
    pub(crate) harm: Option<(ModelFiles, Manifest)>,
}

impl Models {
    /// Reads and checks the models that were asked for.
    ///
    /// # Errors
    /// Where there is no such model, one is damaged, or not of its kind.
    pub(crate) fn read(model: Option<&Path>, harm: &HarmArgs) -> anyhow::Result<Self> {
        let files = embedded::model_files(model)?;
        let (_, manifest) = embedded::check(&files, model)?;
        let harm = embedded::harm(harm)?;
        let is_named_alike = harm.as_ref().is_some_and(|(_, harm)| harm.name == manifest.name);
        anyhow::ensure!(
            !is_named_alike,
            "both models are called {}, and a name keeps one of the two: train one under another name",
            manifest.name
        );
        Ok(Models { files, manifest, harm })
    }

    /// What the models are called.
    pub(crate) fn names(&self) -> ModelNames {
        let harm = self.harm.as_ref().map(|(_, manifest)| manifest.name.clone());
        ModelNames { removal: self.manifest.name.clone(), harm }
    }

    /// Brings the models into a bucket and into use.
    pub(crate) async fn bring<O: Objects + Clone, C: Clock + Clone>(&self, objects: O, clock: C) -> anyhow::Result<()> {
        bring_model(&self.files, &self.manifest, objects.clone(), clock.clone()).await?;
        match &self.harm {
            Some((files, manifest)) => bring_model(files, manifest, objects, clock).await,
            None => Ok(()),
        }
    }
}

/// Brings a model into a bucket and into use.
pub(crate) async fn bring_model<O: Objects, C: Clock>(
    files: &ModelFiles,
    manifest: &Manifest,
    objects: O,
    clock: C,
) -> anyhow::Result<()> {
    let deadline = clock.now() + FUNCTION_TIMEOUT;
    let store = ModelStore::new(objects, clock, manifest.name.clone());
    store.push(files, deadline).await?;
    store.promote(&manifest.version, deadline).await?;
    Ok(())
}
