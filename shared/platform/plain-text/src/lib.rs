//! Makes text of others plain text: whatever a comment holds, it moves no cursor, turns no direction, hides nothing and
//! begins no line.
//!
//! The classes of characters are Unicode's: control characters (general category `Cc`), the bidirectional formatting
//! characters of [UAX #9](https://www.unicode.org/reports/tr9/), format characters without a glyph, and noncharacters. What
//! the classifier drops before it counts words is a set of its own, since a model is trained with it.
//!
//! A file of others is read by [`decode`], or where it is large through [`Utf16`]; [`counted`] is for texts of ours.

mod count;
mod encoding;
mod utf16;

use std::borrow::Cow;
use std::fmt::Write as _;

pub use count::{agree, counted, noun_of};
pub use encoding::{LooksLike, NotUtf8, decode, surrogates_decoded};
pub use utf16::{Endian, Utf16};

/// Why a character can't be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unseen {
    /// The character controls a terminal, or ends a line.
    Control,
    /// The character marks a direction at its place: right-to-left text uses it.
    DirectionMark,
    /// The character changes the direction of what stands behind it.
    DirectionChange,
    /// The character has no glyph and no width.
    Hidden,
    /// The character is for a program's own use, and no text of a page can hold it.
    Noncharacter,
}

/// Why a character can't be seen; none where it can, and for white space and the joiners that letters and emoji need.
pub fn unseen(c: char) -> Option<Unseen> {
    match c {
        '\u{200E}' | '\u{200F}' | '\u{061C}' => Some(Unseen::DirectionMark),
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => Some(Unseen::DirectionChange),
        '\u{200B}'
        | '\u{2060}'..='\u{2064}'
        | '\u{206A}'..='\u{206F}'
        | '\u{FEFF}'
        | '\u{FFF9}'..='\u{FFFB}'
        | '\u{E0000}'..='\u{E007F}' => Some(Unseen::Hidden),
        '\u{FDD0}'..='\u{FDEF}' => Some(Unseen::Noncharacter),
        c if u32::from(c) & 0xFFFE == 0xFFFE => Some(Unseen::Noncharacter),
        c if c.is_whitespace() => None,
        c if c.is_control() => Some(Unseen::Control),
        _ => None,
    }
}

/// The text on one line: each run of white space is one blank, and what can't be seen stands by its number, as
/// `<U+202E>`.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() {
            if !line.ends_with(' ') {
                line.push(' ');
            }
        } else if unseen(c).is_some() {
            // Writing into a String never fails.
            let _ = write!(line, "<U+{:04X}>", u32::from(c));
        } else {
            line.push(c);
        }
    }
    line.trim().to_owned()
}

/// Whether [XML 1.0](https://www.w3.org/TR/xml/#charsets) can carry a character. What answers in XML, as SNS and SQS do, takes no
/// message that holds another
/// ([SQS](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html)).
pub fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

/// The text with U+FFFD in place of each character that XML can't carry.
pub fn as_xml(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_xml) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|c| if is_xml(c) { c } else { char::REPLACEMENT_CHARACTER }).collect::<String>().into()
}

/// JSON text in which what XML can't carry stands as an escape, such as `\uffff`: it says the same.
///
/// JSON has escapes for control characters anyway, and a string of Rust has no half of a surrogate pair. That leaves U+FFFE and
/// U+FFFF, which are the bytes EF BF BE and EF BF BF, within a JSON string alone.
pub fn json_as_xml(json: Vec<u8>) -> Vec<u8> {
    let is_one = |bytes: &[u8]| matches!(bytes, [0xEF, 0xBF, 0xBE | 0xBF]);
    if !json.windows(3).any(is_one) {
        return json;
    }
    let mut escaped = Vec::with_capacity(json.len() + 16);
    let mut rest = json.as_slice();
    while let Some((first, others)) = rest.split_first() {
        match rest {
            [0xEF, 0xBF, last @ (0xBE | 0xBF), behind @ ..] => {
                escaped.extend_from_slice(if *last == 0xBE { b"\\ufffe" } else { b"\\uffff" });
                rest = behind;
            }
            _ => {
                escaped.push(*first);
                rest = others;
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_seen_is_named() {
        assert_eq!(
            one_line("a\r\n\n b\t\u{1b}[31mred\u{7}\u{202E}x\u{85}\u{2028}y "),
            "a b <U+001B>[31mred<U+0007><U+202E>x y"
        );
        assert_eq!(
            one_line(" \u{200B}\u{E0041}\u{FFFF}\u{FDD0}\u{1FFFE} "),
            "<U+200B><U+E0041><U+FFFF><U+FDD0><U+1FFFE>"
        );
    }

    #[test]
    fn emoji_of_several_and_letters_that_join_stay_whole() {
        for text in ["👩\u{200D}🔬", "می\u{200C}خواهم", "שלום", "e\u{301}"] {
            assert_eq!(one_line(text), text);
        }
    }

    #[test]
    fn xml_carries_what_its_specification_says() {
        for (c, is_carried) in [
            ('\0', false),
            ('\u{8}', false),
            ('\t', true),
            ('\n', true),
            ('\u{B}', false),
            ('\r', true),
            ('\u{1F}', false),
            (' ', true),
            ('\u{7F}', true),
            ('\u{D7FF}', true),
            ('\u{E000}', true),
            ('\u{FFFD}', true),
            ('\u{FFFE}', false),
            ('\u{FFFF}', false),
            ('\u{10000}', true),
            ('\u{10FFFF}', true),
        ] {
            assert_eq!(is_xml(c), is_carried, "U+{:04X}", u32::from(c));
        }
        assert_eq!(as_xml("a\u{0}b\u{FFFF}"), "a\u{FFFD}b\u{FFFD}");
    }

    proptest! {
        #[test]
        fn any_json_says_the_same_where_xml_can_carry_it(
            texts in prop::collection::vec("(.|[\u{0}-\u{20}\u{FFF0}-\u{FFFF}\u{EFBF}]|\\PC){0,20}", 0..4),
        ) {
            let json = serde_json::to_vec(&texts).expect("texts");
            let carried = String::from_utf8(json_as_xml(json)).expect("still text");
            prop_assert!(carried.chars().all(is_xml), "{carried:?}");
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&carried).expect("still JSON"), texts);
        }

        #[test]
        fn any_text_can_be_carried_and_what_could_be_stays(text in "(.|[\u{0}-\u{20}\u{FFF0}-\u{FFFF}]|\\PC){0,40}") {
            let carried = as_xml(&text);
            prop_assert!(carried.chars().all(is_xml));
            prop_assert!(text.chars().zip(carried.chars()).all(|(was, is)| was == is || !is_xml(was)));
        }

        #[test]
        fn any_text_becomes_one_line_that_can_be_seen_and_stays_as_it_is(text in any::<String>()) {
            let line = one_line(&text);
            prop_assert!(!line.chars().any(|c| c.is_control() || unseen(c).is_some()), "{line:?}");
            let ends_line = line.contains(['\u{2028}', '\u{2029}']);
            prop_assert!(!ends_line);
            prop_assert_eq!(one_line(&line), line);
        }
    }
}
