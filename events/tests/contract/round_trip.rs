use jiff::Timestamp;
use modstream_events::{
    Action, Alert, Comment, Data, Decision, Event, EventRef, LabelPrediction, Links, Meets, ModelRef, NotJudged,
    OperatingPoint, Origin, Outside, PolicyRef, Prediction, Quarantined, Reason, SelfHarm, Severity, Term, Versioned,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Debug;

type Text = Cow<'static, str>;

/// Any text, with the characters that JSON escapes as likely as others.
fn text() -> impl Strategy<Value = Text> {
    let character = prop_oneof![any::<char>(), select(vec!['"', '\\', '/', '\n', '\u{0}', '\u{1f}', '\u{2028}', '😀'])];
    vec(character, 0..24).prop_map(|characters| characters.into_iter().collect::<String>().into())
}

fn name() -> impl Strategy<Value = Text> {
    text().prop_map(|text| format!("x{text}").into())
}

fn instant() -> impl Strategy<Value = Timestamp> {
    (Timestamp::MIN.as_second()..=Timestamp::MAX.as_second(), 0..1_000_000_000)
        .prop_filter_map("out of range", |(second, nanosecond)| Timestamp::new(second, nanosecond).ok())
}

fn number() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    prop_oneof![0.0..=1.0, -20.0..20.0, POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO]
}

fn comment() -> impl Strategy<Value = Comment<'static>> {
    let text = || option::of(text());
    let ids = (text(), text(), text(), text());
    // Larger ones are read as milliseconds.
    let times = (option::of(-99_999_999_999..100_000_000_000_i64), option::of(2..100_000_000_000_i64));
    (ids, text(), text(), times, option::of(any::<i64>()), text()).prop_map(
        |((id, parent_id, link_id, subreddit), author, body, (created_utc, edited), score, permalink)| Comment {
            id,
            parent_id,
            link_id,
            subreddit,
            author,
            body,
            created_utc,
            edited,
            score,
            permalink,
        },
    )
}

fn event_ref() -> impl Strategy<Value = EventRef<'static>> {
    (text(), text(), instant()).prop_map(|(source, id, time)| EventRef { source, id, time })
}

fn label() -> impl Strategy<Value = LabelPrediction<'static>> {
    let terms = vec((text(), number()).prop_map(|(term, contribution)| Term { term, contribution }), 0..2);
    let numbers = [number(), number(), number(), number(), number()];
    (text(), numbers, terms).prop_map(|(label, [probability, log_odds, intercept, other, false_alarms], terms)| {
        LabelPrediction { label, probability, log_odds, intercept, terms, other, false_alarms }
    })
}

fn prediction() -> impl Strategy<Value = Prediction<'static>> {
    let terms = vec((text(), number()).prop_map(|(term, contribution)| Term { term, contribution }), 0..4);
    let model = (text(), text()).prop_map(|(name, version)| ModelRef { name, version });
    let point = [number(), number(), number(), number()]
        .prop_map(|[precision, recall, share, base_rate]| OperatingPoint { precision, recall, share, base_rate });
    let numbers = [number(), number(), number(), number()];
    let not_judged = select(vec![None, Some(NotJudged::NoText), Some(NotJudged::Placeholder)]);
    let outside = || select(vec![None, Some(Outside::Shorter), Some(Outside::Longer), Some(Outside::UnknownWords)]);
    let harm = option::of((vec(label(), 0..3), text(), text()));
    let marks = (not_judged, outside(), outside());
    (comment(), event_ref(), numbers, terms, model, point, marks, harm).prop_map(
        |(
            comment,
            comment_event,
            [probability, log_odds, intercept, other],
            terms,
            model,
            operating_point,
            (not_judged, support, harm_support),
            harm,
        )| {
            let (labels, harm_model) = harm.map(|(labels, name, version)| (labels, ModelRef { name, version })).unzip();
            Prediction {
                comment,
                comment_event,
                version: None,
                probability,
                log_odds,
                intercept,
                terms,
                other,
                model,
                operating_point,
                labels,
                harm_model,
                harm_support,
                not_judged,
                support,
            }
        },
    )
}

