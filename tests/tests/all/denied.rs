//! A bucket and a table that deny each prefix in turn, to each function: what may not be read is not missing. Nothing is published twice,
//! dropped or deleted, the log says what is denied, and when the denial ends all comes right.

use std::collections::BTreeMap;
use std::time::Duration;

use archive_comments::ArchiveComments;
use digest_alerts::{Config, DigestAlerts, DigestRules, Links};
use jiff::{SignedDuration, Timestamp};
use kinesis_batch::payload::{self, SourceRecord};
use modstream_decisions::{Case, Decisions, Log};
use modstream_desk::{Access, Request, Site, SiteSettings};
use modstream_events::Action;
use modstream_in_use::policies::PolicyStore;
use modstream_ledger::{Entry, Ledger, List};
use modstream_links::{Claim, Signer};
use modstream_platform::memory::{Filter, MemoryStream, MemoryTopic};
use modstream_platform::{Clock, Stream};
use modstream_policy::Policies;
use modstream_quarantine::redrive::{Options, Streams, redrive};
use modstream_tests::{
    Audit, Faults, MemoryWorld, Permitted, System, Which, World, bad_comments, bad_predictions, install, model_files,
};
use publish_alerts::Condition;
use uuid::Uuid;

use crate::logged::Logged;
use crate::{alerted, put, put_comment, put_corpus, put_prediction, scored, smoothly};

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
    for prefix in ["comment#", "policies/", "budget#", "breakers", "quarantine/"] {
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
            // Those that are sent come again, and new ones, and a bad one.
            for number in 0..8 {
                put_prediction(&system.world, number, if number % 2 == 0 { 0.9 } else { 0.6 }).await;
            }
            let bad = bad_predictions(0).remove(0);
            put(&system.world, Which::Predictions, "bad", bad.data).await;
            let drained = system.publish().await;
            assert_eq!(drained.given_up, 0, "{prefix}");
            let audit = alerted(&system, Condition::Probability(0.8)).await;
            assert_eq!(audit.alert_ids().len(), 4, "{prefix}");
            assert_eq!(audit.notices.len(), 4, "{prefix}: an alert is published twice");
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

#[tokio::test(start_paused = true)]
async fn each_alert_is_in_one_digest_that_is_sent_once_also_by_an_instance_that_lives_on() {
    for prefix in ["comment#", "made", "digests", "window#", "known#"] {
        // Denied before the window is closed, and after its digest was sent.
        for sent_before in [false, true] {
            let logged = Logged::start();
            let system = with_alerts().await;
            let topic = MemoryTopic::new("digests");
            let inbox = topic.subscribe(Filter::new());
            let config = Config::read(modstream_platform::environment::Environment::new(&|name| {
                let topic = "arn:aws:sns:us-east-1:000000000000:d";
                let known = [("DIGESTS_TOPIC_ARN", topic), ("BUCKET", "b"), ("TABLE", "t")];
                known.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            }));
            let clock = system.world.clock();
            let table = system.faults.over(system.world.table());
            let function = DigestAlerts::new(&config.expect("good"), topic, table, clock, Links::none()).expect("good");
            let run = async |due: &str| {
                let payload = format!(r#"{{"time":"{}"}}"#, time(due));
                let deadline = clock.now() + Duration::from_secs(20);
                function.handle(payload.as_bytes(), deadline, |_, _| DigestRules::default()).await
            };
            if sent_before {
                assert_eq!(run("10:06:00").await.expect("sends").alerts, 3);
            }
            system.faults.deny(prefix, DENIED_FOR);
            let mut is_asked = false;
            for due in ["10:06:00", "10:11:00"] {
                match run(due).await {
                    Ok(digested) => assert_eq!(digested.digests, 0, "{prefix}, {due}"),
                    Err(error) => {
                        assert!(error.to_string().contains("dynamodb:"), "{error}");
                        is_asked = true;
                    }
                }
            }
            assert!(is_asked || sent_before, "{prefix}");
            if is_asked {
                assert_said(&logged, prefix);
            }
            tokio::time::sleep(DENIED_FOR).await;
            for due in ["10:06:00", "10:11:00", "10:16:00"] {
                run(due).await.expect("runs");
            }
            let subjects: Vec<_> = std::iter::from_fn(|| inbox.try_receive()).filter_map(|it| it.subject).collect();
            assert_eq!(subjects.len(), 1, "{prefix}, {sent_before}: {subjects:?}");
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

#[tokio::test(start_paused = true)]
async fn a_page_that_may_not_read_says_so_and_what_is_tried_again_counts_once() {
    for prefix in ["comment#", "outbox", "sign-in#"] {
        let logged = Logged::start();
        let system = with_alerts().await;
        let clock = system.world.clock();
        let stream = MemoryStream::new("decisions", 1, clock);
        let desk = Some(Access::SignedLink);
        let settings = SiteSettings { links: true, desk, forum: "https://forum.example".to_owned() };
        let table = Permitted::of("pages", system.faults.over(system.world.table()));
        let site = Site::new(table, stream.clone(), clock, settings);
        let signer = Signer::new(&[7; 32], None).expect("a key");
        let key = first_alert(&system.world).await.key;
        let id: Uuid = key.id.parse().expect("a UUID");
        let expires = clock.now() + SignedDuration::from_hours(1);
        let link = |claim| signer.link("", &claim, expires).expect("a link");
        let alert = link(Claim::to_alert(&key, Action::Remove).expect("UUIDs"));
        let sign_in = link(Claim::SignIn { id, moderator: "ana".to_owned() });
        let post = async |path: &str, body: &str| {
            let form = ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
            let request = Request {
                method: "POST".to_owned(),
                path: path.to_owned(),
                headers: BTreeMap::from([form]),
                body: body.into(),
                ..Request::default()
            };
            site.answer(&request, &signer, clock.now() + Duration::from_secs(20)).await.status
        };
        let decide = async || post(&alert, "moderator=ana&action=remove&after=0").await;
        system.faults.deny(prefix, DENIED_FOR);
        let (decided, signed_in) = (decide().await, post(&sign_in, "").await);
        let (decided_503, signed_in_503) = (prefix != "sign-in#", prefix == "sign-in#");
        assert_eq!((decided == 503, signed_in == 503), (decided_503, signed_in_503), "{prefix}: {decided} {signed_in}");
        assert_said(&logged, prefix);
        clock.sleep(DENIED_FOR).await;
        assert_eq!(decide().await, 303, "{prefix}");
        if signed_in_503 {
            assert_eq!(post(&sign_in, "").await, 303, "the link is not burnt");
        }
        assert_eq!(stream.len(), 1, "{prefix}");
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
