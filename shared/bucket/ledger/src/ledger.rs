use std::collections::BTreeMap;

use jiff::Timestamp;
use modstream_events::{Alert, Event};
use modstream_platform::Clock;
use modstream_platform::deliver::{DeliveryError, items};
use modstream_platform::table::{
    Condition, Consistency, Cursor, Item, Key, Outcome, Query, SortRange, Table, Update, Write,
};

use crate::comments::Deletion;
use crate::entry::{
    DECISIONS, DETAIL, EVENT, Entry, HARM, KIND, Kind, LedgerError, MADE, MESSAGE_ID, PROBABILITY, RANK, REPORTS, SENT,
    SEVERITY, SUBREDDIT, SUPERSEDED, SUPERSEDED_BY, Urgency, WHOSE, WITHDRAWN, WITHDRAWN_BY, WITHHELD, WITHHELD_AT,
    Withheld, Withholding, rank, severity, time, whose, withheld,
};
use crate::keys::{ALERT, AlertKey, MISSED, partition, sort_time};
use crate::packed::pack;
use crate::redact::redacted;
use crate::schema::{IN_MADE, IN_OPEN, MADE_INDEX, OPEN_INDEX, OPEN_LIST};

/// What to do about an alert.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// The alert was made now: go on with it, where it is not withheld from the start.
    GoOn,
    /// Go on with this alert, which an earlier attempt made and may have published.
    Resume(Box<Entry>),
    /// There is nothing to do: the alert was published, withheld or withdrawn before.
    Nothing(Box<Entry>),
}

/// A comment that was reported, that a moderator of the forum removed, and about which there was no alert: it was missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// When the deletion came here.
    pub time: Timestamp,
    /// The comment's subreddit.
    pub subreddit: Option<String>,
    /// How often it was reported.
    pub reports: usize,
}

/// What a list of alerts says of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The alert's name.
    pub key: AlertKey,
    /// When the alert was made.
    pub made: Timestamp,
    /// What kind of question it is.
    pub kind: Kind,
    /// The comment's subreddit.
    pub subreddit: Option<String>,
    /// How urgent the alert is.
    pub severity: modstream_events::Severity,
    /// The probability that a moderator would remove the comment.
    pub probability: f64,
    /// What orders it among others as severe.
    pub urgency: Urgency,
    /// Why the alert was held back, where it was.
    pub withheld: Option<Withheld>,
}

/// An alert that waits for a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The alert's name.
    pub key: AlertKey,
    /// When the alert was made.
    pub made: Timestamp,
    /// What kind of question it is.
    pub kind: Kind,
}

/// What a decision does to the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InQueue {
    /// The alert is decided, and leaves the queue.
    Leaves,
    /// The decision is taken back, and the alert waits again.
    Returns,
    /// The decision is taken back, and the alert does not wait: its comment has another text by now, or is gone.
    StaysOut,
}

/// The write of an alert that goes with a decision about it, as one of a transaction: after so many decisions there is one more.
pub fn with_decision(key: &AlertKey, after: u32, queue: InQueue) -> Write {
    let decided = Update::new().set(DECISIONS, i64::from(after) + 1);
    let unchanged = match after {
        0 => Condition::missing(DECISIONS),
        _ => Condition::equals(DECISIONS, i64::from(after)),
    };
    let condition = Condition::Present.and(unchanged);
    let (update, condition) = match queue {
        InQueue::Leaves => (decided.remove(IN_OPEN), condition),
        InQueue::Returns => {
            let is_open = Condition::missing(SUPERSEDED).and(Condition::missing(WITHDRAWN));
            (decided.set(IN_OPEN, OPEN_LIST), condition.and(is_open))
        }
        InQueue::StaysOut => (decided, condition),
    };
    Write::Update { key: key.item(), update, condition }
}

/// Which alerts a list by time has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Those whose comment stands as it was.
    Standing,
    /// Those about an earlier text than their comment has by now.
    Superseded,
    /// Those whose comment is gone.
    Withdrawn,
}

impl List {
    /// All of them: together they have every alert.
    pub const ALL: [Self; 3] = [Self::Standing, Self::Superseded, Self::Withdrawn];

    /// The list's partition of the index.
    pub(crate) fn partition(self) -> &'static str {
        match self {
            List::Standing => "made",
            List::Superseded => "superseded",
            List::Withdrawn => "withdrawn",
        }
    }
}

/// A page of what was asked for, and where the next one begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// What was found, in order.
    pub found: Vec<T>,
    /// Behind what the next page begins; none where there is no more.
    pub next: Option<Cursor>,
}

