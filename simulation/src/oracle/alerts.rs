//! Every prediction that meets the policies, or is explored, is published or held back, as requested; a budget is not exceeded,
//! and nothing is published in quiet hours or without its channel.

use std::collections::{BTreeMap, BTreeSet};

use modstream_events::ids;
use modstream_tests::{Audit, StoredRecord};
use serde_json::Value;

use super::json::{number, parse, text, time};
use super::policy::{Policies, Verdict, is_probe, labels};
use super::{Evidence, lifecycle};

/// What predictions ask for.
#[derive(Default)]
struct Asked {
    /// The alerts' ids.
    alerts: BTreeSet<String>,
    /// The ids of alerts that need not be there, because their comments were gone before.
    gone: BTreeSet<String>,
    /// The ids of alerts that the topic refuses.
    refused: BTreeSet<String>,
    /// The data of prediction events, by id: a repeat may have labels where the first had none, or the other way around, as the harm
    /// model comes and goes.
    predictions: BTreeMap<String, Vec<Value>>,
}

/// The texts that were published of each alert, by its id.
type Published<'a> = BTreeMap<String, BTreeSet<&'a str>>;

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    let policies = evidence.policies();
    let audit = evidence.audit();
    let mut broken = audit.broken_in_quarantine();
    let asked = asked(evidence, &audit, &policies, &mut broken);
    let published = published(evidence);
    let mut folders: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, _) in evidence.under("alerts/") {
        let Some((folder, id)) = key.strip_suffix("requested.json").and_then(|folder| Some((folder, id_of(folder)?)))
        else {
            continue;
        };
        if let Some(other) = folders.insert(id, folder) {
            broken.push(format!("alert {id} lies in {other} and in {folder}"));
        }
    }
    for id in &asked.alerts {
        let Some(folder) = folders.get(id.as_str()) else {
            if !asked.gone.contains(id) {
                broken.push(format!("alert {id}: requested.json is missing"));
            }
            continue;
        };
        let texts = published.get(id).cloned().unwrap_or_default();
        let (is_sent, is_withheld) =
            (evidence.has(&format!("{folder}sent.json")), evidence.has(&format!("{folder}withheld.json")));
        if !is_sent && !is_withheld && !evidence.has(&format!("{folder}withdrawn.json")) {
            broken.push(format!("alert {id}: neither sent nor withheld"));
        }
        if is_sent && texts.is_empty() {
            broken.push(format!("alert {id}: recorded as sent, and never published"));
        }
        let requested = evidence.object(&format!("{folder}requested.json"));
        if texts.iter().any(|text| Some(text.as_bytes()) != requested) {
            broken.push(format!("alert {id}: what was published is not what was requested"));
        }
        match requested.and_then(parse) {
            Some(event) => broken.extend(broken_in_text(&event, id, &asked, &policies)),
            None => broken.push(format!("alert {id}: requested.json is no JSON")),
        }
    }
    broken.extend(
        published.keys().filter(|id| !asked.alerts.contains(*id)).map(|id| format!("alert {id}: never asked for")),
    );
    for (key, content) in evidence.under("alerts/") {
        let (folder, name) = key.split_at(key.rfind('/').unwrap_or_default() + 1);
        let id = id_of(key).unwrap_or_default();
        if !asked.alerts.contains(id) && !asked.refused.contains(id) {
            broken.push(format!("{key}: no prediction asks for it"));
        }
        if name == "withheld.json" {
            let requested = evidence.object(&format!("{folder}requested.json")).and_then(parse).unwrap_or_default();
            let withheld = parse(content).unwrap_or_default();
            if !is_reason(evidence, &policies, &requested, &withheld) {
                broken.push(format!("{key}: that is no reason: {withheld}"));
            }
        }
    }
    broken.extend(broken_in_limits(&published, &policies));
    broken
}

