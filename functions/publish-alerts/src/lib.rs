//! The stream `predictions` → the policy → the ledger → the topic `alerts`.
//!
//! An alert is made in the ledger, published, and recorded as sent, in that order, so it is published at least once, and
//! again only after a call whose outcome is unknown. Its id knows the comment event and the policy, not the model: a new model
//! never alerts twice.
//!
//! Its time is that of its making: a comment's clock is its author's. It lies beside the others about its comment, so a comment
//! that comes again finds its alert. A later version of a comment supersedes the alerts about earlier ones; a deletion withdraws
//! them and takes their text away; a report stands beside them (`lifecycle.rs`).
//!
//! What is not to be published by itself (a spent budget, an open breaker, quiet hours, a policy without that channel, a
//! comment that is asked about to learn from it) is recorded as withheld instead. Nothing is dropped.

mod config;
mod lifecycle;
mod reach;
mod withhold;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use futures_util::future::join_all;
use jiff::Timestamp;
use kinesis_batch::{Batch, BatchResponse, Fault, Handler, Outcome, PayloadError, Record};
use lifecycle::{Besides, Change};
use modstream_events::{Alert, BadRecord, Event, Prediction, PredictionEvent, Reason, ids};
use modstream_in_use::policies::Following;
use modstream_ledger::comments::{CONCURRENT_CALLS, CommentRecord};
use modstream_ledger::limits::{Budgets, Known, Watch, message_about};
use modstream_ledger::{AlertKey, Entry, Ledger, LedgerError, Next};
use modstream_links::LinkMaker;
use modstream_platform::deliver::{Cause, DeliveryError, Published, publish_all};
use modstream_platform::table::Table;
use modstream_platform::{Bytes, CallErrorKind, Clock, MAX_PUBLISH_MESSAGES, Message, Objects, Topic};
use modstream_policy::{Judgement, Policies, Why};
use modstream_telemetry::{
    alert_resumed, alerts_withheld, batch_handled, breaker_opened, comment_gone, policy_unknown,
};
use named_mutations::is_on;
use plain_text::json_as_xml;
use reach::{Reach, Scored};
use withhold::Withheld;

pub use config::Config;
pub use modstream_policy::{Condition, Policy, PolicyError, Severities};

/// The function's name; its events' `source` is `urn:modstream:publish-alerts`.
pub const NAME: &str = "publish-alerts";
const SOURCE: &str = "urn:modstream:publish-alerts";

/// The function.
#[derive(Debug)]
pub struct PublishAlerts<T, B, O, C> {
    alerts: T,
    table: B,
    objects: O,
    clock: C,
    policies: Following,
    budgets: Budgets,
    watch: Watch,
    reach: Reach,
    links: Option<LinkMaker>,
}

impl<T: Topic, B: Table, O: Objects, C: Clock> PublishAlerts<T, B, O, C> {
    /// The function over its topic, table and bucket.
    pub fn new(config: &Config, alerts: T, table: B, objects: O, clock: C) -> Self {
        // These hold in a bucket without a document.
        let policies = Following::new(Policies::of(&config.policy, config.severities));
        let (budgets, watch, reach) = (Budgets::default(), Watch::default(), Reach::default());
        PublishAlerts { alerts, table, objects, clock, policies, budgets, watch, reach, links: None }
    }

    /// The same, with links to decide in each alert.
    #[must_use]
    pub fn with_links(self, links: Option<LinkMaker>) -> Self {
        PublishAlerts { links, ..self }
    }

