//! The model in use, and when it changes.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use modstream_classifier::Model;
use modstream_model_store::{ModelStore, Pointer, StoreError};
use modstream_platform::{Clock, ETag, Objects};
use modstream_telemetry::{base_rate_assumed, model_loaded, model_refused};
use tokio::sync::Mutex;

use crate::Config;

/// The pointer is asked for at most this often.
const CHECK_EVERY: Duration = Duration::from_secs(60);
/// A look at the pointer, and a load, take at most this long: the batch waits, and can be scored with the model there is.
const CHECK_TIME: Duration = Duration::from_secs(3);

/// A model, and how predictions name it.
#[derive(Debug)]
pub(crate) struct InUse {
    pub(crate) model: Model,
    pub(crate) name: String,
    pub(crate) version: String,
}

/// The function can't start without a model.
#[derive(Debug, thiserror::Error)]
#[error("no model to score with: {0}")]
pub struct StartError(#[from] StoreError);

#[derive(Debug)]
pub(crate) struct Models<O, C> {
    store: ModelStore<O, C>,
    clock: C,
    base_rate: Option<modstream_classifier::BaseRate>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    in_use: Arc<InUse>,
    tag: ETag,
    checked: Timestamp,
}

impl<O: Objects, C: Clock + Clone> Models<O, C> {
    pub(crate) async fn load(config: &Config, objects: O, clock: C, deadline: Timestamp) -> Result<Self, StartError> {
        let store = ModelStore::new(objects, clock.clone(), config.model_name.clone());
        let pointer = store.current(None, deadline).await?;
        let Pointer::To(current, tag) = pointer else {
            // Nothing was named that it could equal.
            return Err(StoreError::Pointer {
                key: store.pointer_key(),
                detail: "an answer without content".to_owned(),
            }
            .into());
        };
        let in_use = load(&store, &current.version, config.base_rate, deadline).await?;
        if config.base_rate.is_none() {
            base_rate_assumed(in_use.model.base_rate().share());
        }
        let state = State { in_use, tag, checked: clock.now() };
        Ok(Models { store, clock, base_rate: config.base_rate, state: Mutex::new(state) })
    }

    /// The model to score a batch with. Once a minute it looks whether another was promoted; one that can't be loaded is
    /// refused, and looked at again a minute later.
    pub(crate) async fn snapshot(&self, deadline: Timestamp) -> Arc<InUse> {
        let mut state = self.state.lock().await;
        let now = self.clock.now();
        if now.duration_since(state.checked) >= jiff::SignedDuration::try_from(CHECK_EVERY).unwrap_or_default() {
            state.checked = now;
            let check_until = now.checked_add(CHECK_TIME).map_or(deadline, |until| until.min(deadline));
            if let Err(error) = self.refresh(&mut state, check_until).await {
                model_refused(&state.in_use.version, &error.to_string());
            }
        }
        Arc::clone(&state.in_use)
    }

    async fn refresh(&self, state: &mut State, deadline: Timestamp) -> Result<(), StoreError> {
        if let Pointer::To(current, tag) = self.store.current(Some(&state.tag), deadline).await? {
            if current.version != state.in_use.version {
                state.in_use = load(&self.store, &current.version, self.base_rate, deadline).await?;
            }
            state.tag = tag;
        }
        Ok(())
    }
}

async fn load<O: Objects, C: Clock>(
    store: &ModelStore<O, C>,
    version: &str,
    base_rate: Option<modstream_classifier::BaseRate>,
    deadline: Timestamp,
) -> Result<Arc<InUse>, StoreError> {
    let (mut model, manifest) = store.load(version, deadline).await?;
    if let Some(base_rate) = base_rate {
        model = model.at_base_rate(base_rate);
    }
    model_loaded(store.name(), version, model.base_rate().share());
    Ok(Arc::new(InUse { model, name: store.name().to_owned(), version: manifest.version }))
}
