//! A person asks to be forgotten.

use archive_comments::ArchiveComments;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use modstream_archive::{Content, Reader, decode};
use modstream_forget::{Area, Mode, Person, Progress, forget};
use modstream_platform::Clock;
use modstream_platform::Objects;
use modstream_platform::memory::{Config, EventSource, FunctionError};
use modstream_tests::{MemoryWorld, System, Which, World, install, model_files, samples_file};
use serde_json::Value;

use crate::{key, put, put_corpus, smoothly};

/// Has seven of the sample comments.
const AUTHOR: &str = "gneiss_try_mate";
/// All sample comments, once.
const ALL: &str = r#"{"id":"e-1","time":"2026-01-05T10:00:00Z","comments":420,"offset":0}"#;

/// A system that has run for a while: comments, good and bad, archived, scored, alerted, and some batches given up.
async fn run() -> System<MemoryWorld> {
    let world = MemoryWorld::new(2, 50);
    install(&world, &model_files()).await;
    put_corpus(&world, &samples_file()).await;
    let system = System::new(world, &[("POLICY", "0")]);
    system.generate(ALL, "request-1").await.expect("generates");
    let no_body = format!(
        r#"{{"specversion":"1.0","id":"e-9","source":"s","type":"modstream.comment.v1","time":"2026-01-05T10:00:00Z","data":{{"id":"b1","author":"{AUTHOR}"}}}}"#
    );
    let no_json = format!("half a dump: {{\"author\":\"{AUTHOR}\",\"body\":\"and so");
    for (number, data) in [no_body, no_json].into_iter().enumerate() {
        put(&system.world, Which::Comments, &key(number), data.into_bytes()).await;
    }
    archive(&system.world).await;
    assert_eq!(system.score().await, smoothly());
    // Twice, as after a failure: what is quarantined overwrites itself.
    system.redeploy();
    assert_eq!(system.score().await, smoothly());
    assert_eq!(system.publish().await, smoothly());
    let config = Config {
        max_retry_attempts: Some(0),
        on_failure: Some(system.world.objects()),
        ..Config::for_function("down")
    };
    let source = EventSource::new(system.world.stream(Which::Predictions), system.world.clock(), config);
    source.run(|_| async { Err(FunctionError("down".to_owned())) }, std::future::ready(())).await;
    system
}

async fn archive(world: &MemoryWorld) {
    let (objects, clock) = (world.objects(), world.clock());
    let function = ArchiveComments::new(objects, clock);
    let batch = async |payload: Vec<u8>| {
        let deadline = clock.now() + std::time::Duration::from_secs(20);
        let response = function.handle(&payload, deadline).await.map_err(|error| error.to_string())?;
        Ok(serde_json::to_vec(&response).expect("a response has a JSON form"))
    };
    assert_eq!(world.run(Which::Comments, batch, std::future::ready(())).await, smoothly());
}

/// What the sample comments of this author say and nobody else's do, as it stands in JSON.
fn bodies() -> Vec<String> {
    let samples = String::from_utf8(samples_file()).expect("text");
    let comments: Vec<Value> = samples.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let (own, others): (Vec<&Value>, Vec<&Value>) = comments.iter().partition(|comment| comment["author"] == AUTHOR);
    let own = own.iter().map(|comment| comment["body"].to_string().trim_matches('"').to_owned());
    let own: Vec<String> = own.filter(|body| others.iter().all(|it| !it["body"].to_string().contains(body))).collect();
    assert!(own.len() >= 5);
    own
}

/// Every version of every object and every item, archives unpacked and base64 decoded; not the corpus, which is the operator's own file.
async fn everything(world: &MemoryWorld) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for key in world.objects().list("").await.expect("lists") {
        for bytes in world.versions(&key).await.into_iter().filter(|_| !key.starts_with("corpus/")) {
            let mut text = match decode(&bytes) {
                Ok((header, records)) => records.iter().fold(header.sha256, |text, record| match &record.content {
                    Content::Data(data) => format!("{text}\n{}", String::from_utf8_lossy(data)),
                    Content::Forgotten(_) => text,
                }),
                Err(_) => String::from_utf8_lossy(&bytes).into_owned(),
            };
            let decoded: Vec<String> = text
                .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')))
                .filter_map(|word| STANDARD.decode(word).ok())
                .map(|data| String::from_utf8_lossy(&data).into_owned())
                .collect();
            text.extend(decoded);
            all.push((key.clone(), text));
        }
    }
    for item in world.table().items() {
        let event = item.bytes("event").and_then(|packed| modstream_ledger::unpack(packed).ok()).unwrap_or_default();
        let text = format!("{item:?} {}", String::from_utf8_lossy(&event));
        all.push((format!("ledger {}", item.key.sort), text));
    }
    all
}

#[tokio::test(start_paused = true)]
async fn no_version_of_any_object_holds_a_forgotten_persons_name_or_text_and_the_system_goes_on() {
    let system = run().await;
    let world = &system.world;
    let traces = [vec![AUTHOR.to_owned()], bodies()].concat();
    let holds = |text: &str| traces.iter().any(|trace| text.contains(trace.as_str()));
    let before = everything(world).await;
    for place in [Area::Archive, Area::Quarantine, Area::Ledger, Area::GivenUp] {
        let found = before.iter().any(|(key, text)| key.starts_with(place.prefix()) && holds(text));
        assert!(found, "the test has nothing to forget in {place:?}");
    }

    let (table, objects, clock) = (world.table(), world.objects(), world.clock());
    let person = Person::Author(AUTHOR.to_owned());
    let done =
        forget((&table, &objects), &clock, &person, Mode::Remove, &mut Progress::default()).await.expect("removes");
    assert!(done.unclear.is_empty(), "{:?}", done.unclear);
    let records = done.places.iter().map(|(place, counts)| (*place, counts.records)).collect::<Vec<_>>();
    // What was scored twice was also given up twice.
    let expected = [(Area::Archive, 9), (Area::Quarantine, 2), (Area::Ledger, 7), (Area::GivenUp, 14)];
    assert_eq!(records, expected);
    for (key, text) in everything(world).await {
        assert!(!holds(&text), "{key}: {text}");
    }

    // Whoever reads the archive finds everybody else.
    let mut reader = Reader::open(&objects, &clock, "comments", Timestamp::MIN, Timestamp::MAX).await.expect("lists");
    let (mut kept, mut forgotten) = (0, 0);
    while let Some(stored) = reader.next().await.expect("reads") {
        match stored.record.content {
            Content::Data(_) => kept += 1,
            Content::Forgotten(_) => forgotten += 1,
        }
    }
    assert_eq!((kept, forgotten, reader.unreadable().len()), (413, 9, 0));

    // A batch that comes again alerts nobody again.
    let notices = world.notices().await.len();
    assert_eq!(system.publish().await, smoothly());
    assert_eq!(world.notices().await.len(), notices);
}
