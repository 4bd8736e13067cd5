//! What the sources say, by frames and pages written by hand after their lexicons and API documents.

use jiff::Timestamp;
use modstream_events::{CommentEvent, DeletedBy, ids};
use modstream_sources::{Kind, Origin, Post, Ready, Said, Skip, Told, bluesky, discourse, lemmy, mastodon};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: i64 = 1_767_607_500;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).expect("a time")
}

fn origin() -> Origin {
    Origin { source: "https://forum.example".to_owned(), community: None }
}

fn ready(said: Said) -> Ready {
    match said {
        Said::Event(ready) => ready,
        Said::Skipped(skip) => panic!("skipped: {skip:?}"),
    }
}

/// What an event says, as JSON.
fn data(said: Said) -> Value {
    let event: Value = serde_json::from_slice(&ready(said).bytes).expect("JSON");
    event["data"].clone()
}

fn post(operation: &str, record: impl Into<Value>) -> Value {
    let mut frame = json!({
        "did": "did:plc:eygmaihciaxprqvxpfvl6flk",
        "time_us": 1_767_607_400_000_123_i64,
        "kind": "commit",
        "commit": {
            "rev": "3l3qo2vutsw2b", "operation": operation, "collection": "app.bsky.feed.post", "rkey": "3l3qo2vuowo2b",
            "record": record.into(), "cid": "bafyreidwaivazkwu67xztlmuobx35hs2lnfh3kolmgfmucldvhd3sgzcqi",
        }
    });
    if operation == "delete" {
        let commit = frame["commit"].as_object_mut().expect("an object");
        commit.remove("record");
        commit.remove("cid");
    }
    frame
}

fn record(text: &str) -> Value {
    json!({ "$type": "app.bsky.feed.post", "text": text, "createdAt": "9999-12-31T23:59:59Z", "langs": ["en", "de"] })
}

fn bluesky(frame: &Value) -> Said {
    bluesky::read(&frame.to_string(), &origin(), now()).said
}

#[test]
fn a_post_of_bluesky_is_a_comment_and_its_edit_and_deletion_follow_it() {
    let frame = post("create", record("hello"));
    let read = bluesky::read(&frame.to_string(), &origin(), now());
    assert_eq!(read.cursor, Some(1_767_607_400_000_123));
    let created = ready(read.said);
    let id = "at://did:plc:eygmaihciaxprqvxpfvl6flk/app.bsky.feed.post/3l3qo2vuowo2b";
    assert_eq!((created.kind, created.partition_key.as_str()), (Kind::Created, id));
    let data = data(bluesky(&frame));
    assert_eq!(
        data,
        json!({
            "id": id, "subreddit": "en", "author": "did:plc:eygmaihciaxprqvxpfvl6flk", "body": "hello",
            "created_utc": 1_767_607_400, "permalink": "/profile/did:plc:eygmaihciaxprqvxpfvl6flk/post/3l3qo2vuowo2b",
        })
    );
    let mut edit = post("update", record("hello, all"));
    edit["commit"]["rev"] = json!("3l3qo2vutsw2c");
    let edited = ready(bluesky(&edit));
    assert_eq!((edited.kind, &edited.partition_key), (Kind::Edited, &created.partition_key));
    assert_ne!(edited.id, created.id);
    let deleted = ready(bluesky(&post("delete", Value::Null)));
    assert_eq!((deleted.kind, &deleted.partition_key), (Kind::Deleted, &created.partition_key));
    let CommentEvent::Deleted(event) = CommentEvent::decode(&deleted.bytes).expect("an event") else {
        panic!("no deletion")
    };
    assert_eq!((event.data.by, event.time.as_microsecond()), (DeletedBy::Author, 1_767_607_400_000_123));
    let taken_back = ready(bluesky(&post("update", json!({ "embed": {} }))));
    let CommentEvent::Edited(event) = CommentEvent::decode(&taken_back.bytes).expect("an event") else {
        panic!("no edit")
    };
    assert_eq!(event.data.comment.body.as_deref(), Some(""), "an edit may take all text away");
}

