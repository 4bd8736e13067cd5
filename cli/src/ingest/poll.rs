//! Discourse and Lemmy: their newest comments are asked for again and again, and looked through for edits and deletions.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use modstream_sources::{NoPage, Origin, Post, Told as Marks, discourse, lemmy};
use url::Url;

use super::dial::{DialError, Dialer};
use super::feed::{Ended, Feed, Stopped, Told};
use super::http::{Answer, AskError, Asked, Refusal, ask};
use super::run::wait_after;
use super::state::Cursor;

/// How many pages a round has at most. What lies behind them is a gap.
const MAX_PAGES: u64 = 40;
/// How long the forum is left alone between two of a round's requests.
const PAUSE: Duration = Duration::from_millis(500);
/// How many comments of a Lemmy's page; a Discourse says how many itself.
const PAGE_LENGTH: usize = 50;
/// How far back a Discourse looks for the posts of a page, by their numbers.
const DISCOURSE_REACH: u64 = 49;
/// How many comments that are missing are asked for in a round: many may go at once.
const MAX_CHECKS: usize = 20;

/// Which API it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    Discourse,
    Lemmy,
}

impl Api {
    pub(super) fn name(self) -> &'static str {
        match self {
            Api::Discourse => "discourse",
            Api::Lemmy => "lemmy",
        }
    }

    fn page(self, text: &str, origin: &Origin, told: &Marks) -> Result<Vec<Post>, NoPage> {
        match self {
            Api::Discourse => discourse::page(text, origin, told, Timestamp::now()),
            Api::Lemmy => lemmy::page(text, origin, told, Timestamp::now()),
        }
    }

    fn one(self, text: &str, origin: &Origin, told: &Marks) -> Result<Post, NoPage> {
        match self {
            Api::Discourse => discourse::one(text, origin, told, Timestamp::now()),
            Api::Lemmy => lemmy::one(text, origin, told, Timestamp::now()),
        }
    }
}

/// A forum that is asked.
pub(super) struct Forum<'a> {
    pub(super) api: Api,
    pub(super) url: &'a Url,
    pub(super) origin: &'a Origin,
    pub(super) dialer: &'a Dialer,
    /// How long it is left alone between two rounds.
    pub(super) every: Duration,
    /// How many of the newest comments are looked through for edits and deletions.
    pub(super) rescan: usize,
}

/// Why a round was not ended.
enum Unended {
    Ended(Ended),
    /// It may go better later.
    ForNow {
        text: String,
        wait: Option<Duration>,
    },
}

impl From<Stopped> for Unended {
    fn from(stopped: Stopped) -> Self {
        Unended::Ended(stopped.into())
    }
}

impl From<AskError> for Unended {
    fn from(error: AskError) -> Self {
        match &error {
            AskError::Dial(dial) if dial.is_final() => Unended::Ended(Ended::from(DialError::clone(dial))),
            _ => Unended::ForNow { text: error.to_string(), wait: None },
        }
    }
}

impl From<Refusal> for Unended {
    fn from(refusal: Refusal) -> Self {
        if refusal.is_final() {
            return Unended::Ended(refusal.into());
        }
        Unended::ForNow { text: refusal.to_string(), wait: refusal.retry_after }
    }
}

impl From<NoPage> for Unended {
    fn from(error: NoPage) -> Self {
        // So a proxy answers in front of a forum that is being mended.
        Unended::ForNow { text: error.to_string(), wait: None }
    }
}

/// Asks for as long as what comes is taken.
pub(super) async fn read(feed: Feed, forum: Forum<'_>, cursor: Option<Cursor>) -> Result<(), Ended> {
    let mut place = match cursor {
        Some(Cursor::Posts { newest, told }) => Place { newest: Some(newest), told: Marks(told) },
        _ => Place::default(),
    };
    let mut failures = 0;
    loop {
        let wait = match forum.round(&feed, &mut place).await {
            Ok(()) => {
                failures = 0;
                forum.every
            }
            Err(Unended::Ended(ended)) => return Err(ended),
            Err(Unended::ForNow { text, wait }) => {
                let wait = wait.unwrap_or_default().max(wait_after(failures));
                failures += 1;
                let text = format!("{}: {text}; it is asked again in {:.1} s", forum.api.name(), wait.as_secs_f64());
                feed.say(Told::Interrupted(text), None).await?;
                wait
            }
        };
        feed.sleep(wait).await?;
    }
}

/// How far it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Place {
    newest: Option<u64>,
    told: Marks,
}

/// What a round has seen so far.
#[derive(Default)]
struct Seen {
    numbers: BTreeSet<u64>,
    /// The page that is asked for next: its number, and the post that it begins at.
    page: u64,
    before: Option<u64>,
}

