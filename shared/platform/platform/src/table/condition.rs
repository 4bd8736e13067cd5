use jiff::Timestamp;

use super::{Item, Value};

/// What must be so of the item that has a key, if any, for a write to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Anything may be so.
    #[default]
    Always,
    /// There is no item. One that has expired and is still there counts: see [`Condition::Vacant`].
    Absent,
    /// There is an item.
    Present,
    /// There is no item, or one that had expired by this time, in seconds since 1970.
    Vacant(i64),
    /// The attribute has this value.
    Equals(String, Value),
    /// The attribute is of this value's type, and less: numbers as numbers, texts and bytes by their bytes.
    LessThan(String, Value),
    /// The item lacks the attribute, or there is no item.
    Missing(String),
    /// All of these are so.
    All(Vec<Condition>),
    /// One of these is so, at least.
    Any(Vec<Condition>),
}

impl Condition {
    /// There is no item, or one that has expired.
    pub fn vacant(now: Timestamp) -> Self {
        Condition::Vacant(now.as_second())
    }

    /// The attribute has this value.
    pub fn equals(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Condition::Equals(name.into(), value.into())
    }

    /// The attribute is less than this value.
    pub fn less_than(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Condition::LessThan(name.into(), value.into())
    }

    /// The item lacks the attribute.
    pub fn missing(name: impl Into<String>) -> Self {
        Condition::Missing(name.into())
    }

    /// Both are so.
    #[must_use]
    pub fn and(self, other: Condition) -> Self {
        match (self, other) {
            (Condition::Always, only) | (only, Condition::Always) => only,
            (Condition::All(mut all), other) => {
                all.push(other);
                Condition::All(all)
            }
            (one, other) => Condition::All(vec![one, other]),
        }
    }

    /// One of both is so, at least.
    #[must_use]
    pub fn or(self, other: Condition) -> Self {
        match (self, other) {
            (Condition::Always, _) | (_, Condition::Always) => Condition::Always,
            (Condition::Any(mut any), other) => {
                any.push(other);
                Condition::Any(any)
            }
            (one, other) => Condition::Any(vec![one, other]),
        }
    }

    /// Whether it is so, of the item that was found.
    pub fn holds(&self, found: Option<&Item>) -> bool {
        let attribute = |name: &String| found.and_then(|item| item.attributes.get(name));
        match self {
            Condition::Always => true,
            Condition::Absent => found.is_none(),
            Condition::Present => found.is_some(),
            Condition::Vacant(now) => found.is_none_or(|item| item.expires_at.is_some_and(|at| at <= *now)),
            Condition::Equals(name, value) => attribute(name) == Some(value),
            Condition::LessThan(name, value) => match (attribute(name), value) {
                (Some(Value::Number(one)), Value::Number(other)) => one < other,
                (Some(Value::Text(one)), Value::Text(other)) => one < other,
                (Some(Value::Bytes(one)), Value::Bytes(other)) => one < other,
                _ => false,
            },
            Condition::Missing(name) => attribute(name).is_none(),
            Condition::All(all) => all.iter().all(|one| one.holds(found)),
            Condition::Any(any) => any.iter().any(|one| one.holds(found)),
        }
    }

    /// How many terms it has.
    pub(super) fn terms(&self) -> usize {
        match self {
            Condition::Always => 0,
            Condition::Vacant(_) => 2,
            Condition::All(of) | Condition::Any(of) => of.iter().map(Condition::terms).sum(),
            _ => 1,
        }
    }
}
