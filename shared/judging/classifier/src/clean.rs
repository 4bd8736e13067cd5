//! Undoes what transport did to a text: HTML entities, `<U+1F44F>` code points, Markdown's escapes, invisible characters.

/// The bytes that may begin something to undo.
const SUSPECT: [bool; 256] = {
    let mut table = [false; 256];
    table[b'&' as usize] = true;
    table[b'<' as usize] = true;
    table[b'\\' as usize] = true;
    // First bytes of the invisible characters below.
    table[0xC2] = true;
    table[0xE2] = true;
    table[0xEF] = true;
    table
};

/// The longest entity that is looked for (`&CounterClockwiseContourIntegral;` has 33 bytes).
const LONGEST_ENTITY: usize = 40;

/// Writes the cleaned `text` into `out`, in one pass.
pub fn clean(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    out.clear();
    let (mut copied, mut at) = (0, 0);
    while let Some(suspect) = next_suspect(bytes, at) {
        at = suspect + 1;
        if let Some(length) = undo(text, suspect, copied, out) {
            copied = suspect + length;
            at = copied;
        }
    }
    out.push_str(&text[copied..]);
}

fn next_suspect(bytes: &[u8], from: usize) -> Option<usize> {
    bytes.get(from..)?.iter().position(|&byte| SUSPECT[byte as usize]).map(|at| from + at)
}

/// Where something to undo stands at `at`, writes the text before it (from `copied`) and its meaning, and returns its
/// length.
fn undo(text: &str, at: usize, copied: usize, out: &mut String) -> Option<usize> {
    let rest = &text.as_bytes()[at..];
    let (length, meaning) = match rest[0] {
        b'&' => {
            let end = memchr::memchr(b';', &rest[..rest.len().min(LONGEST_ENTITY)])?;
            let entity = &text[at..=at + end];
            let before = out.len();
            out.push_str(&text[copied..at]);
            let meaning = out.len();
            html_escape::decode_html_entities_to_string(entity, out);
            if &out[meaning..] == entity {
                out.truncate(before);
                return None;
            }
            return Some(end + 1);
        }
        b'<' => code_point(rest)?,
        b'\\' => (1, None),
        _ => (invisible(rest)?, None),
    };
    out.push_str(&text[copied..at]);
    out.extend(meaning);
    Some(length)
}

/// The length and the character of a code point such as `<U+0001F44F>`.
fn code_point(rest: &[u8]) -> Option<(usize, Option<char>)> {
    if !rest.get(1)?.eq_ignore_ascii_case(&b'u') || *rest.get(2)? != b'+' {
        return None;
    }
    let digits = rest[3..].iter().take(9).take_while(|byte| byte.is_ascii_hexdigit()).count();
    if digits == 0 || rest.get(3 + digits) != Some(&b'>') {
        return None;
    }
    let value = std::str::from_utf8(&rest[3..3 + digits]).ok().and_then(|hex| u32::from_str_radix(hex, 16).ok())?;
    Some((digits + 4, Some(char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER))))
}

/// The length of an invisible character: soft hyphen, zero-width and direction marks, byte order mark. They split words
/// that a reader sees whole.
fn invisible(rest: &[u8]) -> Option<usize> {
    match rest {
        [0xC2, 0xAD, ..] => Some(2),
        [0xE2, 0x80, 0x8B..=0x8F | 0xAA..=0xAE, ..] | [0xE2, 0x81, 0xA0..=0xA4, ..] | [0xEF, 0xBB, 0xBF, ..] => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cleaned(text: &str) -> String {
        let mut out = String::new();
        clean(text, &mut out);
        out
    }

    #[test]
    fn what_transport_did_is_undone() {
        for (text, clear) in [
            ("", ""),
            ("plain", "plain"),
            ("AT&amp;T &lt;b&gt; &#39;x&#x27; &nbsp;", "AT&T <b> 'x' \u{a0}"),
            ("R&D; fish & chips &unknown;", "R&D; fish & chips &unknown;"),
            ("well done <U+0001F44F><u+2019>", "well done \u{1F44F}\u{2019}"),
            ("<U+> <U+12345678AB> <U+110000> <b>", "<U+> <U+12345678AB> \u{FFFD} <b>"),
            (r"5 \* 3 \> 2", "5 * 3 > 2"),
            ("so\u{AD}ft ze\u{200B}ro \u{FEFF}mark\u{2019}s", "soft zero mark\u{2019}s"),
            ("&", "&"),
            ("ends &amp", "ends &amp"),
            ("<", "<"),
            ("\u{2014}&amp;\u{2014}", "\u{2014}&\u{2014}"),
        ] {
            assert_eq!(cleaned(text), clear, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_cleaned_without_panic(text in ".{0,200}|[&<U+0-9a-f;>\\\\\u{200B}\u{AD}\u{E9}]{0,80}") {
            cleaned(&text);
        }

        #[test]
        fn a_text_without_suspects_stays(text in "[a-zA-Z0-9 .,?!\u{E9}\u{4E2D}]{0,100}") {
            prop_assert_eq!(cleaned(&text), text);
        }
    }
}
