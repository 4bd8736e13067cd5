//! The front door: what is asked before a comment is posted, answered at once; and comments in over HTTP, onto their stream.
//!
//! A function URL's request in, its answer out. `shared/pages/gateway` has the routes, the keys and the answers, which
//! `modstream serve` gives from one machine. Here nobody is let in without a key: the URL is open to all.
//!
//! Keys, quotas, models and policies are an instance's: a key that is revoked is let in by no instance half a minute later, and a
//! quota holds in each.

mod config;
mod coral;

use std::time::Duration;

use coral::CoralSecret;
use function_url::{Answer, NoRequest};
use jiff::{SignedDuration, Timestamp};
use modstream_gateway::{
    Done, FrontDoor, NotReady, OnStream, Refusal, Request, Response, Route, Setup, Turned, WithoutKeys, asked_at,
    unknown,
};
use modstream_platform::{Clock, Objects, Secrets, Stream};
use modstream_policy::{Policies, Severities};
use modstream_telemetry::{request_answered, request_failed};

pub use config::{Config, ConfigError};

/// The function's name.
pub const NAME: &str = "answer-checks";

/// How long what an answer needs is waited for: whoever asks before posting does not wait longer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a key is let in after its record was read. Without it each check would wait for the bucket, and pay for a call.
const KEYS_REMEMBERED: SignedDuration = SignedDuration::from_secs(30);

/// The function.
#[derive(Debug)]
pub struct AnswerChecks<O, S, K, C> {
    door: FrontDoor<O, C>,
    comments: OnStream<S, C>,
    coral: Option<CoralSecret<K>>,
    clock: C,
}

/// What the log says of an answer.
struct Said {
    response: Response,
    key: Option<String>,
    refused: Option<&'static str>,
    comments: u64,
}

impl Said {
    fn refused(route: Route, refusal: &Refusal, key: Option<String>) -> Self {
        Said { response: route.refuse(refusal), key, refused: Some(refusal.reason()), comments: 0 }
    }
}

impl<O: Objects + Clone, S: Stream, K: Secrets, C: Clock + Clone> AnswerChecks<O, S, K, C> {
    /// The function over its bucket, the stream of comments, and secrets.
    pub fn new(config: &Config, objects: O, comments: S, secrets: K, clock: C) -> Self {
        let setup = Setup {
            settings: config.settings.clone(),
            coral_secrets: Vec::new(),
            file_keys: Vec::new(),
            without_keys: WithoutKeys::Refuse,
            keys_remembered: KEYS_REMEMBERED,
            removal: config.model_name.clone(),
            harm: config.harm_model_name.clone(),
            base_rate: config.base_rate,
            built_in: None,
            without_document: Policies::of(&config.policy, Severities::default()),
        };
        AnswerChecks {
            door: FrontDoor::new(setup, objects, clock.clone()),
            comments: OnStream::new(comments, clock.clone()),
            coral: config.coral_secret.clone().map(|id| CoralSecret::new(secrets, id)),
            clock,
        }
    }

    /// Loads the models before anybody waits for them. Where that fails, the first request that needs one tries again: others do
    /// without.
    ///
    /// # Errors
    /// Where there are none to answer by.
    pub async fn start(&self, deadline: Timestamp) -> Result<(), NotReady> {
        self.door.start(deadline).await
    }

    /// Answers one request. No call starts after `deadline`.
    ///
    /// # Errors
    /// Where the payload is no request.
    pub async fn handle(&self, payload: &[u8], deadline: Timestamp) -> Result<Answer, NoRequest> {
        let function_url::Request { method, path, query, headers, body, .. } = function_url::request(payload)?;
        let deadline = self.clock.now().checked_add(ANSWER_TIMEOUT).map_or(deadline, |until| until.min(deadline));
        let address = asked_at(&headers).unwrap_or_default();
        let request = Request { query, headers, body, address };
        let route = Route::of(&path);
        let said = match route {
            Some(route) => Box::pin(self.answer(route, &method, request, deadline)).await,
            None => Said { response: unknown(), key: None, refused: Some("unknown_path"), comments: 0 },
        };
        let Said { response: Response { status, headers, body }, key, refused, comments } = said;
        // A path that is unknown may be anything.
        let path = route.map_or("unknown", Route::path);
        request_answered(NAME, path, status, key.as_deref(), refused, comments);
        Ok(Answer::new(status, headers, body))
    }

    async fn answer(&self, route: Route, method: &str, request: Request, deadline: Timestamp) -> Said {
        let key = match Box::pin(self.door.admit(route, method, &request, deadline)).await {
            Ok(key) => key,
            Err(Turned { refusal, key }) => return Said::refused(route, &refusal, key),
        };
        if route == Route::Coral
            && let Some(coral) = &self.coral
        {
            match coral.lines(&self.clock, deadline).await {
                Ok(lines) => self.door.signed_by(lines),
                Err(refusal) => {
                    let is_broken = matches!(refusal, Refusal::Broken(_));
                    request_failed(route.path(), refusal.reason(), refusal.cause().unwrap_or_default(), is_broken);
                    return Said::refused(route, &refusal, key);
                }
            }
        }
        let Done { response, tally, failed } = self.door.answer(route, request, &self.comments, deadline).await;
        Said { response, key, refused: failed, comments: tally.new }
    }
}