fn asked(evidence: &Evidence, audit: &Audit, policies: &Policies<'_>, broken: &mut Vec<String>) -> Asked {
    let mut asked = Asked::default();
    let need_not_be = lifecycle::need_not_be(evidence);
    for (place, record) in evidence.predictions.iter().enumerate() {
        let event = parse(&record.data).unwrap_or_default();
        let is_passed_on = event.pointer("/data/by").is_some() || event.pointer("/data/reporter").is_some();
        if is_passed_on {
            continue;
        }
        let field = |name: &str| text(&event, &format!("/data/comment_event/{name}")).unwrap_or_default();
        let (source, comment) = (field("source"), field("id"));
        let alert = || ids::alert(source, comment, policies.name()).to_string();
        let exploration = || ids::exploration(source, comment, policies.name()).to_string();
        // An alert that the topic refuses may be held back later, with the text that was requested first.
        let of_id = asked.predictions.entry(text(&event, "/id").unwrap_or_default().to_owned()).or_default();
        if !of_id.contains(&event["data"]) {
            of_id.push(event["data"].clone());
        }
        if let Some(entry) = audit.quarantined("predictions", record) {
            if text(&entry, "/data/reason") == Some("refused") && !evidence.refused.contains(&alert()) {
                broken.push(format!("alert {}: in quarantine as refused, and the topic takes it", alert()));
            }
            asked.refused.extend([alert(), exploration()]);
            continue;
        }
        if is_settled_elsewhere(evidence, record) {
            continue;
        }
        if source.is_empty() || comment.is_empty() || !number(&event, "/data/probability").is_finite() {
            broken.push(format!("prediction record {} is bad, and not in quarantine", record.sequence_number));
            continue;
        }
        let id = match policies.judge(&event["data"]) {
            Verdict::Pass => continue,
            Verdict::Alert(_) => alert(),
            Verdict::Explore(..) => exploration(),
        };
        if !need_not_be(&event, place) {
            asked.gone.remove(&id);
        } else if !asked.alerts.contains(&id) {
            asked.gone.insert(id.clone());
        }
        asked.alerts.insert(id);
    }
    asked
}

/// The alert's id, of a key or folder of the ledger.
fn id_of(key: &str) -> Option<&str> {
    key.split('/').nth(2)
}

fn is_settled_elsewhere(evidence: &Evidence, record: &StoredRecord) -> bool {
    evidence.redriven.still_bad.contains(&("predictions".to_owned(), record.sequence_number.clone()))
}

fn published(evidence: &Evidence) -> Published<'_> {
    let mut published = Published::new();
    for notice in evidence.notices.iter().filter(|notice| !notice.attributes.contains_key("breaker")) {
        let id = parse(notice.body.as_bytes()).and_then(|event| Some(text(&event, "/id")?.to_owned()));
        published.entry(id.unwrap_or_default()).or_default().insert(&notice.body);
    }
    published
}

/// What an alert says is what follows from its prediction.
fn broken_in_text(event: &Value, id: &str, asked: &Asked, policies: &Policies<'_>) -> Option<String> {
    let prediction = text(event, "/data/prediction_id").unwrap_or_default();
    let Some(all) = asked.predictions.get(prediction) else {
        return Some(format!("alert {id}: its prediction {prediction} is on no stream"));
    };
    // It follows from one of them.
    let broken: Option<Vec<String>> =
        all.iter().map(|data| broken_beside(event, id, prediction, data, policies)).collect();
    broken?.into_iter().next()
}

