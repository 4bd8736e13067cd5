//! Bluesky: Jetstream's frames over a WebSocket.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use jiff::Timestamp;
use modstream_sources::{Origin, Said, Skip, bluesky};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::Url;

use super::dial::{DialError, Dialer, Io};
use super::feed::{Ended, Feed, Told};
use super::http::{AGENT, retry_after};
use super::run::wait_after;
use super::state::Cursor;

/// The server that is asked where nobody names one.
pub(super) const DEFAULT_URL: &str = "wss://jetstream2.us-east.bsky.network/subscribe";

/// The largest frame that is read: an event holds no more. The server is asked to leave larger ones out.
const MAX_FRAME_BYTES: usize = 1 << 20;
/// The largest frame that is received, and read over by its size. Beyond that the connection ends.
const MAX_RECEIVED_BYTES: usize = 32 << 20;
/// How far before its place it goes on, as clocks of servers differ: what comes twice has the same ids.
const OVERLAP: i64 = 5_000_000;
/// From how long on what is missing behind a place is no pause of the forum's.
const MIN_GAP: i64 = 60_000_000;
/// After how long of silence it is asked whether the server is there, and how long it may be silent then.
const SILENCE: Duration = Duration::from_secs(30);
/// How long the WebSocket's own greeting may take.
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);
/// How much of an answer an error quotes.
const QUOTED_BYTES: usize = 200;

/// Reads frames for as long as they are taken.
pub(super) async fn read(
    feed: Feed,
    dialer: &Dialer,
    url: &Url,
    origin: &Origin,
    cursor: Option<Cursor>,
    since: Option<Timestamp>,
) -> Result<(), Ended> {
    let mut place = match cursor {
        Some(Cursor::Time(micros)) => Some(micros.saturating_sub(OVERLAP)),
        _ => since.map(Timestamp::as_microsecond),
    };
    let mut failures = 0;
    loop {
        let failure = match greet(dialer, url, place).await {
            Ok(socket) => {
                let mut reading = Reading { feed: &feed, origin, place, begun: place, has_read: false };
                let end = reading.all(socket).await?;
                if reading.has_read {
                    failures = 0;
                    place = reading.place.map(|micros| micros.saturating_sub(OVERLAP));
                }
                Failure { text: end, wait: None }
            }
            Err(NoSocket::Final(error)) => return Err(Ended::Failed(error)),
            Err(NoSocket::ForNow(failure)) => failure,
        };
        let wait = failure.wait.unwrap_or_default().max(wait_after(failures));
        failures += 1;
        let text = format!("bluesky: {}; it is asked again in {:.1} s", failure.text, wait.as_secs_f64());
        feed.say(Told::Interrupted(text), None).await?;
        feed.sleep(wait).await?;
    }
}

/// A failure that may pass.
struct Failure {
    text: String,
    /// How long the server asks to be left alone.
    wait: Option<Duration>,
}

enum NoSocket {
    Final(anyhow::Error),
    ForNow(Failure),
}

impl From<DialError> for NoSocket {
    fn from(error: DialError) -> Self {
        if error.is_final() {
            return NoSocket::Final(error.into());
        }
        NoSocket::ForNow(Failure { text: error.to_string(), wait: None })
    }
}

type Socket = WebSocketStream<Box<dyn Io>>;

async fn greet(dialer: &Dialer, url: &Url, place: Option<i64>) -> Result<Socket, NoSocket> {
    let mut url = url.clone();
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("wantedCollections", bluesky::POSTS);
        query.append_pair("maxMessageSizeBytes", &MAX_FRAME_BYTES.to_string());
        if let Some(place) = place {
            query.append_pair("cursor", &place.to_string());
        }
    }
    let for_now = |text: String| NoSocket::ForNow(Failure { text, wait: None });
    let connection = dialer.connect(&url).await?;
    let mut request =
        url.as_str().into_client_request().map_err(|error| NoSocket::Final(anyhow::anyhow!("{error}")))?;
    request.headers_mut().insert("user-agent", HeaderValue::from_static(AGENT));
    let config =
        WebSocketConfig::default().max_message_size(Some(MAX_RECEIVED_BYTES)).max_frame_size(Some(MAX_RECEIVED_BYTES));
    let greeting = client_async_with_config(request, connection, Some(config));
    match tokio::time::timeout(GREETING_TIMEOUT, greeting).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(tungstenite::Error::Http(answer))) => Err(refused(&url, &answer)),
        Ok(Err(error)) => Err(for_now(format!("the server breaks off: {error}"))),
        Err(_) => Err(for_now(format!("the server does not greet within {} s", GREETING_TIMEOUT.as_secs()))),
    }
}

