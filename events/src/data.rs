use crate::sizes::MAX_RECORD_BYTES;

/// What an [`Event`](crate::Event) can carry.
pub trait Data {
    /// The CloudEvents `type`, version included.
    const TYPE: &'static str;
    /// The most bytes that [`Event::decode`](crate::Event::decode) reads.
    const MAX_BYTES: usize = MAX_RECORD_BYTES;
}
