//! Access policies of queues, not policies of alerts: whether a queue's lets a topic send to it, and the statement that
//! does.

use serde_json::{Value, json};

use super::aws_args::topic_name;

/// The statement that lets `topic` send to `queue`.
pub(crate) fn statement(queue: &str, topic: &str) -> Value {
    let plain: String = topic_name(topic).chars().filter(char::is_ascii_alphanumeric).collect();
    json!({
        "Sid": format!("alertsOf{plain}"),
        "Effect": "Allow",
        "Principal": { "Service": "sns.amazonaws.com" },
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": { "ArnEquals": { "aws:SourceArn": topic } },
    })
}

/// A policy with one statement.
pub(crate) fn of(statement: &Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

/// A policy with one statement more.
pub(crate) fn with(policy: Option<Value>, statement: &Value) -> Value {
    let Some(mut policy) = policy else { return of(statement) };
    let mut statements = match policy["Statement"].take() {
        Value::Array(statements) => statements,
        Value::Null => Vec::new(),
        one => vec![one],
    };
    // A statement's id is unique in its policy.
    statements.retain(|old| old.get("Sid").is_none() || old["Sid"] != statement["Sid"]);
    statements.push(statement.clone());
    policy["Statement"] = statements.into();
    policy
}

/// Whether a policy lets `topic` send to `queue`, as far as can be seen: a condition that is not known here counts as
/// not met.
pub(crate) fn allows(policy: &Value, queue: &str, topic: &str) -> bool {
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.as_slice(),
        one => std::slice::from_ref(one),
    };
    statements.iter().any(|statement| {
        statement["Effect"] == "Allow"
            && is_sns(&statement["Principal"])
            && texts(&statement["Action"]).iter().any(|action| matches(&action.to_ascii_lowercase(), "sqs:sendmessage"))
            && texts(&statement["Resource"]).iter().any(|resource| matches(resource, queue))
            && is_met(&statement["Condition"], topic)
    })
}

fn is_sns(principal: &Value) -> bool {
    principal == "*"
        || texts(&principal["AWS"]).contains(&"*")
        || texts(&principal["Service"]).contains(&"sns.amazonaws.com")
}

fn is_met(condition: &Value, topic: &str) -> bool {
    let Some(operators) = condition.as_object() else { return condition.is_null() };
    let account = topic.split(':').nth(4).unwrap_or_default();
    operators.iter().all(|(operator, keys)| {
        let known = ["arnequals", "arnlike", "stringequals", "stringlike", "stringequalsignorecase"];
        known.contains(&operator.to_ascii_lowercase().as_str())
            && keys.as_object().is_some_and(|keys| {
                keys.iter().all(|(key, wanted)| {
                    let found = match key.to_ascii_lowercase().as_str() {
                        "aws:sourcearn" => topic,
                        "aws:sourceaccount" => account,
                        _ => return false,
                    };
                    texts(wanted).iter().any(|pattern| matches(pattern, found))
                })
            })
    })
}

/// A text, or a list of them.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Whether a text fits a pattern with `*`.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: &str = "arn:aws:sqs:eu-central-1:123456789012:moderators";
    const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:modstream-alerts";

    #[test]
    fn the_statement_that_is_told_is_enough_and_only_for_this_queue_and_topic() {
        let policy = of(&statement(QUEUE, TOPIC));
        assert!(allows(&policy, QUEUE, TOPIC));
        assert!(!allows(&policy, &format!("{QUEUE}2"), TOPIC));
        assert!(!allows(&policy, QUEUE, &format!("{TOPIC}2")));
    }

    #[test]
    fn a_statement_more_leaves_the_others_and_is_there_once() {
        let other = json!({ "Sid": "other", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": QUEUE });
        let once = with(Some(json!({ "Version": "2012-10-17", "Statement": other })), &statement(QUEUE, TOPIC));
        assert_eq!(once["Statement"].as_array().map(Vec::len), Some(2));
        assert_eq!((&once["Statement"][0], &once["Version"]), (&other, &json!("2012-10-17")));
        assert_eq!(with(Some(once.clone()), &statement(QUEUE, TOPIC)), once);
        assert!(allows(&with(None, &statement(QUEUE, TOPIC)), QUEUE, TOPIC));
    }

    #[test]
    fn other_ways_to_allow_it_are_understood() {
        for (field, value) in [
            ("Principal", json!("*")),
            ("Principal", json!({ "AWS": "*" })),
            ("Action", json!(["sqs:ReceiveMessage", "SQS:*"])),
            ("Action", json!("sqs:Send*")),
            ("Resource", json!("*")),
            ("Condition", Value::Null),
            ("Condition", json!({ "ArnLike": { "aws:SourceArn": "arn:aws:sns:*:123456789012:*" } })),
            ("Condition", json!({ "StringEquals": { "AWS:SourceAccount": ["1", "123456789012"] } })),
        ] {
            let mut statement = statement(QUEUE, TOPIC);
            statement[field] = value.clone();
            assert!(allows(&of(&statement), QUEUE, TOPIC), "{field}: {value}");
        }
    }

    #[test]
    fn what_is_not_known_to_allow_it_does_not() {
        for (field, value) in [
            ("Effect", json!("Deny")),
            ("Principal", json!({ "Service": "events.amazonaws.com" })),
            ("Action", json!("sqs:ReceiveMessage")),
            ("Resource", json!("arn:aws:sqs:*:*:other")),
            ("Condition", json!({ "Bool": { "aws:SecureTransport": "true" } })),
            ("Condition", json!({ "ArnEquals": { "aws:SourceArn": "arn:aws:sns:*:1:x" } })),
        ] {
            let mut statement = statement(QUEUE, TOPIC);
            statement[field] = value.clone();
            assert!(!allows(&of(&statement), QUEUE, TOPIC), "{field}: {value}");
        }
        assert!(!allows(&json!({}), QUEUE, TOPIC));
    }
}
