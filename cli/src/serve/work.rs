//! What is done with what came in: the functions, each over its stream, digests by the clock, and tidying up.

use std::sync::Arc;
use std::time::Duration;

use archive_comments::ArchiveComments;
use digest_alerts::{DigestAlerts, Links, Rules};
use futures_util::future::{OptionFuture, join, join5};
use jiff::{SignedDuration, Timestamp};
use kinesis_batch::BatchResponse;
use modstream_classifier::BaseRate;
use modstream_decisions::Decisions;
use modstream_gateway::FEEDBACK_PREFIX;
use modstream_links::{FORUM, LinkSettings, RenewedLinks};
use modstream_platform::event_source::{Config, End, EventSource, FunctionError, OnBatchFailure};
use modstream_platform::sqlite::{
    Beginning, DatabaseError, SqliteObjects, SqliteSecrets, SqliteStream, SqliteTable, SqliteTopic,
};
use modstream_platform::{Clock as _, SystemClock};
use modstream_telemetry::{invocation_failed, sweep_failed};
use serde_json::json;
use tokio::sync::watch;

use super::data::{DataFolder, LINK_KEY};
use super::mail::{MailArgs, Mailer};
use super::metrics::{Batch, Metrics};
use crate::pipeline::functions::{FUNCTION_TIMEOUT, Functions, ModelNames, Places, answered};

/// The records of a batch.
const BATCH: usize = 500;
/// How long comments are gathered for an object of the archive.
const ARCHIVE_WINDOW: Duration = Duration::from_secs(60);
/// How long a digest's window is, and how long it waits for alerts about its comments.
const DIGEST_WINDOW: SignedDuration = SignedDuration::from_mins(5);
const DIGEST_LATENESS: SignedDuration = SignedDuration::from_secs(60);
/// How long it is slept at most: the clock may be set meanwhile.
const LOOK_AT_CLOCK_EVERY: Duration = Duration::from_secs(20);
/// How often it is looked what may go.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// How many records, items or objects go in one transaction.
const TIDIED_AT_ONCE: usize = 1_000;
/// How much of the file's free space is given back at once.
const FREED_PAGES: u32 = 512;

/// How long what is done with is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Retention {
    /// Records of streams.
    pub(super) streams: SignedDuration,
    /// Objects of the archive.
    pub(super) archive: SignedDuration,
}

/// What works on a data folder.
pub(super) struct Work {
    data: DataFolder,
    metrics: Arc<Metrics>,
    functions: Functions<SqliteStream, SqliteTable, SqliteObjects, SqliteTopic, SystemClock>,
    archive: ArchiveComments<SqliteObjects, SystemClock>,
    digests: DigestAlerts<SqliteTopic, SqliteTable, SystemClock>,
    rules: Rules,
    links: RenewedLinks<SqliteSecrets, SystemClock>,
    retention: Retention,
    mailer: Option<Mailer>,
}

/// What is asked of those who work.
#[derive(Clone, Debug)]
pub(super) struct WorkSettings {
    /// The names of the models to score with.
    pub(super) models: ModelNames,
    pub(super) base_rate: Option<BaseRate>,
    /// Where the desk is opened.
    pub(super) desk_url: String,
    pub(super) retention: Retention,
    pub(super) mail: MailArgs,
}

