//! Finds where the keys of a document stand.

use json_text::Place;
use toml_parser::Source;
use toml_parser::parser::{EventKind, RecursionGuard, parse_document};

/// How deep values may lie in one another, as toml reads them.
const MAX_DEPTH: u32 = 80;

/// The keys of a document, those that stand twice included.
pub(crate) struct Keys<'t> {
    text: &'t str,
    keys: Vec<Key>,
}

struct Key {
    /// Written as problems name it: `default.always[0].includes`.
    path: Vec<String>,
    /// Where it stands, in bytes.
    at: usize,
    /// Whether this is the place that gives it a value, and not one that leads to another key.
    is_set: bool,
}

/// Whether a document is JSON, and not TOML.
pub(crate) fn is_json(text: &str) -> bool {
    text.trim_start_matches('\u{FEFF}').trim_start().starts_with('{')
}

/// A key that a document has twice.
pub(crate) struct Twice {
    pub(crate) field: String,
    pub(crate) first: Place,
    pub(crate) second: Place,
}

impl<'t> Keys<'t> {
    /// The keys of a document: of JSON where the text begins with a brace, else of TOML.
    pub(crate) fn of(text: &'t str) -> Self {
        if is_json(text) { Keys::of_json(text) } else { Keys::of_toml(text) }
    }

    pub(crate) fn of_json(text: &'t str) -> Self {
        let keys = json_text::keys(text).into_iter();
        Keys { text, keys: keys.map(|json_text::Key { path, at }| Key { path, at, is_set: true }).collect() }
    }

    pub(crate) fn of_toml(text: &'t str) -> Self {
        let source = Source::new(text);
        let (tokens, mut events) = (source.lex().into_vec(), Vec::new());
        parse_document(&tokens, &mut RecursionGuard::new(&mut events, MAX_DEPTH), &mut ());
        let mut walk = Walk::default();
        for event in events {
            let name = || {
                let mut name = String::new();
                if let Some(raw) = source.get(event) {
                    raw.decode_key(&mut name, &mut ());
                }
                name
            };
            walk.step(event.kind(), event.span().start(), name);
        }
        Keys { text, keys: walk.keys }
    }

    /// Where a field stands, or what it is a part of.
    pub(crate) fn place_of(&self, field: &str) -> Option<Place> {
        let is_field = |key: &&Key, field: &str| key.path.join(".") == field;
        let mut field = field;
        loop {
            let all = || self.keys.iter().filter(|key| is_field(key, field));
            if let Some(key) = all().find(|key| key.is_set).or_else(|| all().next()) {
                return Some(Place::of(self.text, key.at));
            }
            field = &field[..field.rfind(['.', '['])?];
        }
    }

    /// The key that stands at this byte, which cannot stand there, and where it or what it is a part of stands before.
    pub(crate) fn twice(&self, at: usize) -> Option<Twice> {
        let index = self.keys.iter().position(|key| key.at == at)?;
        let path = &self.keys[index].path;
        (1..=path.len()).rev().find_map(|depth| {
            let all = || self.keys[..=index].iter().filter(|key| key.path == path[..depth]);
            let second = all().next_back()?;
            let before = || all().filter(|key| key.at < second.at);
            let first = before().find(|key| key.is_set).or_else(|| before().next())?;
            let [first, second] = [first, second].map(|key| Place::of(self.text, key.at));
            Some(Twice { field: path[..depth].join("."), first, second })
        })
    }
}

/// Follows the events of a parse.
#[derive(Default)]
struct Walk {
    keys: Vec<Key>,
    /// The table, or the value, that what comes next is in.
    base: Vec<String>,
    /// The parts of the key that is being read.
    parts: Vec<String>,
    open: Vec<Open>,
}

/// What is not at its end yet.
enum Open {
    /// The value of a key of so many parts.
    Value(usize),
    Table,
    /// A list, at this element, and the name of the key that it is the value of.
    List(usize, String),
}

