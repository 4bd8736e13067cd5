use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{EXPIRES, PARTITION, SORT};
use crate::Bytes;

/// What names an item: items of one partition are kept in the order of their sort keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Key {
    /// The partition key, of 1 to [`MAX_PARTITION_BYTES`](super::MAX_PARTITION_BYTES) bytes.
    pub partition: String,
    /// The sort key, of 1 to [`MAX_SORT_BYTES`](super::MAX_SORT_BYTES) bytes. Sort keys are ordered by their bytes.
    pub sort: String,
}

impl Key {
    /// Makes a key.
    pub fn new(partition: impl Into<String>, sort: impl Into<String>) -> Self {
        Key { partition: partition.into(), sort: sort.into() }
    }
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// A text, which may be empty but where an index has it for a key.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Bytes.
    Bytes(Bytes),
}

impl Value {
    /// The value's size in bytes, as it counts against limits and units
    /// ([item sizes](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html)).
    pub fn size(&self) -> usize {
        match self {
            Value::Text(text) => text.len(),
            // A byte for every two digits, one more, and one for a minus.
            Value::Number(number) => number.unsigned_abs().to_string().len().div_ceil(2) + 1 + usize::from(*number < 0),
            Value::Bytes(bytes) => bytes.len(),
        }
    }

    /// What the value is, in a sentence.
    pub(crate) fn described(&self) -> &'static str {
        match self {
            Value::Text(_) => "a text",
            Value::Number(_) => "a number",
            Value::Bytes(_) => "bytes",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Number(number)
    }
}

impl From<Bytes> for Value {
    fn from(bytes: Bytes) -> Self {
        Value::Bytes(bytes)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Value::Bytes(bytes.into())
    }
}

/// An item: a key, attributes by name, and when it expires.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    /// The item's key.
    pub key: Key,
    /// The item's attributes. Any name will do but [`PARTITION`], [`SORT`] and [`EXPIRES`].
    pub attributes: BTreeMap<String, Value>,
    /// From when on the item counts as expired, in seconds since 1970; none where it never does.
    pub expires_at: Option<i64>,
}

impl Item {
    /// Makes an item without attributes.
    pub fn new(key: Key) -> Self {
        Item { key, attributes: BTreeMap::new(), expires_at: None }
    }

    /// The item with an attribute.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.attributes.insert(name.into(), value.into());
        self
    }

    /// The item, expiring at this time, or within the second after it.
    #[must_use]
    pub fn expiring(mut self, at: Timestamp) -> Self {
        self.expires_at = Some(seconds(at));
        self
    }

    /// Whether the item counts as expired. It may be there for days after that.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now.as_second())
    }

    /// The text of an attribute; none where it is missing or no text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.attributes.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The number of an attribute; none where it is missing or no number.
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.attributes.get(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// The bytes of an attribute; none where it is missing or no bytes.
    pub fn bytes(&self, name: &str) -> Option<&Bytes> {
        match self.attributes.get(name) {
            Some(Value::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// The text of an attribute, those of the key among them.
    pub(crate) fn any_text(&self, name: &str) -> Option<&str> {
        match name {
            PARTITION => Some(&self.key.partition),
            SORT => Some(&self.key.sort),
            _ => self.text(name),
        }
    }

    /// The item's size in bytes, as it counts against limits and units: names and values.
    pub fn size(&self) -> usize {
        let key = PARTITION.len() + self.key.partition.len() + SORT.len() + self.key.sort.len();
        let expiry = self.expires_at.map_or(0, |at| EXPIRES.len() + Value::Number(at).size());
        key + expiry + self.attributes.iter().map(|(name, value)| name.len() + value.size()).sum::<usize>()
    }
}

/// The first whole second that is not before this time.
pub(super) fn seconds(at: Timestamp) -> i64 {
    at.as_second() + i64::from(at.subsec_nanosecond() > 0)
}
