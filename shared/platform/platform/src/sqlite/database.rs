use std::fmt;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use modstream_telemetry::data_file_failed;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use tokio::sync::Notify;

use super::lock::Lock;
use super::schema;
use super::writer::Writer;
use super::{DatabaseError, Now, OpenError};
use crate::CallErrorKind;

/// The file in its folder. SQLite puts `-wal` and `-shm` beside it.
const FILE: &str = "modstream.db";
/// How long a write waits for another process, which holds the file for one transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Large enough that a page holds some events.
const PAGE_BYTES: u32 = 8 << 10;
/// What the write-ahead log is cut back to once it has been carried over.
const MAX_LOG_BYTES: u32 = 64 << 20;
/// The most memory of a connection's pages.
const CACHE_KIB: i32 = 4 << 10;
/// Connections that are kept for the next reader.
const IDLE_READERS: usize = 4;
/// Statements that are kept prepared, a connection.
const STATEMENTS: usize = 64;

/// What a process opens the file for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To run the functions on it: it makes what is not there yet, and there is one at a time.
    Serve,
    /// To work beside whoever serves it, or while nobody does. There must be something to work on.
    Beside,
}

/// How often it is looked whether another process wrote: nobody tells.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Free space that is kept in the file: it would be asked for again.
const MIN_FREE_BYTES: u64 = 16 << 20;

/// The size of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// The bytes of the file.
    pub bytes: u64,
    /// The bytes of it that hold nothing.
    pub free: u64,
}

/// What went wrong last, each until it goes well again: who can read may not be able to write.
#[derive(Default)]
struct Trouble {
    reading: Mutex<Option<DatabaseError>>,
    writing: Mutex<Option<DatabaseError>>,
}

/// A data folder's file. Clones are handles to the same.
#[derive(Clone)]
pub struct Database {
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    path: PathBuf,
    // The writer ends before the lock is given back: fields are dropped in this order.
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
    /// Told after each commit of this process.
    written: Arc<Notify>,
    now: Now,
    trouble: Trouble,
    _lock: Option<Lock>,
}

impl fmt::Debug for Database {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_tuple("Database").field(&self.shared.path).finish()
    }
}

impl Database {
    /// Opens the file of a folder.
    ///
    /// # Errors
    /// [`OpenError`] says what to do: it is nobody's to guess what a file holds that is damaged, or of a newer version.
    pub fn open(folder: &Path, role: Role) -> Result<Self, OpenError> {
        Self::open_at(folder, role, Arc::new(Timestamp::now))
    }

