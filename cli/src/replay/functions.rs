//! The functions over a world in memory: a chunk's records in, what they make of them out.

use std::time::Duration;

use anyhow::Context as _;
use modstream_classifier::artifact::Manifest;
use modstream_classifier::{BaseRate, SeenTexts};
use modstream_events::{Alert, Event, Prediction, Term};
use modstream_in_use::policies::PolicyStore;
use modstream_ledger::{Entry, SCHEMA};
use modstream_platform::deliver::{Delivery, put_all};
use modstream_platform::memory::{
    Config, EventSource, MemoryClock, MemoryObjects, MemoryStream, MemoryTable, MemoryTopic,
};
use modstream_platform::{Clock as _, Objects as _, PutRecord};
use modstream_policy::Policies;
use modstream_trainer::cut_edits;

use super::sides::{CommentOutcome, CommentOutcomes, Item, Known, Raised, Side, Was, event_key};
use crate::common::display::short_version;
use crate::pipeline::functions::{self as pipeline, Models, Places};
use crate::pipeline::in_memory::check_none_given_up;

/// How long the functions may take for a chunk.
const CHUNK_TIMEOUT: Duration = Duration::from_secs(600);
/// The records of a batch, as many as Lambda gives in one payload.
const RECORDS_PER_BATCH: usize = 1_000;

/// `score-comments` and `publish-alerts` with a model and policies.
pub(crate) struct Functions {
    pub(crate) models: Models,
    /// The texts that the model of removals was trained on, where it says so.
    pub(crate) seen: Option<SeenTexts>,
    pub(crate) base_rate: Option<BaseRate>,
    pub(crate) policies: Policies,
    /// What the policies are called where they are shown.
    pub(crate) condition: String,
}

impl Functions {
    /// What the functions make of these records, and how many they quarantine.
    pub(crate) async fn run(&self, items: &[Item]) -> anyhow::Result<(CommentOutcomes, usize)> {
        let clock = MemoryClock::system();
        let deadline = clock.now() + CHUNK_TIMEOUT;
        let objects = MemoryObjects::new();
        let [comments, predictions] = ["comments", "predictions"].map(|name| MemoryStream::new(name, 1, clock));
        let topic = MemoryTopic::new("alerts");

        self.models.bring(objects.clone(), clock).await?;
        PolicyStore::new(&objects, &clock, deadline).push(&self.policies).await?;
        let table = MemoryTable::new("memory", SCHEMA, clock);
        let places =
            Places { predictions: predictions.clone(), table: table.clone(), objects: objects.clone(), alerts: topic };
        let names = self.models.names();
        let functions = pipeline::Functions::start(&names, self.base_rate, places, clock, CHUNK_TIMEOUT).await?;

        let records =
            items.iter().map(|item| PutRecord { partition_key: item.partition_key.clone(), data: item.data.clone() });
        let mut too_large = 0;
        for delivery in put_all(&comments, &clock, deadline, records.collect()).await {
            match delivery {
                Delivery::Stored { .. } => {}
                Delivery::TooLarge { .. } | Delivery::Refused { .. } => too_large += 1,
                Delivery::Failed(error) => return Err(error.into()),
            }
        }
        let functions = &functions;
        let score = |payload: Vec<u8>| async move { functions.score(&payload).await };
        let publish = |payload: Vec<u8>| async move { functions.publish(&payload).await };
        check_none_given_up(&source(comments, clock, score_comments::NAME).run_until_drained(score).await)?;
        let publishing = source(predictions.clone(), clock, publish_alerts::NAME);
        check_none_given_up(&publishing.run_until_drained(publish).await)?;

        let mut outcomes = CommentOutcomes::with_capacity(items.len());
        for record in predictions.records() {
            let event: Event<'_, Prediction<'_>> = Event::decode(&record.data).context("a prediction")?;
            let Prediction { comment_event, probability, terms, operating_point, not_judged, support, .. } = event.data;
            let terms = terms.into_iter().map(Term::into_owned).collect();
            let share = (not_judged.is_none() && support.is_none()).then_some(operating_point.share);
            let outcome = CommentOutcome { probability, share, terms, alert: None };
            outcomes.insert(event_key(&comment_event.source, &comment_event.id), outcome);
        }
        // What is held back alerts too: here every comment comes in the same hour, so budgets are none of a replay's business.
        for entry in table.items().iter().filter_map(|item| Entry::of_item(item).ok()) {
            let event: Event<'_, Alert<'_>> = Event::decode(&entry.event).context("an alert")?;
            let Alert { comment_event, severity, policy, exploration: None, .. } = event.data else { continue };
            if let Some(outcome) = outcomes.get_mut(&event_key(&comment_event.source, &comment_event.id)) {
                outcome.alert = Some(Raised { severity, condition: policy.condition.into_owned() });
            }
        }
        let quarantined = objects.list("quarantine/").await?.len();
        Ok((outcomes, quarantined + too_large))
    }

    /// The name under which a replay shows these functions.
    pub(crate) fn named(&self) -> Side {
        let Manifest { name, version, .. } = &self.models.manifest;
        Side {
            name: format!("{name} {}", short_version(version)),
            condition: self.condition.clone(),
            model: Some((name.clone(), version.clone())),
        }
    }
}

impl Was for Functions {
    async fn outcomes(&mut self, _: &[Known], items: &[Item]) -> anyhow::Result<CommentOutcomes> {
        Ok(self.run(items).await?.0)
    }

    fn side(&self) -> Side {
        self.named()
    }

    fn was_trained_on(&self, body: &str) -> Option<bool> {
        self.seen.as_ref().map(|seen| seen.holds(cut_edits(body)))
    }
}

fn source(stream: MemoryStream, clock: MemoryClock, function: &str) -> EventSource<MemoryClock> {
    let config =
        Config { batch_size: RECORDS_PER_BATCH, max_retry_attempts: Some(10), ..Config::for_function(function) };
    EventSource::new(stream, clock, config)
}
