//! What is replayed, and the two sides that are compared.

use std::collections::HashMap;

use modstream_corpus::PlaceholderCounts;
use modstream_events::{Severity, Term, ids};
use serde::Serialize;

/// A record to replay.
pub(crate) struct Item {
    pub(crate) data: Vec<u8>,
    pub(crate) partition_key: String,
    /// When it came on its stream; none of a file's.
    #[cfg(feature = "aws")]
    pub(crate) arrived: Option<jiff::Timestamp>,
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
    /// The first bad rows, as an example.
    pub(crate) bad_examples: Vec<String>,
    /// Comments whose text is gone, or was removed on request.
    pub(crate) without_text: u64,
    /// What stands in place of the texts that are gone.
    pub(crate) placeholders: PlaceholderCounts,
    /// When the archive begins, where more was asked for than it has.
    pub(crate) begins: Option<jiff::Timestamp>,
}

impl LeftOut {
    /// Says since when there is an archive, where more was asked for.
    pub(crate) fn young_archive(&self) -> Option<String> {
        self.begins.map(|begins| format!("the archive begins at {begins}: it has nothing before that"))
    }
}

/// Names a comment event.
pub(crate) type EventKey = u128;

pub(crate) fn event_key(source: &str, id: &str) -> EventKey {
    ids::alert(source, id, "replay").as_u128()
}

/// A comment event of a chunk.
pub(crate) struct Known {
    pub(crate) key: EventKey,
    /// When the comment came on its stream, which says where the ledger has its alert; of a file's, when it was written.
    #[cfg(feature = "aws")]
    pub(crate) arrived: jiff::Timestamp,
    pub(crate) subreddit: Option<String>,
    pub(crate) body: String,
    pub(crate) removed: Option<bool>,
}

/// What one side makes of a comment.
#[derive(Clone, Debug)]
pub(crate) struct CommentOutcome {
    pub(crate) probability: f64,
    /// The share of all comments that its model promises from its score up, where that is known and the score is no guess.
    pub(crate) share: Option<f64>,
    pub(crate) terms: Vec<Term<'static>>,
    pub(crate) alert: Option<Raised>,
}

/// An alert that one side raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Raised {
    pub(crate) severity: Severity,
    pub(crate) condition: String,
}

pub(crate) type CommentOutcomes = HashMap<EventKey, CommentOutcome>;

/// The side that is compared with: what alerted before, or another model or policy.
pub(crate) trait Was {
    /// What was made of these comments, whose records are `items`. Without an outcome there was no alert.
    async fn outcomes(&mut self, comments: &[Known], items: &[Item]) -> anyhow::Result<CommentOutcomes>;

    /// The name under which a replay shows this side.
    fn side(&self) -> Side;

    /// Whether the model was trained on a comment with this text; none where that is not known.
    fn was_trained_on(&self, _body: &str) -> Option<bool> {
        None
    }

    /// What of this side could not be read, and why.
    fn unreadable(&self) -> &[(String, String)] {
        &[]
    }
}

/// One of the two sides that are compared, as it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    /// What alerted.
    pub(crate) name: String,
    /// Which comments alert.
    pub(crate) condition: String,
    /// The model's name and version, where it is one.
    pub(crate) model: Option<(String, String)>,
}
