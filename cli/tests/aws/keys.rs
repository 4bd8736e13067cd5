//! Keys of the front door, and what came through it, in a bucket.

use modstream_stub_server::{Answer, FakeAws, Request};
use serde_json::json;

use crate::command::Aws;

#[test]
fn a_key_is_made_listed_and_revoked_in_the_bucket_and_its_secret_is_told_once() {
    let aws = FakeAws::start().expect("a port");
    let reach = Aws::at(&aws.url()).with("MODSTREAM_BUCKET", "bucket");
    let made = reach.run(&["key", "create", "--role", "check,send", "--note", "our forum", "--json"]).json();
    let (id, key) = (made["id"].as_str().expect("a name"), made["key"].as_str().expect("a key"));
    let kept: Vec<String> = aws.requests().iter().map(Request::text).collect();
    assert!(
        kept.iter().any(|body| body.contains(id)) && !kept.iter().any(|body| body.contains(&key[16..])),
        "{kept:?}"
    );

    let listed = reach.run(&["key", "list", "--json"]);
    assert!(!listed.stdout.contains(&key[16..]));
    let listed = listed.json();
    assert_eq!((&listed["keys"][0]["id"], &listed["keys"][0]["roles"]), (&json!(id), &json!(["check", "send"])));
    let said = reach.run(&["key", "revoke", id]);
    assert!(said.stdout.contains("half a minute from now"), "an instance remembers it so long: {said:?}");
    assert_eq!(reach.run(&["key", "revoke", id, "--json"]).json()["revoked"], json!(false));
    let missing = reach.run(&["key", "revoke", "000000000000", "--json"]).error();
    assert!(missing.contains("modstream key list"), "{missing}");
}

#[test]
fn whose_keys_they_are_must_be_said_and_a_bucket_that_is_denied_is_none_without_keys() {
    let aws = FakeAws::start().expect("a port");
    let error = Aws::at(&aws.url()).run(&["key", "list", "--json"]).usage();
    assert!(error.contains("--bucket"), "{error}");
    let empty = Aws::at(&aws.url()).run(&["key", "list", "--bucket", "bucket"]);
    assert!(empty.stdout.contains("no key yet"), "{empty:?}");
    let denying = FakeAws::start_with(|_| Some(Answer::new(403, *b"<Error><Code>AccessDenied</Code></Error>").into()));
    let denying = denying.expect("a port");
    let denied = Aws::at(&denying.url()).run(&["key", "list", "--bucket", "bucket", "--json"]).error();
    assert!(denied.contains("s3:ListBucket") && !denied.contains("no key yet"), "{denied}");
}

#[test]
fn what_was_suggested_is_pulled_from_the_bucket() {
    let aws = FakeAws::start().expect("a port");
    let event = include_bytes!("../../../events/fixtures/modstream.feedback.v1/whole.json");
    aws.put("bucket", "feedback/5f0f6f3e-6a0a-5d55-9a3f-0b6f0f1c2d3e.json", &event[..]);
    let folder = tempfile::tempdir().expect("a folder");
    let reach = Aws::at(&aws.url()).with("MODSTREAM_BUCKET", "bucket");
    let said = reach.run_in(folder.path(), &["feedback", "pull", "--output", "rows.jsonl", "--json"], b"").json();
    assert_eq!((&said["feedback"], &said["removed"]), (&json!(1), &json!(1)));
    let rows = std::fs::read_to_string(folder.path().join("rows.jsonl")).expect("written");
    let row: serde_json::Value = serde_json::from_str(&rows).expect("a line");
    assert_eq!((&row["id"], &row["body"], &row["removed"]), (&json!("42"), &json!("you idiot"), &json!(true)));
}
