//! A queue of one's own on the alerts' topic: what it gets is taken from nobody.

use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, MessageSystemAttributeName, QueueAttributeName};
use jiff::Timestamp;
use serde_json::Value;

use crate::common::aws_args::topic_name;
use crate::common::connection::{Connection, failed};
use crate::common::display::in_full;
use crate::common::queue_access;
use crate::pipeline::system::Delivered;

/// How long removing may take when everything else has ended.
const REMOVAL_TIMEOUT: Duration = Duration::from_secs(10);
/// A queue's name has at most 80 characters.
const MAX_TOPIC_CHARS: usize = 60;

/// A queue, subscribed to a topic with raw delivery.
pub(crate) struct Queue {
    sqs: aws_sdk_sqs::Client,
    sns: aws_sdk_sns::Client,
    pub(crate) name: String,
    url: String,
    subscription: String,
}

impl Queue {
    /// Makes a queue, or takes the one of this name, and subscribes it.
    pub(crate) async fn subscribed(
        connection: &Connection,
        topic: &str,
        name: String,
        retention: Duration,
        filter: Option<&Value>,
    ) -> anyhow::Result<Self> {
        let (sqs, sns) = (connection.sqs(), connection.sns());
        let make = sqs.create_queue().queue_name(&name);
        let retention = retention.as_secs().to_string();
        let make = make.attributes(QueueAttributeName::MessageRetentionPeriod, retention);
        let made = Box::pin(make.send()).await.map_err(failed("sqs", "CreateQueue"));
        let url = made.with_context(|| format!("the queue {name} can't be made"))?.queue_url.unwrap_or_default();
        let mut queue = Queue { sqs, sns, name, url, subscription: String::new() };
        match queue.subscribe(topic, filter).await {
            Ok(()) => Ok(queue),
            Err(error) => {
                // Nothing was subscribed: there is only the queue.
                queue.remove().await.context(format!("{}, and then", in_full(&error)))?;
                Err(error)
            }
        }
    }

    async fn subscribe(&mut self, topic: &str, filter: Option<&Value>) -> anyhow::Result<()> {
        let Queue { sqs, sns, name, url, .. } = &*self;
        let ask = sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::QueueArn);
        let found = Box::pin(ask.send()).await.map_err(failed("sqs", "GetQueueAttributes"))?.attributes;
        let arn = found.and_then(|mut found| found.remove(&QueueAttributeName::QueueArn));
        let arn = arn.with_context(|| format!("the queue {name} has no ARN"))?;
        let allow = queue_access::of(&queue_access::statement(&arn, topic)).to_string();
        let set = sqs.set_queue_attributes().queue_url(url).attributes(QueueAttributeName::Policy, allow);
        Box::pin(set.send()).await.map_err(failed("sqs", "SetQueueAttributes"))?;
        let call = sns.subscribe().topic_arn(topic).protocol("sqs").endpoint(&arn).return_subscription_arn(true);
        let call = call.attributes("RawMessageDelivery", "true");
        let call = match filter {
            Some(filter) => call.attributes("FilterPolicy", filter.to_string()),
            None => call,
        };
        let made = Box::pin(call.send()).await.map_err(failed("sns", "Subscribe"));
        let made = made.with_context(|| format!("the queue {name} can't be subscribed to {topic}"))?;
        self.subscription = made.subscription_arn.unwrap_or_default();
        Ok(())
    }

    /// Takes up to ten alerts; waits for the first as long as `wait`.
    pub(crate) async fn receive(&self, wait: Duration) -> anyhow::Result<Vec<Delivered>> {
        let Queue { sqs, url, name, .. } = self;
        let call = sqs.receive_message().queue_url(url).max_number_of_messages(10);
        let call = call.message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
        let call = call.wait_time_seconds(i32::try_from(wait.as_secs()).unwrap_or(20));
        let answer = Box::pin(call.send()).await.map_err(failed("sqs", "ReceiveMessage"));
        let messages = answer.with_context(|| format!("the queue {name} can't be read"))?.messages.unwrap_or_default();
        let mut alerts = Vec::with_capacity(messages.len());
        let mut taken = Vec::with_capacity(messages.len());
        for (index, message) in messages.into_iter().enumerate() {
            // When the queue got it: by the clock of the services, like the comment's arrival.
            let sent =
                message.attributes.and_then(|all| all.get(&MessageSystemAttributeName::SentTimestamp)?.parse().ok());
            let at = sent.and_then(|sent| Timestamp::from_millisecond(sent).ok()).unwrap_or_else(Timestamp::now);
            alerts.push(Delivered { body: message.body.unwrap_or_default(), at });
            let receipt = message.receipt_handle.unwrap_or_default();
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(receipt).build();
            taken.push(entry.context("a message without a receipt")?);
        }
        if !taken.is_empty() {
            let call = sqs.delete_message_batch().queue_url(url).set_entries(Some(taken));
            // What is not deleted comes again, with the same id.
            Box::pin(call.send()).await.map_err(failed("sqs", "DeleteMessageBatch"))?;
        }
        Ok(alerts)
    }

    /// Removes subscription and queue.
    pub(crate) async fn remove(&self) -> anyhow::Result<()> {
        let Queue { sqs, sns, name, url, subscription } = self;
        let removal = async {
            if !subscription.is_empty() {
                let call = sns.unsubscribe().subscription_arn(subscription);
                Box::pin(call.send()).await.map_err(failed("sns", "Unsubscribe"))?;
            }
            Box::pin(sqs.delete_queue().queue_url(url).send()).await.map_err(failed("sqs", "DeleteQueue"))?;
            anyhow::Ok(())
        };
        let removed = tokio::time::timeout(REMOVAL_TIMEOUT, removal).await;
        removed
            .unwrap_or_else(|_| Err(anyhow::anyhow!("no answer within {} s", REMOVAL_TIMEOUT.as_secs())))
            .with_context(|| {
                format!(
                    "the queue {name} or its subscription can't be removed: remove them by hand, they are not needed"
                )
            })
    }
}

/// A name that nobody else has: `<topic>-<what>-<random>`.
pub(crate) fn own_name(topic: &str, what: &str) -> String {
    let name: String = topic_name(topic).chars().take(MAX_TOPIC_CHARS).collect();
    let random: String = std::iter::repeat_with(|| fastrand::alphanumeric().to_ascii_lowercase()).take(8).collect();
    format!("{name}-{what}-{random}")
}

/// What passes a filter of subreddits and severities; none where all does.
pub(crate) fn filter(subreddits: &[String], severities: &[&str]) -> Option<Value> {
    let mut filter = serde_json::Map::new();
    if !subreddits.is_empty() {
        filter.insert("subreddit".to_owned(), subreddits.into());
    }
    if !severities.is_empty() {
        filter.insert("severity".to_owned(), severities.into());
    }
    (!filter.is_empty()).then_some(Value::Object(filter))
}
