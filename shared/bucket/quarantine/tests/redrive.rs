//! Records that come back, and records that don't.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kinesis_batch::{Fault, Record};
use modstream_events::{BadRecord, Comment, Event, Reason, ids};
use modstream_forget::{Mode, Person, Progress, forget};
use modstream_ledger::SCHEMA;
use modstream_platform::deliver::put_all;
use modstream_platform::memory::{
    Config, EventSource, FunctionError, MemoryClock, MemoryObjects, MemoryStream, MemoryTable,
};
use modstream_platform::table::{
    self, Batch, Consistency, Item, Key, Operation, Outcome, Page, Query, Table, Transacted, Update, Write,
};
use modstream_platform::{CallError, CallErrorKind, Clock, Condition, Fetched, Objects, PutOutcome, PutRecord, Stream};
use modstream_quarantine::redrive::{Mark, Options, Redriven, Streams, Why, mark_key, redrive};

struct World {
    clock: MemoryClock,
    table: MemoryTable,
    objects: MemoryObjects,
    streams: Streams<MemoryStream>,
}

impl World {
    fn new() -> Self {
        let clock = MemoryClock::starting_at("2026-01-05T10:00:00Z".parse().expect("a time"));
        let stream = |name| MemoryStream::new(name, 1, clock);
        let streams = Streams { comments: stream("comments"), predictions: stream("predictions") };
        let table = MemoryTable::new("t", SCHEMA, clock);
        World { clock, table, objects: MemoryObjects::new(), streams }
    }

    fn deadline(&self) -> Timestamp {
        self.clock.now() + Duration::from_secs(20)
    }

    async fn quarantine(&self, number: &str, data: &[u8], reason: Reason) -> String {
        let record = Record {
            event_source_arn: self.streams.comments.arn().into(),
            shard_id: "shardId-000000000000".into(),
            sequence_number: number.into(),
            partition_key: "k".into(),
            arrived_seconds: 1_767_607_200.0,
            encoded: STANDARD.encode(data).into(),
        };
        let fault = Fault::Bad(BadRecord::new(reason, "a test"));
        modstream_quarantine::keep_record(&self.objects, &self.clock, self.deadline(), "urn:test", &record, &fault)
            .await
            .expect("kept");
        format!("quarantine/comments/shardId-000000000000/{number}.json")
    }

    /// Gives up one batch of these records.
    async fn give_up(&self, records: Vec<PutRecord>) -> String {
        let lost = MemoryStream::new("comments", 1, self.clock);
        put_all(&lost, &self.clock, self.deadline(), records).await;
        let config = Config {
            max_retry_attempts: Some(0),
            on_failure: Some(self.objects.clone()),
            ..Config::for_function("score-comments")
        };
        let broken = |_| async { Err::<Vec<u8>, _>(FunctionError("a bug".to_owned())) };
        EventSource::new(lost, self.clock, config).run_until_drained(broken).await;
        self.objects.list("aws/lambda/score-comments/").await.expect("lists").pop().expect("an object")
    }

    async fn run(&self, options: &Options) -> Redriven {
        redrive((&self.table, &self.objects), &self.streams, &self.clock, self.deadline(), options)
            .await
            .expect("lists")
    }

    fn on_comments(&self) -> Vec<Vec<u8>> {
        self.streams.comments.records().iter().map(|record| record.data.clone()).collect()
    }

    fn marks(&self, object: &str) -> Vec<Mark> {
        let partition = mark_key(object, None).partition;
        let items = self.table.items().into_iter().filter(|item| item.key.partition == partition);
        items.map(|item| Mark::of_item(&item).expect("a mark")).collect()
    }
}

fn comment(id: &str) -> Vec<u8> {
    let comment = Comment { id: Some(id.into()), body: Some("Is it so?".into()), ..Comment::default() };
    let event_id = ids::comment("urn:example:forum", id, "1").to_string();
    Event::new(event_id, "urn:example:forum", "2026-01-05T10:00:00Z".parse().expect("a time"), comment).encode()
}

fn records(ids: &[&str]) -> Vec<PutRecord> {
    ids.iter().map(|id| PutRecord { partition_key: "k".into(), data: comment(id) }).collect()
}

