//! The table's indexes, and the names of the attributes that more than one place knows.

use jiff::Timestamp;
use modstream_platform::environment::Variable;
use modstream_platform::table::{Index, Projection, Query, Schema, SortRange};

use crate::entry::{DETAIL, HARM, KIND, MADE, PROBABILITY, RANK, SEVERITY, SUBREDDIT, WHOSE, WITHHELD, WITHHELD_AT};
use crate::keys::sort_time;

/// The variable that names the table in a function's environment.
pub const TABLE: Variable =
    Variable { name: "TABLE", wanted: "the name of the table that holds the ledger", example: "modstream-state" };

/// The table that holds what the system remembers.
///
/// An item is in an index as long as it has the attribute `in_…` of that index: so what a moderator or a digest is not to see
/// any more leaves by losing it.
pub const SCHEMA: Schema = Schema { indexes: &[MADE_INDEX, OPEN_INDEX, DECIDED_INDEX] };

/// Alerts by when they were made: those whose comment stands as it was, and apart from them those about an earlier text, and those
/// whose comment is gone.
pub(crate) const MADE_INDEX: Index = Index {
    name: "made",
    partition: IN_MADE,
    sort: MADE,
    projection: Projection::Only(&[SUBREDDIT, SEVERITY, PROBABILITY, HARM, KIND, WITHHELD, WITHHELD_AT, DETAIL, WHOSE]),
};

/// Alerts that wait for a decision, the most urgent first.
pub(crate) const OPEN_INDEX: Index =
    Index { name: "open", partition: IN_OPEN, sort: RANK, projection: Projection::Only(&[KIND, MADE]) };

/// Decisions by when they were taken.
const DECIDED_INDEX: Index = Index {
    name: "decided",
    partition: IN_DECIDED,
    sort: "decided",
    projection: Projection::Only(&["number", "action", "moderator", SUBREDDIT, "policy", "reason", "alerted", KIND]),
};

/// The attribute that keeps an alert in the index `made`: it says in which of its lists.
pub const IN_MADE: &str = "in_made";
/// The attribute that keeps an alert in the index `open`, where it is `open`.
pub const IN_OPEN: &str = "in_open";
/// The attribute that keeps a decision in the index `decided`, where it is `decided`.
pub const IN_DECIDED: &str = "in_decided";
/// The one list of the index `open`.
pub(crate) const OPEN_LIST: &str = "open";
/// The one list of the index `decided`.
pub const DECIDED_LIST: &str = "decided";

/// Asks for the decisions since a time, the first first.
pub fn decided_since(from: Timestamp) -> Query {
    Query::index(DECIDED_INDEX.name, DECIDED_LIST).range(SortRange::From(sort_time(from)))
}
