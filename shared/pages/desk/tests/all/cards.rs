//! What stands on a card.

use super::*;

/// An alert about a comment of this author and thread.
async fn about(fixture: &Fixture, number: u128, author: &str, thread: &str, source: &'static str) -> AlertKey {
    let time = fixture.clock.now() - SignedDuration::from_mins(i64::try_from(number).expect("small"));
    let mut event = event(number, Severity::Medium, time, "Buy my coins");
    event.data.comment.author = Some(author.into());
    event.data.comment.link_id = Some(thread.into());
    event.data.comment_event.source = source.into();
    fixture.request(event).await
}

/// What stands on the card of an alert, in words.
fn card(page: &str, number: u128) -> String {
    let cards = page.split("<li class=\"item\"").skip(1);
    let card = cards
        .into_iter()
        .find(|card| card.contains(&format!("value=\"{}\"", Uuid::from_u128(number))))
        .expect("a card");
    let meta = card.split("</p>").next().expect("a paragraph");
    let mut words = String::new();
    for part in meta.split('<') {
        words += part.split_once('>').map_or("", |(_, text)| text);
    }
    words
}

#[tokio::test(start_paused = true)]
async fn a_card_says_who_wrote_it_and_what_else_there_is_by_them_and_in_the_thread() {
    let fixture = Fixture::new(Access::Iam);
    let forum = "urn:example:forum";
    for (number, author, thread) in [
        (1, "copper", "t3_a"),
        (2, "copper", "t3_a"),
        (3, "copper", "t3_b"),
        (4, "other", "t3_a"),
        (5, "[deleted]", "t3_c"),
        (6, "[deleted]", "t3_d"),
    ] {
        about(&fixture, number, author, thread, forum).await;
    }
    about(&fixture, 7, "copper", "t3_a", "urn:example:another").await;
    // Decided ones do not count.
    let decided = about(&fixture, 8, "copper", "t3_a", forum).await;
    assert_eq!(fixture.post(&fixture.link(&decided), "action=keep&moderator=ben&after=0").await.status, 303);

    let page = fixture.at_desk(get("/")).await.body;
    for (number, part) in [
        (1, "by copper 2 more by them, 3 in this thread "),
        (3, "by copper 2 more by them "),
        (7, "by copper "),
        (5, "by [deleted] "),
    ] {
        let card = card(&page, number);
        assert!(card.contains(part), "{number}: {part} is missing in {card}");
        assert_eq!(card.contains("more by them"), part.contains("more by them"), "{number}: {card}");
        assert_eq!(card.contains("in this thread"), part.contains("in this thread"), "{number}: {card}");
    }
    assert!(page.contains("counted among the first 7 alerts that wait"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn whoever_decides_to_remove_is_told_that_the_forum_is_not() {
    const NOT_TOLD: &str = "The decision is recorded; the forum is not told.";
    let fixture = Fixture::new(Access::Iam);
    for (number, action, count) in [(1, "remove", 1), (2, "keep", 0)] {
        let alert = fixture.alert(number, Severity::Low, 5, "Buy my coins").await;
        assert!(!fixture.get(&fixture.link(&alert)).await.body.contains(NOT_TOLD));
        let decided = fixture.post(&fixture.link(&alert), &format!("action={action}&moderator=ben&after=0")).await;
        assert_eq!(decided.status, 303);
        for page in [fixture.get(&fixture.link(&alert)).await, fixture.at_desk(get(&format!("/alert/{alert}"))).await] {
            assert_eq!(page.body.matches(NOT_TOLD).count(), count, "{action}: {}", page.body);
        }
        let desk = fixture.at_desk(get(&format!("/?last={}.{}", alert.comment, alert.id))).await.body;
        let notice = desk.split("<main>").next().expect("a beginning");
        assert_eq!(notice.matches(NOT_TOLD).count(), count, "{action}: {notice}");
        let undone = fixture.post(&fixture.link(&alert), "action=undo&moderator=ben&after=1").await;
        assert_eq!((undone.status, fixture.get(&fixture.link(&alert)).await.body.contains(NOT_TOLD)), (303, false));
    }
}

#[tokio::test(start_paused = true)]
async fn a_comment_whose_own_time_is_another_shows_it_wherever_its_alert_does() {
    let fixture = Fixture::new(Access::Iam);
    let now = fixture.clock.now();
    for (number, created_utc, says) in [
        (1, Some(-1), Some("dated 31 December 1969, 23:59 UTC")),
        (2, Some(0), Some("dated 1 January 1970, 00:00 UTC")),
        (3, Some(4_102_444_800), Some("dated 1 January 2100, 00:00 UTC")),
        (4, Some(now.as_second() - 600), None),
        (5, None, None),
    ] {
        let time = now - SignedDuration::from_mins(5);
        let mut event = event(number, Severity::Medium, time, "Buy my coins");
        event.data.comment.created_utc = created_utc;
        let key = fixture.request(event).await;
        let desk = card(&fixture.at_desk(get("/")).await.body, number);
        assert!(desk.contains("5\u{a0}minutes\u{a0}ago"), "{desk}");
        let (by_link, page) =
            (fixture.get(&fixture.link(&key)).await.body, fixture.at_desk(get(&format!("/alert/{key}"))).await.body);
        for shown in [desk, by_link, page] {
            let plain =
                shown.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect::<String>();
            match says {
                Some(says) => assert!(plain.contains(says), "{number}: {says} is missing in {plain}"),
                None => assert!(!plain.contains("dated"), "{number}: {plain}"),
            }
        }
    }
}
