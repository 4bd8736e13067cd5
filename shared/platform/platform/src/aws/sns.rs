use std::collections::HashMap;

use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};

use super::boxed;
use super::error::{Operation, is_the_entrys_fault};
use crate::{CallError, Message, PublishOutcome, Topic};

const PUBLISH_BATCH: Operation = Operation { service: "sns", name: "PublishBatch" };

/// An SNS topic.
#[derive(Clone, Debug)]
pub struct SnsTopic {
    client: aws_sdk_sns::Client,
    arn: String,
}

impl SnsTopic {
    /// Makes a topic of the one with this ARN.
    pub fn new(client: aws_sdk_sns::Client, arn: impl Into<String>) -> Self {
        SnsTopic { client, arn: arn.into() }
    }
}

impl Topic for SnsTopic {
    async fn publish_batch(&self, messages: &[Message]) -> Result<Vec<PublishOutcome>, CallError> {
        let entries = messages.iter().enumerate().map(|(index, message)| entry(index, message));
        let entries = entries.collect::<Result<_, _>>()?;
        let call = self.client.publish_batch().topic_arn(&self.arn).set_publish_batch_request_entries(Some(entries));
        let answer = boxed(call.send()).await.map_err(|error| PUBLISH_BATCH.failed_for_an_entry(&error))?;
        let mut outcomes: HashMap<String, PublishOutcome> = HashMap::with_capacity(messages.len());
        for done in answer.successful.unwrap_or_default() {
            if let (Some(id), Some(message_id)) = (done.id, done.message_id) {
                outcomes.insert(id, PublishOutcome::Published { message_id });
            }
        }
        for failed in answer.failed.unwrap_or_default() {
            let outcome = PublishOutcome::Failed {
                sender_fault: failed.sender_fault && is_the_entrys_fault(&failed.code),
                code: failed.code,
                message: failed.message.unwrap_or_default(),
            };
            outcomes.insert(failed.id, outcome);
        }
        Ok((0..messages.len()).map(|index| outcomes.remove(&index.to_string()).unwrap_or_else(no_outcome)).collect())
    }
}

/// The entry of a message. The entry's id is its place, since a message's own need not be one that SNS takes.
fn entry(index: usize, message: &Message) -> Result<PublishBatchRequestEntry, CallError> {
    let mut entry = PublishBatchRequestEntry::builder()
        .id(index.to_string())
        .message(message.content())
        .set_subject(message.subject.clone())
        .set_message_structure((!message.by_protocol.is_empty()).then(|| "json".to_owned()));
    for (name, value) in &message.attributes {
        let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
        entry = entry.message_attributes(name, value.map_err(|error| PUBLISH_BATCH.unbuildable(&error))?);
    }
    entry.build().map_err(|error| PUBLISH_BATCH.unbuildable(&error))
}

fn no_outcome() -> PublishOutcome {
    PublishOutcome::Failed {
        sender_fault: false,
        code: "NoOutcome".to_owned(),
        message: "the answer names the message neither among the successful nor among the failed".to_owned(),
    }
}
