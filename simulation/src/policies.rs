//! Documents of policies that runs go by, and what must hold under them.

use std::collections::{BTreeMap, BTreeSet};

use modstream_events::{Alert, Event, Prediction, ids};
use modstream_ledger::limits::{BREAKERS, BUDGETS, Opened, Scope};
use modstream_ledger::{Hour, Withheld, Withholding};
use modstream_platform::Objects;
use modstream_platform::memory::MemoryObjects;
use modstream_policy::{Judgement, Policies};
use modstream_tests::Audit;

use crate::faults::Faults;

/// What a run may go by instead of the environment's policy. Runs begin at 10:00 UTC, with comments of r/science.
pub(crate) const DOCUMENTS: [&str; 5] = [
    "[default]\nthreshold = 0.5\nmax_alerts_per_hour = 3\n[total]\nmax_alerts_per_hour = 2",
    "[default]\nthreshold = 0.5\nmax_alerts_per_hour = 4\n\
     quiet_hours = { from = \"10:00\", to = \"10:01\", time_zone = \"UTC\", keep = [\"high\"] }",
    "[default]\nthreshold = 0.8\nalways = [\"NUMBER 1\"]\nexploration_share = 0.1\nmax_alerts_per_hour = 2",
    "[default]\nthreshold = 0.4\nmax_alerts_per_hour = 8\n[breaker]\nmax_share = 0.3\nmin_alerts = 5\nopen_for = 2",
    "[default]\nthreshold = 1\n[subreddits.Science]\nthreshold = 0.5\nbase_rate = 0.6\nchannels = [\"digest\"]",
];

/// A document, checked.
pub(crate) fn document(number: usize) -> Policies {
    Policies::parse(DOCUMENTS[number % DOCUMENTS.len()]).expect("the documents of runs are good")
}

/// Counts what was withheld, by reason, and breakers.
pub(crate) async fn count_withheld(objects: &MemoryObjects, faults: &Faults) {
    for key in objects.list("").await.expect("the memory bucket lists") {
        let contents = objects.versions(&key);
        if key.starts_with(BREAKERS) && key.ends_with("/sent.json") {
            faults.count("breaker opened, message sent");
        }
        if !key.ends_with("/withheld.json") {
            continue;
        }
        let withheld = contents.first().and_then(|bytes| serde_json::from_slice::<Withheld>(bytes).ok());
        faults.count(match withheld.expect("the ledger's form").reason {
            Withholding::Budget => "alert withheld: budget",
            Withholding::Breaker => "alert withheld: breaker",
            Withholding::QuietHours => "alert withheld: quiet hours",
            Withholding::Channel => "alert withheld: channel",
            Withholding::Exploration => "alert withheld: exploration",
        });
    }
}

/// What is broken of the promise that every prediction which meets the policies, or is explored, is published or withheld, as
/// requested; that a budget is not exceeded; and that nothing is published in quiet hours or without its channel.
pub(crate) async fn broken(audit: &Audit, objects: &MemoryObjects, policies: &Policies) -> Vec<String> {
    let mut broken = audit.broken_in_quarantine();
    let (due, refused) = due(audit, policies);
    let mut published: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut told = 0;
    for notice in &audit.notices {
        if notice.attributes.contains_key("breaker") {
            told += 1;
            continue;
        }
        let id = Event::<'_, Alert<'_>>::decode(notice.body.as_bytes()).map(|event| event.id.into_owned());
        published.entry(id.unwrap_or_default()).or_default().insert(&notice.body);
    }
    for (folder, id) in &due {
        let has = |name: &str| audit.objects.contains_key(&format!("{folder}{name}"));
        let texts = published.get(id).cloned().unwrap_or_default();
        if !has("sent.json") && !has("withheld.json") {
            broken.push(format!("alert {id}: neither sent nor withheld"));
        }
        if has("sent.json") && texts.is_empty() {
            broken.push(format!("alert {id}: recorded as sent, and never published"));
        }
        let requested = audit.objects.get(&format!("{folder}requested.json")).and_then(|all| all.first());
        if texts.iter().any(|text| Some(text.as_bytes()) != requested.map(Vec::as_slice)) {
            broken.push(format!("alert {id}: what was published is not what was requested"));
        }
    }
    let ids: BTreeSet<&String> = due.values().collect();
    broken.extend(published.keys().filter(|id| !ids.contains(id)).map(|id| format!("alert {id}: never asked for")));
    for key in audit.objects.keys().filter(|key| key.starts_with("alerts/")) {
        let folder = &key[..=key.rfind('/').unwrap_or_default()];
        if !due.contains_key(folder) && !refused.contains(folder) {
            broken.push(format!("{key}: no prediction asks for it"));
        }
    }
    broken.extend(broken_in_limits(&published, policies));
    broken.extend(broken_in_breakers(objects, told).await);
    broken
}

