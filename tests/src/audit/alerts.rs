//! Predictions in, alerts and their ledger out.

use std::collections::{BTreeMap, BTreeSet};

use modstream_events::{PROBE_BODY, PROBE_SOURCE, ids};
use publish_alerts::Condition;
use serde_json::Value;

use super::{Audit, parse, quarantine_key, text};
use crate::faults::Effect;

impl Audit {
    /// What is broken of the promise that every prediction which meets `condition`, under the policy name `default`, is one
    /// alert: published at least once, under one id and text, with both ledger entries written once; and nothing else is. So
    /// is the probe.
    ///
    /// Where policies may withhold, an alert may be withheld instead: recorded once, and not published.
    ///
    /// A prediction in quarantine is no alert: its id may be requested and is not sent.
    pub fn broken_in_alerting(&self, condition: Condition) -> Vec<String> {
        let mut broken = self.broken_quarantine(&self.predictions_stream, &self.predictions);
        let folders: BTreeMap<&str, &str> = self.folders_of_alerts().collect();
        let places: BTreeSet<&str> = self.folders_of_alerts().map(|(_, folder)| folder).collect();
        let twins = places.iter().filter(|place| !folders.values().any(|folder| folder == *place));
        broken.extend(twins.map(|twin| format!("{twin} is of an alert that lies elsewhere")));
        let mut due: BTreeMap<String, String> = BTreeMap::new();
        let mut refused: BTreeSet<String> = BTreeSet::new();
        let mut may_be_withheld: BTreeSet<String> = BTreeSet::new();
        for record in &self.predictions {
            let event = parse(&record.data).unwrap_or_default();
            let alert = alert_of(&event).map(|id| {
                let folder = folders.get(id.as_str());
                (folder.map_or_else(|| format!("no folder of {id}/"), ToString::to_string), id)
            });
            match (self.quarantined(&self.predictions_stream, record), alert) {
                (Some(_), Some((folder, _))) => drop(refused.insert(folder)),
                (Some(_), None) => {}
                (None, Some((folder, id))) if is_probe(&event) => drop(due.insert(folder, id)),
                (None, Some((folder, id))) if meets(condition, &event) => {
                    if text(&event, "/data/comment/subreddit").is_some_and(|name| self.may_withhold.contains(name)) {
                        may_be_withheld.insert(folder.clone());
                    }
                    due.insert(folder, id);
                }
                (None, Some(_)) => {}
                (None, None) if self.is_settled_elsewhere(&self.predictions_stream, record) => {}
                (None, None) => broken.push(format!(
                    "prediction record {} is bad and not in {}",
                    record.sequence_number,
                    quarantine_key(&self.predictions_stream, record)
                )),
            }
        }
        let mut texts: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for notice in &self.notices {
            let id = parse(notice.body.as_bytes()).and_then(|alert| Some(text(&alert, "/id")?.to_owned()));
            texts.entry(id.unwrap_or_default()).or_default().insert(&notice.body);
        }
        for (folder, id) in &due {
            let published = texts.remove(id).unwrap_or_default();
            let requested = self.objects.get(&format!("{folder}requested.json")).cloned().unwrap_or_default();
            let written = |name: &str| self.objects.get(&format!("{folder}{name}.json")).map_or(0, Vec::len);
            let (sent, withheld) = (written("sent"), written("withheld"));
            if withheld > 0 && may_be_withheld.contains(folder) {
                if (requested.len(), withheld, sent, published.len()) != (1, 1, 0, 0) {
                    broken.push(format!("alert {id}: withheld {withheld} times, and published or not requested once"));
                }
                continue;
            }
            if published.len() != 1 {
                broken.push(format!("alert {id}: {} texts were published, not one", published.len()));
            }
            if (requested.len(), sent) != (1, 1) {
                broken.push(format!("alert {id}: requested.json written {}, sent.json {sent} times", requested.len()));
            }
            if requested.first().map(Vec::as_slice) != published.first().map(|text| text.as_bytes()) {
                broken.push(format!("alert {id}: what was published is not what was requested"));
            }
        }
        broken.extend(texts.keys().map(|id| format!("alert {id:?}: published, and no prediction asks for it")));
        for key in self.objects.keys().filter(|key| key.starts_with("alerts/")) {
            let folder = &key[..=key.rfind('/').unwrap_or_default()];
            let wished = refused.contains(folder) && key.ends_with("/requested.json");
            if !due.contains_key(folder) && !wished {
                broken.push(format!("{key}: no prediction asks for it"));
            }
        }
        broken
    }

    /// Alerts' ids, and the folders that they lie in.
    fn folders_of_alerts(&self) -> impl Iterator<Item = (&str, &str)> {
        let keys = self.objects.keys().filter_map(|key| key.strip_suffix("requested.json"));
        keys.filter_map(|folder| Some((folder.strip_prefix("alerts/")?.split('/').nth(1)?, folder)))
    }

    /// The alerts that were published again after their `sent.json` was there.
    pub fn published_after_sent(effects: &[Effect]) -> Vec<String> {
        let mut sent: BTreeSet<&str> = BTreeSet::new();
        let mut again = Vec::new();
        for effect in effects {
            match effect {
                Effect::Written { key } => {
                    sent.extend(key.strip_suffix("/sent.json").and_then(|folder| folder.rsplit('/').next()));
                }
                Effect::Published { id } if sent.contains(id.as_str()) => again.push(id.clone()),
                Effect::Published { .. } => {}
            }
        }
        again
    }
}

/// The alert's id, where this is a prediction.
fn alert_of(event: &Value) -> Option<String> {
    let field = |pointer: &str| text(event, pointer).filter(|text| !text.is_empty());
    let (source, id) = (field("/data/comment_event/source")?, field("/data/comment_event/id")?);
    Some(ids::alert(source, id, "default").to_string())
}

fn is_probe(event: &Value) -> bool {
    text(event, "/data/comment_event/source").is_some_and(|source| source == PROBE_SOURCE)
        && text(event, "/data/comment/body").is_some_and(|body| body.trim() == PROBE_BODY)
}

fn meets(condition: Condition, event: &Value) -> bool {
    let number = |pointer: &str| event.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN);
    if event.pointer("/data/not_judged").is_some() {
        return false;
    }
    match condition {
        Condition::Probability(least) => number("/data/probability") >= least,
        Condition::Precision(least) => number("/data/operating_point/precision") >= least,
        Condition::Share(most) => number("/data/operating_point/share") <= most,
    }
}
