//! Mastodon: its stream of public statuses, and its timeline for what came while nobody read the stream.

use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::Response;
use hyper::body::Incoming;
use jiff::Timestamp;
use modstream_sources::sse::{Message, Reader};
use modstream_sources::{NoPage, Origin, mastodon};
use url::Url;

use super::dial::{DialError, Dialer};
use super::feed::{Ended, Feed, Stopped, Told};
use super::http::{AskError, Asked, Refusal, answer_of, ask, open};
use super::run::wait_after;
use super::state::Cursor;

/// How many statuses a page has at most, by the API.
const PAGE_LENGTH: usize = 40;
/// How many pages are read of what came meanwhile. What lies behind them is a gap.
const MAX_PAGES: usize = 50;
/// How long the server is left alone between two pages.
const PAUSE: Duration = Duration::from_millis(500);
/// How long the answer to a request for the stream may take to begin.
const GREETING_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the stream may be silent: a server says each 15 seconds that it is there.
const SILENCE: Duration = Duration::from_secs(60);
/// How much of a refusal is read.
const MAX_REFUSAL_BYTES: usize = 64 << 10;

/// The variable that holds an access token.
pub(super) const TOKEN: &str = "MODSTREAM_MASTODON_TOKEN";

/// Which statuses are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// All that the server knows.
    All,
    /// Those of its own people.
    Local,
}

/// A server that is read.
pub(super) struct Server<'a> {
    pub(super) url: &'a Url,
    /// Where its stream is.
    pub(super) streaming: &'a Url,
    pub(super) which: Which,
    pub(super) token: Option<&'a str>,
    pub(super) origin: &'a Origin,
    pub(super) dialer: &'a Dialer,
}

/// Why a stream ended.
enum End {
    Ended(Ended),
    /// It is opened again.
    ForNow {
        text: String,
        wait: Option<Duration>,
    },
}

impl From<Stopped> for End {
    fn from(stopped: Stopped) -> Self {
        End::Ended(stopped.into())
    }
}

impl From<AskError> for End {
    fn from(error: AskError) -> Self {
        match &error {
            AskError::Dial(dial) if dial.is_final() => End::Ended(Ended::from(DialError::clone(dial))),
            _ => End::ForNow { text: error.to_string(), wait: None },
        }
    }
}

impl From<NoPage> for End {
    fn from(error: NoPage) -> Self {
        End::ForNow { text: error.to_string(), wait: None }
    }
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        match refusal.status {
            401 | 403 | 422 => End::Ended(Ended::Failed(anyhow::anyhow!(
                "{refusal}; the server wants an access token of one of its accounts, with the scope read:statuses: {TOKEN}, or \
                 --token-file"
            ))),
            _ if refusal.is_final() => End::Ended(refusal.into()),
            _ => End::ForNow { text: refusal.to_string(), wait: refusal.retry_after },
        }
    }
}

/// Reads for as long as what comes is taken.
pub(super) async fn read(feed: Feed, server: Server<'_>, cursor: Option<Cursor>) -> Result<(), Ended> {
    let mut newest = match cursor {
        Some(Cursor::Status(newest)) => Some(newest),
        _ => None,
    };
    let mut failures = 0;
    loop {
        let mut has_read = false;
        let (text, wait) = match server.stream(&feed, &mut newest, &mut has_read).await {
            Ok(text) => (text, None),
            Err(End::Ended(ended)) => return Err(ended),
            Err(End::ForNow { text, wait }) => (text, wait),
        };
        failures = if has_read { 0 } else { failures + 1 };
        let wait = wait.unwrap_or_default().max(wait_after(failures));
        let text = format!("mastodon: {text}; it is asked again in {:.1} s", wait.as_secs_f64());
        feed.say(Told::Interrupted(text), None).await?;
        feed.sleep(wait).await?;
    }
}

