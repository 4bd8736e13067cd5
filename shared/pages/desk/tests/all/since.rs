//! What happened to a comment since the alert about it was made.

use super::*;

impl Fixture {
    /// Records something beside an alert, as `publish-alerts` does.
    async fn beside(&self, (hour, id): (Hour, Uuid), name: &str) {
        self.put(&format!("alerts/{hour}/{id}/{name}"), "{}").await;
    }
}

/// The place of an alert in the page, as far as it has it.
fn place(page: &str, (_, id): (Hour, Uuid)) -> Option<usize> {
    page.find(&format!("name=\"id\" value=\"{id}\""))
}

#[tokio::test(start_paused = true)]
async fn what_was_edited_or_deleted_leaves_the_queue_and_its_page_asks_nothing() {
    let fixture = Fixture::new(Access::Iam);
    let stays = fixture.alert(1, Severity::Low, 5, "is there").await;
    for (number, name, said) in [
        (2, "superseded.json", "This comment says something else by now"),
        (3, "withdrawn.json", "This comment is gone"),
    ] {
        let mut event = event(number, Severity::High, fixture.clock.now(), "Buy my coins");
        event.data.comment.subreddit = Some("science".into());
        let alert = fixture.request(event).await;
        // It is read, and kept for a while, before anything happens to it.
        assert!(fixture.at_desk(get("/")).await.body.contains("Buy my coins"), "{name}");
        fixture.beside(alert, name).await;
        let desk = fixture.at_desk(get("/")).await.body;
        assert!(place(&desk, stays).is_some() && place(&desk, alert).is_none(), "{name}: {desk}");
        assert!(desk.contains("1 alert waiting"), "{name}: {desk}");
        let page = fixture.get(&fixture.link(alert)).await.body;
        assert!(page.contains(said) && !page.contains("name=\"action\""), "{name}: {page}");
        // The text of a deleted comment is not shown, whatever the object still has.
        assert_eq!(page.contains("Buy my coins"), name == "superseded.json", "{name}: {page}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_decision_about_an_earlier_text_stays_and_is_marked() {
    let fixture = Fixture::new(Access::Iam);
    let alert = fixture.alert(1, Severity::Low, 5, "Buy my coins").await;
    assert_eq!(fixture.post(&fixture.link(alert), "action=keep&moderator=ben&after=0").await.status, 303);
    assert!(!fixture.at_desk(get("/")).await.body.contains("Decided on an earlier text"));
    fixture.beside(alert, "superseded.json").await;
    assert!(fixture.at_desk(get("/")).await.body.contains("Decided on an earlier text"));
    let page = fixture.get(&fixture.link(alert)).await.body;
    assert!(page.contains("Decided: keep") && page.contains("This is about an earlier text"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn reports_raise_an_alert_among_those_of_its_severity() {
    let fixture = Fixture::new(Access::Iam);
    let older = fixture.alert(1, Severity::Medium, 20, "older").await;
    let reported = fixture.alert(2, Severity::Medium, 10, "reported").await;
    let severe = fixture.alert(3, Severity::High, 5, "severe").await;
    for number in 0..2 {
        fixture.beside(reported, &format!("reports/{number}.json")).await;
    }
    let desk = fixture.at_desk(get("/")).await.body;
    let places = [severe, reported, older].map(|alert| place(&desk, alert).expect("it waits"));
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
    for hour in ["2026-01-05T09", "2026-01-04T20", "2026-01-04T03"] {
        fixture.put(&format!("missed/{hour}/{}.json", Uuid::from_u128(1)), "{}").await;
    }
    assert_eq!(missed().await, "2");
}
