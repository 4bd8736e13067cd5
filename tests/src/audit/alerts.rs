//! Predictions in, alerts and their ledger out.

use std::collections::{BTreeMap, BTreeSet};

use modstream_events::{PROBE_BODY, PROBE_SOURCE, ids};
use publish_alerts::Condition;
use serde_json::Value;

use super::{Audit, LedgerAlert, parse, quarantine_key, text};
use crate::faults::Effect;

impl Audit {
    /// What is broken of the promise that every prediction which meets `condition`, under the policy name `default`, is one
    /// alert: published at least once, under one id and text, made in the ledger and recorded as sent; and nothing else is. So
    /// is the probe.
    ///
    /// That an alert was made and recorded as sent is read off its item. Whether one of these writes took effect twice can't be
    /// seen there: the simulation notes every write, and asks.
    ///
    /// Where policies may withhold, an alert may be withheld instead: recorded, and not published.
    ///
    /// A prediction in quarantine is no alert: its id may be made and is not sent.
    pub fn broken_in_alerting(&self, condition: Condition) -> Vec<String> {
        let mut broken = self.broken_quarantine(&self.predictions_stream, &self.predictions);
        let mut alerts: BTreeMap<&str, &LedgerAlert> = BTreeMap::new();
        for alert in &self.alerts {
            if alerts.insert(&alert.id, alert).is_some() {
                broken.push(format!("alert {}: it lies in two places", alert.id));
            }
        }
        let mut due: BTreeSet<String> = BTreeSet::new();
        let mut refused: BTreeSet<String> = BTreeSet::new();
        let mut may_be_withheld: BTreeSet<String> = BTreeSet::new();
        for record in &self.predictions {
            let event = parse(&record.data).unwrap_or_default();
            match (self.quarantined(&self.predictions_stream, record), alert_of(&event)) {
                (Some(_), alert) => refused.extend(alert),
                (None, Some(id)) if is_probe(&event) => drop(due.insert(id)),
                (None, Some(id)) if meets(condition, &event) => {
                    if text(&event, "/data/comment/subreddit").is_some_and(|name| self.may_withhold.contains(name)) {
                        may_be_withheld.insert(id.clone());
                    }
                    due.insert(id);
                }
                (None, Some(_)) => {}
                (None, None) if is_lifecycle_event(&event) => {}
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
        for id in &due {
            let published = texts.remove(id).unwrap_or_default();
            let made = alerts.get(id.as_str());
            let (is_sent, is_withheld) = made.map_or((false, false), |alert| (alert.is_sent, alert.is_withheld));
            if is_withheld && may_be_withheld.contains(id) {
                if is_sent || !published.is_empty() {
                    broken.push(format!("alert {id}: withheld, and published"));
                }
                continue;
            }
            if published.len() != 1 {
                broken.push(format!("alert {id}: {} texts were published, not one", published.len()));
            }
            if !is_sent {
                broken.push(format!("alert {id}: made {}, sent {is_sent}", made.is_some()));
            }
            if made.map(|alert| alert.event.as_slice()) != published.first().map(|text| text.as_bytes()) {
                broken.push(format!("alert {id}: what was published is not what was made"));
            }
        }
        broken.extend(texts.keys().map(|id| format!("alert {id:?}: published, and no prediction asks for it")));
        for alert in self.alerts.iter().filter(|alert| !due.contains(&alert.id)) {
            if !refused.contains(&alert.id) || alert.is_sent || alert.is_withheld {
                broken.push(format!("alert {}: no prediction asks for it", alert.id));
            }
        }
        broken
    }

    /// The alerts that were published again after they were recorded as sent.
    pub fn published_after_sent(effects: &[Effect]) -> Vec<String> {
        let mut sent: BTreeSet<&str> = BTreeSet::new();
        let mut again = Vec::new();
        for effect in effects {
            match effect {
                Effect::Written { key } => {
                    sent.extend(
                        key.strip_suffix("/sent").and_then(|item| item.rsplit_once("alert#")).map(|(_, id)| id),
                    );
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

/// Whether it says what became of a comment, which asks for no alert.
fn is_lifecycle_event(event: &Value) -> bool {
    let kind = text(event, "/type").unwrap_or_default();
    kind.starts_with("modstream.comment-deleted.") || kind.starts_with("modstream.comment-reported.")
}

fn meets(condition: Condition, event: &Value) -> bool {
    let number = |pointer: &str| event.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN);
    if ["/data/not_judged", "/data/support"].iter().any(|mark| event.pointer(mark).is_some()) {
        return false;
    }
    match condition {
        Condition::Probability(least) => number("/data/probability") >= least,
        Condition::Precision(least) => number("/data/operating_point/precision") >= least,
        Condition::Share(most) => number("/data/operating_point/share") <= most,
    }
}