/// The ledger of a table.
#[derive(Debug)]
pub struct Ledger<'a, B, C> {
    pub(crate) table: &'a B,
    pub(crate) clock: &'a C,
    pub(crate) deadline: Timestamp,
}

impl<B, C> Clone for Ledger<'_, B, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B, C> Copy for Ledger<'_, B, C> {}

impl<'a, B: Table, C: Clock> Ledger<'a, B, C> {
    /// The ledger in `table`; no call starts after `deadline`.
    pub fn new(table: &'a B, clock: &'a C, deadline: Timestamp) -> Self {
        Ledger { table, clock, deadline }
    }

    /// Makes an alert, whose event is given encoded too, and withheld from the start where a reason is given; or says what became
    /// of it where an earlier attempt made it. What was made first is what is published.
    ///
    /// # Errors
    /// Where it is not known by the deadline whether it is made; or where it is too large for an item.
    pub async fn request(
        &self,
        key: &AlertKey,
        event: &Event<'_, Alert<'_>>,
        encoded: &[u8],
        withheld: Option<(Withholding, &str)>,
    ) -> Result<Next, LedgerError> {
        let item = made(key, event, encoded, withheld);
        match items::put(self.table, self.clock, self.deadline, &item, &Condition::Absent).await? {
            Outcome::Done(()) => Ok(Next::GoOn),
            Outcome::ConditionFailed(found) => {
                // What was there a moment ago is nobody's to delete.
                let entry = Box::new(Entry::of_item(found.as_deref().unwrap_or(&item))?);
                let is_settled = entry.fate != crate::Fate::Requested || entry.withdrawn.is_some();
                Ok(if is_settled { Next::Nothing(entry) } else { Next::Resume(entry) })
            }
        }
    }

    /// Records that the topic took it.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is recorded.
    pub async fn sent(&self, key: &AlertKey, message_id: &str) -> Result<(), DeliveryError> {
        let sent = Update::new().set(SENT, sort_time(self.clock.now())).set(MESSAGE_ID, message_id);
        self.note(key, &sent, SENT).await
    }

    /// Records that it is not published by itself, and why.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is recorded.
    pub async fn withhold(&self, key: &AlertKey, reason: Withholding, detail: &str) -> Result<(), DeliveryError> {
        let time = sort_time(self.clock.now());
        let withheld = Update::new().set(WITHHELD, reason.as_str()).set(DETAIL, detail).set(WITHHELD_AT, time);
        self.note(key, &withheld, WITHHELD).await
    }

    /// Records that the comment has a later version: the alert leaves the queue and the digests.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is recorded.
    pub async fn supersede(&self, key: &AlertKey, by: &str) -> Result<(), DeliveryError> {
        let superseded = Update::new().set(SUPERSEDED, sort_time(self.clock.now())).set(SUPERSEDED_BY, by);
        let superseded = superseded.set(IN_MADE, List::Superseded.partition()).remove(IN_OPEN);
        // Of a comment that is gone there is nothing more to say.
        let neither = Condition::missing(SUPERSEDED).and(Condition::missing(WITHDRAWN));
        self.update(key, &superseded, neither).await
    }

    /// Records that the comment is gone, and takes what was written out of the alert, which leaves the queue and the digests.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is recorded.
    pub async fn withdraw(&self, entry: &Entry, deletion: &Deletion) -> Result<(), DeliveryError> {
        let mut withdrawn = Update::new()
            .set(WITHDRAWN, sort_time(deletion.time))
            .set(WITHDRAWN_BY, deletion.by.as_str())
            .set(IN_MADE, List::Withdrawn.partition())
            .remove(IN_OPEN)
            .remove(WHOSE);
        withdrawn = forget_need(withdrawn, entry);
        // What is no alert is not ours to change.
        if let Some(event) = redacted(&entry.event, self.clock.now()) {
            withdrawn = withdrawn.set(EVENT, pack(&event));
        }
        self.note(&entry.key, &withdrawn, WITHDRAWN).await
    }

    /// Records how often the comment was reported, as far as it counts. The number only grows.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is recorded.
    pub async fn report(&self, entry: &Entry, reports: usize) -> Result<(), DeliveryError> {
        if entry.reports >= reports {
            return Ok(());
        }
        let number = i64::try_from(reports).unwrap_or(i64::MAX);
        let reported =
            Update::new().set(REPORTS, number).set(RANK, rank(entry.severity, entry.urgency, reports, entry.made));
        let fewer = Condition::missing(REPORTS).or(Condition::less_than(REPORTS, number));
        self.update(&entry.key, &reported, fewer).await
    }

