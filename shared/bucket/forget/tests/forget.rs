//! A bucket with texts of two people, and one of them wants theirs gone.

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use modstream_archive::{ArchivedRecord, Content, decode, encode};
use modstream_events::{
    Alert, Comment, Event, EventRef, ModelRef, OperatingPoint, PolicyRef, Prediction, Severity, Term,
};
use modstream_forget::{Area, Counts, ForgetError, Mode, Person, Progress, Summary};
use modstream_ledger::{AlertKey, Entry, Ledger, SCHEMA};
use modstream_platform::memory::{MemoryClock, MemoryObjects, MemoryTable};
use modstream_platform::{
    Bytes, CallError, CallErrorKind, Condition, ETag, Fetched, Objects, VersionCursor, VersionPage, VersionedObjects,
    Written,
};
use serde_json::{Value, json};

const BOB: &str = "bob_1984";
const TEXT: &str = "my own story";
const EVE: &str = "eve_2001";
const SHARD: &str = "shardId-000000000000";
const QUARANTINED: &str = "quarantine/comments/shardId-000000000000/7.json";
const NO_JSON: &str = "quarantine/comments/shardId-000000000000/8.json";
const GIVEN_UP: &str = "aws/lambda/b3a7/shardId-000000000000/2026/01/05/2026-01-05T10.00.00-x.json";

/// A run from the beginning.
async fn forget<O: VersionedObjects>(
    from: (&MemoryTable, &O),
    clock: &MemoryClock,
    person: &Person,
    mode: Mode,
) -> Result<Summary, ForgetError> {
    modstream_forget::forget(from, clock, person, mode, &mut Progress::default()).await
}

fn clock() -> MemoryClock {
    MemoryClock::starting_at("2026-01-06T09:00:00Z".parse::<Timestamp>().expect("a time"))
}

fn comment(id: &str, author: &str, body: &str) -> Value {
    json!({ "id": id, "author": author, "body": body, "subreddit": "science", "permalink": format!("/u/{author}/{id}") })
}

fn event(id: &str, author: &str, body: &str) -> String {
    json!({ "specversion": "1.0", "type": "modstream.comment.v1", "data": comment(id, author, body) }).to_string()
}

fn prediction(id: &str, author: &str, body: &str) -> String {
    json!({ "type": "modstream.prediction.v1", "data": { "comment": comment(id, author, body) } }).to_string()
}

fn record(number: u64, key: &str, data: &str) -> ArchivedRecord {
    ArchivedRecord {
        sequence_number: number.to_string(),
        partition_key: key.to_owned(),
        arrived: "2026-01-05T10:00:00Z".parse().expect("a time"),
        content: Content::Data(data.into()),
    }
}

fn quarantined(key: &str, payload: &str) -> Vec<u8> {
    let origin = json!({ "stream": "comments", "shard_id": SHARD, "sequence_number": "7", "partition_key": key });
    let data =
        json!({ "origin": origin, "reason": "missing_body", "detail": "no body", "payload": STANDARD.encode(payload) });
    json!({ "type": "modstream.quarantined.v1", "data": data }).to_string().into_bytes()
}

fn alert(id: &str, comment: &Value) -> Event<'static, Alert<'static>> {
    let time = "2026-01-05T10:00:00Z".parse().expect("a time");
    let comment = comment.to_string();
    let comment: Comment<'_> = serde_json::from_str(&comment).expect("a comment");
    let comment = comment.into_owned();
    let prediction = Prediction {
        comment_event: EventRef { source: "urn:example:forum".into(), id: format!("e-{id}").into(), time },
        comment,
        version: None,
        probability: 0.851_234_567_890_123_4,
        log_odds: 1.0,
        intercept: 0.0,
        terms: vec![Term { term: "story".into(), contribution: 1.5 }],
        other: 0.0,
        model: ModelRef { name: "m".into(), version: "f".into() },
        operating_point: OperatingPoint { precision: 0.8, recall: 0.3, share: 0.1, base_rate: 0.3 },
        labels: None,
        harm_model: None,
        harm_support: None,
        not_judged: None,
        support: None,
    };
    let policy = PolicyRef { name: "default".into(), condition: "0.5".into() };
    Event::new(
        id.to_owned(),
        "urn:modstream:publish-alerts",
        time,
        Alert::new(prediction, "p-1".into(), Severity::High, policy),
    )
}

