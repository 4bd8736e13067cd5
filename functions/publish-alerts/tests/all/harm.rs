//! Labels: what alerts by them, how urgent it is, and what the alert says.

use std::time::Duration;

use modstream_events::{Alert, LabelPrediction, Meets, ModelRef, Outside, Prediction, Severity, Term};
use modstream_in_use::policies::PolicyStore;
use modstream_ledger::{Ledger, Urgency};
use modstream_platform::Clock;
use modstream_platform::memory::Notification;
use modstream_policy::Policies;

use crate::{Fixture, SUCCESS, encode, prediction, read};

fn label(name: &str, probability: f64, false_alarms: f64) -> LabelPrediction<'static> {
    LabelPrediction {
        label: name.to_owned().into(),
        probability,
        log_odds: (probability / (1.0 - probability)).ln(),
        intercept: -6.0,
        terms: vec![Term { term: "hurt".into(), contribution: 6.5 }],
        other: 0.0,
        false_alarms,
    }
}

/// A prediction of this number and probability of a removal, with labels.
fn labelled(number: usize, probability: f64, labels: &[LabelPrediction<'static>]) -> Prediction<'static> {
    let mut made = prediction();
    made.comment.id = Some(format!("c{number}").into());
    made.comment_event.id = format!("e-{number}").into();
    (made.probability, made.log_odds) = (probability, (probability / (1.0 - probability)).ln());
    made.labels = Some(labels.to_vec());
    made.harm_model = Some(ModelRef { name: "harm".into(), version: "a".repeat(64).into() });
    made
}

fn harmless() -> Vec<LabelPrediction<'static>> {
    vec![label("toxic", 0.002, 0.9), label("threat", 0.0006, 0.5), label("insult", 0.002, 0.8)]
}

fn threat() -> Vec<LabelPrediction<'static>> {
    vec![label("toxic", 0.126, 0.06), label("threat", 0.62, 0.003), label("insult", 0.01, 0.4)]
}

fn published(fixture: &Fixture) -> Vec<Notification> {
    std::iter::from_fn(|| fixture.inbox.try_receive()).collect()
}

async fn alert_of(fixture: &Fixture, prediction: &Prediction<'_>) -> (Notification, Alert<'static>) {
    assert_eq!(fixture.handle(&[encode(prediction)]).await, SUCCESS);
    let mut all = published(fixture);
    let only = all.pop().expect("it alerts");
    let alert = read(&only).data.into_owned();
    (only, alert)
}

#[tokio::test(start_paused = true)]
async fn an_alert_says_how_harmful_it_is_which_policies_it_meets_and_why() {
    let fixture = Fixture::new("0.7");
    let (message, alert) = alert_of(&fixture, &labelled(1, 0.74, &threat())).await;
    assert_eq!((alert.severity, alert.harm), (Severity::High, Some(0.62)));
    assert_eq!(alert.meets, Some(Meets { removal: true, labels: vec!["threat".into()] }));
    assert_eq!(alert.policy.condition, "probability>=0.7");
    // Labels that do not alert stay in the prediction.
    let names: Vec<&str> = alert.labels.iter().flatten().map(|label| label.label.as_ref()).collect();
    assert_eq!(names, ["threat"]);
    assert_eq!(alert.harm_model.as_ref().map(|model| model.name.as_ref()), Some("harm"));
    assert_eq!(alert.said(), ["threat .62", "this community would likely remove it .74"]);
    assert_eq!(message.attributes["severity"], "high");

    let (_, by_harm) = alert_of(&fixture, &labelled(2, 0.1, &threat())).await;
    assert_eq!(by_harm.meets, Some(Meets { removal: false, labels: vec!["threat".into()] }));
    assert_eq!(by_harm.policy.condition, "threat false_alarms<=0.01");
    assert_eq!((by_harm.severity, by_harm.said()), (Severity::High, vec!["threat .62".to_owned()]));

    let (_, by_removal) = alert_of(&fixture, &labelled(3, 0.95, &harmless())).await;
    assert_eq!(by_removal.severity, Severity::Low, "a joke is not urgent");
    assert_eq!(by_removal.meets, Some(Meets { removal: true, labels: Vec::new() }));
    assert_eq!(by_removal.said(), ["this community would likely remove it .95"]);
}

