//! What the command carries, so that the demo runs from any folder.

use std::path::Path;

use anyhow::Context as _;
use modstream_classifier::Model;
use modstream_classifier::artifact::{CARD, Manifest, ModelFiles, TENSORS};

use crate::common::args::ModelArgs;

/// 420 comments written for this project, with verdicts.
pub(crate) const SAMPLE_COMMENTS: &[u8] = include_bytes!("../../../events/samples/comments.jsonl");

fn shipped() -> ModelFiles {
    let manifest = include_bytes!("../../../models/rscience/manifest.json");
    let tensors = include_bytes!("../../../models/rscience/model.safetensors");
    let card = include_bytes!("../../../models/rscience/card.md");
    ModelFiles::new(manifest.to_vec(), vec![(TENSORS.to_owned(), tensors.to_vec()), (CARD.to_owned(), card.to_vec())])
}

/// The files of the model that was asked for, or of the one built in.
pub(crate) fn model_files(folder: Option<&Path>) -> anyhow::Result<ModelFiles> {
    match folder {
        None => Ok(shipped()),
        Some(folder) => ModelFiles::read(folder).with_context(|| name(Some(folder))),
    }
}

/// How an error names the model.
pub(crate) fn name(folder: Option<&Path>) -> String {
    folder.map_or_else(|| "the model built in".to_owned(), |folder| format!("the model in {}", folder.display()))
}

/// The model of these files, which are those of `folder`.
pub(crate) fn check(files: &ModelFiles, folder: Option<&Path>) -> anyhow::Result<(Model, Manifest)> {
    files.load().with_context(|| name(folder))
}

/// The model that was asked for, at the base rate that was asked for.
pub(crate) fn load(args: &ModelArgs) -> anyhow::Result<(Model, Manifest)> {
    let folder = args.model.as_deref();
    let (mut model, manifest) = check(&model_files(folder)?, folder)?;
    if let Some(base_rate) = args.base_rate {
        model = model.at_base_rate(base_rate);
    }
    Ok((model, manifest))
}
