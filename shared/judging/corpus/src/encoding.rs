//! Decodes the bytes of a CSV cell.
//!
//! windows-1252 here is that of the [WHATWG](https://encoding.spec.whatwg.org/#windows-1252): its five free bytes are the C1
//! controls of ISO-8859-1, so that every byte is a character.

use std::borrow::Cow;

use plain_text::surrogates_decoded;

/// The characters of 0x80-0x9F.
const C1: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

/// Decodes UTF-8, also with surrogates in it, or else windows-1252, and puts right what was decoded wrongly before.
pub(crate) fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => repair(text).into_owned(),
        Err(_) => {
            let western = || bytes.iter().map(|&byte| from_byte(byte)).collect::<String>();
            repair(&surrogates_decoded(bytes).unwrap_or_else(western)).into_owned()
        }
    }
}

/// Puts UTF-8 that was read as windows-1252 right, run by run of non-ASCII characters.
fn repair(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut repaired = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|char: char| !char.is_ascii()) {
        let (before, from) = rest.split_at(start);
        let (run, after) = from.split_at(from.find(|char: char| char.is_ascii()).unwrap_or(from.len()));
        let (word, next) = (before.chars().next_back(), after.chars().next());
        // Repeated as often as the text was misread.
        let mut run = Cow::Borrowed(run);
        while let Some(better) = redecoded(&run).filter(|_| !ends_a_word(word, &run, next)) {
            run = Cow::Owned(better);
        }
        repaired.push_str(before);
        repaired.push_str(&run);
        rest = after;
    }
    repaired.push_str(rest);
    Cow::Owned(repaired)
}

/// The text of a run that was decoded wrongly. A run has no ASCII, so UTF-8 in its bytes is made of sequences of
/// several bytes.
fn redecoded(run: &str) -> Option<String> {
    let bytes = run.chars().map(to_byte).collect::<Option<Vec<u8>>>()?;
    String::from_utf8(bytes).ok()
}

/// `CAFÉ”`, `Spaß“` and `café »` happen to be UTF-8 sequences too. What tells them from wrongly decoded text: after one letter
/// comes nothing but punctuation or a letter of the C1 range (Czech `víš…`), and that letter goes on in the case of the word
/// before. `â` is left out: nearly all wrongly decoded punctuation begins with it. So are the capitals that accented Latin
/// letters become, inside a word (`CÃ”TE`). `×` before a no-break space is a sign.
fn ends_a_word(before: Option<char>, run: &str, after: Option<char>) -> bool {
    let mut chars = run.chars();
    let Some(letter) = chars.next() else { return false };
    let rest = chars.as_str();
    if rest.is_empty() || !rest.chars().all(|char| "‘’“”…–—›»«®™\u{A0}ŠšŽžŒœ".contains(char))
    {
        return false;
    }
    let follows_capital = before.is_some_and(|before| before.is_ascii_uppercase());
    match letter {
        '×' => true,
        'â' => false,
        'Ã' | 'Ä' | 'Å' => follows_capital && !after.is_some_and(|after| after.is_ascii_alphanumeric()),
        _ => letter.is_uppercase() == follows_capital,
    }
}

