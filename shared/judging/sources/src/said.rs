//! What a frame, a post or a message says.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use modstream_events::{Comment, CommentDeleted, CommentEdited, DeletedBy, Event, MAX_RECORD_BYTES, ids};

/// The most characters of a partition key.
const MAX_KEY_CHARS: usize = 256;
/// How far ahead of ours another's clock may be before what it says is no time.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// Before this no forum that is read here was there: 2000-01-01.
const EARLIEST: i64 = 946_684_800;

/// Where comments come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The system that the comments' ids are of, the `source` of the events.
    pub source: String,
    /// The community that all comments are of; none where the source says one for each.
    pub community: Option<String>,
}

/// What one thing that a source says is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Something happened to a comment.
    Event(Ready),
    /// There is no event in it, for a reason that is counted.
    Skipped(Skip),
}

/// A post of a page of posts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// The post's number, which grows with later posts; none where it says none.
    pub number: Option<u64>,
    /// What it says, in short. A post whose mark was told before says nothing new.
    pub mark: String,
    /// What it says.
    pub said: Said,
}

/// What was told of posts so far: by its number, the mark of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told(pub BTreeMap<u64, String>);

/// What the marks of posts begin with of which no event tells.
const UNTOLD: char = '-';
/// The mark of a post that is gone.
const GONE: &str = "gone";

impl Told {
    /// Whether an event told of the post, whatever it said.
    pub fn has(&self, number: u64) -> bool {
        self.0.get(&number).is_some_and(|mark| !mark.starts_with(UNTOLD))
    }

    /// Whether an event told of the post, and none that it is gone.
    pub fn stands(&self, number: u64) -> bool {
        self.has(number) && self.0.get(&number).is_some_and(|mark| mark != GONE)
    }

    /// A post of which no event tells anything. What was told of it before holds.
    pub(crate) fn skipped(&self, number: u64, skip: Skip) -> Post {
        let told = self.0.get(&number).filter(|_| self.has(number)).cloned();
        let mark = told.unwrap_or_else(|| format!("{UNTOLD}{}", skip.as_str()));
        Post { number: Some(number), mark, said: Said::Skipped(skip) }
    }

    /// A post that is gone, told by `said` where an event told of it before.
    pub(crate) fn gone(&self, number: u64, said: impl FnOnce() -> Said) -> Post {
        if !self.has(number) {
            return self.skipped(number, Skip::GoneBefore);
        }
        Post { number: Some(number), mark: GONE.to_owned(), said: said() }
    }

    /// Notes what a post says now.
    pub fn note(&mut self, post: &Post) {
        if let Some(number) = post.number {
            self.0.insert(number, post.mark.clone());
        }
    }
}

impl Post {
    /// A post that says no number.
    pub(crate) fn odd() -> Self {
        Post { number: None, mark: String::new(), said: Said::Skipped(Skip::OddShape) }
    }
}

/// An event that is ready to be put on the stream of comments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The event's id: the same for the same version of the same comment.
    pub id: String,
    /// The comment's id, or the event's where that is no key: what is said of one comment keeps its order.
    pub partition_key: String,
    /// What happened.
    pub kind: Kind,
    /// The event as JSON.
    pub bytes: Vec<u8>,
}

/// What happened to a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// It was written.
    Created,
    /// It says something else now.
    Edited,
    /// It is gone.
    Deleted,
    /// Somebody reported it.
    Reported,
}

impl Kind {
    /// The name that it is counted under.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Created => "created",
            Kind::Edited => "edited",
            Kind::Deleted => "deleted",
            Kind::Reported => "reported",
        }
    }
}

/// Why there is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Skip {
    /// It is no JSON, or cut off.
    NotJson,
    /// It is JSON, and lacks what says which comment it is about.
    OddShape,
    /// It is about something else than comments.
    OtherKind,
    /// An account has another name.
    Identity,
    /// An account is there again, or was made.
    AccountActive,
    /// An account is gone; which comments were its own is not said.
    AccountGone,
    /// The comment has no text: it is an image alone, for one.
    NoText,
    /// Somebody passes on another's comment, which comes by itself.
    Repost,
    /// The comment is not for everybody.
    NotPublic,
    /// The comment is hidden at the forum.
    Hidden,
    /// The forum wrote it, such as that a topic was closed.
    ByTheForum,
    /// The comment was gone before it was seen.
    GoneBefore,
    /// It is larger than an event may be.
    TooLarge,
}

