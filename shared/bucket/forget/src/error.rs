use modstream_ledger::LedgerError;
use modstream_platform::deliver::DeliveryError;

/// Why the work stopped. What was done until then stays done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForgetError {
    /// A prefix could not be listed.
    #[error("the versions below {prefix} can't be listed: {error}")]
    List {
        /// What the keys begin with.
        prefix: String,
        /// What went wrong.
        error: DeliveryError,
    },
    /// An object could not be read, rewritten or deleted.
    #[error("{key}: {error}; what was removed before is gone")]
    Object {
        /// The object's key.
        key: String,
        /// What went wrong.
        error: DeliveryError,
    },
    /// The alerts could not be read or rewritten.
    #[error("{error}; what was removed before is gone")]
    Ledger {
        /// What went wrong.
        error: LedgerError,
    },
    /// An object changed each time that it was to be rewritten.
    #[error("{key} is written by others again and again; run the command again later")]
    Contended {
        /// The object's key.
        key: String,
    },
}
