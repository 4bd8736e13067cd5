//! Each alert is in one digest, of its own subreddit; there is one digest a subreddit and window, and each was sent.

use std::collections::{BTreeMap, BTreeSet};

use super::Evidence;
use super::json::{parse, text, time};
use jiff::{SignedDuration, Timestamp};
use modstream_events::ids;

/// How far back an alert may be that no digest covers yet.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    let mut windows: BTreeMap<(String, String), usize> = BTreeMap::new();
    // How many digests cover an alert, and of which subreddits.
    let mut covered: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, content) in evidence.under("digests/").filter(|(key, _)| !key.ends_with("/sent.json")) {
        let digest = parse(content).unwrap_or_default();
        let name = text(&digest, "/subreddit").unwrap_or_default().to_owned();
        let (Some(start), Some(end)) = (time(&digest, "/start"), time(&digest, "/end")) else {
            broken.push(format!("{key}: a digest of no time"));
            continue;
        };
        if !evidence.has(&key.replace(".json", "/sent.json")) {
            broken.push(format!("the digest {} was not sent", ids::digest(&name, start, end)));
        }
        let all = ["alerts", "explorations"].into_iter().filter_map(|list| digest[list].as_array()).flatten();
        for alert in all.filter_map(|alert| text(alert, "/id")) {
            covered.entry(alert.to_owned()).or_default().push(name.clone());
        }
        *windows.entry((name, start.to_string())).or_default() += 1;
    }
    broken.extend(windows.iter().filter(|(_, count)| **count > 1).map(|(of, _)| format!("{of:?} has two digests")));
    broken.extend(broken_in_cover(evidence, &covered));
    broken
}

fn broken_in_cover(evidence: &Evidence, covered: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut broken = Vec::new();
    let policies = evidence.policies();
    let mut ledger = BTreeSet::new();
    for (key, content) in evidence.under("alerts/") {
        let Some(folder) = key.strip_suffix("/requested.json") else { continue };
        let id = folder.rsplit('/').next().unwrap_or_default();
        ledger.insert(id);
        let event = parse(content).unwrap_or_default();
        let name = text(&event, "/data/comment/subreddit");
        let made = time(&event, "/time").unwrap_or(Timestamp::MIN);
        if made < evidence.last_due - LOOK_BACK {
            continue;
        }
        let by = covered.get(id).map(Vec::as_slice).unwrap_or_default();
        let is_wanted = policies.has_channel(name, "digest");
        // An exploration goes with an alert's digest, and makes none alone.
        let is_exploration = event.pointer("/data/exploration").is_some();
        match by {
            [] if !is_wanted || is_exploration => {}
            // There is nothing left to decide about the text that it is about.
            [] if ["superseded", "withdrawn"].iter().any(|why| evidence.has(&format!("{folder}/{why}.json"))) => {}
            [of] if is_wanted && of == name.unwrap_or_default() => {}
            by => broken.push(format!("alert {id} of {name:?} is in the digests of {by:?}")),
        }
    }
    let unknown = covered.keys().filter(|id| !ledger.contains(id.as_str()));
    broken.extend(unknown.map(|id| format!("a digest covers {id}, of which the ledger knows nothing")));
    broken
}