/// The alerts that the table has, by id.
fn alerts(table: &MemoryTable) -> Vec<Entry> {
    let items = table.items().into_iter().filter(|item| item.key.sort.starts_with("alert#"));
    let mut alerts: Vec<Entry> = items.map(|item| Entry::of_item(&item).expect("an alert")).collect();
    alerts.sort_by(|one, other| one.key.id.cmp(&other.key.id));
    alerts
}

async fn table() -> MemoryTable {
    let clock = clock();
    let table = MemoryTable::new("table", SCHEMA, clock);
    let ledger = Ledger::new(&table, &clock, Timestamp::MAX);
    for alert in [
        alert("a-1", &comment("k1", BOB, TEXT)),
        alert("a-2", &comment("k2", EVE, "a second text")),
        alert("a-3", &comment("k6", BOB, &format!("an earlier {TEXT}"))),
    ] {
        let key = AlertKey::of_alert(&alert);
        ledger.request(&key, &alert, &alert.encode(), None).await.expect("made");
        if alert.id == "a-1" {
            ledger.sent(&key, "m-1").await.expect("recorded");
        }
        if alert.id == "a-3" {
            ledger.supersede(&key, "e-4").await.expect("recorded");
        }
    }
    table
}

fn given_up() -> Vec<u8> {
    let kinesis = |key: &str, data: &str| json!({ "kinesis": { "partitionKey": key, "sequenceNumber": "7", "data": STANDARD.encode(data) }, "eventID": "e" });
    let payload = json!({ "Records": [kinesis("k1", &prediction("k1", BOB, TEXT)), kinesis("k2", &prediction("k2", EVE, "hm"))] });
    json!({ "version": "1.0", "KinesisBatchInfo": { "batchSize": 2 }, "payload": payload.to_string() })
        .to_string()
        .into_bytes()
}

fn archive_object() -> (String, Vec<u8>) {
    let records = [
        record(7, "k1", &event("k1", BOB, TEXT)),
        record(8, "k2", &event("k2", EVE, "a second text")),
        record(9, "k3", &format!("no JSON: \"{BOB}\" {TEXT}")),
        record(10, "k4", &event("k4", EVE, &format!("{BOB} is right"))),
    ];
    let (key, bytes) = encode("comments", SHARD, &records).expect("an object");
    (key.to_string(), bytes)
}

async fn put(objects: &MemoryObjects, key: &str, bytes: Vec<u8>) {
    let written = objects.put(key, bytes.into(), Condition::Always).await.expect("put");
    assert!(matches!(written, Written::Done(_)));
}

