use super::{Item, Key};

/// How a read sees the newest writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Consistency {
    /// The read may miss what was written within the last second or so. It costs half.
    Eventual,
    /// The read sees all that was written before it began.
    Consistent,
}

/// Where a query reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The table itself.
    Table(Consistency),
    /// The index of this name, which is read eventually.
    Index(&'static str),
}

/// Which sort keys of a partition. Texts are compared by their bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum SortRange {
    /// All sort keys.
    #[default]
    All,
    /// Those that begin so.
    Prefix(String),
    /// Those before this one.
    Before(String),
    /// Those up to this one, and it.
    UpTo(String),
    /// Those behind this one.
    After(String),
    /// This one, and those behind it.
    From(String),
    /// Those from the first to the last, and both.
    Between(String, String),
}

/// In which order of their sort keys a query returns items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The first comes first.
    #[default]
    Ascending,
    /// The last comes first.
    Descending,
}

/// A question for the items of a partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    /// Where the items are.
    pub source: Source,
    /// The partition key: the table's, or the index's.
    pub partition: String,
    /// Which sort keys: the table's, or the index's.
    pub range: SortRange,
    /// The order.
    pub direction: Direction,
    /// The most items of the page, from 1 up; none for as many as a page holds.
    pub limit: Option<u32>,
    /// Behind which item the page begins: [`Page::next`] of the page before.
    pub after: Option<Cursor>,
}

impl Query {
    /// Asks for all items of a partition of the table, the first first.
    pub fn table(partition: impl Into<String>, consistency: Consistency) -> Self {
        Self::of(Source::Table(consistency), partition.into())
    }

    /// Asks for all items of a partition of an index, the first first.
    pub fn index(name: &'static str, partition: impl Into<String>) -> Self {
        Self::of(Source::Index(name), partition.into())
    }

    fn of(source: Source, partition: String) -> Self {
        let (range, direction) = (SortRange::default(), Direction::default());
        Query { source, partition, range, direction, limit: None, after: None }
    }

    /// Asks for these sort keys.
    #[must_use]
    pub fn range(mut self, range: SortRange) -> Self {
        self.range = range;
        self
    }

    /// Asks for the last first.
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.direction = Direction::Descending;
        self
    }

    /// Asks for so many items a page at most.
    #[must_use]
    pub fn limit(mut self, items: u32) -> Self {
        self.limit = Some(items);
        self
    }

    /// Asks for what is behind an item.
    #[must_use]
    pub fn after(mut self, cursor: Option<Cursor>) -> Self {
        self.after = cursor;
        self
    }
}

/// An item's place in a query's order. The item need not be there any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Cursor {
    /// The item's key.
    pub key: Key,
    /// The item's key in the index, where one was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_key: Option<Key>,
}

/// The answer to [`Table::query`](super::Table::query).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The items, in order.
    pub items: Vec<Item>,
    /// Behind which item the next page begins; none where there is no more. The next page may be empty.
    pub next: Option<Cursor>,
}

impl SortRange {
    /// The first sort key, and the first behind it that is not in the range, if any is.
    pub(crate) fn half_open(&self) -> (String, Option<String>) {
        match self {
            SortRange::All => (String::new(), None),
            SortRange::Prefix(prefix) => (prefix.clone(), behind_prefix(prefix)),
            SortRange::Before(end) => (String::new(), Some(end.clone())),
            SortRange::UpTo(last) => (String::new(), Some(next_text(last))),
            SortRange::After(before) => (next_text(before), None),
            SortRange::From(first) => (first.clone(), None),
            SortRange::Between(first, last) => (first.clone(), Some(next_text(last))),
        }
    }

    /// The texts that say where it begins and ends.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let (one, other) = match self {
            SortRange::All => (None, None),
            SortRange::Prefix(text)
            | SortRange::Before(text)
            | SortRange::UpTo(text)
            | SortRange::After(text)
            | SortRange::From(text) => (Some(text), None),
            SortRange::Between(first, last) => (Some(first), Some(last)),
        };
        one.into_iter().chain(other).map(String::as_str)
    }
}

/// The text right behind this one: there is none between.
pub(crate) fn next_text(text: &str) -> String {
    format!("{text}\0")
}

/// The first text behind all that begin so; none where there is none. Bytes of UTF-8 are in the order of the characters.
fn behind_prefix(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // A range of characters leaves out what is none between U+D800 and U+DFFF.
        if let Some(next) = (last..=char::MAX).nth(1) {
            return Some(characters.into_iter().chain([next]).collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            prop::collection::vec(prop::sample::select(vec!['a', 'b', '\0', '\u{d7ff}', '\u{e000}', char::MAX]), 0..4)
                .prop_map(String::from_iter),
            "\\PC{0,3}",
        ]
    }

    proptest! {
        #[test]
        fn a_range_has_the_texts_that_it_says(one in text(), other in text(), candidate in text()) {
            let (first, last) = if one <= other { (one, other) } else { (other, one) };
            for (range, is_in) in [
                (SortRange::All, true),
                (SortRange::Prefix(first.clone()), candidate.starts_with(&first)),
                (SortRange::Before(first.clone()), candidate < first),
                (SortRange::UpTo(first.clone()), candidate <= first),
                (SortRange::After(first.clone()), candidate > first),
                (SortRange::From(first.clone()), candidate >= first),
                (SortRange::Between(first.clone(), last.clone()), candidate >= first && candidate <= last),
            ] {
                let (from, to) = range.half_open();
                prop_assert_eq!(candidate >= from && to.is_none_or(|to| candidate < to), is_in, "{:?}", range);
            }
        }
    }
}
