use modstream_events::{Action, Alert, Event, GET_HELP, NotJudged, Outside, SelfHarm, Severity, Term};
use modstream_ledger::digests::Digest;
use modstream_ledger::{AlertKey, Withholding};
use modstream_platform::MAX_SUBJECT_CHARS;

use plain_text::{agree, counted};

use super::plain::{cut, one_line, wrap};
use super::{Rendering, SHOWN};

/// How many characters a line has, but for links: those must stay whole.
const MAX_LINE_CHARS: usize = 72;
/// How many characters of a comment are shown: enough to see whether one must read it all.
const MAX_COMMENT_CHARS: usize = 280;
/// How many characters of a subreddit's name are shown; Reddit's are at most 21 characters long.
const MAX_NAME_CHARS: usize = 40;
/// How many characters of a term, or an always-alert term, are shown.
const MAX_TERM_CHARS: usize = 40;
/// How many terms say why.
const MAX_TERMS: usize = 4;
/// How many reasons for holding alerts back are told apart.
const MAX_REASONS: usize = 5;
/// What stands before each line of a comment, so that none of them looks like a line of ours.
const QUOTE: &str = "   | ";
/// What stands before the other lines of an alert.
const INDENT: &str = "   ";
/// What stands before the lines that go on with one of these.
const DEEP_INDENT: &str = "     ";

/// The subject: ASCII in one line, as SNS wants it.
pub(super) fn subject(digest: &Digest) -> String {
    let (start, end) = (digest.start.strftime("%H:%M"), digest.end.strftime("%H:%M"));
    let text = format!("{}: {} ({start}-{end} UTC)", name(digest), counts(digest));
    text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).take(MAX_SUBJECT_CHARS).collect()
}

fn name(digest: &Digest) -> String {
    let name = digest.subreddit.as_deref().map(|name| cut(&one_line(name), MAX_NAME_CHARS));
    name.filter(|name| !name.is_empty()).map_or_else(|| "no subreddit".to_owned(), |name| format!("r/{name}"))
}

fn counts(digest: &Digest) -> String {
    match (digest.published(), digest.withheld()) {
        (published, 0) => counted(published, "alert"),
        (0, held_back) => format!("{} held back", counted(held_back, "alert")),
        (published, held_back) => format!("{}, {held_back} more held back", counted(published, "alert")),
    }
}

pub(super) fn body(rendering: &Rendering<'_>) -> String {
    let Rendering { digest, shown, .. } = rendering;
    let mut text = String::new();
    let (start, end) = (digest.start.strftime("%-d %B %Y, %H:%M"), digest.end.strftime("%H:%M"));
    paragraph(&mut text, &format!("{}, {start} to {end} UTC", name(digest)));
    paragraph(&mut text, &counts(digest));
    if digest.count > SHOWN {
        text.push('\n');
        paragraph(&mut text, "The ten strongest:");
    }
    for (number, (covered, event)) in digest.alerts.iter().zip(*shown).enumerate() {
        text.push('\n');
        alert(&mut text, rendering, number + 1, covered, event.as_ref());
    }
    let mut after = String::new();
    rest(&mut after, rendering);
    for part in [after.as_str(), FOOTER].into_iter().filter(|part| !part.is_empty()) {
        text.push('\n');
        text += part;
    }
    text
}

const FOOTER: &str = "\
You get this email because you are subscribed to modstream's digests. To
unsubscribe, use the link that Amazon SNS adds below. Whoever runs
modstream here can change which subreddits and severities you get
(`modstream subscribe`), and what alerts, how often and at what hours
(`modstream policy`).
";

fn paragraph(to: &mut String, text: &str) {
    wrap(to, text, "", "", MAX_LINE_CHARS);
}

/// Adds a link. It keeps to one line, however long it is.
fn link(to: &mut String, name: &str, link: &str) {
    *to += &format!("{INDENT}{name} {link}\n");
}