#[tokio::test(start_paused = true)]
async fn what_one_model_knows_nothing_of_the_other_judges_alone() {
    let fixture = Fixture::new("0.7");
    let short = Prediction { support: Some(Outside::Shorter), ..labelled(1, 0.95, &threat()) };
    let (_, alert) = alert_of(&fixture, &short).await;
    assert_eq!((alert.severity, alert.harm, alert.support), (Severity::High, Some(0.62), Some(Outside::Shorter)));
    assert_eq!(alert.meets, Some(Meets { removal: false, labels: vec!["threat".into()] }));
    assert_eq!(
        (alert.policy.condition.as_ref(), alert.said()),
        ("threat false_alarms<=0.01", vec!["threat .62".to_owned()])
    );
    assert!(!alert.is_of_removal());

    // Labels that are there all the same are not said.
    let foreign = Prediction { harm_support: Some(Outside::UnknownWords), ..labelled(2, 0.95, &threat()) };
    let (_, alert) = alert_of(&fixture, &foreign).await;
    assert_eq!((alert.severity, alert.harm, alert.labels.as_ref()), (Severity::High, None, None));
    assert_eq!((alert.harm_support, alert.meets.as_ref()), (Some(Outside::UnknownWords), None));
    assert_eq!(alert.policy.condition, "probability>=0.7");

    let neither = Prediction { support: Some(Outside::UnknownWords), ..labelled(3, 0.95, &harmless()) };
    assert_eq!(fixture.handle(&[encode(&neither), encode(&Prediction { labels: None, ..neither })]).await, SUCCESS);
    assert_eq!(published(&fixture).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_labels_an_alert_is_what_it_was() {
    let mut plain = prediction();
    (plain.probability, plain.log_odds) = (0.95, 2.944);
    let fixture = Fixture::new("0.7");
    let (_, alert) = alert_of(&fixture, &plain).await;
    assert_eq!((alert.severity, alert.harm, alert.meets, alert.labels), (Severity::High, None, None, None));
    assert_eq!(fixture.entries()[0].urgency, Urgency::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_document_weighs_labels_and_says_which_alert() {
    let fixture = Fixture::new("1");
    let text = "[default]\nthreshold = 1\n[harm]\nweights = { insult = 1, threat = 0 }\nalert = { insult = 0.5, toxic = \"none\" }\n\
                severity = { medium = 0.4, high = 0.9 }";
    let policies = Policies::parse(text).expect("policies");
    let deadline = fixture.clock.now() + Duration::from_secs(10);
    PolicyStore::new(&fixture.objects, &fixture.clock, deadline).push(&policies).await.expect("it is pushed");
    assert_eq!(fixture.handle(&[encode(&labelled(1, 0.1, &threat()))]).await, SUCCESS);
    assert_eq!(published(&fixture).len(), 0, "a threat counts for nothing here");
    let insult = [label("toxic", 0.99, 0.001), label("insult", 0.6, 0.02)];
    let (_, alert) = alert_of(&fixture, &labelled(2, 0.1, &insult)).await;
    assert_eq!((alert.severity, alert.harm), (Severity::Medium, Some(0.6)));
    assert_eq!(alert.policy.condition, "insult probability>=0.5");
}

#[tokio::test(start_paused = true)]
async fn the_queue_has_somebody_in_need_first_then_the_most_harmful_and_not_the_likeliest_removed() {
    let fixture = Fixture::new("0.7");
    let mut in_need = labelled(4, 0.01, &harmless());
    in_need.comment.body = Some("Tonight I will kill myself.".into());
    let all = [
        labelled(1, 0.99, &harmless()),
        labelled(2, 0.8, &[label("insult", 0.9, 0.003)]),
        labelled(3, 0.05, &threat()),
        in_need,
        labelled(5, 0.2, &[label("threat", 0.99, 0.0001)]),
    ];
    for prediction in &all {
        assert_eq!(fixture.handle(&[encode(prediction)]).await, SUCCESS);
        fixture.clock.sleep(Duration::from_secs(1)).await;
    }
    let ledger = Ledger::new(&fixture.table, &fixture.clock, fixture.clock.now() + Duration::from_secs(10));
    let mut order = Vec::new();
    for waiting in ledger.waiting(None).await.expect("answers").found {
        let entry = ledger.entry(&waiting.key).await.expect("answers").expect("it is there");
        let event: modstream_events::Event<'_, Alert<'_>> =
            modstream_events::Event::decode(&entry.event).expect("an alert");
        order.push((event.data.comment.id.expect("an id").into_owned(), entry.severity));
    }
    let wanted = [
        ("c4", Severity::High),
        ("c5", Severity::High),
        ("c3", Severity::High),
        ("c2", Severity::Medium),
        ("c1", Severity::Low),
    ];
    assert_eq!(order, wanted.map(|(id, severity)| (id.to_owned(), severity)));
}

#[tokio::test(start_paused = true)]
async fn somebody_who_may_harm_themselves_has_a_note_with_whom_they_can_turn_to() {
    let fixture = Fixture::new("1");
    let text =
        "[default]\nthreshold = 1\n[self_harm]\nmore_phrases = [\"no way out\"]\ncontacts = [\"Samaritans: 116 123\"]";
    let policies = Policies::parse(text).expect("policies");
    let deadline = fixture.clock.now() + Duration::from_secs(10);
    PolicyStore::new(&fixture.objects, &fixture.clock, deadline).push(&policies).await.expect("it is pushed");
    let mut prediction = prediction();
    prediction.comment.body = Some("There is NO  way out for me".into());
    let (message, alert) = alert_of(&fixture, &prediction).await;
    let found = alert.self_harm.expect("it is noticed");
    assert_eq!((found.phrase.as_ref(), found.contacts), ("no way out", vec!["Samaritans: 116 123".into()]));
    assert_eq!((alert.severity, message.attributes["self_harm"].as_str()), (Severity::High, "true"));
    assert_eq!(fixture.entries()[0].urgency, Urgency::SelfHarm);
}
