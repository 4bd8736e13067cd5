//! PublishBatch.

use std::collections::BTreeMap;
use std::time::Duration;

use modstream_platform::aws::{Clients, SystemClock};
use modstream_platform::deliver::{Published, publish_all};
use modstream_platform::{CallErrorKind, Clock as _, Message, PublishOutcome, Topic};
use modstream_stub_server::{Answer, Request, StubServer};

use crate::world::{LONG, World, config, xml};

fn message(id: &str, attributes: &[(&str, &str)]) -> Message {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let attributes = attributes.collect::<BTreeMap<_, _>>();
    Message { id: id.to_owned(), body: format!("body of {id}"), attributes, ..Message::default() }
}

fn answer(successful: &str, failed: &str) -> Answer {
    let lists = format!("<Successful>{successful}</Successful><Failed>{failed}</Failed>");
    xml(200, &format!("<PublishBatchResponse><PublishBatchResult>{lists}</PublishBatchResult></PublishBatchResponse>"))
}

fn done(id: usize) -> String {
    format!("<member><Id>{id}</Id><MessageId>message-{id}</MessageId></member>")
}

fn failed(id: usize, sender_fault: bool, code: &str) -> String {
    format!(
        "<member><Id>{id}</Id><SenderFault>{sender_fault}</SenderFault><Code>{code}</Code><Message>the service's words</Message></member>"
    )
}

/// The fields of a form, decoded.
fn fields(body: &str) -> BTreeMap<String, String> {
    let decode = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let hex = [rest.next().expect("a digit"), rest.next().expect("a digit")];
                    u8::from_str_radix(std::str::from_utf8(&hex).expect("ASCII"), 16).expect("hex")
                }
                other => other,
            });
        }
        String::from_utf8(bytes).expect("UTF-8")
    };
    body.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (decode(name), decode(value))).collect()
}

#[tokio::test]
async fn the_request_carries_topic_texts_and_attributes_as_strings_under_their_places() {
    let world = World::new([answer(&(done(0) + &done(1)), "")]);
    // Ids that SNS would refuse.
    let long = "a".repeat(81);
    let messages =
        [message("é: not an SNS id", &[("severity", "high"), ("subreddit", "science")]), message(&long, &[])];
    world.topic().publish_batch(&messages).await.expect("answered");
    let [request] = &world.server.requests()[..] else { panic!("one request") };
    let fields = fields(&request.text());
    let field = |name: &str| fields.get(name).map_or("", String::as_str);
    assert_eq!((field("Action"), field("TopicArn")), ("PublishBatch", "arn:aws:sns:us-east-1:000000000000:alerts"));
    let entries = "PublishBatchRequestEntries.member";
    assert_eq!(field(&format!("{entries}.1.Id")), "0");
    assert_eq!(field(&format!("{entries}.1.Message")), "body of é: not an SNS id");
    assert_eq!(field(&format!("{entries}.2.Id")), "1");
    let mut attributes = BTreeMap::new();
    for n in 1..=2 {
        let attribute = format!("{entries}.1.MessageAttributes.entry.{n}");
        assert_eq!(field(&format!("{attribute}.Value.DataType")), "String");
        attributes.insert(field(&format!("{attribute}.Name")), field(&format!("{attribute}.Value.StringValue")));
    }
    assert_eq!(attributes, BTreeMap::from([("severity", "high"), ("subreddit", "science")]));
}

#[tokio::test]
async fn each_message_gets_its_own_outcome_wherever_it_stands_in_the_answer() {
    let world = World::new([answer(
        &(done(3) + &done(0)),
        &(failed(2, true, "InvalidParameter") + &failed(1, false, "InternalError")),
    )]);
    let messages: Vec<_> = ["a", "b", "c", "d"].iter().map(|id| message(id, &[])).collect();
    let outcomes = world.topic().publish_batch(&messages).await.expect("answered");
    let published = |n| PublishOutcome::Published { message_id: format!("message-{n}") };
    let failed = |sender_fault, code: &str| PublishOutcome::Failed {
        sender_fault,
        code: code.into(),
        message: "the service's words".into(),
    };
    assert_eq!(
        outcomes,
        [published(0), failed(false, "InternalError"), failed(true, "InvalidParameter"), published(3)]
    );
}

#[tokio::test]
async fn a_message_the_answer_says_nothing_about_is_tried_again_alone() {
    let world = World::new([answer(&done(1), "")]);
    let outcomes = world.topic().publish_batch(&[message("a", &[]), message("b", &[])]).await.expect("answered");
    assert!(
        matches!(&outcomes[0], PublishOutcome::Failed { sender_fault: false, code, .. } if code == "NoOutcome"),
        "{outcomes:?}"
    );
    assert_eq!(outcomes[1], PublishOutcome::Published { message_id: "message-1".into() });
}