fn alert(
    to: &mut String,
    rendering: &Rendering<'_>,
    number: usize,
    covered: &AlertKey,
    event: Option<&Event<'_, Alert<'_>>>,
) {
    let Some(Event { data: alert, time: made, .. }) = event else {
        return paragraph(to, &format!("{number}. (The ledger holds nothing about this alert that can be shown.)"));
    };
    let severity = match alert.severity {
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
    };
    paragraph(to, &format!("{number}. {severity}, {}", said(alert)));
    if let Some(SelfHarm { phrase, contacts }) = &alert.self_harm {
        let phrase = cut(&one_line(phrase), MAX_TERM_CHARS);
        wrap(to, &format!("contains \"{phrase}\". {GET_HELP}"), INDENT, INDENT, MAX_LINE_CHARS);
        for contact in contacts {
            wrap(to, &format!("- {}", one_line(contact)), INDENT, DEEP_INDENT, MAX_LINE_CHARS);
        }
    }
    if let Some(dated) = alert.dated(*made) {
        wrap(to, &dated.strftime("dated %-d %B %Y, %H:%M UTC").to_string(), INDENT, DEEP_INDENT, MAX_LINE_CHARS);
    }
    let body = cut(&one_line(alert.comment.body.as_deref().unwrap_or_default()), MAX_COMMENT_CHARS);
    let body = if body.is_empty() { "(no text)" } else { &body };
    wrap(to, body, QUOTE, QUOTE, MAX_LINE_CHARS);
    if let Some(term) = &alert.matched {
        let text = format!("contains \"{}\", which always alerts here", cut(&one_line(term), MAX_TERM_CHARS));
        wrap(to, &text, INDENT, DEEP_INDENT, MAX_LINE_CHARS);
    }
    for (what, terms) in reasons(alert) {
        if let Some(why) = why(terms) {
            wrap(to, &format!("{what}because of {why}"), INDENT, DEEP_INDENT, MAX_LINE_CHARS);
        }
    }
    if let Some(permalink) = alert.comment.permalink.as_deref().and_then(|path| absolute(path, rendering.forum)) {
        link(to, "comment:", &permalink);
    }
    let mut actions = [("remove: ", Action::Remove), ("keep:   ", Action::Keep)];
    if alert.self_harm.is_some() {
        // Nobody in need is removed first.
        actions.reverse();
    }
    for (name, action) in actions {
        if let Some(page) = page(rendering, covered, alert, action) {
            link(to, name, &page);
        }
    }
}

/// The page that takes an action: where none is known here, the one that the alert itself names.
fn page(rendering: &Rendering<'_>, covered: &AlertKey, alert: &Alert<'_>, action: Action) -> Option<String> {
    let own = || {
        let links = alert.links.as_ref()?;
        match action {
            Action::Remove => Some(links.remove.to_string()),
            Action::Keep => Some(links.keep.to_string()),
            Action::Undo => None,
        }
    };
    rendering.links.alert(covered, action).or_else(own)
}

/// What models say of a comment, in a few words.
fn said(alert: &Alert<'_>) -> String {
    let mut said = alert.said();
    if alert.self_harm.is_some() {
        said.insert(0, "somebody may harm themselves".to_owned());
    }
    if said.is_empty() {
        return match alert.not_judged.map(NotJudged::in_words).or(alert.support.map(Outside::in_words)) {
            Some(why) => format!("not judged: {why}"),
            None => format!("{} likely to be removed", percent(alert.probability)),
        };
    }
    one_line(&said.join(", "))
}

