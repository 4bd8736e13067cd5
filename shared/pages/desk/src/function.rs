use function_url::{Answer, NoRequest, request};
use jiff::Timestamp;
use modstream_links::{KeyError, Keys};
use modstream_platform::table::Table;
use modstream_platform::{Clock, Secrets, Stream};

use crate::{Config, Site, SiteSettings};

/// Why an invocation fails.
#[derive(Debug, thiserror::Error)]
pub enum PagesError {
    /// Something else than a function URL called.
    #[error(transparent)]
    Request(#[from] NoRequest),
    /// There is nothing to check signatures with.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A function that serves pages: a function URL's request in, its response out.
#[derive(Debug)]
pub struct Pages<B, S, K, C> {
    site: Site<B, S, C>,
    keys: Keys<K, C>,
}

impl<B: Table, S: Stream, K: Secrets, C: Clock + Clone> Pages<B, S, K, C> {
    /// The function over its table, the stream of decisions, and secrets. `settings` say what it serves.
    pub fn new(config: &Config, settings: SiteSettings, table: B, decisions: S, secrets: K, clock: C) -> Self {
        Pages {
            site: Site::new(table, decisions, clock.clone(), settings),
            keys: Keys::new(secrets, clock, &config.link_key_secret),
        }
    }

    /// Answers one request. No call starts after `deadline`.
    ///
    /// # Errors
    /// Where the payload is no request, or there are no keys.
    pub async fn handle(&self, payload: &[u8], deadline: Timestamp) -> Result<Answer, PagesError> {
        let request = request(payload)?.into();
        let signer = self.keys.signer(deadline).await?;
        Ok(self.site.answer(&request, &signer, deadline).await.into())
    }
}
