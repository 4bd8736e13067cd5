use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

use super::{MemoryClock, lock};
use crate::table::{
    Batch, Condition, Consistency, Cursor, Decided, Direction, Flaw, HalfUnits, Index, Item, Key, MAX_BATCH_BYTES,
    MAX_PAGE_BYTES, Operation, Outcome, Page, Query, Schema, Source, TOKEN_SECONDS, Table, Transacted, Update, Usage,
    Write, check_condition, check_item, check_key, check_keys, check_query, check_token, check_update, check_writes,
    decide_delete, decide_put, decide_transaction, decide_update, items_read, next_text, write_units,
};
use crate::{CallError, Clock as _};

/// A table as DynamoDB has it, which counts what it is asked.
///
/// Eventual reads, those of indexes among them, see every write at once, unless they are [held back](Self::hold_back). What has
/// expired stays until it is [swept](Self::sweep).
#[derive(Clone)]
pub struct MemoryTable {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    schema: Schema,
    clock: MemoryClock,
    state: Mutex<State>,
}

struct State {
    content: Content,
    /// What eventual reads see, where they are held back.
    behind: Option<Behind>,
    tokens: Tokens,
    usage: Usage,
}

/// Items, and their places in the indexes.
#[derive(Clone)]
struct Content {
    items: BTreeMap<Key, Arc<Item>>,
    indexes: Vec<(&'static Index, BTreeSet<Place>)>,
}

/// An item's place in an index: its key there, and its own.
type Place = (Key, Key);

struct Behind {
    content: Content,
    missed: VecDeque<(Key, Option<Arc<Item>>)>,
}

/// The transactions that are remembered.
#[derive(Default)]
struct Tokens {
    writes: BTreeMap<String, Vec<Write>>,
    forgotten: VecDeque<(i64, String)>,
}

/// Whose limits and names these are.
const SERVICE: &str = "dynamodb";

impl MemoryTable {
    /// Makes an empty table. The clock says how long a transaction's token is remembered, and what [`sweep`](Self::sweep) takes
    /// for expired.
    pub fn new(name: &str, schema: Schema, clock: MemoryClock) -> Self {
        let indexes = schema.indexes.iter().map(|index| (index, BTreeSet::new())).collect();
        let state = State {
            content: Content { items: BTreeMap::new(), indexes },
            behind: None,
            tokens: Tokens::default(),
            usage: Usage::default(),
        };
        MemoryTable { shared: Arc::new(Shared { name: name.to_owned(), schema, clock, state: Mutex::new(state) }) }
    }

    /// All items that are there, those that have expired among them, in the order of their keys.
    pub fn items(&self) -> Vec<Item> {
        self.state().content.items.values().map(|item| Item::clone(item)).collect()
    }

    /// The bytes that are stored, and paid for by the month: items and the indexes' entries, each with [100 bytes of
    /// overhead](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html).
    pub fn stored_bytes(&self) -> usize {
        const OVERHEAD: usize = 100;
        let entries = |item: &Item| -> usize {
            let indexes = self.shared.schema.indexes.iter().filter(|index| index.key(item).is_some());
            indexes.map(|index| index.projected(item).size() + OVERHEAD).sum()
        };
        self.state().content.items.values().map(|item| item.size() + OVERHEAD + entries(item)).sum()
    }

    /// Deletes what has expired, which costs nothing, and says how much that was.
    pub fn sweep(&self) -> usize {
        let now = self.shared.clock.now();
        let mut state = self.state();
        let expired = state.content.items.values().filter(|item| item.has_expired(now));
        let expired: Vec<Key> = expired.map(|item| item.key.clone()).collect();
        for key in &expired {
            state.write(key, None);
        }
        expired.len()
    }

    /// From now on eventual reads miss what is written, until they [catch up](Self::catch_up).
    pub fn hold_back(&self) {
        let mut state = self.state();
        if state.behind.is_none() {
            state.behind = Some(Behind { content: state.content.clone(), missed: VecDeque::new() });
        }
    }

