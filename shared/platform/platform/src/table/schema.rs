use std::collections::BTreeMap;

use super::{Item, Key};

/// What a table has beside its items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// The table's indexes.
    pub indexes: &'static [Index],
}

/// Another order of a table's items: by two of their attributes, which are texts.
///
/// An item that lacks one of them is not in the index. What is written is in the index a little later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
    /// The index's name.
    pub name: &'static str,
    /// The attribute that holds the index's partition key. It may be one of the table's own key.
    pub partition: &'static str,
    /// The attribute that holds the index's sort key. It may be one of the table's own key.
    pub sort: &'static str,
    /// What the index holds of an item.
    pub projection: Projection,
}

/// What an index holds of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    /// All of the item. Each change of the item is a write of the index, too.
    All,
    /// The item's key, when it expires, the attributes that the index is by, and these. A change of other attributes costs the
    /// index nothing.
    Only(&'static [&'static str]),
}

impl Schema {
    /// The index of this name.
    pub fn index(&self, name: &str) -> Option<&'static Index> {
        self.indexes.iter().find(|index| index.name == name)
    }
}

impl Index {
    /// The item's key in the index; none where the index does not hold it.
    pub(crate) fn key(&self, item: &Item) -> Option<Key> {
        Some(Key::new(item.any_text(self.partition)?, item.any_text(self.sort)?))
    }

    /// What the index holds of the item.
    pub(crate) fn projected(&self, item: &Item) -> Item {
        match self.projection {
            Projection::All => item.clone(),
            Projection::Only(names) => {
                let held = |name: &str| name == self.partition || name == self.sort || names.contains(&name);
                let attributes: BTreeMap<_, _> = item
                    .attributes
                    .iter()
                    .filter(|(name, _)| held(name))
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect();
                Item { key: item.key.clone(), attributes, expires_at: item.expires_at }
            }
        }
    }
}
