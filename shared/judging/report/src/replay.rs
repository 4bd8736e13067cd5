//! What another model or policy would have done, as a page.

use maud::{Markup, Render, html};

use crate::Reason;
use crate::html::isolate_direction;
use crate::numbers::{NONE, comments, count, rate};
use crate::sections::{Section, beginning, columns, fact, missing, reason, shell, table};
use crate::stats::Rate;

/// How many characters of a comment are shown.
const MAX_COMMENT_CHARS: usize = 600;

/// Alerts whose verdict is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// How many comments moderators removed: these alerts are right.
    pub removed: usize,
    /// How many comments they kept: these alerts are wrong.
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
    /// How many comments alert.
    pub alerts: usize,
    /// The known verdicts on these.
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
    /// The comment's text.
    pub text: &'a str,
    /// The comment's subreddit.
    pub subreddit: Option<&'a str>,
    /// Whether moderators removed it, where that is known.
    pub removed: Option<bool>,
    /// The score before.
    pub was: Score<'a>,
    /// The score in the replay.
    pub now: Score<'a>,
}

/// Comments that the two sides differ on in one way.
#[derive(Clone, Debug)]
pub struct Difference<'a> {
    /// What a link to it names: letters.
    pub id: &'static str,
    /// The section's heading.
    pub title: &'static str,
    /// What they have in common.
    pub how: &'static str,
    /// How many comments there are.
    pub alerts: usize,
    /// The known verdicts on these.
    pub judged: Judged,
    /// Some of these comments.
    pub examples: Vec<Example<'a>>,
}

/// What a page tells.
#[derive(Clone, Debug)]
pub struct Replay<'a> {
    /// How many comments were replayed.
    pub comments: usize,
    /// The verdicts on these, as far as they are known.
    pub judged: Judged,
    /// What alerted before.
    pub was: Side<'a>,
    /// What alerts in the replay.
    pub now: Side<'a>,
    /// The ways in which the two sides differ.
    pub differences: Vec<Difference<'a>>,
}

impl Replay<'_> {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let header = html! {
            h1 { "What would have been" }
            dl {
                (fact("Comments", count(self.comments)))
                (fact("Alerts before", count(self.was.alerts)))
                (fact("Alerts in the replay", count(self.now.alerts)))
            }
        };
        let mut sections = vec![self.overview()];
        sections.extend(self.differences.iter().map(Difference::section));
        shell("Replay", &header, &sections)
    }

    fn overview(&self) -> Section {
        let side = |name: &str, side: &Side<'_>| {
            let caught = Rate { part: side.judged.removed, of: self.judged.removed };
            let name = html! { (name) small { (isolate_direction(side.name)) ", " code { (side.condition) } } };
            vec![name, count(side.alerts).render(), rate(side.judged.rate()), rate(caught)]
        };
        let difference = |one: &Difference<'_>| {
            vec![one.title.render(), count(one.alerts).render(), rate(one.judged.rate()), NONE.render()]
        };
        let rows = [side("Before", &self.was), side("Replay", &self.now)];
        let known = self.judged.removed + self.judged.kept;
        Section {
            id: "overview",
            title: "Overview",
            how: html! {
                "Precision is the share of alerts whose comment moderators removed, recall the share of removed comments that \
                 alert, with 95\u{a0}% intervals; the verdict is known for " (comments(known)) "."
            },
            content: table(
                &columns(["", "Alerts", "Precision", "Recall"]),
                rows.into_iter().chain(self.differences.iter().map(difference)),
            ),
        }
    }
}

impl Difference<'_> {
    fn section(&self) -> Section {
        let shown = self.examples.len();
        let how_many =
            if shown < self.alerts { format!("{shown} of {}", count(self.alerts)) } else { comments(self.alerts) };
        Section {
            id: self.id,
            title: self.title,
            how: html! {
                (self.how) " " (how_many) "."
                @if shown > 0 { " Open a line to read the comment; some are unpleasant." }
            },
            content: html! {
                @if shown == 0 { (missing("There are none.")) }
                @for example in &self.examples { (example) }
            },
        }
    }
}

impl Render for Example<'_> {
    fn render(&self) -> Markup {
        html! {
            details {
                summary {
                    b { (self.was.number()) } " \u{2192} " b { (self.now.number()) }
                    @match self.removed {
                        Some(true) => { " " b.removed { "removed" } }
                        Some(false) => { " " b.kept { "kept" } }
                        None => {}
                    }
                    @if let Some(name) = self.subreddit { " " small { "r/" (isolate_direction(name)) } }
                }
                (beginning(self.text, MAX_COMMENT_CHARS))
                (self.was.why("Before"))
                (self.now.why("Replay"))
            }
        }
    }
}

impl Score<'_> {
    fn number(&self) -> Markup {
        html! {
            @match self.probability {
                Some(probability) => (format!("{probability:.3}")),
                None => (NONE)
            }
            @if let Some(severity) = self.severity { " " (severity) }
        }
    }

    fn why(&self, name: &str) -> Markup {
        html! {
            @if !self.reasons.is_empty() {
                p.how { (name) ":" @for why in &self.reasons { " " (reason(why)) } }
            }
        }
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
        let won = Difference { id: "won", title: "Won", how: "New alerts:", alerts: 2, judged, examples };
        let none = Difference {
            id: "lost",
            title: "Lost",
            how: "Gone:",
            alerts: 0,
            judged: Judged::default(),
            examples: Vec::new(),
        };
        Replay { comments: 9, judged, was: side("one"), now: side("<other>"), differences: vec![won, none] }.html()
    }

    #[test]
    fn a_page_shows_both_sides_and_some_of_each_difference() {
        let page = page("Is it so?");
        for part in [
            "75.0\u{a0}%",
            "<b>\u{2013} high</b> \u{2192} <b>0.910 high</b>",
            "1 of 2",
            "There are none.",
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
