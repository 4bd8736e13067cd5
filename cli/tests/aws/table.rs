//! A system's table, with what functions put there.

use std::task::{Context, Poll, Waker};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use modstream_events::{Alert, Event};
use modstream_ledger::{AlertKey, Ledger, SCHEMA};
use modstream_platform::memory::{MemoryClock, MemoryTable};
use modstream_platform::table::{EXPIRES, Item, PARTITION, SORT, Value as Attribute};
use modstream_stub_server::{FakeAws, Reply, Request};
use serde_json::{Map, Value, json};

/// What the table is called.
pub(crate) const STATE: &str = "state";
/// The option that names it.
pub(crate) const TABLE: [&str; 2] = ["--table", STATE];

/// Services that hold nothing, with the table's indexes.
pub(crate) fn services() -> FakeAws {
    services_with(|_| None)
}

/// The same, which ask `fault` first.
pub(crate) fn services_with(fault: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> FakeAws {
    let aws = FakeAws::start_with(fault).expect("a port");
    for index in SCHEMA.indexes {
        aws.put_index(index.name, index.sort);
    }
    aws
}

/// An item as DynamoDB has it.
fn json_of(item: &Item) -> Value {
    let text = |text: &str| json!({ "S": text });
    let mut json = Map::new();
    json.insert(PARTITION.to_owned(), text(&item.key.partition));
    json.insert(SORT.to_owned(), text(&item.key.sort));
    json.extend(item.expires_at.map(|at| (EXPIRES.to_owned(), json!({ "N": at.to_string() }))));
    json.extend(item.attributes.iter().map(|(name, value)| {
        let value = match value {
            Attribute::Text(value) => text(value),
            Attribute::Number(number) => json!({ "N": number.to_string() }),
            Attribute::Bytes(bytes) => json!({ "B": STANDARD.encode(bytes) }),
        };
        (name.clone(), value)
    }));
    json.into()
}

/// Puts an alert there, as its publisher makes one.
pub(crate) fn made(aws: &FakeAws, event: &Event<'_, Alert<'_>>) -> AlertKey {
    let (key, clock) = (AlertKey::of_alert(event), MemoryClock::starting_at(event.time));
    let table = MemoryTable::new(STATE, SCHEMA, clock);
    let ledger = Ledger::new(&table, &clock, Timestamp::MAX);
    let encoded = event.encode();
    let mut request = Box::pin(ledger.request(&key, event, &encoded, None));
    let Poll::Ready(made) = request.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("the memory world answers at once")
    };
    drop(request);
    made.expect("made");
    table.items().iter().for_each(|item| aws.put_item(STATE, &json_of(item)));
    key.clone()
}

/// Puts a breaker there that opened now; its name.
pub(crate) fn breaker(aws: &FakeAws) -> String {
    let now = Timestamp::now();
    let name = format!("{}/0000", now.strftime("%Y-%m-%d"));
    let number = |number: u32| json!({ "N": number.to_string() });
    aws.put_item(
        STATE,
        &json!({
            "pk": { "S": "breakers" }, "sk": { "S": name }, "opened": { "S": now.to_string() }, "opener": { "S": "o" },
            "until": { "S": (now + SignedDuration::from_mins(60)).to_string() }, "max_share": { "S": "0.2" },
            "window_minutes": number(5), "alerts": number(130), "predictions": number(400),
        }),
    );
    name
}

/// The items of a partition.
pub(crate) fn items(aws: &FakeAws, partition: &str) -> Vec<Value> {
    aws.items(STATE).into_iter().filter(|item| item["pk"]["S"] == partition).collect()
}
