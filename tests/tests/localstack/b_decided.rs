//! Mappings on: from an alert to its digest, from the digest's link to a decision, and to the desk.

use modstream_tests::localstack::{Browser, Page, said, until};
use modstream_tests::{MadeUp, Which, World, comment_event, prediction_event, unpacked};
use serde_json::{Value, json};

use crate::{LIMIT, deployed, invoke, put};

/// What the made-up comments of this test are numbered from.
const FIRST: usize = 50_000;
const QUEUE: &str = "modstream-test-digests";

#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn an_alert_is_in_a_digest_whose_link_takes_one_decision_that_the_desk_shows() {
    let (stack, world) = deployed().await;
    let queue = world.sdk.make_queue(QUEUE).await;
    world.sdk.subscribe(&stack.output("digests_topic_arn"), &queue, None).await;
    for number in FIRST..FIRST + 3 {
        put(&world, Which::Comments, vec![("k".to_owned(), comment_event(number))]).await;
        put(&world, Which::Predictions, vec![("k".to_owned(), prediction_event(number, 0.99))]).await;
    }
    until("the alerts are sent", LIMIT, async || {
        for number in FIRST..FIRST + 3 {
            crate::alert_of(&world, MadeUp::new(number)).await?.text("sent")?;
        }
        Some(())
    })
    .await;

    // The digest, and nothing more when the run is repeated.
    let run = json!({ "time": crate::now() + jiff::SignedDuration::from_mins(10) }).to_string();
    let digested = invoke(&stack, &world, "digest-alerts", &run).await.expect("digests");
    assert!(digested["digests"].as_u64() >= Some(1), "{digested}");
    let repeated = invoke(&stack, &world, "digest-alerts", &run).await.expect("digests");
    assert_eq!(repeated["digests"], 0, "{repeated}");
    let mut texts: Vec<String> = Vec::new();
    until("the digest is there", LIMIT, async || {
        texts.extend(world.sdk.receive_all(&queue).await.into_iter().map(|notice| notice.body));
        (!texts.is_empty()).then_some(())
    })
    .await;
    let links = |what: &str| {
        let lines = texts.iter().flat_map(|text| text.lines());
        let found = lines.filter_map(|line| line.trim().strip_prefix(what)).map(|link| link.trim().to_owned());
        found.collect::<Vec<_>>()
    };
    let removing = links("remove:");
    let [first, second, ..] = &removing[..] else { panic!("no links in {texts:?}") };

    // Opening the link decides nothing; a form does; of two, the first.
    let (mut violet, mut ochre) = (Browser::default(), Browser::default());
    let page = violet.open(first);
    assert_eq!(page.status, 200, "{}", page.body);
    let others = ochre.open(first);
    let form = |page: &Page, action: &str, name: &str| {
        format!("after={}&action={action}&moderator={name}", page.field("after"))
    };
    let decided = violet.send(first, &form(&page, "remove", "violet"));
    assert_eq!(decided.status, 303, "{}", decided.body);
    let late = ochre.send(first, &form(&others, "keep", "ochre"));
    assert!(late.status == 409 && late.body.contains("violet"), "{} {}", late.status, late.body);
    assert!(violet.open(first).body.contains("violet"));

    // On the stream, once: that of predictions, as `decisions_shards` is not set.
    assert_eq!(stack.output("decisions_stream"), stack.output("predictions_stream"));
    let records = world.sdk.records_of(&stack.output("decisions_stream")).await;
    let events = records.iter().filter_map(|data| serde_json::from_slice::<Value>(data).ok());
    // Among the bad records that others put there is one that only says that it is a decision.
    let is_decision =
        |event: &Value| event["type"] == "modstream.decision.v1" && event["data"]["moderator"].is_string();
    let events: Vec<Value> = events.filter(is_decision).collect();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["data"]["moderator"], "violet");

    // What is not signed here is refused, on both URLs.
    let forged = format!("{}A", &first[..first.len() - 1]);
    assert!(violet.open(&forged).status >= 400 || forged == *first);
    let desk = stack.output("desk_url");
    assert_eq!(violet.open(&format!("{desk}/")).status, 401);

    // The desk, by a link to sign in.
    let link = said(stack.modstream().args(["desk-link", "--moderator", "maja"]));
    let link = link.split_whitespace().find(|word| word.starts_with("http://")).expect("a link").to_owned();
    let mut maja = Browser::default();
    assert_eq!(maja.open(&link).status, 200);
    assert_eq!(maja.send(&link, "").status, 303);
    assert_eq!(maja.send(&link, "").status, 403, "a link signs in once");
    let page = maja.open(&format!("{desk}/"));
    assert!(page.status == 200 && page.body.contains("maja"), "{} {}", page.status, page.body);

    // A script decides about the second.
    said(stack.modstream().args(["decide", second, "keep", "--moderator", "script"]));

    // The table has what the desk showed: two decisions, each with its event, and nothing that waits to be sent.
    let items = world.items().await;
    let of = |part: &'static str| items.iter().filter(move |item| item.key.sort.starts_with(part));
    let kept: Vec<Value> =
        of("decision#").map(|item| serde_json::from_slice(&unpacked(item, "event")).expect("JSON")).collect();
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(kept.iter().any(|event| *event == events[0]), "{kept:?}");
    let decided = of("alert#").filter(|item| item.number("decisions") == Some(1));
    assert!(decided.clone().all(|item| item.text("in_open").is_none()) && decided.count() == 2);
    assert!(!items.iter().any(|item| item.key.partition == "outbox"));

    // And both are training rows.
    let folder = tempfile::tempdir().expect("a folder");
    let pulled = said(
        stack.modstream().args(["decisions", "pull", "--json", "--output"]).arg(folder.path().join("decisions.jsonl")),
    );
    let pulled: Value = serde_json::from_str(&pulled).expect("a line of JSON");
    assert_eq!((&pulled["decisions"], &pulled["removed"]), (&2.into(), &1.into()), "{pulled}");
}
