use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, Weak};

use plain_text::is_xml;
use tokio::sync::Notify;

use super::lock;
use crate::{
    CallError, CallErrorKind, MAX_PUBLISH_BYTES, MAX_PUBLISH_MESSAGES, MAX_SUBJECT_CHARS, Message, PublishOutcome,
    Topic, is_attribute_name,
};

/// The messages that a subscription lets through: for each attribute named here a message must have one of the values.
/// An empty filter lets all through.
pub type Filter = BTreeMap<String, Vec<String>>;

/// A topic whose subscriptions are queues.
#[derive(Clone)]
pub struct MemoryTopic {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    published: u64,
    subscriptions: Vec<(Filter, Weak<Queue>)>,
}

/// A queue on a topic. Clones take from the same queue; when the last is dropped, the topic forgets it.
#[derive(Clone)]
pub struct Subscription {
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<VecDeque<Notification>>,
    arrived: Notify,
}

/// A message as a subscription gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The topic's id of the message.
    pub message_id: String,
    /// The subject of an email.
    pub subject: Option<String>,
    /// The message's text.
    pub body: String,
    /// The texts of protocols that have their own, by protocol.
    pub by_protocol: BTreeMap<String, String>,
    /// The message's attributes.
    pub attributes: BTreeMap<String, String>,
}

impl MemoryTopic {
    /// Makes a topic without subscriptions.
    pub fn new(name: &str) -> Self {
        MemoryTopic { shared: Arc::new(Shared { name: name.to_owned(), state: Mutex::default() }) }
    }

    /// The topic's name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Subscribes a queue, which gets what is published from now on and passes the filter.
    pub fn subscribe(&self, filter: Filter) -> Subscription {
        let queue = Arc::new(Queue::default());
        lock(&self.shared.state).subscriptions.push((filter, Arc::downgrade(&queue)));
        Subscription { queue }
    }
}

impl Subscription {
    /// Takes the next message; waits until there is one.
    pub async fn receive(&self) -> Notification {
        loop {
            if let Some(notification) = self.try_receive() {
                return notification;
            }
            self.queue.arrived.notified().await;
        }
    }

    /// Takes the next message, if there is one now.
    pub fn try_receive(&self) -> Option<Notification> {
        lock(&self.queue.waiting).pop_front()
    }
}

impl State {
    fn publish(&mut self, message: &Message) -> PublishOutcome {
        let refused = |code: &str, text: String| PublishOutcome::Failed {
            sender_fault: true,
            code: code.to_owned(),
            message: text,
        };
        if message.body.is_empty() {
            return refused("InvalidParameter", "an empty message".to_owned());
        }
        if message.subject.as_deref().is_some_and(|subject| !is_subject(subject)) {
            return refused(
                "InvalidParameter",
                format!("a subject is a line of ASCII, at most {MAX_SUBJECT_CHARS} characters long"),
            );
        }
        if !message.content().chars().all(is_xml) {
            return refused("InvalidParameter", "a message with a character that XML can't carry".to_owned());
        }
        let takes = |name: &str, value: &str| {
            is_attribute_name(name) && !value.is_empty() && value.chars().all(|c| is_xml(c) && !c.is_control())
        };
        if let Some((name, _)) = message.attributes.iter().find(|(name, value)| !takes(name, value)) {
            return refused("InvalidParameter", format!("the attribute {name:?}: its name, or its value"));
        }
        if message.size() > MAX_PUBLISH_BYTES {
            let size = message.size();
            return refused("InvalidParameter", format!("{size} bytes, a message holds at most {MAX_PUBLISH_BYTES}"));
        }
        self.published += 1;
        let message_id = format!("message-{:012}", self.published);
        self.subscriptions.retain(|(filter, queue)| {
            let Some(queue) = queue.upgrade() else { return false };
            if passes(filter, &message.attributes) {
                let Message { subject, body, by_protocol, attributes, .. } = message.clone();
                let message_id = message_id.clone();
                lock(&queue.waiting).push_back(Notification { message_id, subject, body, by_protocol, attributes });
                queue.arrived.notify_one();
            }
            true
        });
        PublishOutcome::Published { message_id }
    }
}

fn is_subject(subject: &str) -> bool {
    let begins = subject.starts_with(|first: char| first.is_ascii_graphic());
    let in_one_line = subject.chars().all(|character| character == ' ' || character.is_ascii_graphic());
    begins && in_one_line && subject.len() <= MAX_SUBJECT_CHARS
}

fn passes(filter: &Filter, attributes: &BTreeMap<String, String>) -> bool {
    filter.iter().all(|(name, allowed)| attributes.get(name).is_some_and(|value| allowed.contains(value)))
}

fn check(messages: &[Message]) -> Result<(), CallError> {
    let invalid = |message: String| {
        Err(CallError { service: "sns", operation: "PublishBatch", kind: CallErrorKind::Invalid, message })
    };
    if messages.is_empty() || messages.len() > MAX_PUBLISH_MESSAGES {
        return invalid(format!("{} messages, a call takes 1 to {MAX_PUBLISH_MESSAGES}", messages.len()));
    }
    let mut ids = BTreeSet::new();
    for (position, Message { id, .. }) in messages.iter().enumerate() {
        let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
        if !(1..=80).contains(&id.len()) || !id.chars().all(allowed) {
            return invalid(format!("message {position}: an id is 1 to 80 letters, digits, hyphens and underscores"));
        }
        if !ids.insert(id) {
            return invalid(format!("message {position}: its id is taken by another of the call"));
        }
    }
    // A message that is too large by itself fails by itself.
    let sizes = messages.iter().map(Message::size).filter(|size| *size <= MAX_PUBLISH_BYTES);
    let bytes: usize = sizes.sum();
    if bytes > MAX_PUBLISH_BYTES {
        return invalid(format!("{bytes} bytes, a call takes at most {MAX_PUBLISH_BYTES}"));
    }
    Ok(())
}

impl Topic for MemoryTopic {
    async fn publish_batch(&self, messages: &[Message]) -> Result<Vec<PublishOutcome>, CallError> {
        check(messages)?;
        let mut state = lock(&self.shared.state);
        Ok(messages.iter().map(|message| state.publish(message)).collect())
    }
}
