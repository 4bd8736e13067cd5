//! The promise, over everything that may go wrong at once: the response names the lowest record that is not done, nothing
//! before it is undone, and with repeats every record is done in the end.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use kinesis_batch::{
    Batch, Cause, Fault, Handler, Outcome, Record, Report, SourceRecord, handle, install_panic_hook, payload,
};
use proptest::prelude::*;

/// What a handler does with a record, each time it meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prepares {
    Item,
    Nothing,
    Bad,
    Panics,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivers {
    Done,
    Bad,
    Transient,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeps {
    Kept,
    Error,
    Panics,
}

/// What happens to the whole of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Whole,
    /// So many outcomes are left out at the end.
    Short(usize),
    /// Everything behind the first transient one is left out, as it may be.
    StopsEarly,
    TooLong,
    PanicsBefore,
    PanicsWithin,
}

/// How an invocation's time goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Time {
    Enough,
    /// For so many records.
    For(usize),
    /// The clock panics at this record.
    Panics(usize),
}

#[derive(Clone, Copy, Debug)]
struct One {
    prepares: Prepares,
    delivers: Delivers,
    keeps: Keeps,
}

struct Invocation<'a> {
    /// By sequence number, so that it holds for what is left of a batch too.
    script: &'a HashMap<String, One>,
    answer: Answer,
    time: Time,
    asked: AtomicUsize,
    /// What happened, in order: effects that count.
    prepared: Mutex<Vec<String>>,
    done: Mutex<Vec<String>>,
    kept: Mutex<Vec<String>>,
}

impl<'a> Invocation<'a> {
    fn new(script: &'a HashMap<String, One>, answer: Answer, time: Time) -> Self {
        Invocation {
            script,
            answer,
            time,
            asked: AtomicUsize::new(0),
            prepared: Mutex::default(),
            done: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    fn one(&self, number: &str) -> One {
        self.script[number]
    }
}

impl Handler for Invocation<'_> {
    type Item = String;
    type Bad = &'static str;
    type Error = &'static str;

    fn has_time(&self, _: &Record<'_>) -> bool {
        let before = self.asked.fetch_add(1, Ordering::Relaxed);
        match self.time {
            Time::Enough => true,
            Time::For(records) => before < records,
            Time::Panics(at) => {
                assert!(before < at, "a secret");
                true
            }
        }
    }

    fn prepare(&self, record: &Record<'_>, _: &[u8]) -> Result<Option<String>, &'static str> {
        let number = record.sequence_number.to_string();
        self.prepared.lock().unwrap().push(number.clone());
        match self.one(&number).prepares {
            Prepares::Item => Ok(Some(number)),
            Prepares::Nothing => Ok(None),
            Prepares::Bad => Err("bad"),
            Prepares::Panics => panic!("a secret"),
        }
    }

    fn deliver(&self, items: Vec<String>) -> impl Future<Output = Vec<Outcome<&'static str, &'static str>>> + Send {
        assert_ne!(self.answer, Answer::PanicsBefore, "a secret");
        async move {
            let mut outcomes = Vec::new();
            for number in &items {
                tokio::task::yield_now().await;
                outcomes.push(match self.one(number).delivers {
                    Delivers::Done => Outcome::Done,
                    Delivers::Bad => Outcome::Bad("refused"),
                    Delivers::Transient => Outcome::Transient("busy"),
                });
                if self.answer == Answer::StopsEarly && matches!(outcomes.last(), Some(Outcome::Transient(_))) {
                    break;
                }
            }
            match self.answer {
                Answer::Short(by) => outcomes.truncate(items.len().saturating_sub(by)),
                Answer::TooLong => outcomes.push(Outcome::Done),
                Answer::PanicsWithin => panic!("a secret"),
                Answer::Whole | Answer::StopsEarly | Answer::PanicsBefore => {}
            }
            // An outcome that is told, and whose it is: no other counts.
            if self.answer != Answer::TooLong {
                let told =
                    items.iter().zip(&outcomes).take_while(|(_, outcome)| !matches!(outcome, Outcome::Transient(_)));
                let done = told.filter(|(_, outcome)| **outcome == Outcome::Done).map(|(number, _)| number.clone());
                self.done.lock().unwrap().extend(done);
            }
            outcomes
        }
    }

    async fn quarantine(&self, record: &Record<'_>, _: &Fault<&'static str>) -> Result<(), &'static str> {
        let number = record.sequence_number.to_string();
        // Writes end in another order than they begin.
        for _ in 0..number.len() + usize::from(number.as_bytes()[number.len() - 1] % 5) {
            tokio::task::yield_now().await;
        }
        match self.one(&number).keeps {
            Keeps::Kept => {
                self.kept.lock().unwrap().push(number);
                Ok(())
            }
            Keeps::Error => Err("denied"),
            Keeps::Panics => panic!("a secret"),
        }
    }
}

fn encoded(numbers: &[String]) -> Vec<u8> {
    let record = |number| SourceRecord {
        event_source_arn: "arn:aws:kinesis:eu-central-1:123456789012:stream/comments",
        shard_id: "shardId-000000000000",
        sequence_number: number,
        partition_key: "k",
        arrived_seconds: 0.0,
        data: b"",
    };
    payload::encode(&numbers.iter().map(|number| record(number.as_str())).collect::<Vec<_>>())
}

fn invoke(numbers: &[String], invocation: &Invocation<'_>) -> Report<&'static str, &'static str> {
    // Panics are part of these tests: keep their messages off the terminal.
    install_panic_hook();
    let payload = encoded(numbers);
    let batch = Batch::parse(&payload).unwrap();
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(handle(&batch, invocation))
}

fn one() -> impl Strategy<Value = One> {
    let prepares = prop_oneof![
        8 => Just(Prepares::Item),
        2 => Just(Prepares::Nothing),
        1 => Just(Prepares::Bad),
        1 => Just(Prepares::Panics)
    ];
    // Failures are rare enough that long stretches before them occur.
    let delivers = prop_oneof![20 => Just(Delivers::Done), 2 => Just(Delivers::Bad), 1 => Just(Delivers::Transient)];
    let keeps = prop_oneof![12 => Just(Keeps::Kept), 1 => Just(Keeps::Error), 1 => Just(Keeps::Panics)];
    (prepares, delivers, keeps).prop_map(|(prepares, delivers, keeps)| One { prepares, delivers, keeps })
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        6 => Just(Answer::Whole),
        2 => Just(Answer::StopsEarly),
        2 => (1..6_usize).prop_map(Answer::Short),
        1 => Just(Answer::TooLong),
        1 => Just(Answer::PanicsBefore),
        1 => Just(Answer::PanicsWithin)
    ]
}

