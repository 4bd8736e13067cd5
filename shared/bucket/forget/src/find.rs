//! Whether data holds what a person wrote.

use std::fmt;

use json_text::Scalar;
use memchr::memmem;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Says whose text is to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Person {
    /// All that this author wrote; the name exactly as it stands in comments.
    Author(String),
    /// The text of one comment, by the forum's id.
    Comment(String),
}

impl Person {
    fn field(&self) -> &'static str {
        match self {
            Person::Author(_) => "author",
            Person::Comment(_) => "id",
        }
    }

    fn value(&self) -> &str {
        match self {
            Person::Author(value) | Person::Comment(value) => value,
        }
    }

    /// Whether this is a record of theirs.
    pub(crate) fn wrote(&self, partition_key: &str, data: &[u8]) -> bool {
        let by_key = matches!(self, Person::Comment(id) if id == partition_key);
        by_key || self.is_in(data)
    }

    /// Whether the data has the name or id: in JSON as the value of its field, in anything else within quotation marks.
    pub(crate) fn is_in(&self, data: &[u8]) -> bool {
        // As events are read: what can't be read as it stands is repaired.
        let is_text = |_: usize, key: &str| key == self.field();
        let repaired = || self.is_in_json(json_text::repaired(std::str::from_utf8(data).ok()?, is_text)?.as_bytes());
        // Also JSON that is nested too deep, or followed by more: better a record too many than one too few.
        self.is_in_json(data).or_else(repaired).unwrap_or_else(|| self.is_quoted_in(data))
    }

    /// Whether JSON has the name or id; nothing where the data is none.
    fn is_in_json(&self, data: &[u8]) -> Option<bool> {
        let mut json = serde_json::Deserializer::from_slice(data);
        let found = Seek(self).deserialize(&mut json).ok()?;
        json.end().ok()?;
        Some(found == Found::Within)
    }

    fn is_quoted_in(&self, data: &[u8]) -> bool {
        let quoted = serde_json::to_string(self.value()).unwrap_or_default();
        memmem::find(data, quoted.as_bytes()).is_some()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    /// This very value is the name.
    Here,
    /// This very value is a number of which the text alone knows how it is written.
    Float,
    /// Somewhere within it is the field with the name.
    Within,
}

/// Walks any JSON, fields that stand there twice included.
struct Seek<'a>(&'a Person);

impl Seek<'_> {
    /// A number is read as text where a comment's id or author is one.
    fn visit_scalar<E: Error>(self, value: Scalar<'_>) -> Result<Found, E> {
        Ok(if value.into_text::<E>()?.is_some_and(|text| text == self.0.value()) {
            Found::Here
        } else {
            Found::Nothing
        })
    }
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Found, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = Found;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Found, E> {
        Ok(Found::Nothing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Found, E> {
        Ok(Found::Nothing)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Found, E> {
        self.visit_scalar(Scalar::Integer(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Found, E> {
        self.visit_scalar(Scalar::Integer(number.into()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Found, E> {
        Ok(Found::Float)
    }

    fn visit_str<E>(self, text: &str) -> Result<Found, E> {
        Ok(if text == self.0.value() { Found::Here } else { Found::Nothing })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Found, A::Error> {
        let mut within = Found::Nothing;
        while let Some(found) = list.next_element_seed(Seek(self.0))? {
            if found == Found::Within {
                within = found;
            }
        }
        Ok(within)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Found, A::Error> {
        let mut within = Found::Nothing;
        while let Some(name) = object.next_key::<String>()? {
            let found = object.next_value_seed(Seek(self.0))?;
            match found {
                Found::Float if name == self.0.field() => {
                    return Err(A::Error::custom("a number that is read as it is written"));
                }
                Found::Here if name == self.0.field() => within = Found::Within,
                Found::Within => within = Found::Within,
                Found::Here | Found::Float | Found::Nothing => {}
            }
        }
        Ok(within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author(data: &str) -> bool {
        Person::Author("bob \"b\"".to_owned()).is_in(data.as_bytes())
    }

    #[test]
    fn an_author_is_found_by_the_field_in_json_however_deep_and_however_written() {
        for data in [
            r#"{"data":{"author":"bob \"b\"","body":"hm"}}"#,
            r#"{"data":{"comment":{"author":"\u0062ob \u0022b\u0022"}}}"#,
            r#"[{"author":"bob \"b\""}]"#,
            r#"{"author":"bob \"b\"","author":"eve"}"#,
            r##"{"author":"bob \"b\"""##,
            r#"author: "bob \"b\"", no JSON"#,
        ] {
            assert!(author(data), "{data}");
        }
        let deep = format!("{}{}{}", "[".repeat(500), r#"{"author":"bob \"b\""}"#, "]".repeat(500));
        assert!(author(&deep));
    }

    #[test]
    fn a_number_and_a_record_with_half_a_character_are_read_as_events_are() {
        for (id, data) in [
            ("5977", r#"{"data":{"id":5977,"author":12}}"#),
            ("5977", r#"{"data":{"id":5977,"body":"\ud83d"}}"#),
            ("12345678901234567890123", r#"{"data":{"id":12345678901234567890123}}"#),
            ("12.0", r#"{"data":{"score":0.5,"id":12.0}}"#),
            ("1e3", r#"{"data":{"probability":0.5,"comment":{"id":1e3}}}"#),
            ("-0", r#"{"data":{"id":-0}}"#),
        ] {
            assert!(Person::Comment(id.to_owned()).is_in(data.as_bytes()), "{data}");
        }
        assert!(Person::Author("12".to_owned()).is_in(br#"{"data":{"author":12}}"#));
        assert!(!Person::Comment("12".to_owned()).is_in(br#"{"data":{"id":12.0,"score":12.0}}"#));
        assert!(!Person::Author("12".to_owned()).is_in(br#"{"data":{"id":12,"author":"12.0","body":"\ud83d"}}"#));
    }

    #[test]
    fn who_is_only_written_about_or_called_alike_is_not_found() {
        for data in [
            r#"{"data":{"author":"eve","body":"bob \"b\" said so"}}"#,
            r#"{"data":{"author":"Bob \"b\""}}"#,
            r#"{"data":{"subreddit":"bob \"b\""}}"#,
            r#"{"author":["bob \"b\""]}"#,
            r#"no JSON by "bob""#,
            "",
        ] {
            assert!(!author(data), "{data}");
        }
    }

    #[test]
    fn a_comment_is_found_by_its_id_or_its_partition_key() {
        let comment = Person::Comment("k1".to_owned());
        assert!(comment.wrote("", br#"{"data":{"id":"k1"}}"#));
        assert!(comment.wrote("k1", b"\xff"));
        assert!(!comment.wrote("k2", br#"{"data":{"id":"k2","parent_id":"k1"}}"#));
        assert!(!Person::Author("k1".to_owned()).wrote("k1", b"\xff"));
    }
}