impl Skip {
    /// The name that it is counted under.
    pub fn as_str(self) -> &'static str {
        match self {
            Skip::NotJson => "not_json",
            Skip::OddShape => "odd_shape",
            Skip::OtherKind => "other_kind",
            Skip::Identity => "identity",
            Skip::AccountActive => "account_active",
            Skip::AccountGone => "account_gone",
            Skip::NoText => "no_text",
            Skip::Repost => "repost",
            Skip::NotPublic => "not_public",
            Skip::Hidden => "hidden",
            Skip::ByTheForum => "by_the_forum",
            Skip::GoneBefore => "gone_before",
            Skip::TooLarge => "too_large",
        }
    }
}

/// A page that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is no page of {0}: look whether the address is that of such a forum")]
pub struct NoPage(pub &'static str);

/// Which version of its comment a text is.
pub(crate) enum Version {
    /// The first.
    First(String),
    /// A later one.
    Later(String),
}

impl Origin {
    /// What says that a comment says this now. `now` is when it came here.
    pub(crate) fn comment(&self, mut comment: Comment<'_>, version: Version, now: Timestamp) -> Said {
        let id = comment.id.as_deref().unwrap_or_default().to_owned();
        if let Some(community) = &self.community {
            comment.subreddit = Some(community.clone().into());
        }
        let said = |seconds: Option<i64>| seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
        let (Version::First(name) | Version::Later(name)) = &version;
        let event_id = ids::comment(&self.source, &id, name).to_string();
        let (kind, bytes) = match version {
            Version::First(_) => {
                let time = said(comment.created_utc).unwrap_or(now);
                (Kind::Created, Event::new(event_id.as_str(), self.source.as_str(), time, comment).encode())
            }
            Version::Later(version) => {
                let time = said(comment.edited.or(comment.created_utc)).unwrap_or(now);
                let edited = CommentEdited { comment, version: version.into() };
                (Kind::Edited, Event::new(event_id.as_str(), self.source.as_str(), time, edited).encode())
            }
        };
        ready(event_id, &id, kind, bytes)
    }

    /// What says that a comment is gone since then.
    pub(crate) fn deleted(&self, id: &str, community: Option<&str>, by: DeletedBy, time: Timestamp) -> Said {
        let event_id = ids::comment_deleted(&self.source, id).to_string();
        let subreddit = self.community.as_deref().or(community).map(Into::into);
        let deleted = CommentDeleted { id: id.into(), subreddit, by };
        let bytes = Event::new(event_id.as_str(), self.source.as_str(), time, deleted).encode();
        ready(event_id, id, Kind::Deleted, bytes)
    }

    /// What says that a comment is no longer at the forum, where nobody says who took it away.
    pub(crate) fn gone(&self, id: &str, now: Timestamp) -> Said {
        self.deleted(id, None, DeletedBy::Unknown, now)
    }

    /// A post that is no longer at the forum.
    pub fn gone_post(&self, number: u64, told: &Told, now: Timestamp) -> Post {
        told.gone(number, || self.gone(&number.to_string(), now))
    }
}

fn ready(id: String, comment: &str, kind: Kind, bytes: Vec<u8>) -> Said {
    let fits = (1..=MAX_KEY_CHARS).contains(&comment.chars().count());
    let partition_key = if fits { comment.to_owned() } else { id.clone() };
    if partition_key.len() + bytes.len() > MAX_RECORD_BYTES {
        return Said::Skipped(Skip::TooLarge);
    }
    Said::Event(Ready { id, partition_key, kind, bytes })
}

/// A time that another's clock may have said, in seconds since 1970; none where it can be no time of a comment.
pub(crate) fn plausible(seconds: i64, now: Timestamp) -> Option<i64> {
    let latest = now.as_second().saturating_add(MAX_AHEAD.as_secs());
    (EARLIEST..=latest).contains(&seconds).then_some(seconds)
}

/// A time of ISO 8601 as forums write it, without an offset in UTC.
pub(crate) fn time(text: &str, now: Timestamp) -> Option<i64> {
    let time = text.parse::<Timestamp>().or_else(|_| {
        let civil: DateTime = text.parse()?;
        civil.to_zoned(TimeZone::UTC).map(|time| time.timestamp())
    });
    plausible(time.ok()?.as_second(), now)
}