fn from_byte(byte: u8) -> char {
    match byte {
        0x80..=0x9F => C1[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

fn to_byte(char: char) -> Option<u8> {
    if let Ok(byte) = u8::try_from(u32::from(char)) {
        return Some(byte);
    }
    C1.iter().zip(0x80..).find_map(|(&c1, byte)| (c1 == char).then_some(byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What UTF-8 becomes when it is read as windows-1252.
    fn misread(text: &str) -> String {
        text.bytes().map(from_byte).collect()
    }

    #[test]
    fn every_byte_is_one_character_and_goes_back() {
        for byte in 0x80..=0xFF {
            assert_eq!(to_byte(from_byte(byte)), Some(byte));
        }
        assert_eq!((from_byte(0x92), from_byte(0x81), from_byte(0xE9)), ('’', '\u{81}', 'é'));
    }

    #[test]
    fn a_cell_is_utf8_or_else_windows_1252() {
        assert_eq!(decode("naïve – 10 µm".as_bytes()), "naïve – 10 µm");
        assert_eq!(decode(b"na\xEFve \x96 10 \xB5m\xA0\x81"), "naïve – 10 µm\u{A0}\u{81}");
    }

    #[test]
    fn misread_text_is_put_right_beside_characters_that_are_right() {
        for (read, meant) in [
            ("itâ€™s", "it’s"),
            ("â€œquotedâ€\u{9D}", "“quoted”"),
            ("fiancÃ©, naÃ¯ve, voilÃ\u{A0}, CÃ”TE", "fiancé, naïve, voilà, CÔTE"),
            ("20\u{C2}°C ± 1", "20°C ± 1"),
            ("ðŸ˜€ and 😀", "😀 and 😀"),
            ("Ð¿Ñ€Ð¸Ð²ÐµÑ‚, Î”T, cÅ“ur, są sÄ…", "привет, ΔT, cœur, są są"),
            ("Ã¢â‚¬â„¢", "’"),
            ("a cup â…“ full", "a cup ⅓ full"),
            // C1 controls in place of windows-1252's characters.
            ("it\u{E2}\u{80}\u{99}s", "it’s"),
        ] {
            assert_eq!(repair(read), meant);
        }
        // One Latin-1 byte makes the cell windows-1252; what was UTF-8 in it comes back.
        assert_eq!(decode(b"1\xB0 it\xE2\x80\x99s"), "1° it’s");
    }

    #[test]
    fn words_that_end_like_utf8_sequences_stay() {
        for text in ["café\u{A0}»", "CAFÉ”", "Spaß“", "été…”", "víš…", "à\u{A0}»", "CAFÉ—the", "IRMÃ…", "NESTLÉ®"]
        {
            let runs = text.split(|char: char| char.is_ascii());
            assert!(runs.filter(|run| !run.is_empty()).any(|run| redecoded(run).is_some()), "{text} tests nothing");
            assert_eq!(repair(text), text);
        }
    }

    /// Words of Latin languages with what may follow them.
    fn plain_text() -> impl Strategy<Value = String> {
        let word = "[a-z]{0,4}[éèàùçñöüäåøßíóúêîôûæ]?|[A-Z]{1,4}[ÉÈÀÙÇÑÖÜÄÅØÍÓÚÊÎÔÛÆ]?|[A-Z][a-z]{1,3}|[×°µ±²½£]";
        let after = prop::sample::select(vec![
            "", "…", "”", "’", "“", "…”", "\u{A0}»", "\u{A0}!", "—", " –", "”…", "™", "®", "\u{A0}",
        ]);
        prop::collection::vec((word, after), 0..8)
            .prop_map(|words| words.into_iter().map(|(word, after)| word + after).collect::<Vec<_>>().join(" "))
    }

    proptest! {
        #[test]
        fn text_that_is_right_stays(text in plain_text()) {
            prop_assert_eq!(decode(text.as_bytes()), text);
        }

        #[test]
        fn text_that_was_misread_comes_back(text in "([a-z]{0,4}([éèàùçñöüßíóúêîôû]?[’“”…–—]{0,2}|[°±µαβπΔжя😀中’]{0,3})[ ,.]){0,6}") {
            let once = misread(&text);
            let twice = misread(&once);
            prop_assert_eq!(repair(&once), text.as_str());
            prop_assert_eq!(repair(&twice), text.as_str());
        }

        #[test]
        fn any_bytes_become_text_and_ascii_stays(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let ascii = |text: &[u8]| text.iter().copied().filter(u8::is_ascii).collect::<Vec<u8>>();
            prop_assert_eq!(ascii(decode(&bytes).as_bytes()), ascii(&bytes));
        }
    }
}
