//! The table's indexes, and the names of the attributes that more than one place knows.

use modstream_platform::environment::Variable;
use modstream_platform::table::{Index, Projection, Schema};

/// The variable that names the table in a function's environment.
pub const TABLE: Variable =
    Variable { name: "TABLE", wanted: "the name of the table that holds the ledger", example: "modstream-state" };

/// The table that holds what the system remembers.
///
/// An item is in an index as long as it has the attribute `in_…` of that index: so what a moderator or a digest is not to see
/// any more leaves by losing it.
pub const SCHEMA: Schema = Schema { indexes: &[MADE, OPEN, DECIDED] };

/// Alerts by when they were made: those whose comment stands as it was, and apart from them those about an earlier text, and those
/// whose comment is gone.
const MADE: Index = Index {
    name: "made",
    partition: IN_MADE,
    sort: "made",
    projection: Projection::Only(&[
        "subreddit",
        "severity",
        "probability",
        "kind",
        "withheld",
        "withheld_at",
        "detail",
        "whose",
    ]),
};

/// Alerts that wait for a decision, the most urgent first.
const OPEN: Index =
    Index { name: "open", partition: IN_OPEN, sort: "rank", projection: Projection::Only(&["kind", "made"]) };

/// Decisions by when they were taken.
const DECIDED: Index = Index {
    name: "decided",
    partition: IN_DECIDED,
    sort: "decided",
    projection: Projection::Only(&[
        "number",
        "action",
        "moderator",
        "subreddit",
        "policy",
        "reason",
        "alerted",
        "kind",
    ]),
};

/// The attribute that keeps an alert in the index `made`: it says in which of its lists.
pub const IN_MADE: &str = "in_made";
/// The attribute that keeps an alert in the index `open`, where it is `open`.
pub const IN_OPEN: &str = "in_open";
/// The attribute that keeps a decision in the index `decided`, where it is `decided`.
pub const IN_DECIDED: &str = "in_decided";
