use crate::properties::is_letter_or_digit;
use crate::transport::undo_transport;

/// Whether a text says anything: has a letter or a digit outside of links and of Markdown's pictures. A lone emoji, a picture
/// or a link does not.
pub fn has_text(text: &str) -> bool {
    // Most texts begin with a letter.
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) && link(text).is_none() {
        return true;
    }
    if !text.contains(['&', '<', '\\']) {
        return says_something(text);
    }
    let mut undone = String::new();
    undo_transport(text, &mut undone);
    says_something(&undone)
}

fn says_something(mut rest: &str) -> bool {
    while let Some(c) = rest.chars().next() {
        if let Some(length) = picture(rest).or_else(|| link(rest)) {
            rest = &rest[length..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        // A digit on a key is a picture too.
        if is_letter_or_digit(c) && !rest.trim_start_matches('\u{FE0F}').starts_with('\u{20E3}') {
            return true;
        }
    }
    false
}

/// The length of the picture, `![words](target)`, that a text begins with.
fn picture(text: &str) -> Option<usize> {
    let words = text.strip_prefix("![")?;
    let target = words.find("](").map(|end| 2 + end + 2)?;
    text[target..].find(')').map(|end| target + end + 1)
}

/// The length of the link that a text begins with: up to white space or what closes a Markdown link, a tag or a quotation.
fn link(text: &str) -> Option<usize> {
    let begins =
        |with: &&str| text.as_bytes().get(..with.len()).is_some_and(|it| it.eq_ignore_ascii_case(with.as_bytes()));
    let prefix = ["https://", "http://", "www."].iter().find(|prefix| begins(prefix))?.len();
    let length =
        text.find(|c: char| c.is_whitespace() || matches!(c, ')' | ']' | '<' | '>' | '"')).unwrap_or(text.len());
    (length > prefix).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_or_a_digit_says_something() {
        for text in [
            "a",
            "7",
            "\u{7814}",
            " \u{E9}",
            "look: https://example.org",
            "[here](https://example.org)",
            "&#111;",
            "!!! \u{1F44D} ok",
        ] {
            assert!(has_text(text), "{text:?}");
        }
    }

    #[test]
    fn emoji_pictures_links_and_marks_say_nothing() {
        for text in [
            "",
            " \n",
            "\u{1F44D}",
            "\u{1F44D}\u{1F3FD}\u{2764}\u{FE0F}",
            "1\u{FE0F}\u{20E3}",
            "\u{2139}\u{FE0F}",
            "\u{1F1E9}\u{1F1EA}",
            "...?!",
            "&#128077; &nbsp;",
            "&#x200B;",
            "![gif](giphy|abc123)",
            "![a & b](https://example.org/c.png) \u{1F600}",
            "https://example.org/a?b=1&amp;c=2",
            "<https://example.org>",
            "[](https://example.org)",
            "<U+1F44D>",
        ] {
            assert!(!has_text(text), "{text:?}");
        }
    }
}
