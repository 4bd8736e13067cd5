use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How deep objects are looked into, as deep as serde_json parses.
const MAX_DEPTH: usize = 128;

/// A key that stands twice in one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeated {
    /// The keys that lead to it, and the key itself.
    pub path: Vec<String>,
    /// Where it stands first.
    pub first: Place,
    /// Where it stands again.
    pub second: Place,
}

/// A place in a text, counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character of the line.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "line {} column {}", self.line, self.column)
    }
}

/// A key of an object, or of an object within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The keys that lead to it, and the key itself. One that leads through a list has the element's number: `always[0]`.
    pub path: Vec<String>,
    /// Where it stands, in bytes.
    pub at: usize,
}

impl Place {
    /// The place of a byte, where a character begins.
    pub fn of(text: &str, at: usize) -> Place {
        let before = &text[..at];
        let line = before.rsplit('\n').next().unwrap_or_default();
        Place { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
    }
}

/// The keys of the object that a text is, and of objects within it, also in lists, in their order, repeats included. A text that is no
/// object has none.
pub fn keys(text: &str) -> Vec<Key> {
    let mut found = Keys { text, path: Vec::new(), keys: Vec::new() };
    found.object(text);
    found.keys
}

/// The first key that stands twice in an object, of those that `matters` says yes to by their path: in the object that the text
/// is, and in objects within it. A text that is no object has none.
pub fn repeated_key(text: &str, matters: impl Fn(&[String]) -> bool) -> Option<Repeated> {
    let keys = keys(text);
    let mut seen: HashMap<&[String], usize> = HashMap::new();
    for Key { path, at } in keys.iter().filter(|key| matters(&key.path)) {
        if let Some(first) = seen.insert(path, *at) {
            return Some(Repeated { path: path.clone(), first: Place::of(text, first), second: Place::of(text, *at) });
        }
    }
    None
}

struct Keys<'a> {
    text: &'a str,
    path: Vec<String>,
    keys: Vec<Key>,
}

impl<'a> Keys<'a> {
    fn object(&mut self, object: &'a str) {
        let Ok(Entries(entries)) = serde_json::from_str(object) else { return };
        for (key, value) in entries {
            let name = serde_json::from_str(key.get()).unwrap_or_else(|_| key.get().to_owned());
            self.path.push(name);
            // A key is a part of the text.
            let at = key.get().as_ptr().addr() - self.text.as_ptr().addr();
            self.keys.push(Key { path: self.path.clone(), at });
            self.within(value.get(), MAX_DEPTH.saturating_sub(self.path.len()));
            self.path.pop();
        }
    }

    /// The keys of the objects in a value, which the path leads to.
    fn within(&mut self, value: &'a str, depth_left: usize) {
        match value.as_bytes().first() {
            Some(b'{') if depth_left > 0 => self.object(value),
            Some(b'[') if depth_left > 0 => {
                let elements: Vec<&RawValue> = serde_json::from_str(value).unwrap_or_default();
                let Some(list) = self.path.last().cloned() else { return };
                for (number, element) in elements.into_iter().enumerate() {
                    if let Some(last) = self.path.last_mut() {
                        *last = format!("{list}[{number}]");
                    }
                    self.within(element.get(), depth_left - 1);
                }
            }
            _ => {}
        }
    }
}

/// Keys and values as they are written, repeats included.
struct Entries<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = object.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(String, Place, Place)> {
        let Repeated { path, first, second } = repeated_key(text, |_| true)?;
        Some((path.join("."), first, second))
    }

    #[test]
    fn a_key_that_stands_twice_is_found_with_both_places_however_it_is_written() {
        let place = |line, column| Place { line, column };
        for (text, path, first, second) in [
            (r#"{"a":1,"a":2}"#, "a", place(1, 2), place(1, 8)),
            (r#"{"é":1, "\u00e9":2}"#, "é", place(1, 2), place(1, 9)),
            ("{\n  \"a\": {\"b\": [1], \"c\": 1,\n    \"b\": 2}}", "a.b", place(2, 9), place(3, 5)),
            (r#" {"x":{"a":1},"y":{"a":1},"x":{}}"#, "x", place(1, 3), place(1, 27)),
            (r#"{"a":[1,{"b":1},[{"b":1,"b":2}]]}"#, "a[2][0].b", place(1, 19), place(1, 25)),
        ] {
            assert_eq!(found(text), Some((path.to_owned(), first, second)), "{text}");
        }
    }

    #[test]
    fn all_keys_are_found_in_their_order() {
        let found: Vec<(String, usize)> = keys(r#"{"a": {"é": {}, "b": [{"c": 1}]}, "a": null}"#)
            .into_iter()
            .map(|Key { path, at }| (path.join("."), at))
            .collect();
        let expected = [("a", 1), ("a.é", 7), ("a.b", 17), ("a.b[0].c", 24), ("a", 35)];
        assert_eq!(found, expected.map(|(path, at)| (path.to_owned(), at)));
    }

    #[test]
    fn equal_keys_of_two_objects_and_what_does_not_matter_are_none() {
        for text in [r#"{"a":{"a":1},"b":{"a":1},"A":1}"#, r#"{"a":[{"b":1},{"b":1}]}"#, "[1]", "", r#"{"a":1,"a"#] {
            assert_eq!(found(text), None, "{text}");
        }
        assert_eq!(repeated_key(r#"{"a":1,"a":2}"#, |path| path != ["a"]), None);
        // What lies within a key that does not matter may.
        assert!(repeated_key(r#"{"a":{"b":1,"b":2}}"#, |path| path != ["a"]).is_some());
        let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
        assert_eq!(found(&deep), None);
        assert_eq!(found(&format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000))), None);
    }
}
