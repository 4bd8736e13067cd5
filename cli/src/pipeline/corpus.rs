//! Comments as the object that the generator reads.

use std::path::Path;

use modstream_corpus::{ReadOptions, Reader};

use crate::common::input;
use crate::common::progress::Progress;
use crate::model::embedded::SAMPLE_COMMENTS;

/// Rows to send, as JSON Lines.
pub(crate) struct Corpus {
    pub(crate) bytes: Vec<u8>,
    pub(crate) rows: u64,
}

impl Corpus {
    /// The first rows of a file, or of the sample comments: no more is held than is sent.
    pub(crate) fn read(from: Option<&Path>, options: ReadOptions, most: u64) -> anyhow::Result<Self> {
        let (name, reader) = match from {
            Some(path) => (input::name(path), input::comments(path, options)?),
            None => ("the sample comments".to_owned(), Reader::from_read("the sample comments", SAMPLE_COMMENTS)?),
        };
        let mut corpus = Corpus { bytes: Vec::new(), rows: 0 };
        let progress = Progress::new("reading comments", None);
        for row in reader.take(usize::try_from(most).unwrap_or(usize::MAX)) {
            let row = row.map_err(|error| anyhow::anyhow!("{name}, line {}: {error}", error.line))?;
            serde_json::to_writer(&mut corpus.bytes, &row.comment)?;
            corpus.bytes.push(b'\n');
            corpus.rows += 1;
            progress.step();
        }
        progress.finish();
        anyhow::ensure!(corpus.rows > 0, "{name}: there are no comments in it");
        Ok(corpus)
    }
}
