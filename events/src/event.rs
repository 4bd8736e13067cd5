use std::borrow::Cow;

use jiff::Timestamp;
use plain_text::{json_as_xml, surrogates_decoded};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::bad_record::explain;
use crate::data::Data;
use crate::object::{self, Object};
use crate::sizes::MAX_NAME_BYTES;
use crate::versioned::{Versioned, decode_previous, has_previous};
use crate::{BadRecord, lenient};

/// A CloudEvent 1.0 in structured JSON. Its data decides its `type`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(bound = "T: Data + schemars::JsonSchema"))]
pub struct Event<'a, T> {
    /// `1.0`.
    #[serde(borrow, deserialize_with = "lenient::needed_text")]
    #[cfg_attr(feature = "schema", schemars(extend("const" = "1.0")))]
    pub specversion: Cow<'a, str>,
    /// Unique within `source`; repeats of one event share it.
    #[serde(borrow, deserialize_with = "lenient::needed_text")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub id: Cow<'a, str>,
    /// What produced it, a URI reference.
    #[serde(borrow, deserialize_with = "lenient::needed_text")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1), extend("format" = "uri-reference")))]
    pub source: Cow<'a, str>,
    /// Name and version of what `data` holds.
    #[serde(rename = "type", borrow)]
    #[cfg_attr(feature = "schema", schemars(extend("const" = T::TYPE)))]
    pub kind: Cow<'a, str>,
    /// When it happened, by the clock of whoever wrote it: it is shown, and what is decided follows from when the event arrives.
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub time: Timestamp,
    /// Always JSON.
    #[serde(default = "json", borrow, deserialize_with = "json_if_no_text")]
    pub datacontenttype: Cow<'a, str>,
    /// The payload.
    #[serde(deserialize_with = "object::only", bound(deserialize = "T: Deserialize<'de>"))]
    pub data: T,
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

fn json<'a>() -> Cow<'a, str> {
    Cow::Borrowed("application/json")
}

/// [CloudEvents](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md) takes null for nothing. Nobody
/// asks for this one, so what is no text is taken for nothing, too.
fn json_if_no_text<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Cow<'a, str>, D::Error> {
    Ok(lenient::text(from)?.unwrap_or_else(json))
}

impl<'a, T: Data> Event<'a, T> {
    /// An event of `T`'s type.
    pub fn new(id: impl Into<Cow<'a, str>>, source: impl Into<Cow<'a, str>>, time: Timestamp, data: T) -> Self {
        Event {
            specversion: Cow::Borrowed("1.0"),
            id: id.into(),
            source: source.into(),
            kind: Cow::Borrowed(T::TYPE),
            time,
            datacontenttype: json(),
            data,
        }
    }
}

impl<T: Data + Serialize> Event<'_, T> {
    /// The event as a record's bytes. They can be a message, too: what no topic could carry stands as an escape.
    ///
    /// # Panics
    /// Never: every field of the contract has a JSON form.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1024);
        serde_json::to_writer(&mut bytes, self).expect("events serialise into memory");
        json_as_xml(bytes)
    }
}

/// Reads from a text that does not live as long as what is read: a reader lends no text, so nothing is borrowed.
fn read_owned<'a, T: Deserialize<'a>>(text: &str) -> serde_json::Result<T> {
    let mut json = serde_json::Deserializer::from_reader(text.as_bytes());
    let read = T::deserialize(&mut json)?;
    json.end()?;
    Ok(read)
}

/// The `time` of an event, as it is written.
#[derive(Deserialize)]
struct Timed<'a> {
    #[serde(borrow, default)]
    time: Option<&'a RawValue>,
}

/// The event with a time, where it has none that is read as it stands.
fn with_time(text: &str, arrived: Timestamp) -> Option<String> {
    let Object(Timed { time }) = serde_json::from_str(text).ok()?;
    let written = time.map(RawValue::get);
    if written.is_some_and(|time| serde_json::from_str::<Timestamp>(time).is_ok()) {
        return None;
    }
    let time = written.and_then(lenient::event_time).unwrap_or(arrived);
    json_text::with_key(text, "time", &serde_json::to_string(&time).ok()?)
}

impl<'a, T: Versioned<'a>> Event<'a, T> {
    /// Reads a record's bytes, borrowing from them. An event of an earlier version is read as one of `T`'s.
    ///
    /// # Errors
    /// [`BadRecord`] says what is wrong; none of its cases is cured by trying again.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, BadRecord> {
        Self::decode_timed(bytes, None)
    }

    /// Reads the bytes of a record that another system wrote, and that arrived then. Its `time` is only shown, so none is needed:
    /// where it is missing or no time, it is that of the arrival; a number, and a time without an offset, are read as in
    /// [`Comment::created_utc`](crate::Comment).
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_arrived(bytes: &'a [u8], arrived: Timestamp) -> Result<Self, BadRecord> {
        Self::decode_timed(bytes, Some(arrived))
    }

    fn decode_timed(bytes: &'a [u8], arrived: Option<Timestamp>) -> Result<Self, BadRecord> {
        if bytes.len() > T::MAX_BYTES {
            return Err(BadRecord::too_large(bytes.len()));
        }
        // .NET's writers put it before what they write.
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        // Only what can't be read as it stands is repaired, and owns its texts then; all else borrows from the record.
        let (read, text) = match std::str::from_utf8(bytes) {
            Ok(text) => (serde_json::from_str::<Object<Self>>(text), Cow::Borrowed(text)),
            Err(error) => {
                let text = surrogates_decoded(bytes).ok_or_else(|| explain::not_text(bytes, &error))?;
                (read_owned(&text), Cow::Owned(text))
            }
        };
        let repaired = if read.is_err() { json_text::repaired(&text, lenient::is_text) } else { None };
        let (read, text) = match &repaired {
            Some(repaired) => (read_owned(repaired), repaired.as_str()),
            None => (read, text.as_ref()),
        };
        let timed = arrived.filter(|_| read.is_err()).and_then(|arrived| with_time(text, arrived));
        let (read, text) = match &timed {
            Some(timed) => (read_owned(timed), timed.as_str()),
            None => (read, text),
        };
        let error = match read {
            Ok(Object(event))
                if event.kind == T::TYPE
                    && event.specversion == "1.0"
                    && (1..=MAX_NAME_BYTES).contains(&event.id.len())
                    && (1..=MAX_NAME_BYTES).contains(&event.source.len()) =>
            {
                return Ok(event);
            }
            Ok(_) => None,
            Err(error) => Some(error),
        };
        let kind = if has_previous::<T>() { explain::kind(text) } else { None };
        let previous = kind.and_then(|kind| decode_previous(&kind, bytes));
        previous.unwrap_or_else(|| Err(explain::explain::<T>(text, error.as_ref())))
    }
}
