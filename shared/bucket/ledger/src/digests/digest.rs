use jiff::Timestamp;
use modstream_events::{Severity, ids};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::keys::Hour;
use crate::write::Withholding;

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
    /// The alerts it covers, the most probable first.
    pub alerts: Vec<Covered>,
    /// Counts of the alerts that were not published by themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<Withheld>,
    /// Counts of the alerts that came after the digest of their own window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Late>,
    /// How many of them waited for the end of quiet hours.
    #[serde(default, skip_serializing_if = "is_none")]
    pub from_quiet_hours: usize,
    /// Alerts that meet no policy and are asked about to learn what the others are like. They are counted apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explorations: Vec<Covered>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// Names an alert of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// The hour in which it was made.
    #[serde(serialize_with = "write_hour", deserialize_with = "read_hour")]
    pub hour: Hour,
    /// The alert's id.
    pub id: String,
}

/// How many alerts were withheld for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withheld {
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

    /// The hour in which its window begins.
    pub fn hour(&self) -> Hour {
        Hour::of(self.start)
    }

    /// How many of its alerts were withheld.
    pub fn withheld(&self) -> usize {
        self.withheld.iter().map(|withheld| withheld.count).sum()
    }

    /// How many of its alerts were published by themselves, or are about to be.
    pub fn published(&self) -> usize {
        self.alerts.len().saturating_sub(self.withheld())
    }

    /// All that no other digest is to cover.
    pub fn covered(&self) -> impl Iterator<Item = &Covered> {
        self.alerts.iter().chain(&self.explorations)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn write_hour<S: Serializer>(hour: &Hour, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(hour)
}

fn read_hour<'de, D: Deserializer<'de>>(from: D) -> Result<Hour, D::Error> {
    String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
}
