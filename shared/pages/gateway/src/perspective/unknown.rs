//! Fields that Perspective's callers send and nobody here knows: they are passed over, and named in the log.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use modstream_telemetry::field_unknown;
use serde::de::IgnoredAny;

use crate::Route;
use crate::read::{self, Named};

/// The fields of a request that are known, whether they are looked at or not.
const KNOWN: [&str; 11] = [
    "attributeScores",
    "clientToken",
    "comment",
    "communityId",
    "context",
    "doNotStore",
    "languages",
    "requestedAttributes",
    "sessionId",
    "spanAnnotations",
    "userId",
];
/// How many names are told at most: whoever makes up others fills no log.
const MAX_TOLD: usize = 100;
/// The most characters of a name.
const MAX_NAME_CHARS: usize = 40;
/// What a name is called that may be anything, such as a comment's text.
const OTHER: &str = "(no name)";

/// The fields that were told, each by its route.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<BTreeSet<(&'static str, String)>>);

impl Told {
    /// Tells of each field of a request that nobody knows, once.
    pub(crate) fn look(&self, route: Route, body: &[u8]) {
        let Ok(Named(fields)) = read::json::<Named<IgnoredAny>>(body) else { return };
        for (name, _) in fields.into_iter().filter(|(name, _)| !is_known(name)) {
            let name = if is_name(&name) { name } else { OTHER.to_owned() };
            let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if told.len() < MAX_TOLD && told.insert((route.path(), name.clone())) {
                field_unknown(route.path(), &name);
            }
        }
    }
}

/// Whether a field is known, as Google's messages name it in JSON or in their own files.
fn is_known(name: &str) -> bool {
    let plain = |name: &str| name.replace('_', "").to_ascii_lowercase();
    let said = plain(name);
    KNOWN.iter().any(|known| plain(known) == said)
}

fn is_name(name: &str) -> bool {
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    begins && name.len() <= MAX_NAME_CHARS && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_told_once_and_by_nothing_that_may_be_a_text() {
        let told = Told::default();
        let names = || {
            let told = told.0.lock().expect("no panic");
            told.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>()
        };
        let body = br#"{"comment":{},"requested_attributes":{},"sessionId":1,"newField":2,"You are an idiot.":3,"":4}"#;
        told.look(Route::Analyze, body);
        assert_eq!(names(), [OTHER, "newField"]);
        told.look(Route::Analyze, br#"{"newField":2}"#);
        assert_eq!(names().len(), 2);
        told.look(Route::SuggestScore, br#"{"newField":2}"#);
        assert_eq!(names().len(), 3);
        let many: Vec<String> = (0..500).map(|number| format!("\"field{number}\":0")).collect();
        told.look(Route::Analyze, format!("{{{}}}", many.join(",")).as_bytes());
        assert_eq!(names().len(), MAX_TOLD);
    }
}
