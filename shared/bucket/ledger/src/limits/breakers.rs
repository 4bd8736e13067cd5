use jiff::{SignedDuration, Timestamp};
use modstream_events::{BreakerClosed, Cause, Event};
use modstream_platform::deliver::{DeliveryError, items};
use modstream_platform::table::{Condition, Consistency, Item, Key, Outcome, Query, SortRange, Table, Update};
use modstream_platform::{Bytes, Clock};
use named_mutations::is_on;
use serde::{Deserialize, Serialize};

use crate::entry::{MESSAGE_ID, SENT, time};
use crate::keys::sort_time;

/// The partition of all breakers.
const BREAKERS: &str = "breakers";

const OPENED: &str = "opened";
const OPENER: &str = "opener";
const UNTIL: &str = "until";
const MAX_SHARE: &str = "max_share";
const WINDOW_MINUTES: &str = "window_minutes";
const ALERTS: &str = "alerts";
const PREDICTIONS: &str = "predictions";
const CLOSED: &str = "closed";
/// The attribute that holds the event about who closed it.
const CLOSING: &str = "closing";

/// Why a breaker opened, and until when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// When.
    pub time: Timestamp,
    /// When it closes by itself.
    pub until: Timestamp,
    /// The share of comments that may alert.
    pub max_share: f64,
    /// Over so many minutes.
    pub window_minutes: i64,
    /// How many alerts there were, where it was noticed.
    pub alerts: u64,
    /// The number of predictions among which they were counted.
    pub predictions: u64,
}

impl Opened {
    /// The share of comments that alerted.
    pub fn share(&self) -> f64 {
        self.alerts as f64 / self.predictions.max(1) as f64
    }

    fn of_item(item: &Item) -> Option<Self> {
        Some(Opened {
            time: time(item, OPENED)?,
            until: time(item, UNTIL)?,
            max_share: item.text(MAX_SHARE)?.parse().ok()?,
            window_minutes: item.number(WINDOW_MINUTES)?,
            alerts: item.number(ALERTS)?.try_into().ok()?,
            predictions: item.number(PREDICTIONS)?.try_into().ok()?,
        })
    }
}

/// An open breaker, and the event that says who closes it and why.
#[derive(Clone, Debug)]
#[must_use = "a breaker is not closed before this is written"]
pub struct Closing {
    name: String,
    time: Timestamp,
    event: Vec<u8>,
}

impl Closing {
    /// The event, encoded. It says the truth once the breaker is closed by it.
    pub fn event(&self) -> &[u8] {
        &self.event
    }
}

/// The day, in UTC, that breakers' names begin with.
pub(crate) fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// A breaker, as a table knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The breaker's name: the day on which it opened, and its number on that day, such as `2026-01-05/0000`.
    pub name: String,
    /// Why it opened, and until when.
    pub opened: Opened,
    /// Which instance opened it.
    pub(crate) opener: String,
    /// Whether the message about it was sent.
    pub is_sent: bool,
    /// When somebody closed it.
    pub closed: Option<Timestamp>,
    /// Who closed it, and why; none where nobody did, or it is not known.
    pub cause: Option<Cause<'static>>,
}

impl Known {
    /// Whether alerts are withheld at a time.
    pub fn is_open(&self, now: Timestamp) -> bool {
        let is_over = now >= self.opened.until || (now > self.opened.time && is_on("close-breaker-early"));
        self.closed.is_none() && !is_over
    }

    /// When it ended; none while it is open.
    pub fn ended(&self, now: Timestamp) -> Option<Timestamp> {
        if self.is_open(now) {
            None
        } else {
            Some(self.closed.map_or(self.opened.until, |at| at.min(self.opened.until)))
        }
    }

    /// What is something else counts as no breaker: it withholds nothing.
    fn of_item(item: &Item) -> Option<Self> {
        let closed = time(item, CLOSED);
        let event = item.bytes(CLOSING).filter(|_| closed.is_some());
        let cause = event.and_then(|event| Event::<BreakerClosed<'_>>::decode(event).ok());
        Some(Known {
            name: item.key.sort.clone(),
            opened: Opened::of_item(item)?,
            opener: item.text(OPENER).unwrap_or_default().to_owned(),
            is_sent: item.text(SENT).is_some(),
            closed,
            cause: cause.map(|event| event.data.cause.into_owned()),
        })
    }
}

/// A table's breakers.
#[derive(Clone, Copy, Debug)]
pub struct Breakers<'a, B, C> {
    table: &'a B,
    clock: &'a C,
    deadline: Timestamp,
}

