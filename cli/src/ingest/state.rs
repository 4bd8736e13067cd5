//! How far a source has come: a file that is written whole, by one process.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The version of the file's form.
const FORMAT: u32 = 1;

/// A place in a source, behind which it goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cursor {
    /// A time of a stream, in microseconds since 1970.
    Time(i64),
    /// The newest status of a timeline.
    Status(String),
    /// The newest post of a list, and what was told of those before it, by their numbers.
    Posts { newest: u64, told: BTreeMap<u64, String> },
}

impl Cursor {
    /// Whether it lies before another one, as far as places of their kind say their order.
    pub(super) fn is_before(&self, other: &Self) -> bool {
        match (self, other) {
            (Cursor::Time(this), Cursor::Time(other)) => this < other,
            (Cursor::Status(this), Cursor::Status(other)) => {
                // Ids of Mastodon's are numbers that grow; others' have another order, or none.
                let is_number = |id: &str| id.bytes().all(|byte| byte.is_ascii_digit());
                is_number(this) && is_number(other) && (this.len(), this) < (other.len(), other)
            }
            _ => false,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Written {
    format: u32,
    /// Which source it is a place in: the protocol and the server.
    source: String,
    cursor: Cursor,
}

/// Why a state can't be worked with.
#[derive(Debug, thiserror::Error)]
pub(super) enum StateError {
    #[error("{path} can't be {done}: {error}")]
    Io { path: PathBuf, done: &'static str, error: io::Error },
    #[error("another `modstream ingest` works with {0}: each needs a --state of its own")]
    InUse(PathBuf),
    #[error(
        "{0} is no state of `modstream ingest`, or it is damaged: name another file, or move it away to begin at now (--since \
         says an earlier time)"
    )]
    Damaged(PathBuf),
    #[error("{path} is of format {format}, and this modstream reads {FORMAT}: it was written by a newer one")]
    Newer { path: PathBuf, format: u64 },
    #[error("{path} is the state of {found}, and this is {wanted}: name another file")]
    OfAnother { path: PathBuf, found: String, wanted: String },
}

/// A state that nobody else works with meanwhile.
#[derive(Debug)]
pub(super) struct State {
    path: PathBuf,
    source: String,
    /// Locked until it is dropped, or the process ends in whatever way.
    _lock: File,
}

impl State {
    /// Opens the state of a source, and says how far that came; none where it has none yet.
    pub(super) fn open(path: &Path, source: &str) -> Result<(Self, Option<Cursor>), StateError> {
        let beside = beside(path, "lock");
        let io = |done, path: &Path| {
            let path = path.to_owned();
            move |error| StateError::Io { path, done, error }
        };
        if path.file_name().is_none() || path.is_dir() {
            return Err(io("written", path)(io::ErrorKind::IsADirectory.into()));
        }
        // Not the file itself: another one takes its place with each write.
        let lock =
            File::options().create(true).truncate(false).write(true).open(&beside).map_err(io("written", &beside))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StateError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(io("locked", &beside)(error)),
        }
        let state = State { path: path.to_owned(), source: source.to_owned(), _lock: lock };
        let cursor = match fs::read(path) {
            Ok(bytes) => Some(state.read(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io("read", path)(error)),
        };
        Ok((state, cursor))
    }

    fn read(&self, bytes: &[u8]) -> Result<Cursor, StateError> {
        let path = || self.path.clone();
        let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|_| StateError::Damaged(path()))?;
        let format = value["format"].as_u64().ok_or_else(|| StateError::Damaged(path()))?;
        if format != u64::from(FORMAT) {
            return Err(StateError::Newer { path: path(), format });
        }
        let Written { source, cursor, .. } = serde_json::from_value(value).map_err(|_| StateError::Damaged(path()))?;
        if source != self.source {
            return Err(StateError::OfAnother { path: path(), found: source, wanted: self.source.clone() });
        }
        Ok(cursor)
    }

    /// Writes how far the source has come. What stood there stands until the new is on the disk.
    pub(super) fn write(&self, cursor: &Cursor) -> Result<(), StateError> {
        let written = Written { format: FORMAT, source: self.source.clone(), cursor: cursor.clone() };
        // Its parts are texts and numbers.
        let mut line = serde_json::to_vec(&written).unwrap_or_default();
        line.push(b'\n');
        let part = beside(&self.path, "part");
        let replace = || {
            let mut file = File::create(&part)?;
            file.write_all(&line)?;
            file.sync_all()?;
            fs::rename(&part, &self.path)?;
            // The name must be on the disk, too. Where a folder can't be opened, as on Windows, there is nothing to do.
            let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            File::open(folder).map_or(Ok(()), |folder| folder.sync_all())
        };
        replace().map_err(|error| StateError::Io { path: self.path.clone(), done: "written", error })
    }
}

/// The path of a file beside another one.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_there_again_and_one_works_with_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("bluesky.json");
        let open = || State::open(&path, "bluesky wss://a.example");
        let (state, cursor) = open().expect("opens");
        assert_eq!(cursor, None);
        for cursor in [
            Cursor::Time(1_767_607_500_000_000),
            Cursor::Status("115".to_owned()),
            Cursor::Posts { newest: 7, told: BTreeMap::from([(7, "1+a".to_owned())]) },
        ] {
            state.write(&cursor).expect("writes");
            assert!(matches!(open(), Err(StateError::InUse(_))));
            assert_eq!(state.read(&fs::read(&path).expect("reads")).expect("is whole"), cursor);
        }
        drop(state);
        assert!(matches!(open(), Ok((_, Some(Cursor::Posts { newest: 7, .. })))));
    }

    #[test]
    fn places_know_their_order_where_they_have_one() {
        let status = |id: &str| Cursor::Status(id.to_owned());
        assert!(Cursor::Time(1).is_before(&Cursor::Time(2)) && !Cursor::Time(2).is_before(&Cursor::Time(2)));
        assert!(status("9").is_before(&status("10")) && !status("10").is_before(&status("9")));
        assert!(!status("AbC").is_before(&status("AbD")) && !Cursor::Time(1).is_before(&status("2")));
    }

    #[test]
    fn a_write_that_fails_or_is_cut_short_leaves_what_was_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state");
        let (state, _) = State::open(&path, "s").expect("opens");
        state.write(&Cursor::Time(1)).expect("writes");
        // As by a process that was killed while it wrote.
        fs::write(beside(&path, "part"), "{\"format\":1,\"sou").expect("writes");
        assert_eq!(state.read(&fs::read(&path).expect("reads")).expect("is whole"), Cursor::Time(1));
        state.write(&Cursor::Time(2)).expect("writes over it");
        fs::create_dir(beside(&path, "part")).expect("made");
        assert!(matches!(state.write(&Cursor::Time(3)), Err(StateError::Io { done: "written", .. })));
        assert_eq!(state.read(&fs::read(&path).expect("reads")).expect("is whole"), Cursor::Time(2));
    }

    #[test]
    fn what_is_no_state_of_this_source_is_left_as_it_is_and_says_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state");
        for (content, says) in [
            ("", "damaged"),
            ("{\"format\":1", "damaged"),
            ("{\"format\":1,\"source\":\"s\"}", "damaged"),
            ("{\"format\":1,\"source\":\"s\",\"cursor\":{\"time\":\"x\"}}", "damaged"),
            ("{\"format\":2,\"source\":\"s\",\"cursor\":{\"place\":1}}", "newer"),
            ("{\"format\":1,\"source\":\"other\",\"cursor\":{\"time\":1}}", "the state of other"),
        ] {
            fs::write(&path, content).expect("writes");
            let error = State::open(&path, "s").expect_err("refused").to_string();
            assert!(error.contains(says), "{content}: {error}");
            assert_eq!(fs::read_to_string(&path).expect("reads"), content);
        }
        assert!(matches!(State::open(folder.path(), "s"), Err(StateError::Io { .. })));
        let nowhere = folder.path().join("none/state");
        assert!(matches!(State::open(&nowhere, "s"), Err(StateError::Io { .. })));
    }
}