fn alert() -> impl Strategy<Value = Alert<'static>> {
    let severity = select(vec![Severity::Low, Severity::Medium, Severity::High]);
    let policy = (text(), text()).prop_map(|(name, condition)| PolicyRef { name, condition });
    let links = (text(), text()).prop_map(|(remove, keep)| Links { remove, keep });
    let meets = (any::<bool>(), vec(text(), 0..3)).prop_map(|(removal, labels)| Meets { removal, labels });
    let self_harm = (text(), vec(text(), 0..3)).prop_map(|(phrase, contacts)| SelfHarm { phrase, contacts });
    let harm = (option::of(number()), option::of(meets), option::of(self_harm));
    let optional = (option::of(text()), option::of(number()), any::<bool>(), option::of(links), harm);
    (prediction(), text(), severity, policy, optional).prop_map(|(prediction, id, severity, policy, optional)| {
        let (matched, exploration, probe, links, (harm, meets, self_harm)) = optional;
        Alert {
            matched,
            exploration,
            probe,
            links,
            harm,
            meets,
            self_harm,
            ..Alert::new(prediction, id, severity, policy)
        }
    })
}

fn quarantined() -> impl Strategy<Value = Quarantined<'static>> {
    let reason = select(vec![Reason::NotBase64, Reason::NotAnEvent, Reason::TooLarge, Reason::Refused]);
    ([text().boxed(), text().boxed(), text().boxed(), text().boxed()], instant(), reason, text(), text()).prop_map(
        |([stream, shard_id, sequence_number, partition_key], arrived, reason, detail, payload)| Quarantined {
            origin: Origin { stream, shard_id, sequence_number, partition_key, arrived },
            reason,
            detail,
            payload,
        },
    )
}

fn event<T: Data + Debug>(data: impl Strategy<Value = T>) -> impl Strategy<Value = Event<'static, T>> {
    (name(), name(), instant(), data).prop_map(|(id, source, time, data)| Event::new(id, source, time, data))
}

fn comes_back<'a, T>(event: &Event<'static, T>, bytes: &'a [u8]) -> Result<(), TestCaseError>
where
    T: Versioned<'a> + Serialize + PartialEq + Debug,
{
    let back = Event::<T>::decode(bytes).map_err(|bad| TestCaseError::fail(bad.to_string()))?;
    prop_assert_eq!(&back, event);
    prop_assert_eq!(back.encode(), bytes);
    Ok(())
}

proptest! {
    #[test]
    fn a_comment_event_comes_back_as_it_was(event in event(comment())) {
        comes_back(&event, &event.encode())?;
    }

    #[test]
    fn a_prediction_event_comes_back_to_the_last_bit(event in event(prediction())) {
        comes_back(&event, &event.encode())?;
    }

    #[test]
    fn an_alert_event_comes_back_as_it_was(event in event(alert())) {
        comes_back(&event, &event.encode())?;
    }

    #[test]
    fn a_decision_event_comes_back_as_it_was(
        alert in event(alert()),
        action in select(vec![Action::Remove, Action::Keep, Action::Undo]),
        moderator in text(),
        number in 1..u32::MAX,
        time in instant(),
    ) {
        let event = Decision::about(&alert, action, &moderator, number).into_event(time);
        prop_assert_eq!(event.data.probe, alert.data.probe);
        let bytes = event.encode();
        prop_assert_eq!(String::from_utf8_lossy(&bytes).contains(r#""probe":true"#), alert.data.probe);
        let back: Event<'_, Decision<'_>> = Event::decode(&bytes).map_err(|bad| TestCaseError::fail(bad.to_string()))?;
        prop_assert_eq!(&back, &event);
        prop_assert_eq!(back.encode(), bytes);
    }

    #[test]
    fn a_quarantined_event_comes_back_as_it_was(event in event(quarantined())) {
        comes_back(&event, &event.encode())?;
    }

    #[test]
    fn an_alert_that_owns_its_texts_is_the_same_alert(event in event(alert())) {
        let bytes = event.encode();
        let back: Event<'_, Alert<'_>> = Event::decode(&bytes).map_err(|bad| TestCaseError::fail(bad.to_string()))?;
        let owned: Alert<'static> = back.data.into_owned();
        prop_assert_eq!(owned, event.data);
    }

    #[test]
    fn a_comment_that_owns_its_text_is_the_same_comment(event in event(comment())) {
        let bytes = event.encode();
        let back: Event<'_, Comment<'_>> = Event::decode(&bytes).map_err(|bad| TestCaseError::fail(bad.to_string()))?;
        let owned: Comment<'static> = back.data.clone().into_owned();
        prop_assert_eq!(&owned, &back.data);
        prop_assert_eq!(owned, event.data);
    }
}
