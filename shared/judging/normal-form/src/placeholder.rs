//! Texts that stand in place of a text that is gone. They give the verdict away, and nobody wrote them.

use crate::fold::fold;

/// The longest placeholder, in characters, brackets included. Reddit's longest has 88, with its link.
const MAX_CHARS: usize = 100;

/// What may be gone: `[comment removed by moderator]`, `[deleted user]`.
const GONE: [&str; 10] =
    ["account", "author", "comment", "content", "message", "post", "reply", "submission", "text", "user"];
/// What may stand beside it before `removed` or `deleted`: `[This post has been deleted]`.
const AUXILIARIES: [&str; 6] = ["been", "has", "is", "the", "this", "was"];
/// By whom. A word beside these is one that somebody wrote: `[removed by my mom]`.
const AGENTS: [&str; 29] = [
    "a",
    "admin",
    "admins",
    "administrator",
    "administrators",
    "an",
    "author",
    "auto",
    "automod",
    "automoderator",
    "bot",
    "its",
    "mod",
    "moderation",
    "moderator",
    "moderators",
    "mods",
    "original",
    "owner",
    "poster",
    "reddit",
    "staff",
    "subreddit",
    "system",
    "team",
    "the",
    "their",
    "user",
    "users",
];
/// What a reason begins with: `[removed due to DMCA]`, `[removed - spam]`.
const LINKS: [&str; 9] = ["-", "as", "at", "because", "due", "for", "in", "on", "per"];
/// Why. Numbers are those of rules.
const REASONS: [&str; 43] = [
    "a",
    "account",
    "an",
    "and",
    "author",
    "breach",
    "breaking",
    "claim",
    "community",
    "content",
    "copyright",
    "dmca",
    "guidelines",
    "holder",
    "infringement",
    "legal",
    "notice",
    "of",
    "our",
    "policies",
    "policy",
    "reddit",
    "reddit's",
    "request",
    "response",
    "rule",
    "rules",
    "service",
    "site",
    "sitewide",
    "spam",
    "spamming",
    "subreddit",
    "takedown",
    "terms",
    "the",
    "this",
    "to",
    "use",
    "user",
    "violating",
    "violation",
    "violations",
];
/// What a text that quotes or emphasises a placeholder wraps it in.
const WRAPPERS: [char; 7] = ['*', '_', '`', '~', '"', '\'', '>'];

/// Tells placeholders from comments.
///
/// A placeholder is short, all of it stands in one pair of brackets, and within them stands `removed` or `deleted`, with or without
/// what was removed before it, and by whom or why behind it, in words that forums use: `[removed by my mom]` is a comment. Case,
/// white space, emphasis, quotation marks and backslashes, which Markdown's editors write before brackets, do not matter:
///
/// `[removed]`, `[ Removed by Reddit ]`, `[deleted by user]`, `\[removed\]`,
/// `[ Removed by Reddit in response to a copyright notice. ]`, `[comment removed by moderator]`.
///
/// So is `[unavailable]`, which Reddit writes for who has blocked the reader. A comment that merely contains one is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholders {
    also: Vec<String>,
    max_chars: usize,
}

impl Default for Placeholders {
    fn default() -> Self {
        Placeholders { also: Vec::new(), max_chars: MAX_CHARS }
    }
}

impl Placeholders {
    /// With more texts, such as those of another language, each of which is a placeholder as a whole.
    pub fn and(also: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let also: Vec<String> = also.into_iter().map(|text| compared(text.as_ref())).collect();
        // White space and backslashes come on top.
        let longest = also.iter().map(|text| 2 * text.chars().count()).max().unwrap_or_default();
        Placeholders { also, max_chars: longest.max(MAX_CHARS) }
    }

    /// The placeholder that a text is, in the form that it is counted under; none where it is a comment.
    pub fn form(&self, text: &str) -> Option<String> {
        let text = text.trim();
        // Most comments begin with something else, or are longer.
        let may_be =
            !self.also.is_empty() || text.starts_with(|first: char| begins_placeholder(first) || !first.is_ascii());
        if !may_be || text.chars().nth(self.max_chars).is_some() {
            return None;
        }
        let form = compared(text);
        (self.also.contains(&form) || is_placeholder(&form)).then_some(form)
    }
}

