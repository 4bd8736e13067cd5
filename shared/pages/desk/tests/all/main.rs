//! The pages as a browser gets them, over the memory world.

mod cards;
mod harm;
mod odd_worlds;
mod queue;
mod since;

use std::collections::BTreeMap;
use std::time::Duration;

use html_oracle::Page;
use jiff::{SignedDuration, Timestamp};
use modstream_desk::{Access, MAX_BODY_BYTES, Request, Response, Site, SiteSettings};
use modstream_events::{
    Action, Alert, Comment, Event, EventRef, LabelPrediction, Meets, ModelRef, OperatingPoint, Outside, PolicyRef,
    Prediction, SelfHarm, Severity, Term,
};
use modstream_ledger::digests::{Closed, Closing, Digest, Digests, Window};
use modstream_ledger::{AlertKey, Ledger, SCHEMA, Withholding};
use modstream_links::{Claim, Signer};
use modstream_platform::Clock as _;
use modstream_platform::memory::{MemoryClock, MemoryStream, MemoryTable};
use proptest::prelude::*;
use uuid::Uuid;

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
const FORM: &str = "application/x-www-form-urlencoded";
const ARN: &str = "arn:aws:sts::123456789012:assumed-role/mods/maja";

struct Fixture {
    site: Site<MemoryTable, MemoryStream, MemoryClock>,
    table: MemoryTable,
    stream: MemoryStream,
    clock: MemoryClock,
    signer: Signer,
}

impl Fixture {
    fn new(desk: Access) -> Self {
        let clock = MemoryClock::starting_at("2026-01-05T10:30:00Z".parse().expect("a time"));
        let stream = MemoryStream::new("decisions", 1, clock);
        let settings = SiteSettings { links: true, desk: Some(desk), forum: "https://forum.example".to_owned() };
        let table = MemoryTable::new("table", SCHEMA, clock);
        let site = Site::new(table.clone(), stream.clone(), clock, settings);
        Fixture { site, table, stream, clock, signer: Signer::new(KEY, None).expect("a key") }
    }

    fn ledger(&self) -> Ledger<'_, MemoryTable, MemoryClock> {
        Ledger::new(&self.table, &self.clock, self.soon())
    }

    /// Makes an alert; its id is the number.
    async fn alert(&self, number: u128, severity: Severity, minutes_ago: i64, body: &str) -> AlertKey {
        let time = self.clock.now() - SignedDuration::from_mins(minutes_ago);
        self.request(event(number, severity, time, body)).await
    }

    async fn request(&self, event: Event<'_, Alert<'_>>) -> AlertKey {
        let key = AlertKey::of_alert(&event);
        self.ledger().request(&key, &event, &event.encode(), None).await.expect("made");
        key
    }

    fn soon(&self) -> Timestamp {
        self.clock.now() + SignedDuration::from_hours(1)
    }

    fn link(&self, key: &AlertKey) -> String {
        let claim = Claim::to_alert(key, Action::Remove).expect("UUIDs");
        self.signer.link("", &claim, self.soon()).expect("a link")
    }

    /// Closes a window with a digest: its link.
    async fn digest(&self, digest: serde_json::Value) -> String {
        let digest: Digest = serde_json::from_value(digest).expect("a digest");
        let claim = Claim::Digest { start: digest.start, minutes: 5, position: 0 };
        let digests = Digests::new(&self.table, &self.clock, self.soon());
        let closing = Closing {
            window: Window { start: digest.start, end: digest.end },
            digests: vec![digest],
            taken: Vec::new(),
            waiting: BTreeMap::new(),
            still_waiting: BTreeMap::new(),
        };
        let head = digests.head().await.expect("a head");
        assert_eq!(digests.close(&head, &closing).await, Ok(Closed::Ours));
        self.signer.link("", &claim, self.soon()).expect("a link")
    }

    fn sign_in(&self, number: u128) -> String {
        let claim = Claim::SignIn { id: Uuid::from_u128(number), moderator: "ana".to_owned() };
        self.signer.link("", &claim, self.soon()).expect("a link")
    }

    async fn answer(&self, request: Request) -> Response {
        self.site.answer(&request, &self.signer, self.clock.now() + Duration::from_secs(20)).await
    }

    async fn get(&self, path: &str) -> Response {
        self.answer(get(path)).await
    }

    async fn post(&self, path: &str, body: &str) -> Response {
        self.answer(post(path, body)).await
    }

    /// As a caller that IAM let in.
    async fn at_desk(&self, request: Request) -> Response {
        self.answer(Request { caller: Some(ARN.to_owned()), ..request }).await
    }

    fn decisions(&self) -> usize {
        self.stream.len()
    }
}

