//! The events, read and written by the CloudEvents project's own SDK.

use cloudevents::event::SpecVersion;
use cloudevents::{AttributesReader, Data as SdkData};
use modstream_events::{Comment, Data, Event, Versioned};
use serde::Serialize;
use serde_json::Value;

use crate::whole_events::{
    alert_event, breaker_closed_event, comment_event, decision_event, feedback_event, model_promoted_event,
    policies_changed_event, prediction_event, quarantined_event,
};

fn read_by_the_sdk<T: Data + Serialize>(event: &Event<'_, T>) -> cloudevents::Event {
    let read: cloudevents::Event = serde_json::from_slice(&event.encode()).expect("the SDK reads it");
    assert_eq!(read.specversion(), SpecVersion::V10);
    assert_eq!(read.id(), event.id);
    assert_eq!(read.source(), &*event.source);
    assert_eq!(read.ty(), T::TYPE);
    assert_eq!(read.datacontenttype(), Some("application/json"));
    let time = read.time().expect("a time");
    assert_eq!(time.timestamp_nanos_opt().map(i128::from), Some(event.time.as_nanosecond()));
    let data = serde_json::to_value(&event.data).expect("serialises");
    assert_eq!(read.data(), Some(&SdkData::Json(data)));
    assert_eq!(read.iter_extensions().count(), 0);
    read
}

fn written_by_the_sdk(event: &cloudevents::Event) -> Vec<u8> {
    serde_json::to_vec(event).expect("the SDK writes it")
}

/// `bytes` are what the SDK writes of `event`.
fn decodes_to<'a, T>(event: &Event<'a, T>, bytes: &'a [u8])
where
    T: Versioned<'a> + PartialEq + std::fmt::Debug,
{
    assert_eq!(&Event::<T>::decode(bytes).expect("what the SDK writes decodes"), event);
}

#[test]
fn the_sdk_reads_every_event_and_what_it_writes_decodes_to_the_same() {
    let (comment, prediction) = (comment_event(), prediction_event());
    decodes_to(&comment, &written_by_the_sdk(&read_by_the_sdk(&comment)));
    decodes_to(&prediction, &written_by_the_sdk(&read_by_the_sdk(&prediction)));
    let (alert, quarantined) = (alert_event(), quarantined_event());
    decodes_to(&alert, &written_by_the_sdk(&read_by_the_sdk(&alert)));
    let decision = decision_event();
    decodes_to(&decision, &written_by_the_sdk(&read_by_the_sdk(&decision)));
    decodes_to(&quarantined, &written_by_the_sdk(&read_by_the_sdk(&quarantined)));
    let (promoted, changed, closed) = (model_promoted_event(), policies_changed_event(), breaker_closed_event());
    decodes_to(&promoted, &written_by_the_sdk(&read_by_the_sdk(&promoted)));
    decodes_to(&changed, &written_by_the_sdk(&read_by_the_sdk(&changed)));
    decodes_to(&closed, &written_by_the_sdk(&read_by_the_sdk(&closed)));
    let feedback = feedback_event();
    decodes_to(&feedback, &written_by_the_sdk(&read_by_the_sdk(&feedback)));
}

#[test]
fn extensions_of_another_producer_stay_extensions() {
    let mut event: Value = serde_json::from_slice(&comment_event().encode()).expect("JSON");
    event["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into();
    event["subject"] = "k3f9a01".into();
    event["partitionkey"] = "k3f9a01".into();
    let read: cloudevents::Event = serde_json::from_value(event).expect("the SDK reads it");
    assert_eq!(read.iter_extensions().count(), 2);
    let bytes = written_by_the_sdk(&read);
    assert_eq!(Event::<Comment<'_>>::decode(&bytes).expect("decodes"), comment_event());
}
