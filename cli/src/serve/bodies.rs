//! How bodies arrive: from any number of senders, however slow some are, in memory that does not grow with them.

use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

/// What every body may have without a turn: each connection has so much in memory.
const SMALL_BYTES: usize = 16 << 10;
/// How many larger bodies are in memory at once; others wait in the network.
const TURNS: usize = 2;
/// How many bodies are read and written at once.
const AT_WORK: usize = 64;
/// How long a body may take to arrive, and how long it waits for its turn.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(30);
/// How many bytes a second a body brings that has a turn, or others wait for one who is slow.
const BYTES_PER_SECOND: usize = 64 << 10;
/// How long it may bring nothing.
const GRACE: Duration = Duration::from_secs(2);

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotArrived {
    TooLarge,
    BrokeOff,
    TooSlow,
    /// Others have all turns.
    NoTurn,
}

/// A body, with the place in memory that it takes.
pub(crate) struct Arrived<'a> {
    pub(crate) bytes: Vec<u8>,
    _turn: Option<SemaphorePermit<'a>>,
    _at_work: SemaphorePermit<'a>,
}

/// What keeps bodies within bounds.
pub(crate) struct Bodies {
    turns: Semaphore,
    at_work: Semaphore,
}

impl Bodies {
    pub(crate) fn new() -> Self {
        Bodies { turns: Semaphore::new(TURNS), at_work: Semaphore::new(AT_WORK) }
    }

    /// Receives a body of at most so many bytes, and waits until it may be worked on.
    pub(crate) async fn receive(&self, mut body: Incoming, most: usize) -> Result<Arrived<'_>, NotArrived> {
        let told = body.size_hint().exact().map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        if told.is_some_and(|bytes| bytes > most) {
            return Err(NotArrived::TooLarge);
        }
        let mut bytes = Vec::with_capacity(told.unwrap_or_default().min(SMALL_BYTES));
        let mut until = Instant::now() + ARRIVAL_TIMEOUT;
        let mut pace: Option<Pace<'_>> = None;
        loop {
            let until_now = pace.as_ref().map_or(until, |pace| pace.until(bytes.len()).min(until));
            let frame = match timeout_at(until_now, body.frame()).await {
                Err(_) => return Err(NotArrived::TooSlow),
                Ok(None) => break,
                Ok(Some(Err(_))) => return Err(NotArrived::BrokeOff),
                Ok(Some(Ok(frame))) => frame,
            };
            // Trailers say nothing of comments.
            let Ok(data) = frame.into_data() else { continue };
            let size = bytes.len() + data.len();
            if size > most {
                return Err(NotArrived::TooLarge);
            }
            if size > SMALL_BYTES && pace.is_none() {
                let asked = Instant::now();
                pace = Some(self.turn(bytes.len()).await?);
                // Whoever had to wait is not slow.
                until += asked.elapsed();
                bytes.reserve_exact(told.map_or(0, |told| told.saturating_sub(bytes.len())));
            }
            bytes.extend_from_slice(&data);
        }
        let at_work = self.at_work.acquire().await.map_err(|_| NotArrived::NoTurn)?;
        Ok(Arrived { bytes, _turn: pace.map(|pace| pace.turn), _at_work: at_work })
    }

    async fn turn(&self, received: usize) -> Result<Pace<'_>, NotArrived> {
        match timeout(ARRIVAL_TIMEOUT, self.turns.acquire()).await {
            Ok(Ok(turn)) => Ok(Pace { turn, since: Instant::now(), received }),
            Ok(Err(_)) | Err(_) => Err(NotArrived::NoTurn),
        }
    }
}

/// A turn, and how fast a body has to come meanwhile.
struct Pace<'a> {
    turn: SemaphorePermit<'a>,
    since: Instant,
    /// What had come before.
    received: usize,
}

impl Pace<'_> {
    /// Until when more has to come, where so much is there.
    fn until(&self, bytes: usize) -> Instant {
        self.since + GRACE + Duration::from_secs_f64((bytes - self.received) as f64 / BYTES_PER_SECOND as f64)
    }
}
