//! What the command carries, so that the demo runs from any folder.

use std::path::Path;

use anyhow::Context as _;
use modstream_classifier::artifact::{CARD, Format, Manifest, ModelFiles, TENSORS};
use modstream_classifier::{ByDefault, Label, Model, Score};

use crate::common::args::{HarmArgs, ModelArgs};
use crate::common::usage::Usage;

/// 420 comments written for this project, with verdicts.
pub(crate) const SAMPLE_COMMENTS: &[u8] = include_bytes!("../../../events/samples/comments.jsonl");

/// A model that is built in.
struct Shipped {
    name: &'static str,
    manifest: &'static [u8],
    tensors: &'static [u8],
    card: &'static [u8],
}

/// The models that are built in, the one that is used where none is named first.
const SHIPPED: [Shipped; 2] = [
    Shipped {
        name: "rscience",
        manifest: include_bytes!("../../../models/rscience/manifest.json"),
        tensors: include_bytes!("../../../models/rscience/model.safetensors"),
        card: include_bytes!("../../../models/rscience/card.md"),
    },
    Shipped {
        name: "harm",
        manifest: include_bytes!("../../../models/harm/manifest.json"),
        tensors: include_bytes!("../../../models/harm/model.safetensors"),
        card: include_bytes!("../../../models/harm/card.md"),
    },
];

impl Shipped {
    /// The one that a word names; a path to a folder of that name has more to it, such as `./rscience`.
    fn of(model: Option<&Path>) -> Option<&'static Shipped> {
        match model {
            None => SHIPPED.first(),
            Some(model) => SHIPPED.iter().find(|shipped| model.as_os_str() == shipped.name),
        }
    }

    fn files(&self) -> ModelFiles {
        let others = [(TENSORS, self.tensors), (CARD, self.card)];
        ModelFiles::new(self.manifest.to_vec(), others.map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).into())
    }
}

/// The files of the model that was asked for by name or folder, or of the first one built in.
pub(crate) fn model_files(model: Option<&Path>) -> anyhow::Result<ModelFiles> {
    if let Some(shipped) = Shipped::of(model) {
        return Ok(shipped.files());
    }
    let folder = model.unwrap_or_else(|| Path::new("."));
    ModelFiles::read(folder).with_context(|| {
        let names = SHIPPED.map(|shipped| shipped.name).join(", ");
        format!("{}; the models built in are called {names}", name(model))
    })
}

/// How an error names the model.
pub(crate) fn name(model: Option<&Path>) -> String {
    match (model, Shipped::of(model)) {
        (Some(folder), None) => format!("the model in {}", folder.display()),
        (Some(_), Some(shipped)) => format!("the model {} built in", shipped.name),
        (None, _) => "the model built in".to_owned(),
    }
}

/// The model of these files, which are those of `model`: one of removals, which gives each comment one probability.
///
/// # Errors
/// Where the files are damaged, or the model has labels.
pub(crate) fn check(files: &ModelFiles, model: Option<&Path>) -> anyhow::Result<(Model, Manifest)> {
    let (loaded, manifest) = check_any(files, model)?;
    match manifest.format {
        Format::Removal => Ok((loaded, manifest)),
        Format::Labels => {
            let labels = manifest.heads.iter().map(|head| head.label.as_str()).collect::<Vec<_>>().join(", ");
            anyhow::bail!(
                "{} has labels ({labels}), and no probability that a comment is removed, which this needs; `modstream score` and \
                 `modstream explain` take it",
                name(model)
            )
        }
    }
}

/// The name of the harm model that is built in.
pub(crate) const HARM: &str = "harm";
/// What is written where no harm model is wanted; a folder of that name has more to it, such as `./none`.
const NO_MODEL: &str = "none";

/// The harm model that was asked for, or the one that is built in; none where none is wanted.
///
/// # Errors
/// Where there is no such model, it is damaged, or it has no labels.
pub(crate) fn harm(args: &HarmArgs) -> anyhow::Result<Option<(ModelFiles, Manifest)>> {
    let model = args.harm_model.as_deref().unwrap_or_else(|| Path::new(HARM));
    if model.as_os_str() == NO_MODEL {
        return Ok(None);
    }
    let files = model_files(Some(model))?;
    let (_, manifest) = check_any(&files, Some(model))?;
    anyhow::ensure!(
        manifest.format == Format::Labels,
        "{} says how likely moderators remove a comment, and not how harmful it is: --harm-model takes one with labels, or `none`",
        name(Some(model))
    );
    Ok(Some((files, manifest)))
}

/// The model of these files, which are those of `model`: of removals, or with labels.
///
/// # Errors
/// Where the files are damaged.
pub(crate) fn check_any(files: &ModelFiles, model: Option<&Path>) -> anyhow::Result<(Model, Manifest)> {
    files.load().with_context(|| name(model))
}

/// The model of removals that was asked for, at the base rate that was asked for.
pub(crate) fn load(args: &ModelArgs) -> anyhow::Result<(Model, Manifest)> {
    let model = args.model.as_deref();
    Ok(at_base_rate(check(&model_files(model)?, model)?, args))
}

/// The model that was asked for, of removals or with labels.
///
/// # Errors
/// Where there is no such model, or one with labels is to have one base rate.
pub(crate) fn load_any(args: &ModelArgs) -> anyhow::Result<(Model, Manifest)> {
    let model = args.model.as_deref();
    let loaded = check_any(&model_files(model)?, model)?;
    if loaded.1.format == Format::Labels && args.base_rate.is_some() {
        return Err(Usage::error(format!(
            "{} has a base rate for each of its labels, and --base-rate would be one for all: leave it out",
            name(model)
        )));
    }
    Ok(at_base_rate(loaded, args))
}

fn at_base_rate((model, manifest): (Model, Manifest), args: &ModelArgs) -> (Model, Manifest) {
    match args.base_rate {
        Some(base_rate) => (model.at_base_rate(base_rate), manifest),
        None => (model, manifest),
    }
}

/// The index of the label that a text's probability is of, where a model has several: the one with the highest, of those that
/// count by default; of all, where none does.
pub(crate) fn foremost(model: &Model, scores: &[Score]) -> usize {
    let highest = |counts: &dyn Fn(&Label) -> bool| {
        let labels = model.labels().iter().zip(scores).enumerate().filter(|(_, (label, _))| counts(label));
        // The first of those that are alike.
        labels.rev().max_by(|(_, (_, a)), (_, (_, b))| a.log_odds.0.total_cmp(&b.log_odds.0)).map(|(index, _)| index)
    };
    highest(&|label| label.by_default() == ByDefault::On).or_else(|| highest(&|_| true)).unwrap_or_default()
}