async fn bucket() -> MemoryObjects {
    let objects = MemoryObjects::new();
    let (key, bytes) = archive_object();
    put(&objects, &key, bytes).await;
    // A repeat overwrites itself.
    for _ in 0..2 {
        put(&objects, QUARANTINED, quarantined("k1", &event("k1", BOB, TEXT))).await;
    }
    put(&objects, NO_JSON, quarantined("k5", &format!("\u{1}\"{BOB}\": {TEXT}"))).await;
    put(&objects, "quarantine/comments/unsent/e-9.json", quarantined("k9", &event("k9", EVE, "hm"))).await;
    put(&objects, GIVEN_UP, given_up()).await;
    put(&objects, "aws/lambda/async/f/1.json", br#"{"version":"1.0","requestPayload":{"id":"s-1"}}"#.to_vec()).await;
    put(&objects, "corpus/comments.jsonl", comment("k1", BOB, TEXT).to_string().into_bytes()).await;
    objects
}

/// All contents of all versions, unpacked; base64 decoded.
async fn everything(table: &MemoryTable, objects: &MemoryObjects) -> Vec<(String, String)> {
    let text = |entry: Entry| (entry.key.id, String::from_utf8_lossy(&entry.event).into_owned());
    let mut all: Vec<(String, String)> = alerts(table).into_iter().map(text).collect();
    for key in objects.list("").await.expect("lists").into_iter().filter(|key| !key.starts_with("corpus/")) {
        for bytes in objects.versions(&key) {
            match decode(&bytes) {
                Ok((_, records)) => all.extend(records.iter().map(|record| {
                    let data = match &record.content {
                        Content::Data(data) => String::from_utf8_lossy(data).into_owned(),
                        Content::Forgotten(_) => String::new(),
                    };
                    (key.clone(), format!("{} {data}", record.partition_key))
                })),
                Err(_) => all.push((key.clone(), unfolded(&String::from_utf8_lossy(&bytes)))),
            }
        }
    }
    all
}

/// The text, and behind it what of it is base64.
fn unfolded(text: &str) -> String {
    let mut unfolded = text.to_owned();
    for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='))) {
        if let Ok(data) = STANDARD.decode(word) {
            unfolded.push_str(&String::from_utf8_lossy(&data));
        }
    }
    unfolded
}

fn bob() -> Person {
    Person::Author(BOB.to_owned())
}

fn counts(objects: u64, records: u64, versions: u64) -> Counts {
    Counts { objects, records, versions }
}

async fn json_at(objects: &MemoryObjects, key: &str) -> Value {
    let Ok(Fetched::Object { bytes, .. }) = objects.get(key, None).await else { panic!("{key} is there") };
    serde_json::from_slice(&bytes).expect("JSON")
}

