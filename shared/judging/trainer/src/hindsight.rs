/// Cuts the tail that an author added later (`Edit: typo`, `EDIT 2: thanks!`): only comments that stayed up get one, so it
/// gives the verdict away, and a live comment has none.
pub fn cut_edits(text: &str) -> &str {
    let bytes = text.as_bytes();
    let is_word = |at: usize| bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
    let mut line_start = 0;
    for at in 0..bytes.len() {
        if bytes[at] == b'\n' {
            line_start = at + 1;
        }
        if !bytes[at..].get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"edit")) || (at > 0 && is_word(at - 1)) {
            continue;
        }
        let suffix = ["ed", "s", ""].into_iter().find(|suffix| {
            bytes[at + 4..].get(..suffix.len()).is_some_and(|found| found.eq_ignore_ascii_case(suffix.as_bytes()))
        });
        let end = at + 4 + suffix.map_or(0, str::len);
        if is_word(end) {
            continue;
        }
        let begins_line = !bytes[line_start..at].iter().any(u8::is_ascii_alphanumeric);
        let colon = bytes[end..].iter().find(|byte| !matches!(byte, b' ' | b'*' | b'_' | b')' | b']' | b'0'..=b'9'));
        if begins_line || colon == Some(&b':') {
            let cut = if begins_line { line_start } else { at };
            let kept = text[..cut].trim_end();
            // A comment that is all edit says nothing about hindsight.
            return if kept.is_empty() { text } else { kept };
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_later_is_cut() {
        for (text, kept) in [
            ("A point.\r\n\r\nEdit: typo", "A point."),
            ("A point.\n**EDIT 2**: thanks!\nEdit: more", "A point."),
            ("A point.\n\nedited for clarity", "A point."),
            ("A point. (edit: fixed)", "A point. ("),
            ("A point. Edits: two", "A point."),
            ("Who edits the journal? The editor.", "Who edits the journal? The editor."),
            ("credit: them", "credit: them"),
            ("Edit: all of it", "Edit: all of it"),
            ("", ""),
            ("\u{E9}dit: no", "\u{E9}dit: no"),
        ] {
            assert_eq!(cut_edits(text), kept, "{text:?}");
        }
    }
}
