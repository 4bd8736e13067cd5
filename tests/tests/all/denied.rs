//! A bucket and a table that deny each prefix in turn, to each function: what may not be read is not missing. Nothing is published twice,
//! dropped or deleted, the log says what is denied, and when the denial ends all comes right.

use std::time::Duration;

use archive_comments::ArchiveComments;
use digest_alerts::DigestRules;
use jiff::Timestamp;
use kinesis_batch::payload::{self, SourceRecord};
use modstream_decisions::{Case, Decisions, Log};
use modstream_desk::Response;
use modstream_events::{Action, DeletedBy};
use modstream_in_use::policies::PolicyStore;
use modstream_ledger::{AlertKey, Entry, Ledger, List};
use modstream_links::Claim;
use modstream_platform::memory::{Filter, MemoryStream, MemoryTopic};
use modstream_platform::{Clock, Stream};
use modstream_policy::Policies;
use modstream_quarantine::redrive::{Options, Streams, redrive};
use modstream_tests::{
    Audit, Faults, MadeUp, MemoryWorld, Permitted, System, Which, World, bad_comments, bad_predictions, install,
    model_files,
};
use publish_alerts::Condition;
use uuid::Uuid;

use crate::logged::Logged;
use crate::pages::Pages;
use crate::{alerted, digest_function, put, put_comment, put_corpus, put_prediction, scored, smoothly};

/// How long a prefix is denied, and longer than any look at what is in use is put off.
const DENIED_FOR: Duration = Duration::from_secs(90);

fn time(text: &str) -> Timestamp {
    format!("2026-01-05T{text}Z").parse().expect("a time")
}

/// The log says loudly that calls on a prefix of the bucket, or on the table, are denied, and what they need.
fn assert_said(logged: &Logged, prefix: &str) {
    let (on, needs) = if prefix.ends_with('/') { (prefix, "s3:") } else { ("table", "dynamodb:") };
    let text = logged.text();
    let said = text.lines().find(|line| line.contains("access_denied") && line.contains(&format!("{on:?}")));
    let said = said.unwrap_or_else(|| panic!("nothing is said of {prefix}: {text}"));
    assert!(said.contains(needs), "{said}");
}

pub(crate) async fn push(world: &MemoryWorld, text: &str) {
    let policies = Policies::parse(text).expect("good policies");
    let (objects, clock) = (world.objects(), world.clock());
    PolicyStore::new(&objects, &clock, Timestamp::MAX).push(&policies).await.expect("it is pushed");
}

/// The policy of the environment would alert on all of the predictions, the document only on those above 0.8.
const POLICIES: &str =
    "[default]\nthreshold = 0.8\nmax_alerts_per_hour = 1000\n\n[breaker]\nmax_share = 0.9\nmin_alerts = 500";