    /// Takes what a person wrote out of an alert.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is done.
    pub async fn redact(&self, entry: &Entry) -> Result<(), DeliveryError> {
        match redacted(&entry.event, self.clock.now()) {
            Some(event) => {
                let redacted = forget_need(Update::new().set(EVENT, pack(&event)).remove(WHOSE), entry);
                self.update(&entry.key, &redacted, Condition::Always).await
            }
            None => Ok(()),
        }
    }

    /// Records that the comment of this key was missed.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is recorded.
    pub async fn missed(&self, comment: &str, missed: &Missed) -> Result<(), DeliveryError> {
        let key = Key::new(MISSED, format!("{}#{comment}", sort_time(missed.time)));
        let mut item = Item::new(key).with(REPORTS, i64::try_from(missed.reports).unwrap_or(i64::MAX));
        if let Some(subreddit) = missed.subreddit.as_deref().filter(|name| !name.is_empty()) {
            item = item.with(SUBREDDIT, subreddit);
        }
        items::put(self.table, self.clock, self.deadline, &item, &Condition::Absent).await.map(drop)
    }

    /// Changes an alert that lacks this attribute, which the update sets.
    async fn note(&self, key: &AlertKey, update: &Update, unless: &str) -> Result<(), DeliveryError> {
        self.update(key, update, Condition::missing(unless)).await
    }

    /// Changes an alert, where the condition holds. There is one: what was never made is not changed.
    async fn update(&self, key: &AlertKey, update: &Update, condition: Condition) -> Result<(), DeliveryError> {
        let condition = Condition::Present.and(condition);
        items::update(self.table, self.clock, self.deadline, &key.item(), update, &condition).await.map(drop)
    }

    // Reading.

    /// An alert, as it is now; none where there is none.
    ///
    /// # Errors
    /// Where it can't be read, or there is no answer by the deadline.
    pub async fn entry(&self, key: &AlertKey) -> Result<Option<Entry>, LedgerError> {
        let item = items::get(self.table, self.clock, self.deadline, &key.item(), Consistency::Consistent).await?;
        item.as_ref().map(Entry::of_item).transpose()
    }

