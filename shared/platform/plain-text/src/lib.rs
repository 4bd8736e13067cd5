//! Makes text of others plain text: whatever a comment holds, it moves no cursor, turns no direction, hides nothing and
//! begins no line.
//!
//! The classes of characters are Unicode's: control characters (general category `Cc`), the bidirectional formatting
//! characters of [UAX #9](https://www.unicode.org/reports/tr9/), format characters without a glyph, and noncharacters. What
//! the classifier drops before it counts words is a set of its own, since a model is trained with it.

use std::fmt::Write as _;

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

    proptest! {
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