fn event(number: u128, severity: Severity, time: Timestamp, body: &str) -> Event<'_, Alert<'_>> {
    let prediction = Prediction {
        comment: Comment {
            subreddit: Some(body.into()),
            body: Some(body.into()),
            permalink: Some("/r/science/c/1".into()),
            ..Comment::default()
        },
        comment_event: EventRef { source: "urn:example:forum".into(), id: number.to_string().into(), time },
        version: None,
        probability: 0.9,
        log_odds: 2.2,
        intercept: -1.0,
        terms: vec![Term { term: body.into(), contribution: 0.8 }],
        other: 0.0,
        model: ModelRef { name: "rscience".into(), version: "0".repeat(64).into() },
        operating_point: OperatingPoint { precision: 0.8, recall: 0.3, share: 0.1, base_rate: 0.32 },
        labels: None,
        harm_model: None,
        harm_support: None,
        not_judged: None,
        support: None,
    };
    let policy = PolicyRef { name: "default".into(), condition: "precision>=0.8".into() };
    let alert = Alert::new(prediction, "p".into(), severity, policy);
    Event::new(Uuid::from_u128(number).to_string(), "urn:modstream:publish-alerts", time, alert)
}

fn get(path: &str) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Request { method: "GET".to_owned(), path: path.to_owned(), query: query.to_owned(), ..Request::default() }
}

fn post(path: &str, body: &str) -> Request {
    let headers = BTreeMap::from([("content-type".to_owned(), FORM.to_owned())]);
    Request { method: "POST".to_owned(), headers, body: body.into(), ..get(path) }
}

/// The value of a hidden field.
fn field<'a>(page: &'a str, name: &str) -> &'a str {
    let from = page.split(&format!("name=\"{name}\" value=\"")).nth(1).expect(name);
    from.split('"').next().expect("a value")
}

