//! What a system remembers and is asked for: items in a [`Table`], by key, by range and by index.
//!
//! The terms and the limits are those of
//! [DynamoDB](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html), and all worlds keep to them:
//! what one takes, the others take.
//!
//! - **A call is a method**, with one exception to "an error is a failure": a condition that does not hold is an answer, and brings
//!   the item that was found.
//! - **Reads are eventual or consistent.** An eventual read may miss the newest writes, and costs half. An index is only ever read
//!   eventually.
//! - **An item that has expired is deleted at some time after that**, within days. Until then every read, query and condition finds
//!   it. Whoever reads looks at its own clock ([`Item::has_expired`], as all that [`deliver::items`](crate::deliver::items) reads
//!   does), and whoever writes "where there is none" says [`Condition::Vacant`].
//! - **An update that only removes** makes no item: where there is none, that is as a condition that fails.

mod check;
mod condition;
mod item;
mod query;
mod schema;
mod units;
mod update;
mod write;

use std::fmt;
use std::future::Future;

pub use condition::Condition;
pub use item::{Item, Key, Value};
pub use query::{Consistency, Cursor, Direction, Page, Query, SortRange, Source};
pub use schema::{Index, Projection, Schema};
pub use units::{HalfUnits, Usage};
pub use update::{Action, Expiry, Update};
pub use write::{Outcome, Reason, Transacted, Write};

pub(crate) use check::{
    Decided, Flaw, check_condition, check_item, check_key, check_keys, check_query, check_token, check_update,
    check_writes, decide_delete, decide_put, decide_transaction, decide_update,
};
pub(crate) use query::next_text;
pub(crate) use units::{items_read, write_units};
pub(crate) use write::digest;

use crate::{CallError, CallErrorKind};

/// The attribute that holds an item's partition key.
pub const PARTITION: &str = "pk";
/// The attribute that holds an item's sort key.
pub const SORT: &str = "sk";
/// The attribute that holds when an item expires: the table's time to live.
pub const EXPIRES: &str = "expires_at";

/// The most bytes of an item, names included
/// ([limits](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html), as all below).
pub const MAX_ITEM_BYTES: usize = 400 << 10;
/// The most bytes of a partition key, of the table or of an index.
pub const MAX_PARTITION_BYTES: usize = 2048;
/// The most bytes of a sort key, of the table or of an index.
pub const MAX_SORT_BYTES: usize = 1024;
/// The most bytes of an attribute's name.
pub const MAX_NAME_BYTES: usize = (64 << 10) - 1;
/// The most writes of one [`Table::transact`] call.
pub const MAX_TRANSACT_WRITES: usize = 100;
/// The most bytes of all items of one [`Table::transact`] call.
pub const MAX_TRANSACT_BYTES: usize = 4 << 20;
/// The most characters of the token of a [`Table::transact`] call.
pub const MAX_TOKEN_CHARS: usize = 36;
/// The most bytes of the items of a [`Table::query`] call's page.
pub const MAX_PAGE_BYTES: usize = 1 << 20;
/// The most keys of one [`Table::get_batch`] call.
pub const MAX_BATCH_KEYS: usize = 100;
/// The most bytes of the items that one [`Table::get_batch`] call answers. The keys of the others come back unprocessed.
pub const MAX_BATCH_BYTES: usize = 16 << 20;
/// The most terms of a condition, and the most actions of an update: with more, an expression could pass DynamoDB's 4 KB.
pub const MAX_TERMS: usize = 50;

/// How long a token of a transaction is remembered after it succeeded.
pub const TOKEN_SECONDS: i64 = 600;

/// A table of items: DynamoDB.
pub trait Table: Send + Sync {
    /// The table's name.
    fn name(&self) -> &str;

    /// Reads an item; none where there is none. Makes one
    /// [GetItem](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html) call.
    fn get(&self, key: &Key, consistency: Consistency) -> impl Future<Output = Result<Option<Item>, CallError>> + Send;

    /// Reads the items of up to [`MAX_BATCH_KEYS`] keys that differ. Makes one
    /// [BatchGetItem](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html) call, which may leave
    /// some for the next.
    fn get_batch(
        &self,
        keys: &[Key],
        consistency: Consistency,
    ) -> impl Future<Output = Result<Batch, CallError>> + Send;

    /// Reads a page of the items of a partition, in the order of their sort keys. Makes one
    /// [Query](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html) call. A page may hold fewer items
    /// than were asked for, or none, and be followed by more.
    fn query(&self, query: &Query) -> impl Future<Output = Result<Page, CallError>> + Send;

    /// Writes an item, over whatever has its key. Makes one
    /// [PutItem](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html) call.
    fn put(&self, item: &Item, condition: &Condition) -> impl Future<Output = Result<Outcome<()>, CallError>> + Send;

    /// Changes attributes of an item, and makes one where there is none. Returns the item as it is then. Makes one
    /// [UpdateItem](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html) call.
    fn update(
        &self,
        key: &Key,
        update: &Update,
        condition: &Condition,
    ) -> impl Future<Output = Result<Outcome<Item>, CallError>> + Send;

    /// Deletes an item, and succeeds also where there is none. Makes one
    /// [DeleteItem](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html) call.
    fn delete(&self, key: &Key, condition: &Condition) -> impl Future<Output = Result<Outcome<()>, CallError>> + Send;

    /// Makes all writes, or none. Makes one
    /// [TransactWriteItems](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html) call.
    ///
    /// For [`TOKEN_SECONDS`] after it succeeded, the same writes under the same token do nothing and succeed again. Other writes
    /// under it are [`CallErrorKind::Invalid`], in any table of the account. A transaction that was cancelled is tried anew.
    fn transact(&self, token: &str, writes: &[Write]) -> impl Future<Output = Result<Transacted, CallError>> + Send;
}

/// The answer to [`Table::get_batch`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The items that are there, in no order.
    pub items: Vec<Item>,
    /// The keys that were not looked up: ask again.
    pub unprocessed: Vec<Key>,
}

/// A kind of call to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// [`Table::get`].
    GetItem,
    /// [`Table::get_batch`].
    BatchGetItem,
    /// [`Table::query`].
    Query,
    /// [`Table::put`].
    PutItem,
    /// [`Table::update`].
    UpdateItem,
    /// [`Table::delete`].
    DeleteItem,
    /// [`Table::transact`].
    TransactWriteItems,
}

impl Operation {
    /// The operation's name, as DynamoDB has it.
    pub fn name(self) -> &'static str {
        match self {
            Operation::GetItem => "GetItem",
            Operation::BatchGetItem => "BatchGetItem",
            Operation::Query => "Query",
            Operation::PutItem => "PutItem",
            Operation::UpdateItem => "UpdateItem",
            Operation::DeleteItem => "DeleteItem",
            Operation::TransactWriteItems => "TransactWriteItems",
        }
    }

    /// Whether a call changes the table.
    pub fn writes(self) -> bool {
        !matches!(self, Operation::GetItem | Operation::BatchGetItem | Operation::Query)
    }

    /// An error of a call to a service.
    pub(crate) fn error(self, service: &'static str, kind: CallErrorKind, message: impl Into<String>) -> CallError {
        CallError { service, operation: self.name(), kind, message: message.into() }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.name())
    }
}
