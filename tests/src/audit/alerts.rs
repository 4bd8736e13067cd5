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
        let mut due: BTreeMap<String, String> = BTreeMap::new();
        let mut refused: BTreeSet<String> = BTreeSet::new();
        let mut may_be_withheld: BTreeSet<String> = BTreeSet::new();
        for record in &self.predictions {
            let event = parse(&record.data).unwrap_or_default();
            let alert = alert_of(&event);
            match (self.quarantined(&self.predictions_stream, record), alert) {
                (Some(_), Some((id, hour))) => drop(refused.insert(ledger(&hour, &id))),
                (Some(_), None) => {}
                (None, Some((id, hour))) if is_probe(&event) => drop(due.insert(ledger(&hour, &id), id)),
                (None, Some((id, hour))) if meets(condition, &event) => {
                    let folder = ledger(&hour, &id);
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

/// The alert's id and hour, where this is a prediction.
fn alert_of(event: &Value) -> Option<(String, String)> {
    let field = |pointer: &str| text(event, pointer).filter(|text| !text.is_empty());
    let (source, id) = (field("/data/comment_event/source")?, field("/data/comment_event/id")?);
    let hour = field("/data/comment_event/time")?.get(..13)?;
    Some((ids::alert(source, id, "default").to_string(), hour.to_owned()))
}

fn ledger(hour: &str, id: &str) -> String {
    format!("alerts/{hour}/{id}/")
}

fn is_probe(event: &Value) -> bool {
    text(event, "/data/comment_event/source").is_some_and(|source| source == PROBE_SOURCE)
        && text(event, "/data/comment/body").is_some_and(|body| body.trim() == PROBE_BODY)
}

fn meets(condition: Condition, event: &Value) -> bool {
    let number = |pointer: &str| event.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN);
    match condition {
        Condition::Probability(least) => number("/data/probability") >= least,
        Condition::Precision(least) => number("/data/operating_point/precision") >= least,
        Condition::Share(most) => number("/data/operating_point/share") <= most,
    }
}
