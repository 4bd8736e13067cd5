//! The queue, and what the desk costs.

use modstream_platform::table::{Condition, Item, Key, Operation, Table as _};

use super::*;

#[tokio::test(start_paused = true)]
async fn the_queue_has_the_severest_first_then_the_oldest_and_counts_the_rest() {
    let fixture = Fixture::new(Access::Iam);
    fixture.alert(1, Severity::Low, 60, "low").await;
    fixture.alert(2, Severity::High, 5, "younger").await;
    fixture.alert(3, Severity::High, 90, "older").await;
    fixture.alert(4, Severity::High, 80 * 60, "days old").await;
    for number in 10..65 {
        fixture.alert(number, Severity::Medium, 10, "middle").await;
    }
    let page = fixture.at_desk(get("/")).await.body;
    let place = |text: &str| page.find(&format!("<bdi dir=\"auto\">{text}</bdi>"));
    assert!(
        place("days old") < place("older") && place("older") < place("younger") && place("younger") < place("middle")
    );
    assert!(place("days old").is_some() && place("low").is_none());
    assert!(page.contains("59 alerts waiting") && page.contains("9 more alerts are waiting"), "{page}");
    for key in ["<kbd>j</kbd>", "<kbd>k</kbd>", "<kbd>r</kbd>", "<kbd>x</kbd>", "<kbd>u</kbd>"] {
        assert!(page.contains(key), "{key}");
    }
    assert_eq!(page.matches("<li class=\"item\"").count(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_page_takes_at_most_twelve_calls_with_a_hundred_thousand_alerts_decided() {
    let fixture = Fixture::new(Access::Iam);
    let now = fixture.clock.now();
    // As decisions leave them: as many within a day as nobody takes, and some waiting.
    for number in 0..100_000_u32 {
        let key = AlertKey { comment: Uuid::from_u128(number.into()).to_string(), id: Uuid::nil().to_string() };
        let time = modstream_ledger::sort_time(now - SignedDuration::from_millis(i64::from(number) * 800));
        let item = Item::new(key.decision(1))
            .with("number", 1)
            .with("action", if number % 3 == 0 { "remove" } else { "keep" })
            .with("moderator", "ana")
            .with("decided", time.as_str())
            .with("in_decided", "decided")
            .with("subreddit", "science")
            .with("policy", "default, precision>=0.8")
            .with("reason", "a term of some words")
            .with("alerted", time.as_str());
        fixture.table.put(&item, &Condition::Always).await.expect("written");
    }
    for number in 1..=60 {
        fixture.alert(1_000_000 + number, Severity::High, 5, "Buy my coins").await;
    }
    let alert = fixture.alert(2_000_000, Severity::High, 6, "Decided just now").await;
    assert_eq!(fixture.post(&fixture.link(&alert), "action=keep&moderator=ana&after=0").await.status, 303);
    let missed = Item::new(Key::new("missed", format!("{}#c", modstream_ledger::sort_time(now))));
    fixture.table.put(&missed, &Condition::Always).await.expect("written");
    fixture.table.reset_usage();
    let page = fixture.at_desk(get(&format!("/?last={}.{}", alert.comment, alert.id))).await.body;
    let usage = fixture.table.reset_usage();
    println!("{usage:?}");
    assert!(usage.total_calls() <= 12, "{usage:?}");
    assert!(page.contains("60 alerts waiting") && page.contains("Decided just now"), "{page}");
    assert!(page.contains("Of the newest 10000 decisions"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn a_decision_takes_three_calls_but_for_looking_at_the_alert() {
    let fixture = Fixture::new(Access::Iam);
    let alert = fixture.alert(1, Severity::Low, 5, "Buy my coins").await;
    fixture.table.reset_usage();
    assert_eq!(fixture.post(&fixture.link(&alert), "action=remove&moderator=ana&after=0").await.status, 303);
    let usage = fixture.table.reset_usage();
    let calls = [Operation::GetItem, Operation::TransactWriteItems, Operation::DeleteItem].map(|of| usage.calls_of(of));
    assert_eq!((calls, usage.total_calls(), fixture.decisions()), ([1; 3], 3, 1), "the third is the stream's");
}

#[tokio::test(start_paused = true)]
async fn what_an_index_does_not_know_yet_the_desk_knows() {
    let fixture = Fixture::new(Access::Iam);
    let alert = fixture.alert(1, Severity::Low, 5, "Buy my coins").await;
    let last = format!("/?last={}.{}", alert.comment, alert.id);
    fixture.table.hold_back();
    let link = fixture.link(&alert);
    assert_eq!(fixture.post(&link, "action=remove&moderator=ana&after=0").await.status, 303);
    let page = fixture.at_desk(get("/")).await.body;
    assert!(page.contains("No alerts waiting"), "it is decided, though the queue lists it: {page}");
    assert!(fixture.at_desk(get(&last)).await.body.contains("to <b class=\"removed\">remove</b> it"));
    fixture.table.let_go();
    fixture.table.hold_back();
    assert_eq!(fixture.post(&link, "action=undo&moderator=ana&after=1").await.status, 303);
    let page = fixture.at_desk(get(&last)).await.body;
    assert!(page.contains("1 alert waiting") && !page.contains("Decided last"), "it waits again: {page}");
}

#[tokio::test(start_paused = true)]
async fn an_undo_does_not_bring_back_what_was_edited_since() {
    let fixture = Fixture::new(Access::Iam);
    let alert = fixture.alert(1, Severity::Low, 5, "Buy my coins").await;
    let link = fixture.link(&alert);
    assert_eq!(fixture.post(&link, "action=remove&moderator=ana&after=0").await.status, 303);
    fixture.ledger().supersede(&alert, "e-2").await.expect("recorded");
    assert_eq!(fixture.post(&link, "action=undo&moderator=ana&after=1").await.status, 303);
    assert!(fixture.at_desk(get("/")).await.body.contains("No alerts waiting"));
}