/// The terms that explain an alert, each list with what it explains: those of labels that alert, and those of a removal where the
/// community would likely remove it, or no label alerts. Of somebody in need no word says why, nor do the terms of a guess that
/// made no alert.
fn reasons<'a>(alert: &'a Alert<'_>) -> Vec<(String, &'a [Term<'a>])> {
    let name = |label: &str| cut(&one_line(&label.replace('_', " ")), MAX_TERM_CHARS);
    let is_met = |label: &str| alert.meets.as_ref().is_some_and(|meets| meets.labels.iter().any(|met| met == label));
    let labels = alert.labels.iter().flatten().filter(|label| is_met(&label.label));
    let mut all: Vec<(String, &[Term<'_>])> =
        labels.map(|label| (format!("for {}, ", name(&label.label)), &*label.terms)).collect();
    let is_first = all.is_empty();
    if alert.self_harm.is_none() && (is_first && !alert.is_beside_a_guess() || alert.meets_removal()) {
        all.push((if is_first { String::new() } else { "for a removal, ".to_owned() }, &alert.terms));
    }
    all
}

/// A probability in whole percent, never quite certain, as nothing is.
fn percent(probability: f64) -> String {
    format!("{:.0} %", (probability * 100.0).clamp(1.0, 99.0))
}

/// The terms that speak for it: words in quotation marks, then the text's form.
fn why(terms: &[Term<'_>]) -> Option<String> {
    let (forms, words): (Vec<_>, Vec<_>) =
        terms.iter().filter(|term| term.contribution > 0.0).partition(|term| term.form().is_some());
    let quoted = |term: &&Term<'_>| format!("\"{}\"", cut(&one_line(&term.term), MAX_TERM_CHARS));
    let words: Vec<String> = words.iter().take(MAX_TERMS).map(quoted).collect();
    let form = forms.first().map(|form| one_line(&form.in_words()));
    match (words.is_empty(), form) {
        (true, form) => form.map(|form| format!("no single word; {form}")),
        (false, None) => Some(words.join(", ")),
        (false, Some(form)) => Some(format!("{}; {form}", words.join(", "))),
    }
}

/// A permalink as a whole address; none for what could be read as more than one link.
fn absolute(permalink: &str, forum: &str) -> Option<String> {
    if permalink.contains(char::is_whitespace) || one_line(permalink) != permalink {
        return None;
    }
    if permalink.starts_with('/') && !permalink.starts_with("//") {
        return Some(format!("{forum}{permalink}"));
    }
    permalink.starts_with("https://").then(|| permalink.to_owned())
}

/// Adds what is not shown one by one.
fn rest(to: &mut String, rendering: &Rendering<'_>) {
    let Rendering { digest, shown, .. } = rendering;
    match digest.count - shown.len().min(digest.count) {
        0 => {}
        more => paragraph(to, &format!("{} {} not shown here.", counted(more, "more alert"), agree(more, "is", "are"))),
    }
    let of = if digest.published() > 0 { format!(" of the {}", digest.count) } else { String::new() };
    let was = |count: usize| agree(count, "was", "were");
    let mut reasons = digest.withheld.clone();
    reasons.sort_by_key(|withheld| std::cmp::Reverse(withheld.count));
    for withheld in reasons.iter().take(MAX_REASONS) {
        let (count, detail) = (withheld.count, one_line(&withheld.detail));
        let detail = detail.trim_end_matches('.');
        let why = if detail.is_empty() { reason(withheld.reason) } else { detail };
        paragraph(to, &format!("{count}{of} {} held back: {why}.", was(count)));
    }
    match reasons.iter().skip(MAX_REASONS).map(|withheld| withheld.count).sum() {
        0 => {}
        count => paragraph(to, &format!("{count}{of} {} held back for other reasons.", was(count))),
    }
    if digest.withheld.iter().any(|withheld| withheld.reason == Withholding::Breaker) {
        paragraph(to, "To close the breaker before its time, run `modstream breaker close`.");
    }
    if let Some(late) = digest.late {
        let is_today = late.oldest.strftime("%F").to_string() == digest.start.strftime("%F").to_string();
        let oldest = late.oldest.strftime(if is_today { "%H:%M" } else { "%-d %B, %H:%M" });
        paragraph(to, &format!("{} came late (the oldest is from {oldest}).", late.count));
    }
    match digest.from_quiet_hours {
        0 => {}
        count => paragraph(to, &format!("{count} waited for the end of the quiet hours.")),
    }
    match digest.exploration_count {
        0 => {}
        count => {
            let comments = counted(count, "more comment");
            paragraph(to, &format!("{comments} {} picked at random, to learn what the policy misses.", was(count)));
        }
    }
    if let Some(page) = rendering.page() {
        *to += &format!("See them all: {page}\n");
    }
}

/// Why alerts are held back, where the ledger has no sentence about it.
fn reason(reason: Withholding) -> &'static str {
    match reason {
        Withholding::Budget => "the hour's budget is spent",
        Withholding::Breaker => "too many came at once, and the breaker is open",
        Withholding::QuietHours => "they came in quiet hours",
        Withholding::Channel => "the policy asks for digests only",
        Withholding::Exploration => "they meet no policy",
        Withholding::Superseded => "their comments were edited",
    }
}