impl Server<'_> {
    /// Reads the stream to its end, and says what the end was. What came before is read first, with the stream open already: so
    /// nothing lies between the two.
    async fn stream(&self, feed: &Feed, newest: &mut Option<String>, has_read: &mut bool) -> Result<String, End> {
        let mut body = self.open().await?.into_body();
        self.catch_up(feed, newest).await?;
        let mut reader = Reader::default();
        loop {
            let frame = match tokio::time::timeout(SILENCE, body.frame()).await {
                Err(_) => return Ok(format!("nothing came for {} s", SILENCE.as_secs())),
                Ok(None) => return Ok("the server ended the stream".to_owned()),
                Ok(Some(Err(error))) => return Ok(format!("the stream broke off: {error}")),
                Ok(Some(Ok(frame))) => frame,
            };
            // Trailers say nothing of statuses.
            let Ok(bytes) = frame.into_data() else { continue };
            for message in reader.read(&bytes) {
                *has_read = true;
                match message {
                    Message::TooLarge => feed.say(Told::Skipped("too_large"), None).await?,
                    Message::Event { name, data } => {
                        let streamed = mastodon::read(&name, &data, self.origin, Timestamp::now());
                        if let Some(id) = &streamed.newest {
                            *newest = Some(id.clone());
                        }
                        feed.say(Told::Said(streamed.said), streamed.newest.map(Cursor::Status)).await?;
                    }
                }
            }
        }
    }

    async fn open(&self) -> Result<Response<Incoming>, End> {
        let path = match self.which {
            Which::All => "/api/v1/streaming/public",
            Which::Local => "/api/v1/streaming/public/local",
        };
        let url = at(self.streaming, path);
        let opening = open(self.dialer, &url, Asked { token: self.token, body: None });
        let Ok(answer) = tokio::time::timeout(GREETING_TIMEOUT, opening).await else {
            let text = format!("the stream does not begin within {} s", GREETING_TIMEOUT.as_secs());
            return Err(End::ForNow { text, wait: None });
        };
        let answer = answer?;
        if answer.status().as_u16() == 200 {
            return Ok(answer);
        }
        let (head, body) = answer.into_parts();
        let body = tokio::time::timeout(GREETING_TIMEOUT, Limited::new(body, MAX_REFUSAL_BYTES).collect()).await;
        let body = body.ok().and_then(Result::ok).map(|body| body.to_bytes().to_vec()).unwrap_or_default();
        Err(Refusal::of(&url, &answer_of(&head, body)).into())
    }

    /// Reads what came behind the newest status that was read; nothing where none was.
    async fn catch_up(&self, feed: &Feed, newest: &mut Option<String>) -> Result<(), End> {
        for page in 0.. {
            let Some(known) = newest.clone() else { return Ok(()) };
            if page == MAX_PAGES {
                let text = format!(
                    "mastodon: more than {} statuses came meanwhile: those behind {known} are left out, up to what comes now",
                    MAX_PAGES * PAGE_LENGTH
                );
                feed.say(Told::Gap { seconds: 0, text }, None).await?;
                return Ok(());
            }
            if page > 0 {
                feed.sleep(PAUSE).await?;
            }
            let mut url = at(self.url, "/api/v1/timelines/public");
            {
                let mut query = url.query_pairs_mut();
                query.append_pair("min_id", &known).append_pair("limit", &PAGE_LENGTH.to_string());
                if self.which == Which::Local {
                    query.append_pair("local", "true");
                }
            }
            let answer = ask(self.dialer, &url, Asked { token: self.token, body: None }).await?;
            if answer.status != 200 {
                return Err(Refusal::of(&url, &answer).into());
            }
            let text = String::from_utf8_lossy(&answer.body);
            let statuses = mastodon::page(&text, self.origin, Timestamp::now())?;
            for (id, said) in statuses.into_iter().rev() {
                if let Some(id) = &id {
                    *newest = Some(id.clone());
                }
                feed.say(Told::Said(said), id.map(Cursor::Status)).await?;
            }
            // A server that gives the same again has no more.
            if newest.as_ref() == Some(&known) {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// An address of a server.
fn at(url: &Url, path: &str) -> Url {
    let mut url = url.clone();
    url.set_path(path);
    url.set_query(None);
    url
}
