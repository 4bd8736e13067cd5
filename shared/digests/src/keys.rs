use modstream_ledger::Hour;

/// Where digests lie.
pub const PREFIX: &str = "digests/";

pub(crate) const REQUESTED: &str = "requested.json";
pub(crate) const SENT: &str = "sent.json";

/// A digest's objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// A [`Requested`](crate::Requested).
    pub requested: String,
    /// A [`Sent`](modstream_ledger::Sent).
    pub sent: String,
}

impl Keys {
    /// Of the digest `id` whose window begins in `hour`.
    pub fn new(hour: Hour, id: &str) -> Self {
        let folder = format!("{PREFIX}{hour}/{id}/");
        Keys { requested: format!("{folder}{REQUESTED}"), sent: format!("{folder}{SENT}") }
    }
}
