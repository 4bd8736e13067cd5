use std::path::Path;
use std::time::Duration;

use modstream_classifier::LogOdds;
use modstream_classifier::artifact::{self, MANIFEST, Manifest, ModelFiles, TENSORS};
use modstream_in_use::models::ModelStore;
use modstream_platform::Clock;

use crate::world::World;

/// The model that scenarios score with.
pub const MODEL_NAME: &str = "rscience";

/// The project's pretrained model.
pub fn model_files() -> ModelFiles {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(MODEL_NAME);
    ModelFiles::read(folder).expect("the model is there")
}

/// The name of the harm models that scenarios score with.
pub const HARM_MODEL_NAME: &str = "harm";

/// The project's harm model.
pub fn harm_files() -> ModelFiles {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(HARM_MODEL_NAME);
    ModelFiles::read(folder).expect("the model is there")
}

/// A model of another version that gives every text log-odds higher by `more`.
pub fn harsher(files: &ModelFiles, more: f64) -> ModelFiles {
    rewritten(files, |manifest| {
        for head in &mut manifest.heads {
            head.calibration.intercept += more;
        }
        for probability in manifest.golden.iter_mut().flat_map(|golden| &mut golden.probabilities) {
            *probability = LogOdds(LogOdds::of(*probability).0 + more).probability();
        }
    })
}

/// A model of another version that scores the same.
pub fn renamed(files: &ModelFiles, name: &str) -> ModelFiles {
    rewritten(files, |manifest| name.clone_into(&mut manifest.name))
}

fn rewritten(files: &ModelFiles, change: impl FnOnce(&mut Manifest)) -> ModelFiles {
    let file = |wanted: &str| files.iter().find(|(name, _)| *name == wanted).expect("a model has it").1;
    let mut manifest = Manifest::from_bytes(file(MANIFEST)).expect("a manifest");
    let vocabulary = manifest.vocabulary(file(TENSORS)).expect("arrays");
    change(&mut manifest);
    let folder = tempfile::tempdir().expect("a temporary folder");
    artifact::write(folder.path(), manifest, &vocabulary, |_| "A card.\n".to_owned()).expect("a sound model");
    ModelFiles::read(folder.path()).expect("what was written")
}

/// Pushes a model and promotes it as the one that comments are scored with; its version.
pub async fn install<W: World>(world: &W, files: &ModelFiles) -> String {
    install_as(world, files, MODEL_NAME).await
}

/// Pushes a model and promotes it under a name; its version.
pub async fn install_as<W: World>(world: &W, files: &ModelFiles, name: &str) -> String {
    let store = ModelStore::new(world.objects(), world.clock(), name);
    let deadline = world.clock().now() + Duration::from_secs(60);
    let version = store.push(files, deadline).await.expect("pushes").version;
    store.promote(&version, deadline).await.expect("promotes");
    version
}
