//! The policies in use, and when they change.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use modstream_platform::{Clock, ETag, Objects};
use modstream_policy::Policies;
use modstream_telemetry::{policy_loaded, policy_refused};
use tokio::sync::Mutex;

use crate::{Pointer, PolicyStore, StoreError};

/// The pointer is asked for at most this often.
const CHECK_EVERY: SignedDuration = SignedDuration::from_secs(30);
/// A look at the pointer, and a load, take at most this long: the batch waits, and there are policies to go on with.
const CHECK_TIME: Duration = Duration::from_secs(3);

/// What versions are called where the bucket has no document.
const ENVIRONMENT: &str = "environment";

/// Policies, and their version.
#[derive(Debug)]
pub struct InUse {
    /// The policies.
    pub policies: Policies,
    /// Their SHA-256; `environment` where the bucket has no document.
    pub version: String,
}

/// Policies that change when others are pushed.
#[derive(Debug)]
pub struct Following {
    without_document: Arc<InUse>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    in_use: Arc<InUse>,
    tag: Option<ETag>,
    /// None until the bucket has answered once.
    checked: Option<Timestamp>,
}

impl State {
    fn put(&mut self, policies: Policies, version: String) {
        policy_loaded(&version, &policies.name);
        self.in_use = Arc::new(InUse { policies, version });
    }
}

impl Following {
    /// Follows a bucket's document; `without_document` is for a bucket that has none.
    pub fn new(without_document: Policies) -> Self {
        let without_document = Arc::new(InUse { policies: without_document, version: ENVIRONMENT.to_owned() });
        let state = State { in_use: Arc::clone(&without_document), tag: None, checked: None };
        Following { without_document, state: Mutex::new(state) }
    }

    /// The policies for a batch. Every half minute it looks whether others were pushed; those that can't be used are refused,
    /// and looked at again half a minute later.
    ///
    /// # Errors
    /// Where it is not known yet whether the bucket has a document: whoever guessed might alert by other rules.
    pub async fn snapshot<O: Objects, C: Clock>(
        &self,
        objects: &O,
        clock: &C,
        deadline: Timestamp,
    ) -> Result<Arc<InUse>, StoreError> {
        let mut state = self.state.lock().await;
        let now = clock.now();
        if state.checked.is_none_or(|checked| now.duration_since(checked) >= CHECK_EVERY) {
            let is_first = state.checked.is_none();
            let check_until = now.checked_add(CHECK_TIME).map_or(deadline, |until| until.min(deadline));
            let until = if is_first { deadline } else { check_until };
            if let Err(error) = self.refresh(&mut state, PolicyStore::new(objects, clock, until)).await {
                if is_first && matches!(error, StoreError::Delivery(_)) {
                    return Err(error);
                }
                policy_refused(&state.in_use.version, &error.to_string());
            }
            state.checked = Some(now);
        }
        Ok(Arc::clone(&state.in_use))
    }

    async fn refresh<O: Objects, C: Clock>(
        &self,
        state: &mut State,
        store: PolicyStore<'_, O, C>,
    ) -> Result<(), StoreError> {
        match store.pointer(state.tag.as_ref()).await? {
            Pointer::Unchanged => {}
            Pointer::Missing => {
                if state.in_use.version != ENVIRONMENT {
                    state.in_use = Arc::clone(&self.without_document);
                    policy_loaded(&state.in_use.version, &state.in_use.policies.name);
                }
                state.tag = None;
            }
            Pointer::To { version, previous, tag } => {
                if version != state.in_use.version {
                    match store.load(&version).await {
                        Ok(policies) => state.put(policies, version),
                        Err(error) => {
                            // A new instance keeps what others keep.
                            if state.in_use.version == ENVIRONMENT
                                && !matches!(error, StoreError::Delivery(_))
                                && let Some(previous) = previous
                            {
                                match store.load(&previous).await {
                                    Ok(policies) => state.put(policies, previous),
                                    Err(error @ StoreError::Delivery(_)) => return Err(error),
                                    Err(_) => {}
                                }
                            }
                            return Err(error);
                        }
                    }
                }
                state.tag = Some(tag);
            }
        }
        Ok(())
    }
}
