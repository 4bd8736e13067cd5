//! One whole event of each type.

use jiff::Timestamp;
use modstream_events::{
    Action, Alert, BreakerClosed, Cause, Comment, Decision, Event, EventRef, Feedback, ModelPromoted, ModelRef,
    OperatingPoint, Origin, PoliciesChanged, PolicyRef, Prediction, Quarantined, Reason, Severity, Term, ids,
};

pub(crate) const FORUM: &str = "urn:example:forum";
pub(crate) const MODEL_VERSION: &str = "3f1c8a52d07e9b64a1c5f08273de49b6708c12fa95e3b04d6a7f8190c2d3e4b5";

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub(crate) fn comment_event() -> Event<'static, Comment<'static>> {
    let comment = Comment {
        id: Some("k3f9a01".into()),
        parent_id: Some("t1_k3f99zz".into()),
        link_id: Some("t3_1hr44o".into()),
        subreddit: Some("askscience".into()),
        author: Some("copper_marmalade".into()),
        body: Some("Is \"p < 0.05\" enough?\nThe café's sample is 7 — 😀".into()),
        created_utc: Some(1_767_607_198),
        edited: None,
        score: Some(-3),
        permalink: Some("/r/askscience/comments/1hr44o/_/k3f9a01/".into()),
    };
    let id = ids::comment(FORUM, "k3f9a01", "1").to_string();
    Event::new(id, FORUM, time("2026-01-05T10:00:00.25Z"), comment)
}

pub(crate) fn prediction_event() -> Event<'static, Prediction<'static>> {
    let comment = comment_event();
    let id = ids::prediction(&comment.source, &comment.id, MODEL_VERSION).to_string();
    let prediction = Prediction {
        version: None,
        comment_event: EventRef { source: comment.source, id: comment.id, time: comment.time },
        comment: comment.data,
        probability: 0.950_212_931_63,
        log_odds: 2.949,
        intercept: -0.75,
        terms: vec![
            Term { term: "enough".into(), contribution: 2.5 },
            Term { term: "sample is".into(), contribution: -0.301 },
        ],
        other: 1.5,
        model: ModelRef { name: "rscience".into(), version: MODEL_VERSION.into() },
        operating_point: OperatingPoint { precision: 0.91, recall: 0.12, share: 0.013, base_rate: 0.1 },
        labels: None,
        harm_model: None,
        harm_support: None,
        not_judged: None,
        support: None,
    };
    Event::new(id, "urn:modstream:score-comments", time("2026-01-05T10:00:01.5Z"), prediction)
}

pub(crate) fn alert_event() -> Event<'static, Alert<'static>> {
    let prediction = prediction_event();
    let about = &prediction.data.comment_event;
    let id = ids::alert(&about.source, &about.id, "default").to_string();
    let policy = PolicyRef { name: "default".into(), condition: "precision>=0.9".into() };
    let alert = Alert::new(prediction.data, prediction.id, Severity::High, policy);
    Event::new(id, "urn:modstream:publish-alerts", time("2026-01-05T10:00:02Z"), alert)
}

/// It owns its texts, since the alert is gone when it is looked at.
pub(crate) fn decision_event() -> Event<'static, Decision<'static>> {
    let alert = alert_event();
    let bytes = Decision::about(&alert, Action::Remove, "violet", 1).into_event(time("2026-01-05T10:03:00Z")).encode();
    Event::decode(bytes.leak()).expect("what was encoded")
}

pub(crate) fn quarantined_event() -> Event<'static, Quarantined<'static>> {
    let entry = Quarantined {
        origin: Origin {
            stream: "comments".into(),
            shard_id: "shardId-000000000000".into(),
            sequence_number: "49590338271490256608559692538361571095921575989136588898".into(),
            partition_key: "k3f9a01".into(),
            arrived: time("2026-01-05T10:00:00.123Z"),
        },
        reason: Reason::NotJson,
        detail: "no JSON, at line 1 column 1".into(),
        payload: "aGVsbG8=".into(),
    };
    entry.into_event("urn:modstream:score-comments")
}

fn cause() -> Cause<'static> {
    Cause {
        by: Some("maja".into()),
        identity: Some("arn:aws:sts::123456789012:assumed-role/operators/maja".into()),
        reason: Some("the replay of last week won 14 alerts".into()),
    }
}

pub(crate) fn model_promoted_event() -> Event<'static, ModelPromoted<'static>> {
    let promoted = ModelPromoted {
        name: "rscience".into(),
        number: 2,
        version: MODEL_VERSION.into(),
        previous: Some("c76d9689cf7f0b64a1c5f08273de49b6708c12fa95e3b04d6a7f8190c2d3e4b5".into()),
        cause: cause(),
    };
    promoted.into_event(time("2026-01-05T10:31:07.25Z"))
}

pub(crate) fn feedback_event() -> Event<'static, Feedback<'static>> {
    let feedback = Feedback {
        subreddit: Some("Coral:https://comments.example.org".into()),
        id: Some("42".into()),
        body: "you idiot".into(),
        attribute: "TOXICITY".into(),
        score: 1.0,
        removed: true,
    };
    let id = "5f0f6f3e-6a0a-5d55-9a3f-0b6f0f1c2d3e";
    Event::new(id, "urn:modstream:front-door", time("2026-01-05T10:31:07.25Z"), feedback)
}

pub(crate) fn policies_changed_event() -> Event<'static, PoliciesChanged<'static>> {
    let ModelPromoted { number, version, previous, cause, .. } = model_promoted_event().data;
    PoliciesChanged { number, version, previous, cause }.into_event(time("2026-01-05T10:31:07.25Z"))
}

pub(crate) fn breaker_closed_event() -> Event<'static, BreakerClosed<'static>> {
    let (breaker, opened) = ("breakers/2026-01-05/0000-_all".into(), time("2026-01-05T10:04:00Z"));
    BreakerClosed { breaker, opened, cause: cause() }.into_event(time("2026-01-05T10:31:07.25Z"))
}
