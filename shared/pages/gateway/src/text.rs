//! What a text is before anything judges it: blank or not, of which language, of which sentences.

use std::ops::Range;

use normal_form::is_mark;
use whatlang::{Lang, Script};

/// The most bytes of a text that is scored for Perspective's callers.
pub(crate) const MAX_BYTES: usize = 20_480;
/// The most sentences that a text is taken apart into; the last has the rest.
const MAX_SENTENCES: usize = 1_000;
/// The marks that end a sentence.
const ENDS: [char; 8] = ['.', '!', '?', '\u{2026}', '\u{3002}', '\u{FF01}', '\u{FF1F}', '\u{061F}'];
/// The fewest letters by which one language of Latin letters is told from another. Of shorter ones, slang and names pass for
/// anything.
const MIN_LETTERS: usize = 60;
/// How much of a text its language is told by, in characters: more says little more, and takes its time.
const LOOKED_AT: usize = 600;

/// Whether a text shows nothing at all.
pub(crate) fn is_blank(text: &str) -> bool {
    // Most texts begin with a letter.
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return false;
    }
    let mut undone = String::with_capacity(text.len());
    normal_form::undo_transport(text, &mut undone);
    undone.chars().all(|c| c.is_whitespace() || c.is_control())
}

/// Which language a text is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// The text has no letters.
    None,
    /// The text is of this language, by its two letters; where there are none, by its three.
    Is(&'static str),
    /// The text is of Latin letters, and nothing speaks for another language than those that are known.
    Unsaid,
}

/// Tells the language of a text: by its script, and among those of Latin letters by its trigrams, where it is long enough.
pub(crate) fn language(text: &str) -> Language {
    let text = text.char_indices().nth(LOOKED_AT).map_or(text, |(end, _)| &text[..end]);
    let letters = text.chars().filter(|c| c.is_alphabetic() && !is_mark(*c)).take(MIN_LETTERS).count();
    if letters == 0 {
        return Language::None;
    }
    let is_latin = whatlang::detect_script(text) == Some(Script::Latin);
    // Most texts are short.
    if is_latin && letters < MIN_LETTERS {
        return Language::Unsaid;
    }
    match whatlang::detect(text) {
        Some(found) if !is_latin || found.is_reliable() => Language::Is(code(found.lang())),
        _ => Language::Unsaid,
    }
}

/// Whether a language is one of those known, whatever the case and region: `en-GB` is `en`.
pub(crate) fn is_known(language: &str, known: &[String]) -> bool {
    let primary = language.split(['-', '_']).next().unwrap_or_default();
    known.iter().any(|known| known.eq_ignore_ascii_case(primary))
}

/// The code of ISO 639-1.
fn code(language: Lang) -> &'static str {
    match language {
        Lang::Afr => "af",
        Lang::Aka => "ak",
        Lang::Amh => "am",
        Lang::Ara => "ar",
        Lang::Aze => "az",
        Lang::Bel => "be",
        Lang::Ben => "bn",
        Lang::Bul => "bg",
        Lang::Cat => "ca",
        Lang::Ces => "cs",
        Lang::Cmn => "zh",
        Lang::Dan => "da",
        Lang::Deu => "de",
        Lang::Ell => "el",
        Lang::Eng => "en",
        Lang::Epo => "eo",
        Lang::Est => "et",
        Lang::Fin => "fi",
        Lang::Fra => "fr",
        Lang::Guj => "gu",
        Lang::Heb => "he",
        Lang::Hin => "hi",
        Lang::Hrv => "hr",
        Lang::Hun => "hu",
        Lang::Hye => "hy",
        Lang::Ind => "id",
        Lang::Ita => "it",
        Lang::Jav => "jv",
        Lang::Jpn => "ja",
        Lang::Kan => "kn",
        Lang::Kat => "ka",
        Lang::Khm => "km",
        Lang::Kor => "ko",
        Lang::Lat => "la",
        Lang::Lav => "lv",
        Lang::Lit => "lt",
        Lang::Mal => "ml",
        Lang::Mar => "mr",
        Lang::Mkd => "mk",
        Lang::Mya => "my",
        Lang::Nep => "ne",
        Lang::Nld => "nl",
        Lang::Nob => "nb",
        Lang::Ori => "or",
        Lang::Pan => "pa",
        Lang::Pes => "fa",
        Lang::Pol => "pl",
        Lang::Por => "pt",
        Lang::Ron => "ro",
        Lang::Rus => "ru",
        Lang::Sin => "si",
        Lang::Slk => "sk",
        Lang::Slv => "sl",
        Lang::Sna => "sn",
        Lang::Spa => "es",
        Lang::Srp => "sr",
        Lang::Swe => "sv",
        Lang::Tam => "ta",
        Lang::Tel => "te",
        Lang::Tgl => "tl",
        Lang::Tha => "th",
        Lang::Tuk => "tk",
        Lang::Tur => "tr",
        Lang::Ukr => "uk",
        Lang::Urd => "ur",
        Lang::Uzb => "uz",
        Lang::Vie => "vi",
        Lang::Yid => "yi",
        Lang::Zul => "zu",
        other => other.code(),
    }
}

/// A sentence, and where it stands in code units of UTF-16, as JavaScript counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sentence<'a> {
    pub(crate) text: &'a str,
    pub(crate) units: Range<usize>,
}