impl Walk {
    fn step(&mut self, kind: EventKind, at: usize, name: impl FnOnce() -> String) {
        match kind {
            EventKind::StdTableOpen | EventKind::ArrayTableOpen => {
                self.base.clear();
                self.parts.clear();
                self.open.clear();
            }
            EventKind::SimpleKey => {
                self.parts.push(name());
                let path = self.base.iter().chain(&self.parts).cloned().collect();
                self.keys.push(Key { path, at, is_set: false });
            }
            EventKind::StdTableClose | EventKind::ArrayTableClose => self.end_key(),
            EventKind::KeyValSep => {
                self.open.push(Open::Value(self.parts.len()));
                self.end_key();
            }
            EventKind::Scalar => self.end_value(),
            EventKind::InlineTableOpen => self.open.push(Open::Table),
            EventKind::ArrayOpen => {
                self.open.push(Open::List(0, self.base.last().cloned().unwrap_or_default()));
                self.name_element();
            }
            EventKind::ValueSep => {
                if let Some(Open::List(element, _)) = self.open.last_mut() {
                    *element += 1;
                }
                self.name_element();
            }
            EventKind::InlineTableClose | EventKind::ArrayClose => {
                if let (Some(Open::List(_, name)), Some(last)) = (self.open.pop(), self.base.last_mut()) {
                    *last = name;
                }
                self.end_value();
            }
            EventKind::KeySep | EventKind::Whitespace | EventKind::Comment | EventKind::Newline | EventKind::Error => {}
        }
    }

    fn end_key(&mut self) {
        self.base.append(&mut self.parts);
        if let Some(key) = self.keys.last_mut() {
            key.is_set = true;
        }
    }

    fn end_value(&mut self) {
        if let Some(Open::Value(parts)) = self.open.last() {
            self.base.truncate(self.base.len().saturating_sub(*parts));
            self.open.pop();
        }
    }

    fn name_element(&mut self) {
        if let (Some(Open::List(element, name)), Some(last)) = (self.open.last(), self.base.last_mut()) {
            *last = format!("{name}[{element}]");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_document_is_found_where_it_stands() {
        let text = r#"name = "a"
            [default]
            always = ["b", { includes = "c" },
              { "includes" = [[1, { d = 2 }]] }]
            quiet_hours = { from = "1", "to" = "2" }
            [subreddits."e.f"]
            severity.medium = 0.1
            [[x]]
            y = 1
        "#;
        let keys = Keys::of_toml(text);
        let found: Vec<(String, usize, bool)> =
            keys.keys.iter().map(|key| (key.path.join("."), Place::of(text, key.at).line, key.is_set)).collect();
        let expected = [
            ("name", 1, true),
            ("default", 2, true),
            ("default.always", 3, true),
            ("default.always[1].includes", 3, true),
            ("default.always[2].includes", 4, true),
            ("default.always[2].includes[0][1].d", 4, true),
            ("default.quiet_hours", 5, true),
            ("default.quiet_hours.from", 5, true),
            ("default.quiet_hours.to", 5, true),
            ("subreddits", 6, false),
            ("subreddits.e.f", 6, true),
            ("subreddits.e.f.severity", 7, false),
            ("subreddits.e.f.severity.medium", 7, true),
            ("x", 8, true),
            ("x.y", 9, true),
        ];
        assert_eq!(found, expected.map(|(path, line, is_set)| (path.to_owned(), line, is_set)));
        for (field, line) in [
            ("default.threshold", Some(2)),
            ("default.always[0]", Some(3)),
            ("subreddits.e.f.severity.high", Some(7)),
            ("total", None),
        ] {
            assert_eq!(keys.place_of(field).map(|place| place.line), line, "{field}");
        }
    }

    #[test]
    fn any_text_has_keys_or_none() {
        for text in
            ["", "[", "[[", "a", "a =", "a.", "= 1", "a = {", "a = [1,", "]", "}", "a = ]\nb = 1", "\"", "[a]]\n"]
        {
            let keys = Keys::of_toml(text);
            assert!(keys.place_of("x.y[0]").is_none(), "{text}");
        }
        assert!(Keys::of_toml(&format!("a = {}", "[".repeat(100_000))).twice(0).is_none());
    }
}
