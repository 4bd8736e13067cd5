//! What moderators' decisions say about a model and a policy.
//!
//! [`standing`] folds the decisions about an alert into its [`Verdict`]. [`pull`] reads a table's and joins each with its
//! comment, from the ledger or from the archive: a [`Judged`] comment, one JSON object a line, is a training row with the decision
//! beside it. [`live`] compares what was claimed with what moderators said, [`suggest`] finds thresholds that keep a promised
//! precision.
//!
//! **Who was asked.** Only comments that alerted were judged, and, where the policy has an exploration share, a random share of
//! the others. So precision can be read off as it is; what is missed only from the explored ones, each of which stands for
//! `1 / share` comments (D. G. Horvitz and D. J. Thompson, "A Generalization of Sampling Without Replacement from a Finite
//! Universe", 1952). [`Verdict::propensity`] says which.

mod judged;
mod live;
mod pull;
mod suggest;
mod verdict;

pub use judged::{Judged, JudgedError, newest, read};
pub use live::{Claim, ClaimedPrecision, Explored, Live, MIN_DECISIONS, Recall, live};
pub use pull::{PullError, Pulled, pull};
pub use suggest::{NoSuggestion, Suggestion, of_newest_model, suggest};
pub use verdict::{Beside, Verdict, standing};
