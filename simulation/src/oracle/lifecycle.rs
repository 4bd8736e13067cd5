//! A later version supersedes the alerts about earlier ones, a deletion withdraws all of a comment and takes their text away,
//! a report stands beside each, and a comment that was reported, removed and never alerted about is noted as missed.

use std::collections::{BTreeMap, BTreeSet};

use modstream_events::ids;
use serde_json::Value;

use super::Evidence;
use super::json::{parse, text};

/// What the stream of predictions says of one comment, in its order.
#[derive(Default)]
struct Comment {
    /// The later versions by their numbers, each with its comment event and the place of its first prediction on the stream.
    versions: BTreeMap<u64, (String, usize)>,
    /// The places of each comment event's predictions on the stream: the first and the last.
    places: BTreeMap<String, (usize, usize)>,
    /// The places of its deletions.
    deleted: Vec<usize>,
    /// The places of deletions by a moderator.
    removed: Vec<usize>,
    /// The ids of its reports.
    reports: BTreeSet<String>,
}

/// An alert that lies in the ledger.
struct Alert<'a> {
    id: &'a str,
    folder: &'a str,
    comment_key: String,
    comment_event: String,
    /// Whether it asks to learn, and alerts nobody.
    explores: bool,
}

impl Comment {
    /// Whether an event is about an earlier text than the latest. Nobody can say it of one that tells no version, and that comes
    /// both before the latest version and after it.
    fn is_outdated(&self, comment_event: &str) -> Option<bool> {
        let Some((_, (latest, _))) = self.versions.last_key_value() else { return Some(false) };
        if self.versions.values().any(|(version, _)| version == comment_event) {
            return Some(latest != comment_event);
        }
        let (_, last) = self.places.get(comment_event)?;
        let is_before_all = self.versions.values().all(|(_, place)| last < place);
        is_before_all.then_some(true)
    }

    /// Whether the comment was gone before this event of it came.
    fn was_gone_before(&self, comment_event: &str) -> bool {
        let first = self.places.get(comment_event).map(|(first, _)| first);
        self.deleted.iter().min().is_some_and(|deleted| first.is_none_or(|first| deleted < first))
    }
}

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    let comments = comments(evidence);
    let alerts: Vec<Alert<'_>> = alerts(evidence);
    let mut broken = Vec::new();
    let nothing = Comment::default();
    // What was put back comes behind what came later.
    let keeps_order = evidence.redriven.put_back == 0;
    let is_version = |comment: &Comment, event: &str| comment.versions.values().any(|(version, _)| version == event);
    for Alert { id, folder, comment_key, comment_event, .. } in &alerts {
        let comment = comments.get(comment_key).unwrap_or(&nothing);
        let is_superseded = evidence.has(&format!("{folder}superseded.json"));
        let is_withdrawn = evidence.has(&format!("{folder}withdrawn.json"));
        // Of a comment that is gone, nothing is to be said any more.
        let follows = comment
            .is_outdated(comment_event)
            .filter(|_| !is_withdrawn && (keeps_order || is_version(comment, comment_event)));
        if follows.is_some_and(|follows| follows != is_superseded) {
            broken.push(format!("alert {id}: superseded {is_superseded}, of {:?}", comment.versions));
        }
        if is_withdrawn && comment.deleted.is_empty() {
            broken.push(format!("alert {id}: withdrawn, and its comment is there"));
        }
        let is_gone = !comment.deleted.is_empty() && !comment.was_gone_before(comment_event);
        if is_gone && !is_withdrawn && keeps_order {
            broken.push(format!("alert {id}: its comment is gone, and it is not withdrawn"));
        }
        if comment.was_gone_before(comment_event) && !is_withdrawn && keeps_order {
            broken.push(format!("alert {id}: its comment was gone before it was made, and it stands"));
        }
        let requested = evidence.objects.get(&format!("{folder}requested.json"));
        let now = requested.and_then(|contents| parse(contents.last()?)).unwrap_or_default();
        let is_told = now.pointer("/data/comment/body").is_some() || now.pointer("/data/comment/author").is_some();
        if is_withdrawn && is_told {
            broken.push(format!("alert {id}: withdrawn, and its text is there"));
        }
        let reports = evidence.under(&format!("{folder}reports/")).count();
        if reports != comment.reports.len() && !is_withdrawn {
            broken.push(format!("alert {id}: {reports} reports are beside it, not {}", comment.reports.len()));
        }
    }
    broken.extend(broken_in_missed(evidence, &comments, &alerts));
    broken
}

/// Whether the comment was gone before the prediction of this place on the stream, so that it asks for no alert.
pub(super) fn need_not_be(evidence: &Evidence) -> impl Fn(&Value, usize) -> bool {
    let comments = comments(evidence);
    let keeps_order = evidence.redriven.put_back == 0;
    move |prediction: &Value, place: usize| {
        comments.get(&comment_key(prediction)).is_some_and(|comment| {
            let before = |deleted: &usize| !keeps_order || *deleted < place;
            comment.deleted.iter().any(before)
        })
    }
}