#[test]
fn a_reply_names_what_it_answers_and_links_are_told_where_they_lead() {
    let mut record = record("see example.org/a...");
    record["reply"] = json!({ "parent": { "uri": "at://did:plc:p/app.bsky.feed.post/1", "cid": "x" },
        "root": { "uri": "at://did:plc:r/app.bsky.feed.post/2", "cid": "y" } });
    record["facets"] = json!([
        { "index": { "byteStart": 4, "byteEnd": 9_999_999 }, "features": [{ "$type": "app.bsky.richtext.facet#link", "uri": "https://example.org/abc" }] },
        { "index": {}, "features": [{ "$type": "app.bsky.richtext.facet#mention", "did": "did:plc:x" }] },
        7,
    ]);
    let data = data(bluesky(&post("create", record)));
    assert_eq!(data["body"], "see example.org/a... https://example.org/abc");
    assert_eq!(
        (&data["parent_id"], &data["link_id"]),
        (&json!("at://did:plc:p/app.bsky.feed.post/1"), &json!("at://did:plc:r/app.bsky.feed.post/2"))
    );
}

#[test]
fn what_is_no_comment_of_bluesky_is_skipped_by_name() {
    let frame = post("create", record("hello")).to_string();
    let account = |status: &str| json!({ "did": "did:plc:a", "time_us": 1, "kind": "account", "account": { "active": false, "status": status } });
    let mut other = post("create", record("x"));
    other["commit"]["collection"] = json!("app.bsky.feed.like");
    let mut traversal = post("create", record("x"));
    traversal["commit"]["rkey"] = json!("a/b");
    for (text, skip) in [
        (frame[..frame.len() - 9].to_owned(), Skip::NotJson),
        ("[".repeat(10_000), Skip::NotJson),
        ("7".to_owned(), Skip::OddShape),
        (json!({ "kind": "identity", "identity": {} }).to_string(), Skip::Identity),
        (account("deleted").to_string(), Skip::AccountGone),
        (account("takendown").to_string(), Skip::AccountGone),
        (account("deactivated").to_string(), Skip::AccountActive),
        (json!({ "kind": "labels" }).to_string(), Skip::OtherKind),
        (other.to_string(), Skip::OtherKind),
        (traversal.to_string(), Skip::OddShape),
        (post("create", json!({ "embed": { "images": [] } })).to_string(), Skip::NoText),
        (post("create", record(" \n")).to_string(), Skip::NoText),
        (post("create", json!([])).to_string(), Skip::OddShape),
        (post("create", record(&"x".repeat(1 << 20))).to_string(), Skip::TooLarge),
    ] {
        let said = bluesky::read(&text, &origin(), now()).said;
        assert_eq!(said, Said::Skipped(skip), "{}", text.get(..200).unwrap_or(&text));
    }
}

#[test]
fn a_clock_that_cant_be_right_is_no_cursor_and_no_time() {
    for time in [json!(-1), json!(0), json!(i64::MAX), json!("now"), json!(253_402_300_799_000_000_i64), json!(1.5e15)]
    {
        let mut frame = post("create", record("hello"));
        frame["time_us"] = time.clone();
        let read = bluesky::read(&frame.to_string(), &origin(), now());
        assert_eq!(read.cursor, None, "{time}");
        assert_eq!(data(read.said)["created_utc"], NOW, "{time}");
    }
    let status =
        json!({ "id": "1", "created_at": "9999-12-31T00:00:00Z", "edited_at": "+999999-01-01", "content": "x" });
    let said = mastodon::read("update", &status.to_string(), &origin(), now()).said;
    let event = ready(said);
    assert_eq!(event.kind, Kind::Edited, "it was edited, whenever that was");
    let event: Value = serde_json::from_slice(&event.bytes).expect("JSON");
    assert_eq!(
        (&event["time"], &event["data"]["comment"]["created_utc"]),
        (&json!("2026-01-05T10:05:00Z"), &Value::Null)
    );
}

#[test]
fn what_others_cut_or_wrote_oddly_costs_no_comment() {
    let text = post("create", record("half")).to_string().replace("half", "half \\ud83d an emoji \\u0000");
    assert_eq!(data(bluesky::read(&text, &origin(), now()).said)["body"], "half \u{fffd} an emoji \u{0}");
    for langs in [json!([7]), json!(["not a language!"]), json!(["x".repeat(99)]), json!("en"), Value::Null] {
        let mut record = record("hello");
        record["langs"] = langs;
        assert_eq!(data(bluesky(&post("create", record)))["subreddit"], Value::Null);
    }
    let long = data(bluesky(&post("create", record(&"é".repeat(32 << 10)))));
    assert_eq!(long["body"].as_str().map(str::len), Some(64 << 10));
}

