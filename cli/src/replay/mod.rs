//! Comments of another time through the functions of today, and how that differs from what was.
//!
//! Comments are taken in chunks, each through a world of its own in memory. What stays from chunk to chunk is an id of each
//! comment event, sixteen bytes, so that a repeat is left out; the counts; and the few comments that are shown.

pub(crate) mod command;
mod difference;
mod files;
mod functions;
#[cfg(feature = "aws")]
pub(crate) mod of_a_system;
mod show;

use std::collections::{HashMap, HashSet};

use modstream_events::{Comment, Event, Severity, ids};
use serde::Serialize;

pub(crate) use difference::Difference;
pub(crate) use files::Files;
pub(crate) use functions::Functions;
pub(crate) use show::{Shown, Side};

use crate::common::progress::Progress;

/// The most comments of a chunk: its world takes about 5 KB a comment.
const CHUNK: usize = 10_000;
/// The most bytes of a chunk.
const CHUNK_BYTES: usize = 64 << 20;

/// A record to replay.
pub(crate) struct Item {
    pub(crate) data: Vec<u8>,
    pub(crate) partition_key: String,
    /// Whether moderators removed the comment, where its source says so.
    pub(crate) removed: Option<bool>,
}

/// Where comments come from.
pub(crate) trait Source {
    /// The next record; none at the end.
    async fn next(&mut self) -> anyhow::Result<Option<Item>>;

    /// What could not be read so far.
    fn left_out(&self) -> LeftOut;
}

/// What a source could not give.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct LeftOut {
    /// Files and objects, and what is wrong with each.
    pub(crate) unreadable: Vec<(String, String)>,
    /// Rows that are no comment.
    pub(crate) bad_rows: u64,
    /// The first of them.
    pub(crate) bad_examples: Vec<String>,
    /// Comments whose text is gone, or was removed on request.
    pub(crate) without_text: u64,
}

/// Names a comment event.
pub(crate) type EventKey = u128;

pub(crate) fn event_key(source: &str, id: &str) -> EventKey {
    ids::alert(source, id, "replay").as_u128()
}

/// A comment event of a chunk.
pub(crate) struct Known {
    pub(crate) key: EventKey,
    /// When it was written: where the ledger has its alert.
    #[cfg(feature = "aws")]
    pub(crate) time: jiff::Timestamp,
    pub(crate) subreddit: Option<String>,
    pub(crate) body: String,
    pub(crate) removed: Option<bool>,
}

/// What one side makes of a comment.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) probability: f64,
    pub(crate) terms: Vec<(String, f64)>,
    pub(crate) alert: Option<Raised>,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Raised {
    pub(crate) severity: Severity,
    pub(crate) condition: String,
}

pub(crate) type Outcomes = HashMap<EventKey, Outcome>;

/// What was.
pub(crate) trait Was {
    /// What was made of these comments, whose records are `items`. Without an outcome there was no alert.
    async fn outcomes(&mut self, comments: &[Known], items: &[Item]) -> anyhow::Result<Outcomes>;

    /// What to call it.
    fn side(&self) -> Side;

    /// What of it could not be read, and why.
    fn unreadable(&self) -> &[(String, String)] {
        &[]
    }
}

/// Replays all comments of a source.
pub(crate) async fn replay(
    source: &mut impl Source,
    was: &mut impl Was,
    now: &Functions,
    verdicts: &HashMap<String, bool>,
) -> anyhow::Result<Difference> {
    let mut difference = Difference::default();
    let mut seen: HashSet<EventKey> = HashSet::new();
    let progress = Progress::new("replaying", None);
    let mut is_end = false;
    while !is_end {
        let (mut items, mut comments, mut bytes) = (Vec::new(), Vec::new(), 0);
        while items.len() < CHUNK && bytes < CHUNK_BYTES {
            let Some(item) = source.next().await? else {
                is_end = true;
                break;
            };
            match Event::<Comment<'_>>::decode(&item.data) {
                Ok(event) => {
                    let known = known(&event, item.removed, verdicts);
                    if !seen.insert(known.key) {
                        difference.repeats += 1;
                        continue;
                    }
                    comments.push(known);
                }
                // The function says what is wrong with it.
                Err(_) => difference.bad_records += 1,
            }
            bytes += item.data.len();
            items.push(item);
        }
        if items.is_empty() {
            continue;
        }
        let before = was.outcomes(&comments, &items).await?;
        let (after, quarantined) = now.run(&items).await?;
        difference.quarantined += quarantined;
        for comment in &comments {
            difference.add(comment, before.get(&comment.key), after.get(&comment.key));
        }
        progress.at(difference.comments);
    }
    progress.finish();
    Ok(difference)
}

fn known(event: &Event<'_, Comment<'_>>, removed: Option<bool>, verdicts: &HashMap<String, bool>) -> Known {
    let comment = &event.data;
    let verdict = || verdicts.get(comment.id.as_deref()?).copied();
    Known {
        key: event_key(&event.source, &event.id),
        #[cfg(feature = "aws")]
        time: event.time,
        subreddit: comment.subreddit.as_deref().map(str::to_owned),
        body: comment.body.as_deref().unwrap_or_default().to_owned(),
        removed: removed.or_else(verdict),
    }
}