#[tokio::test(start_paused = true)]
async fn what_a_fix_makes_good_comes_back_once_in_order_with_a_mark() {
    let world = World::new();
    let later = world.quarantine("10", &comment("later"), Reason::Panicked).await;
    world.quarantine("9", &comment("earlier"), Reason::Panicked).await;
    let batch = world.give_up(records(&["a", "b", "c"])).await;
    let first = world.run(&Options::default()).await;
    assert_eq!((first.put_back, first.before, &first.left[..]), (5, 0, &[][..]));
    assert_eq!(world.on_comments(), ["a", "b", "c", "earlier", "later"].map(comment));

    let marks = world.marks(&later);
    let [mark] = &marks[..] else { panic!("not one mark: {marks:?}") };
    let stored = world.streams.comments.records()[4].clone();
    assert_eq!((&mark.key, mark.stream.as_str()), (&mark_key(&later, None), "comments"));
    assert_eq!((mark.shard_id.as_str(), &mark.sequence_number), ("shardId-000000000000", &stored.sequence_number));
    let marks = world.marks(&batch);
    assert_eq!(marks.len(), 3, "a record each: {marks:?}");

    let second = world.run(&Options::default()).await;
    assert_eq!((second.put_back, second.before), (0, 5));
    assert_eq!(world.on_comments().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_still_bad_is_named_and_goes_back_by_force_alone() {
    let world = World::new();
    let key = world.quarantine("1", b"no JSON", Reason::NotJson).await;
    let mut records = records(&["a", "b", "c"]);
    records[1].data = b"{}".to_vec();
    world.give_up(records).await;
    let run = world.run(&Options::default()).await;
    assert_eq!((run.put_back, run.count(Why::StillBad), run.left.len()), (2, 2, 2));
    let left = &run.left[1];
    assert_eq!((left.key.as_str(), left.sequence_number.as_deref()), (key.as_str(), Some("1")));
    assert!(left.detail.starts_with("not_json: "), "{}", left.detail);
    assert_eq!(world.on_comments(), ["a", "c"].map(comment));
    let forced = world.run(&Options { force: true, ..Options::default() }).await;
    assert_eq!((forced.put_back, forced.before), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ours_is_left_alone_and_named() {
    let world = World::new();
    let put =
        async |key: &str, bytes: Vec<u8>| world.objects.put(key, bytes.into(), Condition::Absent).await.expect("puts");
    let key = world.quarantine("1", &comment("a"), Reason::Panicked).await;
    let Ok(Fetched::Object { bytes, .. }) = world.objects.get(&key, None).await else { panic!("it is there") };
    put("quarantine/comments/shardId-000000000000/2.json", bytes).await;
    put("quarantine/notes.txt", b"mine".to_vec()).await;
    put("aws/lambda/other/1.json", b"{\"payload\":\"{}\"}".to_vec()).await;
    put("aws/lambda/async/generate/1.json", b"{\"requestPayload\":{}}".to_vec()).await;
    let batch = world.give_up(records(&["b"])).await;
    let Ok(Fetched::Object { bytes, .. }) = world.objects.get(&batch, None).await else { panic!("it is there") };
    let foreign = String::from_utf8(bytes).expect("text").replace("stream/comments", "stream/payments");
    put("aws/lambda/other/2.json", foreign.into_bytes()).await;

    let before = world.objects.list("").await.expect("lists");
    let run = world.run(&Options { dry_run: true, ..Options::default() }).await;
    assert_eq!((run.put_back, run.count(Why::NotOurs), run.count(Why::Invocation)), (2, 4, 1));
    assert_eq!(world.objects.list("").await.expect("lists"), before, "a dry run writes nothing");
    assert!(world.streams.comments.is_empty());
    let named = |key: &str| run.left.iter().find(|left| left.key == key).map(|left| left.detail.as_str());
    assert!(named("aws/lambda/other/2.json").is_some_and(|detail| detail.contains("`payments`")), "{run:?}");

    let run = world.run(&Options::default()).await;
    assert_eq!((run.put_back, run.left.len()), (2, 5));
    assert_eq!(world.on_comments(), ["b", "a"].map(comment));
}

#[tokio::test(start_paused = true)]
async fn only_what_is_asked_for_comes_back() {
    let world = World::new();
    let key = world.quarantine("1", &comment("a"), Reason::Panicked).await;
    world.quarantine("11", &comment("b"), Reason::TooLarge).await;
    world.give_up(records(&["c"])).await;
    let dry = async |options: Options| world.run(&Options { dry_run: true, ..options }).await.put_back;
    assert_eq!(dry(Options { key: Some(key), ..Options::default() }).await, 1);
    assert_eq!(dry(Options { reason: Some(Reason::TooLarge), ..Options::default() }).await, 1);
    assert_eq!(dry(Options { quarantine: false, ..Options::default() }).await, 1);
    assert_eq!(dry(Options { given_up: false, ..Options::default() }).await, 2);
    let after = "2026-01-05T10:00:00.001Z".parse().ok();
    assert_eq!(dry(Options { since: after, given_up: false, ..Options::default() }).await, 0);
}

/// A stream that is full from the n-th record on.
#[derive(Clone)]
struct Full(MemoryStream, usize);

impl Stream for Full {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn put_records(&self, records: &[PutRecord]) -> Result<Vec<PutOutcome>, CallError> {
        if self.0.len() < self.1 { self.0.put_records(records).await } else { Err(down("PutRecords")) }
    }
}

/// A table that takes no write, or answers no read.
struct Down<'a>(&'a MemoryTable, fn(Operation) -> bool);

impl Down<'_> {
    async fn call<A>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<A, CallError>>,
    ) -> Result<A, CallError> {
        if self.1(operation) { Err(down(operation.name())) } else { call.await }
    }
}

impl Table for Down<'_> {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        self.call(Operation::GetItem, self.0.get(key, consistency)).await
    }

    async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
        self.call(Operation::BatchGetItem, self.0.get_batch(keys, consistency)).await
    }

    async fn query(&self, query: &Query) -> Result<Page, CallError> {
        self.call(Operation::Query, self.0.query(query)).await
    }

    async fn put(&self, item: &Item, condition: &table::Condition) -> Result<Outcome<()>, CallError> {
        self.call(Operation::PutItem, self.0.put(item, condition)).await
    }

    async fn update(&self, key: &Key, update: &Update, when: &table::Condition) -> Result<Outcome<Item>, CallError> {
        self.call(Operation::UpdateItem, self.0.update(key, update, when)).await
    }

    async fn delete(&self, key: &Key, condition: &table::Condition) -> Result<Outcome<()>, CallError> {
        self.call(Operation::DeleteItem, self.0.delete(key, condition)).await
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        self.call(Operation::TransactWriteItems, self.0.transact(token, writes)).await
    }
}

