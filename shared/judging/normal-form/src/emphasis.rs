use std::borrow::Cow;

/// What Markdown's emphasis and strike-through are made of, the longest first; and inline code. `_` is none of them inside a
/// word.
const DELIMITERS: [&str; 5] = ["***", "**", "*", "~~", "`"];

/// The text without the marks of Markdown's emphasis (`fol**low**ers`): each pair of them goes, as a page shows it.
///
/// A mark opens before what is no white space, and closes after what is none, in the same paragraph; one without its other half
/// stays. That is [CommonMark](https://spec.commonmark.org/0.31.2/#emphasis-and-strong-emphasis) but for its rules about
/// punctuation and nesting, which tell apart what is shown bold, and hide no letter.
pub fn without_emphasis(text: &str) -> Cow<'_, str> {
    if !text.contains(['*', '~', '`']) {
        return Cow::Borrowed(text);
    }
    let mut gone: Vec<(usize, usize)> = Vec::new();
    let mut open: [Option<(usize, usize)>; DELIMITERS.len()] = Default::default();
    let (mut at, mut before) = (0, None);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let run = rest.len() - rest.trim_start_matches(c).len();
        let kind = DELIMITERS.iter().position(|delimiter| delimiter.starts_with(c) && delimiter.len() == run);
        if let (Some(kind), false) = (kind, before == Some('\\')) {
            let here = (at, at + run);
            let is_space = |c: Option<char>| c.is_none_or(char::is_whitespace);
            match open[kind].take_if(|_| !is_space(before)) {
                Some(opened) => gone.extend([opened, here]),
                None if !is_space(rest[run..].chars().next()) => open[kind] = Some(here),
                None => {}
            }
            before = Some(c);
            at += run;
            continue;
        }
        // A paragraph ends, and with it what was begun.
        if c == '\n' && rest[1..].trim_start_matches([' ', '\t', '\r']).starts_with('\n') {
            open = Default::default();
        }
        // A run of another length is text; so is a backslash that is escaped.
        let step = if matches!(c, '*' | '~' | '`') { run } else { c.len_utf8() };
        before = if c == '\\' && before == Some('\\') { None } else { Some(c) };
        at += step;
    }
    if gone.is_empty() {
        return Cow::Borrowed(text);
    }
    gone.sort_unstable();
    let (mut out, mut copied) = (String::with_capacity(text.len()), 0);
    for (start, end) in gone {
        out.push_str(&text[copied..start]);
        copied = end;
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pairs_go_and_all_else_stays() {
        for (text, expected) in [
            ("fol**low**ers", "followers"),
            ("*fol*low***ers***", "followers"),
            ("**buy** ~~fol~~low`er`s", "buy followers"),
            ("f**k this", "f**k this"),
            ("5 * 3 * 2", "5 * 3 * 2"),
            ("* one\n* two", "* one\n* two"),
            (r"fol\*low\*ers", r"fol\*low\*ers"),
            ("a*b\n\nc*d", "a*b\n\nc*d"),
            ("~ ~~~ `` ****", "~ ~~~ `` ****"),
            ("snake_case_here", "snake_case_here"),
        ] {
            assert_eq!(without_emphasis(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_else_goes(text in "[a-c*~` \n\\\\\u{E9}]{0,40}") {
            let letters = |text: &str| text.chars().filter(|c| !matches!(c, '*' | '~' | '`')).collect::<String>();
            prop_assert_eq!(letters(&without_emphasis(&text)), letters(&text));
        }
    }
}
