use jiff::Timestamp;
use modstream_events::{Severity, ids};
use serde::{Deserialize, Serialize};

use crate::{AlertKey, Withholding};

/// The most alerts that a digest names, the strongest; the others it counts.
pub const MAX_NAMED: usize = 200;

/// The digest of one subreddit and window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The subreddit; none for comments without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subreddit: Option<String>,
    /// When the window begins.
    pub start: Timestamp,
    /// The first moment after it.
    pub end: Timestamp,
    /// The highest among its alerts.
    pub severity: Severity,
    /// How many alerts it covers.
    pub count: usize,
    /// The most harmful of them, or most probable where harm is not known, the first [`MAX_NAMED`].
    pub alerts: Vec<AlertKey>,
    /// Counts of the alerts that were not published by themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<WithheldCount>,
    /// Counts of the alerts that came after the digest of their own window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Late>,
    /// How many of them waited for the end of quiet hours.
    #[serde(default, skip_serializing_if = "is_none")]
    pub from_quiet_hours: usize,
    /// How many alerts it covers that meet no policy and are asked about to learn what the others are like. They are counted
    /// apart.
    #[serde(default, skip_serializing_if = "is_none")]
    pub exploration_count: usize,
    /// The first [`MAX_NAMED`] of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explorations: Vec<AlertKey>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// How many alerts were withheld for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithheldCount {
    /// Why they were withheld.
    pub reason: Withholding,
    /// The same as a sentence.
    pub detail: String,
    /// How many alerts there are.
    pub count: usize,
}

/// Alerts that came late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Late {
    /// How many alerts there are.
    pub count: usize,
    /// When the oldest of them was made.
    pub oldest: Timestamp,
}

impl Digest {
    /// The digest's id, which follows from subreddit and window.
    pub fn id(&self) -> String {
        ids::digest(self.subreddit.as_deref().unwrap_or_default(), self.start, self.end).to_string()
    }

    /// How many of its alerts were withheld.
    pub fn withheld(&self) -> usize {
        self.withheld.iter().map(|withheld| withheld.count).sum()
    }

    /// How many of its alerts were published by themselves, or are about to be.
    pub fn published(&self) -> usize {
        self.count.saturating_sub(self.withheld())
    }
}
