//! Whether a command prints what a document shows, and what to write where it doesn't.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// A line that stands for any number of lines.
const ELISION: &str = "...";

/// What differs from run to run, and what it is read as. All else has to be the same, versions of models included.
static VARYING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let varying = [
        // How long something took, and how much was done in that time.
        (r"\b\d+(\.\d+)? ms\b", "<time>"),
        (r"\b\d+(\.\d+)? s, \d+ a second\b", "<time>, <rate>"),
        (r"\b\d+(\.\d+)? s\b", "<time>"),
        (r#""(seconds|p50|p99)":\d+(\.\d+)?(e-?\d+)?"#, r#""$1":<time>"#),
        // When an alert was made, at the start of its line.
        (r"^\d\d:\d\d:\d\d  ", "<time>  "),
        // Links to a desk on this machine.
        (r"http://127\.0\.0\.1:\d+/(\w)/\S+", "http://127.0.0.1:<port>/$1/<link>"),
    ];
    // The expressions are ours, and every test reads them.
    varying.into_iter().filter_map(|(from, to)| Some((Regex::new(from).ok()?, to))).collect()
});

/// A line without what differs from run to run.
fn normal(line: &str) -> Cow<'_, str> {
    let mut line = Cow::Borrowed(line.trim_end());
    for (varying, name) in VARYING.iter() {
        if let Cow::Owned(new) = varying.replace_all(&line, *name) {
            line = Cow::Owned(new);
        }
    }
    line
}

fn same(one: &str, other: &str) -> bool {
    one.trim_end() == other.trim_end() || normal(one) == normal(other)
}

fn is_elision(line: &str) -> bool {
    line.trim() == ELISION
}

/// Lines without the empty ones at their end.
fn trimmed<T: AsRef<str>>(lines: &[T]) -> &[T] {
    let end = lines.iter().rposition(|line| !line.as_ref().trim().is_empty()).map_or(0, |last| last + 1);
    &lines[..end]
}

/// Whether the lines that a document shows are those that were printed. An elision stands for any number of lines.
pub(crate) fn agrees<T: AsRef<str>>(shown: &[T], printed: &[&str]) -> bool {
    let (shown, mut printed) = (trimmed(shown), trimmed(printed));
    let mut parts = shown.split(|line| is_elision(line.as_ref())).peekable();
    let starts_with = |lines: &[&str], part: &[T]| {
        lines.len() >= part.len() && part.iter().zip(lines).all(|(shown, line)| same(shown.as_ref(), line))
    };
    let mut is_first = true;
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let at = match (is_first, is_last) {
            (true, true) if printed.len() != part.len() => return false,
            (true, _) => 0,
            (false, true) if printed.len() < part.len() => return false,
            (false, true) => printed.len() - part.len(),
            (false, false) => match (0..=printed.len()).find(|&at| starts_with(&printed[at..], part)) {
                Some(at) => at,
                None => return false,
            },
        };
        if !starts_with(&printed[at..], part) {
            return false;
        }
        printed = &printed[at + part.len()..];
        is_first = false;
    }
    true
}

