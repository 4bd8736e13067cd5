//! Reads a verdict in the ways that dumps write it.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

pub(crate) const WANTED: &str = "true, false, 1 or 0";

/// The verdict of a text, in upper or lower case, as R writes `TRUE` and Python `True`. An empty text is no verdict.
pub(crate) fn from_text(text: &str) -> Result<Option<bool>, Unknown> {
    let text = text.trim();
    if text.is_empty() {
        Ok(None)
    } else if text == "1" || text.eq_ignore_ascii_case("true") {
        Ok(Some(true))
    } else if text == "0" || text.eq_ignore_ascii_case("false") {
        Ok(Some(false))
    } else {
        Err(Unknown)
    }
}

#[derive(Debug)]
pub(crate) struct Unknown;

/// The field `removed` of a JSON object.
#[derive(Deserialize)]
pub(crate) struct Removed {
    #[serde(default, deserialize_with = "verdict")]
    pub(crate) removed: Option<bool>,
}

fn verdict<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    struct Verdict;
    impl de::Visitor<'_> for Verdict {
        type Value = Option<bool>;
        fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
            to.write_str(WANTED)
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_bool<E>(self, removed: bool) -> Result<Self::Value, E> {
            Ok(Some(removed))
        }
        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
            match number {
                0 => Ok(Some(false)),
                1 => Ok(Some(true)),
                _ => Err(E::custom(WANTED)),
            }
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            from_text(text).map_err(|Unknown| E::custom(WANTED))
        }
    }
    from.deserialize_any(Verdict)
}
