//! What comes from a source, on its way to where it is put: bounded, so that a source is read no faster than what it says is taken.

use std::sync::Arc;

use modstream_sources::{Ready, Said};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::sink::Put;
use super::state::Cursor;

/// How many things may be on their way.
const MAX_ITEMS: usize = 4_096;
/// How much memory events may take on their way, in units of [`UNIT_BYTES`]: 8 MiB.
const ROOM: usize = 8 << 10;
const UNIT_BYTES: usize = 1 << 10;

/// What a source says.
#[derive(Debug)]
pub(super) enum Told {
    /// Something of a comment, or why not.
    Said(Said),
    /// What is no frame of its protocol, or too large for one, by the name that it is counted under.
    Skipped(&'static str),
    /// The source broke off, or did not answer, and is asked again.
    Interrupted(String),
    /// What was said in a time is not to be had any more.
    Gap { seconds: u64, text: String },
    /// A round is over, and its place holds.
    Place,
}

/// Something on its way.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) told: Told,
    /// Where the source goes on behind this.
    pub(super) cursor: Option<Cursor>,
    /// The memory that it takes, until it is dropped.
    pub(super) room: Option<OwnedSemaphorePermit>,
    /// Who waits for what becomes of an event.
    pub(super) waits: Option<oneshot::Sender<Put>>,
}

/// Nobody takes anything any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stopped;

/// Why a source ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// Nobody takes anything any more.
    Stopped,
    /// It can't go on, and a person must act.
    Failed(anyhow::Error),
}

impl From<Stopped> for Ended {
    fn from(_: Stopped) -> Self {
        Ended::Stopped
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Ended {
    fn from(error: E) -> Self {
        Ended::Failed(error.into())
    }
}

/// Where a source says what it has to say.
#[derive(Debug)]
pub(super) struct Feed {
    items: mpsc::Sender<Item>,
    room: Arc<Semaphore>,
}

impl Feed {
    pub(super) fn new() -> (Self, mpsc::Receiver<Item>) {
        let (items, taken) = mpsc::channel(MAX_ITEMS);
        (Feed { items, room: Arc::new(Semaphore::new(ROOM)) }, taken)
    }

    /// Says something, once there is room for it.
    pub(super) async fn say(&self, told: Told, cursor: Option<Cursor>) -> Result<(), Stopped> {
        self.send(told, cursor, None).await
    }

    /// Says an event, once there is room for it. What is returned tells what becomes of it.
    pub(super) async fn ask(&self, event: Ready) -> Result<oneshot::Receiver<Put>, Stopped> {
        let (waits, answer) = oneshot::channel();
        self.send(Told::Said(Said::Event(event)), None, Some(waits)).await?;
        Ok(answer)
    }

    async fn send(
        &self,
        told: Told,
        cursor: Option<Cursor>,
        waits: Option<oneshot::Sender<Put>>,
    ) -> Result<(), Stopped> {
        let bytes = match &told {
            Told::Said(Said::Event(event)) => event.bytes.len(),
            _ => 0,
        };
        let units = u32::try_from(bytes.div_ceil(UNIT_BYTES).min(ROOM)).unwrap_or_default();
        let room = if units > 0 {
            let room = Arc::clone(&self.room).acquire_many_owned(units);
            // What waits for room may wait for somebody who has gone.
            tokio::select! {
                biased;
                () = self.items.closed() => return Err(Stopped),
                room = room => room.ok(),
            }
        } else {
            None
        };
        self.items.send(Item { told, cursor, room, waits }).await.map_err(|_| Stopped)
    }

    /// Returns when nobody takes anything any more.
    pub(super) async fn closed(&self) {
        self.items.closed().await;
    }

    /// Waits, unless nobody takes anything any more.
    pub(super) async fn sleep(&self, time: std::time::Duration) -> Result<(), Stopped> {
        tokio::select! {
            biased;
            () = self.items.closed() => Err(Stopped),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }
}
