//! Lemmy: comments by `/api/v3/comment/list`, newest first, and by `/api/v3/comment`.

use jiff::Timestamp;
use modstream_events::{Comment, DeletedBy, ids};
use serde_json::Value;

use crate::json;
use crate::said::{NoPage, Origin, Post, Skip, Told, Version, time};

/// Reads a page of comments.
///
/// # Errors
/// Where it is no page of comments.
pub fn page(text: &str, origin: &Origin, told: &Told, now: Timestamp) -> Result<Vec<Post>, NoPage> {
    let page = json::read(text);
    let views = page.as_ref().and_then(|page| page.get("comments")?.as_array());
    let views = views.ok_or(NoPage("comments of Lemmy"))?;
    Ok(views.iter().map(|view| post(view, origin, told, now)).collect())
}

/// Reads a comment by itself.
///
/// # Errors
/// Where it is none.
pub fn one(text: &str, origin: &Origin, told: &Told, now: Timestamp) -> Result<Post, NoPage> {
    let read = json::read(text);
    let view = read.as_ref().and_then(|read| read.get("comment_view")).filter(|view| view.is_object());
    Ok(post(view.ok_or(NoPage("a comment of Lemmy"))?, origin, told, now))
}

fn post(view: &Value, origin: &Origin, told: &Told, now: Timestamp) -> Post {
    let comment = view.get("comment").unwrap_or(&Value::Null);
    let Some(number) = json::number(comment, "id") else { return Post::odd() };
    let id = number.to_string();
    let said_at = |name| json::text(comment, name).and_then(|text| time(text, now));
    let (published, updated) = (said_at("published"), said_at("updated"));
    let community = view.get("community").and_then(name_of);
    let by = match (json::is(comment, "removed"), json::is(comment, "deleted")) {
        (true, _) => Some(DeletedBy::Moderator),
        (false, true) => Some(DeletedBy::Author),
        (false, false) => None,
    };
    if let Some(by) = by {
        let seen = updated.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(now);
        return told.gone(number, || origin.deleted(&id, community.as_deref(), by, seen));
    }
    let body = comment.get("content").and_then(Value::as_str).unwrap_or_default();
    // A text that came back without a time of its edit is a later version of what was told.
    let is_edited = json::text(comment, "updated").is_some();
    if body.trim().is_empty() && !is_edited && !told.has(number) {
        return told.skipped(number, Skip::NoText);
    }
    let of_text = ids::text_version(body, 0);
    let mark = match (is_edited, updated) {
        (false, _) => of_text.clone(),
        (true, Some(updated)) => ids::edit_version(updated, &of_text),
        (true, None) => format!("+{of_text}"),
    };
    let version = match is_edited || told.has(number) {
        true => Version::Later(mark.clone()),
        false => Version::First(of_text),
    };
    let path: Vec<&str> = json::text(comment, "path").unwrap_or_default().split('.').collect();
    let above = path.iter().rev().nth(1).filter(|id| **id != "0" && id.bytes().all(|byte| byte.is_ascii_digit()));
    let post = json::number(comment, "post_id").map(|post| format!("/post/{post}"));
    let comment = Comment {
        id: Some(id.into()),
        parent_id: above.map(|id| (*id).to_owned()).or_else(|| post.clone()).map(Into::into),
        link_id: post.map(Into::into),
        subreddit: community.map(Into::into),
        author: view.get("creator").and_then(name_of).map(Into::into),
        body: Some(body.into()),
        created_utc: published,
        edited: updated,
        score: view.get("counts").and_then(|counts| counts.get("score")?.as_i64()),
        permalink: Some(format!("/comment/{number}").into()),
    };
    Post { number: Some(number), mark, said: origin.comment(comment, version, now) }
}

/// The name of a community or a person; of another server's with that server, as Lemmy shows it.
fn name_of(actor: &Value) -> Option<String> {
    let name = json::text(actor, "name")?;
    let host =
        json::text(actor, "actor_id").and_then(|address| address.split('/').nth(2)).filter(|host| !host.is_empty());
    match host {
        Some(host) if actor.get("local").and_then(Value::as_bool) == Some(false) => Some(format!("{name}@{host}")),
        _ => Some(name.to_owned()),
    }
}
