//! What happens to a comment after it was written.

use modstream_events::{CommentDeleted, CommentReported, DeletedBy};
use modstream_ledger::{Entry, Fate, Withholding};
use modstream_platform::table::{Condition, Table as _};

use super::*;

const FORUM: &str = "urn:example:forum";

/// A version of the comment, as the scorer tells of it; without a name the first.
fn said(version: Option<&str>, probability: f64) -> Vec<u8> {
    let id = version.map_or_else(|| "e-1".to_owned(), |version| format!("e-{version}"));
    let mut prediction = prediction();
    prediction.comment_event.id = id.into();
    prediction.comment.author = Some("copper".into());
    prediction.version = version.map(|version| version.to_owned().into());
    prediction.probability = probability;
    encode(&prediction)
}

fn deleted(by: DeletedBy) -> Vec<u8> {
    let data = CommentDeleted { id: "c1".into(), subreddit: Some("science".into()), by };
    Event::new("d-1", FORUM, time(), data).encode()
}

fn reported(reporter: &str) -> Vec<u8> {
    let data = CommentReported {
        id: "c1".into(),
        subreddit: None,
        reporter: (!reporter.is_empty()).then(|| reporter.to_owned().into()),
        reason: None,
    };
    Event::new(format!("r-{reporter}"), FORUM, time(), data).encode()
}

impl Fixture {
    async fn all(&self, records: &[Vec<u8>]) {
        assert_eq!(self.handle(records).await, SUCCESS);
    }

    fn published(&self) -> usize {
        std::iter::from_fn(|| self.inbox.try_receive()).count()
    }

    /// The alert about the version of this name.
    fn about(&self, version: Option<&str>) -> Entry {
        let event = version.map_or_else(|| "e-1".to_owned(), |version| format!("e-{version}"));
        let id = modstream_events::ids::alert(FORUM, &event, "default").to_string();
        self.entries().into_iter().find(|entry| entry.key.id == id).expect("an alert about it")
    }

    fn withdrawn(&self) -> usize {
        self.entries().iter().filter(|entry| entry.withdrawn.is_some()).count()
    }

    /// The alerts that an index lists, by the attribute that keeps them there: its part for comments that stand as they were.
    fn listed(&self, attribute: &str) -> usize {
        let part = attribute.strip_prefix("in_");
        self.table.items().iter().filter(|item| item.text(attribute) == part).count()
    }

    fn missed(&self) -> usize {
        self.table.items().iter().filter(|item| item.key.partition == "missed").count()
    }
}

/// What an alert says of its comment.
fn comment(entry: &Entry) -> modstream_events::Comment<'static> {
    let event: Event<'_, Alert<'_>> = Event::decode(&entry.event).expect("an alert event");
    event.into_owned().data.comment
}

