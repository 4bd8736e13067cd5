//! Undoes what transport did to a text: HTML entities, `<U+1F44F>` code points, Markdown's escapes; and takes out what has
//! no glyph.

use std::sync::LazyLock;

use crate::properties::{ignorable_first_bytes, is_ignorable};

/// The bytes that may begin something to undo.
static SUSPECT: LazyLock<[bool; 256]> = LazyLock::new(|| {
    let mut table = [false; 256];
    for byte in b"&<\\".iter().copied().chain(ignorable_first_bytes()) {
        table[usize::from(byte)] = true;
    }
    table
});

/// The longest entity that is looked for (`&CounterClockwiseContourIntegral;` has 33 bytes).
const LONGEST_ENTITY: usize = 40;

/// Writes `text` into `out` as it was before transport, in one pass: each entity is undone once, all backslashes go.
pub fn undo_transport(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    let suspects = &*SUSPECT;
    out.clear();
    let (mut copied, mut at) = (0, 0);
    while let Some(suspect) = next_suspect(suspects, bytes, at) {
        at = suspect + 1;
        if let Some(length) = undo(text, suspect, copied, out) {
            copied = suspect + length;
            at = copied;
        }
    }
    out.push_str(&text[copied..]);
}

fn next_suspect(suspects: &[bool; 256], bytes: &[u8], from: usize) -> Option<usize> {
    bytes.get(from..)?.iter().position(|&byte| suspects[byte as usize]).map(|at| from + at)
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
        _ => {
            // They split words that a reader sees whole.
            let ignorable = text.get(at..)?.chars().next().filter(|c| is_ignorable(*c))?;
            (ignorable.len_utf8(), None)
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn undone(text: &str) -> String {
        let mut out = String::new();
        undo_transport(text, &mut out);
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
            ("c\u{34F}g\u{2066}j\u{2069} \u{FE0F}\u{E0041}x", "cgj x"),
            ("so\u{AD}ft ze\u{200B}ro \u{FEFF}mark\u{2019}s", "soft zero mark\u{2019}s"),
            ("&", "&"),
            ("ends &amp", "ends &amp"),
            ("<", "<"),
            ("\u{2014}&amp;\u{2014}", "\u{2014}&\u{2014}"),
        ] {
            assert_eq!(undone(text), clear, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in ".{0,200}|[&<U+0-9a-f;>\\\\\u{200B}\u{AD}\u{E9}]{0,80}") {
            undone(&text);
        }

        #[test]
        fn a_text_without_suspects_stays(text in "[a-zA-Z0-9 .,?!\u{E9}\u{4E2D}]{0,100}") {
            prop_assert_eq!(undone(&text), text);
        }
    }
}