    /// Lets eventual reads see up to so many more of the writes that they miss, the oldest first, and says how many they still
    /// miss. They go on missing new ones.
    pub fn catch_up(&self, writes: usize) -> usize {
        let mut state = self.state();
        let Some(Behind { content, missed }) = &mut state.behind else { return 0 };
        for (key, item) in missed.drain(..writes.min(missed.len())) {
            content.write(&key, item);
        }
        missed.len()
    }

    /// Lets eventual reads see every write at once again.
    pub fn let_go(&self) {
        self.state().behind = None;
    }

    /// What was asked since the table was made, or since the last [`reset_usage`](Self::reset_usage).
    pub fn usage(&self) -> Usage {
        self.state().usage.clone()
    }

    /// Returns what was asked, and counts anew.
    pub fn reset_usage(&self) -> Usage {
        std::mem::take(&mut self.state().usage)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }

    /// The state, with a call of this operation counted.
    fn called(&self, operation: Operation) -> MutexGuard<'_, State> {
        let mut state = self.state();
        *state.usage.calls.entry(operation).or_default() += 1;
        state
    }
}

impl Content {
    fn write(&mut self, key: &Key, item: Option<Arc<Item>>) {
        let before = self.items.get(key).cloned();
        for (index, places) in &mut self.indexes {
            if let Some(place) = before.as_ref().and_then(|item| index.key(item)) {
                places.remove(&(place, key.clone()));
            }
            if let Some(place) = item.as_ref().and_then(|item| index.key(item)) {
                places.insert((place, key.clone()));
            }
        }
        match item {
            Some(item) => drop(self.items.insert(key.clone(), item)),
            None => drop(self.items.remove(key)),
        }
    }

    fn query(&self, query: &Query) -> Page {
        match query.source {
            Source::Table(_) => {
                let range = bounds(query, |key| key, query.after.as_ref().map(|cursor| cursor.key.clone()));
                let entries = self
                    .items
                    .range(range)
                    .map(|(key, item)| (Cursor { key: key.clone(), index_key: None }, Item::clone(item)));
                page(query, entries)
            }
            Source::Index(name) => {
                let Some((index, places)) = self.indexes.iter().find(|(index, _)| index.name == name) else {
                    return Page::default();
                };
                let least = Key::new("", "");
                let after = query.after.as_ref();
                let after = after.and_then(|cursor| Some((cursor.index_key.clone()?, cursor.key.clone())));
                let range = bounds(query, |key| (key, least.clone()), after);
                let entries = places.range(range).filter_map(|(place, key)| {
                    let cursor = Cursor { key: key.clone(), index_key: Some(place.clone()) };
                    Some((cursor, index.projected(self.items.get(key)?)))
                });
                page(query, entries)
            }
        }
    }
}

/// The bounds of what a query asks for, behind its cursor.
fn bounds<T>(query: &Query, of: impl Fn(Key) -> T, after: Option<T>) -> (Bound<T>, Bound<T>) {
    let (from, to) = query.range.half_open();
    let end = match to {
        // A range that is empty has no end before its beginning.
        Some(to) => Key::new(&query.partition, to.max(from.clone())),
        None => Key::new(next_text(&query.partition), ""),
    };
    let (first, end) = (of(Key::new(&query.partition, from)), of(end));
    match (query.direction, after) {
        (Direction::Ascending, Some(after)) => (Bound::Excluded(after), Bound::Excluded(end)),
        (Direction::Descending, Some(after)) => (Bound::Included(first), Bound::Excluded(after)),
        (_, None) => (Bound::Included(first), Bound::Excluded(end)),
    }
}

