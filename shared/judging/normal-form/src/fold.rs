use std::borrow::Cow;

use icu_casemap::{CaseMapper, CaseMapperBorrowed};
use icu_locale_core::{LanguageIdentifier, langid};

use crate::letters::{Letters, NFC, NFD, NFKC, normalise};
use crate::properties::is_dash;
use crate::transport::{MOST_LAYERS, undo_transport};

const CASE: CaseMapperBorrowed<'static> = CaseMapper::new();
const GREEK: LanguageIdentifier = langid!("el");

/// The normal form of a text, on one line: two texts that a reader takes for the same have the same. Folding a form changes
/// nothing.
///
/// All of [`undo_transport`] and of [`Letters`]; then full case folding, with Turkish's two i as one, and without the accents that
/// Greek's capitals do not have; typographic quotation marks, apostrophes and dashes are ASCII's; Arabic's stroke that stretches a
/// word goes, and so do the marks of a quote at the beginning of its lines but the first; each run of white space is one blank, and
/// there is none around the text.
pub fn fold(text: &str) -> String {
    if is_simple(text) {
        return one_line(text.len(), text.chars().map(|c| c.to_ascii_lowercase()));
    }
    let mut form = Form::default();
    let mut folded = form.fold_layer(text);
    for _ in 1..MOST_LAYERS {
        if is_simple(&folded) {
            break;
        }
        let next = form.fold_layer(&folded);
        if next == folded {
            break;
        }
        folded = next;
    }
    folded
}

/// Whether a text is ASCII with nothing in it to undo.
fn is_simple(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii() && !matches!(byte, b'&' | b'<' | b'\\');
    text.bytes().all(|byte| is_plain(byte) && (!byte.is_ascii_control() || char::from(byte).is_whitespace()))
}

/// Stretches an Arabic word, and says nothing.
const TATWEEL: char = '\u{640}';

#[derive(Default)]
struct Form {
    text: String,
    other: String,
    letters: Letters,
}

impl Form {
    fn fold_layer(&mut self, text: &str) -> String {
        let Form { text: now, other, letters } = self;
        undo_transport(text, other);
        // Before they are taken apart: an acute accent alone becomes a mark.
        now.clear();
        now.extend(other.chars().filter(|c| *c != TATWEEL).map(plain_quote));
        normalise!(NFKC, now, other);
        letters.read(other);
        let mut folded = CASE.fold_string(letters.text());
        // Only so are `ΑΘΗΝΑ` and `Αθήνα` one word.
        if folded.contains(is_greek) {
            folded = CASE.fold_string(&CASE.uppercase_to_string(&folded, &GREEK)).into_owned().into();
        }
        normalise!(NFKC, &folded, now);
        // Case folding leaves marks that compose with nothing: of the dotted capital I.
        letters.read(now);
        let text = letters.text();
        one_line(text.len(), text.chars().map(|c| if c == '\u{131}' { 'i' } else { c }))
    }
}

/// A text on one line, which has room for two blanks more: whoever looks for words in it puts them around it.
fn one_line(bytes: usize, text: impl Iterator<Item = char>) -> String {
    let mut line = String::with_capacity(bytes + 2);
    // Whether nothing but marks of a quote stands before, in a line that is not the first.
    let mut begins_line = false;
    let mut chars = text.peekable();
    while let Some(c) = chars.next() {
        // Emoticons begin with it, too.
        let is_quote = begins_line && c == '>' && chars.peek().is_none_or(|next| !is_sign(*next));
        begins_line = matches!(c, '\n' | '\r') || (begins_line && (c.is_whitespace() || is_quote));
        if is_quote {
            continue;
        }
        // The blank of Braille is one, though Unicode has it among the signs.
        if c.is_whitespace() || c.is_control() || c == '\u{2800}' {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if is_dash(c) {
            line.push('-');
        } else {
            line.push(plain_quote(c));
        }
    }
    line.truncate(line.trim_end().len());
    line
}

fn is_greek(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}')
}

/// Whether `>` and this are no mark of a quote: `>:(`.
fn is_sign(c: char) -> bool {
    c.is_ascii_punctuation() && !matches!(c, '>' | '"' | '\'' | '[' | '(' | '*')
}

