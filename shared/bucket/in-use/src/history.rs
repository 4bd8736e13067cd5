//! Who moved a pointer, and why.
//!
//! The pointer itself says it, so that to move it and to record it is one conditional put. Beside the pointer lies its history,
//! `<models/<name> or policies>/history/<number>.json`: an event a move, numbered from 000001, each put with
//! `If-None-Match: *`. A move is written there after it was made; where that fails, or the process ends before, whoever moves
//! the pointer next writes it first. So the history holds what happened and nothing else, and lacks the last move at most, which
//! the pointer holds.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use modstream_events::{Cause, Event, ModelPromoted, PoliciesChanged};
use modstream_platform::deliver::{DeliveryError, get, list, put_if_absent};
use modstream_platform::{Clock, Condition, Fetched, Objects};
use serde::{Deserialize, Serialize};

use crate::pointer::{self, PointerError, Target};

/// How a pointer came to point where it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which move of the pointer it is, from 1.
    pub number: u32,
    /// When it was moved.
    pub time: Timestamp,
    /// The version it pointed to before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Who moved it, as they called themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The ARN of the credentials it was moved with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Change {
    /// Who moved it, and why.
    pub fn cause(&self) -> Cause<'_> {
        let Change { by, identity, reason, .. } = self;
        let [by, identity, reason] = [by, identity, reason].map(|text| text.as_deref().map(Cow::Borrowed));
        Cause { by, identity, reason }
    }
}

/// What a pointer is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The models of a name.
    Model(String),
    /// The policies.
    Policies,
}

impl Subject {
    fn folder(&self) -> String {
        match self {
            Subject::Model(name) => format!("models/{name}/"),
            Subject::Policies => "policies/".to_owned(),
        }
    }

    pub(crate) fn pointer(&self) -> String {
        format!("{}current.json", self.folder())
    }

    fn history(&self) -> String {
        format!("{}history/", self.folder())
    }

    fn key(&self, number: u32) -> String {
        format!("{}{number:06}.json", self.history())
    }

    /// The event of a move, encoded: it depends on what the pointer holds alone.
    fn event(&self, version: &str, change: &Change) -> Vec<u8> {
        let Change { number, time, ref before, .. } = *change;
        let (version, previous) = (version.into(), before.as_deref().map(Into::into));
        let cause = change.cause();
        match self {
            Subject::Model(name) => {
                ModelPromoted { name: name.into(), number, version, previous, cause }.into_event(time).encode()
            }
            Subject::Policies => PoliciesChanged { number, version, previous, cause }.into_event(time).encode(),
        }
    }

    /// What an event is about, which move of its pointer, and when; none where it is another kind of event.
    fn of_event(event: &[u8]) -> Option<(Self, u32, Timestamp)> {
        if let Ok(event) = Event::<ModelPromoted<'_>>::decode(event) {
            let ModelPromoted { name, number, .. } = event.data;
            // A name is one part of a key.
            let is_name = !name.is_empty() && !name.contains('/');
            return is_name.then(|| (Subject::Model(name.into_owned()), number, event.time));
        }
        let event = Event::<PoliciesChanged<'_>>::decode(event).ok()?;
        Some((Subject::Policies, event.data.number, event.time))
    }
}

/// A move of a pointer that is ready to be made.
#[derive(Debug)]
#[must_use = "a move that is not committed is not made"]
pub struct Move {
    subject: Subject,
    condition: Condition,
    version: String,
    change: Change,
    event: Vec<u8>,
}

impl Move {
    /// The version that is to be in use.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The version that the pointer named; none where there was no pointer, or no readable one.
    pub fn before(&self) -> Option<&str> {
        self.change.before.as_deref()
    }

    /// The event of this move, encoded. It says the truth once the move is made.
    pub fn event(&self) -> &[u8] {
        &self.event
    }
}

/// What there is to do to bring a version into use.
#[derive(Debug)]
pub enum Prepared {
    /// Nothing: it is in use.
    InUse,
    /// This move.
    Move(Box<Move>),
}

