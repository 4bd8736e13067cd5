//! `modstream subscribe`.

use serde_json::{Value, json};

use crate::command::{Aws, Run};
use crate::services::{QUEUE, Services, TOPIC};

fn subscribe(services: &Services, args: &[&str]) -> Run {
    Aws::at(&services.url()).run(&[&["subscribe", "--topic", TOPIC, "--json"], args].concat())
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn a_queue_gets_the_events_themselves_by_a_filter_on_attributes() {
    let services = Services::start();
    let args = ["--sqs", QUEUE, "--allow", "--subreddit", "r/science", "--subreddit", "askscience"];
    let done = subscribe(&services, &[&args[..], &["--severity", "high", "--severity", "medium"]].concat()).done();
    assert_eq!((&done["what"], &done["endpoint"]), (&"subscribed".into(), &QUEUE.into()));
    let state = services.state();
    let attributes = &state.subscriptions[QUEUE];
    assert_eq!((attributes["protocol"].as_str(), attributes["RawMessageDelivery"].as_str()), ("sqs", "true"));
    assert_eq!(attributes["FilterPolicyScope"], "MessageAttributes");
    let filter = json!({ "subreddit": ["science", "askscience"], "severity": ["medium", "high"] });
    assert_eq!(json_of(&attributes["FilterPolicy"]), filter);
    let allowed = json_of(&state.queues["moderators"]["Policy"])["Statement"][0].clone();
    assert_eq!((&allowed["Action"], &allowed["Resource"]), (&"sqs:SendMessage".into(), &QUEUE.into()));
    assert_eq!(allowed["Condition"]["ArnEquals"]["aws:SourceArn"], TOPIC);
}

#[test]
fn a_queue_that_the_topic_may_not_send_to_is_not_subscribed_and_the_statement_is_told() {
    let services = Services::start();
    let error = subscribe(&services, &["--sqs", QUEUE]).error();
    for part in ["nothing was done", "--allow", "\"Service\":\"sns.amazonaws.com\"", TOPIC, QUEUE] {
        assert!(error.contains(part), "{part} is missing in {error}");
    }
    assert!(services.state().subscriptions.is_empty() && services.state().queues["moderators"].is_empty());
}

#[test]
fn a_repeat_changes_nothing_and_another_filter_changes_the_subscription() {
    let services = Services::start();
    let what = |args: &[&str]| subscribe(&services, &[&["--sqs", QUEUE], args].concat()).done()["what"].clone();
    assert_eq!(what(&["--allow", "--severity", "high"]), "subscribed");
    assert_eq!(what(&["--severity", "high"]), "unchanged");
    assert_eq!(services.count("SetSubscriptionAttributes"), 0);
    assert_eq!(what(&["--severity", "low"]), "changed");
    assert_eq!(json_of(&services.state().subscriptions[QUEUE]["FilterPolicy"]), json!({ "severity": ["low"] }));
    assert_eq!(what(&[]), "changed");
    assert_eq!(services.state().subscriptions[QUEUE]["FilterPolicy"], "{}");
    assert_eq!(what(&[]), "unchanged");
    assert_eq!(services.count("Subscribe"), 1);
}

#[test]
fn what_a_subscriber_does_not_take_goes_to_a_queue_that_stays_where_none_is_named() {
    let services = Services::start();
    let undelivered = "arn:aws:sqs:us-east-1:000000000000:modstream-alerts-undelivered";
    let what = |args: &[&str]| subscribe(&services, &[&["--sqs", QUEUE, "--allow"], args].concat()).done();
    assert_eq!(what(&[])["undelivered"], Value::Null);
    assert_eq!(services.state().subscriptions[QUEUE].get("RedrivePolicy"), None);
    let done = what(&["--undelivered", undelivered]);
    assert_eq!((&done["what"], &done["undelivered"]), (&"changed".into(), &undelivered.into()));
    let policy = || json_of(&services.state().subscriptions[QUEUE]["RedrivePolicy"]);
    assert_eq!(policy(), json!({ "deadLetterTargetArn": undelivered }));
    assert_eq!(what(&["--undelivered", undelivered])["what"], "unchanged");
    what(&["--severity", "high"]);
    assert_eq!(policy(), json!({ "deadLetterTargetArn": undelivered }));
    let error = subscribe(&services, &["--sqs", QUEUE, "--undelivered", "modstream.fifo"]).usage();
    assert!(error.contains("a standard queue's ARN looks like"), "{error}");
}

#[test]
fn a_queues_url_does_as_well() {
    let services = Services::start();
    let url = format!("{}/000000000000/moderators", services.url());
    assert_eq!(subscribe(&services, &["--sqs", &url, "--allow"]).done()["endpoint"], QUEUE);
}

#[test]
fn a_webhook_must_confirm_and_gets_the_events_themselves_as_by_terraform() {
    let services = Services::start();
    let done = subscribe(&services, &["--https", "https://example.org/alerts"]).done();
    assert!(done["note"].as_str().is_some_and(|note| note.contains("SubscribeURL")), "{done}");
    let state = services.state();
    let attributes = &state.subscriptions["https://example.org/alerts"];
    assert_eq!((attributes["protocol"].as_str(), attributes["RawMessageDelivery"].as_str()), ("https", "true"));
    // One that an earlier release subscribed gets the envelope until then.
    drop(state);
    services.state().subscriptions.get_mut("https://example.org/alerts").expect("there").remove("RawMessageDelivery");
    assert_eq!(subscribe(&services, &["--https", "https://example.org/alerts"]).done()["what"], "changed");
}

#[test]
fn a_chats_webhook_is_refused_before_anything_is_called_with_what_does_instead() {
    let services = Services::start();
    for (url, chat) in [
        ("https://hooks.slack.com/services/T0/B0/x", "Slack"),
        ("https://discord.com/api/webhooks/1/x", "Discord"),
        ("https://ours.webhook.office.com/webhookb2/x", "Microsoft Teams"),
    ] {
        let error = subscribe(&services, &["--https", url]).error();
        for part in [url, chat, "--email", "docs/deploy.md"] {
            assert!(error.contains(part), "{part} is missing in {error}");
        }
    }
    assert!(services.state().calls.is_empty());
}

#[test]
fn email_and_sms_get_digests_by_the_same_filters() {
    let services = Services::start();
    let digests = |args: &[&str]| subscribe(&services, &[&["--digests-topic", TOPIC], args].concat()).done();
    let done = digests(&["--email", "mods@example.org", "--subreddit", "science", "--severity", "high"]);
    assert_eq!((&done["what"], &done["endpoint"]), (&"subscribed".into(), &"mods@example.org".into()));
    assert!(done["note"].as_str().is_some_and(|note| note.contains("a message with a link")), "{done}");
    let done = digests(&["--sms", "+49 151 1234-5678"]);
    assert!(done["note"].as_str().is_some_and(|note| note.contains("SMS sandbox")), "{done}");
    let state = services.state();
    let (email, sms) = (&state.subscriptions["mods@example.org"], &state.subscriptions["+4915112345678"]);
    assert_eq!((email["protocol"].as_str(), sms["protocol"].as_str()), ("email", "sms"));
    assert_eq!(json_of(&email["FilterPolicy"]), json!({ "subreddit": ["science"], "severity": ["high"] }));
    assert_eq!((email.get("RawMessageDelivery"), sms.get("FilterPolicy")), (None, None));
}

#[test]
fn email_and_sms_need_the_digests_topic_and_are_told_why_before_anything_is_called() {
    let services = Services::start();
    for args in [["--email", "mods@example.org"], ["--sms", "+4915112345678"]] {
        let error = subscribe(&services, &args).usage();
        for part in ["ten messages a second", "--digests-topic", "MODSTREAM_DIGESTS_TOPIC_ARN"] {
            assert!(error.contains(part), "{part} is missing in {error}");
        }
    }
    for (args, like) in [(["--email", "mods"], "mods@example.org"), (["--sms", "0151"], "+4915112345678")] {
        let error = subscribe(&services, &args).usage();
        assert!(error.contains(like), "{error}");
    }
    assert!(services.state().calls.is_empty());
}

#[test]
fn what_is_not_there_or_cant_be_is_said_and_changes_nothing() {
    let services = Services::start();
    let error = subscribe(&services, &["--sqs", "arn:aws:sqs:us-east-1:000000000000:gone"]).error();
    assert!(error.contains("there is no queue") && error.contains("does not exist"), "{error}");
    assert!(subscribe(&services, &["--sqs", "moderators"]).error().contains("neither a queue's ARN"));
    assert!(subscribe(&services, &["--https", "example.org"]).error().contains("begins with https://"));
    let topic = format!("{TOPIC}-gone");
    let args = ["subscribe", "--topic", &topic, "--sqs", QUEUE, "--allow", "--json"];
    assert!(Aws::at(&services.url()).run(&args).error().contains("Topic does not exist"));
    assert!(services.state().subscriptions.is_empty() && services.state().queues["moderators"].is_empty());
    let none = subscribe(&services, &[]);
    assert!(none.usage().contains("--sqs"), "{none:?}");
}
