use std::io;
use std::path::PathBuf;

use rusqlite::ffi::ErrorCode;

use crate::{CallError, CallErrorKind};

/// Why there is no [`Database`](super::Database) to work with. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder can't be made, or holds something that can't be reached.
    #[error("{path} can't be used: {error}")]
    Folder {
        /// The folder, or the file in it.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// There is no data in the folder.
    #[error("{folder} holds no data of modstream: `modstream serve --data {folder}` begins it")]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// Another process serves the folder.
    #[error(
        "modstream serves {folder} already{}: end that one first, or name another folder with --data",
        .process.map(|id| format!(", as process {id}")).unwrap_or_default()
    )]
    Served {
        /// The folder.
        folder: PathBuf,
        /// The other process, where it is known.
        process: Option<u32>,
    },
    /// The file is there, and empty.
    #[error(
        "{path} is empty, and was not when modstream made it: put a backup in its place, or move it and its `-wal` away to \
         begin anew"
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("{path} is no data of modstream: {found}; name another folder with --data, or put a backup in its place")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is, as far as one can tell.
        found: &'static str,
    },
    /// A later version of modstream made the file.
    #[error(
        "{path} was written by a newer modstream (its form is {found}, this one reads up to {known}): run the newer one, or \
         put back the backup of before the update"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The form of the file.
        found: i64,
        /// The newest form that this version reads.
        known: i64,
    },
    /// The file has to be brought to this version's form, and a process of the earlier version works on it.
    #[error(
        "{path} has the form of an earlier modstream, which is running on it: restart `modstream serve` with this version, \
         then run the command again"
    )]
    Older {
        /// The file.
        path: PathBuf,
    },
    /// The file can't be worked with.
    #[error("{path} can't be opened: {error}")]
    Database {
        /// The file.
        path: PathBuf,
        /// The cause, with what to do.
        error: DatabaseError,
    },
}

/// Work on the file that failed. The message says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DatabaseError {
    /// What the failure means for the caller.
    pub kind: CallErrorKind,
    /// What went wrong, and what to do.
    pub message: String,
}

impl DatabaseError {
    pub(super) fn ended() -> Self {
        DatabaseError {
            kind: CallErrorKind::OutcomeUnknown,
            message: "the thread that writes has ended: restart the process".to_owned(),
        }
    }

    /// The failure as that of a call to a service that this world stands for.
    pub fn of_call(self, service: &'static str, operation: &'static str) -> CallError {
        CallError { service, operation, kind: self.kind, message: self.message }
    }
}

impl From<&rusqlite::Error> for DatabaseError {
    fn from(error: &rusqlite::Error) -> Self {
        let said = |kind, what_to_do: &str| DatabaseError { kind, message: format!("{error}: {what_to_do}") };
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => said(
                CallErrorKind::Unavailable,
                "another process has held the file for seconds; it is tried again, and `lsof` says which process it is",
            ),
            Some(ErrorCode::DiskFull) => {
                said(CallErrorKind::Unavailable, "make room on the disk of the data folder; nothing was half written")
            }
            Some(ErrorCode::OutOfMemory) => said(CallErrorKind::Unavailable, "the machine is out of memory"),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => said(
                CallErrorKind::Denied,
                "the data folder and the files in it must belong to the user that runs modstream, on a disk that can be written",
            ),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => said(
                CallErrorKind::Denied,
                "the file is damaged or cut short: end modstream, and put a backup in its place",
            ),
            Some(ErrorCode::SystemIoFailure | ErrorCode::FileLockingProtocolFailed) => said(
                CallErrorKind::OutcomeUnknown,
                "the disk fails, a quota or a limit on the size of files is reached, or it is a network folder, where SQLite can't \
                 work: look at the system's log",
            ),
            _ => DatabaseError { kind: CallErrorKind::Invalid, message: error.to_string() },
        }
    }
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        DatabaseError::from(&error)
    }
}
