//! Harm, over the whole way from comments to the queue, with the shipped models.

use std::time::Duration;

use modstream_events::{Alert, Comment, Event, Severity};
use modstream_ledger::Ledger;
use modstream_platform::{Clock, Condition, Objects, PutRecord, Stream};
use modstream_tests::{
    HARM_MODEL_NAME, MemoryWorld, System, Which, World, event_of, harm_files, install, install_as, model_files,
};

use crate::logged::Logged;
use crate::smoothly;

const THREAT: &str = "I will find where you live and hurt you.";
const VERMIN: &str = "exterminate them, they are vermin";
/// What moderators of r/science would surely remove, and nobody need hurry about.
const JOKES: [&str; 3] = [
    "So I too reverse my age every year, on my dating profile",
    "lmao you think you can reason with these people",
    "finding... you know who. someone had to",
];
/// What neither model takes for anything to look at: the one of removals knows no comment as short, the other no harm in it.
const SHORT: [&str; 5] = ["ok", "Yes.", "12", "I agree.", "lol"];
/// What is as short, and a threat all the same.
const SHORT_THREAT: &str = "I will kill you";

/// A world with both models, and functions that score with both.
async fn system() -> System<MemoryWorld> {
    let system = System::new(MemoryWorld::new(2, 100), &[("POLICY", "0.7"), ("HARM_MODEL_NAME", HARM_MODEL_NAME)]);
    install(&system.world, &model_files()).await;
    install_as(&system.world, &harm_files(), HARM_MODEL_NAME).await;
    system
}

async fn put(world: &MemoryWorld, bodies: impl IntoIterator<Item = &str>) {
    let records: Vec<PutRecord> = bodies
        .into_iter()
        .enumerate()
        .map(|(number, body)| {
            let comment = Comment {
                id: Some(format!("c{number}").into()),
                subreddit: Some("science".into()),
                body: Some(body.to_owned().into()),
                ..Comment::default()
            };
            PutRecord { partition_key: format!("c{number}"), data: event_of(number, comment) }
        })
        .collect();
    world.stream(Which::Comments).put_records(&records).await.expect("the stream takes it");
}

/// The alerts that wait, in order: what was said, how urgent it is, and what models say of it.
async fn queue(world: &MemoryWorld) -> Vec<(String, Severity, Vec<String>)> {
    let (table, clock) = (world.table(), world.clock());
    let ledger = Ledger::new(&table, &clock, clock.now() + Duration::from_secs(60));
    let mut found = Vec::new();
    for waiting in ledger.waiting(None).await.expect("answers").found {
        let entry = ledger.entry(&waiting.key).await.expect("answers").expect("it is there");
        let event: Event<'_, Alert<'_>> = Event::decode(&entry.event).expect("an alert");
        let said = event.data.said();
        found.push((event.data.comment.body.expect("a text").into_owned(), entry.severity, said));
    }
    found
}

#[tokio::test(start_paused = true)]
async fn among_fifty_comments_a_threat_is_first_and_a_joke_is_never_urgent() {
    let system = system().await;
    let jokes = (0..42).map(|number| JOKES[number % JOKES.len()]);
    put(&system.world, jokes.chain(SHORT).chain([THREAT, SHORT_THREAT, VERMIN])).await;
    assert_eq!(system.score().await, smoothly());
    assert_eq!(system.publish().await, smoothly());
    let queue = queue(&system.world).await;
    let (threats, rest) = queue.split_at(2);
    let said = |text: &str, says: &[&str]| {
        (text.to_owned(), Severity::High, says.iter().map(|says| (*says).to_owned()).collect::<Vec<String>>())
    };
    let wanted = [
        said(SHORT_THREAT, &["threat .99", "toxic .99"]),
        said(THREAT, &["threat .54", "this community would likely remove it .75"]),
    ];
    assert_eq!(threats, wanted);
    assert_eq!(rest.len(), 42, "the jokes are likely to be removed, and so alert");
    assert!(rest.iter().all(|(_, severity, _)| *severity == Severity::Low), "{rest:?}");
    // The model of harm knows no such sentence, and r/science would keep it: this is what it gets, not what it should.
    assert!(queue.iter().all(|(body, _, _)| body != VERMIN && !SHORT.contains(&body.as_str())));
}

#[tokio::test(start_paused = true)]
async fn without_the_harm_model_alerts_are_what_they_were() {
    let system = System::new(MemoryWorld::new(2, 100), &[("POLICY", "0.7")]);
    install(&system.world, &model_files()).await;
    put(&system.world, ["ok", JOKES[0], THREAT]).await;
    assert_eq!(system.score().await, smoothly());
    assert_eq!(system.publish().await, smoothly());
    let found = queue(&system.world).await;
    let found: Vec<(&str, Severity, usize)> =
        found.iter().map(|(body, severity, said)| (body.as_str(), *severity, said.len())).collect();
    assert_eq!(found, [(JOKES[0], Severity::High, 0), (THREAT, Severity::Medium, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_harm_model_that_is_missing_or_refused_is_said_in_the_log_and_stops_nothing() {
    for (spoil, said) in [
        (None, "event=\"harm_model_missing\" name=\"harm\""),
        (Some("current.json"), "event=\"harm_model_refused\" cause=\"models/harm/current.json is no pointer"),
    ] {
        let system = System::new(MemoryWorld::new(1, 100), &[("HARM_MODEL_NAME", HARM_MODEL_NAME)]);
        install(&system.world, &model_files()).await;
        if let Some(file) = spoil {
            install_as(&system.world, &harm_files(), HARM_MODEL_NAME).await;
            let key = format!("models/{HARM_MODEL_NAME}/{file}");
            let garbage = b"no pointer".to_vec().into();
            system.world.objects().put(&key, garbage, Condition::Always).await.expect("the bucket takes it");
        }
        let log = Logged::start();
        for _ in 0..3 {
            put(&system.world, ["ok", THREAT]).await;
            assert_eq!(system.score().await, smoothly());
        }
        let text = log.text();
        assert_eq!(text.matches(said).count(), 1, "{text}");
    }
}
