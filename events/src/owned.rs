//! Events that hold their own text, for whoever keeps one longer than the bytes it was read from.

use std::borrow::Cow;

use crate::{Alert, Event, EventRef, Links, ModelRef, PolicyRef, Term};

fn own(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

impl<'a> Alert<'a> {
    /// The same alert, holding its own text.
    pub fn into_owned(self) -> Alert<'static> {
        let EventRef { source, id, time } = self.comment_event;
        let PolicyRef { name, condition } = self.policy;
        let ModelRef { name: model, version } = self.model;
        let term = |Term { term, contribution }: Term<'a>| Term { term: own(term), contribution };
        Alert {
            comment: self.comment.into_owned(),
            body_truncated: self.body_truncated,
            comment_event: EventRef { source: own(source), id: own(id), time },
            prediction_id: own(self.prediction_id),
            probability: self.probability,
            log_odds: self.log_odds,
            severity: self.severity,
            policy: PolicyRef { name: own(name), condition: own(condition) },
            terms: self.terms.into_iter().map(term).collect(),
            model: ModelRef { name: own(model), version: own(version) },
            operating_point: self.operating_point,
            matched: self.matched.map(own),
            exploration: self.exploration,
            probe: self.probe,
            links: self.links.map(|Links { remove, keep }| Links { remove: own(remove), keep: own(keep) }),
        }
    }
}

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
            "exploration":0.01,"probe":true,"links":{"remove":"r","keep":"k"}}}"#;
        let event: Event<'_, Alert<'_>> = Event::decode(text.as_bytes()).expect("an event");
        assert_eq!(event.clone().into_owned(), event);
        assert_eq!(event.clone().into_owned().encode(), event.encode());
    }
}