impl Forum<'_> {
    /// Looks through the newest comments once, back to those that are known.
    async fn round(&self, feed: &Feed, place: &mut Place) -> Result<(), Unended> {
        let begun = place.clone();
        let mut seen = Seen { page: 1, ..Seen::default() };
        loop {
            let is_last = self.page(feed, place, &mut seen).await?;
            if is_last || self.is_enough(&begun, &seen) {
                break;
            }
            if seen.page > MAX_PAGES {
                self.gap(feed, &begun, &seen).await?;
                break;
            }
            feed.sleep(PAUSE).await?;
        }
        self.missing(feed, place, &begun, &seen).await?;
        place.newest = place.newest.max(seen.numbers.last().copied());
        if let Some(old) = place.told.0.keys().rev().nth(self.rescan + PAGE_LENGTH).copied() {
            place.told.0 = place.told.0.split_off(&(old + 1));
        }
        if *place != begun
            && let Some(newest) = place.newest
        {
            let cursor = Cursor::Posts { newest, told: place.told.0.clone() };
            feed.say(Told::Place, Some(cursor)).await?;
        }
        Ok(())
    }

    /// Whether all that may be new was seen. At first that is the newest page.
    fn is_enough(&self, begun: &Place, seen: &Seen) -> bool {
        let (Some(newest), Some(lowest)) = (begun.newest, seen.numbers.first()) else { return begun.newest.is_none() };
        let has_known = begun.told.0.keys().next().is_some_and(|known| known < lowest);
        *lowest <= newest && (seen.numbers.len() >= self.rescan || !has_known)
    }

    /// Asks for a page, says what is new in it, oldest first, and tells whether it was the last one.
    async fn page(&self, feed: &Feed, place: &mut Place, seen: &mut Seen) -> Result<bool, Unended> {
        let text = self.text(&self.page_url(seen)).await?;
        let posts = self.api.page(&text, self.origin, &place.told)?;
        let lowest = posts.iter().filter_map(|post| post.number).min();
        let is_empty = posts.is_empty();
        for post in posts.into_iter().rev() {
            if post.number.is_none_or(|number| seen.numbers.insert(number)) {
                say(feed, place, post).await?;
            }
        }
        seen.page += 1;
        Ok(match (self.api, lowest, seen.before) {
            (Api::Lemmy, ..) => is_empty,
            (Api::Discourse, Some(lowest), before) if before.is_none_or(|before| lowest < before) => {
                seen.before = Some(lowest);
                lowest <= 1
            }
            // Nothing that everybody may see has these numbers.
            (Api::Discourse, _, Some(before)) => {
                seen.before = Some(before.saturating_sub(DISCOURSE_REACH));
                before <= DISCOURSE_REACH
            }
            (Api::Discourse, _, None) => true,
        })
    }

    /// Asks for the comments that were told of, and are in their pages no more.
    async fn missing(&self, feed: &Feed, place: &mut Place, begun: &Place, seen: &Seen) -> Result<(), Unended> {
        let Some(lowest) = seen.numbers.first() else { return Ok(()) };
        let missing = begun.told.0.range(lowest..).map(|(number, _)| *number);
        let missing = missing.filter(|number| begun.told.stands(*number) && !seen.numbers.contains(number));
        for number in missing.take(MAX_CHECKS) {
            feed.sleep(PAUSE).await?;
            let url = self.one_url(number);
            let answer = ask(self.dialer, &url, Asked::default()).await?;
            match answer.status {
                200 => {
                    let text = String::from_utf8_lossy(&answer.body);
                    let post = self.api.one(&text, self.origin, &place.told)?;
                    let is_it = post.number == Some(number);
                    if is_it {
                        say(feed, place, post).await?;
                    }
                    if place.told.stands(number) {
                        // It is there, and not among those that are listed: nobody looks for it any more.
                        place.told.0.remove(&number);
                    }
                }
                404 | 410 => {
                    let post = self.origin.gone_post(number, &place.told, Timestamp::now());
                    say(feed, place, post).await?;
                }
                401 | 403 => {
                    // Whether it is gone nobody may know.
                    feed.say(Told::Skipped("not_public"), None).await?;
                    place.told.0.remove(&number);
                }
                _ => return Err(Refusal::of(&url, &answer).into()),
            }
        }
        Ok(())
    }

    /// Says that there is more than a round looks through.
    async fn gap(&self, feed: &Feed, begun: &Place, seen: &Seen) -> Result<(), Unended> {
        let (from, to) = (begun.newest.unwrap_or_default(), seen.numbers.first().copied().unwrap_or_default());
        let text = format!(
            "{}: there are more than {MAX_PAGES} pages of new comments: those between number {from} and number {to} are left out",
            self.api.name()
        );
        Ok(feed.say(Told::Gap { seconds: 0, text }, None).await?)
    }

    async fn text(&self, url: &Url) -> Result<String, Unended> {
        let answer: Answer = ask(self.dialer, url, Asked::default()).await?;
        if answer.status != 200 {
            return Err(Refusal::of(url, &answer).into());
        }
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }

    fn page_url(&self, seen: &Seen) -> Url {
        match self.api {
            Api::Discourse => {
                let mut url = self.at("/posts.json");
                if let Some(before) = seen.before {
                    url.query_pairs_mut().append_pair("before", &before.to_string());
                }
                url
            }
            Api::Lemmy => {
                let mut url = self.at("/api/v3/comment/list");
                let (page, length) = (seen.page.to_string(), PAGE_LENGTH.to_string());
                let query = [("type_", "All"), ("sort", "New"), ("limit", &length), ("page", &page)];
                url.query_pairs_mut().extend_pairs(query);
                url
            }
        }
    }

    fn one_url(&self, number: u64) -> Url {
        match self.api {
            Api::Discourse => self.at(&format!("/posts/{number}.json")),
            Api::Lemmy => {
                let mut url = self.at("/api/v3/comment");
                url.query_pairs_mut().append_pair("id", &number.to_string());
                url
            }
        }
    }

    /// An address of the forum, which may lie in a folder of its host.
    fn at(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path().trim_end_matches('/')));
        url.set_query(None);
        url
    }
}

/// Says what a post says, unless that was said before.
async fn say(feed: &Feed, place: &mut Place, post: Post) -> Result<(), Stopped> {
    let is_told = post.number.is_some_and(|number| place.told.0.get(&number) == Some(&post.mark));
    if is_told {
        return Ok(());
    }
    place.told.note(&post);
    let Post { said, .. } = post;
    feed.say(Told::Said(said), None).await
}
