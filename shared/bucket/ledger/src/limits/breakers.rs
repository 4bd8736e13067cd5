use std::collections::BTreeMap;

use jiff::Timestamp;
use modstream_events::{BreakerClosed, Cause, Event};
use modstream_platform::deliver::{Claimed, DeliveryError, claim, get, list, put_if_absent};
use modstream_platform::{Clock, Fetched, Objects};
use named_mutations::is_on;
use serde::{Deserialize, Serialize};

use super::scope::Scope;
use crate::Sent;

/// The prefix of all breakers.
pub const BREAKERS: &str = "breakers/";

const OPENED: &str = "opened.json";
const SENT: &str = "sent.json";
const CLOSED: &str = "closed.json";

/// The content of `opened.json`.
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
}

/// What a breaker's end is known by: `closed.json` is the event about it, or holds this alone where nobody knew more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Closed {
    /// When.
    pub time: Timestamp,
}

/// Where it stands that somebody closed the breaker of this folder.
pub fn closed_key(folder: &str) -> String {
    format!("{folder}/{CLOSED}")
}

/// An open breaker, and the event that says who closes it and why.
#[derive(Clone, Debug)]
#[must_use = "a breaker is not closed before this is written"]
pub struct Closing {
    folder: String,
    event: Vec<u8>,
}

impl Closing {
    /// The event, encoded. It says the truth once the breaker is closed by it.
    pub fn event(&self) -> &[u8] {
        &self.event
    }
}

/// The day, in UTC, that a breaker lies under.
pub(crate) fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// A breaker, as a bucket knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The prefix of the breaker's objects.
    pub folder: String,
    /// Why it opened, and until when.
    pub opened: Opened,
    /// Whether the message about it was sent.
    pub is_sent: bool,
    /// When somebody closed it.
    pub closed: Option<Timestamp>,
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
}

/// A bucket's breakers.
#[derive(Clone, Copy, Debug)]
pub struct Breakers<'a, O, C> {
    objects: &'a O,
    clock: &'a C,
    deadline: Timestamp,
}

impl<'a, O: Objects, C: Clock> Breakers<'a, O, C> {
    /// The breakers in `objects`; no call starts after `deadline`.
    pub fn new(objects: &'a O, clock: &'a C, deadline: Timestamp) -> Self {
        Breakers { objects, clock, deadline }
    }

    /// Lists the breakers of today and yesterday, which is the longest that one can be open, oldest first.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn all(&self) -> Result<Vec<Known>, DeliveryError> {
        self.all_but(&BTreeMap::new()).await
    }

    /// The same; those that are known to have been closed are not read again.
    pub(crate) async fn all_but(&self, known: &BTreeMap<String, Known>) -> Result<Vec<Known>, DeliveryError> {
        let now = self.clock.now();
        let yesterday = now.checked_sub(jiff::SignedDuration::from_hours(24)).unwrap_or(now);
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for day in [day(yesterday), day(now)] {
            for key in list(self.objects, self.clock, self.deadline, &format!("{BREAKERS}{day}/")).await? {
                let Some((folder, name)) = key.rsplit_once('/') else { continue };
                found.entry(folder.to_owned()).or_default().push(name.to_owned());
            }
        }
        let mut all = Vec::new();
        for (folder, names) in found {
            let has = |name: &str| names.iter().any(|found| found == name);
            if let Some(old) = known.get(&folder).filter(|old| old.closed.is_some() || !has(CLOSED)) {
                all.push(Known { is_sent: has(SENT), ..old.clone() });
                continue;
            }
            // One that is something else counts as none: it withholds nothing. One that may not be read is an error.
            let Some(opened) = self.read(&folder, OPENED).await? else { continue };
            let closed: Option<Closed> = if has(CLOSED) { self.read(&folder, CLOSED).await? } else { None };
            all.push(Known { folder, opened, is_sent: has(SENT), closed: closed.map(|closed| closed.time) });
        }
        Ok(all)
    }

    /// Opens the day's breaker of this number, counted from 0. Its folder; none where another instance opened that one.
    ///
    /// Whoever knows the same breakers tries the same number, so of many that notice at once one opens it, however late its
    /// write comes.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub(crate) async fn open(
        &self,
        scope: &Scope,
        number: usize,
        opened: &Opened,
    ) -> Result<Option<String>, DeliveryError> {
        let folder = format!("{BREAKERS}{}/{number:04}-{scope}", day(opened.time));
        let bytes = serde_json::to_vec(opened).unwrap_or_default();
        let claimed = claim(self.objects, self.clock, self.deadline, &format!("{folder}/{OPENED}"), bytes).await?;
        Ok((claimed == Claimed::Ours).then_some(folder))
    }

    /// Records that the message about one was sent.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn sent(&self, folder: &str, message_id: String) -> Result<(), DeliveryError> {
        let sent = Sent { time: self.clock.now(), message_id };
        self.write(folder, SENT, &sent).await
    }

    /// Makes ready to close those that are open, for whoever wants it and why.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn closing(&self, cause: &Cause<'_>) -> Result<Vec<Closing>, DeliveryError> {
        let now = self.clock.now();
        let open = self.all().await?.into_iter().filter(|known| known.is_open(now));
        let closing = open.map(|Known { folder, opened, .. }| {
            let (breaker, cause) = (folder.as_str().into(), cause.clone());
            let event = BreakerClosed { breaker, opened: opened.time, cause }.into_event(now).encode();
            Closing { folder, event }
        });
        Ok(closing.collect())
    }

    /// Closes a breaker. Whether it was closed by this; else somebody else was first.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn close_one(&self, closing: &Closing) -> Result<bool, DeliveryError> {
        let key = closed_key(&closing.folder);
        let Breakers { objects, clock, deadline } = *self;
        let claimed = claim(objects, clock, deadline, &key, closing.event.clone()).await?;
        Ok(claimed == Claimed::Ours)
    }

    /// Who closed a breaker, and why; none where nobody did, or it is not known.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn closed_by(&self, folder: &str) -> Result<Option<Cause<'static>>, DeliveryError> {
        let Breakers { objects, clock, deadline } = *self;
        let found = get(objects, clock, deadline, &closed_key(folder), None).await?;
        let Fetched::Object { bytes, .. } = found else { return Ok(None) };
        Ok(Event::<BreakerClosed<'_>>::decode(&bytes).ok().map(|event| event.data.cause.into_owned()))
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

    async fn write(&self, folder: &str, name: &str, content: &impl Serialize) -> Result<(), DeliveryError> {
        let bytes = serde_json::to_vec(content).unwrap_or_default();
        put_if_absent(self.objects, self.clock, self.deadline, &format!("{folder}/{name}"), bytes).await.map(drop)
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, folder: &str, name: &str) -> Result<Option<T>, DeliveryError> {
        match get(self.objects, self.clock, self.deadline, &format!("{folder}/{name}"), None).await? {
            Fetched::Object { bytes, .. } => Ok(serde_json::from_slice(&bytes).ok()),
            Fetched::NotModified | Fetched::Missing => Ok(None),
        }
    }
}
