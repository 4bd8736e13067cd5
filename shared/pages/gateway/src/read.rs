//! How a body becomes what it says.

use std::fmt;

use json_text::{Scalar, repaired};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The most characters of a parser's words that a caller is told: they may quote what was sent.
const MAX_DETAIL_CHARS: usize = 300;
/// How many attributes of a request are looked at. No map is as large, so that one of the first is unknown where there are more.
const MAX_NAMED: usize = 1_000;

/// A body that can't be read: what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreadable(pub(crate) String);

/// Reads JSON as clients write it: behind a byte order mark, and with halves of emoji, which become U+FFFD.
pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unreadable> {
    let body = body.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(body);
    let text = std::str::from_utf8(body)
        .map_err(|error| Unreadable(format!("the body is no UTF-8 from byte {} on", error.valid_up_to())))?;
    serde_json::from_str(text).or_else(|error| {
        // A text that can be read costs nothing more.
        let repaired = repaired(text, |_, _| false).filter(|_| error.is_syntax());
        repaired.and_then(|text| serde_json::from_str(&text).ok()).ok_or_else(|| Unreadable(cut(&error.to_string())))
    })
}

/// A text that is told to a caller, cut where it is long.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_DETAIL_CHARS) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text.to_owned(),
    }
}

/// A number, or a text that holds one, as the JSON form of Google's messages allows.
pub(crate) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let value = match Scalar::deserialize(from)? {
        Scalar::Null => return Ok(None),
        Scalar::Integer(number) => Some(number as f64),
        Scalar::Float(number) => Some(number),
        Scalar::Text(text) => text.trim().parse().ok(),
        Scalar::Boolean(_) | Scalar::Nested => None,
    };
    match value {
        Some(number) if number.is_finite() => Ok(Some(number)),
        _ => Err(D::Error::custom("a number was expected")),
    }
}

/// A list of texts, or one text by itself, as the JSON form of Google's messages is read by Google.
pub(crate) fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    struct Texts;

    impl<'de> Visitor<'de> for Texts {
        type Value = Vec<String>;

        fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
            to.write_str("a list of texts")
        }

        fn visit_unit<E>(self) -> Result<Vec<String>, E> {
            Ok(Vec::new())
        }

        fn visit_str<E>(self, text: &str) -> Result<Vec<String>, E> {
            Ok(vec![text.to_owned()])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<String>, A::Error> {
            let mut texts = Vec::new();
            while let Some(text) = items.next_element()? {
                if texts.len() == MAX_NAMED {
                    return Err(A::Error::custom(format!("more than {MAX_NAMED} entries")));
                }
                texts.push(text);
            }
            Ok(texts)
        }
    }

    from.deserialize_any(Texts)
}

/// The entries of an object in their order, each key once. Of more than anybody means, the first are kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Named<T>(pub(crate) Vec<(String, Option<T>)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Entries<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Named<T>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("an object")
            }

            fn visit_unit<E>(self) -> Result<Named<T>, E> {
                Ok(Named::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut entries: Vec<(String, Option<T>)> = Vec::new();
                let mut known = std::collections::BTreeSet::new();
                while let Some((name, value)) = map.next_entry::<String, Option<T>>()? {
                    if entries.len() == MAX_NAMED {
                        continue;
                    }
                    if !known.insert(name.clone()) {
                        return Err(A::Error::custom(format!("`{}` stands there twice", cut(&name))));
                    }
                    entries.push((name, value));
                }
                Ok(Named(entries))
            }
        }

        from.deserialize_any(Entries(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Body {
        text: String,
        #[serde(deserialize_with = "number")]
        number: Option<f64>,
        #[serde(deserialize_with = "texts")]
        texts: Vec<String>,
        named: Named<Body>,
    }

    fn read(text: &str) -> Result<Body, Unreadable> {
        json(text.as_bytes())
    }

    #[test]
    fn json_is_read_as_clients_write_it() {
        let said = |text: &str| read(text).map(|body| body.text);
        assert_eq!(said("\u{FEFF}{\"text\":\"a\"}").as_deref(), Ok("a"));
        assert_eq!(said(r#"{"text":"a\ud83d"}"#).as_deref(), Ok("a\u{FFFD}"));
        assert_eq!(said(r#"{"text":"a\u0000b"}"#).as_deref(), Ok("a\0b"));
        for (text, value) in [("0.5", 0.5), ("\"0.5\"", 0.5), ("1", 1.0), ("\"1e-1\"", 0.1)] {
            assert_eq!(read(&format!("{{\"number\":{text}}}")).expect("reads").number, Some(value));
        }
        assert_eq!(read(r#"{"texts":"en","number":null}"#).expect("reads").texts, ["en"]);
    }

    #[test]
    fn what_is_none_says_where_and_no_more_than_a_few_words() {
        let deep = "[".repeat(10_000);
        let long = format!("{{\"number\":\"{}\"}}", "x".repeat(100_000));
        let twice = r#"{"named":{"a":{},"a":{}}}"#;
        for text in ["", "{", &deep, &long, twice, r#"{"text":"a","text":"b"}"#, r#"{"number":"NaN"}"#, "[]x", "7"] {
            let Unreadable(detail) = read(text).expect_err("refused");
            assert!(!detail.is_empty() && detail.chars().count() <= MAX_DETAIL_CHARS + 1, "{detail}");
        }
        assert!(json::<Body>(b"{\"text\":\"\xff\"}").is_err());
        let many: Vec<String> = (0..100_000).map(|number| format!("\"A{number}\":{{}}")).collect();
        let many = read(&format!("{{\"named\":{{{}}}}}", many.join(","))).expect("reads");
        assert_eq!(many.named.0.len(), MAX_NAMED);
    }
}