#[tokio::test(start_paused = true)]
async fn a_link_shows_the_alert_and_takes_the_decision_with_one_more_click() {
    let fixture = Fixture::new(Access::Iam);
    let alert = fixture.alert(1, Severity::Medium, 5, "Buy my coins").await;
    let link = fixture.link(&alert);
    let page = fixture.get(&link).await;
    for part in [
        "Should this comment stay?",
        "Buy my coins",
        "90\u{a0}%",
        "https://forum.example/r/science/c/1",
        "class=\"first remove\"",
    ] {
        assert!(page.body.contains(part), "{part} is missing in {}", page.body);
    }
    // Mail scanners look at links.
    for method in ["GET", "HEAD"] {
        let looked = fixture
            .answer(Request { method: method.to_owned(), ..get(&format!("{link}?action=remove&moderator=x&after=0")) })
            .await;
        assert_eq!((looked.status, looked.body.is_empty()), (200, method == "HEAD"));
    }
    assert_eq!(fixture.decisions(), 0);

    let decided = fixture.post(&link, "action=remove&moderator=Zo%C3%AB&after=0").await;
    assert_eq!((decided.status, decided.header("location"), fixture.decisions()), (303, Some(link.as_str()), 1));
    let cookie = decided.cookies[0].split(';').next().expect("a cookie").to_owned();
    let page = fixture.answer(Request { cookies: vec![cookie], ..get(&link) }).await;
    for part in [
        "Decided: remove",
        "<bdi dir=\"auto\">Zo\u{eb}</bdi> decided to <b class=\"removed\">remove</b> it",
        "just now",
        "name=\"moderator\" value=\"Zo\u{eb}\"",
        "value=\"undo\"",
    ] {
        assert!(page.body.contains(part), "{part} is missing in {}", page.body);
    }
    // The second one sees what the first decided, and changes nothing.
    let second = fixture.post(&link, "action=keep&moderator=ben&after=0").await;
    assert_eq!((second.status, fixture.decisions()), (409, 1));
    assert!(second.body.contains("Nothing was changed") && second.body.contains("Decided: remove"), "{}", second.body);
    // The same form once more is the same decision.
    assert_eq!(fixture.post(&link, "action=remove&moderator=Zo%C3%AB&after=0").await.status, 303);
    assert_eq!(fixture.decisions(), 1);
    assert_eq!(fixture.post(&link, "action=undo&moderator=ben&after=1").await.status, 303);
    assert!(fixture.get(&link).await.body.contains("What happened"));
    assert_eq!(fixture.decisions(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_proves_nothing_shows_nothing_and_says_what_to_do() {
    let fixture = Fixture::new(Access::SignedLink);
    let alert = fixture.alert(1, Severity::Low, 5, "Buy my coins").await;
    let link = fixture.link(&alert);
    let forged = format!("{}{}", &link[..link.len() - 1], if link.ends_with('A') { "E" } else { "A" });
    let gone = fixture.link(&AlertKey { id: Uuid::from_u128(99).to_string(), ..alert });
    let sign_in = fixture.sign_in(1);
    let other = sign_in.replacen("/s/", "/a/", 1);
    fixture.clock.sleep(Duration::from_secs(1)).await;
    for (path, status, part) in [
        (forged.as_str(), 403, "not valid"),
        ("/a/abc", 403, "not complete"),
        (&other, 403, "another page"),
        (&gone, 404, "no such alert"),
        ("/", 401, "sign in"),
        ("/alert/00000000-0000-0000-0000-000000000001/00000000-0000-0000-0000-000000000001", 401, "sign in"),
        ("/x", 404, "no such page"),
        (&format!("/{link}"), 404, "no such page"),
        ("/decide", 405, "not possible"),
    ] {
        let page = fixture.get(path).await;
        assert_eq!(page.status, status, "{path}: {}", page.body);
        assert!(page.body.contains(part) && !page.body.contains("coins"), "{path}: {}", page.body);
        if path != "/decide" {
            let posted = fixture.post(path, "action=remove&moderator=x&after=0").await;
            assert!(posted.status >= 400, "{path}: {}", posted.status);
        }
    }
    fixture.clock.sleep(Duration::from_secs(3_700)).await;
    assert_eq!(fixture.get(&link).await.status, 410);
    assert_eq!(fixture.post(&link, "action=remove&moderator=x&after=0").await.status, 410);
    assert_eq!(fixture.decisions(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_form_decides_nothing() {
    let fixture = Fixture::new(Access::Iam);
    let link = fixture.link(&fixture.alert(1, Severity::Low, 5, "Buy my coins").await);
    let other_kind = Request { headers: BTreeMap::new(), ..post(&link, "action=remove&moderator=x&after=0") };
    assert_eq!(fixture.answer(other_kind).await.status, 415);
    let no_text = Request { body: vec![0xff; 10], ..post(&link, "") };
    assert_eq!(fixture.answer(no_text).await.status, 415);
    let long = format!("moderator={}", "x".repeat(41));
    for (body, status, part) in [
        ("", 400, "neither remove, keep nor undo"),
        ("action=delete&moderator=x&after=0", 400, "neither remove, keep nor undo"),
        ("action=keep&moderator=x", 400, "it answers"),
        ("action=keep&moderator=x&after=-1", 400, "it answers"),
        ("action=keep&moderator=x&after=4294967296", 400, "it answers"),
        ("action=keep&moderator=x&after=4294967295", 400, "no alert gets to"),
        ("action=keep&moderator=x&after=10000", 400, "no alert gets to"),
        ("action=undo&moderator=x&after=9999", 409, "Nothing was changed"),
        ("action=keep&moderator=&after=0", 400, "say who you are"),
        ("action=keep&moderator=a%E2%80%AEb&after=0", 400, "can't be seen"),
        (&format!("action=keep&after=0&{long}"), 400, "41 characters"),
        (&"x".repeat(1 << 20), 413, "too much"),
        (&format!("action=keep&after=0&moderator=x&y={}", "x".repeat(MAX_BODY_BYTES)), 413, "too much"),
    ] {
        let page = fixture.post(&link, body).await;
        assert_eq!(page.status, status, "{body:.60}");
        assert!(page.body.contains(part), "{body:.60}: {}", page.body);
    }
    assert_eq!(fixture.decisions(), 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_in_a_comment_is_more_than_text() {
    let fixture = Fixture::new(Access::Iam);
    let hostile = "</div><script>alert(1)</script><img src=x onerror=alert(1)>\" onclick=\"x\u{202E}abc\u{0}\u{1b}[31m";
    let alert = fixture.alert(1, Severity::High, 5, hostile).await;
    let link = fixture.link(&alert);
    let digest = serde_json::json!({
        "subreddit": hostile, "start": "2026-01-05T10:25:00Z", "end": "2026-01-05T10:30:00Z", "severity": "high",
        "count": 2, "alerts": [alert, { "comment": "c", "id": "gone" }],
    });
    let digest = fixture.digest(digest).await;
    let pages = [fixture.get(&link).await, fixture.get(&digest).await, fixture.at_desk(get("/")).await];
    for page in pages {
        assert_eq!(page.status, 200);
        assert_eq!(page.body.matches("<script>").count(), 1, "{}", page.body);
        for part in ["<img", "onclick=\"", "\u{202E}", "\u{0}", "\u{1b}"] {
            assert!(!page.body.contains(part), "{part:?} in {}", page.body);
        }
        assert!(page.body.contains("class=\"comment veil\" tabindex=\"0\""), "{}", page.body);
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(
            policy.contains("default-src 'none'")
                && policy.contains("frame-ancestors 'none'")
                && !policy.contains("unsafe")
        );
        let headers = ["cache-control", "referrer-policy", "x-content-type-options"].map(|name| page.header(name));
        assert_eq!(headers, [Some("no-store"), Some("no-referrer"), Some("nosniff")]);
    }
}

#[tokio::test(start_paused = true)]
async fn where_a_model_has_little_to_go_by_the_desk_says_so_in_place_of_a_share() {
    let fixture = Fixture::new(Access::Iam);
    let time = fixture.clock.now() - SignedDuration::from_mins(5);
    let mut unlike = event(1, Severity::Medium, time, "ok");
    unlike.data.support = Some(Outside::Shorter);
    unlike.data.matched = Some("ok".into());
    let place = fixture.request(unlike).await;
    let desk = fixture.at_desk(get("/")).await;
    assert!(desk.body.contains(">ok<") && !desk.body.contains("likely to be removed"), "{}", desk.body);
    let page = fixture.get(&fixture.link(&place)).await;
    assert!(page.body.contains("The model of removals has little to go by: the text is shorter"), "{}", page.body);
}

/// As a page may show a text: what it can't hold, or what would turn the text behind it, is U+FFFD.
fn shown(text: &str) -> String {
    let harmful = |c: char| {
        (c < ' ' && c != '\n' && c != '\t')
            || ('\u{7F}'..='\u{9F}').contains(&c)
            || "\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}\u{2066}\u{2067}\u{2068}\u{2069}".contains(c)
            || ('\u{FDD0}'..='\u{FDEF}').contains(&c)
            || [0xFFFE, 0xFFFF].contains(&(u32::from(c) & 0xFFFF))
    };
    text.chars().filter(|c| *c != '\r').map(|c| if harmful(c) { '\u{FFFD}' } else { c }).collect()
}

/// The pages of an alert that is decided and one that is not, in which everything that others write is `text`.
async fn pages_of(text: &str) -> [Page; 4] {
    let fixture = Fixture::new(Access::Iam);
    let mut places = Vec::new();
    for number in [1, 2] {
        let time = fixture.clock.now() - SignedDuration::from_mins(5);
        let mut event = event(number, Severity::Medium, time, text);
        event.data.comment.author = Some(text.into());
        event.data.matched = Some(text.into());
        event.data.labels = Some(vec![LabelPrediction {
            label: text.into(),
            probability: 0.9,
            log_odds: 2.2,
            intercept: 0.0,
            terms: event.data.terms.clone(),
            other: 0.0,
            false_alarms: 0.001,
        }]);
        event.data.meets = Some(Meets { removal: number == 1, labels: vec![text.into()] });
        event.data.harm_model = Some(ModelRef { name: text.into(), version: text.into() });
        event.data.self_harm = Some(SelfHarm { phrase: text.into(), contacts: vec![text.into()] });
        event.data.policy = PolicyRef { name: text.into(), condition: text.into() };
        event.data.model = ModelRef { name: text.into(), version: text.into() };
        places.push(fixture.request(event).await);
    }
    fixture.ledger().withhold(&places[0], Withholding::Budget, text).await.expect("withheld");
    assert_eq!(fixture.post(&fixture.link(&places[1]), "action=keep&moderator=%3Cb%3Eana&after=0").await.status, 303);
    let digest = fixture.digest(serde_json::json!({
        "subreddit": text, "start": "2026-01-05T10:25:00Z", "end": "2026-01-05T10:30:00Z", "severity": "medium",
        "count": 2, "alerts": places,
    }));
    let digest = digest.await;
    [
        fixture.get(&fixture.link(&places[0])).await,
        fixture.get(&fixture.link(&places[1])).await,
        fixture.get(&digest).await,
        fixture.at_desk(get(&format!("/?last={}.{}", places[1].comment, places[1].id))).await,
    ]
    .map(|response| Page::parse(&response.body))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 200, ..ProptestConfig::default() })]
    #[test]
    fn whatever_others_write_the_pages_have_the_same_elements_and_show_it_as_text(
        text in "\\PC{0,60}x|[<>&'\"/a-z =!\\-\\x00-\\x20\\x7f-\\x9f\u{202A}-\u{202E}\u{2066}-\u{2069}\u{FDD0}\u{FFFF}]{1,60}x",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
        // As long: what is long is cut.
        let plain: String = text.chars().map(|_| 'x').collect();
        let (plain, hostile) = runtime.block_on(async { (pages_of(&plain).await, pages_of(&text).await) });
        for (plain, hostile) in plain.iter().zip(&hostile) {
            // Words are marked where they are found again, which what stands there decides.
            let outline = |page: &Page| page.outline().into_iter().filter(|line| line.trim() != "<mark>").collect::<Vec<_>>();
            prop_assert_eq!(outline(plain), outline(hostile));
            let comments = hostile.of_class("comment");
            prop_assert!(!comments.is_empty());
            for comment in comments {
                prop_assert_eq!(&comment.text, &shown(&text));
            }
        }
        let [alert, _, digest, desk] = &hostile;
        prop_assert!(alert.all("code").iter().any(|code| code.text == shown(&text)));
        prop_assert!(alert.of_class("quiet").iter().any(|note| note.text.contains("held back")));
        let subreddit = format!("r/{}", shown(&text));
        prop_assert!(digest.all("h1")[0].text.ends_with(&subreddit));
        let name = |page: &Page| page.all("bdi").iter().any(|name| name.text == "<b>ana");
        prop_assert!(name(digest) && name(desk));
    }
}

#[tokio::test(start_paused = true)]
async fn an_alert_is_held_back_for_a_reason_and_an_exploration_for_none() {
    let fixture = Fixture::new(Access::Iam);
    for (number, reason, detail, said) in [
        (
            1,
            Withholding::Budget,
            "the budget is 8 an hour.",
            Some("This alert was held back: the budget is 8 an hour."),
        ),
        (2, Withholding::Breaker, "", Some("This alert was held back.")),
        (3, Withholding::Exploration, "it meets no policy", None),
    ] {
        let alert = fixture.alert(number, Severity::Low, 5, "Buy my coins").await;
        fixture.ledger().withhold(&alert, reason, detail).await.expect("withheld");
        let page = Page::parse(&fixture.get(&fixture.link(&alert)).await.body);
        let found = page.of_class("quiet").into_iter().find(|note| note.text.contains("held back"));
        assert_eq!(found.map(|note| note.text.as_str()), said, "{reason:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_is_on_no_page_from_then_on() {
    let fixture = Fixture::new(Access::Iam);
    let alert = fixture.alert(1, Severity::Low, 5, "Buy my coins").await;
    assert!(fixture.at_desk(get("/")).await.body.contains("Buy my coins"));
    let entry = fixture.ledger().entry(&alert).await.expect("readable").expect("there");
    fixture.ledger().redact(&entry).await.expect("done");
    let page = fixture.at_desk(get("/")).await.body;
    assert!(page.contains("1 alert waiting") && page.contains("its text was deleted here"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn a_digest_leads_on_to_its_alerts() {
    let fixture = Fixture::new(Access::Iam);
    let alert = fixture.alert(1, Severity::Low, 5, "Buy my coins").await;
    let digest = serde_json::json!({
        "start": "2026-01-05T10:25:00Z", "end": "2026-01-05T10:30:00Z", "severity": "low",
        "count": 1, "alerts": [alert],
    });
    let link = fixture.digest(digest).await;
    let page = fixture.get(&link).await;
    assert!(
        page.body.contains("1 alert in comments without a subreddit") && page.body.contains("1 alert is undecided"),
        "{}",
        page.body
    );
    let to = page.body.split("href=\"/a/").nth(1).and_then(|rest| rest.split('"').next()).expect("a link");
    assert_eq!(fixture.post(&format!("/a/{to}"), "action=keep&moderator=ana&after=0").await.status, 303);
    assert!(fixture.get(&link).await.body.contains("All alerts shown here are decided"));
}

#[tokio::test(start_paused = true)]
async fn a_large_digest_says_how_many_it_does_not_show() {
    let fixture = Fixture::new(Access::Iam);
    let alert = fixture.alert(1, Severity::Low, 5, "Buy my coins").await;
    let others = (2..=200).map(|number| AlertKey { id: Uuid::from_u128(number).to_string(), ..alert.clone() });
    let named: Vec<AlertKey> = [alert.clone()].into_iter().chain(others).collect();
    let link = fixture
        .digest(serde_json::json!({
            "subreddit": "science", "start": "2026-01-05T10:25:00Z", "end": "2026-01-05T10:30:00Z", "severity": "low",
            "count": 1_234, "alerts": named,
        }))
        .await;
    let page = fixture.get(&link).await;
    for part in ["1234 alerts in", "1 alert is undecided", "1034 more are at the desk"] {
        assert!(page.body.contains(part), "{part}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_desk_decides_for_its_moderator_with_its_own_forms_alone() {
    let fixture = Fixture::new(Access::Iam);
    fixture.alert(1, Severity::Low, 60, "Buy my coins").await;
    let page = fixture.at_desk(get("/")).await.body;
    assert!(page.contains("maja"), "{page}");
    let fields = |token: &str, action: &str, after: &str| {
        let (comment, id) = (field(&page, "comment"), field(&page, "id"));
        format!("comment={comment}&id={id}&after={after}&token={token}&action={action}")
    };
    let token = field(&page, "token");
    let others = fixture.signer.sign(&Claim::Form { moderator: "ben".to_owned() }, fixture.soon());
    let session = fixture.signer.sign(&Claim::Session { moderator: "maja".to_owned() }, fixture.soon());
    for foreign in ["", "abc", others.as_str(), &session] {
        assert_eq!(fixture.at_desk(post("/decide", &fields(foreign, "remove", "0"))).await.status, 403, "{foreign}");
    }
    // Nobody that IAM knows.
    assert_eq!(fixture.answer(post("/decide", &fields(token, "remove", "0"))).await.status, 403);
    assert_eq!(fixture.decisions(), 0);

    let done = fixture.at_desk(post("/decide", &fields(token, "remove", "0"))).await;
    let on = done.header("location").expect("on").to_owned();
    assert_eq!((done.status, fixture.decisions()), (303, 1));
    let page = fixture.at_desk(get(&on)).await.body;
    for part in ["No alerts waiting", "Decided last", "value=\"undo\"", "1 of 1", "60 minutes"] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert_eq!(fixture.at_desk(post("/decide", &fields(token, "undo", "1"))).await.status, 303);
    assert!(fixture.at_desk(get(&on)).await.body.contains("1 alert waiting"));
}

#[tokio::test(start_paused = true)]
async fn the_browser_that_opened_a_sign_in_link_may_click_again_and_no_other_may() {
    let fixture = Fixture::new(Access::SignedLink);
    let link = fixture.sign_in(1);
    let open = async || {
        let cookie = fixture.get(&link).await.cookies.pop().expect("a name for the browser");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
        vec![cookie.split(';').next().expect("a cookie").to_owned()]
    };
    let (own, other) = (open().await, open().await);
    assert_ne!(own, other);
    let click =
        async |cookies: &[String]| fixture.answer(Request { cookies: cookies.to_vec(), ..post(&link, "") }).await;
    // The first answer may have been lost, or its button clicked twice.
    for _ in 0..2 {
        let signed_in = click(&own).await;
        assert_eq!(signed_in.status, 303);
        assert!(signed_in.cookies[0].starts_with("session="), "{:?}", signed_in.cookies);
    }
    for cookies in [other.as_slice(), &[]] {
        assert_eq!(click(cookies).await.status, 403);
    }
    // The browser keeps its name, also where it opens the link again.
    assert!(fixture.answer(Request { cookies: own, ..get(&link) }).await.cookies.is_empty());
    // What the table has of it signs nobody in.
    let kept = fixture.table.items();
    let kept = kept.iter().find(|item| item.key.partition.starts_with("sign-in#")).expect("it is used");
    let stolen = vec![format!("sign-in={}", kept.text("browser").expect("a checksum"))];
    assert_eq!(click(&stolen).await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_link_signs_in_once_and_only_when_it_is_clicked() {
    let fixture = Fixture::new(Access::SignedLink);
    let link = fixture.sign_in(1);
    for _ in 0..2 {
        let asked = fixture.get(&link).await;
        assert_eq!(asked.status, 200);
        assert!(!asked.cookies.iter().any(|cookie| cookie.starts_with("session=")), "{:?}", asked.cookies);
    }
    let mut click = post(&link, "");
    click.headers.insert("x-forwarded-proto".to_owned(), "https".to_owned());
    let signed_in = fixture.answer(click).await;
    assert_eq!((signed_in.status, signed_in.header("location")), (303, Some("/")));
    let cookie = &signed_in.cookies[0];
    for part in ["HttpOnly", "SameSite=Strict", "Secure", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookies = vec![cookie.split(';').next().expect("a cookie").to_owned()];
    let desk = fixture.answer(Request { cookies: cookies.clone(), ..get("/") }).await;
    assert_eq!((desk.status, desk.body.contains("ana")), (200, true));
    let again = fixture.post(&link, "").await;
    assert_eq!((again.status, again.cookies.len()), (403, 0));
    assert!(again.body.contains("used before"));
    // Another one of the same minute is another.
    assert_eq!(fixture.post(&fixture.sign_in(2), "").await.status, 303);
    // A link's own token, or IAM's caller, is no session.
    let token = link.trim_start_matches("/s/");
    let forged = Request { cookies: vec![format!("session={token}")], caller: Some(ARN.to_owned()), ..get("/") };
    assert_eq!(fixture.answer(forged).await.status, 401);
    fixture.clock.sleep(Duration::from_secs(12 * 3_600 + 60)).await;
    assert_eq!(fixture.answer(Request { cookies, ..get("/") }).await.status, 401);
}
