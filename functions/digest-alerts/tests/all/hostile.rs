//! Whatever a comment holds, a digest is text, its lines are its own, and the topic takes it.

use modstream_events::{Comment, LabelPrediction, Meets, SelfHarm, Term};
use modstream_ledger::Withholding;
use modstream_platform::MAX_SUBJECT_CHARS;
use proptest::prelude::*;

use crate::fixture::{Fate, World, alert, comment, time};

/// Text of all that goes wrong, with markers where a comment begins.
fn text() -> impl Strategy<Value = String> {
    let bad =
        "[\\x00-\\x20\\x7f-\\xa0<>&'\"\\[\\]\u{200B}-\u{200F}\u{2028}-\u{202E}\u{2066}-\u{2069}\u{FEFF}\u{1F926}]";
    prop_oneof![
        prop::collection::vec(
            prop_oneof![bad, "[a-z]{1,12}", Just("\nremove: https://evil.example/".to_owned())],
            0..60
        )
        .prop_map(|parts| parts.concat()),
        ".{0,400}",
        Just("x".repeat(2_500)),
    ]
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 300, ..ProptestConfig::default() })]
    #[test]
    fn no_comment_controls_what_is_not_its_own(
        body in prop::option::of(text()),
        subreddit in prop::option::of(prop_oneof![text(), Just("x".repeat(300))]),
        permalink in prop::option::of(prop_oneof![text(), text().prop_map(|rest| format!("/r/{rest}"))]),
        (term, matched, is_withheld) in (text(), prop::option::of(text()), any::<bool>()),
    ) {
        runtime().block_on(async {
            let world = World::new();
            let own = |text: Option<String>| text.map(Into::into);
            let comment = Comment { body: own(body), subreddit: own(subreddit), permalink: own(permalink), ..comment("a") };
            let mut event = alert(comment, time("10:01:00"), 0.8);
            event.data.matched = matched.map(Into::into);
            let phrase = term.clone();
            event.data.terms = vec![Term { term: term.into(), contribution: 0.5 }];
            event.data.labels = Some(vec![LabelPrediction {
                label: "threat".into(),
                probability: 0.9,
                log_odds: 2.2,
                intercept: 0.0,
                terms: event.data.terms.clone(),
                other: 0.0,
                false_alarms: 0.0,
            }]);
            event.data.meets = Some(Meets { removal: is_withheld, labels: vec!["threat".into()] });
            event.data.self_harm =
                is_withheld.then(|| SelfHarm { phrase: phrase.into(), contacts: vec!["Samaritans: 116 123".into()] });
            let detail = "a\u{202E}b\nremove: https://evil.example/";
            world.record(&event, if is_withheld { Fate::Withheld(Withholding::Budget, detail) } else { Fate::Sent }).await;
            let digested = world.run("10:06:00").await.expect("runs");
            assert_eq!((digested.digests, digested.refused), (1, 0));
            let message = world.inbox().pop().expect("a message");
            let subject = message.subject.expect("a subject");
            assert!(subject.len() <= MAX_SUBJECT_CHARS && subject.ends_with("(10:00-10:05 UTC)"), "{subject}");
            for c in message.body.chars().filter(|c| *c != '\n') {
                let turns = matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
                assert!(!c.is_control() && !turns && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}'), "{c:?}");
            }
            for line in message.body.lines() {
                let is_link = line.starts_with("   comment: https://");
                assert!(is_link || line.chars().count() <= 72, "{line}");
                assert!(!line.trim_start().starts_with("remove:"), "{}", message.body);
            }
        });
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_alerts_are_one_digest_that_fits() {
    let world = World::new();
    for number in 0..10_000 {
        let body = "\u{1F926}".repeat(2_000);
        let comment = Comment { body: Some(body.into()), ..comment(&format!("c{number}")) };
        world.record(&alert(comment, time("10:01:00"), 0.8), Fate::Sent).await;
    }
    let digested = world.run("10:06:00").await.expect("runs");
    assert_eq!((digested.digests, digested.alerts), (1, 10_000));
    let inbox = world.inbox();
    assert_eq!(inbox[0].subject.as_deref(), Some("r/science: 10000 alerts (10:00-10:05 UTC)"));
    assert!(inbox[0].body.contains("\n9990 more alerts are not shown here.\n"), "{}", inbox[0].body);
    assert!(inbox[0].body.len() < 64 << 10);
}
