//! Mappings on: a key opens the front door, a check is answered, and a comment that is sent there is a prediction.

use modstream_tests::localstack::{Browser, said, until};
use serde_json::{Value, json};

use crate::{LIMIT, deployed, until_predicted};

#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn a_key_lets_in_a_check_is_answered_and_a_comment_that_is_sent_is_a_prediction() {
    let (stack, world) = deployed().await;
    let url = stack.output("front_door_url");
    let mut forum = Browser::default();
    let comment = json!({ "id": "modstream-test-asked", "body": "Is the sample large enough?" }).to_string();
    let nobody = forum.send_json(&format!("{url}/v1/check"), &comment);
    assert!(nobody.status == 401 && nobody.body.contains("modstream key create"), "{nobody:?}");

    let made = said(stack.modstream().args(["key", "create", "--role", "check,send", "--json"]));
    let made: Value = serde_json::from_str(&made).expect("a line of JSON");
    let (id, key) = (made["id"].as_str().expect("a name"), made["key"].as_str().expect("a key"));
    let checked = forum.send_json(&format!("{url}/v1/check?key={key}"), &comment);
    assert_eq!(checked.status, 200, "{}", checked.body);
    let checked: Value = serde_json::from_str(&checked.body).expect("JSON");
    let foretold = checked["prediction"]["data"]["comment_event"]["id"].as_str().expect("an id").to_owned();

    let sent = forum.send_json(&format!("{url}/v1/comments?key={key}"), &comment);
    assert_eq!(sent.status, 202, "{}", sent.body);
    let sent: Value = serde_json::from_str(&sent.body).expect("JSON");
    assert_eq!((&sent["accepted"], &sent["ids"]), (&json!(1), &json!([foretold])));
    until_predicted(&world, &[foretold]).await;

    let document = forum.open(&format!("{url}/$discovery/rest"));
    let document: Value = serde_json::from_str(&document.body).expect("JSON");
    assert!(document["rootUrl"].as_str().is_some_and(|root| root.contains("localhost")), "{document}");

    // A key that is revoked lets nobody in once no instance remembers it.
    said(stack.modstream().args(["key", "revoke", id]));
    until("the key lets nobody in", LIMIT, async || {
        (forum.send_json(&format!("{url}/v1/check?key={key}"), &comment).status == 401).then_some(())
    })
    .await;
}