fn assert_gone(all: &[(String, String)]) {
    for (key, content) in all {
        assert!(!content.contains(TEXT), "{key}: {content}");
        // Eve wrote about him.
        assert!(!content.contains(BOB) || content.contains(EVE), "{key}: {content}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_said_of_a_comment_is_gone_with_it() {
    let (table, objects, clock) = (table().await, MemoryObjects::new(), clock());
    let said = |id: &str| {
        let data = json!({ "id": id, "body": TEXT, "attribute": "TOXICITY", "score": 1.0, "removed": true });
        json!({ "id": "f", "type": "modstream.feedback.v1", "time": "2026-01-05T10:00:00Z", "data": data })
    };
    for (key, id) in [("feedback/a.json", "k1"), ("feedback/b.json", "k2")] {
        objects.put(key, said(id).to_string().into_bytes().into(), Condition::Always).await.expect("written");
    }
    let person = Person::Comment("k1".to_owned());
    for (run, records) in [(1, 1), (2, 0)] {
        let done = forget((&table, &objects), &clock, &person, Mode::Remove).await.expect("removes");
        let found = done.places.get(&Area::Feedback).map_or(0, |counts| counts.records);
        assert!(found == records && done.unclear.is_empty(), "run {run}: {done:?}");
    }
    let gone = json_at(&objects, "feedback/a.json").await;
    assert!(
        gone["data"]["forgotten"].is_string() && gone["data"].as_object().map(serde_json::Map::len) == Some(1),
        "{gone}"
    );
    assert_eq!(json_at(&objects, "feedback/b.json").await, said("k2"));
}

#[tokio::test(start_paused = true)]
async fn an_authors_text_is_gone_from_every_version_and_the_rest_stays() {
    let (table, objects, clock) = (table().await, bucket().await, clock());
    let before = everything(&table, &objects).await;
    assert!(before.iter().filter(|(_, content)| content.contains(TEXT)).count() >= 7);

    let planned = forget((&table, &objects), &clock, &bob(), Mode::DryRun).await.expect("reads");
    assert_eq!(everything(&table, &objects).await, before);
    let done = forget((&table, &objects), &clock, &bob(), Mode::Remove).await.expect("removes");
    assert_eq!(planned, Summary { looked_at: planned.looked_at, ..done.clone() });
    assert_eq!(
        done.places.into_iter().collect::<Vec<_>>(),
        [
            (Area::Archive, counts(1, 2, 1)),
            (Area::Quarantine, counts(2, 2, 3)),
            (Area::Ledger, counts(2, 2, 0)),
            (Area::GivenUp, counts(1, 1, 1)),
        ]
    );
    assert!(done.unclear.is_empty());
    assert_gone(&everything(&table, &objects).await);

    let (key, _) = archive_object();
    let [archived] = &objects.versions(&key)[..] else { panic!("one version") };
    let (header, records) = decode(archived).expect("the checksum is right");
    assert_eq!((header.records, header.first.as_str(), header.last.as_str()), (4, "7", "10"));
    let now = "2026-01-06T09:00:00Z".parse().expect("a time");
    assert_eq!(records[0].content, Content::Forgotten(now));
    assert_eq!((records[0].sequence_number.as_str(), records[0].partition_key.as_str()), ("7", ""));
    assert_eq!(records[1], record(8, "k2", &event("k2", EVE, "a second text")));
    assert_eq!(records[3], record(10, "k4", &event("k4", EVE, &format!("{BOB} is right"))));

    let entry = &json_at(&objects, QUARANTINED).await["data"];
    assert_eq!((&entry["payload"], &entry["origin"]["partition_key"]), (&json!(""), &json!("")));
    assert_eq!((&entry["reason"], &entry["origin"]["sequence_number"]), (&json!("missing_body"), &json!("7")));

    let entry = alerts(&table).remove(0);
    let event: Value = serde_json::from_slice(&entry.event).expect("JSON");
    assert_eq!(event["data"]["comment"], json!({ "id": "k1", "subreddit": "science" }));
    assert_eq!((&event["id"], &event["data"]["terms"]), (&json!("a-1"), &json!([])));
    let was = serde_json::to_value(alert("a-1", &comment("k1", BOB, TEXT))).expect("JSON");
    for field in ["prediction_id", "probability", "severity", "policy", "model"] {
        assert_eq!(event["data"][field], was["data"][field], "{field}");
    }
    assert!(matches!(entry.fate, modstream_ledger::Fate::Sent(_)), "it is not sent again");

    let batch = json_at(&objects, GIVEN_UP).await;
    let payload: Value = serde_json::from_str(batch["payload"].as_str().expect("text")).expect("JSON");
    let was: Value = serde_json::from_slice(&given_up()).expect("JSON");
    let was: Value = serde_json::from_str(was["payload"].as_str().expect("text")).expect("JSON");
    assert_eq!(payload["Records"][1], was["Records"][1]);
    assert_eq!(payload["Records"][0]["kinesis"], json!({ "partitionKey": "", "sequenceNumber": "7", "data": "" }));
    assert_eq!(batch["KinesisBatchInfo"]["batchSize"], 2);

    let again = forget((&table, &objects), &clock, &bob(), Mode::Remove).await.expect("reads");
    assert!(again.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_comment_is_forgotten_by_its_id_or_partition_key_and_others_of_its_author_stay() {
    let (table, objects, clock) = (table().await, bucket().await, clock());
    let done =
        forget((&table, &objects), &clock, &Person::Comment("k3".to_owned()), Mode::Remove).await.expect("removes");
    assert_eq!(done.places.into_iter().collect::<Vec<_>>(), [(Area::Archive, counts(1, 1, 1))]);
    let done =
        forget((&table, &objects), &clock, &Person::Comment("k1".to_owned()), Mode::Remove).await.expect("removes");
    assert_eq!(done.places.len(), 4);
    assert!(everything(&table, &objects).await.iter().any(|(key, content)| key == NO_JSON && content.contains(TEXT)));
    // The ledger keeps the id, and that is not found as text.
    let again =
        forget((&table, &objects), &clock, &Person::Comment("k1".to_owned()), Mode::Remove).await.expect("reads");
    assert!(again.is_empty(), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_match_nothing_is_written() {
    let (table, objects, clock) = (table().await, bucket().await, clock());
    let (versions, items) = (objects.list_versions("", None).await.expect("lists").versions, table.items());
    for person in [Person::Author("BOB_1984".to_owned()), Person::Comment("k".to_owned())] {
        let summary = forget((&table, &objects), &clock, &person, Mode::Remove).await.expect("reads");
        assert!(summary.is_empty() && summary.unclear.is_empty() && summary.looked_at > 6, "{summary:?}");
    }
    assert_eq!((objects.list_versions("", None).await.expect("lists").versions, table.items()), (versions, items));
}

#[tokio::test(start_paused = true)]
async fn what_has_another_form_is_named_and_left() {
    let (table, objects, clock) = (table().await, bucket().await, clock());
    let strange = format!(r#"{{"author":"{BOB}"}}"#).into_bytes();
    let keys = [
        "archive/comments/2026-01-05T10/shardId-000000000000/1-2-b598b3a6.jsonl.zst",
        "archive/notes.json",
        "aws/lambda/x.json",
        "quarantine/x.json",
    ];
    for key in keys {
        put(&objects, key, strange.clone()).await;
    }
    let summary = forget((&table, &objects), &clock, &bob(), Mode::Remove).await.expect("removes the rest");
    let mut named: Vec<&str> = summary.unclear.iter().map(|unclear| unclear.key.as_str()).collect();
    named.sort_unstable();
    assert_eq!(named, keys);
    for key in keys {
        assert_eq!(objects.versions(key), std::slice::from_ref(&strange));
    }
}

/// A page of two versions, so that a key's versions stand on several.
async fn in_small_pages(
    objects: &MemoryObjects,
    prefix: &str,
    after: Option<&VersionCursor>,
) -> Result<VersionPage, CallError> {
    let mut page = objects.list_versions(prefix, after).await?;
    if page.versions.len() > 2 {
        page.versions.truncate(2);
        let last = &page.versions[1];
        page.next = Some(VersionCursor { key: last.key.clone(), version_id: Some(last.version_id.clone()) });
    }
    Ok(page)
}

/// A bucket whose calls fail from the `budget`-th on, or whose answers get lost.
struct Failing {
    inner: MemoryObjects,
    calls: AtomicUsize,
    budget: usize,
    /// Whether the first call that fails was done all the same.
    is_done: bool,
}

impl Failing {
    /// Whether the call reaches the bucket, and whether its answer comes back.
    fn next(&self) -> (bool, bool) {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        (call < self.budget || (self.is_done && call == self.budget), call < self.budget)
    }

    fn error() -> CallError {
        // An operator's fault ends the work at once.
        CallError { service: "s3", operation: "Any", kind: CallErrorKind::Denied, message: "no".to_owned() }
    }
}

impl Objects for Failing {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        self.inner.get(key, unless).await
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        let (reaches, answers) = self.next();
        if reaches {
            let written = self.inner.put(key, bytes, condition).await?;
            if answers {
                return Ok(written);
            }
        }
        Err(Self::error())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        self.inner.list(prefix).await
    }
}

impl VersionedObjects for Failing {
    async fn list_versions(&self, prefix: &str, after: Option<&VersionCursor>) -> Result<VersionPage, CallError> {
        if self.next().1 { in_small_pages(&self.inner, prefix, after).await } else { Err(Self::error()) }
    }

    async fn get_version(&self, key: &str, version_id: &str) -> Result<Option<Vec<u8>>, CallError> {
        if self.next().1 { self.inner.get_version(key, version_id).await } else { Err(Self::error()) }
    }

    async fn delete_version(&self, key: &str, version_id: &str) -> Result<(), CallError> {
        let (reaches, answers) = self.next();
        if reaches {
            self.inner.delete_version(key, version_id).await?;
        }
        if answers { Ok(()) } else { Err(Self::error()) }
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_anywhere_loses_nobody_elses_text_and_another_run_finishes() {
    let clock = clock();
    let eves = |all: &[(String, String)]| -> Vec<String> {
        let mut lines: Vec<String> = all.iter().map(|(key, _)| key.clone()).collect();
        lines.extend(all.iter().filter(|(_, content)| content.contains("a second text")).map(|(_, text)| text.clone()));
        lines.sort_unstable();
        lines.dedup();
        lines
    };
    let whole = eves(&everything(&table().await, &bucket().await).await);
    for is_done in [false, true] {
        let mut ended = false;
        for budget in 0.. {
            let (table, inner) = (table().await, bucket().await);
            let failing = Failing { inner: inner.clone(), calls: AtomicUsize::new(0), budget, is_done };
            let mut progress = Progress::default();
            let crashed =
                modstream_forget::forget((&table, &failing), &clock, &bob(), Mode::Remove, &mut progress).await;
            assert_eq!(eves(&everything(&table, &inner).await), whole, "after call {budget}");
            ended = crashed.is_ok();
            if ended {
                break;
            }
            // From the beginning, and from where it had come to.
            if budget % 2 == 0 {
                progress = Progress::default();
            }
            modstream_forget::forget((&table, &inner), &clock, &bob(), Mode::Remove, &mut progress)
                .await
                .expect("finishes");
            assert_gone(&everything(&table, &inner).await);
        }
        assert!(ended);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_goes_on_reads_nothing_before_where_it_had_come_to() {
    let (table, inner, clock) = (table().await, bucket().await, clock());
    let run = async |progress: &mut Progress| {
        modstream_forget::forget((&table, &inner), &clock, &bob(), Mode::DryRun, progress).await.expect("reads")
    };
    let mut progress = Progress::default();
    let whole = run(&mut progress).await;
    assert_eq!(progress.up_to.as_deref(), Some(GIVEN_UP), "the last key of all");
    let rest = run(&mut progress).await;
    assert!(rest.is_empty() && rest.looked_at == 0, "{rest:?}");
    let behind = run(&mut Progress { up_to: Some(QUARANTINED.to_owned()) }).await;
    assert!(behind.looked_at > 0 && behind.looked_at < whole.looked_at, "{behind:?}");
    assert!(!behind.places.contains_key(&Area::Archive) && behind.places.contains_key(&Area::GivenUp), "{behind:?}");
}

/// A bucket where somebody writes the quarantine object anew before each conditional write of it.
struct Contended {
    inner: MemoryObjects,
    writes: AtomicUsize,
}

impl Objects for Contended {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        self.inner.get(key, unless).await
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        let left = self.writes.load(Ordering::Relaxed);
        if key == QUARANTINED && left > 0 {
            self.writes.store(left - 1, Ordering::Relaxed);
            let text = format!("{TEXT}, version {left}");
            self.inner.put(key, quarantined("k1", &event("k1", BOB, &text)).into(), Condition::Always).await?;
        }
        self.inner.put(key, bytes, condition).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        self.inner.list(prefix).await
    }
}

impl VersionedObjects for Contended {
    async fn list_versions(&self, prefix: &str, after: Option<&VersionCursor>) -> Result<VersionPage, CallError> {
        in_small_pages(&self.inner, prefix, after).await
    }

    async fn get_version(&self, key: &str, version_id: &str) -> Result<Option<Vec<u8>>, CallError> {
        self.inner.get_version(key, version_id).await
    }

    async fn delete_version(&self, key: &str, version_id: &str) -> Result<(), CallError> {
        self.inner.delete_version(key, version_id).await
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_written_meanwhile_is_not_overwritten_but_cleared_in_its_turn() {
    let clock = clock();
    let table = table().await;
    let objects = Contended { inner: bucket().await, writes: AtomicUsize::new(3) };
    forget((&table, &objects), &clock, &bob(), Mode::Remove).await.expect("removes");
    assert_gone(&everything(&table, &objects.inner).await);

    let objects = Contended { inner: bucket().await, writes: AtomicUsize::new(usize::MAX) };
    let error = forget((&table, &objects), &clock, &bob(), Mode::Remove).await.expect_err("never ends");
    assert_eq!(error, ForgetError::Contended { key: QUARANTINED.to_owned() });
}