fn time() -> impl Strategy<Value = Time> {
    prop_oneof![3 => Just(Time::Enough), 3 => (0..50_usize).prop_map(Time::For), 1 => (0..50_usize).prop_map(Time::Panics)]
}

fn script(ones: &[One]) -> (Vec<String>, HashMap<String, One>) {
    let numbers: Vec<String> = (0..ones.len()).map(|position| format!("49{:054}", 7 * position + 3)).collect();
    let script = numbers.iter().cloned().zip(ones.iter().copied()).collect();
    (numbers, script)
}

proptest! {
    #[test]
    fn the_response_names_the_lowest_record_that_is_not_done(
        ones in prop::collection::vec(one(), 0..50), answer in answer(), time in time(),
    ) {
        let (numbers, script) = script(&ones);
        let invocation = Invocation::new(&script, answer, time);
        let report = invoke(&numbers, &invocation);

        let done = invocation.done.into_inner().unwrap();
        let kept = invocation.kept.into_inner().unwrap();
        let prepared = invocation.prepared.into_inner().unwrap();
        let is_done = |number: &String| {
            let skipped = prepared.contains(number) && script[number].prepares == Prepares::Nothing;
            skipped || done.contains(number) || kept.contains(number)
        };

        let named = report.response().batch_item_failures;
        prop_assert!(named.len() <= 1);
        let named = named.first().map(|failure| failure.item_identifier.clone());
        match &named {
            Some(named) => {
                let settled = numbers.iter().position(|number| number == named).expect("a record of the batch");
                prop_assert!(numbers[..settled].iter().all(is_done), "an undone record before the one that is named");
                prop_assert!(!is_done(named), "a record that is done is named");
                prop_assert_eq!(report.settled(), settled);
            }
            None => {
                prop_assert!(numbers.iter().all(is_done), "an undone record, and none is named");
                prop_assert_eq!(report.settled(), numbers.len());
            }
        }
        prop_assert!(prepared.iter().eq(numbers.iter().take(prepared.len())), "taken in order, each once");
        if let Time::For(records) | Time::Panics(records) = time {
            prop_assert!(prepared.len() <= records, "a record was taken without time");
        }
    }

    #[test]
    fn what_was_not_taken_is_the_failure_where_all_that_was_taken_is_done(
        ones in prop::collection::vec(one(), 1..50), records in 0..50_usize,
    ) {
        let records = records % ones.len();
        let calm: Vec<One> = ones
            .into_iter()
            .map(|one| One { delivers: Delivers::Done, keeps: Keeps::Kept, ..one })
            .collect();
        let (numbers, script) = script(&calm);
        let report = invoke(&numbers, &Invocation::new(&script, Answer::Whole, Time::For(records)));
        prop_assert_eq!(report.settled(), records);
        let failure = report.failure.unwrap();
        prop_assert_eq!(failure.sequence_number, numbers[records].clone());
        prop_assert_eq!(failure.cause, Cause::OutOfTime);
    }

    #[test]
    fn with_repeats_every_record_is_done_in_order_of_its_first_delivery(
        ones in prop::collection::vec(one(), 0..40),
        invocations in prop::collection::vec((answer(), time()), 0..12),
    ) {
        let (numbers, mut script) = script(&ones);
        let mut left = numbers.as_slice();
        let mut delivered: Vec<String> = Vec::new();
        let mut kept: Vec<String> = Vec::new();
        // Lambda's part: everything from the record that is named on comes again.
        for (answer, time) in invocations {
            let invocation = Invocation::new(&script, answer, time);
            let report = invoke(left, &invocation);
            left = &left[report.settled()..];
            delivered.extend(invocation.done.into_inner().unwrap());
            kept.extend(invocation.kept.into_inner().unwrap());
        }
        // Then what may pass has passed.
        for one in script.values_mut() {
            one.keeps = Keeps::Kept;
            if one.delivers == Delivers::Transient {
                one.delivers = Delivers::Done;
            }
        }
        let invocation = Invocation::new(&script, Answer::Whole, Time::Enough);
        let report = invoke(left, &invocation);
        prop_assert_eq!(report.failure, None);
        delivered.extend(invocation.done.into_inner().unwrap());
        kept.extend(invocation.kept.into_inner().unwrap());

        let is_kept = |one: One| {
            let unreadable = matches!(one.prepares, Prepares::Bad | Prepares::Panics);
            unreadable || (one.prepares == Prepares::Item && one.delivers == Delivers::Bad)
        };
        let wanted = |wanted: bool| -> Vec<String> {
            let fits = |number: &&String| is_kept(script[*number]) == wanted;
            let handled = |number: &&String| script[*number].prepares != Prepares::Nothing;
            numbers.iter().filter(fits).filter(handled).cloned().collect()
        };
        let mut first: Vec<String> = Vec::new();
        for number in delivered {
            if !first.contains(&number) {
                first.push(number);
            }
        }
        prop_assert_eq!(first, wanted(false));
        kept.sort();
        kept.dedup();
        prop_assert_eq!(kept, wanted(true));
    }
}

