//! A data folder is opened, or it is said what to do.

use std::fs;
use std::path::Path;

use modstream_platform::sqlite::rusqlite::{self, Connection};
use modstream_platform::sqlite::{Database, DatabaseError, OpenError, Role, SqliteObjects};
use modstream_platform::{CallErrorKind, Condition, Objects, VersionedObjects as _, Written};

use crate::{folder, runtime, serve};

fn refused(folder: &Path, role: Role) -> OpenError {
    Database::open(folder, role).map(drop).expect_err("refused")
}

fn file(folder: &Path) -> std::path::PathBuf {
    folder.join("modstream.db")
}

fn change(folder: &Path, sql: &str) {
    Connection::open(file(folder)).expect("opens").execute_batch(sql).expect("runs");
}

#[test]
fn one_process_serves_a_folder_and_others_work_beside_it() {
    let folder = folder();
    let served = serve(&folder.path().join("new/deep"));
    let error = refused(served.folder(), Role::Serve);
    assert!(matches!(error, OpenError::Served { process: Some(id), .. } if id == std::process::id()), "{error}");
    let beside = Database::open(served.folder(), Role::Beside).expect("opens");
    assert!(beside.is_served().expect("a look") && served.is_served().expect("a look"));
    let folder = served.folder().to_owned();
    drop(served);
    assert!(!beside.is_served().expect("a look"), "the lock is given back");
    drop(serve(&folder));
}

#[test]
fn a_folder_without_data_is_begun_by_whoever_serves_it_alone() {
    let folder = folder();
    let error = refused(folder.path(), Role::Beside);
    assert!(matches!(error, OpenError::Missing { .. }), "{error}");
    assert!(!file(folder.path()).exists(), "looking makes nothing");
    fs::write(folder.path().join("modstream.db.new"), "of a process that was killed").expect("writes");
    drop(serve(folder.path()));
    drop(Database::open(folder.path(), Role::Beside).expect("opens"));
}

#[test]
#[cfg(unix)]
fn nobody_else_may_read_what_people_wrote() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let data = folder.path().join("data");
    drop(serve(&data));
    let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    assert_eq!((mode(&data), mode(&file(&data))), (0o700, 0o600));
}

#[test]
fn what_is_no_file_of_ours_is_left_as_it_is() {
    for (content, part) in
        [(&b"a text that is long enough for a header\n".repeat(9)[..], "no SQLite file"), (b"", "is empty")]
    {
        let folder = folder();
        fs::write(file(folder.path()), content).expect("writes");
        for role in [Role::Serve, Role::Beside] {
            let error = refused(folder.path(), role).to_string();
            assert!(error.contains(part) && error.contains("backup"), "{error}");
        }
        assert_eq!(fs::read(file(folder.path())).expect("reads"), content);
    }
    let folder = folder();
    change(folder.path(), "CREATE TABLE theirs (a)");
    let error = refused(folder.path(), Role::Serve).to_string();
    assert!(error.contains("of another program"), "{error}");
}

#[test]
fn a_file_of_a_newer_version_is_refused() {
    let folder = folder();
    drop(serve(folder.path()));
    change(folder.path(), "PRAGMA user_version = 1000");
    for role in [Role::Serve, Role::Beside] {
        let error = refused(folder.path(), role);
        assert!(matches!(error, OpenError::Newer { found: 1_000, .. }), "{error}");
    }
}

#[test]
fn a_file_that_was_cut_short_is_refused() {
    let folder = folder();
    let database = serve(folder.path());
    let objects = SqliteObjects::new(database.clone());
    runtime().block_on(async {
        objects.put("k", vec![7; 1 << 20].into(), Condition::Always).await.expect("writes");
    });
    drop((objects, database));
    let whole = fs::metadata(file(folder.path())).expect("is there").len();
    let cut = fs::OpenOptions::new().write(true).open(file(folder.path())).expect("opens");
    cut.set_len(whole / 2).expect("cuts");
    let error = refused(folder.path(), Role::Serve).to_string();
    assert!(error.contains("cut short") && error.contains("backup"), "{error}");
}