/// The sentences of a text, without the white space around each: one ends with its line, or behind marks that end a sentence and
/// are followed by white space. UAX #29 lets one go on before a small letter, where forums' sentences begin with one.
pub(crate) fn sentences(text: &str) -> Vec<Sentence<'_>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find(|c: char| !c.is_whitespace()) {
        rest = &rest[begin..];
        let begin = text.len() - rest.len();
        let line = &rest[..rest.find(['\n', '\r', '\u{2029}']).unwrap_or(rest.len())];
        let mut chars = line.char_indices().peekable();
        let ends = |(_, c): (usize, char), next: Option<&(usize, char)>| {
            ENDS.contains(&c) && next.is_none_or(|(_, next)| next.is_whitespace())
        };
        let mut length = line.trim_end().len();
        while let Some(at) = chars.next() {
            if ends(at, chars.peek()) {
                length = at.0 + at.1.len_utf8();
                break;
            }
        }
        let is_full = found.len() == MAX_SENTENCES;
        match found.last_mut() {
            Some(last) if is_full => last.end = begin + length,
            _ => found.push(begin..begin + length),
        }
        rest = &rest[length..];
    }
    let (mut units, mut at) = (0, 0);
    let mut units_to = |byte: usize| {
        units += text[at..byte].encode_utf16().count();
        at = byte;
        units
    };
    let place = |bytes: Range<usize>| {
        let begin = units_to(bytes.start);
        Sentence { text: &text[bytes.clone()], units: begin..units_to(bytes.end) }
    };
    found.into_iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_shows_nothing_is_blank() {
        for blank in ["", " ", "\t\r\n", "\u{A0}\u{3000}", "\u{FEFF}", "\u{200B}\u{200D}", "\0", "&nbsp;&#x200B;"] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for text in ["x", " . ", "\u{1F600}", "0"] {
            assert!(!is_blank(text), "{text:?}");
        }
    }

    #[test]
    fn another_language_is_told_and_short_or_rude_english_is_none() {
        let known = |text: &str| matches!(language(text), Language::Unsaid | Language::Is("en"));
        for english in [
            "ok",
            "You are an idiot.",
            "you empty-headed animal food trough wiper!",
            "lol wtf bruh smh",
            "Thanks, that is a good point about the study.",
            "Shut up, you stupid fool",
            "caf\u{E9} na\u{EF}ve r\u{E9}sum\u{E9}",
            "What kind of idiot name is foo? Sorry, I like your name. Nobody asked for it, and nobody wants to hear of it.",
        ] {
            assert!(known(english), "{english}: {:?}", language(english));
        }
        for (text, is) in [
            (
                "\u{422}\u{44B} \u{438}\u{434}\u{438}\u{43E}\u{442}, \u{44D}\u{442}\u{43E} \u{433}\u{43B}\u{443}\u{43F}\u{43E}",
                "ru",
            ),
            ("\u{3042}\u{306A}\u{305F}\u{306F}\u{3070}\u{304B}\u{3067}\u{3059}", "ja"),
            ("\u{4F60}\u{662F}\u{767D}\u{75F4}", "zh"),
            (
                "Das ist doch alles dummes Zeug, und wer das glaubt, der hat von der Sache \u{FC}berhaupt keine Ahnung, \
                 ihr Vollidioten.",
                "de",
            ),
            (
                "Je ne comprends pas pourquoi les gens continuent \u{E0} croire ces b\u{EA}tises que tout le monde conna\u{EE}t.",
                "fr",
            ),
        ] {
            assert_eq!(language(text), Language::Is(is), "{text}");
        }
        for none in ["", "12 + 12", "\u{1F600}\u{1F600}", "?!"] {
            assert_eq!(language(none), Language::None);
        }
        assert!(is_known("en-GB", &["en".to_owned()]) && is_known("EN", &["en".to_owned()]));
        assert!(!is_known("sv", &["en".to_owned()]) && !is_known("", &["en".to_owned()]));
    }

    #[test]
    fn real_comments_are_taken_for_what_they_are() {
        let samples = include_str!("../../../../events/samples/comments.jsonl");
        let bodies = samples.lines().map(|line| {
            let comment: serde_json::Value = serde_json::from_str(line).expect("JSON");
            comment["body"].as_str().expect("text").to_owned()
        });
        let others: Vec<String> =
            bodies.filter(|body| matches!(language(body), Language::Is(language) if language != "en")).collect();
        // One of them begins in French.
        assert_eq!(others.len(), 1, "{others:#?}");
    }

    #[test]
    fn a_sentence_stands_where_javascript_counts_it() {
        let text = "What kind of idiot name is foo? Sorry, I like your name. \u{1F600} ok";
        let units: Vec<Range<usize>> = sentences(text).into_iter().map(|sentence| sentence.units).collect();
        assert_eq!(units, [0..31, 32..56, 57..62]);
        assert_eq!(sentences("see e.g. 1.5 and www.x.org").len(), 2);
        assert_eq!(sentences(" a.\n\n"), [Sentence { text: "a.", units: 1..3 }]);
        assert_eq!(sentences(&"a.\n".repeat(5_000)).len(), MAX_SENTENCES);
        assert!(sentences(" \n").is_empty());
    }

    proptest! {
        #[test]
        fn sentences_are_the_text_in_its_order_without_the_white_space_between(text in "\\PC{0,60}|([a-c\u{1F600}\u{E9}.?! \n]{0,60})") {
            let utf16: Vec<u16> = text.encode_utf16().collect();
            let mut shown = String::new();
            let mut last = 0;
            for Sentence { text: sentence, units } in sentences(&text) {
                prop_assert!(last <= units.start && units.start < units.end);
                last = units.end;
                prop_assert_eq!(String::from_utf16(&utf16[units]).expect("whole characters"), sentence);
                shown.push_str(sentence);
            }
            let without_space = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(without_space(&shown), without_space(&text));
        }
    }
}
