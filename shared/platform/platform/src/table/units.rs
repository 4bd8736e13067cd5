use std::collections::BTreeMap;

use super::{Consistency, Index, Item, Operation, Schema};

/// What a table was asked, and what DynamoDB would bill for it
/// ([capacity](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The calls, by operation.
    pub calls: BTreeMap<Operation, u64>,
    /// The write units: one for each KB that was begun, of an item and of each entry of an index that changed. In a transaction
    /// the items' are doubled.
    pub write_units: u64,
    /// The read units: one for each 4 KB that were begun, or half of one where the read was eventual.
    pub read: HalfUnits,
}

/// Halves of read units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct HalfUnits(pub u64);

impl HalfUnits {
    /// How many units they are.
    pub fn units(self) -> f64 {
        self.0 as f64 / 2.0
    }
}

impl Usage {
    /// How many calls there were in all.
    pub fn total_calls(&self) -> u64 {
        self.calls.values().sum()
    }

    /// How often an operation was called.
    pub fn calls_of(&self, operation: Operation) -> u64 {
        self.calls.get(&operation).copied().unwrap_or_default()
    }
}

/// The bytes of a write unit.
const WRITE_UNIT_BYTES: usize = 1 << 10;
/// The bytes of a read unit.
const READ_UNIT_BYTES: usize = 4 << 10;

fn begun(bytes: usize, unit: usize) -> u64 {
    bytes.div_ceil(unit).max(1) as u64
}

/// The halves of units of a read of so many bytes. A read of nothing costs as the smallest.
pub(crate) fn items_read(bytes: usize, consistency: Consistency) -> HalfUnits {
    let units = begun(bytes, READ_UNIT_BYTES);
    HalfUnits(match consistency {
        Consistency::Eventual => units,
        Consistency::Consistent => 2 * units,
    })
}

/// The units of a write that was made, of the item itself and of the indexes.
pub(crate) fn write_units(schema: Schema, before: Option<&Item>, after: Option<&Item>) -> (u64, u64) {
    let bytes = before.map_or(0, Item::size).max(after.map_or(0, Item::size));
    let indexes = schema.indexes.iter().map(|index| entry_units(index, before, after)).sum();
    (begun(bytes, WRITE_UNIT_BYTES), indexes)
}

/// The units of a change of an index's entry: none where what it holds stays, one write where its key stays, else a deletion and
/// a write.
fn entry_units(index: &Index, before: Option<&Item>, after: Option<&Item>) -> u64 {
    let entry = |item: Option<&Item>| item.and_then(|item| Some((index.key(item)?, index.projected(item))));
    let units = |item: &Item| begun(item.size(), WRITE_UNIT_BYTES);
    match (entry(before), entry(after)) {
        (None, None) => 0,
        (Some((_, one)), None) | (None, Some((_, one))) => units(&one),
        (Some((key, old)), Some((new_key, new))) if key == new_key => {
            if old == new {
                0
            } else {
                units(&old).max(units(&new))
            }
        }
        (Some((_, old)), Some((_, new))) => units(&old) + units(&new),
    }
}