/// Looks where the pointer is and makes a move of it ready. Writes what the history lacks, and nothing else.
pub(crate) async fn prepare<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    subject: Subject,
    version: &str,
    cause: &Cause<'_>,
) -> Result<Prepared, DeliveryError> {
    let found = pointer::find(objects, clock, deadline, &subject.pointer()).await?;
    if found.version.as_deref() == Some(version) {
        return Ok(Prepared::InUse);
    }
    let last = found.change.as_ref().map_or(0, |change| change.number);
    if let (Some(version), Some(change)) = (&found.version, &found.change) {
        let event = subject.event(version, change);
        put_if_absent(objects, clock, deadline, &subject.key(change.number), event).await?;
    }
    // The pointer may have been put back by hand, so that it is behind its history.
    let prefix = subject.history();
    let keys = list(objects, clock, deadline, &prefix).await?;
    let numbers = keys.iter().filter_map(|key| key.strip_prefix(&prefix)?.strip_suffix(".json")?.parse::<u32>().ok());
    let last = numbers.max().unwrap_or_default().max(last);
    let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
    let change = Change {
        number: last.saturating_add(1),
        time: clock.now(),
        before: found.version,
        by: text(&cause.by),
        identity: text(&cause.identity),
        reason: text(&cause.reason),
    };
    let event = subject.event(version, &change);
    let version = version.to_owned();
    Ok(Prepared::Move(Box::new(Move { subject, condition: found.condition, version, change, event })))
}

/// Makes a move, if nobody else moved the pointer since it was prepared. Whether it was made; else somebody brought the same
/// version into use.
pub(crate) async fn commit<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    prepared: &Move,
) -> Result<bool, PointerError> {
    let Move { subject, condition, version, change, event } = prepared;
    let previous = match subject {
        // Damaged policies are not looked at again: whoever starts anew goes on with those before.
        Subject::Policies => change.before.as_deref(),
        // A scorer that starts anew fails without the promoted one.
        Subject::Model(_) => None,
    };
    let target = Target { version, previous, change };
    let made = pointer::move_to(objects, clock, deadline, &subject.pointer(), condition, &target).await?;
    if made {
        // Where this fails, whoever moves the pointer next does it.
        let _ = put_if_absent(objects, clock, deadline, &subject.key(change.number), event.clone()).await;
    }
    Ok(made)
}

/// Who moved the pointer where it is, and why; none where that is not known.
pub(crate) async fn last<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    subject: &Subject,
) -> Result<Option<Change>, DeliveryError> {
    Ok(pointer::find(objects, clock, deadline, &subject.pointer()).await?.change)
}

/// What became of a move, as its event names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was made.
    Made,
    /// Another move has its number: it was not made, and never will be.
    Lost,
    /// It was not made so far.
    Open,
}

/// What became of the move that an event is about, and when it was wanted; none where it is an event about something else.
///
/// # Errors
/// Where there is no answer by the deadline.
pub async fn outcome<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    event: &[u8],
) -> Result<Option<(Outcome, Timestamp)>, DeliveryError> {
    let Some((subject, number, time)) = Subject::of_event(event) else { return Ok(None) };
    let of = |found: &[u8]| if found == event { Outcome::Made } else { Outcome::Lost };
    if let Fetched::Object { bytes, .. } = get(objects, clock, deadline, &subject.key(number), None).await? {
        return Ok(Some((of(&bytes), time)));
    }
    let found = pointer::find(objects, clock, deadline, &subject.pointer()).await?;
    let outcome = match (found.version, found.change) {
        (Some(version), Some(change)) => match change.number.cmp(&number) {
            Ordering::Equal => of(&subject.event(&version, &change)),
            Ordering::Greater => Outcome::Lost,
            Ordering::Less => Outcome::Open,
        },
        _ => Outcome::Open,
    };
    Ok(Some((outcome, time)))
}