/// The quotation mark or apostrophe of ASCII that stands for a typographic one. Unicode knows what is a quotation mark, and not
/// which of ASCII's two it is.
fn plain_quote(c: char) -> char {
    match c {
        '\u{2018}'..='\u{201B}'
        | '\u{2032}'
        | '\u{2035}'
        | '\u{2039}'
        | '\u{203A}'
        | '\u{2B9}'..='\u{2BD}'
        | '\u{B4}'
        | '`' => '\'',
        '\u{201C}'..='\u{201F}' | '\u{AB}' | '\u{BB}' | '\u{2033}' | '\u{2036}' | '\u{301D}'..='\u{301F}' => '"',
        c => c,
    }
}

/// Calls `found` with each character that a letter is where case does not matter; it allocates nothing.
///
/// They are those of the capital in small letters: of full case folding, and of Turkish's two i as one.
pub fn each_folded(letter: char, found: impl FnMut(char)) {
    // The dot of the dotted capital I composes with nothing.
    letter.to_uppercase().flat_map(char::to_lowercase).filter(|c| *c != '\u{307}').for_each(found);
}

/// What names are compared by: names that differ in case, or in how accents are encoded, are one.
///
/// Look-alikes are none, and neither is what hides characters: nobody is to pass for somebody else.
pub fn name_key(name: &str) -> Cow<'_, str> {
    if name.is_ascii() {
        let is_lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
        return if is_lower { name.into() } else { name.to_ascii_lowercase().into() };
    }
    let decomposed = NFD.normalize(name);
    let folded = CASE.fold_string(&decomposed);
    NFC.normalize(&folded).into_owned().into()
}