fn status() -> Value {
    json!({
        "id": "115000000000000001", "created_at": "2026-01-05T10:00:00.123Z", "in_reply_to_id": "115000000000000000",
        "visibility": "public", "language": "en", "spoiler_text": "", "reblog": null, "edited_at": null,
        "uri": "https://forum.example/users/maja/statuses/115000000000000001",
        "content": "<p><span class=\"h-card\"><a href=\"x\">@<span>tom</span></a></span> hello<br>you &amp; me</p>",
        "account": { "id": "1", "acct": "maja@other.example", "username": "maja" },
    })
}

#[test]
fn a_status_of_mastodon_is_a_comment_and_its_edit_and_deletion_follow_it() {
    let read = mastodon::read("update", &status().to_string(), &origin(), now());
    assert_eq!(read.newest.as_deref(), Some("115000000000000001"));
    assert_eq!(
        data(read.said),
        json!({
            "id": "115000000000000001", "parent_id": "115000000000000000", "author": "maja@other.example",
            "body": "@tom hello\nyou & me", "created_utc": 1_767_607_200, "permalink": "/@maja@other.example/115000000000000001",
        })
    );
    let mut edit = status();
    edit["edited_at"] = json!("2026-01-05T10:01:00.456Z");
    edit["spoiler_text"] = json!("careful");
    let read = mastodon::read("status.update", &edit.to_string(), &origin(), now());
    assert_eq!(read.newest, None, "an old status that is edited is no place to go on from");
    let edited = data(read.said);
    assert_eq!(edited["comment"]["body"], "careful\n\n@tom hello\nyou & me");
    assert!(edited["version"].as_str().is_some_and(|version| version.starts_with("1767607260+")));
    let deleted = ready(mastodon::read("delete", "115000000000000001", &origin(), now()).said);
    assert_eq!((deleted.kind, deleted.partition_key.as_str()), (Kind::Deleted, "115000000000000001"));
    let page = mastodon::page(&json!([status(), 7]).to_string(), &origin(), now()).expect("a page");
    assert_eq!(page.len(), 2);
    assert_eq!(ready(page[0].1.clone()), ready(mastodon::read("update", &status().to_string(), &origin(), now()).said));
    assert!(mastodon::page("{\"error\":\"x\"}", &origin(), now()).is_err());
}

#[test]
fn what_is_no_comment_of_mastodon_is_skipped_by_name() {
    let with = |name: &str, value: Value| {
        let mut changed = status();
        changed[name] = value;
        changed.to_string()
    };
    for (name, text, skip) in [
        ("update", with("reblog", status()), Skip::Repost),
        ("update", with("visibility", json!("private")), Skip::NotPublic),
        ("update", with("content", json!("<p></p>")), Skip::NoText),
        ("update", with("id", json!({})), Skip::OddShape),
        ("update", "{".to_owned(), Skip::NotJson),
        ("delete", String::new(), Skip::OddShape),
        ("filters_changed", String::new(), Skip::OtherKind),
    ] {
        assert_eq!(mastodon::read(name, &text, &origin(), now()).said, Said::Skipped(skip), "{name} {text}");
    }
}

fn discourse_post(number: u64, raw: &str) -> Value {
    json!({
        "id": number, "username": "maja", "created_at": "2026-01-05T10:00:00.000Z", "updated_at": "2026-01-05T10:02:00.000Z",
        "cooked": format!("<p>{raw}</p>"), "raw": raw, "post_number": 3, "post_type": 1, "reply_to_post_number": 2,
        "topic_id": 17, "topic_slug": "tides", "category_id": 5, "version": 1, "hidden": false, "user_deleted": false,
    })
}

fn discourse(post: &Value, told: &Told) -> Post {
    let page = json!({ "latest_posts": [post] }).to_string();
    discourse::page(&page, &origin(), told, now()).expect("a page").remove(0)
}

