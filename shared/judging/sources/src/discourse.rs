//! Discourse: posts by `/posts.json`, which lists the newest, by `/posts/ID.json`, and by webhooks.

use jiff::Timestamp;
use modstream_events::{Comment, DeletedBy, ids};
use serde_json::Value;

use crate::html::text_of;
use crate::json;
use crate::said::{Kind, NoPage, Origin, Post, Said, Skip, Told, Version, time};

/// The kinds of posts: people's own, and what only the staff sees. Others are the forum's, such as that a topic was closed.
const REGULAR: u64 = 1;
const WHISPER: u64 = 4;

/// Reads a page of posts, newest first as it comes. A text that differs from what was told of its post is an edit, also where
/// Discourse counts it as none, as in the minutes behind a post.
///
/// # Errors
/// Where it is no page of posts.
pub fn page(text: &str, origin: &Origin, told: &Told, now: Timestamp) -> Result<Vec<Post>, NoPage> {
    let page = json::read(text);
    let posts = page.as_ref().and_then(|page| page.get("latest_posts")?.as_array());
    let posts = posts.ok_or(NoPage("posts of Discourse"))?;
    Ok(posts.iter().map(|read| post(read, origin, told, now)).collect())
}

/// Reads a post by itself.
///
/// # Errors
/// Where it is no post.
pub fn one(text: &str, origin: &Origin, told: &Told, now: Timestamp) -> Result<Post, NoPage> {
    let read = json::read(text).filter(|read| json::number(read, "id").is_some());
    Ok(post(&read.ok_or(NoPage("a post of Discourse"))?, origin, told, now))
}

/// Reads a [webhook](https://meta.discourse.org/t/setting-up-webhooks/49045) of this event's name about a post.
pub fn webhook(event: &str, text: &str, origin: &Origin, now: Timestamp) -> Said {
    if !matches!(event, "post_created" | "post_edited" | "post_recovered" | "post_destroyed") {
        return Said::Skipped(Skip::OtherKind);
    }
    let Some(read) = json::read(text) else { return Said::Skipped(Skip::NotJson) };
    let Some(read) = read.get("post") else { return Said::Skipped(Skip::OddShape) };
    let Some(number) = json::number(read, "id") else { return Said::Skipped(Skip::OddShape) };
    let mut told = Told::default();
    if event != "post_created" {
        // Whatever it said before, it says something else now.
        told.0.insert(number, String::new());
    }
    match post(read, origin, &told, now).said {
        // Of a post that is destroyed, the text still stands there.
        Said::Event(ready) if event == "post_destroyed" && ready.kind != Kind::Deleted => {
            origin.deleted(&number.to_string(), community(read).as_deref(), DeletedBy::Unknown, now)
        }
        said => said,
    }
}

fn post(read: &Value, origin: &Origin, told: &Told, now: Timestamp) -> Post {
    let Some(number) = json::number(read, "id") else { return Post::odd() };
    let id = number.to_string();
    let updated = json::text(read, "updated_at").and_then(|text| time(text, now));
    let gone = |by| {
        let seen = updated.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(now);
        told.gone(number, || origin.deleted(&id, community(read).as_deref(), by, seen))
    };
    if json::is(read, "user_deleted") {
        return gone(DeletedBy::Author);
    }
    if json::text(read, "deleted_at").is_some() {
        return gone(DeletedBy::Unknown);
    }
    match json::number(read, "post_type") {
        None | Some(REGULAR) => {}
        Some(WHISPER) => return told.skipped(number, Skip::NotPublic),
        Some(_) => return told.skipped(number, Skip::ByTheForum),
    }
    if json::is(read, "hidden") {
        return told.skipped(number, Skip::Hidden);
    }
    // As it was written, where the forum says that; as it is shown else.
    let body = match (json::text(read, "raw"), json::text(read, "cooked")) {
        (Some(raw), _) => raw.to_owned(),
        (None, Some(cooked)) => text_of(cooked),
        (None, None) => String::new(),
    };
    let revision = json::number(read, "version").unwrap_or(1);
    let is_edited = revision > 1 || told.has(number);
    if body.trim().is_empty() && !is_edited {
        return told.skipped(number, Skip::NoText);
    }
    let of_text = ids::text_version(&body, 0);
    let mark = format!("{revision}+{of_text}");
    let topic = json::number(read, "topic_id");
    let at = |number: u64| topic.map(|topic| format!("/t/{topic}/{number}").into());
    let comment = Comment {
        id: Some(id.clone().into()),
        parent_id: json::number(read, "reply_to_post_number").and_then(at),
        link_id: topic.map(|topic| format!("/t/{topic}").into()),
        subreddit: community(read).map(Into::into),
        author: json::text(read, "username").map(Into::into),
        body: Some(body.into()),
        created_utc: json::text(read, "created_at").and_then(|text| time(text, now)),
        edited: updated.filter(|_| is_edited),
        score: None,
        permalink: json::number(read, "post_number").and_then(at),
    };
    let version = if is_edited { Version::Later(mark.clone()) } else { Version::First(of_text) };
    Post { number: Some(number), mark, said: origin.comment(comment, version, now) }
}

/// The category that a post's topic lies in. A page names it by its number alone.
fn community(read: &Value) -> Option<String> {
    json::text(read, "category_slug")
        .map(str::to_owned)
        .or_else(|| json::number(read, "category_id").map(|number| format!("category-{number}")))
}