    /// Handles one invocation: a Kinesis payload in, the partial batch response out. Everything is done by `deadline`.
    ///
    /// # Errors
    /// Where the payload is no batch of Kinesis records.
    pub async fn handle(&self, payload: &[u8], deadline: Timestamp) -> Result<BatchResponse, PayloadError> {
        let batch = Batch::parse(payload)?;
        let Some(first) = batch.records.first() else { return Ok(BatchResponse::success()) };
        let now = self.clock.now();
        let take_until = now + deadline.duration_since(now) / 2;
        let in_use = match Box::pin(self.policies.snapshot(&self.objects, &self.clock, deadline)).await {
            Ok(in_use) => in_use,
            Err(error) => {
                policy_unknown(&error.to_string());
                return Ok(BatchResponse::failed_from(first.sequence_number.as_ref()));
            }
        };
        let scored = Scored::default();
        let publishing =
            Publishing { function: self, policies: &in_use.policies, scored: &scored, take_until, deadline };
        // A large future, which whoever calls this would carry.
        let report = Box::pin(kinesis_batch::handle(&batch, &publishing)).await;
        batch_handled(NAME, &batch, &report);
        let response = report.response();
        self.reach.tell(&self.objects, &self.clock, deadline, &in_use, scored).await;
        Ok(response)
    }
}

/// An alert on its way to the ledger and the topic.
struct Pending {
    /// The alert's id.
    id: String,
    alert: Alert<'static>,
    /// What all that is known of the comment is filed under.
    comment_key: String,
}

/// What a record asks for.
enum Work {
    Alert(Box<Pending>),
    Change(Change),
}

/// An alert that is made: its time stands, and what it says.
struct Requested {
    key: AlertKey,
    /// The event, where it was made now.
    fresh: Option<Event<'static, Alert<'static>>>,
    /// The event as it is recorded and published: what an earlier attempt made, if one did.
    encoded: Bytes,
    /// When the alert was made.
    made: Timestamp,
    what_is_left: Left,
    /// What happened to the comment.
    record: CommentRecord,
}

/// What is left to do about an alert that is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    /// The alert was made now.
    All,
    /// An earlier attempt made it, and may have published it.
    Unknown,
    /// It was published or withheld.
    Nothing,
}

/// An alert that is to be published, and recorded as sent.
struct Publication {
    key: AlertKey,
    message: Message,
}

/// Keeps of a prediction the labels that alert, in their order. The others are in the prediction's own event, and so is which model
/// said it, where none alerts: an alert is written three times.
fn keep_labels(prediction: &mut Prediction<'_>, alerting: &[Cow<'_, str>]) {
    let mut labels = prediction.labels.take().unwrap_or_default();
    labels.retain(|label| alerting.contains(&label.label));
    labels.sort_by_key(|label| alerting.iter().position(|name| *name == label.label));
    prediction.labels = (!labels.is_empty()).then_some(labels);
    prediction.harm_model = prediction.harm_model.take().filter(|_| prediction.labels.is_some());
}

/// What subscriptions filter alerts by. What SNS refuses of it is cleaned away on the way out.
fn attributes(alert: &Alert<'_>) -> BTreeMap<String, String> {
    let all = [
        ("severity", Some(alert.severity.as_str())),
        ("subreddit", alert.comment.subreddit.as_deref()),
        ("model_version", Some(alert.model.version.as_ref())),
        ("policy", Some(alert.policy.name.as_ref())),
        ("probe", alert.probe.then_some("true")),
        ("self_harm", alert.self_harm.is_some().then_some("true")),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect()
}

/// What publishing one batch of predictions needs.
struct Publishing<'a, T, B, O, C> {
    function: &'a PublishAlerts<T, B, O, C>,
    /// The policies for the whole batch.
    policies: &'a Policies,
    scored: &'a Scored,
    /// Half of the time is for deciding, the rest for publishing.
    take_until: Timestamp,
    deadline: Timestamp,
}

type Delivered = Outcome<BadRecord, DeliveryError>;

