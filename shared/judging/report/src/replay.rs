//! What another model or policy would have done, as a page.

use crate::Reason;
use crate::escape::{cut, escape, foreign};
use crate::numbers::{NONE, comments, count, rate, signed};
use crate::sections::{Section, missing, shell, table};
use crate::stats::Rate;

/// How many characters of a comment.
const LONGEST: usize = 600;
/// How many characters of a term.
const LONGEST_TERM: usize = 30;

/// Alerts whose verdict is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// Moderators removed the comment: the alert is right.
    pub removed: usize,
    /// They kept it.
    pub kept: usize,
}

impl Judged {
    /// The share that is right; NaN where no verdict is known.
    pub fn precision(self) -> f64 {
        self.rate().share()
    }

    /// The 95 % interval of that share; none where no verdict is known.
    pub fn interval(self) -> Option<[f64; 2]> {
        self.rate().wilson().map(|interval| [interval.low, interval.high])
    }

    fn rate(self) -> Rate {
        Rate { part: self.removed, of: self.removed + self.kept }
    }
}

/// One of the two that are compared.
#[derive(Clone, Debug)]
pub struct Side<'a> {
    /// What alerted: a model and its version, or what the ledger says.
    pub name: &'a str,
    /// Which comments alert, as a person writes it.
    pub condition: &'a str,
    /// How many do.
    pub alerts: usize,
    /// Of these.
    pub judged: Judged,
}

/// What one side says of a comment.
#[derive(Clone, Debug)]
pub struct Score<'a> {
    /// The probability; none where nobody kept it.
    pub probability: Option<f64>,
    /// The alert's severity; none where there is no alert.
    pub severity: Option<&'a str>,
    /// The strongest reasons.
    pub reasons: Vec<Reason>,
}

/// A comment that the two sides differ on.
#[derive(Clone, Debug)]
pub struct Example<'a> {
    /// The text.
    pub text: &'a str,
    /// The community.
    pub subreddit: Option<&'a str>,
    /// Whether moderators removed it, where that is known.
    pub removed: Option<bool>,
    /// Before.
    pub was: Score<'a>,
    /// In the replay.
    pub now: Score<'a>,
}

/// Comments that the two sides differ on in one way.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// What a link to it names: letters.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What they have in common.
    pub how: &'static str,
    /// How many there are.
    pub alerts: usize,
    /// Of these.
    pub judged: Judged,
    /// Some of them.
    pub examples: Vec<Example<'a>>,
}

/// What a page tells.
#[derive(Clone, Debug)]
pub struct Replay<'a> {
    /// How many comments were replayed.
    pub comments: usize,
    /// Those among them whose verdict is known.
    pub judged: Judged,
    /// Before.
    pub was: Side<'a>,
    /// In the replay.
    pub now: Side<'a>,
    /// In which ways they differ.
    pub groups: Vec<Group<'a>>,
}

impl Replay<'_> {
    /// The page.
    pub fn html(&self) -> String {
        let fact = |name: &str, value: &str| format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n");
        let header = format!(
            "<h1>What would have been</h1>\n<dl>\n{}{}{}</dl>\n",
            fact("Comments", &count(self.comments)),
            fact("Alerts before", &count(self.was.alerts)),
            fact("Alerts in the replay", &count(self.now.alerts)),
        );
        let mut sections = vec![self.overview()];
        sections.extend(self.groups.iter().map(Group::section));
        shell("Replay", &header, &sections)
    }

    fn overview(&self) -> Section {
        let side = |name: &str, side: &Side<'_>| {
            let caught = Rate { part: side.judged.removed, of: self.judged.removed };
            vec![
                format!("{name}<small>{}, <code>{}</code></small>", foreign(side.name), escape(side.condition)),
                count(side.alerts),
                rate(side.judged.rate()),
                rate(caught),
            ]
        };
        let group = |group: &Group<'_>| {
            vec![group.title.to_owned(), count(group.alerts), rate(group.judged.rate()), NONE.to_owned()]
        };
        let rows = [side("Before", &self.was), side("Replay", &self.now)];
        let known = self.judged.removed + self.judged.kept;
        Section {
            id: "overview",
            title: "Overview",
            how: format!(
                "Precision is the share of alerts whose comment moderators removed, recall the share of removed comments \
                 that alert, with 95\u{a0}% intervals; the verdict is known for {}.",
                comments(known)
            ),
            content: table(
                &["", "Alerts", "Precision", "Recall"],
                rows.into_iter().chain(self.groups.iter().map(group)),
            ),
        }
    }
}