#[tokio::test]
async fn what_a_refusal_of_the_whole_call_means_follows_from_its_code() {
    use CallErrorKind::{Denied, Invalid, Refused, Unavailable};
    for (status, code, kind) in [
        (404, "NotFound", Denied),
        (403, "AuthorizationError", Denied),
        (400, "KMSDisabled", Denied),
        (403, "InvalidClientTokenId", Denied),
        (400, "Throttling", Unavailable),
        (400, "Throttled", Unavailable),
        (500, "InternalError", Unavailable),
        (400, "InvalidParameter", Refused),
        (400, "ParameterValueInvalid", Refused),
        (400, "BatchRequestTooLong", Refused),
        (400, "InvalidBatchEntryId", Refused),
        (400, "KMSAccessDenied", Denied),
        (400, "KMSThrottling", Unavailable),
        (400, "ExpiredToken", Denied),
        (400, "EndpointDisabled", Denied),
        (400, "EmptyBatchRequest", Invalid),
        (400, "TooManyEntriesInBatchRequest", Invalid),
    ] {
        let error =
            format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>the service's words</Message></Error>");
        let world = World::new([xml(status, &format!("<ErrorResponse>{error}</ErrorResponse>"))]);
        let error = world.topic().publish_batch(&[message("a", &[])]).await.expect_err("refused");
        assert_eq!((error.kind, error.message), (kind, format!("{code}: the service's words")), "{status} {code}");
        assert_eq!((error.service, error.operation), ("sns", "PublishBatch"));
        assert_eq!(world.server.requests().len(), 1, "{status} {code}");
    }
}

#[tokio::test]
async fn an_answer_that_cant_be_read_leaves_the_outcome_unknown() {
    let world = World::new([xml(200, "<PublishBatchResponse><PublishBatchRes")]);
    let error = world.topic().publish_batch(&[message("a", &[])]).await.expect_err("no answer");
    assert_eq!(error.kind, CallErrorKind::OutcomeUnknown);
}

fn refusal(code: &str, words: &str) -> Answer {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{words}</Message></Error>");
    xml(400, &format!("<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>"))
}

fn messages(count: usize) -> Vec<Message> {
    (0..count).map(|n| message(&format!("m{n}"), &[])).collect()
}

#[tokio::test]
async fn a_call_that_is_refused_for_a_message_is_split_down_to_it_and_the_others_are_published() {
    for (code, words) in [
        ("InvalidParameter", "Invalid parameter: Message Reason: Invalid characters found"),
        ("BatchRequestTooLong", "The length of all the messages put together is more than the limit."),
    ] {
        let server = StubServer::start(move |request: &Request| {
            let fields = fields(&request.text());
            let texts: Vec<&String> =
                fields.iter().filter(|(name, _)| name.ends_with(".Message")).map(|(_, text)| text).collect();
            if texts.iter().any(|text| text.ends_with("m7")) {
                return refusal(code, words).into();
            }
            answer(&(0..texts.len()).map(done).collect::<String>(), "").into()
        });
        let server = server.expect("a port");
        let clients = Clients::new(&config(&server.url()), LONG).expect("has a region");
        let topic = clients.topic("arn:aws:sns:us-east-1:000000000000:alerts");
        let deadline = SystemClock.now() + Duration::from_secs(60);
        let published = publish_all(&topic, &SystemClock, deadline, messages(25)).await;
        for (at, one) in published.iter().enumerate() {
            match one {
                Published::Refused { code: told, message } => {
                    assert_eq!((at, told.as_str(), message.as_str()), (7, code, words));
                }
                Published::Accepted { .. } => assert_ne!(at, 7),
                other @ Published::Failed(_) => panic!("{at}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_that_is_about_the_topic_or_the_key_refuses_no_message() {
    let whole = refusal("InvalidParameter", "Invalid parameter: TopicArn Reason: no valid topic ARN");
    let entries = answer("", &(0..3).map(|id| failed(id, true, "KMSAccessDenied")).collect::<String>());
    for replies in [vec![whole], vec![entries; 50]] {
        let world = World::new(replies);
        let deadline = SystemClock.now() + Duration::from_secs(1);
        let published = publish_all(&world.topic(), &SystemClock, deadline, messages(3)).await;
        assert!(published.iter().all(|one| matches!(one, Published::Failed(_))), "{published:?}");
    }
}
