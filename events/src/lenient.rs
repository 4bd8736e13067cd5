//! Fields as forums, dumps and data frames write them. What scoring does not need never costs a comment its score: a value that
//! says nothing is none.

use std::borrow::Cow;

use jiff::civil::DateTime;
use jiff::{Timestamp, tz::TimeZone};
use json_text::{MAX_EXACT_FLOAT, Scalar};
use serde::de::{Deserialize, Deserializer, Error};

use crate::{Comment, DeletedBy};

/// The fields that hold a text beside those of a comment.
const OTHER_TEXTS: [&str; 3] = ["reason", "reporter", "version"];

/// The attributes of an event that hold a text. Its `type` is none of them: what is not known there is not read.
const ATTRIBUTES: [&str; 4] = ["datacontenttype", "id", "source", "specversion"];

/// Whether a number under this key of an event is read as a text: as it is written, so that `1e3` is one id wherever it comes
/// from. `depth` is how deep the key's object lies: 1 for the event, 2 for its data.
pub(crate) fn is_text(depth: usize, key: &str) -> bool {
    match depth {
        1 => ATTRIBUTES.contains(&key),
        2 => Comment::is_text_or_number(key) || OTHER_TEXTS.contains(&key),
        _ => depth > 2 && Comment::is_text_or_number(key),
    }
}

/// What the error of a body that is no text begins with. It may be shown: it quotes nothing.
pub(crate) const BODY_IS_NO_TEXT: &str = "`body` is not text";

/// A text. Numbers are taken as text: other forums count their ids.
pub(crate) fn text<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<Cow<'a, str>>, D::Error> {
    Scalar::deserialize(from)?.into_text()
}

/// A text that must be there.
pub(crate) fn needed_text<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Cow<'a, str>, D::Error> {
    text(from)?.ok_or_else(|| D::Error::custom("no text, and no number"))
}

/// The text that is scored. Nothing else is taken for one: it would be scored as what nobody wrote. (A number of more digits than
/// a number holds is a text by then.)
pub(crate) fn body<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<Cow<'a, str>>, D::Error> {
    match Scalar::deserialize(from)? {
        Scalar::Null => Ok(None),
        Scalar::Text(text) => Ok(Some(text)),
        _ => Err(D::Error::custom(BODY_IS_NO_TEXT)),
    }
}

/// Who deleted a comment; what is no known word says that nobody knows.
pub(crate) fn deleted_by<'de, D: Deserializer<'de>>(from: D) -> Result<DeletedBy, D::Error> {
    Ok(match Scalar::deserialize(from)? {
        Scalar::Text(name) => DeletedBy::named(&name.trim().to_ascii_lowercase()).unwrap_or_default(),
        _ => DeletedBy::Unknown,
    })
}

/// A count: integers, floats rounded down, either as text.
pub(crate) fn count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Ok(match Scalar::deserialize(from)? {
        Scalar::Integer(number) => i64::try_from(number).ok(),
        Scalar::Float(number) => whole(number),
        Scalar::Text(text) => text.trim().parse().ok().or_else(|| whole(text.trim().parse().ok()?)),
        Scalar::Null | Scalar::Boolean(_) | Scalar::Nested => None,
    })
}

fn whole(number: f64) -> Option<i64> {
    (number.abs() < MAX_EXACT_FLOAT).then(|| number.floor() as i64)
}

/// A time in seconds since 1970: a number, a number as text, or a text of ISO 8601, which is in UTC where it names no offset.
pub(crate) fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Ok(match Scalar::deserialize(from)? {
        Scalar::Integer(number) => seconds(number),
        Scalar::Float(number) => seconds_of_float(number),
        Scalar::Text(text) => seconds_of_text(text.trim()),
        Scalar::Null | Scalar::Boolean(_) | Scalar::Nested => None,
    })
}

/// The time of an event that producers write, where it is none of RFC 3339 with an offset: a time in another of these forms, or
/// none. `value` is its JSON.
pub(crate) fn event_time(value: &str) -> Option<Timestamp> {
    time(&mut serde_json::Deserializer::from_str(value)).ok()?.and_then(|seconds| Timestamp::from_second(seconds).ok())
}

/// When a text was edited last. Reddit writes `false` where it never was, and for old edits `true`; data frames make 0 and 1 of
/// these.
pub(crate) fn edited<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Ok(time(from)?.filter(|seconds| *seconds > 1))
}

/// A time of this many seconds is of the year 5138, of this many milliseconds of 1973.
const MAX_SECONDS: u128 = 100_000_000_000;

/// Seconds, milliseconds, microseconds or nanoseconds: which of them follows from the magnitude.
fn seconds(number: i128) -> Option<i64> {
    let in_a_second = [1, 1_000, 1_000_000, 1_000_000_000]
        .into_iter()
        .find(|in_a_second| number.unsigned_abs() < MAX_SECONDS * in_a_second)?;
    i64::try_from(number.div_euclid(i128::try_from(in_a_second).ok()?)).ok()
}

fn seconds_of_float(number: f64) -> Option<i64> {
    // What is no number, and what is too large for any time, becomes a number that is too large, too.
    if number.is_nan() { None } else { seconds(number.floor() as i128) }
}

fn seconds_of_text(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse() {
        return seconds(number);
    }
    if let Ok(number) = text.parse() {
        return seconds_of_float(number);
    }
    // So BigQuery writes it.
    let civil = text.strip_suffix(" UTC").unwrap_or(text);
    let time = text.parse::<Timestamp>().or_else(|_| {
        let time: DateTime = civil.parse()?;
        time.to_zoned(TimeZone::UTC).map(|time| time.timestamp())
    });
    let seconds = i64::try_from(time.ok()?.as_nanosecond().div_euclid(1_000_000_000)).ok()?;
    // Written as a number, a later one would be read as milliseconds.
    (u128::from(seconds.unsigned_abs()) < MAX_SECONDS).then_some(seconds)
}
