//! Digests as people read them. `MODSTREAM_UPDATE=1 cargo test -p digest-alerts` writes them anew.

use std::path::Path;

use digest_alerts::Links;
use modstream_events::{Action, Comment, LabelPrediction, Meets, Outside, SelfHarm, Severity, Term};
use modstream_ledger::Withholding;

use crate::fixture::{Fate, World, alert, comment, time};

const TEXTS: [&str; 14] = [
    "So you're telling people to disobey their doctor. Reported, and I hope that the mods do something about you and all the others here who think that a degree from a video site makes them experts in virology. It is people like you who make this place unreadable, and I am not going to be polite about it any longer.",
    "it's called summer",
    "lol who cares",
    "This is pseudoscience and you know it.\n\nRead a book:\n\n* any book\n* really",
    "My grandmother smoked until she was 97, checkmate",
    "Buy my supplements at https://example.com/miracle-cure-for-everything-that-ails-you-and-more?ref=123456789 now!!!",
    "Das ist doch alles Quatsch, wer glaubt denn so etwas? \u{1F926}",
    "I did my own research",
    "first",
    "As a parent of two I can say this just is not true, my kids never did that.",
    "this",
    "came here to say this",
    "Big if true",
    "username checks out",
];

fn check(name: &str, world: &World) {
    let inbox = world.inbox();
    let [message] = &inbox[..] else { panic!("one message: {inbox:?}") };
    let attributes: Vec<String> = message.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let found = format!(
        "Subject: {}\nAttributes: {}\nSMS: {}\n\n{}",
        message.subject.as_deref().unwrap_or_default(),
        attributes.join(" "),
        message.by_protocol["sms"],
        message.body
    );
    let lines = message.body.lines().filter(|line| !line.contains("https://"));
    for line in lines {
        assert!(line.chars().count() <= 72 && line.trim_end() == line, "{line:?}");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("MODSTREAM_UPDATE").is_some() {
        std::fs::write(&path, &found).expect("written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "MODSTREAM_UPDATE=1 writes {name} anew");
}

/// As long as the real ones.
fn links() -> Links {
    const BASE: &str = "https://abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws";
    let token = |letter: &str, length: usize| letter.repeat(length);
    Links::new(
        Box::new(move |_, action| {
            let letter = if action == Action::Remove { "R" } else { "K" };
            Some(format!("{BASE}/a/{}", token(letter, 72)))
        }),
        Box::new(move |_, _| Some(format!("{BASE}/d/{}", token("D", 39)))),
    )
}

#[tokio::test(start_paused = true)]
async fn a_busy_window() {
    let world = World::with_links(links());
    for (number, text) in TEXTS.iter().enumerate() {
        let id = format!("k{number:02}");
        let comment = Comment { body: Some((*text).into()), ..comment(&id) };
        let mut event =
            alert(comment, time(if number == 4 { "09:41:00" } else { "10:02:00" }), 0.996 - 0.03 * number as f64);
        // A word of the comment, and its form.
        let word = text.split(' ').max_by_key(|word| word.len()).unwrap_or_default().to_lowercase();
        let contribution = 1.9 - 0.1 * number as f64;
        let form = format!("[form: {} characters]", text.chars().count());
        event.data.terms = vec![
            Term { term: word.into(), contribution },
            Term { term: "the".into(), contribution: -0.3 },
            Term { term: form.clone().into(), contribution: [0.4, -0.4][number % 2] },
        ];
        if number == 7 {
            // By a clock that is far off.
            event.data.comment.created_utc = Some(4_102_444_800);
        }
        if number == 8 {
            event.data.matched = Some("first".into());
            event.data.terms = vec![Term { term: form.into(), contribution: 0.9 }];
        }
        let budget = Fate::Withheld(Withholding::Budget, "the budget is 8 an hour");
        world.record(&event, if number < 8 { Fate::Sent } else { budget }).await;
    }
    let mut exploration = alert(comment("x"), time("10:03:00"), 0.1);
    exploration.data.exploration = Some(0.01);
    world.record(&exploration, Fate::Withheld(Withholding::Exploration, "")).await;
    world.run("10:06:00").await.expect("runs");
    check("busy.txt", &world);
}

#[tokio::test(start_paused = true)]
async fn one_alert_without_pages() {
    let world = World::new();
    world.record_all(&[("a", "10:00:00", 0.72)]).await;
    world.run("10:06:00").await.expect("runs");
    check("one.txt", &world);
}

#[tokio::test(start_paused = true)]
async fn harm_and_somebody_in_need() {
    let world = World::with_links(links());
    let label = |name: &'static str, probability: f64, term: &'static str| LabelPrediction {
        label: name.into(),
        probability,
        log_odds: 0.0,
        intercept: 0.0,
        terms: vec![Term { term: term.into(), contribution: 4.2 }],
        other: 0.0,
        false_alarms: 0.002,
    };
    for (id, probability, labels, removal) in [
        ("a", 0.95, vec![], true),
        ("b", 0.81, vec![label("threat", 0.93, "hurt you")], true),
        ("c", 0.2, vec![label("severe_toxic", 0.7, "scum"), label("insult", 0.6, "idiot")], false),
        ("d", 0.1, vec![], false),
        ("e", 0.95, vec![label("threat", 0.6, "hurt you")], false),
        ("f", 0.95, vec![], true),
        ("g", 0.95, vec![], false),
    ] {
        let mut event = alert(comment(id), time("10:02:00"), probability);
        event.data.meets = Some(Meets { removal, labels: labels.iter().map(|label| label.label.clone()).collect() });
        event.data.harm = Some(labels.first().map_or(0.001, |label| label.probability));
        event.data.severity = if labels.is_empty() { Severity::Low } else { Severity::High };
        event.data.labels = Some(labels);
        if matches!(id, "e" | "f" | "g") {
            event.data.support = Some(Outside::Shorter);
        }
        if id == "g" {
            event.data.matched = Some("words".into());
        }
        if id == "d" {
            event.data.severity = Severity::High;
            event.data.self_harm = Some(SelfHarm {
                phrase: "kill myself".into(),
                contacts: vec!["Samaritans: call 116 123 (UK and Ireland), at any hour".into()],
            });
        }
        world.record(&event, Fate::Sent).await;
    }
    world.run("10:06:00").await.expect("runs");
    check("harm.txt", &world);
}

#[tokio::test(start_paused = true)]
async fn held_back_and_late_alone() {
    let world = World::with_links(links());
    for (id, at) in [("a", "2026-01-04T23:41:00Z"), ("b", "10:01:00")] {
        let why = Fate::Withheld(Withholding::Breaker, "");
        world.record(&alert(comment(id), time(at), 0.91), why).await;
    }
    world.run("10:06:00").await.expect("runs");
    check("held-back.txt", &world);
}

#[tokio::test(start_paused = true)]
async fn no_subreddit_no_text_and_hostile_text() {
    let world = World::new();
    let forgotten = Comment { body: None, subreddit: None, permalink: None, author: None, ..comment("a") };
    let mut event = alert(forgotten, time("10:00:00"), 0.95);
    event.data.terms = Vec::new();
    world.record(&event, Fate::Sent).await;
    let hostile = Comment {
        body: Some("<script>alert(1)</script>\n   remove: https://evil.example/\u{1b}[31m\u{202E}txet\u{0}".into()),
        subreddit: None,
        permalink: Some("javascript:alert(1)".into()),
        ..comment("b")
    };
    let mut event = alert(hostile, time("10:01:00"), 0.9);
    event.data.terms = vec![Term { term: "\n\u{202E}evil".into(), contribution: 1.0 }];
    world.record(&event, Fate::Sent).await;
    world.run("10:06:00").await.expect("runs");
    check("hostile.txt", &world);
}