    /// Alerts as they are now, a hundred a call. Of what is missing there is none; what can't be read stands beside.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn entries(
        &self,
        keys: &[AlertKey],
    ) -> Result<(BTreeMap<AlertKey, Entry>, Vec<LedgerError>), LedgerError> {
        let keys: Vec<Key> = keys.iter().map(AlertKey::item).collect();
        let found = items::get_all(self.table, self.clock, self.deadline, &keys, Consistency::Consistent).await?;
        let (mut entries, mut unreadable) = (BTreeMap::new(), Vec::new());
        for item in found.values() {
            match Entry::of_item(item) {
                Ok(entry) => drop(entries.insert(entry.key.clone(), entry)),
                Err(error) => unreadable.push(error),
            }
        }
        Ok((entries, unreadable))
    }

    /// A page of the alerts about a comment, as they are now.
    ///
    /// # Errors
    /// Where one can't be read, or there is no answer by the deadline.
    pub async fn of_comment(&self, comment: &str, after: Option<Cursor>) -> Result<Page<Entry>, LedgerError> {
        let query = Query::table(partition(comment), Consistency::Consistent);
        let query = query.range(SortRange::Prefix(ALERT.to_owned())).after(after);
        let page = items::query(self.table, self.clock, self.deadline, &query).await?;
        let found: Result<_, LedgerError> = page.items.iter().map(Entry::of_item).collect();
        Ok(Page { found: found?, next: page.next })
    }

    /// A page of a list's alerts that were made in `[from, to)`, in the order of their making. It may miss the newest.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn made_between(
        &self,
        list: List,
        (from, to): (Timestamp, Timestamp),
        after: Option<Cursor>,
    ) -> Result<Page<Listed>, DeliveryError> {
        // Sort keys of whole times: nothing lies between the last and `to`.
        let range = SortRange::Between(sort_time(from), sort_time(to));
        let query = Query::index(MADE_INDEX.name, list.partition()).range(range).after(after);
        let page = items::query(self.table, self.clock, self.deadline, &query).await?;
        let found = page.items.iter().filter_map(listed).filter(|alert| alert.made < to);
        Ok(Page { found: found.collect(), next: page.next })
    }

    /// A page of all alerts that may be this author's, or about comments of this id; a list is walked
    /// from end to end: a page is some thousand alerts, of which a few may be theirs.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn maybe_of(
        &self,
        person: (Option<&str>, Option<&str>),
        list: List,
        after: Option<Cursor>,
    ) -> Result<Page<AlertKey>, DeliveryError> {
        let query = Query::index(MADE_INDEX.name, list.partition()).after(after);
        let page = items::query(self.table, self.clock, self.deadline, &query).await?;
        let wanted = whose(person.0, person.1);
        let may_be = |item: &&Item| {
            let (by, of) = item.text(WHOSE).and_then(|whose| whose.split_once('/')).unwrap_or_default();
            [by, of].iter().zip(&wanted).all(|(few, wanted)| wanted.is_empty() || few == wanted)
        };
        let found = page.items.iter().filter(may_be).filter_map(|item| AlertKey::of_item(&item.key));
        Ok(Page { found: found.collect(), next: page.next })
    }

    /// A page of the alerts that wait for a decision, the most urgent first: those of people in need, then by severity, by reports,
    /// by tenths of harm, then the oldest. It may lag behind a little.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn waiting(&self, after: Option<Cursor>) -> Result<Page<Waiting>, DeliveryError> {
        let query = Query::index(OPEN_INDEX.name, OPEN_LIST).after(after);
        let page = items::query(self.table, self.clock, self.deadline, &query).await?;
        let waiting = |item: &Item| {
            Some(Waiting { key: AlertKey::of_item(&item.key)?, made: time(item, MADE)?, kind: Kind::of_item(item) })
        };
        Ok(Page { found: page.items.iter().filter_map(waiting).collect(), next: page.next })
    }

    /// How many comments were missed since this time, and whether there are more than were counted: those of one page.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn missed_since(&self, from: Timestamp) -> Result<(usize, bool), DeliveryError> {
        let query = Query::table(MISSED, Consistency::Eventual).range(SortRange::From(sort_time(from)));
        let page = items::query(self.table, self.clock, self.deadline, &query).await?;
        Ok((page.items.len(), page.next.is_some()))
    }
}

/// Takes out that somebody may be in need, where that is so. How harmful the comment was stays, as the event says it still.
fn forget_need(update: Update, entry: &Entry) -> Update {
    match entry.urgency {
        Urgency::SelfHarm => update.remove(HARM),
        Urgency::Harm(_) | Urgency::Unknown | Urgency::NotJudged => update,
    }
}

/// The item of an alert that is made.
fn made(key: &AlertKey, event: &Event<'_, Alert<'_>>, encoded: &[u8], withheld: Option<(Withholding, &str)>) -> Item {
    let alert = &event.data;
    let mut item = Item::new(key.item())
        .with(EVENT, pack(encoded))
        .with(MADE, sort_time(event.time))
        .with(RANK, rank(alert.severity, Urgency::of(alert), 0, event.time))
        .with(SEVERITY, alert.severity.as_str())
        .with(PROBABILITY, alert.probability.to_string())
        .with(IN_MADE, List::Standing.partition())
        .with(IN_OPEN, OPEN_LIST);
    if let Some(urgency) = Urgency::of(alert).attribute() {
        item = item.with(HARM, urgency);
    }
    let whose = whose(alert.comment.author.as_deref(), alert.comment.id.as_deref()).join("/");
    if whose.len() > 1 {
        item = item.with(WHOSE, whose);
    }
    if let Some(subreddit) = alert.comment.subreddit.as_deref().filter(|name| !name.is_empty()) {
        item = item.with(SUBREDDIT, subreddit);
    }
    if let Some(kind) = Kind::of(alert).as_str() {
        item = item.with(KIND, kind);
    }
    if let Some((reason, detail)) = withheld {
        item = item.with(WITHHELD, reason.as_str()).with(DETAIL, detail).with(WITHHELD_AT, sort_time(event.time));
    }
    item
}

/// What an index says of an alert; none of what can't be read.
fn listed(item: &Item) -> Option<Listed> {
    Some(Listed {
        key: AlertKey::of_item(&item.key)?,
        made: time(item, MADE)?,
        kind: Kind::of_item(item),
        subreddit: item.text(SUBREDDIT).map(str::to_owned),
        severity: severity(item)?,
        probability: item.text(PROBABILITY)?.parse().ok()?,
        urgency: Urgency::of_item(item),
        withheld: withheld(item),
    })
}