/// The folders and ids of the alerts that predictions ask for; and the folders of those that the topic refuses.
fn due(audit: &Audit, policies: &Policies) -> (BTreeMap<String, String>, BTreeSet<String>) {
    let mut due = BTreeMap::new();
    let mut refused = BTreeSet::new();
    for record in &audit.predictions {
        let Ok(event) = Event::<'_, Prediction<'_>>::decode(&record.data) else { continue };
        let comment = &event.data.comment_event;
        let rules = policies.for_subreddit(event.data.comment.subreddit.as_deref());
        let id = match rules.judge(&event.data) {
            Judgement::Pass => continue,
            Judgement::Alert { .. } => ids::alert(&comment.source, &comment.id, &policies.name),
            Judgement::Explore { .. } => ids::exploration(&comment.source, &comment.id, &policies.name),
        };
        let folder = format!("{}{id}/", Hour::of(comment.time).prefix());
        if audit.quarantined(&audit.predictions_stream, record).is_some() {
            refused.insert(folder);
        } else {
            due.insert(folder, id.to_string());
        }
    }
    (due, refused)
}

fn broken_in_limits(published: &BTreeMap<String, BTreeSet<&str>>, policies: &Policies) -> Vec<String> {
    let mut broken = Vec::new();
    let mut spent: BTreeMap<(Hour, Scope), (u32, u32)> = BTreeMap::new();
    for text in published.values().filter_map(|texts| texts.first()) {
        let Ok(event) = Event::<'_, Alert<'_>>::decode(text.as_bytes()) else { continue };
        let subreddit = event.data.comment.subreddit.as_deref();
        let rules = policies.for_subreddit(subreddit);
        for (places, scope) in
            [(rules.max_alerts_per_hour, Scope::subreddit(subreddit)), (policies.max_alerts_per_hour, Scope::all())]
        {
            let Some(places) = places else { continue };
            spent.entry((Hour::of(event.time), scope)).or_insert((0, places)).0 += 1;
        }
        let is_quiet = rules.quiet_hours.as_ref().is_some_and(|it| it.withhold(event.time, event.data.severity));
        if is_quiet || !rules.channels.contains(&modstream_policy::Channel::Alerts) || event.data.exploration.is_some()
        {
            broken.push(format!("alert {} was published, and is to be withheld", event.id));
        }
    }
    for ((hour, scope), (alerts, places)) in spent {
        if alerts > places {
            broken.push(format!("{alerts} alerts of {scope} were published in {hour}, the budget is {places}"));
        }
    }
    broken
}

/// Limits' objects never change, and breakers are not open at once, but for those that nobody was told of.
async fn broken_in_breakers(objects: &MemoryObjects, told: usize) -> Vec<String> {
    let mut broken = Vec::new();
    let mut sent = 0;
    let mut announced: Vec<Opened> = Vec::new();
    for prefix in [BUDGETS, BREAKERS] {
        for key in objects.list(prefix).await.expect("the memory bucket lists") {
            if objects.versions(&key).len() > 1 {
                broken.push(format!("{key} was written more than once"));
            }
            let Some(folder) = key.strip_suffix("/sent.json") else { continue };
            sent += 1;
            let opened = objects.versions(&format!("{folder}/opened.json"));
            announced.extend(opened.first().and_then(|bytes| serde_json::from_slice(bytes).ok()));
        }
    }
    if told < sent {
        broken.push(format!("{sent} messages about breakers are recorded as sent, {told} were published"));
    }
    let overlap = announced.windows(2).filter(|pair| pair[1].time < pair[0].until).count();
    if overlap > 0 {
        broken.push(format!("{overlap} messages about breakers while another was open"));
    }
    broken
}
