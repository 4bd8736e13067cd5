//! What happened in which order.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use modstream_events::ids;

use super::Evidence;
use super::breakers::{self, message_id};
use super::json::{parse, text, time};
use super::lifecycle;
use crate::faults::{Effect, Noted};
use crate::plan::Function;

/// An instance looks at most this often whether a breaker is open; docs/policies.md says so.
const BREAKERS_ARE_KNOWN_AFTER: SignedDuration = SignedDuration::from_secs(10);

/// An invocation's beginning.
struct Began<'a> {
    function: Function,
    /// Its place among the effects.
    place: usize,
    at: Timestamp,
    due: Option<Timestamp>,
    /// How many records of its batch each comment event has.
    records: BTreeMap<&'a str, usize>,
}

/// A breaker that was opened.
struct Open {
    folder: String,
    by: u64,
    at: Timestamp,
    until: Timestamp,
}

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    let digests = digests_by_place(evidence);
    let until: BTreeMap<String, Timestamp> =
        breakers::all(evidence).into_iter().map(|breaker| (breaker.folder, breaker.until)).collect();
    let mut invocations: BTreeMap<u64, Began<'_>> = BTreeMap::new();
    let mut versions: BTreeMap<u64, &str> = BTreeMap::new();
    let mut stored: BTreeMap<(u64, &str), usize> = BTreeMap::new();
    let mut published: BTreeSet<(u64, &str)> = BTreeSet::new();
    let mut requested: BTreeSet<String> = BTreeSet::new();
    // The alerts and digests that are sent or withheld, and since when.
    let mut settled: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    let mut open: Vec<Open> = Vec::new();
    let later = lifecycle::later_versions(evidence);
    // Since when a comment's record knows of a version, by the event that tells it.
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    // The alerts that were made when a later text was known.
    let mut outdated: BTreeSet<String> = BTreeSet::new();
    for (place, Noted { at, effect }) in evidence.effects.iter().enumerate() {
        match effect {
            Effect::Began { invocation, function, comment_events, due } => {
                let mut records = BTreeMap::new();
                for id in comment_events {
                    *records.entry(id.as_str()).or_default() += 1;
                }
                let began = Began { function: *function, place, at: *at, due: *due, records };
                invocations.insert(*invocation, began);
            }
            Effect::Stored { invocation, comment_event, id, version, told } => {
                if *versions.entry(*invocation).or_insert(version) != version.as_str() {
                    broken.push(format!("invocation {invocation} scored with two models"));
                }
                let records = invocations.get(invocation).and_then(|began| began.records.get(comment_event.as_str()));
                let before = stored.entry((*invocation, id)).or_default();
                if *before >= records.copied().unwrap_or_default() {
                    broken
                        .push(format!("invocation {invocation} put prediction {id} again, and knew that it is stored"));
                }
                *before += usize::from(*told);
            }
            Effect::Written { invocation, key, content } => {
                let Some((folder, name)) = key.rsplit_once('/') else { continue };
                let id = match digests.get(folder) {
                    Some((id, _)) => id,
                    None => folder.rsplit('/').next().unwrap_or_default(),
                };
                match name {
                    // From then on the window's digests are to be sent, and not before.
                    "record" => {
                        let of_window = digests.iter().filter(|(key, _)| key.starts_with(&format!("{folder}/digest/")));
                        requested.extend(of_window.map(|(_, (id, _))| id.clone()));
                    }
                    "record.json" => {
                        let record = content.as_deref().and_then(parse).unwrap_or_default();
                        let versions = record["versions"].as_array().into_iter().flatten();
                        for event in versions.filter_map(|version| text(version, "/comment_event")) {
                            known.entry(event.to_owned()).or_insert(place);
                        }
                    }
                    "requested.json" => {
                        let began = invocations.get(invocation).map(|began| began.place).unwrap_or_default();
                        let is_known = |later: &String| known.get(later).is_some_and(|since| *since < began);
                        if later.get(id).is_some_and(|later| later.iter().any(is_known)) {
                            outdated.insert(id.to_owned());
                        }
                        requested.insert(id.to_owned());
                    }
                    "sent.json" | "withheld.json" => drop(settled.entry(id).or_insert((place, name))),
                    "opened.json" => {
                        requested.insert(message_id(folder));
                        let until = until.get(folder).copied().unwrap_or(Timestamp::MIN);
                        open.push(Open { folder: folder.to_owned(), by: *invocation, at: *at, until });
                    }
                    _ => {}
                }
            }
            Effect::Published { invocation, id, told, about_breaker } => {
                let Some(began) = invocations.get(invocation) else { continue };
                if !requested.contains(id) {
                    broken.push(format!("{id} was published before the ledger knew of it"));
                }
                if *about_breaker {
                    continue;
                }
                if outdated.contains(id) {
                    broken.push(format!("alert {id} was published, and a later text of its comment was known before"));
                }
                let settled = settled.get(id.as_str()).filter(|(place, _)| *place < began.place);
                if let Some((_, name)) = settled {
                    broken.push(format!("{id} was published by an invocation that began after its {name}"));
                }
                if published.contains(&(*invocation, id.as_str())) {
                    broken.push(format!("invocation {invocation} published {id} again, and knew that it is published"));
                }
                if *told {
                    published.insert((*invocation, id));
                }
                if began.function == Function::Publish
                    && let Some(open) = open.iter().find(|open| is_known(open, *invocation, began) && *at < open.until)
                {
                    broken.push(format!("alert {id} was published while the breaker {} was open", open.folder));
                }
                if let Some(due) = began.due
                    && let Some((_, subreddit)) = digests.values().find(|(known, _)| known == id)
                    && evidence.policies().is_quiet(subreddit.as_deref(), due)
                {
                    broken.push(format!("digest {id} was published in quiet hours"));
                }
            }
            Effect::Answered { invocation, late: true } => {
                broken.push(format!("invocation {invocation} answered after its deadline"));
            }
            Effect::Answered { late: false, .. } => {}
        }
    }
    broken
}

/// Whether an invocation must know of an open breaker: it opened it, or began long enough after.
fn is_known(open: &Open, invocation: u64, began: &Began<'_>) -> bool {
    open.by == invocation || began.at > open.at + BREAKERS_ARE_KNOWN_AFTER
}

/// The ids of digests and their subreddits, by where they lie: those of attempts that closed nothing, too.
fn digests_by_place(evidence: &Evidence) -> BTreeMap<String, (String, Option<String>)> {
    let of_windows = evidence.under("windows/").filter(|(key, _)| key.contains("/digest/") && !key.ends_with(".json"));
    let digests = of_windows.filter_map(|(key, content)| {
        let digest = parse(content)?;
        let name = text(&digest, "/subreddit");
        let id = ids::digest(name.unwrap_or_default(), time(&digest, "/start")?, time(&digest, "/end")?);
        Some((key.to_owned(), (id.to_string(), name.map(str::to_owned))))
    });
    digests.collect()
}
