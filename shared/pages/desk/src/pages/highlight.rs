//! The words of a comment that speak for what is asked about, marked where they stand.

use std::ops::Range;

use maud::{Markup, html};
use regex_lite::{Regex, RegexBuilder};

/// What the model puts at the end of a term that is too long to be shown whole.
const CUT: char = '\u{2026}';

/// White space, all that Unicode has: regex-lite's own class is ASCII's.
const WHITE_SPACE: &str = r"[\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+";

/// The text with its terms marked, in whatever case and with whatever white space they stand there.
pub(super) fn highlighted<'t>(text: &str, terms: impl Iterator<Item = &'t str>) -> Markup {
    let found = merged(terms.filter_map(pattern).flat_map(|(pattern, end)| occurrences(text, &pattern, end)).collect());
    let ends = found.iter().map(|range| range.end);
    let starts = found.iter().map(|range| range.start).chain([text.len()]);
    let plain = [0].into_iter().chain(ends).zip(starts);
    html! {
        @for (number, (from, to)) in plain.enumerate() {
            (text[from..to])
            @if let Some(range) = found.get(number) { mark { (text[range.clone()]) } }
        }
    }
}

/// Where a term ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Where a word does.
    Whole,
    /// Anywhere: it was cut.
    Cut,
}

/// What finds a term; none for one without a letter or digit, which would be marked all over.
fn pattern(term: &str) -> Option<(Regex, End)> {
    let (term, end) = term.strip_suffix(CUT).map_or((term, End::Whole), |term| (term, End::Cut));
    if !term.contains(char::is_alphanumeric) {
        return None;
    }
    let words: Vec<String> = term.split_whitespace().map(regex_lite::escape).collect();
    let pattern = RegexBuilder::new(&words.join(WHITE_SPACE)).case_insensitive(true).build().ok()?;
    Some((pattern, end))
}

fn occurrences(text: &str, pattern: &Regex, end: End) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(one) = pattern.find_at(text, from) {
        let is_joined = |left: Option<char>, right: Option<char>| {
            left.is_some_and(char::is_alphanumeric) && right.is_some_and(char::is_alphanumeric)
        };
        let begins_within = is_joined(text[..one.start()].chars().next_back(), one.as_str().chars().next());
        let ends_within = is_joined(one.as_str().chars().next_back(), text[one.end()..].chars().next());
        if begins_within || (ends_within && end == End::Whole) {
            // It is a part of another word.
            from = one.start() + one.as_str().chars().next().map_or(1, char::len_utf8);
        } else {
            from = one.end();
            found.push(one.range());
        }
    }
    found
}

/// The same stretches in order, those that touch or overlap as one.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    ranges.dedup_by(|next, kept| {
        let is_within = next.start <= kept.end;
        if is_within {
            kept.end = kept.end.max(next.end);
        }
        is_within
    });
    ranges
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(text: &str, terms: &[&str]) -> String {
        highlighted(text, terms.iter().copied()).into_string()
    }

    #[test]
    fn words_are_marked_wherever_they_stand_and_parts_of_words_are_not() {
        for (text, terms, wanted) in [
            ("My dog. my  dog, mystery", &["my", "my dog"][..], "<mark>My dog</mark>. <mark>my  dog</mark>, mystery"),
            ("a\u{2000}\n scam scams", &["a scam"], "<mark>a\u{2000}\n scam</mark> scams"),
            ("a\nscam scams", &["scam", "a scam"], "<mark>a\nscam</mark> scams"),
            (
                "<b>HURT</b> you & yours",
                &["hurt", "you"],
                "&lt;b&gt;<mark>HURT</mark>&lt;/b&gt; <mark>you</mark> &amp; yours",
            ),
            ("So... what? (x)", &["?", "...", "("], "So... what? (x)"),
            ("(x) [y]", &["(x)", ".*", "[y"], "<mark>(x)</mark> <mark>[y</mark>]"),
            ("f\u{fc}r f\u{fc}rs", &["f\u{fc}r"], "<mark>f\u{fc}r</mark> f\u{fc}rs"),
            ("unbelievable", &["unbel\u{2026}"], "<mark>unbel</mark>ievable"),
            ("plain", &[], "plain"),
            ("", &["x"], ""),
        ] {
            assert_eq!(marked(text, terms), wanted, "{text} {terms:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_of_the_text_is_lost(text in "[aAbé <&.\\n]{0,30}", terms in prop::collection::vec("[abé.… ]{0,4}", 0..4)) {
            let page = highlighted(&text, terms.iter().map(String::as_str)).into_string();
            let plain = page.replace("<mark>", "").replace("</mark>", "");
            prop_assert_eq!(plain, html! { (text) }.into_string());
        }
    }
}