impl<'a, B: Table, C: Clock> Breakers<'a, B, C> {
    /// The breakers in `table`; no call starts after `deadline`.
    pub fn new(table: &'a B, clock: &'a C, deadline: Timestamp) -> Self {
        Breakers { table, clock, deadline }
    }

    /// The breakers of today and yesterday, which is the longest that one can be open, oldest first. One call.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn all(&self) -> Result<Vec<Known>, DeliveryError> {
        let now = self.clock.now();
        let yesterday = now.saturating_sub(SignedDuration::from_hours(24)).unwrap_or(now);
        // As they are: whoever opens one counts those that are there.
        let query = Query::table(BREAKERS, Consistency::Consistent).range(SortRange::From(day(yesterday)));
        let found = items::query_all(self.table, self.clock, self.deadline, &query).await?;
        Ok(found.iter().filter_map(Known::of_item).collect())
    }

    /// Opens the day's breaker of this number, counted from 0, unless it is there already.
    ///
    /// Whoever knows the same breakers tries the same number, so of many that notice at once one opens it, however late its
    /// write comes: the opener whose name it has.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub(crate) async fn open(&self, opener: &str, number: usize, opened: &Opened) -> Result<(), DeliveryError> {
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let item = Item::new(key(&format!("{}/{number:04}", day(opened.time))))
            .with(OPENED, sort_time(opened.time))
            .with(UNTIL, sort_time(opened.until))
            .with(OPENER, opener)
            .with(MAX_SHARE, opened.max_share.to_string())
            .with(WINDOW_MINUTES, opened.window_minutes)
            .with(ALERTS, count(opened.alerts))
            .with(PREDICTIONS, count(opened.predictions));
        items::put(self.table, self.clock, self.deadline, &item, &Condition::Absent).await.map(drop)
    }

    /// Records that the message about one was sent.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn sent(&self, name: &str, message_id: &str) -> Result<(), DeliveryError> {
        let sent = Update::new().set(SENT, sort_time(self.clock.now())).set(MESSAGE_ID, message_id);
        self.update(name, &sent, SENT).await.map(drop)
    }

    /// Makes ready to close those that are open, for whoever wants it and why.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn closing(&self, cause: &Cause<'_>) -> Result<Vec<Closing>, DeliveryError> {
        let now = self.clock.now();
        let open = self.all().await?.into_iter().filter(|known| known.is_open(now));
        let closing = open.map(|Known { name, opened, .. }| {
            let (breaker, cause) = (name.as_str().into(), cause.clone());
            let event = BreakerClosed { breaker, opened: opened.time, cause }.into_event(now).encode();
            Closing { name, time: now, event }
        });
        Ok(closing.collect())
    }

    /// Closes a breaker. Whether it was closed by this; else somebody else was first.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn close_one(&self, closing: &Closing) -> Result<bool, DeliveryError> {
        let Closing { name, time, event } = closing;
        let closed = Update::new().set(CLOSED, sort_time(*time)).set(CLOSING, event.clone());
        Ok(matches!(self.update(name, &closed, CLOSED).await?, Outcome::Done(_)))
    }

    /// The event by which the breaker of this name was closed; none where nobody closed it, or there is no such breaker.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn closed_by(&self, name: &str) -> Result<Option<Bytes>, DeliveryError> {
        if name.is_empty() {
            return Ok(None);
        }
        let found = items::get(self.table, self.clock, self.deadline, &key(name), Consistency::Consistent).await?;
        Ok(found.and_then(|item| item.bytes(CLOSING).cloned()))
    }

    /// Closes those that are open, in nobody's name and without a reason: for systems in memory, and tests. How many.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn close(&self) -> Result<usize, DeliveryError> {
        let closing = self.closing(&Cause::default()).await?;
        for one in &closing {
            self.close_one(one).await?;
        }
        Ok(closing.len())
    }

    /// Changes a breaker that lacks this attribute, which the update sets.
    async fn update(&self, name: &str, update: &Update, unless: &str) -> Result<Outcome<Item>, DeliveryError> {
        let condition = Condition::Present.and(Condition::missing(unless));
        items::update(self.table, self.clock, self.deadline, &key(name), update, &condition).await
    }
}

fn key(name: &str) -> Key {
    Key::new(BREAKERS, name)
}