impl<T: Topic, B: Table, O: Objects, C: Clock> Handler for Publishing<'_, T, B, O, C> {
    type Item = Work;
    type Bad = BadRecord;
    type Error = DeliveryError;

    fn has_time(&self, _: &Record<'_>) -> bool {
        self.function.clock.now() < self.take_until
    }

    fn prepare(&self, record: &Record<'_>, data: &[u8]) -> Result<Option<Work>, BadRecord> {
        let PublishAlerts { clock, watch, .. } = self.function;
        let event = match PredictionEvent::decode_arrived(data, modstream_quarantine::arrived(record))? {
            PredictionEvent::Predicted(event) => event,
            PredictionEvent::Deleted(event) => return Ok(Some(Work::Change(Change::deleted(&event)))),
            PredictionEvent::Reported(event) => return Ok(Some(Work::Change(Change::reported(&event)))),
            PredictionEvent::Beside(_) => return Ok(None),
        };
        let mut prediction = event.data;
        self.scored.note(&prediction);
        let policies = self.policies;
        let rules = policies.for_subreddit(prediction.comment.subreddit.as_deref());
        let (severity, why, share) = match rules.judge(&prediction) {
            Judgement::Alert { why, severity } => (severity, Some(why), None),
            Judgement::Explore { share, severity } => (severity, None, Some(share)),
            Judgement::Pass(_) => {
                watch.count(clock.now(), &prediction.comment_event.id, false);
                // What was said before may be alerted about.
                return Ok(Change::edited(&prediction).map(Work::Change));
            }
        };
        // The probe counts nowhere.
        if why != Some(Why::Probe) {
            watch.count(clock.now(), &prediction.comment_event.id, why.is_some());
        }
        let comment_event = &prediction.comment_event;
        let name = if is_on("alert-by-model") { &prediction.model.version } else { policies.name.as_str() };
        let id = if share.is_some() { ids::exploration } else { ids::alert };
        let id = id(&comment_event.source, &comment_event.id, name).to_string();
        let comment_key = lifecycle::comment_of(&prediction);
        let seen = rules.at_base_rate(&prediction);
        let meets = rules.meets(&prediction);
        let policy = policies.to_ref(rules, Some(&meets));
        let harm = rules.harm(&prediction).map(|found| found.harm);
        match harm {
            Some(_) => keep_labels(&mut prediction, &meets.labels),
            // They say nothing.
            None => prediction.labels = None,
        }
        prediction.probability = seen.probability;
        prediction.log_odds = seen.log_odds;
        prediction.operating_point = seen.operating_point;
        let mut alert = Alert::new(prediction, event.id, severity, policy);
        alert.exploration = share;
        alert.probe = why == Some(Why::Probe);
        alert.harm = harm;
        alert.meets = harm.map(|_| meets);
        match why {
            Some(Why::Always(term)) => alert.matched = Some(term.into()),
            Some(Why::SelfHarm(phrase)) => alert.self_harm = Some(rules.self_harm.found(&phrase)),
            Some(Why::Thresholds(_) | Why::Probe) | None => {}
        }
        Ok(Some(Work::Alert(Box::new(Pending { id, alert: alert.into_owned(), comment_key }))))
    }

    async fn deliver(&self, works: Vec<Work>) -> Vec<Delivered> {
        // Repeats of an alert within the batch share the first one's fate.
        let mut first_of: HashMap<String, usize> = HashMap::new();
        let mut distinct: Vec<Work> = Vec::with_capacity(works.len());
        let mut position: Vec<usize> = Vec::with_capacity(works.len());
        for work in works {
            let next = distinct.len();
            let first = match &work {
                Work::Alert(alert) => *first_of.entry(alert.id.clone()).or_insert(next),
                Work::Change(_) => next,
            };
            position.push(first);
            if first == next {
                distinct.push(work);
            }
        }
        let breaker = match self.breaker().await {
            Ok(breaker) => breaker,
            Err(error) => return vec![Outcome::Transient(error)],
        };
        let mut fates: Vec<Delivered> = Vec::with_capacity(distinct.len());
        let mut rest = distinct.into_iter().peekable();
        // Lambda sends everything after the first failure again.
        while !fates.iter().any(|fate| matches!(fate, Outcome::Transient(_))) {
            let mut group: Vec<Pending> = Vec::new();
            // What happens to one comment happens in its order.
            let fits = |group: &[Pending], work: &Work| match work {
                Work::Alert(alert) => {
                    group.len() < MAX_PUBLISH_MESSAGES
                        && group.iter().all(|other| other.comment_key != alert.comment_key)
                }
                Work::Change(_) => false,
            };
            while let Some(Work::Alert(alert)) = rest.next_if(|work| fits(&group, work)) {
                group.push(*alert);
            }
            if !group.is_empty() {
                fates.extend(self.settle(group, breaker.as_ref()).await);
                continue;
            }
            let mut changes: Vec<Change> = Vec::new();
            let fits = |changes: &[Change], work: &Work| match work {
                Work::Alert(_) => false,
                Work::Change(change) => {
                    changes.len() < CONCURRENT_CALLS && changes.iter().all(|other| !other.is_of_the_same(change))
                }
            };
            while let Some(Work::Change(change)) = rest.next_if(|work| fits(&changes, work)) {
                changes.push(change);
            }
            if changes.is_empty() {
                break;
            }
            fates.extend(join_all(changes.iter().map(|change| self.changed(change))).await);
        }
        position.into_iter().map_while(|first| fates.get(first).cloned()).collect()
    }

    async fn quarantine(&self, record: &Record<'_>, fault: &Fault<BadRecord>) -> Result<(), DeliveryError> {
        let PublishAlerts { objects, clock, .. } = self.function;
        modstream_quarantine::keep_record(objects, clock, self.deadline, SOURCE, record, fault).await
    }
}

