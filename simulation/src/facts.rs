//! What is written to the table, fact by fact: an item holds several, which come one after another.

use modstream_platform::table::{Action, Item, Key, Update, Value, Write};

/// The facts that a write puts down, each by a name with slashes. What was there before and stays is none.
pub(crate) fn written(write: &Write) -> Vec<String> {
    match write {
        Write::Put { item, .. } => of_item(item),
        Write::Update { key, update, .. } => of_update(key, update),
        Write::Delete { .. } | Write::Check { .. } => Vec::new(),
    }
}

/// The place of an alert, a decision, a digest and so on, as its item's key says.
pub(crate) fn place(key: &Key) -> String {
    let Key { partition, sort } = key;
    if let Some(comment) = partition.strip_prefix("comment#") {
        if let Some(id) = sort.strip_prefix("alert#") {
            return format!("alerts/{comment}/{id}");
        }
        if let Some((id, number)) = sort.strip_prefix("decision#").and_then(|rest| rest.split_once('#')) {
            return format!("decisions/{comment}/{id}/{number}.json");
        }
        return format!("comments/{comment}/{sort}.json");
    }
    if let Some(window) = partition.strip_prefix("window#") {
        return format!("windows/{window}/{}", sort.replace('#', "/"));
    }
    match partition.as_str() {
        "missed" => format!("missed/{}.json", sort.rsplit('#').next().unwrap_or_default()),
        "outbox" => format!("decisions-unsent/{sort}"),
        _ => format!("{}/{}", partition.replace('#', "/"), sort.replace('#', "/")),
    }
}

/// The attributes of an alert that stand for something that happened, and what the facts are called.
pub(crate) const OF_AN_ALERT: [(&str, &str); 5] = [
    ("event", "requested.json"),
    ("sent", "sent.json"),
    ("withheld", "withheld.json"),
    ("superseded", "superseded.json"),
    ("withdrawn", "withdrawn.json"),
];

fn is_alert(key: &Key) -> bool {
    key.sort.starts_with("alert#")
}

fn is_breaker(key: &Key) -> bool {
    key.partition == "breakers"
}

fn of_item(item: &Item) -> Vec<String> {
    let place = place(&item.key);
    if is_breaker(&item.key) {
        return vec![format!("{place}/opened.json")];
    }
    if !is_alert(&item.key) {
        return vec![place];
    }
    let facts = OF_AN_ALERT.iter().filter(|(attribute, _)| item.attributes.contains_key(*attribute));
    facts.map(|(_, fact)| format!("{place}/{fact}")).collect()
}

fn of_update(key: &Key, update: &Update) -> Vec<String> {
    let place = place(key);
    let sets = |attribute: &str| matches!(update.actions.get(attribute), Some(Action::Set(_)));
    if is_alert(key) {
        let facts = OF_AN_ALERT.iter().filter(|(attribute, _)| sets(attribute));
        return facts.map(|(_, fact)| format!("{place}/{fact}")).collect();
    }
    if sets("sent") { vec![format!("{place}/sent.json")] } else { Vec::new() }
}

/// The event that a write puts into an alert, as the item holds it.
pub(crate) fn event(write: &Write) -> Option<Item> {
    let value = match write {
        Write::Put { item, .. } if is_alert(&item.key) => item.attributes.get("event"),
        Write::Update { key, update, .. } if is_alert(key) => match update.actions.get("event") {
            Some(Action::Set(value)) => Some(value),
            _ => None,
        },
        _ => None,
    };
    let value: Value = value?.clone();
    Some(Item::new(write.key().clone()).with("event", value))
}
