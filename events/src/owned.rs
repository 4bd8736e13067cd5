//! Alert events that hold their own text, for whoever keeps one longer than the bytes it was read from.

use crate::borrow::own;
use crate::{Alert, Event};

impl Event<'_, Alert<'_>> {
    /// The same event, holding its own text.
    pub fn into_owned(self) -> Event<'static, Alert<'static>> {
        Event {
            specversion: own(self.specversion),
            id: own(self.id),
            source: own(self.source),
            kind: own(self.kind),
            time: self.time,
            datacontenttype: own(self.datacontenttype),
            data: self.data.into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_the_same_when_it_holds_its_text() {
        let text = r#"{"specversion":"1.0","id":"a","source":"s","type":"modstream.alert.v1","time":"2026-01-05T10:00:00Z",
            "datacontenttype":"application/json","data":{"comment":{"id":"c","body":"text","subreddit":"science"},
            "body_truncated":true,"comment_event":{"source":"u","id":"e","time":"2026-01-05T10:00:00Z"},"prediction_id":"p",
            "probability":0.9,"log_odds":2.2,"severity":"high","policy":{"name":"default","condition":"probability>=0.5"},
            "terms":[{"term":"lol","contribution":0.5}],"model":{"name":"m","version":"v"},
            "operating_point":{"precision":0.8,"recall":0.3,"share":0.1,"base_rate":0.32},"matched":"text",
            "harm":0.9,"labels":[{"label":"threat","probability":0.9,"log_odds":2.2,"intercept":-5.8,"terms":[{"term":"hurt",
            "contribution":6.0}],"other":2.0,"false_alarms":0.001}],"harm_model":{"name":"harm","version":"v"},
            "meets":{"removal":false,"labels":["threat"]},"self_harm":{"phrase":"end it all","contacts":["988"]},
            "exploration":0.01,"probe":true,"links":{"remove":"r","keep":"k"}}}"#;
        let event: Event<'_, Alert<'_>> = Event::decode(text.as_bytes()).expect("an event");
        assert_eq!(event.clone().into_owned(), event);
        assert_eq!(event.clone().into_owned().encode(), event.encode());
    }
}