    /// The same, with a clock of one's own.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_at(folder: &Path, role: Role, now: Now) -> Result<Self, OpenError> {
        let path = folder.join(FILE);
        let in_folder = |error| OpenError::Folder { path: folder.to_owned(), error };
        let lock = match role {
            Role::Serve => {
                make_folder(folder).map_err(in_folder)?;
                Some(Lock::take(folder)?)
            }
            Role::Beside => None,
        };
        match (fs::metadata(&path), role) {
            (Ok(found), _) if found.len() == 0 => return Err(OpenError::Empty { path }),
            (Ok(_), _) => {}
            (Err(error), Role::Serve) if error.kind() == io::ErrorKind::NotFound => make(folder, &path)?,
            (Err(error), Role::Beside) if error.kind() == io::ErrorKind::NotFound => {
                return Err(OpenError::Missing { folder: folder.to_owned() });
            }
            (Err(error), _) => return Err(OpenError::Folder { path, error }),
        }
        let in_file = |error: rusqlite::Error| OpenError::Database { path: path.clone(), error: error.into() };
        let mut connection = connect(&path).map_err(|error| schema::unreadable(&path, error))?;
        if schema::form(&connection, &path)? < schema::NEWEST {
            // Of two commands at once one waits, and finds nothing to do.
            let _while_nobody_serves = match (&lock, Lock::is_held(folder)) {
                (None, Ok(false)) => Some(Lock::take(folder)?),
                (None, Ok(true)) => return Err(OpenError::Older { path }),
                (None, Err(error)) => return Err(in_folder(error)),
                (Some(_), _) => None,
            };
            schema::bring_up_to_date(&mut connection).map_err(in_file)?;
        }
        let mode: String =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(in_file)?;
        if mode != "wal" {
            let message = format!("SQLite can't keep a write-ahead log there ({mode}): is the folder on a network?");
            let error = DatabaseError { kind: CallErrorKind::Denied, message };
            return Err(OpenError::Database { path, error });
        }
        let written = Arc::new(Notify::new());
        let writer = Writer::start(connection, Arc::clone(&written)).map_err(in_folder)?;
        let (readers, trouble) = (Mutex::default(), Trouble::default());
        let shared = Shared { folder: folder.to_owned(), path, writer, readers, written, now, trouble, _lock: lock };
        Ok(Database { shared: Arc::new(shared) })
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Copies the file as it is at one moment into a new one, without what is free in it. Others go on meanwhile.
    ///
    /// # Errors
    /// Where the copy can't be written.
    pub fn copy_to(&self, path: &Path) -> Result<(), DatabaseError> {
        let failed = |error: io::Error| DatabaseError { kind: CallErrorKind::Denied, message: error.to_string() };
        let Some(text) = path.to_str() else {
            return Err(failed(io::Error::other("the path is no UTF-8, which SQLite needs")));
        };
        // Before anything is in it, it is its owner's alone.
        create_private(path).map_err(failed)?;
        connect(&self.shared.path)?.execute("VACUUM INTO ?1", [text])?;
        OpenOptions::new().write(true).open(path).and_then(|file| file.sync_all()).map_err(failed)
    }

    /// Whether a process serves the folder now: this one or another.
    ///
    /// # Errors
    /// Where the folder's lock can't be looked at.
    pub fn is_served(&self) -> io::Result<bool> {
        Ok(self.shared._lock.is_some() || Lock::is_held(&self.shared.folder)?)
    }

