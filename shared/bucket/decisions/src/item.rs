//! A decision's item, and the place of its event in the outbox.

use jiff::Timestamp;
use modstream_events::{Action, Alert, Decision, Event};
use modstream_ledger::{AlertKey, DECIDED_LIST, IN_DECIDED, Kind, pack, sort_time};
use modstream_platform::table::{Item, Key};

use crate::log::Recorded;
use crate::numbers::Subject;

/// The partition of events that may not be on the decisions' stream.
pub(crate) const OUTBOX: &str = "outbox";

pub(crate) const EVENT: &str = "event";
const NUMBER: &str = "number";
const ACTION: &str = "action";
const MODERATOR: &str = "moderator";
const DECIDED: &str = "decided";
const SUBREDDIT: &str = "subreddit";
const POLICY: &str = "policy";
const REASON: &str = "reason";
const ALERTED: &str = "alerted";
const KIND: &str = "kind";

/// The item of a decision about an alert.
pub(crate) fn item(
    key: &AlertKey,
    alert: &Event<'_, Alert<'_>>,
    decision: &Event<'_, Decision<'_>>,
    encoded: &[u8],
) -> Item {
    let Decision { number, action, moderator, .. } = &decision.data;
    let Subject { subreddit, policy, reason, alerted, kind } = Subject::of(alert);
    let item = Item::new(key.decision(*number))
        .with(EVENT, pack(encoded))
        .with(NUMBER, i64::from(*number))
        .with(ACTION, action.as_str())
        .with(MODERATOR, moderator.as_ref())
        .with(DECIDED, sort_time(decision.time))
        .with(IN_DECIDED, DECIDED_LIST)
        .with(SUBREDDIT, subreddit)
        .with(POLICY, policy)
        .with(REASON, reason)
        .with(ALERTED, sort_time(alerted));
    match kind.as_str() {
        Some(kind) => item.with(KIND, kind),
        None => item,
    }
}

/// What an item says of a decision; none where it is none.
pub(crate) fn recorded(item: &Item) -> Option<Recorded> {
    Some(Recorded {
        number: item.number(NUMBER)?.try_into().ok()?,
        action: item.text(ACTION)?.parse::<Action>().ok()?,
        moderator: item.text(MODERATOR)?.to_owned(),
        time: item.text(DECIDED)?.parse().ok()?,
    })
}

/// What an item says of the alert that was decided about; none where it is no decision's.
pub(crate) fn subject(item: &Item) -> Option<Subject> {
    let text = |name: &str| item.text(name).map(str::to_owned);
    Some(Subject {
        subreddit: text(SUBREDDIT)?,
        policy: text(POLICY)?,
        reason: text(REASON)?,
        alerted: item.text(ALERTED)?.parse().ok()?,
        kind: Kind::of_item(item),
    })
}

/// The place of an event in the outbox: the oldest come first.
pub(crate) fn outbox_key(time: Timestamp, name: &str) -> Key {
    Key::new(OUTBOX, format!("{}#{name}", sort_time(time)))
}

/// An event in the outbox.
pub(crate) fn in_outbox(key: Key, event: &[u8]) -> Item {
    Item::new(key).with(EVENT, event.to_vec())
}
