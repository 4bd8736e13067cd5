//! What topics have in common, whatever world they are of: what they refuse.

use std::collections::BTreeSet;

use plain_text::is_xml;

use crate::{
    CallError, CallErrorKind, MAX_PUBLISH_BYTES, MAX_PUBLISH_MESSAGES, MAX_SUBJECT_CHARS, Message, PublishOutcome,
    is_attribute_name,
};

/// What is said of a message that no topic takes; none where one does.
pub(crate) fn refusal(message: &Message) -> Option<PublishOutcome> {
    let refused = |code: &str, text: String| {
        Some(PublishOutcome::Failed { sender_fault: true, code: code.to_owned(), message: text })
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
    None
}

fn is_subject(subject: &str) -> bool {
    let begins = subject.starts_with(|first: char| first.is_ascii_graphic());
    let in_one_line = subject.chars().all(|character| character == ' ' || character.is_ascii_graphic());
    begins && in_one_line && subject.len() <= MAX_SUBJECT_CHARS
}

/// Whether a topic takes a call with these messages.
pub(crate) fn check(messages: &[Message]) -> Result<(), CallError> {
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