/// What a document should show in place of what it shows. Around an elision stand as many lines as before; those between two
/// begin at the line that they began with. A line that only varies stays as it is. None where such a line is gone.
pub(crate) fn corrected<T: AsRef<str>>(shown: &[T], printed: &[&str]) -> Option<Vec<String>> {
    let (shown, printed) = (trimmed(shown), trimmed(printed));
    let kept = |line: &&str| {
        let twin = shown.iter().map(T::as_ref).find(|shown| same(shown, line));
        twin.unwrap_or(line).trim_end().to_owned()
    };
    let parts: Vec<&[T]> = shown.split(|line| is_elision(line.as_ref())).collect();
    let elisions: Vec<&str> = shown.iter().map(T::as_ref).filter(|line| is_elision(line)).collect();
    let shown_lines: usize = parts.iter().map(|part| part.len()).sum();
    if parts.len() == 1 || shown_lines > printed.len() {
        return Some(printed.iter().map(kept).collect());
    }
    let mut lines = Vec::new();
    let mut next = 0;
    for (number, part) in parts.iter().enumerate() {
        let at = match part.first() {
            _ if number == 0 => 0,
            _ if number == parts.len() - 1 => printed.len() - part.len(),
            Some(first) => next + printed[next..].iter().position(|line| same(first.as_ref(), line))?,
            None => next,
        };
        let end = at + part.len();
        if at < next || end > printed.len() {
            return None;
        }
        lines.extend(printed[at..end].iter().map(kept));
        lines.extend(elisions.get(number).map(|elision| (*elision).to_owned()));
        next = end;
    }
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_may_differ_and_nothing_else() {
        let agrees = |shown: &str, printed: &str| agrees(&[shown], &[printed]);
        assert!(agrees("     60 comments in 3.0 s, 20 a second", "     60 comments in 13 s, 5 a second"));
        assert!(agrees("p50 0.2 ms, p99 0.2 ms", "p50 12.25 ms, p99 1 ms"));
        assert!(agrees(r#"{"p50":9.94,"p99":1e-5,"seconds":2}"#, r#"{"p50":1,"p99":16.82,"seconds":0.1}"#));
        assert!(agrees("http://127.0.0.1:8055/s/AwHIq9...", "http://127.0.0.1:4100/s/Bx81_-z"));
        assert!(!agrees("http://127.0.0.1:8055/s/AwHIq9...", "http://127.0.0.1:4100/a/Bx81_-z"));
        assert!(agrees("17:41:59  r/science  0.82", "09:00:01  r/science  0.82"));
        assert!(!agrees("at 17:41:59  r/science", "at 09:00:01  r/science"));
        assert!(!agrees("8 alerts in 3 s", "9 alerts in 3 s"));
        assert!(!agrees("version 3abd6c3d8c87", "version 3abd6c3d8c88"));
        assert!(!agrees(r#"{"alerts":82}"#, r#"{"alerts":83}"#));
    }

    #[test]
    fn white_space_at_an_end_is_nothing() {
        assert!(agrees(&["a  ", "b"], &["a", "b  ", "", ""]));
        assert!(!agrees(&["a", "b"], &["a", "", "b"]));
    }

    #[test]
    fn an_elision_stands_for_lines_and_what_stands_around_it_must_be_there_in_order() {
        assert!(agrees(&["a", "...", "d"], &["a", "b", "c", "d"]));
        assert!(agrees(&["a", "  ...", "d"], &["a", "d"]));
        assert!(agrees(&["...", "b", "...", "d", "..."], &["a", "b", "c", "d", "e"]));
        assert!(agrees(&["a", "..."], &["a"]));
        assert!(!agrees(&["a", "...", "d"], &["a", "b", "c"]));
        assert!(!agrees(&["...", "d", "...", "b", "..."], &["a", "b", "c", "d"]));
        assert!(!agrees(&["a", "...", "a"], &["a"]));
        assert!(!agrees(&["..."; 0], &["a"]));
    }

    #[test]
    fn a_correction_keeps_elisions_and_what_only_varies() {
        let corrected = |shown: &[&str], printed: &[&str]| corrected(shown, printed).map(|lines| lines.join("|"));
        assert_eq!(
            corrected(&["in 3 s", "8 alerts"], &["in 4 s", "9 alerts", "new"]).as_deref(),
            Some("in 3 s|9 alerts|new")
        );
        assert_eq!(corrected(&["a", "...", "d"], &["A", "b", "c", "D"]).as_deref(), Some("A|...|D"));
        assert_eq!(corrected(&["a", "...", "d"], &["A"]).as_deref(), Some("A"));
        assert_eq!(
            corrected(&["a", "...", "m", "n", "..."], &["A", "b", "m", "N", "z"]).as_deref(),
            Some("A|...|m|N|...")
        );
        assert_eq!(corrected(&["a", "...", "m", "...", "c"], &["A", "b", "z"]), None);
    }
}