#[tokio::test(start_paused = true)]
async fn a_later_version_is_judged_and_supersedes_the_alerts_about_earlier_ones() {
    let fixture = Fixture::new("0.5");
    fixture.all(&[said(None, 0.9)]).await;
    assert_eq!(fixture.published(), 1);
    // The edit is harmless: it alerts about nothing, and what was said before is no longer to be decided.
    fixture.all(&[said(Some("2"), 0.1)]).await;
    assert_eq!(fixture.published(), 0);
    assert_eq!(fixture.about(None).superseded.expect("superseded").by, "e-2");
    assert_eq!((fixture.listed("in_open"), fixture.listed("in_made")), (0, 0));
    // The next one alerts anew, under an id of its own.
    fixture.all(&[said(Some("3"), 0.95)]).await;
    assert_eq!((fixture.published(), fixture.entries().len()), (1, 2));
    assert_eq!(fixture.about(None).superseded.expect("superseded").by, "e-2");
    assert_eq!(
        (fixture.about(Some("3")).superseded, fixture.listed("in_open"), fixture.listed("in_made")),
        (None, 1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_repeat_of_an_earlier_version_changes_nothing() {
    let fixture = Fixture::new("0.5");
    fixture.all(&[said(Some("2"), 0.9), said(Some("3"), 0.9)]).await;
    assert_eq!(fixture.published(), 2);
    let before = fixture.table.items();
    fixture.all(&[said(Some("2"), 0.9)]).await;
    fixture.all(&[said(Some("2"), 0.9), said(Some("3"), 0.9)]).await;
    assert_eq!((fixture.published(), fixture.table.items()), (0, before));
    // What comes after a later version is held back: nobody is told of a text that is no more.
    fixture.all(&[said(None, 0.9)]).await;
    assert_eq!(fixture.published(), 0);
    assert_eq!(fixture.about(None).withheld().expect("withheld").reason, Withholding::Superseded);
}

#[tokio::test(start_paused = true)]
async fn an_alerts_time_is_its_arrival_whatever_the_comments_clock_says_and_a_repeat_finds_it() {
    for clock in ["1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "-009999-01-02T02:00:00Z", "2026-01-05T18:30:00Z"] {
        let fixture = Fixture::new("0.5");
        let mut foreign = prediction();
        foreign.comment_event.time = clock.parse().expect("a time");
        fixture.all(&[encode(&foreign)]).await;
        let [entry] = &fixture.entries()[..] else { panic!("one alert") };
        assert_eq!(entry.made, time());
        let event: serde_json::Value = serde_json::from_slice(&entry.event).expect("JSON");
        assert_eq!(event["data"]["comment_event"]["time"], clock, "it is shown as it came");
        // A day later the same comment is the same alert.
        fixture.clock.sleep(Duration::from_secs(24 * 3600)).await;
        fixture.all(&[encode(&foreign)]).await;
        assert_eq!((fixture.published(), fixture.entries()), (1, vec![entry.clone()]), "{clock}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_follows_from_rules_is_one_write_and_was_never_on_its_way() {
    let fixture = Fixture::new("0.5");
    fixture.all(&[said(Some("3"), 0.1), said(Some("2"), 0.9)]).await;
    assert!(matches!(fixture.about(Some("2")).fate, Fate::Withheld(why) if why.reason == Withholding::Superseded));
    let usage = fixture.table.usage();
    assert_eq!(usage.calls_of(modstream_platform::table::Operation::PutItem), 3, "two of the record, one of the alert");
}

#[tokio::test(start_paused = true)]
async fn a_deletion_withdraws_the_alerts_and_takes_their_text_away() {
    let fixture = Fixture::new("0.5");
    fixture.all(&[said(None, 0.9), said(Some("2"), 0.9), deleted(DeletedBy::Author)]).await;
    assert_eq!((fixture.withdrawn(), fixture.listed("in_open"), fixture.listed("in_made")), (2, 0, 0));
    for entry in fixture.entries() {
        let said = comment(&entry);
        assert_eq!((said.body, said.author, said.id.as_deref()), (None, None, Some("c1")));
        let event: serde_json::Value = serde_json::from_slice(&entry.event).expect("JSON");
        assert_eq!(event["data"]["terms"], serde_json::json!([]));
    }
    // A repeat of the comment brings nothing back.
    let before = fixture.table.items();
    fixture.published();
    fixture.all(&[said(None, 0.9), deleted(DeletedBy::Author)]).await;
    assert_eq!((fixture.published(), fixture.table.items()), (0, before));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_comes_before_its_comment_counts_for_an_hour() {
    let fixture = Fixture::new("0.5");
    fixture.all(&[deleted(DeletedBy::Account)]).await;
    fixture.clock.sleep(Duration::from_secs(59 * 60)).await;
    fixture.all(&[said(None, 0.9)]).await;
    assert_eq!((fixture.published(), fixture.withdrawn()), (0, 1));
    assert_eq!(comment(&fixture.about(None)).body, None);
    // What was withdrawn stays so, also where it is put back much later; a version that comes later for the first time is of a
    // comment that is back.
    fixture.clock.sleep(Duration::from_secs(2 * 60)).await;
    fixture.all(&[said(None, 0.9), deleted(DeletedBy::Account)]).await;
    assert_eq!((fixture.published(), fixture.withdrawn()), (0, 1));
    fixture.all(&[said(Some("2"), 0.9), deleted(DeletedBy::Account)]).await;
    assert_eq!((fixture.published(), fixture.withdrawn()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_earlier_edit_that_comes_late_is_no_later_version() {
    let fixture = Fixture::new("0.5");
    // Times of edits have an order of their own, whichever comes first.
    fixture.all(&[said(Some("1767607500"), 0.9), said(Some("1767607200"), 0.9)]).await;
    assert_eq!(fixture.published(), 1);
    let early = fixture.about(Some("1767607200"));
    assert_eq!(early.withheld().expect("held back").reason, Withholding::Superseded);
    assert_eq!(early.superseded.expect("superseded").by, "e-1767607500");
    assert_eq!(fixture.about(Some("1767607500")).superseded, None);
}

#[tokio::test(start_paused = true)]
async fn a_text_that_says_nothing_of_versions_and_comes_after_them_is_shown() {
    let fixture = Fixture::new("0.5");
    fixture.all(&[said(Some("2"), 0.1)]).await;
    fixture.clock.sleep(Duration::from_secs(60)).await;
    fixture.all(&[said(None, 0.9)]).await;
    assert_eq!((fixture.published(), fixture.about(None).superseded), (1, None));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_done_however_many_alerts_there_are() {
    let fixture = Fixture::new("0.5");
    let versions: Vec<Vec<u8>> = (0..300).map(|number| said(Some(&number.to_string()), 0.9)).collect();
    fixture.all(&versions).await;
    fixture.all(&[deleted(DeletedBy::Author)]).await;
    assert_eq!(fixture.withdrawn(), 300);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_of_a_comment_with_thousands_of_alerts_goes_on_in_the_next_invocation_where_it_was() {
    let fixture = Fixture::new("0.5");
    fixture.all(&[said(None, 0.9)]).await;
    // As by a producer that gives all comments one id.
    let entry = fixture.table.items().into_iter().find(|item| item.key.sort.starts_with("alert#")).expect("an alert");
    for number in 0..5_000 {
        let mut other = entry.clone();
        other.key.sort = format!("alert#{number:05}");
        fixture.table.put(&other, &Condition::Absent).await.expect("written");
    }
    // A clock by which each look takes a millisecond, so that the time of an invocation runs out.
    let mut invocations = 0;
    let mut withdrawn = Vec::new();
    loop {
        let clock = crate::deadline::Ticking::new(fixture.clock, Duration::from_millis(1));
        let topic = modstream_platform::memory::MemoryTopic::new("alerts");
        let function = PublishAlerts::new(&config("0.5"), topic, fixture.table.clone(), fixture.objects.clone(), clock);
        let deadline = fixture.clock.now() + Duration::from_secs(2);
        let response = function.handle(&payload(&[deleted(DeletedBy::Author)]), deadline).await.expect("a batch");
        invocations += 1;
        withdrawn.push(fixture.withdrawn());
        if response.batch_item_failures.is_empty() {
            break;
        }
        assert!(invocations < 20, "it does not get on: {withdrawn:?}");
    }
    assert!(invocations > 2 && withdrawn.is_sorted_by(|one, next| one < next), "{withdrawn:?}");
    assert_eq!(fixture.withdrawn(), 5_001);
}

#[tokio::test(start_paused = true)]
async fn reports_stand_beside_the_alert_whichever_comes_first_and_a_person_counts_once() {
    let fixture = Fixture::new("0.5");
    fixture.all(&[reported("a"), said(None, 0.9), reported("b"), reported("a")]).await;
    assert_eq!((fixture.published(), fixture.about(None).reports, fixture.missed()), (1, 2, 0));
    // Of alerts of one severity, those reported more often come first.
    let ledger = modstream_ledger::Ledger::new(&fixture.table, &fixture.clock, time() + Duration::from_secs(600));
    let mut other = prediction();
    (other.comment.id, other.comment_event.id, other.probability) = (Some("c0".into()), "e-0".into(), 0.95);
    fixture.clock.sleep(Duration::from_secs(60)).await;
    fixture.all(&[encode(&other)]).await;
    let waiting = ledger.waiting(None).await.expect("a page").found;
    assert_eq!((waiting.len(), &waiting[0].key), (2, &fixture.about(None).key));
}

#[tokio::test(start_paused = true)]
async fn what_was_reported_and_removed_without_an_alert_was_missed() {
    for (reporter, by, probability, is_missed) in [
        (Some("a"), DeletedBy::Moderator, 0.1, true),
        (Some(""), DeletedBy::Moderator, 0.1, true),
        (None, DeletedBy::Moderator, 0.1, false),
        (Some("a"), DeletedBy::Author, 0.1, false),
        (Some("a"), DeletedBy::Moderator, 0.9, false),
    ] {
        let fixture = Fixture::new("0.5");
        let report = reporter.map(reported);
        let records: Vec<Vec<u8>> = [said(None, probability)].into_iter().chain(report).chain([deleted(by)]).collect();
        fixture.all(&records).await;
        // Reports and deletions may come from elsewhere than comments do, and in another order.
        let other = Fixture::new("0.5");
        let order = [said(None, probability), deleted(by)].into_iter().chain(reporter.map(reported));
        other.all(&order.collect::<Vec<_>>()).await;
        assert_eq!(other.missed(), usize::from(is_missed));
        assert_eq!(fixture.missed(), usize::from(is_missed), "{reporter:?} {by:?} {probability}");
    }
}
