//! The moderators' desk: the queue, decisions, the day's numbers, for whom IAM lets in or who signed in with a link.
//!
//! A function URL's request in, a page out. `shared/desk` has the pages; this gives them to Lambda.

mod config;

use jiff::Timestamp;
use modstream_desk::function_url::{Answer, NoRequest, request};
use modstream_desk::{Settings, Site};
use modstream_links::{KeyError, Keys};
use modstream_platform::{Clock, DeletableObjects, Secrets, Stream};

pub use config::Config;

/// The function's name.
pub const NAME: &str = "show-desk";

/// Why an invocation fails.
#[derive(Debug, thiserror::Error)]
pub enum ShowDeskError {
    /// Something else than a function URL called.
    #[error(transparent)]
    Request(#[from] NoRequest),
    /// There is nothing to check signatures with.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// The function.
#[derive(Debug)]
pub struct ShowDesk<O, S, K, C> {
    site: Site<O, S, C>,
    keys: Keys<K, C>,
}

impl<O: DeletableObjects, S: Stream, K: Secrets, C: Clock + Clone> ShowDesk<O, S, K, C> {
    /// The function over its bucket, the stream of decisions, and secrets.
    pub fn new(config: &Config, objects: O, decisions: S, secrets: K, clock: C) -> Self {
        let settings = Settings { links: false, desk: Some(config.access), forum: config.pages.forum.clone() };
        ShowDesk {
            site: Site::new(objects, decisions, clock.clone(), settings),
            keys: Keys::new(secrets, clock, &config.pages.link_key_secret),
        }
    }

    /// Answers one request. No call starts after `deadline`.
    ///
    /// # Errors
    /// Where it is no request, or there are no keys.
    pub async fn handle(&self, payload: &[u8], deadline: Timestamp) -> Result<Answer, ShowDeskError> {
        let request = request(payload)?;
        let signer = self.keys.signer(deadline).await?;
        Ok(self.site.answer(&request, &signer, deadline).await.into())
    }
}
