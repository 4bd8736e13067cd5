use jiff::Timestamp;

use super::DeliveryError;
use super::queue::Limits;
use super::send::{Answer, Service, send_all};
use crate::{CallError, Clock, MAX_PUBLISH_BYTES, MAX_PUBLISH_MESSAGES, Message, PublishOutcome, Topic};

/// What became of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// The topic took the message.
    Accepted {
        /// The service's id of the message.
        message_id: String,
    },
    /// The topic never takes the message: it is the sender's fault, or larger than [`MAX_PUBLISH_BYTES`].
    Refused {
        /// The service's error code; `TooLarge` where the message was not even sent.
        code: String,
        /// The service's words.
        message: String,
    },
    /// The message was not published now. After a call without an answer it may have been published all the same.
    Failed(DeliveryError),
}

impl From<DeliveryError> for Published {
    fn from(error: DeliveryError) -> Self {
        Published::Failed(error)
    }
}

/// Publishes all messages, and returns what became of each, in order.
///
/// A call carries at most 10 messages and 256 KiB, and an id once: of messages that share one, the next waits for the
/// acknowledgement of the one before
/// ([PublishBatch](https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html)). What no topic takes is [cleaned](Message::cleaned)
/// away, so that a subreddit's name, or half a character, costs nobody an alert.
pub async fn publish_all<T: Topic, C: Clock>(
    topic: &T,
    clock: &C,
    deadline: Timestamp,
    messages: Vec<Message>,
) -> Vec<Published> {
    let messages = messages.into_iter().map(Message::cleaned).collect();
    send_all(&Messages(topic), clock, deadline, messages).await
}

struct Messages<'a, T>(&'a T);

impl<T: Topic> Service for Messages<'_, T> {
    const LIMITS: Limits = Limits { entries: MAX_PUBLISH_MESSAGES, bytes: MAX_PUBLISH_BYTES };
    type Entry = Message;
    type Settled = Published;

    fn key(message: &Message) -> &str {
        &message.id
    }

    fn size(message: &Message) -> usize {
        message.size()
    }

    fn unfit(message: &Message) -> Option<Published> {
        let bytes = message.size();
        (bytes > MAX_PUBLISH_BYTES).then(|| Published::Refused {
            code: "TooLarge".to_owned(),
            message: format!("{bytes} bytes, a message holds at most {MAX_PUBLISH_BYTES}"),
        })
    }

    fn refused(error: CallError) -> Published {
        // The AWS world's words begin with the service's code.
        match error.message.split_once(": ") {
            Some((code, words)) => Published::Refused { code: code.to_owned(), message: words.to_owned() },
            None => Published::Refused { code: "Refused".to_owned(), message: error.message },
        }
    }

    async fn call(&self, messages: &[Message]) -> Result<Vec<Answer<Published>>, CallError> {
        let outcomes = self.0.publish_batch(messages).await?;
        Ok(outcomes.into_iter().map(answer).collect())
    }
}

fn answer(outcome: PublishOutcome) -> Answer<Published> {
    match outcome {
        PublishOutcome::Published { message_id } => Answer::Settled(Published::Accepted { message_id }),
        PublishOutcome::Failed { sender_fault: true, code, message } => {
            Answer::Settled(Published::Refused { code, message })
        }
        PublishOutcome::Failed { sender_fault: false, code, message } => Answer::Again { code, message },
    }
}
