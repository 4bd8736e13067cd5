//! Undoes what transport did to a text: HTML entities, `<U+1F44F>` code points, Markdown's escapes; and takes out what has
//! no glyph.

use std::sync::LazyLock;

use crate::properties::{ignorable_first_bytes, is_filler, is_ignorable};

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

/// Text that was escaped more often was escaped on purpose.
pub(crate) const MOST_LAYERS: usize = 4;

/// Writes `text` into `out` as it was before transport, as often as it was escaped: `&amp;lt;` is `<`.
pub fn undo_transport(text: &str, out: &mut String) {
    if !undo_layer(text, out) {
        return;
    }
    for _ in 1..MOST_LAYERS {
        if !may_hold_more(out) {
            return;
        }
        let layer = std::mem::take(out);
        if !undo_layer(&layer, out) {
            return;
        }
    }
}

/// Whether something that was escaped may stand in what was undone. Most texts were escaped once, and are read once.
fn may_hold_more(undone: &str) -> bool {
    let (suspects, bytes) = (&*SUSPECT, undone.as_bytes());
    let mut at = 0;
    while let Some(suspect) = next_suspect(suspects, bytes, at) {
        let rest = &bytes[suspect..];
        let is_escaped = match rest[0] {
            b'&' => {
                let name = rest[1..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'#').count();
                name > 0 && name < LONGEST_ENTITY && rest.get(1 + name) == Some(&b';')
            }
            b'<' => code_point(rest).is_some(),
            b'\\' => true,
            _ => undone.get(suspect..).and_then(|rest| rest.chars().next()).is_some_and(is_ignorable),
        };
        if is_escaped {
            return true;
        }
        at = suspect + 1;
    }
    false
}

/// Writes `text` into `out` with one layer of escapes undone, and says whether there was one: each entity is undone once, all
/// backslashes and all that has no glyph go.
pub(crate) fn undo_layer(text: &str, out: &mut String) -> bool {
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
    copied > 0
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
                out.truncate(meaning);
                // HTML has no control characters; a reader sees none either way, so the next layer takes it out.
                let Some(control) = code_of(entity).filter(|c| is_ignorable(*c)) else {
                    out.truncate(before);
                    return None;
                };
                out.push(control);
            }
            return Some(end + 1);
        }
        b'<' => code_point(rest)?,
        b'\\' => (1, None),
        _ => {
            // They split words that a reader sees whole.
            let ignorable = text.get(at..)?.chars().next().filter(|c| is_ignorable(*c))?;
            (ignorable.len_utf8(), is_filler(ignorable).then_some(' '))
        }
    };
    out.push_str(&text[copied..at]);
    out.extend(meaning);
    Some(length)
}

/// The character of an entity such as `&#1;` or `&#x1;`.
fn code_of(entity: &str) -> Option<char> {
    let digits = entity.strip_prefix("&#")?.strip_suffix(';')?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    char::from_u32(code.ok()?)
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
            ("buy\u{3164}now b\u{1}u\0y\u{7F} n\u{80}ow&#1;\n\t.", "buy now buy now\n\t."),
            ("&amp;#x200B;|&amp;nbsp;|&amp;amp;lt;|&amp;lt;U+1F44F&amp;gt;", "|\u{a0}|<|\u{1F44F}"),
            ("fol&#x200B;low &amp;amp; R&D &#92;_", "follow & R&D _"),
            ("&amp;amp;amp;amp;amp;", "&amp;"),
            ("AT&amp;T &lt;b&gt; &#39;x&#x27; &nbsp;", "AT&T <b> 'x' \u{a0}"),
            ("R&D; fish & chips &unknown;", "R&D; fish & chips &unknown;"),
            ("well done <U+0001F44F><u+2019>", "well done \u{1F44F}\u{2019}"),
            ("<U+> <U+12345678AB> <U+110000> <b>", "<U+> <U+12345678AB> \u{FFFD} <b>"),
            (r"5 \* 3 \> 2", "5 * 3 > 2"),
            ("c\u{34F}g\u{2066}j\u{2069} \u{FE0F}\u{E0041}x", "cgj x"),
            ("b\u{FFFE}u\u{FDD0}y\u{FFFF} n\u{1FFFE}o\u{10FFFF}w&#xFFFE;", "buy now"),
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