fn is_placeholder(form: &str) -> bool {
    let Some(within) = form.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else { return false };
    let within = within.trim().trim_end_matches('.');
    if form.chars().count() > MAX_CHARS || within.contains(['[', ']']) {
        return false;
    }
    if within == "unavailable" {
        return true;
    }
    let within = within.replace([':', ',', '('], " - ").replace(')', " ");
    let mut words = within.split_whitespace().skip_while(|word| GONE.contains(word) || AUXILIARIES.contains(word));
    matches!(words.next(), Some("removed" | "deleted")) && says_who_or_why(&words.collect::<Vec<_>>())
}

/// Whether what stands behind `removed` says nothing but what was removed, by whom or why.
fn says_who_or_why(words: &[&str]) -> bool {
    if let [word] = words {
        return GONE.contains(word);
    }
    // A forum finishes its sentences.
    if words.last().is_some_and(|last| *last == "by" || LINKS.contains(last)) {
        return false;
    }
    let is_number = |word: &str| word.trim_start_matches('#').parse::<u8>().is_ok();
    // Which words may follow is said by the word before them.
    let mut known: &[&str] = &[];
    words.iter().all(|word| {
        match *word {
            "by" => known = &AGENTS,
            word if LINKS.contains(&word) => known = &REASONS,
            word => return known.contains(&word) || (known == REASONS && is_number(word)),
        }
        true
    })
}

/// Whether a text that begins with this may be a placeholder, as it was sent or wrapped.
fn begins_placeholder(first: char) -> bool {
    matches!(first, '[' | '\\' | '&' | '<') || WRAPPERS.contains(&first)
}

/// A text without what makes no other placeholder of it.
fn compared(text: &str) -> String {
    let folded = fold(text).replace('\\', "");
    unwrapped(&without_links(folded.trim()).replace("[ ", "[").replace(" ]", "]")).to_owned()
}

/// What stands in brackets, where nothing but emphasis, quotation marks and a full stop surrounds it; else the text.
fn unwrapped(text: &str) -> &str {
    let wraps = |c: char| c == ' ' || WRAPPERS.contains(&c);
    let within = text.trim_start_matches(wraps).trim_end_matches(|c| c == '.' || wraps(c));
    if within.starts_with('[') && within.ends_with(']') { within } else { text }
}

