use plain_text::counted;
use std::borrow::Cow;
use std::collections::BTreeMap;

use modstream_events::{Data, Event, NoPrevious, Severity, Versioned, ids};
use modstream_platform::Message;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::breakers::Known;

/// What moderators get once instead of a thousand alerts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BreakerOpened<'a> {
    /// All of it in words.
    pub text: Cow<'a, str>,
    /// The share of comments that alerted.
    pub share: f64,
    /// The share that may.
    pub max_share: f64,
    /// How many alerts there were, where it was noticed.
    pub alerts: u64,
    /// The number of predictions among which they were counted.
    pub predictions: u64,
    /// When alerts are published again, if nobody closes it before.
    pub until: jiff::Timestamp,
}

impl Data for BreakerOpened<'_> {
    const TYPE: &'static str = "modstream.breaker-opened.v1";
}

impl<'a> Versioned<'a> for BreakerOpened<'a> {
    type Previous = NoPrevious;

    fn upcast(previous: NoPrevious) -> Self {
        match previous {}
    }
}

/// The message about a breaker. Its id is the breaker's, so whoever gets it twice can tell.
pub fn message_about(breaker: &Known, source: &str) -> Message {
    let opened = &breaker.opened;
    let (share, max_share) = (opened.share(), opened.max_share);
    let text = format!(
        "{alerts} of {comments} alerted in the last {minutes}, {share:.1} %; {most:.1} % may. Something \
         is wrong with the comments, the model or the policies. Alerts are held back until {until}: all of them are in the \
         digest and at the desk. To publish alerts again before then, run: modstream breaker close",
        alerts = opened.alerts,
        comments = counted(opened.predictions, "comment"),
        minutes = counted(opened.window_minutes, "minute"),
        share = share * 100.0,
        most = max_share * 100.0,
        until = opened.until.strftime("%Y-%m-%d %H:%M UTC"),
    );
    let data = BreakerOpened {
        text: text.into(),
        share,
        max_share,
        alerts: opened.alerts,
        predictions: opened.predictions,
        until: opened.until,
    };
    let id = Uuid::new_v5(&ids::NAMESPACE, breaker.name.as_bytes()).to_string();
    let event = Event::new(id.clone(), source, opened.time, data).encode();
    let attributes = [("breaker", "open"), ("severity", Severity::High.as_str())];
    let attributes: BTreeMap<String, String> =
        attributes.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Message {
        id,
        subject: Some("modstream: too many alerts, held back".to_owned()),
        body: String::from_utf8_lossy(&event).into_owned(),
        attributes,
        ..Message::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::breakers::Opened;
    use super::*;

    #[test]
    fn it_says_what_happened_until_when_and_how_to_end_it() {
        let time: jiff::Timestamp = "2026-01-05T10:07:00Z".parse().expect("a time");
        let opened = Opened {
            time,
            until: time + jiff::SignedDuration::from_mins(60),
            max_share: 0.2,
            window_minutes: 5,
            alerts: 130,
            predictions: 400,
        };
        let (name, opener) = ("2026-01-05/0000".to_owned(), "o".to_owned());
        let known = Known { name, opened, opener, is_sent: false, closed: None, cause: None };
        let message = message_about(&known, "urn:modstream:publish-alerts");
        let event: Event<'_, BreakerOpened<'_>> = Event::decode(message.body.as_bytes()).expect("an event");
        assert_eq!((event.id.as_ref(), event.time), (message.id.as_str(), time));
        for said in
            ["130 of 400 comments", "32.5 %", "20.0 % may", "2026-01-05 11:07 UTC", "digest", "modstream breaker close"]
        {
            assert!(event.data.text.contains(said), "{said}: {}", event.data.text);
        }
        assert_eq!((message.attributes["breaker"].as_str(), message.attributes["severity"].as_str()), ("open", "high"));
    }
}
