use jiff::Timestamp;
use modstream_ledger::digests::Digest;
use modstream_report::escape::{escape, foreign};

use super::shell;
use super::words::{ago, body, decided, percent, severity, terms};
use crate::load::{Entry, OF_A_DIGEST};

/// How many characters of a comment.
const SOME: usize = 280;

/// The alerts of a digest.
pub(crate) struct DigestPage<'a> {
    pub(crate) digest: &'a Digest,
    pub(crate) entries: &'a [Entry],
    /// Where an alert's page is.
    pub(crate) link: &'a dyn Fn(&Entry) -> Option<String>,
    pub(crate) now: Timestamp,
}

impl DigestPage<'_> {
    pub(crate) fn html(&self) -> String {
        let Digest { subreddit, start, end, .. } = self.digest;
        let place = subreddit
            .as_deref()
            .map_or_else(|| "comments without a subreddit".to_owned(), |name| format!("r/{}", foreign(name)));
        let open = self.entries.iter().filter(|entry| entry.log.standing().decided().is_none()).count();
        let state = match open {
            0 => "All that are shown are decided.".to_owned(),
            open => format!("{open} undecided. Open one to decide."),
        };
        let more = match self.digest.alerts.len().saturating_sub(OF_A_DIGEST) {
            0 => String::new(),
            more => format!(" The strongest {OF_A_DIGEST} are shown; {more} more wait at the desk."),
        };
        let items: String = self.entries.iter().map(|entry| self.item(entry)).collect();
        let content = format!(
            "<main><p class=\"meta\"><span>{} to {}</span></p>\n<h1>{} in {place}</h1>\n<p class=\"quiet\">{state}{more}</p>\n<ol class=\"items\">{items}</ol></main>",
            start.strftime("%-d %B, %H:%M"),
            end.strftime("%H:%M UTC"),
            counted(self.digest.alerts.len()),
        );
        shell("Digest", "narrow", &content)
    }

    fn item(&self, entry: &Entry) -> String {
        let Some(event) = entry.event() else { return String::new() };
        let alert = &event.data;
        let standing = entry.log.standing().decided().map_or_else(
            || "<span>undecided</span>".to_owned(),
            |decision| format!("<span>{}</span>", decided(decision, self.now)),
        );
        let open = (self.link)(entry)
            .map_or_else(String::new, |link| format!("<p class=\"links\"><a href=\"{}\">Open</a></p>", escape(&link)));
        format!(
            "<li class=\"item\" data-item tabindex=\"-1\"><p class=\"meta\">{} <span>{}</span> {} {standing}</p>{}{}{open}</li>\n",
            severity(alert.severity),
            percent(alert.probability),
            ago(event.time, self.now),
            body(alert, SOME),
            terms(alert, 4),
        )
    }
}

fn counted(number: usize) -> String {
    if number == 1 { "1 alert".to_owned() } else { format!("{number} alerts") }
}
