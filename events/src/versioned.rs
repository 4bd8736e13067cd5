//! How old events stay readable: an event of version n is read as one of version n + 1, and so on up to the newest.
//! `docs/decisions/0010-event-versions.md` says how a new version is made.

use serde::Deserialize;

use crate::{BadRecord, Data, Event};

/// [`Data`] that is read from events of its own version and of every version before it.
///
/// Whoever decodes sees the newest version alone. A version that no longer is the newest keeps its type, so an old event is
/// taken or refused exactly as it was when it was new.
pub trait Versioned<'a>: Data + Deserialize<'a> {
    /// The version before this one; [`NoPrevious`] where this is the first.
    type Previous: Versioned<'a>;

    /// Says in this version what an event of the version before says. It can't fail: what was readable stays readable.
    fn upcast(previous: Self::Previous) -> Self;
}

/// The version before the first: no event has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum NoPrevious {}

impl Data for NoPrevious {
    /// No event's type is empty.
    const TYPE: &'static str = "";
}

impl<'a> Versioned<'a> for NoPrevious {
    type Previous = NoPrevious;

    fn upcast(previous: NoPrevious) -> Self {
        previous
    }
}

/// Implements [`Data`] and [`Versioned`] for a type of which there is no earlier version.
macro_rules! first_version {
    ($data:ident, $kind:literal) => {
        impl $crate::Data for $data<'_> {
            const TYPE: &'static str = $kind;
        }

        impl<'a> $crate::Versioned<'a> for $data<'a> {
            type Previous = $crate::NoPrevious;

            fn upcast(previous: $crate::NoPrevious) -> Self {
                match previous {}
            }
        }
    };
}

pub(crate) use first_version;

/// The types that are read as a `T`, newest first.
pub fn readable_types<'a, T: Versioned<'a>>() -> Vec<&'static str> {
    let mut types = vec![T::TYPE];
    if has_previous::<T>() {
        types.extend(readable_types::<T::Previous>());
    }
    types
}

pub(crate) fn has_previous<'a, T: Versioned<'a>>() -> bool {
    T::Previous::TYPE != NoPrevious::TYPE
}

/// The event of type `kind` that `bytes` hold, if `kind` is a version before `T`'s.
pub(crate) fn decode_previous<'a, T: Versioned<'a>>(
    kind: &str,
    bytes: &'a [u8],
) -> Option<Result<Event<'a, T>, BadRecord>> {
    if !has_previous::<T>() {
        return None;
    }
    let previous = if kind == T::Previous::TYPE {
        Event::<T::Previous>::decode(bytes)
    } else {
        decode_previous::<T::Previous>(kind, bytes)?
    };
    Some(previous.map(upcast))
}

fn upcast<'a, T: Versioned<'a>>(event: Event<'a, T::Previous>) -> Event<'a, T> {
    let Event { specversion, id, source, kind: _, time, datacontenttype, data } = event;
    Event { specversion, id, source, kind: T::TYPE.into(), time, datacontenttype, data: T::upcast(data) }
}

/// A type without its version, and the version as it is written: `modstream.alert` and `1` of `modstream.alert.v1`.
pub(crate) fn split_version(kind: &str) -> Option<(&str, &str)> {
    let (family, version) = kind.rsplit_once(".v")?;
    let is_number = !version.is_empty() && version.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then_some((family, version))
}