#[tokio::test(start_paused = true)]
async fn the_publisher_sends_each_alert_once_by_the_policies_that_hold() {
    for prefix in ["comment#", "missed", "policies/", "budget#", "breakers", "quarantine/"] {
        for is_new in [false, true] {
            let logged = Logged::start();
            let system = System::new(MemoryWorld::new(1, 100), &[("POLICY", "0.5")]);
            push(&system.world, POLICIES).await;
            for number in 0..4 {
                put_prediction(&system.world, number, if number % 2 == 0 { 0.9 } else { 0.6 }).await;
            }
            assert_eq!(system.publish().await, smoothly());
            if is_new {
                system.redeploy();
            }
            // The pointer, and open breakers, are to be looked at again.
            tokio::time::sleep(Duration::from_secs(40)).await;
            system.faults.deny(prefix, DENIED_FOR);
            let denied_until = system.world.clock().now() + DENIED_FOR;
            // Those that are sent come again, and new ones, one that is missed, and a bad one.
            for number in 0..8 {
                put_prediction(&system.world, number, if number % 2 == 0 { 0.9 } else { 0.6 }).await;
            }
            let missed = MadeUp::new(20);
            for event in [missed.reported_event(1), missed.deleted_event(DeletedBy::Moderator)] {
                put(&system.world, Which::Predictions, "missed", event).await;
            }
            let bad = bad_predictions(0).remove(0);
            put(&system.world, Which::Predictions, "bad", bad.data).await;
            let drained = system.publish().await;
            assert_eq!(drained.given_up, 0, "{prefix}");
            let audit = alerted(&system, Condition::Probability(0.8)).await;
            assert_eq!(audit.alert_ids().len(), 4, "{prefix}");
            assert_eq!(audit.notices.len(), 4, "{prefix}: an alert is published twice");
            let items = system.world.table().items();
            assert_eq!(items.iter().filter(|item| item.key.partition == "missed").count(), 1, "{prefix}");
            // A warm instance goes by the policies that it has, and needs no more of them.
            let waits = is_new || prefix != "policies/";
            assert_eq!(system.world.clock().now() >= denied_until, waits, "{prefix}, {is_new}");
            assert_said(&logged, prefix);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_scorer_keeps_its_model_and_without_one_it_waits() {
    for (prefix, is_new) in [("models/", false), ("models/", true), ("quarantine/", false)] {
        let logged = Logged::start();
        let system = System::new(MemoryWorld::new(1, 100), &[]);
        install(&system.world, &model_files()).await;
        put_comment(&system.world, 0).await;
        assert_eq!(system.score().await, smoothly());
        if is_new {
            system.redeploy();
        }
        tokio::time::sleep(Duration::from_secs(61)).await;
        system.faults.deny(prefix, DENIED_FOR);
        put_comment(&system.world, 1).await;
        put(&system.world, Which::Comments, "bad", bad_comments(0).remove(0).data).await;
        let drained = system.score().await;
        assert_eq!(drained.given_up, 0, "{prefix}");
        if is_new {
            let said = drained.last_error.expect("it can't start");
            assert!(said.contains("s3:GetObject") && said.contains("models/"), "{said}");
        }
        assert_eq!(scored(&system).await.prediction_ids().len(), 2, "{prefix}");
        assert_said(&logged, prefix);
    }
}

#[tokio::test(start_paused = true)]
async fn the_generator_sends_nothing_and_then_what_was_due() {
    let logged = Logged::start();
    let system = System::new(MemoryWorld::new(1, 100), &[]);
    put_corpus(&system.world, &modstream_tests::samples_file()).await;
    let payload = r#"{"id":"e-1","time":"2026-01-05T10:00:00Z","comments":5,"spread_seconds":0}"#;
    system.faults.deny("corpus/", DENIED_FOR);
    let said = system.generate(payload, "r").await.expect_err("denied");
    assert!(said.contains("s3:GetObject") && said.contains("corpus/comments.jsonl"), "{said}");
    assert!(system.world.records(Which::Comments).await.is_empty());
    assert_said(&logged, "corpus/");
    tokio::time::sleep(DENIED_FOR).await;
    assert_eq!(system.generate(payload, "r").await.expect("generates").comments, 5);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_can_t_be_archived_comes_again_and_the_archive_that_can_t_be_read_is_not_empty() {
    let logged = Logged::start();
    let system = System::new(MemoryWorld::new(1, 100), &[]);
    let (clock, faults) = (system.world.clock(), &system.faults);
    let bucket = faults.over(system.world.objects());
    let archive = ArchiveComments::new(bucket.clone(), clock);
    let record = SourceRecord {
        shard_id: "shardId-000000000000",
        event_source_arn: "arn:aws:kinesis:us-east-1:000000000000:stream/comments",
        sequence_number: "7",
        partition_key: "k",
        arrived_seconds: 1_767_607_200.0,
        data: b"{}",
    };
    let payload = payload::encode(&[record]);
    let handle = async || {
        let deadline = clock.now() + Duration::from_secs(20);
        archive.handle(&payload, deadline).await.expect("a batch").batch_item_failures.len()
    };
    faults.deny("archive/", DENIED_FOR);
    assert_eq!(handle().await, 1);
    assert_said(&logged, "archive/");
    tokio::time::sleep(DENIED_FOR).await;
    assert_eq!(handle().await, 0);
    let (from, to) = (time("10:00:00"), time("11:00:00"));
    let open = async || modstream_archive::Reader::open(&bucket, &clock, "comments", from, to).await;
    let mut reader = open().await.expect("lists");
    faults.deny("archive/", DENIED_FOR);
    assert!(open().await.is_err());
    assert!(reader.next().await.is_err());
    tokio::time::sleep(DENIED_FOR).await;
    assert!(reader.next().await.expect("reads").is_some());
    assert_eq!(reader.unreadable(), []);
}

/// Three alerts, made and sent in the first seconds after 10:00.
async fn with_alerts() -> System<MemoryWorld> {
    let system = System::new(MemoryWorld::new(1, 100), &[]);
    for number in 0..3 {
        put_prediction(&system.world, number, 0.9).await;
    }
    assert_eq!(system.publish().await, smoothly());
    system
}

/// Where digests are when permission is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The window is to be closed, and its digest to be sent.
    Open,
    /// The window is to be closed in quiet hours: its alerts are to wait.
    OpenInQuietHours,
    /// The alerts wait for a digest, and quiet hours are over.
    Waiting,
    /// The digest was sent.
    Sent,
}

/// Which partitions the runs of each stage ask for, of those that are denied.
const ASKED: [(Stage, &[&str]); 4] = [
    (Stage::Open, &["comment#", "made", "digests", "window#", "known#"]),
    (Stage::OpenInQuietHours, &["made", "digests", "window#", "known#", "waiting#"]),
    (Stage::Waiting, &["comment#", "made", "digests", "window#", "known#", "waiting#"]),
    (Stage::Sent, &["made", "digests", "window#", "known#"]),
];

#[tokio::test(start_paused = true)]
async fn each_alert_is_in_one_digest_that_is_sent_once_also_by_an_instance_that_lives_on() {
    for prefix in ["comment#", "made", "digests", "window#", "known#", "waiting#"] {
        for (stage, asked) in ASKED {
            let logged = Logged::start();
            let system = with_alerts().await;
            let topic = MemoryTopic::new("digests");
            let inbox = topic.subscribe(Filter::new());
            let clock = system.world.clock();
            let table = system.faults.over(system.world.table());
            let table = Permitted::of(digest_alerts::NAME, table, &system.uses);
            let function = digest_function(topic, table, clock);
            let run = async |due: &str, quiet: bool| {
                let payload = format!(r#"{{"time":"{}"}}"#, time(due));
                let deadline = clock.now() + Duration::from_secs(20);
                let rules = |_: &str, _| DigestRules { quiet, ..DigestRules::default() };
                function.handle(payload.as_bytes(), deadline, rules).await
            };
            match stage {
                Stage::Open | Stage::OpenInQuietHours => {}
                Stage::Waiting => assert_eq!(run("10:06:00", true).await.expect("closes").alerts, 0),
                Stage::Sent => assert_eq!(run("10:06:00", false).await.expect("sends").alerts, 3),
            }
            system.faults.deny(prefix, DENIED_FOR);
            let (mut is_asked, mut sent) = (false, 0);
            for due in ["10:06:00", "10:11:00"] {
                match run(due, stage == Stage::OpenInQuietHours).await {
                    Ok(digested) => sent += digested.digests,
                    Err(error) => {
                        assert!(error.to_string().contains("dynamodb:"), "{error}");
                        is_asked = true;
                    }
                }
            }
            assert_eq!(is_asked, asked.contains(&prefix), "{prefix}, {stage:?}");
            if is_asked {
                assert_said(&logged, prefix);
            }
            // What needs nothing that is denied goes on.
            assert_eq!(sent, usize::from(stage == Stage::Open && !is_asked), "{prefix}, {stage:?}");
            tokio::time::sleep(DENIED_FOR).await;
            for due in ["10:06:00", "10:11:00", "10:16:00"] {
                run(due, false).await.expect("runs");
            }
            let subjects: Vec<_> = std::iter::from_fn(|| inbox.try_receive()).filter_map(|it| it.subject).collect();
            assert_eq!(subjects.len(), 1, "{prefix}, {stage:?}: {subjects:?}");
            assert!(subjects[0].contains("3 alerts"), "{subjects:?}");
        }
    }
}

/// An alert of the ledger.
async fn first_alert(world: &MemoryWorld) -> Entry {
    let (table, clock) = (world.table(), world.clock());
    let ledger = Ledger::new(&table, &clock, Timestamp::MAX);
    let between = (time("10:00:00"), time("11:00:00"));
    let key = ledger.made_between(List::Standing, between, None).await.expect("lists").found.remove(0).key;
    ledger.entry(&key).await.expect("reads").expect("it is there")
}

#[tokio::test(start_paused = true)]
async fn no_decision_is_swept_away_while_the_outbox_may_not_be_read() {
    let logged = Logged::start();
    let system = with_alerts().await;
    let (clock, objects) = (system.world.clock(), system.world.objects());
    let table = system.faults.over(system.world.table());
    let stream = MemoryStream::new("decisions", 1, clock);
    let down = system.faults.over(stream.clone());
    let entry = first_alert(&system.world).await;
    let alert = modstream_events::Event::decode(&entry.event).expect("an alert");
    let log = Log::default();
    let invalid = modstream_tests::Fault::Fails(modstream_platform::CallErrorKind::Invalid);
    system.faults.next(modstream_tests::Operation::PutRecords, [invalid]);
    let soon = |seconds| clock.now() + Duration::from_secs(seconds);
    Decisions::new(&table, &down, &clock, soon(20))
        .decide(Case { entry: &entry, alert: &alert, log: &log }, Action::Remove, "ana", None)
        .await
        .expect("decides");
    assert_eq!(stream.len(), 0);
    clock.sleep(Duration::from_secs(2 * 3_600)).await;
    system.faults.deny("outbox", DENIED_FOR);
    assert!(Decisions::new(&table, &stream, &clock, soon(20)).sweep(&objects).await.is_err());
    assert_said(&logged, "outbox");
    clock.sleep(DENIED_FOR).await;
    let swept = Decisions::new(&table, &stream, &clock, soon(20)).sweep(&objects).await.expect("sweeps");
    assert_eq!((swept.sent, swept.dropped, swept.left), (1, 0, 0));
    assert_eq!(stream.len(), 1);
}

/// What is asked of the pages, in this order.
const REQUESTS: [&str; 6] = ["an alert", "a decision", "a digest", "the desk", "a decision at the desk", "a sign-in"];

#[tokio::test(start_paused = true)]
async fn a_page_that_may_not_read_says_so_and_what_is_tried_again_counts_once() {
    for (prefix, denied) in [
        ("comment#", &["an alert", "a decision", "a digest", "the desk", "a decision at the desk"][..]),
        ("window#", &["a digest"]),
        ("open", &["the desk"]),
        ("decided", &["the desk"]),
        // The desk shows the rest.
        ("missed", &[]),
        ("outbox", &["a decision", "a decision at the desk"]),
        ("sign-in#", &["a sign-in"]),
    ] {
        let logged = Logged::start();
        let system = with_alerts().await;
        let missed = MadeUp::new(9);
        for event in [missed.reported_event(1), missed.deleted_event(DeletedBy::Moderator)] {
            put(&system.world, Which::Predictions, "k", event).await;
        }
        assert_eq!(system.publish().await, smoothly());
        let digested = system.digest(MemoryTopic::new("digests"), time("10:06:00")).await.expect("a digest");
        assert_eq!(digested.digests, 1);
        let clock = system.world.clock();
        let pages = Pages::over(&system.faults.over(system.world.table()), clock, &system.uses);
        let [by_link, at_desk] =
            [0, 1].map(|number| (MadeUp::new(number).comment_key(), MadeUp::new(number).alert_id()));
        let key = |(comment, id)| AlertKey { comment, id };
        let (by_link, form) = (pages.link_to(&key(by_link)), pages.form(&key(at_desk), 0));
        let digest = pages.link(&Claim::Digest { start: time("10:00:00"), minutes: 5, position: 0 });
        let sign_in = pages.link(&Claim::SignIn { id: Uuid::from_u128(1), moderator: "ana".to_owned() });
        let ask = async || {
            [
                pages.get(&by_link).await,
                pages.post(&by_link, "moderator=ana&action=remove&after=0").await,
                pages.get(&digest).await,
                pages.get("/").await,
                pages.post("/decide", &form).await,
                pages.post(&sign_in, "").await,
            ]
        };
        let answered = [200, 303, 200, 200, 303, 303];
        system.faults.deny(prefix, DENIED_FOR);
        let answers = ask().await;
        for ((request, answer), status) in REQUESTS.iter().zip(&answers).zip(answered) {
            let status = if denied.contains(request) { 503 } else { status };
            assert_eq!(answer.status, status, "{prefix}, {request}: {}", answer.body);
        }
        assert_said(&logged, prefix);
        let shows_missed = |desk: &Response| desk.body.contains("Missed</dt><dd>1<");
        assert_eq!(shows_missed(&answers[3]), !["missed", "open", "decided", "comment#"].contains(&prefix), "{prefix}");
        clock.sleep(DENIED_FOR).await;
        // A link that was used is not burnt where nobody was told, and else leads the same browser alone.
        let answers = ask().await;
        for ((request, answer), status) in REQUESTS.iter().zip(&answers).zip(answered).take(5) {
            assert_eq!(answer.status, status, "{prefix}, {request}: {}", answer.body);
        }
        if denied.contains(&"a sign-in") {
            assert_eq!(answers[5].status, 303, "the link is not burnt");
        }
        assert!(shows_missed(&answers[3]), "{prefix}: {}", answers[3].body);
        assert_eq!(pages.stream.len(), 2, "{prefix}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_put_back_while_marks_or_records_may_not_be_read() {
    for prefix in ["quarantine/", "redriven#"] {
        let system = System::new(MemoryWorld::new(1, 100), &[]);
        install(&system.world, &model_files()).await;
        put(&system.world, Which::Comments, "bad", bad_comments(0).remove(0).data).await;
        assert_eq!(system.score().await, smoothly());
        let (clock, faults): (_, &Faults) = (system.world.clock(), &system.faults);
        let (table, bucket) = (faults.over(system.world.table()), faults.over(system.world.objects()));
        let (comments, predictions) = (system.world.stream(Which::Comments), system.world.stream(Which::Predictions));
        assert_eq!(comments.name(), "comments");
        let streams = Streams { comments, predictions };
        let options = Options { force: true, ..Options::default() };
        let soon = || clock.now() + Duration::from_secs(20);
        let run = async || redrive((&table, &bucket), &streams, &clock, soon(), &options).await;
        faults.deny(prefix, DENIED_FOR);
        assert!(run().await.is_err(), "{prefix}");
        assert_eq!(system.world.records(Which::Comments).await.len(), 1, "{prefix}");
        clock.sleep(DENIED_FOR).await;
        assert_eq!(run().await.expect("puts back").put_back, 1, "{prefix}");
        assert_eq!(run().await.expect("finds its mark").before, 1, "{prefix}");
        assert_eq!(Audit::of(&system.world).await.comments.len(), 2, "{prefix}");
    }
}
