//! Texts that always alert, and where a comment holds one.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use aho_corasick::AhoCorasick;
use normal_form::{fold, is_mark, is_word_boundary, without_emphasis};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that always alerts.
///
/// It is compared with a comment in their normal forms, so case, typographic marks, invisible characters and what a forum does
/// to a text make no difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlwaysTerm {
    written: String,
    form: Form,
}

/// How a term is found: AutoModerator's `includes-word` and `includes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The term is a word, or several.
    Word,
    /// The term may lie inside of words.
    Anywhere,
}

impl AlwaysTerm {
    /// The term that is written so, and found where no word goes on before or behind it.
    pub fn word(written: impl Into<String>) -> Self {
        AlwaysTerm { written: written.into(), form: Form::Word }
    }

    /// The term that is written so, and found anywhere, inside of words too.
    pub fn anywhere(written: impl Into<String>) -> Self {
        AlwaysTerm { written: written.into(), form: Form::Anywhere }
    }

    /// The term as it is written in the document.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether the term is also found inside of words.
    pub fn is_anywhere(&self) -> bool {
        self.form == Form::Anywhere
    }

    /// Whether it begins with a mark, such as an accent without its letter. In a comment, a mark belongs to the letter before it and
    /// is compared with that, so such a term is hardly ever found.
    pub fn begins_with_mark(&self) -> bool {
        fold(self.written.trim()).starts_with(is_mark)
    }

    /// Whether nothing is left of it in its normal form, such as of a character without a glyph: it is never found then.
    pub fn is_never_found(&self) -> bool {
        fold(&self.written).is_empty()
    }

    /// What is looked for in a text's normal form.
    fn needle(&self) -> String {
        let needle = fold(&self.written);
        if self.form == Form::Word || needle.is_empty() {
            return needle;
        }
        // Whoever asks for a blank around a part of a text means it.
        let blank = |is_wanted: bool| if is_wanted { " " } else { "" };
        let (begins, ends) =
            (self.written.starts_with(char::is_whitespace), self.written.ends_with(char::is_whitespace));
        format!("{}{needle}{}", blank(begins), blank(ends))
    }
}

impl fmt::Display for AlwaysTerm {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.form {
            Form::Word => to.write_str(&self.written),
            Form::Anywhere => write!(to, "*{}*", self.written),
        }
    }
}

/// In a document a term is a text, or a table: `{ includes = "..." }`, or `{ includes_word = "..." }`, which is what a text says.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    includes: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    includes_word: Option<String>,
}

impl Serialize for AlwaysTerm {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.form {
            Form::Word => to.serialize_str(&self.written),
            Form::Anywhere => Table { includes: Some(self.written.clone()), ..Table::default() }.serialize(to),
        }
    }
}

/// Written by hand, because an untagged enum does not say what is wrong with the value.
impl<'de> Deserialize<'de> for AlwaysTerm {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct TextOrTable;

        impl<'de> Visitor<'de> for TextOrTable {
            type Value = AlwaysTerm;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("a text, or { includes = \"a text\" } for one that is found inside of words too")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<AlwaysTerm, E> {
                Ok(AlwaysTerm::word(text))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AlwaysTerm, A::Error> {
                match Table::deserialize(MapAccessDeserializer::new(map))? {
                    Table { includes: Some(text), includes_word: None } => Ok(AlwaysTerm::anywhere(text)),
                    Table { includes: None, includes_word: Some(text) } => Ok(AlwaysTerm::word(text)),
                    _ => Err(Error::custom("write one of `includes` and `includes_word` a term")),
                }
            }
        }

        from.deserialize_any(TextOrTable)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for AlwaysTerm {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AlwaysTerm".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [
            { "type": "string" },
            {
                "type": "object",
                "properties": { "includes": { "type": "string" }, "includes_word": { "type": "string" } },
                "additionalProperties": false,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ] })
    }
}

/// Terms that always alert, ready to be looked for all at once.
#[derive(Clone, Debug, Default)]
pub struct AlwaysTerms {
    terms: Vec<AlwaysTerm>,
    /// Finds the terms' needles; none where there are none.
    finder: Option<Finder>,
}

#[derive(Clone, Debug)]
struct Finder {
    automaton: AhoCorasick,
    /// The term of each needle.
    terms: Vec<usize>,
    /// The terms of which nothing is left in normal form, such as a lone direction mark: they are looked for as they are.
    literal: Vec<usize>,
}

