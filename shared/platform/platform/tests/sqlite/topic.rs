//! A topic in a file is an outbox.

use std::collections::BTreeMap;

use modstream_platform::sqlite::{Published, SqliteTopic};
use modstream_platform::{Message, PublishOutcome, Topic as _};

use crate::{folder, serve};

#[tokio::test]
async fn a_message_is_there_once_for_whoever_comes_later_and_what_no_topic_takes_is_refused_alone() {
    let folder = folder();
    let topic = SqliteTopic::open(&serve(folder.path()), "alerts").await.expect("opens");
    let message = |id: &str, body: &str| Message {
        id: id.to_owned(),
        body: body.to_owned(),
        subject: Some("An alert".to_owned()),
        attributes: BTreeMap::from([("severity".to_owned(), "high".to_owned())]),
        by_protocol: BTreeMap::new(),
    };
    let first = topic.publish_batch(&[message("a", "one"), message("b", "")]).await.expect("publishes");
    assert!(matches!(&first[0], PublishOutcome::Published { .. }));
    assert!(matches!(&first[1], PublishOutcome::Failed { sender_fault: true, .. }));
    let again = topic.publish_batch(&[message("a", "one"), message("c", "two")]).await.expect("publishes");
    assert_eq!(again[0], first[0]);
    let all = topic.after(None, 10).expect("reads");
    let read: Vec<Published> = all.iter().map(|record| Published::read(record).expect("a message")).collect();
    assert_eq!(
        read.iter().map(|one| (one.id.as_str(), one.body.as_str())).collect::<Vec<_>>(),
        [("a", "one"), ("c", "two")]
    );
    assert_eq!((read[0].subject.as_deref(), read[0].attributes["severity"].as_str()), (Some("An alert"), "high"));
    assert_eq!(topic.after(Some(&all[0].sequence_number), 10).expect("reads").len(), 1);
    assert!(topic.publish_batch(&[message("a", "one"), message("a", "two")]).await.is_err(), "one id a call");
}