    /// Has work done by the one connection that writes, within a transaction, and returns once it is on the disk. Work that waits
    /// at the same time shares the transaction, and what it wrote before is seen. Of work that returns an error nothing stays.
    ///
    /// The work must be short: all others wait for it. It goes on where the future is dropped.
    ///
    /// # Errors
    /// Where the work failed, or the commit.
    pub async fn write<T, W>(&self, work: W) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let done = self.shared.writer.write(work).await;
        self.note_trouble(&self.shared.trouble.writing, done.as_ref().err());
        done
    }

    /// Reads what is committed. It runs where it is called: what is asked for by key takes microseconds, and longer work is split,
    /// or belongs on a thread of its own.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, DatabaseError> {
        let read = self.read_now(work);
        self.note_trouble(&self.shared.trouble.reading, read.as_ref().err());
        read
    }

    fn read_now<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, DatabaseError> {
        let idle = self.readers().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let connection = connect(&self.shared.path)?;
                // What reads must not wait for the writer, and can't where it does not write.
                connection.pragma_update(None, "query_only", true)?;
                connection
            }
        };
        let read = work(&connection)?;
        let mut readers = self.readers();
        if readers.len() < IDLE_READERS {
            readers.push(connection);
        }
        Ok(read)
    }

    /// Returns once `is_so` is true, which is asked now, after each commit of this process, and often enough to see what others
    /// commit.
    pub async fn changed(&self, mut is_so: impl FnMut() -> bool) {
        loop {
            // From here on a commit is heard.
            let written = self.shared.written.notified();
            if is_so() {
                return;
            }
            tokio::select! {
                () = written => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// How large the file is.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn size(&self) -> Result<Size, DatabaseError> {
        self.read(|connection| {
            let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
            let page = number("page_size")?;
            Ok(Size { bytes: number("page_count")? * page, free: number("freelist_count")? * page })
        })
    }

    /// Gives up to so many free pages of the file back to the disk, where it has more than it will soon use. Returns whether
    /// there is more to give.
    ///
    /// # Errors
    /// Where it can't be written.
    pub async fn give_back(&self, pages: u32) -> Result<bool, DatabaseError> {
        let Size { bytes, free } = self.size()?;
        if free < MIN_FREE_BYTES || free < bytes / 4 {
            return Ok(false);
        }
        let sql = format!("PRAGMA incremental_vacuum({pages})");
        self.write(move |connection| {
            // It gives a page back at each step.
            let mut statement = connection.prepare(&sql)?;
            let mut steps = statement.query([])?;
            while steps.next()?.is_some() {}
            Ok(())
        })
        .await?;
        Ok(true)
    }

    /// Writes what the write-ahead log holds into the file, and empties the log, so that nothing in it is older than what was
    /// deleted last. Returns whether it is empty: who reads or writes meanwhile may keep it from that.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn empty_log(&self) -> Result<bool, DatabaseError> {
        self.read(|connection| {
            let is_busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0))?;
            Ok(!is_busy)
        })
    }

    /// The time at which something is written now.
    pub fn now(&self) -> Timestamp {
        (self.shared.now)()
    }

    /// What is wrong with the file, by the last that was read and the last that was written; none where both went well. Work that is
    /// wrong by itself says nothing of the file.
    pub fn trouble(&self) -> Option<DatabaseError> {
        let Trouble { reading, writing } = &self.shared.trouble;
        let known = |of: &Mutex<Option<DatabaseError>>| of.lock().unwrap_or_else(PoisonError::into_inner).clone();
        known(writing).or_else(|| known(reading))
    }

    fn note_trouble(&self, of: &Mutex<Option<DatabaseError>>, error: Option<&DatabaseError>) {
        let error = error.filter(|error| error.kind != CallErrorKind::Invalid);
        let mut known = of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = error.filter(|error| known.as_ref() != Some(error)) {
            data_file_failed(error);
        }
        // Most often there is none, and none known.
        if known.is_some() || error.is_some() {
            *known = error.cloned();
        }
    }

    /// What a process left for others to know.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn note(&self, name: &str) -> Result<Option<String>, DatabaseError> {
        self.read(|connection| {
            connection.query_row("SELECT value FROM notes WHERE name = ?1", [name], |row| row.get(0)).optional()
        })
    }

    /// Leaves something for other processes to know.
    ///
    /// # Errors
    /// Where it can't be written.
    pub async fn leave_note(&self, name: &str, value: String) -> Result<(), DatabaseError> {
        let name = name.to_owned();
        self.write(move |connection| {
            let sql = "INSERT INTO notes (name, value) VALUES (?1, ?2)
                       ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            connection.execute(sql, params![name, value]).map(drop)
        })
        .await
    }

    fn readers(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.shared.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the folder, for its owner alone: it holds what people wrote, and the key that signs links.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes an empty file that its owner alone may read.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Makes the file under another name and moves it into its place when it is whole, so an empty one is never ours.
fn make(folder: &Path, path: &Path) -> Result<(), OpenError> {
    let part = folder.join(format!("{FILE}.new"));
    let in_folder = |error| OpenError::Folder { path: part.clone(), error };
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(in_folder(error)),
        _ => {}
    }
    create_private(&part).map_err(in_folder)?;
    let made = || -> rusqlite::Result<()> {
        let mut connection = connect(&part)?;
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        schema::begin(&connection)?;
        schema::bring_up_to_date(&mut connection)?;
        connection.close().map_err(|(_, error)| error)
    };
    made().map_err(|error| OpenError::Database { path: part.clone(), error: error.into() })?;
    fs::rename(&part, path).map_err(in_folder)?;
    // Or a power failure could take the name away, and with it all that was written since.
    #[cfg(unix)]
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(in_folder)?;
    Ok(())
}

/// A connection to a file that is there.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // With less, the last answers before a power failure would not hold; work that waits shares the price.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", MAX_LOG_BYTES)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // What is deleted is overwritten: people ask for their words to be gone.
    connection.pragma_update(None, "secure_delete", "ON")?;
    Ok(connection)
}