fn down(operation: &'static str) -> CallError {
    CallError { service: "a service", operation, kind: CallErrorKind::Unavailable, message: "down".to_owned() }
}

#[tokio::test(start_paused = true)]
async fn another_run_goes_on_where_the_stream_stopped() {
    let world = World::new();
    world.give_up(records(&["a", "b", "c"])).await;
    let full = |stream: &MemoryStream| Full(stream.clone(), 2);
    let streams = Streams { comments: full(&world.streams.comments), predictions: full(&world.streams.predictions) };
    let run =
        redrive((&world.table, &world.objects), &streams, &world.clock, world.deadline(), &Options::default()).await;
    let run = run.expect("lists");
    assert_eq!((run.put_back, run.count(Why::Failed)), (2, 1), "{run:?}");
    let run = world.run(&Options::default()).await;
    assert_eq!((run.put_back, run.before), (1, 2));
    assert_eq!(world.on_comments(), ["a", "b", "c"].map(comment));
}

#[tokio::test(start_paused = true)]
async fn a_record_without_a_mark_comes_again_with_the_same_id() {
    let world = World::new();
    world.quarantine("1", &comment("a"), Reason::Panicked).await;
    let table = Down(&world.table, Operation::writes);
    let run =
        redrive((&table, &world.objects), &world.streams, &world.clock, world.deadline(), &Options::default()).await;
    let run = run.expect("lists");
    assert_eq!((run.put_back, run.count(Why::Failed)), (1, 1), "{run:?}");
    assert!(run.left[0].detail.contains("another run repeats it"), "{run:?}");
    assert_eq!(world.run(&Options::default()).await.put_back, 1);
    assert_eq!(world.on_comments(), ["a", "a"].map(comment));
}

#[tokio::test(start_paused = true)]
async fn where_marks_cant_be_read_nothing_comes_back() {
    let world = World::new();
    world.quarantine("1", &comment("a"), Reason::Panicked).await;
    let batch = world.give_up(records(&["b"])).await;
    let deadline = world.clock.now() + Duration::from_secs(2);
    let run = async |of: fn(Operation) -> bool| {
        let table = Down(&world.table, of);
        redrive((&table, &world.objects), &world.streams, &world.clock, deadline, &Options::default()).await
    };
    assert!(run(|operation| operation == Operation::BatchGetItem).await.is_err());
    assert_eq!(world.on_comments(), Vec::<Vec<u8>>::new());
    let of_batches = run(|operation| operation == Operation::Query).await.expect("lists");
    assert_eq!((of_batches.put_back, of_batches.count(Why::Failed)), (1, 1), "{of_batches:?}");
    assert_eq!(of_batches.left[0].key, batch);
    assert_eq!(world.on_comments(), ["a"].map(comment));
}

#[tokio::test(start_paused = true)]
async fn looking_for_marks_costs_a_call_for_a_hundred_records_and_one_for_a_batch() {
    let world = World::new();
    for number in 0..150 {
        world.quarantine(&number.to_string(), &comment(&format!("q{number}")), Reason::Panicked).await;
    }
    world.give_up(records(&["a", "b", "c"])).await;
    assert_eq!(world.run(&Options::default()).await.put_back, 153);
    world.table.reset_usage();
    assert_eq!(world.run(&Options::default()).await.before, 153);
    let calls = world.table.usage().calls;
    assert_eq!(calls, [(Operation::BatchGetItem, 2), (Operation::Query, 1)].into());
}

#[tokio::test(start_paused = true)]
async fn what_was_a_forgotten_persons_stays_away_by_force_too() {
    let world = World::new();
    world.give_up(records(&["a", "b", "c"])).await;
    let person = Person::Comment("b".to_owned());
    forget((&world.table, &world.objects), &world.clock, &person, Mode::Remove, &mut Progress::default())
        .await
        .expect("forgets");
    let redriven = world.run(&Options { force: true, ..Options::default() }).await;
    assert_eq!((redriven.put_back, redriven.count(Why::Forgotten), redriven.left.len()), (2, 1, 1));
    assert_eq!(world.on_comments(), ["a", "c"].map(comment));
}
