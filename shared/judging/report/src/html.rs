//! What every page needs: anybody's text in it, and nothing that changes how the page itself reads.

use maud::{Markup, html};
use plain_text::{Unseen, unseen};

/// A text of somebody's, apart from the page's own: its direction is its own, and ends with it.
pub fn isolate_direction(text: &str) -> Markup {
    html! { bdi dir="auto" { (text) } }
}

/// The page as it is sent. A character that a page can't hold, or that would change the direction of the text behind it, is
/// U+FFFD, wherever it came from.
pub fn finish(page: &Markup) -> String {
    page.0.chars().filter(|c| *c != '\r').map(|c| if is_harmful(c) { '\u{FFFD}' } else { c }).collect()
}

fn is_harmful(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        c if c.is_control() => true,
        c => matches!(unseen(c), Some(Unseen::DirectionChange | Unseen::Noncharacter)),
    }
}

/// The beginning of a text: at most `max_chars` characters, and an ellipsis where there are more.
pub fn cut(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}\u{2026}", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// A number with two decimals and its sign, a true minus.
pub fn signed(number: f64) -> String {
    let text = format!("{number:+.2}");
    if text == "-0.00" { "+0.00".to_owned() } else { text.replace('-', "\u{2212}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(
            isolate_direction("<script a='1' b=\"2\">&amp;</script>").0,
            "<bdi dir=\"auto\">&lt;script a='1' b=&quot;2&quot;&gt;&amp;amp;&lt;/script&gt;</bdi>"
        );
    }

    #[test]
    fn nothing_reorders_or_controls() {
        let sent = |text: &str| finish(&html! { (text) });
        assert_eq!(
            sent("a\u{0}\u{1b}[1m\u{85}b\r\n\u{202E}c\u{2069}\u{FDD0}\u{1FFFF}"),
            "a\u{FFFD}\u{FFFD}[1m\u{FFFD}b\n\u{FFFD}c\u{FFFD}\u{FFFD}\u{FFFD}"
        );
        assert_eq!(sent("שלום \u{200F}!"), "שלום \u{200F}!");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!((cut("äöü", 3).as_str(), cut("äö üx", 3).as_str()), ("äöü", "äö\u{2026}"));
    }
}