impl<T: Topic, B: Table, O: Objects, C: Clock> Publishing<'_, T, B, O, C> {
    /// The breaker, if it is open. Whichever instance's turn it is sends the one message about it.
    async fn breaker(&self) -> Result<Option<Known>, DeliveryError> {
        let PublishAlerts { alerts, table, clock, watch, .. } = self.function;
        let deadline = self.deadline;
        let Some(breaker) = &self.policies.breaker else { return Ok(None) };
        let Some((open, is_our_turn)) = watch.look(table, clock, deadline, breaker).await? else { return Ok(None) };
        if is_our_turn {
            breaker_opened(&open.name, open.opened.alerts, open.opened.predictions, &open.opened.until);
            let message = message_about(&open, SOURCE);
            for published in publish_all(alerts, clock, deadline, vec![message]).await {
                let message_id = match published {
                    Published::Accepted { message_id } => message_id,
                    // It would be again: the log says what the topic's readers are not told.
                    Published::Refused { code, message } => format!("refused: {code}: {message}"),
                    Published::Failed(error) => return Err(error),
                };
                watch.sent(table, clock, deadline, &open.name, &message_id).await?;
            }
        }
        Ok(Some(open))
    }

    /// What is known of alerts and comments.
    fn ledger(&self) -> Ledger<'_, B, C> {
        let PublishAlerts { table, clock, .. } = self.function;
        Ledger::new(table, clock, self.deadline)
    }

    /// Takes alerts about different comments, as many as one call to the topic takes, all the way: each is published or withheld.
    async fn settle(&self, alerts: Vec<Pending>, breaker: Option<&Known>) -> Vec<Delivered> {
        let requests = alerts.into_iter().map(|alert| self.request(alert, breaker));
        // Each alert's fate, where it is known before publishing; else it is one of `publications`.
        let mut fates: Vec<Option<Delivered>> = Vec::new();
        let mut publications: Vec<Publication> = Vec::new();
        let mut withheld = Vec::new();
        // What the alerts' comments have besides, by the alerts' positions.
        let mut besides: Vec<(usize, Besides)> = Vec::new();
        for requested in join_all(requests).await {
            let requested = match requested {
                Ok(Some(requested)) => requested,
                Ok(None) => {
                    fates.push(Some(Outcome::Done));
                    continue;
                }
                Err(error) => {
                    fates.push(Some(failed(error)));
                    continue;
                }
            };
            let Requested { key, fresh, encoded, made, what_is_left, record } = requested;
            if what_is_left == Left::Nothing {
                besides.extend(Besides::of(record, key).map(|besides| (fates.len(), besides)));
                fates.push(Some(Outcome::Done));
                continue;
            }
            let is_resumed = what_is_left == Left::Unknown;
            // What was made first decides, whatever a newer model says. What can't be read is published: nothing is dropped.
            let decoded = if fresh.is_some() { None } else { Event::<'_, Alert<'_>>::decode(&encoded).ok() };
            let event = fresh.as_ref().or(decoded.as_ref());
            let is_outdated = !is_on("publish-outdated")
                && event.is_some_and(|event| record.is_outdated(&event.data.comment_event.id, made));
            besides.extend(Besides::of(record, key.clone()).map(|besides| (fates.len(), besides)));
            let why = match event {
                _ if is_outdated => Ok(Some(withhold::outdated())),
                Some(event) => self.withholding((&key, event), is_resumed, breaker).await,
                None => Ok(None),
            };
            fates.push(match why {
                Ok(None) => {
                    let attributes = event.map(|event| attributes(&event.data)).unwrap_or_default();
                    let message = message(key.id.clone(), encoded, attributes);
                    publications.push(Publication { key, message });
                    None
                }
                Ok(Some(why)) => {
                    withheld.push((fates.len(), key, why));
                    None
                }
                Err(error) => Some(Outcome::Transient(error)),
            });
        }
        for (position, fate) in self.withhold(withheld).await {
            fates[position] = Some(fate);
        }
        let mut answered = self.publish(publications).await.into_iter();
        let mut fates: Vec<Delivered> = fates.into_iter().map_while(|fate| fate.or_else(|| answered.next())).collect();
        for (position, besides) in besides {
            let Some(fate) = fates.get_mut(position).filter(|fate| !matches!(fate, Outcome::Transient(_))) else {
                continue;
            };
            if let Err(error) = self.record_besides(&besides).await {
                *fate = failed(error);
            }
        }
        fates
    }

    /// Makes an alert in the ledger, or finds it there. What follows from rules alone, and from what was known of the comment
    /// before, is in the same write. None where the comment is gone, and nothing is left to do.
    async fn request(&self, pending: Pending, breaker: Option<&Known>) -> Result<Option<Requested>, LedgerError> {
        let PublishAlerts { clock, links, .. } = self.function;
        let ledger = self.ledger();
        let Pending { id, mut alert, comment_key } = pending;
        let key = AlertKey { comment: comment_key, id };
        let now = clock.now();
        let mut before = CommentRecord::default();
        if let Some(name) = alert.version.as_deref() {
            let version = lifecycle::version(&alert.comment_event, name, now);
            // Before the alert is made: one of a version that nobody knows of would pass for one about an earlier text.
            before = ledger.change(&key.comment, |record| record.note_version(version.clone())).await?;
        }
        let time = if is_on("file-by-the-comments-clock") { alert.comment_event.time } else { now };
        alert.links = links.as_ref().and_then(|links| links.both(&key, time));
        let event = Event::new(key.id.clone(), SOURCE, time, alert);
        let why = if before.is_outdated(&event.data.comment_event.id, time) && !is_on("publish-outdated") {
            Some(withhold::outdated())
        } else {
            withhold::by_rules(&event, self.policies, breaker)
        };
        let withheld = why.as_ref().map(|(reason, detail)| (*reason, detail.as_str()));
        let encoded: Bytes = event.encode().into();
        let next = ledger.request(&key, &event, &encoded, withheld).await?;
        // Afterwards: of an alert that is made and a deletion at once, one sees the other.
        let record = ledger.record(&key.comment).await?;
        if let Some(deletion) = record.gone(clock.now()).filter(|_| !is_on("overlook-deletion")) {
            let entry = match next {
                Next::GoOn => Box::new(Entry::new(&key, &event, withheld)),
                Next::Resume(entry) | Next::Nothing(entry) => entry,
            };
            ledger.withdraw(&entry, deletion).await?;
            comment_gone();
            return Ok(None);
        }
        let is_fresh = next == Next::GoOn;
        let (encoded, made, what_is_left) = match next {
            Next::GoOn => {
                if let Some((reason, _)) = withheld {
                    alerts_withheld(reason.as_str(), 1);
                }
                (encoded, time, if withheld.is_some() { Left::Nothing } else { Left::All })
            }
            Next::Resume(entry) => {
                alert_resumed(&event.id);
                (entry.event.into(), entry.made, Left::Unknown)
            }
            Next::Nothing(entry) => (entry.event.into(), entry.made, Left::Nothing),
        };
        let fresh = is_fresh.then_some(event);
        Ok(Some(Requested { key, fresh, encoded, made, what_is_left, record }))
    }

    /// Why an alert that is made is not published by itself; none where it is.
    async fn withholding(
        &self,
        (key, event): (&AlertKey, &Event<'_, Alert<'_>>),
        is_resumed: bool,
        breaker: Option<&Known>,
    ) -> Result<Option<Withheld>, DeliveryError> {
        let PublishAlerts { table, clock, budgets, .. } = self.function;
        // One that was made just now was asked about before that.
        if is_resumed && let Some(why) = withhold::by_rules(event, self.policies, breaker) {
            return Ok(Some(why));
        }
        let table = (table, clock, self.deadline);
        withhold::by_budgets((key, event), is_resumed, self.policies, budgets, table).await
    }

    /// Records what is withheld; the fate of each alert, with its position.
    async fn withhold(&self, withheld: Vec<(usize, AlertKey, Withheld)>) -> Vec<(usize, Delivered)> {
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, _, (reason, _)) in &withheld {
            *reasons.entry(reason.as_str()).or_default() += 1;
        }
        let recorded = withheld.into_iter().map(|(position, key, (reason, detail))| async move {
            let recorded = self.ledger().withhold(&key, reason, &detail).await;
            (position, recorded.map_or_else(Outcome::Transient, |()| Outcome::Done))
        });
        let recorded = join_all(recorded).await;
        reasons.into_iter().for_each(|(reason, number)| alerts_withheld(reason, number));
        recorded
    }

    /// Publishes alerts, and records them as sent.
    async fn publish(&self, publications: Vec<Publication>) -> Vec<Delivered> {
        let PublishAlerts { alerts, clock, .. } = self.function;
        let ledger = self.ledger();
        let (keys, messages): (Vec<AlertKey>, Vec<Message>) =
            publications.into_iter().map(|Publication { key, message }| (key, message)).unzip();
        let published = publish_all(alerts, clock, self.deadline, messages).await;
        let records = keys.iter().zip(published).map(|(key, published)| async move {
            match published {
                Published::Accepted { message_id } => match ledger.sent(key, &message_id).await {
                    Ok(()) => Outcome::Done,
                    Err(error) => Outcome::Transient(error),
                },
                Published::Refused { code, message } => Outcome::Bad(BadRecord::new(
                    Reason::Refused,
                    format!("the topic refuses the alert: {code}: {message}"),
                )),
                Published::Failed(error) => Outcome::Transient(error),
            }
        });
        join_all(records).await
    }
}

/// What a record becomes about which the ledger did not do what was asked. What the table refuses for what it holds, it would
/// refuse again: that is the record's fault.
fn failed(error: LedgerError) -> Delivered {
    match error {
        LedgerError::Delivery(DeliveryError { cause: Cause::Call(call), .. })
            if call.kind == CallErrorKind::Refused =>
        {
            Outcome::Bad(BadRecord::new(Reason::Refused, format!("the table refuses it: {}", call.message)))
        }
        LedgerError::Delivery(error) => Outcome::Transient(error),
        error => Outcome::Bad(BadRecord::new(Reason::Refused, error.to_string())),
    }
}

/// The message of a requested alert. Its attributes are those of the event that it holds, which another model, or another
/// policy, may have requested.
fn message(id: String, encoded: Bytes, attributes: BTreeMap<String, String>) -> Message {
    // It is copied only where somebody else still holds the bytes. An earlier version may have recorded it without escapes.
    let body = String::from_utf8(json_as_xml(encoded.into()))
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Message { id, body, attributes, ..Message::default() }
}