impl PartialEq for AlwaysTerms {
    fn eq(&self, other: &Self) -> bool {
        self.terms == other.terms
    }
}

impl From<Vec<AlwaysTerm>> for AlwaysTerms {
    /// # Panics
    /// Never: an automaton takes more needles than a document can hold.
    fn from(terms: Vec<AlwaysTerm>) -> Self {
        if terms.is_empty() {
            return AlwaysTerms::default();
        }
        let (mut needles, mut of, mut literal) = (Vec::new(), Vec::new(), Vec::new());
        for (index, term) in terms.iter().enumerate() {
            match term.needle() {
                needle if needle.is_empty() => literal.push(index),
                needle => {
                    needles.push(needle);
                    of.push(index);
                }
            }
        }
        // It fails over 2^31 states, one a byte of the terms: no document is read that is as long.
        let automaton = AhoCorasick::new(&needles).expect("terms of under 2 GiB");
        AlwaysTerms { terms, finder: Some(Finder { automaton, terms: of, literal }) }
    }
}

impl AlwaysTerms {
    /// The terms, as the document has them.
    pub fn as_slice(&self) -> &[AlwaysTerm] {
        &self.terms
    }

    /// The first of the terms that a text holds.
    pub fn find(&self, text: &str) -> Option<&AlwaysTerm> {
        self.find_in(&Searched::new(text))
    }

    /// The same in a text that other terms are looked for in, too.
    pub(crate) fn find_in(&self, searched: &Searched<'_>) -> Option<&AlwaysTerm> {
        let finder = self.finder.as_ref()?;
        let mut found =
            finder.literal.iter().copied().find(|&index| searched.text.contains(&self.terms[index].written));
        if !finder.terms.is_empty() {
            found = self.first_of(found, finder, searched.form());
            if let (true, Some(form)) = (found != Some(0), searched.form_without_emphasis()) {
                found = self.first_of(found, finder, form);
            }
        }
        found.map(|index| &self.terms[index])
    }

    /// The first of the term found before, if any, and those in a text in normal form.
    fn first_of(&self, before: Option<usize>, finder: &Finder, form: &str) -> Option<usize> {
        let mut first = before;
        for found in finder.automaton.find_overlapping_iter(form) {
            let index = finder.terms[found.pattern().as_usize()];
            let is_earlier = first.is_none_or(|first| index < first);
            if is_earlier && (self.terms[index].is_anywhere() || stands_alone(form, found.start(), found.end())) {
                first = Some(index);
                if index == 0 {
                    break;
                }
            }
        }
        first
    }
}

/// A text that terms are looked for in. Its normal forms are made once, when the first terms ask for them.
pub(crate) struct Searched<'t> {
    text: &'t str,
    form: OnceCell<String>,
    without_emphasis: OnceCell<Option<String>>,
}

impl<'t> Searched<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Searched { text, form: OnceCell::new(), without_emphasis: OnceCell::new() }
    }

    fn form(&self) -> &str {
        self.form.get_or_init(|| between_blanks(self.text))
    }

    /// The text's form without emphasis, where it has some. It is undone beside the text, not in it: `5*3*2` has no 532.
    fn form_without_emphasis(&self) -> Option<&str> {
        let form = self.without_emphasis.get_or_init(|| match without_emphasis(self.text) {
            Cow::Owned(without) => Some(between_blanks(&without)),
            Cow::Borrowed(_) => None,
        });
        form.as_deref()
    }
}

/// The normal form between two blanks: white space around a term is met at the ends of a text too.
fn between_blanks(text: &str) -> String {
    let mut form = fold(text);
    form.reserve_exact(2);
    form.insert(0, ' ');
    form.push(' ');
    form
}