/// The first page of what a query finds. As DynamoDB's, a page that has as many items as were asked for names a next one, whether
/// there is more or not.
fn page(query: &Query, entries: impl DoubleEndedIterator<Item = (Cursor, Item)>) -> Page {
    let mut entries: Box<dyn Iterator<Item = (Cursor, Item)>> = match query.direction {
        Direction::Ascending => Box::new(entries),
        Direction::Descending => Box::new(entries.rev()),
    };
    let most = query.limit.map_or(usize::MAX, |limit| limit as usize);
    let (mut items, mut last, mut bytes) = (Vec::new(), None, 0);
    loop {
        if items.len() == most {
            return Page { items, next: last };
        }
        let Some((cursor, item)) = entries.next() else { return Page { items, next: None } };
        bytes += item.size();
        if bytes > MAX_PAGE_BYTES && !items.is_empty() {
            return Page { items, next: last };
        }
        last = Some(cursor);
        items.push(item);
    }
}

impl State {
    /// What a read of this consistency sees.
    fn seen(&self, consistency: Consistency) -> &Content {
        match (consistency, &self.behind) {
            (Consistency::Eventual, Some(behind)) => &behind.content,
            _ => &self.content,
        }
    }

    fn found(&self, key: &Key) -> Option<Arc<Item>> {
        self.content.items.get(key).cloned()
    }

    fn write(&mut self, key: &Key, item: Option<Arc<Item>>) {
        if let Some(behind) = &mut self.behind {
            behind.missed.push_back((key.clone(), item.clone()));
        }
        self.content.write(key, item);
    }

    fn count_read(&mut self, units: HalfUnits) {
        self.usage.read.0 += units.0;
    }

    /// Counts a write that was made, and makes it.
    fn write_counted(&mut self, schema: Schema, found: Option<&Item>, key: &Key, item: Option<Item>) {
        let (own, indexes) = write_units(schema, found, item.as_ref());
        self.usage.write_units += own + indexes;
        self.write(key, item.map(Arc::new));
    }

    /// Counts a write whose condition failed: it costs as the item that was found.
    fn count_failed(&mut self, found: Option<&Item>) {
        self.usage.write_units += write_units(Schema::default(), found, None).0;
    }
}

impl Tokens {
    fn forget(&mut self, now: i64) {
        while let Some((until, token)) = self.forgotten.front()
            && *until <= now
        {
            self.writes.remove(token);
            self.forgotten.pop_front();
        }
    }

    fn remember(&mut self, now: i64, token: &str, writes: &[Write]) {
        self.writes.insert(token.to_owned(), writes.to_vec());
        self.forgotten.push_back((now + TOKEN_SECONDS, token.to_owned()));
    }
}

impl Table for MemoryTable {
    fn name(&self) -> &str {
        &self.shared.name
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        let mut state = self.called(Operation::GetItem);
        check_key(key).map_err(|flaw| flaw.of(SERVICE, Operation::GetItem))?;
        let item = state.seen(consistency).items.get(key).cloned();
        state.count_read(items_read(item.as_ref().map_or(0, |item| item.size()), consistency));
        Ok(item.map(Arc::unwrap_or_clone))
    }

