use std::sync::{Arc, Mutex};
use std::time::Duration;

use digest_alerts::{Config, DigestAlerts, DigestError, DigestRules, Digested, Links};
use jiff::{SignedDuration, Timestamp};
use modstream_events::{
    Alert, Comment, Event, EventRef, ModelRef, OperatingPoint, PolicyRef, Prediction, Severity, Term, ids,
};
use modstream_ledger::digests::{Digest, Digests, Window};
use modstream_ledger::{AlertKey, Ledger, SCHEMA, Withholding};
use modstream_platform::memory::{Filter, MemoryClock, MemoryTable, MemoryTopic, Notification, Subscription};
use modstream_platform::{CallError, CallErrorKind, Clock, Message, PublishOutcome, Topic};

pub(crate) fn time(text: &str) -> Timestamp {
    let text = if text.contains('T') { text.to_owned() } else { format!("2026-01-05T{text}Z") };
    text.parse().expect("a time")
}

/// A made-up comment of `r/science`; `id` names it.
pub(crate) fn comment(id: &str) -> Comment<'static> {
    Comment {
        id: Some(id.to_owned().into()),
        subreddit: Some("science".into()),
        author: Some("a_person".into()),
        body: Some(format!("My doctor says comment {id} is a scam, lol!").into()),
        permalink: Some(format!("/r/science/comments/abc123/title/{id}/").into()),
        ..Comment::default()
    }
}

/// The alert about a comment of a time. Its comment event's id is the comment's.
pub(crate) fn alert(comment: Comment<'static>, at: Timestamp, probability: f64) -> Event<'static, Alert<'static>> {
    let comment_id = comment.id.as_deref().unwrap_or_default().to_owned();
    let term = |term: &'static str, contribution| Term { term: term.into(), contribution };
    let prediction = Prediction {
        comment,
        comment_event: EventRef { source: "urn:example:forum".into(), id: comment_id.clone().into(), time: at },
        version: None,
        probability,
        log_odds: 0.0,
        intercept: 0.0,
        terms: vec![
            term("scam", 1.93),
            term("doctor", 0.31),
            term("my", -0.4),
            term("[form: 40 characters, 1 exclamation mark]", 0.5),
        ],
        other: 0.0,
        model: ModelRef { name: "made-up".into(), version: "0".repeat(64).into() },
        operating_point: OperatingPoint { precision: probability, recall: 0.5, share: 0.1, base_rate: 0.3 },
        labels: None,
        harm_model: None,
        harm_support: None,
        not_judged: None,
        support: None,
    };
    let severity = match probability {
        0.9.. => Severity::High,
        0.7.. => Severity::Medium,
        _ => Severity::Low,
    };
    let policy = PolicyRef { name: "default".into(), condition: "probability>=0.5".into() };
    let id = ids::alert("urn:example:forum", &comment_id, "default").to_string();
    Event::new(id, "urn:modstream:publish-alerts", at, Alert::new(prediction, "p".into(), severity, policy))
}

/// What became of an alert.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Sent,
    Withheld(Withholding, &'static str),
}

/// A topic that may be out of order, and knows when it was called.
#[derive(Clone)]
pub(crate) struct Switched {
    topic: MemoryTopic,
    clock: MemoryClock,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    is_off: bool,
    calls: Vec<(Timestamp, usize)>,
}

impl Topic for Switched {
    async fn publish_batch(&self, messages: &[Message]) -> Result<Vec<PublishOutcome>, CallError> {
        {
            let mut state = self.state.lock().expect("no panic holds it");
            state.calls.push((self.clock.now(), messages.len()));
            if state.is_off {
                let message = "not now".to_owned();
                let (service, operation) = ("sns", "PublishBatch");
                return Err(CallError { service, operation, kind: CallErrorKind::Denied, message });
            }
        }
        self.topic.publish_batch(messages).await
    }
}

pub(crate) struct World {
    pub(crate) table: MemoryTable,
    pub(crate) clock: MemoryClock,
    topic: Switched,
    inbox: Subscription,
    function: DigestAlerts<Switched, MemoryTable, MemoryClock>,
}

impl World {
    /// Begins at 10:05:30, with windows of five minutes that wait a minute.
    pub(crate) fn new() -> Self {
        World::with_links(Links::none())
    }

    pub(crate) fn with_links(links: Links) -> Self {
        let clock = MemoryClock::starting_at(time("10:05:30"));
        let table = MemoryTable::new("table", SCHEMA, clock);
        let topic = MemoryTopic::new("digests");
        let inbox = topic.subscribe(Filter::new());
        let topic = Switched { topic, clock, state: Arc::default() };
        let function = DigestAlerts::new(&config(), topic.clone(), table.clone(), clock, links).expect("a length");
        World { table, clock, topic, inbox, function }
    }

