//! `models/rscience`: as `modstream train --input rscience_train.csv` makes it.

use std::path::Path;

use anyhow::Context as _;
use modstream_corpus::Reader;
use modstream_trainer::{DEFAULT_MEMORY, LabelledComments, default_settings, train};

use super::Change;

/// What the card says of the comments.
const ABOUT: &str = include_str!("rscience.md");

/// Trains the model into a folder.
pub(super) fn train_into(texts: &Path, folder: &Path, change: Change) -> anyhow::Result<()> {
    let mut comments = LabelledComments::default();
    for row in Reader::open(texts)?.step_by(change.one_in.get()) {
        let row = row.map_err(|error| anyhow::anyhow!("{}: line {}: {error}", texts.display(), error.line))?;
        let (Some(text), Some(removed)) = (row.comment.body.as_deref(), row.removed) else {
            anyhow::bail!("{}: line {} has no text or no verdict", texts.display(), row.line);
        };
        comments.push_text(text, removed);
    }
    let trained = train(&comments, "rscience", default_settings(), DEFAULT_MEMORY, &|_| ())?;
    trained.write(folder, Some(ABOUT)).context("models/rscience")?;
    Ok(())
}
