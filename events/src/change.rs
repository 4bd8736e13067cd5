//! What operators change by hand: the model in use, the policies in use, an open breaker.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::borrow::own;
use crate::versioned::first_version;
use crate::{Event, ids, object};

/// The `source` of events about changes that operators make, wherever they are made: their ids know what was changed.
pub const CHANGES_SOURCE: &str = "urn:modstream:changes";

/// The most characters of a reason.
pub const MAX_REASON_CHARS: usize = 500;

/// Who made a change, and why. What nobody said is missing; nothing here is guessed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cause<'a> {
    /// Who made it, as they called themselves.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'a, str>>,
    /// The ARN of the credentials it was made with, as AWS said.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Cow<'a, str>>,
    /// Why, in their words.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
}

impl Cause<'_> {
    /// The same, holding its own texts.
    pub fn into_owned(self) -> Cause<'static> {
        Cause { by: self.by.map(own), identity: self.identity.map(own), reason: self.reason.map(own) }
    }
}

/// Another version of a model became the one in use. Promotions of one name are numbered from 1; each is kept in
/// `models/<name>/history/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelPromoted<'a> {
    /// The model's name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Which promotion of this name it is, from 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub number: u32,
    /// The version that is in use now.
    #[serde(borrow)]
    pub version: Cow<'a, str>,
    /// The version that was in use before.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Cow<'a, str>>,
    /// Who promoted it, and why.
    #[serde(borrow, deserialize_with = "object::only")]
    pub cause: Cause<'a>,
}

/// Other policies became those in use. Such changes are numbered from 1; each is kept in `policies/history/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoliciesChanged<'a> {
    /// Which change it is, from 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub number: u32,
    /// The version that is in use now: the SHA-256 of the document.
    #[serde(borrow)]
    pub version: Cow<'a, str>,
    /// The version that was in use before.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Cow<'a, str>>,
    /// Who pushed them, and why.
    #[serde(borrow, deserialize_with = "object::only")]
    pub cause: Cause<'a>,
}

/// Somebody closed a breaker before its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BreakerClosed<'a> {
    /// The breaker's name: the day on which it opened, in UTC, and its number on that day.
    #[serde(borrow)]
    pub breaker: Cow<'a, str>,
    /// When it opened.
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub opened: Timestamp,
    /// Who closed it, and why.
    #[serde(borrow, deserialize_with = "object::only")]
    pub cause: Cause<'a>,
}

first_version!(ModelPromoted, "modstream.model-promoted.v1");
first_version!(PoliciesChanged, "modstream.policies-changed.v1");
first_version!(BreakerClosed, "modstream.breaker-closed.v1");

impl<'a> ModelPromoted<'a> {
    /// The event of this promotion, made at `time`.
    pub fn into_event(self, time: Timestamp) -> Event<'a, Self> {
        let id = ids::model_promoted(&self.name, self.number, &self.version, time);
        Event::new(id.to_string(), CHANGES_SOURCE, time, self)
    }
}

impl<'a> PoliciesChanged<'a> {
    /// The event of this change, made at `time`.
    pub fn into_event(self, time: Timestamp) -> Event<'a, Self> {
        let id = ids::policies_changed(self.number, &self.version, time);
        Event::new(id.to_string(), CHANGES_SOURCE, time, self)
    }
}

impl<'a> BreakerClosed<'a> {
    /// The event of this change, made at `time`.
    pub fn into_event(self, time: Timestamp) -> Event<'a, Self> {
        let id = ids::breaker_closed(&self.breaker, time);
        Event::new(id.to_string(), CHANGES_SOURCE, time, self)
    }
}
