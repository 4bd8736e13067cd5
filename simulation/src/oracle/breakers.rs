//! A breaker opens where too many comments alert, for as long as the policies say, one at a time; and its message is published.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use modstream_events::ids;
use serde_json::Value;
use uuid::Uuid;

use super::Evidence;
use super::json::{number, parse, text, time};

/// A breaker as its objects say.
pub(super) struct Breaker {
    pub(super) folder: String,
    opened: Value,
    pub(super) until: Timestamp,
    is_sent: bool,
}

/// The id of the message about a breaker, which follows from its name.
pub(super) fn message_id(folder: &str) -> String {
    Uuid::new_v5(&ids::NAMESPACE, folder.trim_start_matches("breakers/").as_bytes()).to_string()
}

/// All breakers, in the order of their opening.
pub(super) fn all(evidence: &Evidence) -> Vec<Breaker> {
    let opened =
        evidence.under("breakers/").filter_map(|(key, content)| Some((key.strip_suffix("/opened.json")?, content)));
    let breakers = opened.map(|(folder, content)| {
        let opened = parse(content).unwrap_or_default();
        Breaker {
            folder: folder.to_owned(),
            until: time(&opened, "/until").unwrap_or(Timestamp::MAX),
            opened,
            is_sent: evidence.has(&format!("{folder}/sent.json")),
        }
    });
    breakers.collect()
}

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    let all = all(evidence);
    let told: BTreeSet<String> = evidence
        .notices
        .iter()
        .filter(|notice| notice.attributes.contains_key("breaker"))
        .filter_map(|notice| Some(text(&parse(notice.body.as_bytes())?, "/id")?.to_owned()))
        .collect();
    for breaker in &all {
        if let Err(why) = is_due(evidence, breaker) {
            broken.push(format!("{}: {why}: {}", breaker.folder, breaker.opened));
        }
        if breaker.is_sent && !told.contains(&message_id(&breaker.folder)) {
            broken.push(format!("{}: its message is recorded as sent, and was not published", breaker.folder));
        }
    }
    let known: BTreeSet<String> = all.iter().map(|breaker| message_id(&breaker.folder)).collect();
    broken.extend(told.difference(&known).map(|id| format!("message {id} is about no breaker")));
    // Several may open at once; moderators are told of one.
    let announced: Vec<&Breaker> = all.iter().filter(|breaker| breaker.is_sent).collect();
    let overlaps = |pair: &&[&Breaker]| time(&pair[1].opened, "/time").is_some_and(|opened| opened < pair[0].until);
    let overlap = announced.windows(2).filter(overlaps).count();
    if overlap > 0 {
        broken.push(format!("{overlap} messages about breakers while another was open"));
    }
    broken
}

/// Whether a breaker had to open, by its own numbers, and stays open as long as it has to.
fn is_due(evidence: &Evidence, breaker: &Breaker) -> Result<(), &'static str> {
    let policies = evidence.policies();
    let rules = policies.breaker().ok_or("the policies have none")?;
    let rule = |name: &str, usual: f64| rules[name].as_f64().unwrap_or(usual);
    let counted = |name: &str| number(&breaker.opened, name);
    let (alerts, predictions) = (counted("/alerts"), counted("/predictions"));
    let comments: BTreeSet<Option<String>> = evidence
        .predictions
        .iter()
        .map(|record| Some(text(&parse(&record.data)?, "/data/comment_event/id")?.to_owned()))
        .collect();
    if predictions > comments.len() as f64 || alerts > predictions {
        return Err("it counts more than there is");
    }
    if alerts < rule("min_alerts", 50.0) || alerts <= rule("max_share", f64::NAN) * predictions {
        return Err("so many may alert");
    }
    let minutes = SignedDuration::from_secs((rule("open_for", 60.0) * 60.0) as i64);
    let opened = time(&breaker.opened, "/time").ok_or("it does not say when it opened")?;
    if opened + minutes != breaker.until {
        return Err("it is open for another time than the policies say");
    }
    Ok(())
}