#[test]
fn a_post_of_discourse_is_a_comment_and_its_edit_and_deletion_follow_it() {
    let mut told = Told::default();
    let first = discourse(&discourse_post(41, "hello *you*"), &told);
    assert_eq!(
        data(first.said.clone()),
        json!({
            "id": "41", "parent_id": "/t/17/2", "link_id": "/t/17", "subreddit": "category-5", "author": "maja",
            "body": "hello *you*", "created_utc": 1_767_607_200, "permalink": "/t/17/3",
        })
    );
    assert_eq!(
        ready(first.said.clone()).id,
        ids::comment("https://forum.example", "41", &ids::text_version("hello *you*", 0)).to_string()
    );
    told.note(&first);
    assert_eq!(discourse(&discourse_post(41, "hello *you*"), &told).mark, first.mark, "nothing new");
    let quick = discourse(&discourse_post(41, "hello"), &told);
    assert_eq!(ready(quick.said.clone()).kind, Kind::Edited, "an edit that counts as none at the forum");
    let mut again = discourse_post(41, "hello, all");
    again["version"] = json!(2);
    let edited = discourse(&again, &Told::default());
    assert_eq!(ready(edited.said.clone()).kind, Kind::Edited, "whether its first text was seen or not");
    assert_eq!(data(edited.said)["comment"]["edited"], 1_767_607_320);
    let mut gone = discourse_post(41, "(post deleted by author)");
    gone["user_deleted"] = json!(true);
    let deleted = discourse(&gone, &told);
    assert_eq!(data(deleted.said.clone())["by"], "author");
    told.note(&deleted);
    assert!(told.has(41) && !told.stands(41));
    assert_eq!(discourse(&gone, &told).mark, deleted.mark, "it is told once");
    assert_eq!(discourse(&gone, &Told::default()).said, Said::Skipped(Skip::GoneBefore));
}

#[test]
fn what_is_no_comment_of_discourse_is_skipped_by_name_and_what_was_told_holds() {
    let mut told = Told::default();
    told.note(&discourse(&discourse_post(41, "hello"), &told));
    let with = |name: &str, value: Value| {
        let mut changed = discourse_post(41, "hello");
        changed[name] = value;
        changed
    };
    for (post, skip) in [
        (with("hidden", json!(true)), Skip::Hidden),
        (with("post_type", json!(3)), Skip::ByTheForum),
        (with("post_type", json!(4)), Skip::NotPublic),
        (with("id", json!("41")), Skip::OddShape),
    ] {
        assert_eq!(discourse(&post, &told).said, Said::Skipped(skip));
    }
    told.note(&discourse(&with("hidden", json!(true)), &told));
    assert!(told.stands(41), "a deletion is still to be told");
    told.note(&discourse(&discourse_post(42, " "), &told));
    assert!(!told.has(42));
    let gone = origin().gone_post(42, &told, now());
    assert_eq!(gone.said, Said::Skipped(Skip::GoneBefore), "nobody was told of it");
    assert!(discourse::page("{}", &origin(), &told, now()).is_err());
    assert!(discourse::page("<html>", &origin(), &told, now()).is_err());
}

#[test]
fn a_webhook_of_discourse_says_what_happened_to_a_post() {
    let said =
        |event: &str, post: Value| discourse::webhook(event, &json!({ "post": post }).to_string(), &origin(), now());
    let created = ready(said("post_created", discourse_post(41, "hello")));
    assert_eq!(created, ready(discourse(&discourse_post(41, "hello"), &Told::default()).said), "as its page says it");
    let edited = ready(said("post_edited", discourse_post(41, "hello, all")));
    assert_eq!(
        (edited.kind, ready(said("post_recovered", discourse_post(41, "hello"))).kind),
        (Kind::Edited, Kind::Edited)
    );
    assert_eq!(data(said("post_destroyed", discourse_post(41, "hello")))["by"], "unknown");
    let mut by_author = discourse_post(41, "(post deleted by author)");
    by_author["user_deleted"] = json!(true);
    assert_eq!(data(said("post_edited", by_author))["by"], "author");
    assert_eq!(said("user_created", json!({})), Said::Skipped(Skip::OtherKind));
    assert_eq!(said("post_created", json!({ "id": {} })), Said::Skipped(Skip::OddShape));
    assert_eq!(discourse::webhook("post_created", "{", &origin(), now()), Said::Skipped(Skip::NotJson));
}

