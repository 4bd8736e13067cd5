//! The corpus object, read once and again when it changes.

use std::io::Cursor;
use std::sync::Arc;

use jiff::Timestamp;
use modstream_corpus::{Comment, OpenError, Reader, RowErrorKind};
use modstream_platform::deliver::{DeliveryError, get};
use modstream_platform::{Clock, ETag, Fetched, Objects};
use tokio::sync::Mutex;

/// Why the corpus can't be read. Nothing is sent then.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// The bucket has no such object.
    #[error("the bucket has no object {key}: put sample comments there")]
    Missing {
        /// The object's key.
        key: String,
    },
    /// The object is no file of comments. The message begins with its key.
    #[error(transparent)]
    Unreadable(#[from] OpenError),
    /// The corpus has a bad record.
    #[error("{key}, line {line}: {kind}; correct or remove the line")]
    BadRow {
        /// The object's key.
        key: String,
        /// The record's first line.
        line: u64,
        /// What is wrong with the record.
        kind: RowErrorKind,
    },
    /// A call failed.
    #[error("{key}: {error}")]
    Delivery {
        /// The object's key.
        key: String,
        /// Why the call failed.
        error: DeliveryError,
    },
}

type Rows = Arc<[Comment<'static>]>;

#[derive(Debug, Default)]
pub(crate) struct Corpus(Mutex<Option<(ETag, Rows)>>);

impl Corpus {
    pub(crate) async fn rows<O: Objects, C: Clock>(
        &self,
        objects: &O,
        clock: &C,
        key: &str,
        deadline: Timestamp,
    ) -> Result<Rows, CorpusError> {
        let mut cached = self.0.lock().await;
        let known = cached.as_ref().map(|(etag, _)| etag);
        let fetched = get(objects, clock, deadline, key, known)
            .await
            .map_err(|error| CorpusError::Delivery { key: key.to_owned(), error })?;
        match (fetched, &*cached) {
            (Fetched::Object { bytes, etag }, _) => {
                let rows = parse(key, bytes)?;
                *cached = Some((etag, Arc::clone(&rows)));
                Ok(rows)
            }
            (Fetched::NotModified, Some((_, rows))) => Ok(Arc::clone(rows)),
            (Fetched::NotModified | Fetched::Missing, _) => Err(CorpusError::Missing { key: key.to_owned() }),
        }
    }
}

fn parse(key: &str, bytes: Vec<u8>) -> Result<Rows, CorpusError> {
    let reader = Reader::from_read(key, Cursor::new(bytes))?;
    reader
        .map(|row| {
            row.map(|row| row.comment).map_err(|error| CorpusError::BadRow {
                key: key.to_owned(),
                line: error.line,
                kind: error.kind,
            })
        })
        .collect()
}