/// What an alert says that does not follow from a prediction.
fn broken_beside(event: &Value, id: &str, prediction: &str, data: &Value, policies: &Policies<'_>) -> Option<String> {
    let said = (text(event, "/data/severity"), event.pointer("/data/exploration").and_then(Value::as_f64));
    let wanted = match policies.judge(data) {
        Verdict::Pass => return Some(format!("alert {id}: its prediction {prediction} meets no policy")),
        Verdict::Alert(urgency) => (Some(urgency.name()), None),
        Verdict::Explore(share, urgency) => (Some(urgency.name()), Some(share)),
    };
    let probability = policies.at_base_rate(data).probability;
    let is_off = (number(event, "/data/probability") - probability).abs() > 1e-9;
    // The most harmful label decides how urgent it is, and which of the policies it meets is said.
    let harm = labels(data).map(|labels| policies.harm(labels));
    let said_harm = event.pointer("/data/harm").and_then(Value::as_f64);
    let is_other = match (harm, said_harm) {
        (Some(harm), Some(said)) => (harm - said).abs() > 1e-9 || event.pointer("/data/meets").is_none(),
        (None, None) => event.pointer("/data/meets").is_some(),
        _ => true,
    };
    if is_other {
        return Some(format!("alert {id}: it says a harm of {said_harm:?}, and {harm:?} follows"));
    }
    (said != wanted || is_off).then(|| format!("alert {id}: it says {said:?}, and {wanted:?} at {probability} follows"))
}

/// Whether an alert is rightly held back.
fn is_reason(evidence: &Evidence, policies: &Policies<'_>, requested: &Value, withheld: &Value) -> bool {
    let name = subreddit(requested);
    let Some(at) = time(requested, "/time") else { return false };
    match text(withheld, "/reason") {
        Some("superseded") => lifecycle::is_outdated(evidence, requested),
        Some("exploration") => requested.pointer("/data/exploration").is_some(),
        Some("channel") => !policies.has_channel(name, "alerts"),
        Some("quiet_hours") => policies.waits(name, at, text(requested, "/data/severity").unwrap_or_default()),
        Some("breaker") => evidence.under("breakers/").any(|(key, content)| {
            let opened = parse(content).filter(|_| key.ends_with("/opened.json"));
            let opened = opened.and_then(|opened| time(&opened, "/time"));
            opened.is_some() && opened <= time(withheld, "/time")
        }),
        Some("budget") => {
            let hour = text(requested, "/time").and_then(|time| time.get(..13)).unwrap_or_default();
            let own = name.map_or_else(|| "_none".to_owned(), str::to_lowercase);
            [(policies.budget(name), own.as_str()), (policies.total_budget(), "_all")].into_iter().any(
                |(places, scope)| {
                    let taken = evidence.places_taken(hour, scope);
                    places.is_some_and(|places| taken >= i64::try_from(places).unwrap_or(i64::MAX))
                },
            )
        }
        _ => false,
    }
}

fn subreddit(event: &Value) -> Option<&str> {
    text(event, "/data/comment/subreddit").filter(|name| !name.is_empty())
}

fn broken_in_limits(published: &Published<'_>, policies: &Policies<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    let mut spent: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    for event in published.values().filter_map(|texts| parse(texts.first()?.as_bytes())) {
        if is_probe(&event["data"]) {
            continue;
        }
        let (name, id) = (subreddit(&event), text(&event, "/id").unwrap_or_default());
        let hour = text(&event, "/time").and_then(|time| time.get(..13)).unwrap_or_default();
        let scopes = [
            (policies.budget(name), format!("r/{}", name.unwrap_or_default().to_lowercase())),
            (policies.total_budget(), "all subreddits".to_owned()),
        ];
        for (places, scope) in scopes {
            if let Some(places) = places {
                spent.entry((hour.to_owned(), scope)).or_insert((0, places)).0 += 1;
            }
        }
        let severity = text(&event, "/data/severity").unwrap_or_default();
        let why = if time(&event, "/time").is_some_and(|at| policies.waits(name, at, severity)) {
            "in quiet hours"
        } else if !policies.has_channel(name, "alerts") {
            "without that channel"
        } else if event.pointer("/data/exploration").is_some() {
            "and only asked about to learn from"
        } else {
            continue;
        };
        broken.push(format!("alert {id} was published {why}"));
    }
    for ((hour, scope), (alerts, places)) in spent {
        if alerts > places {
            broken.push(format!("{alerts} alerts of {scope} were published in {hour}, the budget is {places}"));
        }
    }
    broken
}