fn lemmy_view(number: u64, content: &str) -> Value {
    json!({
        "comment": { "id": number, "creator_id": 9, "post_id": 17, "content": content, "removed": false, "deleted": false,
            "published": "2026-01-05T10:00:00.123456Z", "ap_id": "https://other.example/comment/9", "local": false, "path": format!("0.40.{number}"), "language_id": 37 },
        "creator": { "name": "maja", "actor_id": "https://other.example/u/maja", "local": false },
        "community": { "name": "tides", "actor_id": "https://forum.example/c/tides", "local": true },
        "counts": { "score": -3 },
    })
}

fn lemmy(view: &Value, told: &Told) -> Post {
    lemmy::page(&json!({ "comments": [view] }).to_string(), &origin(), told, now()).expect("a page").remove(0)
}

#[test]
fn a_comment_of_lemmy_is_one_and_its_edit_and_removal_follow_it() {
    let mut told = Told::default();
    let first = lemmy(&lemmy_view(41, "hello"), &told);
    assert_eq!(
        data(first.said.clone()),
        json!({
            "id": "41", "parent_id": "40", "link_id": "/post/17", "subreddit": "tides", "author": "maja@other.example",
            "body": "hello", "created_utc": 1_767_607_200, "score": -3, "permalink": "/comment/41",
        })
    );
    told.note(&first);
    let mut view = lemmy_view(41, "hello, all");
    // As versions before 0.19 write times.
    view["comment"]["updated"] = json!("2026-01-05T10:01:00.5");
    let edited = lemmy(&view, &told);
    assert_eq!(data(edited.said.clone())["comment"]["edited"], 1_767_607_260);
    told.note(&edited);
    for (flag, by) in [("removed", "moderator"), ("deleted", "author")] {
        let mut gone = lemmy_view(41, "");
        gone["comment"][flag] = json!(true);
        assert_eq!(data(lemmy(&gone, &told).said)["by"], by);
        assert_eq!(lemmy(&gone, &Told::default()).said, Said::Skipped(Skip::GoneBefore));
    }
    let one = lemmy::one(&json!({ "comment_view": view }).to_string(), &origin(), &told, now()).expect("a comment");
    assert_eq!(one.mark, edited.mark);
    assert!(lemmy::one("{\"error\":\"couldnt_find_comment\"}", &origin(), &told, now()).is_err());
    let top = {
        let mut top = lemmy_view(42, "x");
        top["comment"]["path"] = json!("0.42");
        top
    };
    assert_eq!(data(lemmy(&top, &told).said)["parent_id"], "/post/17");
}

#[test]
fn a_community_that_is_named_is_that_of_all() {
    let named = Origin { community: Some("ours".to_owned()), ..origin() };
    for operation in ["create", "delete"] {
        let said = bluesky::read(&post(operation, record("hello")).to_string(), &named, now()).said;
        assert_eq!(data(said)["subreddit"], "ours");
    }
}

/// Any JSON: of the names that are read here, so that it gets far.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "commit",
            "create",
            "update",
            "delete",
            "account",
            "identity",
            "deleted",
            "app.bsky.feed.post",
            "did:plc:a",
            "public",
            "2026-01-05T10:00:00Z",
            "9999-12-31T23:59:59Z",
            "-9999-01-01T00:00:00Z",
            "0.1.2",
            "<p>a</p>",
            "3l3qo2vutsw2b",
        ])
        .prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "kind",
        "commit",
        "record",
        "did",
        "rkey",
        "rev",
        "time_us",
        "operation",
        "collection",
        "text",
        "facets",
        "features",
        "uri",
        "langs",
        "reply",
        "parent",
        "root",
        "account",
        "status",
        "active",
        "id",
        "content",
        "account",
        "acct",
        "reblog",
        "edited_at",
        "created_at",
        "visibility",
        "latest_posts",
        "raw",
        "cooked",
        "version",
        "post_type",
        "comments",
        "comment",
        "creator",
        "community",
        "name",
        "actor_id",
        "path",
        "updated",
        "published",
        "removed",
        "comment_view",
        "topic_id",
        "updated_at",
    ]);
    leaf.prop_recursive(6, 200, 12, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..12)
                .prop_map(|all| Value::Object(all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())),
        ]
    })
}

