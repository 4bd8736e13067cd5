use std::hash::{Hash, Hasher};

use md5::{Digest as _, Md5};

use super::{Condition, Item, Key, Update};

/// The answer to a write of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// The write is made.
    Done(T),
    /// Nothing is written, because the condition does not hold of this item; none where there is none.
    ConditionFailed(Option<Box<Item>>),
}

/// A write of a transaction. No two of one transaction are of the same key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Write {
    /// [`Table::put`](super::Table::put).
    Put {
        /// The item.
        item: Item,
        /// What must be so.
        condition: Condition,
    },
    /// [`Table::update`](super::Table::update).
    Update {
        /// The item's key.
        key: Key,
        /// What changes.
        update: Update,
        /// What must be so.
        condition: Condition,
    },
    /// [`Table::delete`](super::Table::delete).
    Delete {
        /// The item's key.
        key: Key,
        /// What must be so.
        condition: Condition,
    },
    /// Nothing is written of this item, but the condition must hold of it.
    Check {
        /// The item's key.
        key: Key,
        /// What must be so.
        condition: Condition,
    },
}

impl Write {
    /// The key of the item that it is about.
    pub fn key(&self) -> &Key {
        match self {
            Write::Put { item, .. } => &item.key,
            Write::Update { key, .. } | Write::Delete { key, .. } | Write::Check { key, .. } => key,
        }
    }
}

/// The answer to [`Table::transact`](super::Table::transact).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transacted {
    /// All writes are made.
    Done,
    /// Nothing is written, for these reasons: one for each write, in order.
    Cancelled(Vec<Reason>),
}

/// What is said of a write in a transaction that was cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing is said against this write.
    None,
    /// The condition does not hold of this item; none where there is none.
    ConditionFailed(Option<Box<Item>>),
}

/// A digest that is the same for what is equal, within one version of the program.
pub(crate) fn digest(of: &impl Hash) -> [u8; 16] {
    struct Digested(Md5);
    impl Hasher for Digested {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        fn finish(&self) -> u64 {
            0
        }
    }
    let mut digested = Digested(Md5::new());
    of.hash(&mut digested);
    digested.0.finalize().into()
}