impl Work {
    /// Starts the functions over a folder whose model is in use.
    pub(super) async fn start(
        data: DataFolder,
        metrics: Arc<Metrics>,
        settings: &WorkSettings,
    ) -> anyhow::Result<Self> {
        let WorkSettings { models, base_rate, desk_url, retention, mail } = settings;
        let mailer = Mailer::new(mail, data.digests.clone()).await?;
        for function in [score_comments::NAME, archive_comments::NAME] {
            data.comments.begin(function, Beginning::Oldest).await?;
        }
        data.predictions.begin(publish_alerts::NAME, Beginning::Oldest).await?;
        let settings = LinkSettings { base: desk_url.clone(), secret: LINK_KEY.to_owned() };
        let deadline = SystemClock.now() + FUNCTION_TIMEOUT;
        let links = settings.renewed(data.secrets.clone(), SystemClock, deadline).await?;
        let places = Places {
            // A prediction is there when its comment is done, or not at all.
            predictions: data.predictions.with_checkpoint(),
            table: data.table.clone(),
            objects: data.objects.clone(),
            alerts: data.alerts.clone(),
        };
        let functions = Functions::start(models, *base_rate, places, SystemClock, FUNCTION_TIMEOUT).await?;
        let config = digest_alerts::Config {
            digests_topic_arn: "here".to_owned(),
            table: "here".to_owned(),
            bucket: "here".to_owned(),
            window: DIGEST_WINDOW,
            allowed_lateness: DIGEST_LATENESS,
            decisions_stream: Some("decisions".to_owned()),
            links: None,
            forum: FORUM.to_owned(),
        };
        let to_pages = Links::made_by(links.maker(), SystemClock);
        let digests = DigestAlerts::new(&config, data.digests.clone(), data.table.clone(), SystemClock, to_pages)?;
        Ok(Work {
            functions: functions.with_links(links.maker()),
            archive: ArchiveComments::new(data.objects.clone(), SystemClock),
            digests,
            rules: Rules::default(),
            links,
            data,
            metrics,
            retention: *retention,
            mailer,
        })
    }

    /// Works until it is asked to stop; then ends what is under way.
    pub(super) async fn run(&self, stop: watch::Receiver<bool>) {
        let config = |name: &str| Config::<SqliteObjects> {
            batch_size: BATCH,
            on_batch_failure: OnBatchFailure::Bisect,
            // It is tried until it is done: on one machine there is nothing else to go on with, and nobody looks for what was
            // given up.
            max_retry_attempts: None,
            ..Config::for_function(name)
        };
        let DataFolder { comments, predictions, .. } = &self.data;
        let source = |stream: &SqliteStream, config| EventSource::new(stream.clone(), SystemClock, config);
        let scoring = source(comments, config(score_comments::NAME));
        let publishing = source(predictions, config(publish_alerts::NAME));
        let gathering = Config { batching_window: ARCHIVE_WINDOW, ..config(archive_comments::NAME) };
        let archiving = source(comments, gathering);
        let score =
            |payload: Vec<u8>| async move { self.counted(score_comments::NAME, self.functions.score(&payload).await) };
        let publish = |payload: Vec<u8>| async move {
            self.links.renew(SystemClock.now() + FUNCTION_TIMEOUT).await;
            self.counted(publish_alerts::NAME, self.functions.publish(&payload).await)
        };
        let archive = |payload: Vec<u8>| async move {
            let deadline = SystemClock.now() + FUNCTION_TIMEOUT;
            self.counted(archive_comments::NAME, answered(self.archive.handle(&payload, deadline).await))
        };
        let failed = || self.metrics.failed("email");
        let mailing: OptionFuture<_> = self.mailer.as_ref().map(|mailer| mailer.run(failed, stop.clone())).into();
        let working = join5(
            Box::pin(scoring.run_until(score, stopped(stop.clone()))),
            Box::pin(publishing.run_until(publish, stopped(stop.clone()))),
            Box::pin(archiving.run_until(archive, stopped(stop.clone()))),
            Box::pin(self.digest(stop.clone())),
            Box::pin(self.tidy(stop)),
        );
        join(working, Box::pin(mailing)).await;
    }

    /// Counts an answer, and passes it on.
    fn counted(
        &self,
        function: &'static str,
        answer: Result<Vec<u8>, FunctionError>,
    ) -> Result<Vec<u8>, FunctionError> {
        let outcome = match &answer {
            Err(error) => {
                invocation_failed(function, &error.0);
                Batch::Failed
            }
            Ok(bytes) => {
                let response: Option<BatchResponse> = serde_json::from_slice(bytes).ok();
                let is_done = response.is_some_and(|response| response.batch_item_failures.is_empty());
                if is_done { Batch::Done } else { Batch::Again }
            }
        };
        self.metrics.batch(function, outcome);
        answer
    }