#[test]
fn a_clock_that_panics_costs_no_record() {
    let calm = One { prepares: Prepares::Item, delivers: Delivers::Done, keeps: Keeps::Kept };
    let (numbers, script) = script(&[calm; 3]);
    let invocation = Invocation::new(&script, Answer::Whole, Time::Panics(1));
    let failure = invoke(&numbers, &invocation).failure.unwrap();
    assert_eq!(failure.sequence_number, numbers[1]);
    let Cause::HasTimePanicked { place: Some(place) } = failure.cause else { panic!("{:?}", failure.cause) };
    assert!(place.contains("rules.rs:"), "{place}");
    assert_eq!(invocation.done.into_inner().unwrap(), numbers[..1]);
}

#[test]
fn without_time_nothing_is_tried() {
    let calm = One { prepares: Prepares::Item, delivers: Delivers::Done, keeps: Keeps::Kept };
    let (numbers, script) = script(&[calm; 3]);
    let invocation = Invocation::new(&script, Answer::PanicsBefore, Time::For(0));
    let failure = invoke(&numbers, &invocation).failure.unwrap();
    assert_eq!((failure.sequence_number.as_str(), failure.cause), (numbers[0].as_str(), Cause::OutOfTime));
    assert_eq!(invocation.prepared.into_inner().unwrap(), Vec::<String>::new());
}
