//! What the pages say of harm, and of people who may harm themselves.

use super::*;

fn label(name: &'static str, probability: f64) -> LabelPrediction<'static> {
    LabelPrediction {
        label: name.into(),
        probability,
        log_odds: 0.0,
        intercept: 0.0,
        terms: vec![Term { term: "hurt you".into(), contribution: 4.5 }],
        other: 0.0,
        false_alarms: 0.003,
    }
}

/// An alert about a comment with this probability of a removal, which alerts by these labels.
fn labelled(
    number: u128,
    severity: Severity,
    probability: f64,
    removal: bool,
    labels: &[LabelPrediction<'static>],
) -> Event<'static, Alert<'static>> {
    let mut event = event(number, severity, "2026-01-05T10:25:00Z".parse().expect("a time"), "some words").into_owned();
    event.data.probability = probability;
    event.data.meets = Some(Meets { removal, labels: labels.iter().map(|label| label.label.clone()).collect() });
    event.data.harm = Some(labels.first().map_or(0.001, |label| label.probability));
    event.data.labels = Some(labels.to_vec());
    event
}

/// A page without the marks that keep what others wrote from turning the text behind it.
fn unmarked(page: &str) -> String {
    page.replace("<bdi dir=\"auto\">", "").replace("</bdi>", "")
}

/// The card of an alert.
fn card(page: &str, number: u128) -> &str {
    let id = format!("value=\"{}\"", Uuid::from_u128(number));
    page.split("<li class=\"item\"").skip(1).find(|card| card.contains(&id)).expect("a card")
}

#[tokio::test(start_paused = true)]
async fn a_card_says_what_models_say_in_plain_words_and_only_what_is_harmful_is_blurred() {
    let fixture = Fixture::new(Access::Iam);
    fixture.request(labelled(1, Severity::Low, 0.95, true, &[])).await;
    fixture.request(labelled(2, Severity::High, 0.81, true, &[label("threat", 0.93)])).await;
    fixture.request(labelled(3, Severity::High, 0.2, false, &[label("severe_toxic", 0.9)])).await;
    let page = unmarked(&fixture.at_desk(get("/")).await.body);
    for (number, said, is_blurred) in [
        (1, &["<span>this community would likely remove it .95</span>"][..], false),
        (2, &["<span>threat .93</span>", "<span>this community would likely remove it .81</span>"], true),
        (3, &["<span>severe toxic .90</span>"], true),
    ] {
        let card = card(&page, number);
        assert!(said.iter().all(|said| card.contains(said)), "{card}");
        assert_eq!(card.contains("class=\"comment veil\""), is_blurred, "{card}");
    }
    assert!(!card(&page, 3).contains("would likely remove"));
    assert!(card(&page, 3).contains("title=\"speaks for severe toxic\""), "{}", card(&page, 3));
    let order: Vec<usize> =
        [2, 3, 1].map(|number| page.find(&Uuid::from_u128(number).to_string()).expect("it is there")).into();
    assert!(order.is_sorted(), "{order:?}");
}

#[tokio::test(start_paused = true)]
async fn where_one_model_has_little_to_go_by_what_the_other_says_stays() {
    let fixture = Fixture::new(Access::Iam);
    let short = |number: u128, removal: bool, labels: &[LabelPrediction<'static>]| {
        let mut event = labelled(number, Severity::High, 0.95, removal, labels);
        event.data.support = Some(Outside::Shorter);
        event
    };
    let key = fixture.request(short(1, false, &[label("threat", 0.93)])).await;
    let judged = fixture.request(short(2, true, &[])).await;
    let mut foreign =
        event(3, Severity::High, "2026-01-05T10:25:00Z".parse().expect("a time"), "some words").into_owned();
    foreign.data.harm_support = Some(Outside::UnknownWords);
    let foreign = fixture.request(foreign).await;
    let desk = unmarked(&fixture.at_desk(get("/")).await.body);
    assert!(card(&desk, 1).contains("<span>threat .93</span>"), "{desk}");
    assert!(!card(&desk, 1).contains("remove it") && !card(&desk, 1).contains("likely to be removed"), "{desk}");
    assert!(card(&desk, 2).contains("<span>a guess: this community would likely remove it .95</span>"), "{desk}");
    for (key, parts) in [
        (
            key,
            &[
                "For <q>threat</q> the harm model gives a probability of 93\u{a0}%",
                "has little to go by: the text is shorter than nearly all that the model learned from. It guesses a probability of \
                 95\u{a0}%, which by itself would not alert.",
            ][..],
        ),
        (judged, &["It guesses a probability of 95\u{a0}%."]),
        (
            foreign,
            &[
                "The harm model does not judge it: the model knows too few of the text's words",
                "The model gives a probability of",
            ],
        ),
    ] {
        let page = unmarked(&fixture.get(&fixture.link(&key)).await.body).replace("&#39;", "'");
        assert!(parts.iter().all(|part| page.contains(part)), "{parts:?} in {page}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_page_of_an_alert_says_why_label_by_label() {
    let fixture = Fixture::new(Access::Iam);
    let key = fixture.request(labelled(1, Severity::High, 0.2, false, &[label("threat", 0.93)])).await;
    let page = unmarked(&fixture.get(&fixture.link(&key)).await.body);
    for part in [
        "For <q>threat</q> the harm model gives a probability of 93\u{a0}%; less than 1\u{a0}% of comments that are none get as much.",
        "a probability of 20\u{a0}% that a moderator removes it, which by itself would not alert.",
        "These terms moved the log-odds of <q>threat</q> most.",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
}

#[tokio::test(start_paused = true)]
async fn somebody_in_need_is_first_is_not_blurred_and_remove_is_not_offered_first() {
    let fixture = Fixture::new(Access::Iam);
    fixture.request(labelled(1, Severity::High, 0.9, true, &[label("threat", 0.99)])).await;
    let mut in_need = labelled(2, Severity::High, 0.1, false, &[]);
    in_need.data.self_harm = Some(SelfHarm {
        phrase: "kill myself".into(),
        contacts: vec!["Samaritans: 116 123".into(), "<b>x</b>".into()],
    });
    let key = fixture.request(in_need).await;
    let page = unmarked(&fixture.at_desk(get("/")).await.body);
    let (need, threat) =
        (page.find(&key.id).expect("there"), page.find(&Uuid::from_u128(1).to_string()).expect("there"));
    assert!(need < threat, "somebody in need is first");
    let alone =
        [fixture.get(&fixture.link(&key)).await.body, fixture.at_desk(get(&format!("/alert/{key}"))).await.body];
    let alone = alone.map(|page| unmarked(&page));
    assert!(alone.iter().all(|page| page.contains("Somebody may need help")));
    for page in [card(&page, 2)].into_iter().chain(alone.iter().map(String::as_str)) {
        assert!(!page.contains("veil\""), "{page}");
        assert!(page.contains("<q>kill myself</q>") && page.contains("Samaritans: 116 123"), "{page}");
        assert!(
            page.contains("Removing the comment first may leave them alone.") && !page.contains("<b>x</b>"),
            "{page}"
        );
        let (keep, remove) =
            (page.find("value=\"keep\"").expect("keep"), page.find("value=\"remove\"").expect("remove"));
        assert!(keep < remove, "{page}");
    }
    let other = card(&page, 1);
    assert!(other.find("value=\"remove\"").expect("remove") < other.find("value=\"keep\"").expect("keep"));
}

#[tokio::test(start_paused = true)]
async fn nothing_of_somebody_in_need_is_shown_once_their_comment_is_gone() {
    let fixture = Fixture::new(Access::Iam);
    let mut in_need = labelled(1, Severity::High, 0.1, false, &[label("threat", 0.9)]);
    in_need.data.self_harm = Some(SelfHarm { phrase: "kill myself".into(), contacts: Vec::new() });
    let key = fixture.request(in_need).await;
    let entry = fixture.ledger().entry(&key).await.expect("answers").expect("it is there");
    let deletion = modstream_ledger::comments::Deletion {
        time: fixture.clock.now(),
        by: modstream_events::DeletedBy::Author,
        event: ("e".to_owned(), fixture.clock.now()),
    };
    fixture.ledger().withdraw(&entry, &deletion).await.expect("withdrawn");
    let page = fixture.get(&fixture.link(&key)).await.body;
    assert!(!page.contains("kill myself") && !page.contains("hurt you"), "{page}");
    let stored = fixture.ledger().entry(&key).await.expect("answers").expect("it is there");
    let stored = String::from_utf8(stored.event).expect("text");
    assert!(
        !stored.contains("kill myself") && !stored.contains("hurt you") && !stored.contains("self_harm"),
        "{stored}"
    );
}