/// Whatever is said is an event that is read again, or a reason.
fn check(said: &Said) {
    if let Said::Event(ready) = said {
        let event = CommentEvent::decode(&ready.bytes).expect("an event");
        let id = match &event {
            CommentEvent::Created(event) => (&event.id, event.data.id.as_deref()),
            CommentEvent::Edited(event) => (&event.id, event.data.comment.id.as_deref()),
            CommentEvent::Deleted(event) => (&event.id, Some(event.data.id.as_ref())),
            CommentEvent::Reported(_) => panic!("nothing is reported here"),
        };
        assert_eq!(*id.0, ready.id);
        assert!((1..=256).contains(&ready.partition_key.chars().count()));
        assert!(id.1.is_some_and(|id| id == ready.partition_key || ready.partition_key == ready.id));
    }
}

/// A frame of Jetstream some of whose parts are anything.
fn any_frame() -> impl Strategy<Value = Value> {
    let operation = prop::sample::select(vec!["create", "update", "delete"]);
    (operation, any_json(), ".{0,40}", any::<i64>(), any_json()).prop_map(|(operation, odd, text, time, more)| {
        let mut record = record(&text);
        record["facets"] = odd.clone();
        record["reply"] = more.clone();
        let mut frame = post(operation, record);
        frame["time_us"] = json!(time);
        frame["commit"]["rev"] = more;
        frame
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_comes_is_an_event_or_has_a_reason_and_is_the_same_again(value in any_json(), frame in any_frame(), text in ".{0,60}") {
        let told = Told::default();
        for text in [value.to_string(), frame.to_string(), text] {
            let read = bluesky::read(&text, &origin(), now());
            check(&read.said);
            prop_assert_eq!(&bluesky::read(&text, &origin(), now()), &read);
            for name in ["post_created", "post_edited", "post_destroyed"] {
                check(&discourse::webhook(name, &text, &origin(), now()));
            }
            for name in ["update", "status.update", "delete"] {
                check(&mastodon::read(name, &text, &origin(), now()).said);
            }
            for (_, said) in mastodon::page(&text, &origin(), now()).unwrap_or_default() {
                check(&said);
            }
            for page in [discourse::page, lemmy::page] {
                for post in page(&text, &origin(), &told, now()).unwrap_or_default() {
                    check(&post.said);
                }
            }
            for one in [discourse::one, lemmy::one] {
                if let Ok(post) = one(&text, &origin(), &told, now()) {
                    check(&post.said);
                }
            }
        }
    }

    #[test]
    fn ids_do_not_follow_the_time_at_which_something_is_read(frame in any_frame(), later in 0_i64..1_000_000) {
        let then = Timestamp::from_second(NOW + later).expect("a time");
        let ids = [now(), then].map(|now| match bluesky::read(&frame.to_string(), &origin(), now).said {
            Said::Event(ready) => Ok((ready.id, ready.partition_key, ready.kind)),
            Said::Skipped(skip) => Err(skip),
        });
        prop_assert_eq!(&ids[0], &ids[1]);
    }

    /// What a comment went through is the same set of events however its frames come, and the versions say their order themselves.
    #[test]
    fn create_edits_and_deletion_are_the_same_in_any_order(texts in prop::collection::vec("[a-c]{1,3}", 1..5), seed in any::<u64>()) {
        let mut frames: Vec<Value> = texts
            .iter()
            .enumerate()
            .map(|(number, text)| {
                let mut frame = post(if number == 0 { "create" } else { "update" }, record(text));
                frame["commit"]["rev"] = json!(format!("3l3qo2vuts{}2b", char::from(b'a' + u8::try_from(number).expect("few"))));
                frame
            })
            .collect();
        frames.push(post("delete", Value::Null));
        let all = |frames: &[Value]| -> std::collections::BTreeMap<String, Vec<u8>> {
            frames.iter().map(|frame| ready(bluesky(frame))).map(|ready| (ready.id, ready.bytes)).collect()
        };
        let in_order = all(&frames);
        prop_assert_eq!(in_order.len(), frames.len(), "each is one of its own");
        let versions: Vec<u64> = frames[1..frames.len() - 1]
            .iter()
            .map(|frame| data(bluesky(frame))["version"].as_str().expect("text").parse().expect("a number"))
            .collect();
        prop_assert!(versions.is_sorted());
        let mut chance = seed | 1;
        for end in (1..frames.len()).rev() {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            frames.swap(end, usize::try_from(chance % (end as u64 + 1)).expect("small"));
        }
        frames.extend(frames.clone());
        prop_assert_eq!(all(&frames), in_order);
    }
}