    async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
        let mut state = self.called(Operation::BatchGetItem);
        check_keys(keys).map_err(|flaw| flaw.of(SERVICE, Operation::BatchGetItem))?;
        let mut batch = Batch::default();
        let mut bytes = 0;
        for key in keys {
            let item = state.seen(consistency).items.get(key).cloned();
            let size = item.as_ref().map_or(0, |item| item.size());
            if bytes + size > MAX_BATCH_BYTES {
                batch.unprocessed.push(key.clone());
                continue;
            }
            bytes += size;
            state.count_read(items_read(size, consistency));
            batch.items.extend(item.map(Arc::unwrap_or_clone));
        }
        Ok(batch)
    }

    async fn query(&self, query: &Query) -> Result<Page, CallError> {
        let mut state = self.called(Operation::Query);
        check_query(self.shared.schema, query).map_err(|flaw| flaw.of(SERVICE, Operation::Query))?;
        let consistency = match query.source {
            Source::Table(consistency) => consistency,
            Source::Index(_) => Consistency::Eventual,
        };
        let page = state.seen(consistency).query(query);
        state.count_read(items_read(page.items.iter().map(Item::size).sum(), consistency));
        Ok(page)
    }

    async fn put(&self, item: &Item, condition: &Condition) -> Result<Outcome<()>, CallError> {
        let mut state = self.called(Operation::PutItem);
        let checked = check_item(self.shared.schema, item).and_then(|()| check_condition(condition));
        checked.map_err(|flaw| flaw.of(SERVICE, Operation::PutItem))?;
        let found = state.found(&item.key);
        let decided = decide_put(found.as_deref(), condition);
        match &decided {
            Outcome::Done(()) => {
                state.write_counted(self.shared.schema, found.as_deref(), &item.key, Some(item.clone()));
            }
            Outcome::ConditionFailed(_) => state.count_failed(found.as_deref()),
        }
        Ok(decided)
    }

    async fn update(&self, key: &Key, update: &Update, condition: &Condition) -> Result<Outcome<Item>, CallError> {
        let mut state = self.called(Operation::UpdateItem);
        let in_call = |flaw: Flaw| flaw.of(SERVICE, Operation::UpdateItem);
        let checked = check_key(key)
            .and_then(|()| check_update(self.shared.schema, update))
            .and_then(|()| check_condition(condition));
        checked.map_err(in_call)?;
        let found = state.found(key);
        let decided = decide_update(self.shared.schema, found.as_deref(), key, update, condition).map_err(in_call)?;
        match &decided {
            Outcome::Done(item) => {
                state.write_counted(self.shared.schema, found.as_deref(), key, Some(item.clone()));
            }
            Outcome::ConditionFailed(_) => state.count_failed(found.as_deref()),
        }
        Ok(decided)
    }

    async fn delete(&self, key: &Key, condition: &Condition) -> Result<Outcome<()>, CallError> {
        let mut state = self.called(Operation::DeleteItem);
        let checked = check_key(key).and_then(|()| check_condition(condition));
        checked.map_err(|flaw| flaw.of(SERVICE, Operation::DeleteItem))?;
        let found = state.found(key);
        let decided = decide_delete(found.as_deref(), condition);
        match &decided {
            Outcome::Done(()) => state.write_counted(self.shared.schema, found.as_deref(), key, None),
            Outcome::ConditionFailed(_) => state.count_failed(found.as_deref()),
        }
        Ok(decided)
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        let mut state = self.called(Operation::TransactWriteItems);
        let in_call = |flaw: Flaw| flaw.of(SERVICE, Operation::TransactWriteItems);
        let schema = self.shared.schema;
        check_token(token).and_then(|()| check_writes(schema, writes)).map_err(in_call)?;
        let now = self.shared.clock.now().as_second();
        state.tokens.forget(now);
        if let Some(made) = state.tokens.writes.get(token) {
            if made != writes {
                return Err(in_call(Flaw::invalid("the token was used for other writes within the last 10 minutes")));
            }
            // It costs as reading the items does.
            for write in writes {
                let bytes = state.found(write.key()).map_or(0, |item| item.size());
                let read = items_read(bytes, Consistency::Consistent);
                state.count_read(HalfUnits(2 * read.0));
            }
            return Ok(Transacted::Done);
        }
        let found = |key: &Key| state.content.items.get(key).map(|item| Item::clone(item));
        match decide_transaction(schema, writes, found).map_err(in_call)? {
            Decided::Changes(after) => {
                for write in writes {
                    let found = state.found(write.key());
                    let (found, after) = (found.as_deref(), after.get(write.key()));
                    let kept = after.is_none().then_some(found).flatten();
                    let (own, indexes) = write_units(schema, found, after.map_or(kept, Option::as_ref));
                    state.usage.write_units += 2 * own + indexes;
                }
                for (key, item) in after {
                    state.write(key, item.map(Arc::new));
                }
                state.tokens.remember(now, token, writes);
                Ok(Transacted::Done)
            }
            Decided::Cancelled(reasons) => {
                for write in writes {
                    let found = state.found(write.key());
                    state.usage.write_units += 2 * write_units(Schema::default(), found.as_deref(), None).0;
                }
                Ok(Transacted::Cancelled(reasons))
            }
        }
    }
}
