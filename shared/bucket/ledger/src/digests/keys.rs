use jiff::Timestamp;

use crate::keys::Hour;

/// The prefix of all digests.
pub const PREFIX: &str = "digests/";

const SENT: &str = "sent.json";

/// The key of a window's digests.
pub fn window_key(start: Timestamp, end: Timestamp) -> String {
    let (hour, minutes) = (Hour::of(start), end.duration_since(start).as_mins());
    format!("{PREFIX}{hour}/{}-{minutes}m.json", start.strftime("%H%M"))
}

/// The key that says that a digest was sent whose window begins in `hour`.
pub(crate) fn sent_key(hour: Hour, id: &str) -> String {
    format!("{PREFIX}{hour}/{id}/{SENT}")
}

/// What a key stands for.
pub(crate) enum Named<'a> {
    /// A window's digests.
    Window,
    /// The object says that the digest of this id was sent.
    Sent(&'a str),
}

pub(crate) fn named(key: &str) -> Option<(Hour, Named<'_>)> {
    let (hour, name) = key.strip_prefix(PREFIX)?.split_once('/')?;
    let hour = hour.parse().ok()?;
    let named = match name.split_once('/') {
        Some((id, SENT)) => Named::Sent(id),
        Some(_) => return None,
        None => {
            let (start, minutes) = name.strip_suffix("m.json")?.split_once('-')?;
            let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            (is_number(start) && is_number(minutes)).then_some(Named::Window)?
        }
    };
    Some((hour, named))
}
