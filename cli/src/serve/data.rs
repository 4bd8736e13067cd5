//! What lies in a data folder, for whoever serves it and for commands beside.

use std::path::Path;

use jiff::SignedDuration;
use modstream_intake::identity;
use modstream_ledger::SCHEMA;
use modstream_platform::sqlite::{
    Database, DatabaseError, Role, SqliteObjects, SqliteSecrets, SqliteStream, SqliteTable, SqliteTopic,
};

/// The secret that signs links.
pub(crate) const LINK_KEY: &str = "link-key";
/// The note that says where the desk is.
pub(crate) const DESK_URL: &str = "desk-url";
/// The note that says which models are scored with, by their name.
pub(crate) const MODEL_NAME: &str = "model-name";

/// The note that says which harm models are scored with, by their name; empty where none are.
pub(crate) const HARM_MODEL_NAME: &str = "harm-model-name";

/// The note that says for how many hours streams keep what is done with.
pub(crate) const KEEP_HOURS: &str = "keep-hours";

/// What the table is called in the file.
const TABLE: &str = "system";

/// How many alerts are on their way at once, each waiting for the disk: as many shards predictions have.
const PREDICTION_SHARDS: usize = 4;

/// The streams, the table, the bucket, the topics and the secrets of a data folder.
#[derive(Clone, Debug)]
pub(crate) struct DataFolder {
    pub(crate) database: Database,
    pub(crate) table: SqliteTable,
    pub(crate) objects: SqliteObjects,
    pub(crate) secrets: SqliteSecrets,
    pub(crate) comments: SqliteStream,
    pub(crate) predictions: SqliteStream,
    pub(crate) decisions: SqliteStream,
    pub(crate) alerts: SqliteTopic,
    pub(crate) digests: SqliteTopic,
}

/// Has a write beyond the system's limit on the size of a file fail, as on a full disk. By itself the system ends the process.
/// It must run within a runtime.
fn report_limits() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        // Once somebody has listened, the signal does nothing else. Where it can't be listened to, all is as it was.
        let _ = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()));
    }
}

impl DataFolder {
    /// Opens a folder.
    ///
    /// # Errors
    /// Where it can't be worked with; the error says what to do.
    pub(crate) async fn open(folder: &Path, role: Role) -> anyhow::Result<Self> {
        report_limits();
        let database = Database::open(folder, role)?;
        Ok(Self::of(database).await?)
    }

    async fn of(database: Database) -> Result<Self, DatabaseError> {
        Ok(DataFolder {
            table: SqliteTable::open(database.clone(), TABLE, SCHEMA).await?,
            objects: SqliteObjects::new(database.clone()),
            secrets: SqliteSecrets::new(database.clone()),
            comments: SqliteStream::open(&database, "comments", 1).await?,
            predictions: SqliteStream::open(&database, "predictions", PREDICTION_SHARDS).await?,
            decisions: SqliteStream::open(&database, "decisions", 1).await?,
            alerts: SqliteTopic::open(&database, "alerts").await?,
            digests: SqliteTopic::open(&database, "digests").await?,
            database,
        })
    }

    /// The stream of comments for whoever sends some: what it holds is not added again.
    pub(crate) fn comments_taken_once(&self) -> SqliteStream {
        self.comments.identified_by(identity::of_record)
    }

    /// How long streams keep what is done with, as whoever serves the folder last said.
    pub(crate) fn keeps_for(&self) -> Result<SignedDuration, DatabaseError> {
        let hours = self.database.note(KEEP_HOURS)?.and_then(|hours| hours.parse().ok());
        Ok(SignedDuration::from_hours(hours.unwrap_or(24)))
    }

    /// Every stream, by its name; a topic's is its outbox.
    pub(crate) fn streams(&self) -> [(&'static str, &SqliteStream); 5] {
        [
            ("comments", &self.comments),
            ("predictions", &self.predictions),
            ("decisions", &self.decisions),
            ("alerts", self.alerts.outbox()),
            ("digests", self.digests.outbox()),
        ]
    }
}
