//! What happened to a comment since the alert about it was made.

use modstream_events::DeletedBy;
use modstream_ledger::Missed;
use modstream_ledger::comments::Deletion;

use super::*;

impl Fixture {
    async fn edit(&self, alert: &AlertKey) {
        self.ledger().supersede(alert, "e-2").await.expect("recorded");
    }

    /// Withdraws an alert, and leaves its text there.
    async fn delete(&self, alert: &AlertKey) {
        let mut entry = self.ledger().entry(alert).await.expect("readable").expect("there");
        entry.event.clear();
        let deletion =
            Deletion { time: self.clock.now(), by: DeletedBy::Author, event: ("d".to_owned(), self.clock.now()) };
        self.ledger().withdraw(&entry, &deletion).await.expect("recorded");
    }
}

/// The place of an alert in the page, as far as it has it.
fn place(page: &str, alert: &AlertKey) -> Option<usize> {
    page.find(&format!("name=\"id\" value=\"{}\"", alert.id))
}

#[tokio::test(start_paused = true)]
async fn what_was_edited_or_deleted_leaves_the_queue_and_its_page_asks_nothing() {
    let fixture = Fixture::new(Access::Iam);
    let stays = fixture.alert(1, Severity::Low, 5, "is there").await;
    for (number, name, said) in
        [(2, "edited", "This comment says something else by now"), (3, "deleted", "This comment is gone")]
    {
        let mut event = event(number, Severity::High, fixture.clock.now(), "Buy my coins");
        event.data.comment.subreddit = Some("science".into());
        let alert = fixture.request(event).await;
        // It is read, and kept for a while, before anything happens to it.
        assert!(fixture.at_desk(get("/")).await.body.contains("Buy my coins"), "{name}");
        match name {
            "edited" => fixture.edit(&alert).await,
            _ => fixture.delete(&alert).await,
        }
        let desk = fixture.at_desk(get("/")).await.body;
        assert!(place(&desk, &stays).is_some() && place(&desk, &alert).is_none(), "{name}: {desk}");
        assert!(desk.contains("1 alert waiting"), "{name}: {desk}");
        let page = fixture.get(&fixture.link(&alert)).await.body;
        assert!(page.contains(said) && !page.contains("name=\"action\""), "{name}: {page}");
        // The text of a deleted comment is not shown, whatever the item still has.
        assert_eq!(page.contains("Buy my coins"), name == "edited", "{name}: {page}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_decision_about_an_earlier_text_stays_and_is_marked() {
    let fixture = Fixture::new(Access::Iam);
    let alert = fixture.alert(1, Severity::Low, 5, "Buy my coins").await;
    assert_eq!(fixture.post(&fixture.link(&alert), "action=keep&moderator=ben&after=0").await.status, 303);
    assert!(!fixture.at_desk(get("/")).await.body.contains("Decided on an earlier text"));
    fixture.edit(&alert).await;
    assert!(fixture.at_desk(get("/")).await.body.contains("Decided on an earlier text"));
    let page = fixture.get(&fixture.link(&alert)).await.body;
    assert!(page.contains("Decided: keep") && page.contains("This is about an earlier text"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn reports_raise_an_alert_among_those_of_its_severity() {
    let fixture = Fixture::new(Access::Iam);
    let older = fixture.alert(1, Severity::Medium, 20, "older").await;
    let reported = fixture.alert(2, Severity::Medium, 10, "reported").await;
    let severe = fixture.alert(3, Severity::High, 5, "severe").await;
    let entry = fixture.ledger().entry(&reported).await.expect("readable").expect("there");
    fixture.ledger().report(&entry, 2).await.expect("recorded");
    let desk = fixture.at_desk(get("/")).await.body;
    let places = [severe, reported, older].map(|alert| place(&desk, &alert).expect("it waits"));
    assert!(places.is_sorted(), "{places:?}");
    assert!(desk.contains("reported 2 times"), "{desk}");
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_in_a_day_is_counted() {
    let fixture = Fixture::new(Access::Iam);
    let missed = async || {
        let page = fixture.at_desk(get("/")).await.body;
        let value = page.split("<dt>Missed</dt><dd>").nth(1).and_then(|rest| rest.split('<').next());
        value.expect("a number").to_owned()
    };
    assert_eq!(missed().await, "0");
    for time in ["2026-01-05T09:00:00Z", "2026-01-04T20:00:00Z", "2026-01-04T03:00:00Z"] {
        let missed = Missed { time: time.parse().expect("a time"), subreddit: None, reports: 1 };
        fixture.ledger().missed("c", &missed).await.expect("recorded");
    }
    assert_eq!(missed().await, "2");
}