#[test]
fn work_that_fails_is_undone_by_itself() {
    let folder = folder();
    let database = serve(folder.path());
    runtime().block_on(async {
        let note = |name: &'static str, value: &'static str| {
            database.write(move |connection| {
                connection.execute("INSERT INTO notes VALUES (?1, ?2)", [name, value])?;
                // The second time this fails, after something was written.
                connection.execute("INSERT INTO notes VALUES ('once', ?1)", [value]).map(drop)
            })
        };
        // They wait at the same time, so they share a transaction.
        let (first, second, third) = tokio::join!(note("a", "1"), note("b", "2"), database.leave_note("c", "3".into()));
        assert!(first.is_ok() && third.is_ok());
        assert_eq!(second.expect_err("twice").kind, CallErrorKind::Invalid);
    });
    let notes = ["a", "b", "c", "once"].map(|name| database.note(name).expect("reads"));
    assert_eq!(notes, [Some("1".into()), None, Some("3".into()), Some("1".into())]);
}

#[test]
fn everybody_who_asks_at_any_time_is_answered_after_their_own_work() {
    let folder = folder();
    let database = serve(folder.path());
    const EACH: i64 = 300;
    // From several threads, so that work comes while other work is written.
    let askers: Vec<_> = (0..4_i64)
        .map(|asker| {
            let database = database.clone();
            std::thread::spawn(move || {
                runtime().block_on(async {
                    for number in 0..EACH {
                        let name = format!("{asker}/{number}");
                        let answer = database.write(move |connection| {
                            connection.execute("INSERT INTO notes VALUES (?1, '')", [&name]).map(|_| name)
                        });
                        assert_eq!(answer.await.expect("written"), format!("{asker}/{number}"));
                    }
                });
            })
        })
        .collect();
    for asker in askers {
        asker.join().expect("was answered");
    }
    let there: i64 = database
        .read(|connection| connection.query_row("SELECT count(*) FROM notes", [], |row| row.get(0)))
        .expect("reads");
    assert_eq!(there, 4 * EACH);
}

#[test]
fn a_full_disk_is_said_writes_nothing_and_is_over_when_there_is_room() {
    let folder = folder();
    let database = serve(folder.path());
    let objects = SqliteObjects::new(database.clone());
    runtime().block_on(async {
        let most = |pages: i64| {
            database.write(move |connection| {
                connection.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0))
            })
        };
        let pages = most(1).await.expect("as few as there are");
        most(pages + 4).await.expect("a few more");
        // They wait at the same time, so they share a transaction.
        let (small, large) = tokio::join!(
            objects.put("small", "text".into(), Condition::Always),
            objects.put("large", vec![7; 1 << 20].into(), Condition::Always)
        );
        let error = large.expect_err("no room");
        assert!(error.kind == CallErrorKind::Unavailable && error.message.contains("make room"), "{error}");
        assert!(matches!(small, Ok(Written::Done(_))), "{small:?}");
        assert_eq!(objects.list("").await.expect("reads"), ["small"]);
        objects.put("large", vec![7; 1 << 20].into(), Condition::Always).await.expect_err("no room");
        assert_eq!(objects.list("").await.expect("reads"), ["small"]);
        let trouble = database.trouble().expect("that it can be read says nothing of writing");
        assert!(trouble.message.contains("make room"), "{trouble}");
        most(1 << 20).await.expect("room");
        let written = objects.put("large", vec![7; 1 << 20].into(), Condition::Absent).await.expect("writes");
        assert!(matches!(written, Written::Done(_)));
        assert_eq!(database.trouble(), None);
    });
}

