use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::lock;
use crate::{CallError, Secrets, Stage};

/// Secrets with their last two values.
#[derive(Clone, Default)]
pub struct MemorySecrets {
    values: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
}

impl MemorySecrets {
    /// Makes a store without secrets.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a secret a new value; the one it has becomes the previous one.
    pub fn rotate(&self, id: &str, value: &str) {
        lock(&self.values).entry(id.to_owned()).or_default().insert(0, value.to_owned());
    }
}

impl Secrets for MemorySecrets {
    async fn secret(&self, id: &str, stage: Stage) -> Result<Option<String>, CallError> {
        let place = match stage {
            Stage::Current => 0,
            Stage::Previous => 1,
        };
        Ok(lock(&self.values).get(id).and_then(|values| values.get(place)).cloned())
    }
}
