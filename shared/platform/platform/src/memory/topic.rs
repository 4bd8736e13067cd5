use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, Weak};

use tokio::sync::Notify;

use super::lock;
use crate::publications::{check, refusal};
use crate::{CallError, Message, PublishOutcome, Topic};

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
        if let Some(refused) = refusal(message) {
            return refused;
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

fn passes(filter: &Filter, attributes: &BTreeMap<String, String>) -> bool {
    filter.iter().all(|(name, allowed)| attributes.get(name).is_some_and(|value| allowed.contains(value)))
}

impl Topic for MemoryTopic {
    async fn publish_batch(&self, messages: &[Message]) -> Result<Vec<PublishOutcome>, CallError> {
        check(messages)?;
        let mut state = lock(&self.shared.state);
        Ok(messages.iter().map(|message| state.publish(message)).collect())
    }
}