/// A name as it is kept: the same accents are the same bytes.
pub fn composed(name: &str) -> Cow<'_, str> {
    NFC.normalize(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_reads_the_same_is_the_same() {
        for (text, expected) in [
            ("You can\tBuy \r\n Followers here ", "you can buy followers here"),
            ("buy fol\u{200B}lo\u{AD}w\u{34F}e\u{2066}rs\u{2069}\u{FE0F}", "buy followers"),
            ("\u{FF46}\u{FF4F}\u{1D425}\u{1D425}\u{24E6}", "follw"),
            ("caf\u{E9} cafe\u{301} CAFE\u{301}", "caf\u{E9} caf\u{E9} caf\u{E9}"),
            ("f\u{336}o\u{336}l\u{336} \u{336}l\u{336}", "fol l"),
            ("buy\u{A0}followers\u{2028}now\u{3000}\u{2800}", "buy followers now"),
            (
                "you\u{2019}re \u{201C}banned\u{201D} don\u{B4}t it`s \u{2014} a\u{2011}b",
                "you're \"banned\" don't it's - a-b",
            ),
            ("?a=1&amp;b=2 &lt;3 &amp;lt;3 f&#111;&#x6C;l&amp;#x200B;ow", "?a=1&b=2 <3 <3 follow"),
            (r"cheap\_meds \\o/", "cheap_meds o/"),
            (
                "\u{39F}\u{394}\u{39F}\u{3A3} \u{3BF}\u{3B4}\u{3BF}\u{3C2}",
                "\u{3BF}\u{3B4}\u{3BF}\u{3C3} \u{3BF}\u{3B4}\u{3BF}\u{3C3}",
            ),
            (
                "\u{39C}\u{391}\u{3AA}\u{39F}\u{3A3} \u{39C}\u{3AC}\u{3B9}\u{3BF}\u{3C2} \u{39C}\u{386}\u{399}\u{39F}\u{3A3}",
                "\u{3BC}\u{3B1}\u{3CA}\u{3BF}\u{3C3} \u{3BC}\u{3B1}\u{3CA}\u{3BF}\u{3C3} \u{3BC}\u{3B1}\u{3CA}\u{3BF}\u{3C3}",
            ),
            (
                "\u{1F48}\u{3B4}\u{3CD}\u{3C3}\u{3C3}\u{3B5}\u{3B9}\u{3B1}",
                "\u{3BF}\u{3B4}\u{3C5}\u{3C3}\u{3C3}\u{3B5}\u{3B9}\u{3B1}",
            ),
            ("\u{130}STANBUL istanbul \u{131}stanbul ISTANBUL", "istanbul istanbul istanbul istanbul"),
            ("STRA\u{1E9E}E STRASSE stra\u{DF}e", "strasse strasse strasse"),
            ("\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}", "\u{1F468}\u{1F469}\u{1F467}"),
            ("\u{FF06}amp;lt;", "<"),
            ("\u{200B} \u{AD}", ""),
            ("fol\u{1}low\u{7F}ers fol&#1;lowers", "followers followers"),
            ("buy\u{3164}followers", "buy followers"),
            ("> I will kill\n> you\n>>too", "> i will kill you too"),
            ("&gt; I will\r\n&gt; &gt; kill\n\n&gt;you", "> i will kill you"),
            ("no\n>:( and a > b\n>_<", "no >:( and a > b >_<"),
            ("\u{643}\u{640}\u{640}\u{62A}\u{628}", "\u{643}\u{62A}\u{628}"),
        ] {
            assert_eq!(fold(text), expected, "{text:?}");
        }
    }

    #[test]
    fn names_are_the_same_in_any_case_and_encoding_and_not_where_they_look_alike() {
        for (one, other) in
            [("\u{DC}nal", "\u{FC}nal"), ("\u{DC}nal", "u\u{308}nal"), ("Stra\u{DF}e", "STRASSE"), ("Bot", "bOT")]
        {
            assert_eq!(name_key(one), name_key(other));
        }
        for (one, other) in [
            ("AutoModerator", "AutoM\u{43E}derator"),
            ("AutoModerator", "Auto\u{200B}Moderator"),
            ("AutoModerator", "\u{FF21}utoModerator"),
            ("AutoModerator", r"Auto\Moderator"),
            ("\u{DC}nal", "unal"),
        ] {
            assert_ne!(name_key(one), name_key(other));
        }
    }

    /// Texts of many kinds, each of one script a word.
    fn text() -> impl Strategy<Value = String> {
        prop::collection::vec(
            prop_oneof![
                "[a-zA-Z]{1,8}",
                "[\u{E0}-\u{F6}\u{F8}-\u{17F}a-z]{1,6}",
                "[\u{1E00}-\u{1EFF}]{1,6}",
                "[\u{370}-\u{373}\u{386}\u{388}-\u{38A}\u{38C}\u{38E}-\u{3A1}\u{3A3}-\u{3CE}]{1,6}",
                "[\u{1F00}-\u{1F15}\u{1FB0}-\u{1FB4}\u{1FD0}-\u{1FD3}\u{1FE0}-\u{1FEC}]{1,6}",
                "[\u{400}-\u{45F}]{1,6}",
                "[\u{531}-\u{556}\u{561}-\u{587}]{1,6}",
                "[\u{905}-\u{94D}]{1,6}",
                "[\u{AC00}-\u{AFFF}\u{4E00}-\u{4FFF}]{1,4}",
                "[\u{DF}\u{130}\u{131}\u{149}\u{1F0}\u{FB00}-\u{FB06}]{1,3}",
                "[0-9.,!?*_\u{2019}\u{201C}\u{2014}\u{1F44D}]{1,4}",
            ],
            0..6,
        )
        .prop_map(|words| words.join(" "))
    }

    proptest! {
        #[test]
        fn a_form_folds_to_itself(text in text(), any in ".{0,60}", odd in "[&#<>;ampltU+x0-9\\\\\u{FF06}\u{FF3C}\u{200B}\u{336}\u{301}\u{B4}a\u{43E} ]{0,30}") {
            for text in [text, any, odd] {
                let once = fold(&text);
                prop_assert_eq!(fold(&once), once, "{:?}", text);
            }
        }

        #[test]
        fn composed_and_decomposed_have_one_form(text in text(), any in ".{0,60}") {
            for text in [text, any] {
                let (composed, decomposed) = (NFC.normalize(&text), NFD.normalize(&text));
                prop_assert_eq!(fold(&decomposed), fold(&composed));
                prop_assert_eq!(name_key(&decomposed), name_key(&composed));
            }
        }

        #[test]
        fn case_does_not_matter(text in text()) {
            prop_assert_eq!(fold(&text.to_uppercase()), fold(&text), "{:?}", text.to_uppercase());
            prop_assert_eq!(fold(&text.to_lowercase()), fold(&text), "{:?}", text.to_lowercase());
        }

        #[test]
        fn what_has_no_glyph_does_not_matter(text in text(), at: prop::sample::Index, hidden in "[\u{200B}\u{AD}\u{34F}\u{2066}\u{FE0F}\u{FEFF}\u{200D}]") {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let mut other = text.clone();
            other.insert_str(*at.get(&places), &hidden);
            prop_assert_eq!(fold(&other), fold(&text));
        }
    }
}
