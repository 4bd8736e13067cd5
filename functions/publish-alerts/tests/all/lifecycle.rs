//! What happens to a comment after it was written.

use modstream_events::{CommentDeleted, CommentReported, DeletedBy};
use serde_json::Value;

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
    async fn keys(&self, ending: &str) -> Vec<String> {
        let all = self.objects.list("").await.expect("lists");
        all.into_iter().filter(|key| key.ends_with(ending)).collect()
    }

    async fn object(&self, key: &str) -> Value {
        let Ok(Fetched::Object { bytes, .. }) = self.objects.get(key, None).await else { panic!("{key} is there") };
        serde_json::from_slice(&bytes).expect("JSON")
    }

    async fn all(&self, records: &[Vec<u8>]) {
        assert_eq!(self.handle(records).await, SUCCESS);
    }

    fn published(&self) -> usize {
        std::iter::from_fn(|| self.inbox.try_receive()).count()
    }
}

#[tokio::test(start_paused = true)]
async fn a_later_version_is_judged_and_supersedes_the_alerts_about_earlier_ones() {
    let fixture = Fixture::new("0.5");
    fixture.all(&[said(None, 0.9)]).await;
    assert_eq!(fixture.published(), 1);
    // The edit is harmless: it alerts about nothing, and what was said before is no longer to be decided.
    fixture.all(&[said(Some("2"), 0.1)]).await;
    assert_eq!((fixture.published(), fixture.keys("/superseded.json").await.len()), (0, 1));
    let superseded = fixture.keys("/superseded.json").await;
    assert_eq!(fixture.object(&superseded[0]).await["by"], "e-2");
    // The next one alerts anew, under an id of its own.
    fixture.all(&[said(Some("3"), 0.95)]).await;
    assert_eq!((fixture.published(), fixture.keys("/requested.json").await.len()), (1, 2));
    assert_eq!(fixture.keys("/superseded.json").await, superseded);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_of_an_earlier_version_changes_nothing() {
    let fixture = Fixture::new("0.5");
    fixture.all(&[said(Some("2"), 0.9), said(Some("3"), 0.9)]).await;
    assert_eq!(fixture.published(), 2);
    let before = fixture.keys("").await;
    fixture.all(&[said(Some("2"), 0.9)]).await;
    fixture.all(&[said(Some("2"), 0.9), said(Some("3"), 0.9)]).await;
    assert_eq!((fixture.published(), fixture.keys("").await), (0, before));
    // What comes after a later version is held back: nobody is told of a text that is no more.
    fixture.all(&[said(None, 0.9)]).await;
    assert_eq!(fixture.published(), 0);
    let [withheld] = &fixture.keys("/withheld.json").await[..] else { panic!("one is withheld") };
    assert_eq!(fixture.object(withheld).await["reason"], "superseded");
}

#[tokio::test(start_paused = true)]
async fn an_alert_lies_where_it_arrived_whatever_the_comments_clock_says_and_a_repeat_finds_it() {
    for clock in ["1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "-009999-01-02T02:00:00Z", "2026-01-05T18:30:00Z"] {
        let fixture = Fixture::new("0.5");
        let mut foreign = prediction();
        foreign.comment_event.time = clock.parse().expect("a time");
        fixture.all(&[encode(&foreign)]).await;
        let requested = fixture.keys("/requested.json").await;
        assert!(requested[0].starts_with("alerts/2026-01-05T10/"), "{requested:?}");
        let alert = fixture.object(&requested[0]).await;
        assert_eq!(alert["data"]["comment_event"]["time"], clock, "it is shown as it came");
        // A day later the same comment is the same alert.
        fixture.clock.sleep(Duration::from_secs(24 * 3600)).await;
        fixture.all(&[encode(&foreign)]).await;
        assert_eq!((fixture.published(), fixture.keys("/requested.json").await), (1, requested), "{clock}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_filed_and_never_requested_is_filed_anew_where_it_is_looked_for() {
    let fixture = Fixture::new("0.5");
    fixture.all(&[said(None, 0.9)]).await;
    let (filed, requested) = (fixture.keys("").await, fixture.keys("/requested.json").await);
    let filed = filed.iter().find(|key| key.starts_with("comments/")).expect("it is filed");
    // As after a crash between the two.
    let other = Fixture::new("0.5");
    let bytes = serde_json::to_vec(&fixture.object(filed).await).expect("JSON");
    other.objects.put(filed, bytes.into(), modstream_platform::Condition::Absent).await.expect("written");
    other.clock.sleep(Duration::from_secs(26 * 3600)).await;
    other.all(&[said(None, 0.9)]).await;
    let anew = other.keys("/requested.json").await;
    assert!(anew[0].starts_with("alerts/2026-01-06T12/") && anew != requested, "{anew:?}");
    assert_eq!(other.published(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_withdraws_the_alerts_and_takes_their_text_away() {
    let fixture = Fixture::new("0.5");
    fixture.all(&[said(None, 0.9), said(Some("2"), 0.9), deleted(DeletedBy::Author)]).await;
    assert_eq!(fixture.keys("/withdrawn.json").await.len(), 2);
    for key in fixture.keys("/requested.json").await {
        let alert = fixture.object(&key).await;
        let comment = &alert["data"]["comment"];
        assert_eq!((&comment["body"], &comment["author"], &comment["id"]), (&Value::Null, &Value::Null, &"c1".into()));
        assert_eq!(alert["data"]["terms"], serde_json::json!([]));
    }
    // A repeat of the comment brings nothing back.
    let before = fixture.keys("").await;
    fixture.published();
    fixture.all(&[said(None, 0.9), deleted(DeletedBy::Author)]).await;
    assert_eq!((fixture.published(), fixture.keys("").await), (0, before));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_comes_before_its_comment_counts_for_an_hour() {
    let fixture = Fixture::new("0.5");
    fixture.all(&[deleted(DeletedBy::Account)]).await;
    fixture.clock.sleep(Duration::from_secs(59 * 60)).await;
    fixture.all(&[said(None, 0.9)]).await;
    assert_eq!((fixture.published(), fixture.keys("/withdrawn.json").await.len()), (0, 1));
    let requested = fixture.keys("/requested.json").await;
    assert_eq!(fixture.object(&requested[0]).await["data"]["comment"]["body"], Value::Null);
    // What was withdrawn stays so, also where it is put back much later; a version that comes later for the first time is of a
    // comment that is back.
    fixture.clock.sleep(Duration::from_secs(2 * 60)).await;
    fixture.all(&[said(None, 0.9), deleted(DeletedBy::Account)]).await;
    assert_eq!((fixture.published(), fixture.keys("/withdrawn.json").await.len()), (0, 1));
    fixture.all(&[said(Some("2"), 0.9), deleted(DeletedBy::Account)]).await;
    assert_eq!((fixture.published(), fixture.keys("/withdrawn.json").await.len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_earlier_edit_that_comes_late_is_no_later_version() {
    let fixture = Fixture::new("0.5");
    // Times of edits have an order of their own, whichever comes first.
    fixture.all(&[said(Some("1767607500"), 0.9), said(Some("1767607200"), 0.9)]).await;
    assert_eq!(fixture.published(), 1);
    let [superseded] = &fixture.keys("/superseded.json").await[..] else { panic!("one is superseded") };
    assert_eq!(fixture.object(superseded).await["by"], "e-1767607500");
    let [withheld] = &fixture.keys("/withheld.json").await[..] else { panic!("one is held back") };
    assert_eq!(withheld.rsplit_once('/').map(|it| it.0), superseded.rsplit_once('/').map(|it| it.0));
}

#[tokio::test(start_paused = true)]
async fn a_text_that_says_nothing_of_versions_and_comes_after_them_is_shown() {
    let fixture = Fixture::new("0.5");
    fixture.all(&[said(Some("2"), 0.1)]).await;
    fixture.clock.sleep(Duration::from_secs(60)).await;
    fixture.all(&[said(None, 0.9)]).await;
    assert_eq!((fixture.published(), fixture.keys("/superseded.json").await.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_done_however_many_alerts_there_are() {
    let fixture = Fixture::new("0.5");
    let versions: Vec<Vec<u8>> = (0..300).map(|number| said(Some(&number.to_string()), 0.9)).collect();
    fixture.all(&versions).await;
    fixture.all(&[deleted(DeletedBy::Author)]).await;
    assert_eq!(fixture.keys("/withdrawn.json").await.len(), 300);
}

#[tokio::test(start_paused = true)]
async fn reports_stand_beside_the_alert_whichever_comes_first_and_a_person_counts_once() {
    let fixture = Fixture::new("0.5");
    fixture.all(&[reported("a"), said(None, 0.9), reported("b"), reported("a")]).await;
    let reports = fixture.keys(".json").await.into_iter().filter(|key| key.contains("/reports/")).count();
    assert_eq!((fixture.published(), reports), (1, 2));
    assert!(fixture.keys("").await.iter().all(|key| !key.starts_with("missed/")));
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
        assert_eq!(other.keys("").await.iter().any(|key| key.starts_with("missed/")), is_missed);
        let missed: Vec<String> =
            fixture.keys("").await.into_iter().filter(|key| key.starts_with("missed/2026-01-05T10/")).collect();
        assert_eq!(missed.len(), usize::from(is_missed), "{reporter:?} {by:?} {probability}");
    }
}