#[test]
fn what_is_deleted_is_given_back_to_the_disk_and_a_copy_is_as_large_as_what_is_there() {
    let folder = folder();
    let database = serve(folder.path());
    let objects = SqliteObjects::new(database.clone());
    runtime().block_on(async {
        for number in 0..40 {
            objects
                .put(&format!("archive/{number:02}"), vec![7; 1 << 20].into(), Condition::Always)
                .await
                .expect("writes");
        }
        objects.put("models/m", vec![7; 1 << 20].into(), Condition::Always).await.expect("writes");
        assert_eq!(objects.expire("archive/", jiff::Timestamp::MIN, 100).await, Ok(0), "none is so old");
        assert_eq!(objects.expire("archive/", jiff::Timestamp::MAX, 30).await, Ok(30), "no more than is asked for");
        assert_eq!(objects.expire("archive/", jiff::Timestamp::MAX, 30).await, Ok(10));
        assert_eq!(objects.list("").await.expect("reads"), ["models/m"]);
        assert!(database.size().expect("reads").free > 30 << 20);
        let mut steps = 0;
        while database.give_back(512).await.expect("gives back") {
            steps += 1;
            assert!(steps < 100, "it ends");
        }
        assert!(steps > 1 && database.size().expect("reads").free < 20 << 20);
        let copy = folder.path().join("copy.db");
        database.copy_to(&copy).expect("copies");
        let bytes = fs::metadata(&copy).expect("is there").len();
        assert!((1 << 20..2 << 20).contains(&bytes), "{bytes}");
        database.copy_to(&copy).expect_err("what is there is not written over");
    });
}

#[test]
fn what_is_deleted_and_written_over_is_in_no_byte_of_the_folder() {
    let folder = folder();
    let database = serve(folder.path());
    let objects = SqliteObjects::new(database.clone());
    let secret = |size: usize| b"what a person wrote; ".repeat(size);
    runtime().block_on(async {
        for (number, size) in [1, 10, 1_000, 100_000].into_iter().enumerate() {
            let key = format!("archive/{number}");
            objects.put(&key, secret(size).into(), Condition::Always).await.expect("writes");
            objects
                .put(&format!("archive/{number}/after"), vec![b'.'; 100].into(), Condition::Always)
                .await
                .expect("writes");
        }
        assert!(database.empty_log().expect("writes"));
        objects.put("archive/0", vec![b'.'; 20].into(), Condition::Always).await.expect("writes");
        for number in 1..4 {
            let key = format!("archive/{number}");
            let page = objects.list_versions(&key, None).await.expect("reads");
            let version = page.versions.iter().find(|version| version.key == key).expect("is there");
            objects.delete_version(&key, &version.version_id).await.expect("deletes");
        }
        assert!(database.empty_log().expect("writes"));
    });
    for entry in fs::read_dir(folder.path()).expect("lists") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("reads");
        assert!(!bytes.windows(13).any(|part| part == b"what a person"), "{}", path.display());
    }
}

#[test]
fn a_file_that_another_process_holds_is_waited_for_and_then_said() {
    let folder = folder();
    let database = serve(folder.path());
    let other = Connection::open(file(folder.path())).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("holds");
    let work = |connection: &Connection| connection.execute("INSERT INTO notes VALUES ('a', 'b')", []).map(drop);
    runtime().block_on(async {
        // Not for five seconds, in a test.
        let hurry = "PRAGMA busy_timeout = 20";
        other.execute_batch("COMMIT").expect("lets go");
        database.write(move |connection| connection.execute_batch(hurry)).await.expect("runs");
        other.execute_batch("BEGIN IMMEDIATE").expect("holds");
        let error = database.write(work).await.expect_err("held");
        assert_eq!(error.kind, CallErrorKind::Unavailable);
        assert_eq!(database.note("a").expect("readers wait for nobody"), None);
        other.execute_batch("COMMIT").expect("lets go");
        database.write(work).await.expect("writes");
    });
}

#[test]
fn a_failure_says_what_it_means_for_the_caller() {
    let of = |code| DatabaseError::from(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)).kind;
    use rusqlite::ffi;
    let kinds = [
        (ffi::SQLITE_BUSY, CallErrorKind::Unavailable),
        (ffi::SQLITE_FULL, CallErrorKind::Unavailable),
        (ffi::SQLITE_READONLY, CallErrorKind::Denied),
        (ffi::SQLITE_CORRUPT, CallErrorKind::Denied),
        (ffi::SQLITE_IOERR, CallErrorKind::OutcomeUnknown),
        (ffi::SQLITE_CONSTRAINT, CallErrorKind::Invalid),
    ];
    for (code, kind) in kinds {
        assert_eq!(of(code), kind, "{code}");
    }
}
