//! Any text as part of a page.

/// A text as HTML, also within an attribute's quotes. What a page can't hold, and what would change the direction of the text
/// behind it, becomes U+FFFD.
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html += "&amp;",
            '<' => html += "&lt;",
            '>' => html += "&gt;",
            '"' => html += "&quot;",
            '\'' => html += "&#39;",
            '\n' | '\t' => html.push(c),
            '\r' => {}
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FFFE}' | '\u{FFFF}' => html.push('\u{FFFD}'),
            c if c.is_control() => html.push('\u{FFFD}'),
            c => html.push(c),
        }
    }
    html
}

/// A text of somebody's, apart from the page's own: its direction is its own, and ends with it.
pub fn foreign(text: &str) -> String {
    format!("<bdi dir=\"auto\">{}</bdi>", escape(text))
}

/// The beginning of a text: so many characters, and an ellipsis where there are more.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}\u{2026}", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(
            escape("<script a='1' b=\"2\">&amp;</script>"),
            "&lt;script a=&#39;1&#39; b=&quot;2&quot;&gt;&amp;amp;&lt;/script&gt;"
        );
    }

    #[test]
    fn nothing_reorders_or_controls() {
        assert_eq!(
            escape("a\u{0}\u{1b}[1m\u{85}b\r\n\u{202E}c\u{2069}"),
            "a\u{FFFD}\u{FFFD}[1m\u{FFFD}b\n\u{FFFD}c\u{FFFD}"
        );
        assert_eq!(escape("שלום \u{200F}!"), "שלום \u{200F}!");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!((cut("äöü", 3).as_str(), cut("äö üx", 3).as_str()), ("äöü", "äö\u{2026}"));
    }

    proptest! {
        #[test]
        fn no_text_opens_or_closes_a_tag(text in any::<String>()) {
            prop_assert!(!escape(&text).contains(['<', '>', '"', '\'']));
        }
    }
}