/// Whether no word goes on before or behind a part of a text.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let is_boundary = |at: usize| match (text[..at].chars().next_back(), text[at..].chars().next()) {
        (Some(before), Some(after)) => is_word_boundary(before, after),
        _ => true,
    };
    is_boundary(start) && is_boundary(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn finds(term: AlwaysTerm, text: &str) -> bool {
        AlwaysTerms::from(vec![term]).find(text).is_some()
    }

    #[test]
    fn a_term_is_found_as_people_and_forums_write_it() {
        for (term, text) in [
            ("buy FOLLOWERS", "You can Buy Followers here"),
            ("buy followers", "buy fol\u{200B}lowers"),
            ("followers", "f\u{43E}llowers"),
            ("caf\u{E9}", "the cafe\u{301} is shut"),
            ("buy followers", "buy\n\nfollowers!"),
            ("you're banned", "YOU\u{2019}RE banned"),
            ("shop.example/?ref=1&id=2", "see shop.example/?ref=1&amp;id=2"),
            ("<3 u", "&lt;3 u"),
            ("cheap_meds", r"try cheap\_meds now"),
            ("followers", "_followers_ fol**low**ers"),
            ("followers", "fol**low**ers"),
            ("\u{39F}\u{394}\u{39F}\u{3A3}", "\u{3BF}\u{3B4}\u{3BF}\u{3C2}"),
            ("istanbul", "\u{130}STANBUL"),
            ("stra\u{DF}e", "STRASSE"),
            ("\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}", "family:\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}!"),
            ("\u{1F44D}", "\u{1F44D}\u{1F3FD}"),
            (" cat ", "cat"),
            // No glyph at all: it is looked for as it is.
            ("\u{202E}", "abc\u{202E}def"),
        ] {
            assert!(finds(AlwaysTerm::word(term), text), "{term:?} in {text:?}");
        }
    }

    #[test]
    fn a_word_ends_where_letters_and_digits_do_and_anywhere_in_scripts_without_spaces() {
        for (term, text, is_found) in [
            ("followers", "Buy Followers2", false),
            ("ass", "a class, an assassin", false),
            ("ass", "ass.", true),
            ("meds", "cheap_meds", true),
            ("id=2", "id=25", false),
            ("<3 u", "<3 us", false),
            ("telegram.me/", "telegram.me/x", true),
            ("\u{3A3}\u{391}\u{3A3}", "\u{3A3}\u{391}\u{3A3}\u{395}", false),
            ("\u{E9}t", "\u{E9}t\u{E9}", false),
            // A consonant is not found in the syllable that it begins, nor a syllable in a cluster.
            ("\u{915}", "\u{915}\u{93F}", false),
            ("\u{915}", "\u{915}\u{94D}\u{937}", false),
            ("\u{915}\u{94D}\u{937}", "\u{915}\u{94D}\u{937} \u{939}\u{948}", true),
            ("\u{8CFC}\u{5165}", "\u{4ECA}\u{3059}\u{3050}\u{8CFC}\u{5165}\u{3059}\u{308B}", true),
            ("\u{30D0}\u{30A4}\u{30C8}", "\u{30A2}\u{30EB}\u{30D0}\u{30A4}\u{30C8}", true),
            (
                "\u{E0B}\u{E37}\u{E49}\u{E2D}",
                "\u{E09}\u{E31}\u{E19}\u{E0B}\u{E37}\u{E49}\u{E2D}\u{E02}\u{E2D}\u{E07}",
                true,
            ),
            ("followers", "\u{8CB7}followers\u{5427}", true),
        ] {
            assert_eq!(finds(AlwaysTerm::word(term), text), is_found, "{term:?} in {text:?}");
            assert!(finds(AlwaysTerm::anywhere(term), text), "{term:?} anywhere in {text:?}");
        }
        assert!(!finds(AlwaysTerm::anywhere(" cat "), "concatenate") && finds(AlwaysTerm::anywhere(" cat "), "a cat"));
        assert!(!finds(AlwaysTerm::word("532"), "5 * 3 * 2") && !finds(AlwaysTerm::word("fk"), "f**k"));
    }

    #[test]
    fn a_mark_without_its_letter_is_not_found_where_the_letter_is() {
        for (term, texts) in [
            ("\u{301}", ["e\u{301}t\u{e9}", "q\u{301}"]),
            (" \u{301}\u{302}", ["e\u{301}\u{302}", "\u{ea}\u{301}"]),
            ("\u{336}", ["f\u{336}o\u{336}l", "a \u{336} b"]),
            ("\u{301}t", ["e\u{301}t", "\u{e9}t"]),
            ("\u{93f}", ["\u{915}\u{93f}", "a \u{93f} b"]),
            ("\u{64e}", ["\u{643}\u{64e}", "a \u{64e} b"]),
        ] {
            assert!(
                AlwaysTerm::word(term).begins_with_mark() && AlwaysTerm::anywhere(term).begins_with_mark(),
                "{term:?}"
            );
            for text in texts {
                assert!(!finds(AlwaysTerm::word(term), text), "{term:?} in {text:?}");
            }
        }
        for term in
            ["a", "!!!", "*", "_", "\\", "&", "<3", "\u{2014}", "\u{1F44D}", "\u{202E}", "e\u{301}", "\u{A8}", "\u{B4}"]
        {
            assert!(!AlwaysTerm::word(term).begins_with_mark(), "{term:?}");
            assert!(finds(AlwaysTerm::word(term), &format!("so {term} it is")), "{term:?}");
        }
    }

    #[test]
    fn vowel_marks_of_arabic_and_hebrew_belong_to_the_word() {
        for (bare, marked) in [
            ("\u{643}\u{62A}\u{628}", "\u{643}\u{64E}\u{62A}\u{64E}\u{628}\u{64E}"),
            ("\u{5E9}\u{5DC}\u{5D5}\u{5DD}", "\u{5E9}\u{5B8}\u{5DC}\u{5D5}\u{5B9}\u{5DD}"),
        ] {
            for (term, text, is_found) in
                [(bare, bare, true), (marked, marked, true), (bare, marked, false), (marked, bare, false)]
            {
                assert_eq!(finds(AlwaysTerm::word(term), text), is_found, "{term} in {text}");
            }
        }
    }

    #[test]
    fn of_several_the_documents_first_is_named() {
        let terms = AlwaysTerms::from(vec![
            AlwaysTerm::word("\u{202E}"),
            AlwaysTerm::word("low"),
            AlwaysTerm::anywhere("low"),
            AlwaysTerm::word("slow"),
        ]);
        let found = |text: &str| terms.find(text).map(ToString::to_string);
        assert_eq!(found("slow"), Some("*low*".to_owned()));
        assert_eq!(found("slow low"), Some("low".to_owned()));
        assert_eq!(found("slow *lo*w\u{202E}"), Some("\u{202E}".to_owned()));
        assert_eq!(found("s*l*ow s*l*ow *l*ow"), Some("low".to_owned()));
        assert_eq!(found("nothing"), None);
        assert_eq!(AlwaysTerms::default().find("low"), None);
    }

    #[test]
    fn a_document_has_texts_and_tables() {
        let terms: Vec<AlwaysTerm> =
            serde_json::from_str(r#"["a", {"includes": "b"}, {"includes_word": "c"}]"#).expect("terms");
        assert_eq!(terms, [AlwaysTerm::word("a"), AlwaysTerm::anywhere("b"), AlwaysTerm::word("c")]);
        assert_eq!(serde_json::to_string(&terms).expect("JSON"), r#"["a",{"includes":"b"},"c"]"#);
        let error = serde_json::from_str::<AlwaysTerm>("7").expect_err("no term").to_string();
        assert!(error.contains("{ includes = \"a text\" }"), "{error}");
        let error = serde_json::from_str::<AlwaysTerm>(r#"{"include": "b"}"#).expect_err("no term").to_string();
        assert!(error.contains("`includes`"), "{error}");
        for no_term in ["{}", r#"{"includes": "b", "includes_word": "c"}"#] {
            let error = serde_json::from_str::<AlwaysTerm>(no_term).expect_err("no term").to_string();
            assert!(error.contains("one of `includes` and `includes_word`"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn a_term_is_found_in_itself_and_between_words(term in "[a-zA-Z\u{DF}\u{E9}\u{3A3}\u{130}\u{915}\u{8CFC}.<&'\u{2019}_-]([a-zA-Z\u{DF}\u{E9}\u{3A3} \u{2019}<-]|\u{915}[\u{93F}\u{94D}]?){0,11}") {
            prop_assume!(!term.trim().is_empty());
            for term in [AlwaysTerm::word(term.as_str()), AlwaysTerm::anywhere(term.as_str())] {
                prop_assert!(!term.begins_with_mark());
                prop_assert!(finds(term.clone(), term.as_str()));
                let between = format!("so: {} !", term.as_str());
                prop_assert!(finds(term, &between));
            }
        }

        #[test]
        fn the_finder_agrees_with_one_term_after_the_other(words in prop::collection::vec("[ab]{1,3}", 1..6), anywhere: u8, text in "[ab *]{0,24}") {
            let term = |(at, word): (usize, &String)| if anywhere >> at & 1 == 1 { AlwaysTerm::anywhere(word) } else { AlwaysTerm::word(word) };
            let terms: Vec<AlwaysTerm> = words.iter().enumerate().map(term).collect();
            let expected = terms.iter().find(|term| finds((*term).clone(), &text));
            let all = AlwaysTerms::from(terms.clone());
            prop_assert_eq!(all.find(&text), expected);
        }
    }
}
