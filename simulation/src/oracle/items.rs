//! What an item says once more beside its event, for indexes to list it by, agrees with what happened to it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use modstream_platform::table::Item;
use serde_json::json;

use super::Evidence;
use super::json::{parse, text, time};
use crate::facts::place;
use crate::faults::{Effect, Noted};

/// An alert is written at most so long after the time that it says: an invocation lasts no longer.
const LONGEST: SignedDuration = SignedDuration::from_secs(90);

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    let is_of = |kind: &'static str| evidence.items.iter().filter(move |item| place(&item.key).starts_with(kind));
    let written = first_written(evidence);
    for alert in is_of("alerts/") {
        let name = place(&alert.key);
        let own = format!("decisions/{}/", name.trim_start_matches("alerts/"));
        let decisions = evidence.under(&own).count() as i64;
        if alert.number("decisions").unwrap_or_default() != decisions {
            broken.push(format!("{name}: it counts {:?} decisions of {decisions}", alert.number("decisions")));
        }
        let has = |attribute: &str| alert.attributes.contains_key(attribute);
        // An alert waits unless it is decided, or there is nothing to decide any more.
        let waits = decisions % 2 == 0 && !has("superseded") && !has("withdrawn");
        if (alert.text("in_open") == Some("open")) != waits {
            broken.push(format!("{name}: after {decisions} decisions it is in the queue: {:?}", alert.text("in_open")));
        }
        let list = if has("withdrawn") {
            "withdrawn"
        } else if has("superseded") {
            "superseded"
        } else {
            "made"
        };
        if alert.text("in_made") != Some(list) {
            broken.push(format!("{name}: it is in the list {:?}, not {list}", alert.text("in_made")));
        }
        if has("withdrawn") && has("whose") {
            broken.push(format!("{name}: withdrawn, and it says whose it was"));
        }
        broken.extend(broken_in_copies(evidence, alert, &name, &written));
    }
    broken.extend(broken_in_budgets(evidence));
    for decision in is_of("decisions/") {
        if decision.text("in_decided") != Some("decided") || decision.text("decided").is_none() {
            broken.push(format!("{}: no list of decisions has it", place(&decision.key)));
        }
    }
    broken
}

/// Of an hour's budgets as many places are taken as alerts say that they have one: none is lost, and none taken twice.
fn broken_in_budgets(evidence: &Evidence) -> Vec<String> {
    let mut placed: BTreeMap<(String, String), i64> = BTreeMap::new();
    let policies = evidence.policies();
    for alert in &evidence.items {
        let Some(hour) = alert.text("place") else { continue };
        let requested = format!("{}/requested.json", place(&alert.key));
        let event = evidence.object(&requested).and_then(parse).unwrap_or_default();
        let name = text(&event, "/data/comment/subreddit").filter(|name| !name.is_empty());
        let own = name.map_or_else(|| "_none".to_owned(), str::to_lowercase);
        for (places, scope) in [(policies.budget(name), own), (policies.total_budget(), "_all".to_owned())] {
            if places.is_some() {
                *placed.entry((hour.to_owned(), scope)).or_default() += 1;
            }
        }
    }
    for budget in &evidence.items {
        if let Some(hour) = budget.key.partition.strip_prefix("budget#") {
            placed.entry((hour.to_owned(), budget.key.sort.clone())).or_default();
        }
    }
    let wrong = placed.into_iter().filter_map(|((hour, scope), alerts)| {
        let taken = evidence.places_taken(&hour, &scope);
        (taken != alerts)
            .then(|| format!("{taken} places of {scope} are taken in {hour}, and {alerts} alerts have one"))
    });
    wrong.collect()
}

/// What the item says for lists is what its first event says, of the time when it was written.
fn broken_in_copies(
    evidence: &Evidence,
    alert: &Item,
    name: &str,
    written: &BTreeMap<&str, Timestamp>,
) -> Option<String> {
    let requested = format!("{name}/requested.json");
    let event = evidence.object(&requested).and_then(parse)?;
    let made = time(&event, "/time")?;
    let said = alert.text("made").and_then(|made| made.parse::<Timestamp>().ok());
    if said != Some(made) {
        return Some(format!("{name}: it was made at {made}, and the item says {said:?}"));
    }
    let at = written.get(requested.as_str()).copied().unwrap_or_default();
    if made > at || at.duration_since(made) > LONGEST {
        return Some(format!("{name}: it was written at {at} and says that it was made at {made}"));
    }
    let severity = text(&event, "/data/severity").unwrap_or_default();
    let in_need = event.pointer("/data/self_harm").is_some();
    let by_severity = ["high", "medium", "low"].iter().position(|known| *known == severity).unwrap_or_default() + 1;
    let first = if in_need { 0 } else { by_severity };
    // By tenths of harm, where it is known; first where no model of harm was asked, last where none knew anything of the text.
    let has = |field: &str| event["data"].get(field).is_some_and(|value| !value.is_null() && *value != json!(false));
    // What the model of removals said counts where a policy went by it.
    let is_met = event.pointer("/data/meets/removal") != Some(&json!(false));
    let is_of_removal = is_met && !["matched", "self_harm", "exploration", "probe"].into_iter().any(has);
    let place = match event.pointer("/data/harm").and_then(serde_json::Value::as_f64) {
        _ if in_need => 0,
        Some(harm) => 10 - (harm * 10.0).floor() as i64,
        None if (has("not_judged") || has("support")) && !is_of_removal => 10,
        None => 0,
    };
    let reports = alert.number("reports").unwrap_or_default();
    let rank = format!("{first}{:03}{place:x}{:016x}", 999 - reports, made.as_nanosecond());
    let is_ranked = alert.text("rank") == Some(rank.as_str()) && alert.text("severity") == Some(severity);
    (!is_ranked).then(|| format!("{name}: {severity}, {reports} reports, ranked {:?}", alert.text("rank")))
}

/// When each fact was written first.
fn first_written(evidence: &Evidence) -> BTreeMap<&str, Timestamp> {
    let mut first = BTreeMap::new();
    for Noted { at, effect } in &evidence.effects {
        if let Effect::Written { key, .. } = effect {
            first.entry(key.as_str()).or_insert(*at);
        }
    }
    first
}