    /// The same world, with a function that has read nothing yet.
    pub(crate) fn restart(&mut self) {
        let (topic, table) = (self.topic.clone(), self.table.clone());
        self.function = DigestAlerts::new(&config(), topic, table, self.clock, Links::none()).expect("a length");
    }

    pub(crate) fn ledger(&self) -> Ledger<'_, MemoryTable, MemoryClock> {
        Ledger::new(&self.table, &self.clock, self.clock.now() + Duration::from_secs(60))
    }

    pub(crate) async fn record(&self, event: &Event<'_, Alert<'_>>, fate: Fate) {
        let key = AlertKey::of_alert(event);
        self.ledger().request(&key, event, &event.encode(), None).await.expect("recorded");
        match fate {
            Fate::Sent => self.ledger().sent(&key, "m").await.expect("recorded"),
            Fate::Withheld(why, detail) => self.ledger().withhold(&key, why, detail).await.expect("recorded"),
        }
    }

    /// Alerts about comments of `r/science`, sent.
    pub(crate) async fn record_all(&self, alerts: &[(&str, &str, f64)]) {
        for (id, at, probability) in alerts {
            self.record(&alert(comment(id), time(at), *probability), Fate::Sent).await;
        }
    }

    pub(crate) async fn run(&self, scheduled_for: &str) -> Result<Digested, DigestError> {
        self.run_with(scheduled_for, Duration::from_secs(60), |_, _| DigestRules::default()).await
    }

    pub(crate) async fn run_with(
        &self,
        scheduled_for: &str,
        within: Duration,
        rules: impl Fn(&str, Timestamp) -> DigestRules,
    ) -> Result<Digested, DigestError> {
        let payload = format!(r#"{{"version":"0","id":"e-1","time":"{}"}}"#, time(scheduled_for));
        self.function.handle(payload.as_bytes(), self.clock.now() + within, rules).await
    }

    pub(crate) fn switch_topic(&self, is_on: bool) {
        self.topic.state.lock().expect("no panic holds it").is_off = !is_on;
    }

    /// When the topic was called, and with how many messages.
    pub(crate) fn calls(&self) -> Vec<(Timestamp, usize)> {
        self.topic.state.lock().expect("no panic holds it").calls.clone()
    }

    /// What arrived since this was last asked.
    pub(crate) fn inbox(&self) -> Vec<Notification> {
        std::iter::from_fn(|| self.inbox.try_receive()).collect()
    }

    pub(crate) fn subjects(&self) -> Vec<String> {
        self.inbox().into_iter().map(|message| message.subject.unwrap_or_default()).collect()
    }

    /// Every digest there is, in the order of its window and subreddit.
    pub(crate) async fn digests(&self) -> Vec<Digest> {
        let digests = Digests::new(&self.table, &self.clock, self.clock.now() + Duration::from_secs(60));
        let records = self.table.items().into_iter().filter(|item| item.key.sort == "record");
        let windows = records.filter_map(|item| item.key.partition.strip_prefix("window#")?.parse::<Window>().ok());
        let mut all = Vec::new();
        for window in windows {
            let mut position = 0;
            while let Some(digest) = digests.digest(window, position).await.expect("readable") {
                all.push(digest);
                position += 1;
            }
        }
        all.sort_by(|one, other| (one.start, &one.subreddit).cmp(&(other.start, &other.subreddit)));
        all
    }

    /// The ids of comments whose alerts are in digests, a list a digest.
    pub(crate) async fn covered(&self, of: &[&str]) -> Vec<Vec<String>> {
        let name = |id: &str| {
            let found = of.iter().find(|name| ids::alert("urn:example:forum", name, "default").to_string() == id);
            (*found.unwrap_or(&"?")).to_owned()
        };
        let all = self.digests().await;
        all.iter()
            .map(|digest| digest.alerts.iter().chain(&digest.explorations).map(|alert| name(&alert.id)).collect())
            .collect()
    }
}

fn config() -> Config {
    Config {
        digests_topic_arn: "memory".to_owned(),
        table: "memory".to_owned(),
        bucket: "memory".to_owned(),
        window: SignedDuration::from_mins(5),
        allowed_lateness: SignedDuration::from_secs(60),
        decisions_stream: None,
        links: None,
        forum: "https://www.reddit.com".to_owned(),
    }
}
