//! What Unicode's data say of a character.

use std::sync::LazyLock;

use icu_properties::props::{
    CanonicalCombiningClass, Dash, DefaultIgnorableCodePoint, ExtendedPictographic, GeneralCategory,
    GeneralCategoryGroup, NoncharacterCodePoint, Script, WordBreak,
};
use icu_properties::{CodePointMapData, CodePointSetData};

use crate::letters::NFKC;

/// Whether a character has no glyph of its own where nobody treats it specially: zero-width characters and joiners, soft
/// hyphens, variation selectors, directions, noncharacters, control characters but for white space.
pub(crate) fn is_ignorable(c: char) -> bool {
    /// A bit for each character of the basic plane: a text whose quotation marks were decoded wrongly asks for thousands.
    static BASIC_PLANE: LazyLock<Box<[u64]>> = LazyLock::new(|| {
        let mut bits = vec![0; 1 << 10].into_boxed_slice();
        for c in ('\0'..='\u{FFFF}').filter(|c| is_ignorable_by_unicode(*c)) {
            bits[c as usize / 64] |= 1 << (c as usize % 64);
        }
        bits
    });
    match BASIC_PLANE.get(c as usize / 64) {
        Some(bits) => bits >> (c as usize % 64) & 1 == 1,
        None => is_ignorable_by_unicode(c),
    }
}

fn is_ignorable_by_unicode(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || CodePointSetData::new::<NoncharacterCodePoint>().contains(c)
        || (c.is_control() && !c.is_whitespace())
}

/// The first bytes of ignorable characters.
pub(crate) fn ignorable_first_bytes() -> impl Iterator<Item = u8> {
    let first_byte = |c: char| c.encode_utf8(&mut [0; 4]).as_bytes()[0];
    let of = move |c: u32| char::from_u32(c).map_or(0, first_byte);
    let ranges = CodePointSetData::new::<DefaultIgnorableCodePoint>().iter_ranges();
    let ranges = ranges.chain(CodePointSetData::new::<NoncharacterCodePoint>().iter_ranges());
    let controls = ('\0'..='\u{9F}').filter(|c| is_ignorable(*c)).map(first_byte);
    ranges.flat_map(move |range| of(*range.start())..=of(*range.end())).chain(controls)
}

/// Whether a character is shown as a blank, though Unicode has it among the letters without a glyph: the fillers that stand for a
/// syllable of Hangul.
pub(crate) fn is_filler(c: char) -> bool {
    matches!(c, '\u{3164}' | '\u{FFA0}')
}

/// Whether a character is a combining mark, which belongs to the letter before it: an accent, a vowel sign, a virama.
pub fn is_mark(c: char) -> bool {
    !c.is_ascii() && GeneralCategoryGroup::Mark.contains(CodePointMapData::<GeneralCategory>::new().get(c))
}

/// Whether a mark lies over its letter or around it, as a strike-through or a circle does.
pub(crate) fn is_overlay(mark: char) -> bool {
    CodePointMapData::<CanonicalCombiningClass>::new().get(mark) == CanonicalCombiningClass::Overlay
        || CodePointMapData::<GeneralCategory>::new().get(mark) == GeneralCategory::EnclosingMark
}

/// Whether a character belongs to a word: letters, digits, and their marks.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || is_mark(c)
}

/// The script of a letter; none of what all scripts share.
pub(crate) fn script(letter: char) -> Option<Script> {
    if letter.is_ascii_alphabetic() {
        return Some(Script::Latin);
    }
    let script = CodePointMapData::<Script>::new().get(letter);
    (letter.is_alphabetic() && ![Script::Common, Script::Inherited, Script::Unknown].contains(&script))
        .then_some(script)
}

/// Whether a letter is of a script that puts no spaces between words: Han, kana, Thai, Lao, Khmer, Burmese. They are the letters
/// at which [UAX #29](https://www.unicode.org/reports/tr29/#Default_Word_Boundaries) knows no words without a dictionary.
pub fn is_unspaced(c: char) -> bool {
    let unspaced = |c| [WordBreak::Other, WordBreak::Katakana].contains(&CodePointMapData::<WordBreak>::new().get(c));
    !c.is_ascii() && c.is_alphabetic() && unspaced(c)
}

/// Whether people read a character as a letter or a digit, as [`fold`](crate::fold) does: it is one, or a form of one (`ⓐ`). So
/// are squared and circled letters and Braille, which Unicode has no plain form for. Emoji (`ℹ`, flags) are none, nor is what has
/// no glyph.
pub(crate) fn reads_as_letter_or_digit(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    // `🅰` is an emoji too, and spells words with the others. The first Braille pattern has no dots.
    if matches!(c, '\u{1F130}'..='\u{1F189}' | '\u{2801}'..='\u{28FF}') {
        return true;
    }
    if is_ignorable(c) || CodePointSetData::new::<ExtendedPictographic>().contains(c) {
        return false;
    }
    let is_one = |c| {
        let category = CodePointMapData::<GeneralCategory>::new().get(c);
        GeneralCategoryGroup::Letter.contains(category) || GeneralCategoryGroup::Number.contains(category)
    };
    is_one(c) || NFKC.normalize_iter(std::iter::once(c)).any(is_one)
}

/// Whether a character is a dash or a hyphen.
pub(crate) fn is_dash(c: char) -> bool {
    !c.is_ascii() && CodePointSetData::new::<Dash>().contains(c)
}

/// Whether a word may end at `before` and another begin at `after`, which stand side by side.
///
/// It may, unless both belong to words. In a script without spaces any letter may end a word, but not between a letter and its
/// mark.
pub fn is_word_boundary(before: char, after: char) -> bool {
    if !is_word(before) || !is_word(after) {
        return true;
    }
    !is_mark(after) && (is_unspaced(before) || is_unspaced(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_character_is_ignorable_as_unicode_says() {
        for c in '\0'..=char::MAX {
            assert_eq!(is_ignorable(c), is_ignorable_by_unicode(c), "{c:?}");
        }
        assert!(is_ignorable('\u{200F}') && is_ignorable('\u{E0001}') && !is_ignorable('\u{2019}'));
    }

    #[test]
    fn words_end_where_letters_do_and_anywhere_in_scripts_without_spaces() {
        for (before, after, ends) in [
            ('a', ' ', true),
            ('a', '_', true),
            ('a', 'b', false),
            ('a', '2', false),
            ('\u{E9}', 'b', false),
            ('\u{3C3}', '\u{3B5}', false),
            ('\u{AC00}', '\u{AC01}', false),
            // Devanagari: a virama and a vowel sign belong to the consonant before, and the word goes on behind them.
            ('\u{915}', '\u{94D}', false),
            ('\u{94D}', '\u{937}', false),
            ('\u{915}', '\u{93F}', false),
            ('\u{93F}', ' ', true),
            (' ', '\u{93F}', true),
            // Han, kana, Thai; a tone mark is none.
            ('\u{8CFC}', '\u{5165}', true),
            ('\u{30D0}', '\u{30A4}', true),
            ('\u{E01}', '\u{E02}', true),
            ('\u{E01}', '\u{E49}', false),
            ('\u{4E70}', 'f', true),
        ] {
            assert_eq!(is_word_boundary(before, after), ends, "{before:?} {after:?}");
        }
    }
}
