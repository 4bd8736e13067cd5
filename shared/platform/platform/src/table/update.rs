use std::collections::BTreeMap;

use jiff::Timestamp;

use super::item::seconds;
use super::{Flaw, Item, Key, Value};

/// What changes of an item: an action for each of some attributes. The others stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Update {
    /// The actions, by the attribute's name.
    pub actions: BTreeMap<String, Action>,
    /// What becomes of the time when the item expires.
    pub expiry: Expiry,
}

/// What is done with an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The attribute gets this value.
    Set(Value),
    /// The attribute is removed.
    Remove,
    /// The number is added to the attribute's, or to 0 where it has none.
    Add(i64),
}

/// What becomes of the time when an item expires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Expiry {
    /// It stays as it is.
    #[default]
    Kept,
    /// It is this, in seconds since 1970.
    At(i64),
}

impl Update {
    /// Makes an update that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The update, with an action. Of two for one attribute the last stays.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, action: Action) -> Self {
        self.actions.insert(name.into(), action);
        self
    }

    /// Sets an attribute.
    #[must_use]
    pub fn set(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.with(name, Action::Set(value.into()))
    }

    /// Removes an attribute.
    #[must_use]
    pub fn remove(self, name: impl Into<String>) -> Self {
        self.with(name, Action::Remove)
    }

    /// Adds to a number.
    #[must_use]
    pub fn add(self, name: impl Into<String>, number: i64) -> Self {
        self.with(name, Action::Add(number))
    }

    /// Makes the item expire at this time, or within the second after it.
    #[must_use]
    pub fn expiring(mut self, at: Timestamp) -> Self {
        self.expiry = Expiry::At(seconds(at));
        self
    }

    /// Whether the update does the same if it is made twice. One that adds to a number does not.
    pub fn is_repeatable(&self) -> bool {
        !self.actions.values().any(|action| matches!(action, Action::Add(_)))
    }

    /// Whether an item is as the update leaves one.
    pub fn is_in(&self, item: &Item) -> bool {
        let expires = match self.expiry {
            Expiry::Kept => true,
            Expiry::At(at) => item.expires_at == Some(at),
        };
        let is_done = |(name, action): (&String, &Action)| match (action, item.attributes.get(name)) {
            (Action::Set(value), found) => found == Some(value),
            (Action::Remove, found) => found.is_none(),
            // What a number was before nobody knows.
            (Action::Add(_), _) => false,
        };
        expires && self.actions.iter().all(is_done)
    }

    /// Whether the update only takes away, so that it makes no item.
    pub(crate) fn only_removes(&self) -> bool {
        self.expiry == Expiry::Kept && self.actions.values().all(|action| *action == Action::Remove)
    }

    /// The item that the update makes of the one that was found.
    pub(super) fn applied(&self, key: &Key, found: Option<&Item>) -> Result<Item, Flaw> {
        let mut item = found.cloned().unwrap_or_else(|| Item::new(key.clone()));
        match self.expiry {
            Expiry::Kept => {}
            Expiry::At(at) => item.expires_at = Some(at),
        }
        for (name, action) in &self.actions {
            match (action, item.attributes.get_mut(name)) {
                (Action::Set(value), _) => drop(item.attributes.insert(name.clone(), value.clone())),
                (Action::Remove, _) => drop(item.attributes.remove(name)),
                (Action::Add(number), None) => drop(item.attributes.insert(name.clone(), Value::Number(*number))),
                (Action::Add(number), Some(Value::Number(sum))) => {
                    *sum = sum.checked_add(*number).ok_or_else(|| {
                        Flaw::refused(format!("{number} can't be added to the attribute `{name}`, which holds {sum}"))
                    })?;
                }
                (Action::Add(_), Some(other)) => {
                    return Err(Flaw::refused(format!(
                        "the attribute `{name}` holds {}, to which no number can be added",
                        other.described()
                    )));
                }
            }
        }
        Ok(item)
    }
}
