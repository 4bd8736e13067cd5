//! What the desk no longer lists.

use super::*;

const DAY: i64 = 60 * 24;

#[tokio::test(start_paused = true)]
async fn what_is_older_than_the_desk_lists_is_counted_and_can_be_decided() {
    let fixture = Fixture::new(Access::Iam);
    let desk = async || fixture.at_desk(get("/")).await.body;
    assert!(desk().await.contains("No alert of the 7 days before that is undecided"));
    // The desk's cache of hours is ten minutes old.
    fixture.clock.sleep(Duration::from_secs(601)).await;
    fixture.alert(1, Severity::Low, 3 * DAY - 70, "at the desk").await;
    fixture.alert(2, Severity::Low, 3 * DAY + 70, "just too old").await;
    let older = fixture.alert(3, Severity::High, 9 * DAY, "nine days").await;
    fixture.alert(4, Severity::Low, 11 * DAY, "eleven days").await;
    let page = desk().await;
    assert!(
        page.contains(">2 older alerts are undecided</a>") && page.contains("of the 7 days before these"),
        "{page}"
    );
    assert!(page.contains("at the desk") && !page.contains("just too old"), "{page}");

    let link = page.split("href=\"/older?").nth(1).and_then(|rest| rest.split('"').next()).expect("a link");
    let there = format!("/older?{link}");
    let page = fixture.at_desk(get(&there)).await;
    assert_eq!(page.status, 200);
    for (text, is_there) in
        [("just too old", true), ("nine days", true), ("eleven days", false), ("at the desk", false)]
    {
        assert_eq!(page.body.contains(text), is_there, "{text}: {}", page.body);
    }
    assert!(page.body.contains("2 older alerts waiting") && page.body.contains("Earlier ones are not counted here"));

    // A decision leads back to the same days, and an undo makes it wait again.
    let token = field(&page.body, "token").to_owned();
    let before = field(&page.body, "before").to_owned();
    let form = |after: u32, action: &str| {
        format!(
            "hour={}&id={}&after={after}&action={action}&token={token}&page=older&before={before}",
            older.0, older.1
        )
    };
    let decided = fixture.at_desk(post("/decide", &form(0, "remove"))).await;
    let back = format!("/older?before={before}&last={}.{}", older.0, older.1);
    assert_eq!((decided.status, decided.header("location")), (303, Some(back.as_str())));
    let page = fixture.at_desk(get(&back)).await.body;
    assert!(page.contains("1 older alert waiting") && page.contains("the forum is not told"), "{page}");
    assert!(desk().await.contains(">1 older alert is undecided</a>"));
    assert_eq!(fixture.at_desk(post("/decide", &form(1, "undo"))).await.status, 303);
    assert!(desk().await.contains(">2 older alerts are undecided</a>"));

    // And so back to the beginning, seven days at a time.
    let earlier = page.split("href=\"/older?before=").nth(1).and_then(|rest| rest.split('"').next()).expect("a link");
    let page = fixture.at_desk(get(&format!("/older?before={earlier}"))).await.body;
    assert!(page.contains("1 older alert waiting") && page.contains("eleven days"), "{page}");
    for (path, status) in [
        ("/older", 200),
        ("/older?before=2026-01-05T10", 200),
        ("/older?before=9999-12-30T00", 200),
        ("/older?before=yesterday", 404),
        ("/older?before=-009999-01-02T02", 404),
    ] {
        assert_eq!(fixture.at_desk(get(path)).await.status, status, "{path}");
    }
    assert_eq!(fixture.get(&there).await.status, 403, "it is the desk's");
    let bad = form(2, "keep").replace(&before, "yesterday");
    let decisions = fixture.decisions();
    assert_eq!((fixture.at_desk(post("/decide", &bad)).await.status, fixture.decisions()), (404, decisions));
}