/// The comment events that tell a later text than the one that each alert is about, where it says which version that is.
pub(super) fn later_versions(evidence: &Evidence) -> BTreeMap<String, BTreeSet<String>> {
    let comments = comments(evidence);
    let later = alerts(evidence).into_iter().filter_map(|alert| {
        let versions = &comments.get(&alert.comment_key)?.versions;
        let (own, _) = versions.iter().find(|(_, (event, _))| *event == alert.comment_event)?;
        let later = versions.range(own + 1..).map(|(_, (event, _))| event.clone()).collect();
        Some((alert.id.to_owned(), later))
    });
    later.collect()
}

/// Whether a comment has a later version than the one of this event.
pub(super) fn is_outdated(evidence: &Evidence, alert: &Value) -> bool {
    let event = text(alert, "/data/comment_event/id").unwrap_or_default();
    comments(evidence)
        .get(&comment_key(alert))
        .is_some_and(|comment| comment.versions.values().any(|(version, _)| version != event))
}

fn broken_in_missed(evidence: &Evidence, comments: &BTreeMap<String, Comment>, alerts: &[Alert<'_>]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut missed = BTreeSet::new();
    for (key, _) in evidence.under("missed/") {
        let comment_key = key.rsplit('/').next().and_then(|name| name.strip_suffix(".json")).unwrap_or_default();
        missed.insert(comment_key);
        let comment = comments.get(comment_key);
        if !comment.is_some_and(|comment| !comment.removed.is_empty() && !comment.reports.is_empty()) {
            broken.push(format!("{key}: the comment was not reported, or not removed"));
        }
        // What comes of it after the deletion may alert later.
        let is_before_all = |comment: &Comment, event: &str| {
            let last = comment.places.get(event).map(|(_, last)| last);
            last.is_some_and(|last| comment.deleted.iter().all(|deleted| last < deleted))
        };
        let alerted = alerts.iter().find(|alert| {
            let is_its_own = alert.comment_key == comment_key && !alert.explores;
            is_its_own && comment.is_some_and(|comment| is_before_all(comment, &alert.comment_event))
        });
        if let Some(alert) = alerted.filter(|_| evidence.redriven.put_back == 0) {
            broken.push(format!("{key}: alert {} was about it", alert.id));
        }
    }
    for (comment_key, comment) in comments.iter().filter(|_| evidence.redriven.put_back == 0) {
        // The first deletion says by whom; the others may come while it still holds.
        let is_removed = comment.deleted.iter().min().is_some_and(|first| comment.removed.contains(first));
        let has_alert = alerts.iter().any(|alert| alert.comment_key == *comment_key);
        if is_removed && !comment.reports.is_empty() && !has_alert && !missed.contains(comment_key.as_str()) {
            broken.push(format!("comment {comment_key} was missed, and nobody noted it"));
        }
    }
    broken
}

/// What all that is known of the comment is filed under, of a prediction or an alert.
fn comment_key(event: &Value) -> String {
    let source = text(event, "/data/comment_event/source").unwrap_or_default();
    let own = text(event, "/data/comment/id").filter(|id| !id.is_empty());
    let id = own.or_else(|| text(event, "/data/comment_event/id")).unwrap_or_default();
    ids::comment_key(source, id).to_string()
}

fn comments(evidence: &Evidence) -> BTreeMap<String, Comment> {
    let audit = evidence.audit();
    let mut comments: BTreeMap<String, Comment> = BTreeMap::new();
    for (place, record) in evidence.predictions.iter().enumerate() {
        // The topic alone refuses what stands in quarantine for that.
        let kept = audit.quarantined("predictions", record);
        if kept.is_some_and(|entry| text(&entry, "/data/reason") != Some("refused")) {
            continue;
        }
        let Some(event) = parse(&record.data) else { continue };
        let field = |pointer: &str| text(&event, pointer).unwrap_or_default().to_owned();
        let of_itself = || ids::comment_key(&field("/source"), &field("/data/id")).to_string();
        match text(&event, "/type") {
            Some("modstream.comment-deleted.v1") => {
                let comment = comments.entry(of_itself()).or_default();
                comment.deleted.push(place);
                if text(&event, "/data/by") == Some("moderator") {
                    comment.removed.push(place);
                }
            }
            Some("modstream.comment-reported.v1") => {
                let comment = comments.entry(of_itself()).or_default();
                let report = ids::comment_reported(&field("/source"), &field("/data/id"), &field("/data/reporter"));
                comment.reports.insert(report.to_string());
            }
            _ => {
                let comment = comments.entry(comment_key(&event)).or_default();
                let id = field("/data/comment_event/id");
                if let Some(number) = text(&event, "/data/version").and_then(|version| version.parse().ok()) {
                    comment.versions.entry(number).or_insert((id.clone(), place));
                }
                comment.places.entry(id).or_insert((place, place)).1 = place;
            }
        }
    }
    comments
}

fn alerts(evidence: &Evidence) -> Vec<Alert<'_>> {
    let requested = evidence.under("alerts/").filter_map(|(key, content)| {
        let folder = key.strip_suffix("requested.json")?;
        let id = folder.split('/').nth(2)?;
        let event = parse(content)?;
        let comment_event = text(&event, "/data/comment_event/id")?.to_owned();
        let explores = event.pointer("/data/exploration").is_some();
        Some(Alert { id, folder, comment_key: comment_key(&event), comment_event, explores })
    });
    requested.collect()
}