/// The text of Markdown's links in their place: Reddit's placeholder links its content policy.
fn without_links(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("](") {
        let Some((start, label)) = before.rsplit_once('[') else { break };
        let Some((_, next)) = after.split_once(')') else { break };
        plain.extend([start, label]);
        rest = next;
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_sites_write_in_place_of_a_text_is_a_placeholder() {
        for (text, form) in [
            ("[removed]", "[removed]"),
            (" [Deleted]\n", "[deleted]"),
            ("\\[removed\\]", "[removed]"),
            ("\\\\[deleted\\\\]", "[deleted]"),
            ("[ Removed by Reddit ]", "[removed by reddit]"),
            ("[\u{A0}removed\u{A0}by\treddit ]", "[removed by reddit]"),
            ("[deleted by user]", "[deleted by user]"),
            ("[removed by moderator]", "[removed by moderator]"),
            (
                "[ Removed by Reddit on account of violating the [content policy](/help/contentpolicy). ]",
                "[removed by reddit on account of violating the content policy.]",
            ),
            (
                "[ Removed by Reddit on account of violating the content policy. ]",
                "[removed by reddit on account of violating the content policy.]",
            ),
            (
                "[ Removed by Reddit in response to a copyright notice. ]",
                "[removed by reddit in response to a copyright notice.]",
            ),
            ("[removed due to DMCA]", "[removed due to dmca]"),
            ("[Comment removed by moderator]", "[comment removed by moderator]"),
            ("[This comment has been deleted]", "[this comment has been deleted]"),
            ("[unavailable]", "[unavailable]"),
            ("[removed].", "[removed]"),
            ("[deleted user]", "[deleted user]"),
            ("[user deleted]", "[user deleted]"),
            ("[removed - spam]", "[removed - spam]"),
            ("[removed \u{2014} spam]", "[removed - spam]"),
            ("[removed: spam]", "[removed: spam]"),
            ("[removed (rule 3)]", "[removed (rule 3)]"),
            (
                "[removed by moderators for violating rules #1 and 2]",
                "[removed by moderators for violating rules #1 and 2]",
            ),
            ("[removed by the mod team as spam]", "[removed by the mod team as spam]"),
            ("[deleted at the request of the author]", "[deleted at the request of the author]"),
            ("**[removed]**", "[removed]"),
            ("`[deleted by user]`", "[deleted by user]"),
            ("> [removed]", "[removed]"),
            ("&gt; *[removed]*", "[removed]"),
            ("\u{201C}[removed]\u{201D}", "[removed]"),
            ("\"[removed].\"", "[removed]"),
        ] {
            assert_eq!(Placeholders::default().form(text).unwrap_or_default(), form, "{text}");
        }
    }

    #[test]
    fn comments_that_contain_one_or_are_in_brackets_are_comments() {
        let long = format!("[removed by {}]", "x".repeat(100));
        for text in [
            "",
            "removed",
            "(removed)",
            "why was this [removed]?",
            "[removed] lol",
            "[removed] [deleted]",
            "[removed by a mod] and then [deleted]",
            "[[removed]]",
            "[deleted](https://example.org)",
            "[removed the word not from the title, sorry]",
            "[not removed]",
            "[I was banned]",
            "[deleted by idiots like you, kill yourself]",
            "[removed for telling the truth you nazi scum]",
            "[removed by my mom because I am an idiot lol]",
            "[removed by mods lol]",
            "[removed: you idiot]",
            "[removed - you]",
            "[removed in spam we trust]",
            "[deleted the spam]",
            "[removed for]",
            "[removed by]",
            "[user idiot deleted]",
            "[removed]?",
            "**[removed]** lol",
            "> [removed]\n\nlol",
            "**",
            "> .",
            "[source]",
            "[]",
            "[",
            "\\",
            long.as_str(),
        ] {
            assert_eq!(Placeholders::default().form(text), None, "{text}");
        }
    }

    #[test]
    fn other_languages_are_known_where_they_are_named() {
        let placeholders = Placeholders::and(["[gelöscht]", "Beitrag entfernt"]);
        assert_eq!(placeholders.form(" \\[ GELÖSCHT \\] ").as_deref(), Some("[gelöscht]"));
        assert_eq!(placeholders.form("beitrag  entfernt").as_deref(), Some("beitrag entfernt"));
        assert_eq!(placeholders.form("[removed]").as_deref(), Some("[removed]"));
        assert_eq!(placeholders.form("der Beitrag entfernt"), None);
    }

    proptest! {
        #[test]
        fn neither_case_nor_space_nor_backslashes_matter(
            form in prop::sample::select(vec!["[removed]", "[deleted by user]", "[removed by reddit]"]),
            upper in any::<bool>(),
            space in r"[ \n\t\u{A0}]{0,2}",
            backslash in "\\\\{0,2}",
        ) {
            let written = if upper { form.to_uppercase() } else { form.to_owned() };
            let within = written.trim_matches(['[', ']']);
            let written = format!("{space}{backslash}[{space}{within}{space}{backslash}]{space}");
            prop_assert_eq!(Placeholders::default().form(&written), Some(form.to_owned()));
        }

        #[test]
        fn a_placeholder_within_a_comment_is_no_placeholder(before in "[a-z]{1,5} ?", after in " ?[a-z]{0,5}") {
            prop_assert_eq!(Placeholders::default().form(&format!("{before}[removed]{after}")), None);
        }
    }
}
