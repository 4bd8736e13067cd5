//! Signed links → an alert and why, or a digest; and what a moderator decides → the log, the stream `decisions`.
//!
//! A function URL's request in, a page out. `shared/desk` has the pages; this gives them to Lambda.

use jiff::Timestamp;
use modstream_desk::function_url::{Answer, NoRequest, request};
use modstream_desk::{Settings, Site};
use modstream_links::{KeyError, Keys};
use modstream_platform::{Clock, DeletableObjects, Secrets, Stream};

pub use modstream_desk::Config;

/// The function's name.
pub const NAME: &str = "take-decisions";

/// Why an invocation fails.
#[derive(Debug, thiserror::Error)]
pub enum TakeDecisionsError {
    /// Something else than a function URL called.
    #[error(transparent)]
    Request(#[from] NoRequest),
    /// There is nothing to check signatures with.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// The function.
#[derive(Debug)]
pub struct TakeDecisions<O, S, K, C> {
    site: Site<O, S, C>,
    keys: Keys<K, C>,
}

impl<O: DeletableObjects, S: Stream, K: Secrets, C: Clock + Clone> TakeDecisions<O, S, K, C> {
    /// The function over its bucket, the stream of decisions, and secrets.
    pub fn new(config: &Config, objects: O, decisions: S, secrets: K, clock: C) -> Self {
        let settings = Settings { links: true, desk: None, forum: config.forum.clone() };
        TakeDecisions {
            site: Site::new(objects, decisions, clock.clone(), settings),
            keys: Keys::new(secrets, clock, &config.link_key_secret),
        }
    }

    /// Answers one request. No call starts after `deadline`.
    ///
    /// # Errors
    /// Where it is no request, or there are no keys.
    pub async fn handle(&self, payload: &[u8], deadline: Timestamp) -> Result<Answer, TakeDecisionsError> {
        let request = request(payload)?;
        let signer = self.keys.signer(deadline).await?;
        Ok(self.site.answer(&request, &signer, deadline).await.into())
    }
}
