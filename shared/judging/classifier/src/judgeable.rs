use modstream_events::NotJudged;
use normal_form::{Placeholders, has_text};

/// Why there is nothing to judge in a text, where there is nothing: a score says something of its form alone then.
pub fn not_judged(text: &str) -> Option<NotJudged> {
    if !has_text(text) {
        return Some(NotJudged::NoText);
    }
    Placeholders::default().form(text).map(|_| NotJudged::Placeholder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_nobody_wrote_is_not_judged_and_one_about_it_is() {
        for (text, why) in [
            ("", Some(NotJudged::NoText)),
            ("&amp;#x200B;", Some(NotJudged::NoText)),
            ("\u{1F602}\u{1F602}\u{1F602} &amp;#x200B;", Some(NotJudged::NoText)),
            ("[removed]", Some(NotJudged::Placeholder)),
            ("\\[deleted by user\\]", Some(NotJudged::Placeholder)),
            ("&amp;#91; Removed by Reddit ]", Some(NotJudged::Placeholder)),
            ("why was this [removed]?", None),
            ("so", None),
        ] {
            assert_eq!(not_judged(text), why, "{text}");
        }
    }
}