/// What an answer means that is no WebSocket.
fn refused(url: &Url, answer: &tungstenite::http::Response<Option<Vec<u8>>>) -> NoSocket {
    let status = answer.status().as_u16();
    let said = answer.body().as_deref().unwrap_or_default();
    let said = String::from_utf8_lossy(&said[..said.len().min(QUOTED_BYTES)]).trim().to_owned();
    let text = format!("{} answers {status}: {said}", url.host_str().unwrap_or_default());
    match status {
        408 | 425 | 429 | 500..=599 => NoSocket::ForNow(Failure { text, wait: retry_after(answer.headers()) }),
        400 => NoSocket::Final(anyhow::anyhow!(
            "{text} (where its words are about the cursor, the place is too old for the server: move the state away, or say \
             --since with a later time)"
        )),
        300..=399 => {
            let to = answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or("another address");
            NoSocket::Final(anyhow::anyhow!(
                "{text}: it is at {to}, which is not followed; say --url with it where it is right"
            ))
        }
        _ => NoSocket::Final(anyhow::anyhow!("{text}: look whether --url is that of a Jetstream")),
    }
}

struct Reading<'a> {
    feed: &'a Feed,
    origin: &'a Origin,
    /// The latest place that a frame said.
    place: Option<i64>,
    /// The place that was asked for, until the first frame with a place has come.
    begun: Option<i64>,
    /// Whether any frame has come.
    has_read: bool,
}

impl Reading<'_> {
    /// Reads to the end, and says what the end was.
    async fn all(&mut self, mut socket: Socket) -> Result<String, Ended> {
        let mut is_asked = false;
        loop {
            let message = match tokio::time::timeout(SILENCE, socket.next()).await {
                Err(_) if is_asked => return Ok(format!("nothing came for {} s", 2 * SILENCE.as_secs())),
                Err(_) => {
                    is_asked = true;
                    match tokio::time::timeout(SILENCE, socket.send(Message::Ping("there?".into()))).await {
                        Ok(Ok(())) => continue,
                        _ => return Ok("the server takes nothing any more".to_owned()),
                    }
                }
                Ok(message) => message,
            };
            is_asked = false;
            match message {
                None => return Ok("the server closed the connection".to_owned()),
                Some(Ok(Message::Text(text))) => self.frame(text.as_str()).await?,
                Some(Ok(Message::Binary(_))) => {
                    // Compressed with a dictionary, which is asked for by `compress=true` alone.
                    self.feed.say(Told::Skipped("binary"), None).await?;
                }
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Ok(format!("the server closed the connection: {} {}", frame.code, frame.reason));
                }
                Some(Ok(_)) => {}
                Some(Err(tungstenite::Error::Capacity(CapacityError::MessageTooLong { size, .. }))) => {
                    self.feed.say(Told::Skipped("frame_too_large"), None).await?;
                    return Ok(format!("a frame has {size} bytes, and at most {MAX_RECEIVED_BYTES} are received"));
                }
                Some(Err(error)) => return Ok(format!("the connection broke off: {error}")),
            }
        }
    }

    async fn frame(&mut self, text: &str) -> Result<(), Ended> {
        self.has_read = true;
        if text.len() > MAX_FRAME_BYTES {
            self.feed.say(Told::Said(Said::Skipped(Skip::TooLarge)), None).await?;
            return Ok(());
        }
        let bluesky::Frame { said, cursor } = bluesky::read(text, self.origin, Timestamp::now());
        if let Some(cursor) = cursor {
            if let Some(asked) = self.begun.take()
                && cursor.saturating_sub(asked) > MIN_GAP
            {
                self.gap(asked, cursor).await?;
            }
            self.place = Some(self.place.map_or(cursor, |place| place.max(cursor)));
        }
        self.feed.say(Told::Said(said), cursor.map(Cursor::Time)).await?;
        Ok(())
    }

    /// Says that the server begins later than it was asked to.
    async fn gap(&self, asked: i64, found: i64) -> Result<(), Ended> {
        let seconds = found.saturating_sub(asked).div_euclid(1_000_000).unsigned_abs();
        let time = |micros| Timestamp::from_microsecond(micros).map(|time| time.strftime("%FT%TZ").to_string());
        let text = format!(
            "bluesky: asked for what came since {}, the server begins at {}: the posts of {seconds} s between are not to be had \
             there",
            time(asked).unwrap_or_default(),
            time(found).unwrap_or_default(),
        );
        Ok(self.feed.say(Told::Gap { seconds, text }, None).await?)
    }
}