impl Group<'_> {
    fn section(&self) -> Section {
        let shown = self.examples.len();
        let how_many =
            if shown < self.alerts { format!("{shown} of {}", count(self.alerts)) } else { comments(self.alerts) };
        let list: String = self.examples.iter().map(Example::html).collect();
        Section {
            id: self.id,
            title: self.title,
            how: format!("{} {how_many}. Open a line to read the comment; some are unpleasant.", self.how),
            content: if shown == 0 { missing("There is none.") } else { list },
        }
    }
}

impl Example<'_> {
    fn html(&self) -> String {
        let verdict = match self.removed {
            Some(true) => " <b class=\"removed\">removed</b>",
            Some(false) => " <b class=\"kept\">kept</b>",
            None => "",
        };
        let subreddit = self.subreddit.map_or_else(String::new, |name| format!(" <small>r/{}</small>", foreign(name)));
        let text = if self.text.trim().is_empty() {
            "<p class=\"missing\">The comment has no text.</p>".to_owned()
        } else {
            format!("<p class=\"comment\">{}</p>", foreign(&cut(self.text, LONGEST)))
        };
        format!(
            "<details>\n<summary><b>{}</b> \u{2192} <b>{}</b>{verdict}{subreddit}</summary>\n{text}\n{}{}</details>\n",
            self.was.number(),
            self.now.number(),
            self.was.why("Before"),
            self.now.why("Replay"),
        )
    }
}

impl Score<'_> {
    fn number(&self) -> String {
        let probability = self.probability.map_or_else(|| NONE.to_owned(), |probability| format!("{probability:.3}"));
        match self.severity {
            Some(severity) => format!("{probability} {}", escape(severity)),
            None => probability,
        }
    }

    fn why(&self, name: &str) -> String {
        if self.reasons.is_empty() {
            return String::new();
        }
        let reason = |reason: &Reason| {
            let class = if reason.contribution > 0.0 { "removed" } else { "kept" };
            let term = foreign(&cut(&reason.term, LONGEST_TERM));
            format!(" {term} <b class=\"{class}\">{}</b>", signed(reason.contribution))
        };
        let reasons: String = self.reasons.iter().map(reason).collect();
        format!("<p class=\"how\">{name}:{reasons}</p>\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> String {
        let judged = Judged { removed: 3, kept: 1 };
        let side = |name| Side { name, condition: "probability>=0.7", alerts: 4, judged };
        let reason = Reason { term: "<b>".to_owned(), contribution: -0.5 };
        let score = |probability| Score { probability, severity: Some("high"), reasons: vec![reason.clone()] };
        let examples = vec![Example {
            text,
            subreddit: Some("science"),
            removed: Some(true),
            was: score(None),
            now: score(Some(0.91)),
        }];
        let won = Group { id: "won", title: "Won", how: "New alerts:", alerts: 2, judged, examples };
        let none = Group {
            id: "lost",
            title: "Lost",
            how: "Gone:",
            alerts: 0,
            judged: Judged::default(),
            examples: Vec::new(),
        };
        Replay { comments: 9, judged, was: side("one"), now: side("<other>"), groups: vec![won, none] }.html()
    }

    #[test]
    fn a_page_shows_both_sides_and_some_of_each_difference() {
        let page = page("Is it so?");
        for part in [
            "75.0\u{a0}%",
            "<b>\u{2013} high</b> \u{2192} <b>0.910 high</b>",
            "1 of 2",
            "There is none.",
            "&lt;other&gt;",
            "r/<bdi dir=\"auto\">science</bdi>",
        ] {
            assert!(page.contains(part), "{part} is missing");
        }
    }

    #[test]
    fn no_comment_changes_the_page() {
        let page = page("</p><script>alert(1)</script>");
        assert!(!page.contains("<script") && !page.contains("<b></b>"));
    }

    #[test]
    fn without_verdicts_there_is_no_precision() {
        let none = Judged::default();
        assert!(none.precision().is_nan() && none.interval().is_none());
    }
}