    /// Makes digests when their windows are over, and sends decisions on that did not get to their stream.
    async fn digest(&self, mut stop: watch::Receiver<bool>) {
        loop {
            let now = SystemClock.now();
            let made = Box::pin(self.make_digests(now)).await;
            if let Err(error) = made {
                self.metrics.failed("digest");
                invocation_failed(digest_alerts::NAME, &error.to_string());
            }
            let next = next_digest(now);
            loop {
                let left = next.duration_since(SystemClock.now());
                let Some(wait) = Duration::try_from(left).ok().filter(|wait| !wait.is_zero()) else { break };
                // A clock that was set back makes no longer wait than a window.
                let window = Duration::try_from(DIGEST_WINDOW).unwrap_or_default();
                if wait > window + LOOK_AT_CLOCK_EVERY {
                    break;
                }
                if is_stopped_within(&mut stop, wait.min(LOOK_AT_CLOCK_EVERY)).await {
                    return;
                }
            }
        }
    }

    async fn make_digests(&self, time: Timestamp) -> anyhow::Result<()> {
        let DataFolder { table, objects, decisions, .. } = &self.data;
        let deadline = SystemClock.now() + FUNCTION_TIMEOUT;
        self.links.renew(deadline).await;
        let sweep = Decisions::new(table, decisions, &SystemClock, deadline);
        if let Err(error) = sweep.sweep(objects).await {
            // The next run looks again; digests do not wait for it.
            sweep_failed(&error);
        }
        let rules = self.rules.in_use(objects, &SystemClock, deadline).await?;
        let payload = json!({ "time": time }).to_string();
        self.digests.handle(payload.as_bytes(), deadline, |subreddit, time| rules.of(subreddit, time)).await?;
        Ok(())
    }

    /// Drops what is old enough and done with, and gives the file's free space back.
    async fn tidy(&self, mut stop: watch::Receiver<bool>) {
        loop {
            if is_stopped_within(&mut stop, TIDY_EVERY).await {
                return;
            }
            if self.tidy_up(&stop).await.is_err() {
                self.metrics.failed("tidy");
            }
        }
    }

    async fn tidy_up(&self, stop: &watch::Receiver<bool>) -> Result<(), DatabaseError> {
        let before = |kept: SignedDuration| SystemClock.now().checked_sub(kept).unwrap_or(Timestamp::MIN);
        let goes_on = |gone: usize| gone == TIDIED_AT_ONCE && !*stop.borrow();
        for (_, stream) in self.data.streams() {
            while goes_on(stream.trim(before(self.retention.streams), TIDIED_AT_ONCE).await?) {}
        }
        while goes_on(self.data.table.sweep(TIDIED_AT_ONCE).await?) {}
        let archive = before(self.retention.archive);
        while goes_on(self.data.objects.expire("archive/", archive, TIDIED_AT_ONCE).await?) {}
        while goes_on(self.data.objects.expire(FEEDBACK_PREFIX, archive, TIDIED_AT_ONCE).await?) {}
        while self.data.database.give_back(FREED_PAGES).await? && !*stop.borrow() {}
        Ok(())
    }
}

/// When the next digests are due: as soon as a window is over, and its lateness.
fn next_digest(now: Timestamp) -> Timestamp {
    let (window, lateness) = (DIGEST_WINDOW.as_secs(), DIGEST_LATENESS.as_secs());
    let since = (now.as_second() - lateness).rem_euclid(window);
    now.checked_add(SignedDuration::from_secs(window - since)).unwrap_or(Timestamp::MAX)
}

async fn stopped(mut stop: watch::Receiver<bool>) -> End {
    // An error means that nobody is left to ask.
    let _ = stop.wait_for(|stop| *stop).await;
    End::AfterBatch
}

/// Waits, and says whether it is stopped by then.
pub(super) async fn is_stopped_within(stop: &mut watch::Receiver<bool>, wait: Duration) -> bool {
    tokio::time::timeout(wait, stop.wait_for(|stop| *stop)).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_due_a_minute_after_their_window() {
        let due = |text: &str| next_digest(text.parse().expect("a time")).to_string();
        assert_eq!(due("2026-01-05T10:00:00Z"), "2026-01-05T10:01:00Z");
        assert_eq!(due("2026-01-05T10:01:00Z"), "2026-01-05T10:06:00Z");
        assert_eq!(due("2026-01-05T10:05:59Z"), "2026-01-05T10:06:00Z");
    }
}
