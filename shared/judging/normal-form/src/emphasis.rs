use std::borrow::Cow;

use crate::properties::is_word;

/// What Markdown's emphasis and strike-through are made of, the longest first; inline code; and Discord's spoiler.
const DELIMITERS: [&str; 9] = ["***", "**", "*", "___", "__", "_", "~~", "`", "||"];
/// The ends of Reddit's spoiler (`>!word!<`), also as its API escapes them.
const SPOILER_BEGINS: [&str; 2] = [">!", "&gt;!"];
const SPOILER_ENDS: [&str; 2] = ["!<", "!&lt;"];

/// The text without the marks of Markdown's emphasis (`fol**low**ers`, `_buy_ now`) and of spoilers: each pair of them goes, as a
/// page shows it.
///
/// A mark opens before what is no white space, and closes after what is none, in the same paragraph; one without its other half
/// stays. `_` does so only at the ends of words: `snake_case` has none. That is
/// [CommonMark](https://spec.commonmark.org/0.31.2/#emphasis-and-strong-emphasis) but for its rules about punctuation and
/// nesting, which tell apart what is shown bold, and hide no letter.
pub fn without_emphasis(text: &str) -> Cow<'_, str> {
    let is_mark = |c: char| matches!(c, '*' | '_' | '~' | '`' | '|');
    if !text.contains(is_mark) && !SPOILER_ENDS.iter().any(|end| text.contains(end)) {
        return Cow::Borrowed(text);
    }
    let mut gone: Vec<(usize, usize)> = Vec::new();
    let mut open: [Option<(usize, usize)>; DELIMITERS.len()] = Default::default();
    let mut spoiler: Option<(usize, usize)> = None;
    let (mut at, mut before) = (0, None);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let is_escaped = before == Some('\\');
        // Only a mark's run is counted: another's would be counted again at each of its characters.
        let run = if is_mark(c) { rest.len() - rest.trim_start_matches(c).len() } else { c.len_utf8() };
        let kind = DELIMITERS.iter().position(|delimiter| delimiter.starts_with(c) && delimiter.len() == run);
        if let (Some(kind), false) = (kind, is_escaped) {
            let here = (at, at + run);
            let after = rest[run..].chars().next();
            let may_adjoin = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace());
            let is_inside = |outside: Option<char>| c == '_' && outside.is_some_and(is_word);
            match open[kind].take_if(|_| may_adjoin(before) && !is_inside(after)) {
                Some(opened) => gone.extend([opened, here]),
                None if may_adjoin(after) && !is_inside(before) => open[kind] = Some(here),
                None => {}
            }
            before = Some(c);
            at += run;
            continue;
        }
        let length_of = |marks: [&str; 2]| marks.iter().find(|mark| rest.starts_with(**mark)).map(|mark| mark.len());
        if let (Some(length), false) = (length_of(SPOILER_BEGINS), is_escaped) {
            spoiler = Some((at, at + length));
            (before, at) = (Some('!'), at + length);
            continue;
        }
        if let (Some(length), Some(opened), false) = (length_of(SPOILER_ENDS), spoiler, is_escaped) {
            spoiler = None;
            gone.extend([opened, (at, at + length)]);
            (before, at) = (Some('<'), at + length);
            continue;
        }
        // A paragraph ends, and with it what was begun.
        if c == '\n' && rest[1..].trim_start_matches([' ', '\t', '\r']).starts_with('\n') {
            open = Default::default();
            spoiler = None;
        }
        // A run of another length is text; so is a backslash that is escaped.
        before = if c == '\\' && is_escaped { None } else { Some(c) };
        at += run;
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
            ("_buy_ now, __buy__ ___now___", "buy now, buy now"),
            ("(_buy_) **_now_**!", "(buy) now!"),
            ("_snake_case_ __init__.py", "snake_case init.py"),
            ("cheap_meds _ and_ __x a_b_c", "cheap_meds _ and_ __x a_b_c"),
            ("_\u{E9}_t\u{E9}_ d_'_e", "\u{E9}_t\u{E9} d_'_e"),
            (r"cheap\_meds \_buy\_", r"cheap\_meds \_buy\_"),
            ("a_b\n\n_c\n\nd_", "a_b\n\n_c\n\nd_"),
            (">!buy!< now >!*fol*!<lowers", "buy now followers"),
            ("&gt;!buy!&lt; ||now|| a || b", "buy now a || b"),
            (r"\>!a!< b!<", r"\>!a!< b!<"),
            (">!b\n\nc!<", ">!b\n\nc!<"),
        ] {
            assert_eq!(without_emphasis(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_read_once() {
        // It takes a second, and minutes where a run is counted at each of its characters.
        let began = std::time::Instant::now();
        for part in ["a", "*", "_", "a_", "_a", "||", ">!", "\n "] {
            let text = format!("*b* {}", part.repeat(300_000 / part.len()));
            assert!(matches!(without_emphasis(&text), Cow::Owned(_)), "{part:?}");
        }
        assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
    }

    proptest! {
        #[test]
        fn nothing_else_goes(text in "[a-c*~`_|<>! \n\\\\\u{E9}]{0,40}") {
            let letters = |text: &str| text.chars().filter(|c| !"*~`_|<>!".contains(*c)).collect::<String>();
            prop_assert_eq!(letters(&without_emphasis(&text)), letters(&text));
        }
    }
}
