use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use modstream_platform::deliver::{DeliveryError, secret};
use modstream_platform::{Clock, Secrets, Stage};

use crate::{Signer, WeakKey};

/// How old keys may be before the secret is looked at again: a rotation is noticed as soon as a promoted model is.
const KEYS_FRESH_FOR: SignedDuration = SignedDuration::from_secs(60);

/// Why there are no keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The secret can't be read.
    #[error("the secret {id} can't be read: {error}")]
    Unreadable {
        /// The secret's name or ARN.
        id: String,
        /// The cause.
        error: DeliveryError,
    },
    /// The secret has no value.
    #[error("the secret {id} has no value: give it a text of at least 32 random characters")]
    Missing {
        /// The secret's name or ARN.
        id: String,
    },
    /// The secret has a value that could be guessed.
    #[error("the secret {id}: {error}")]
    Weak {
        /// The secret's name or ARN.
        id: String,
        /// The cause.
        error: WeakKey,
    },
}

/// The keys of a secret: its current value signs, the one before is accepted. Read at most once a minute.
#[derive(Debug)]
pub struct Keys<S, C> {
    secrets: S,
    clock: C,
    id: String,
    read: Mutex<Option<(Timestamp, Arc<Signer>)>>,
}

impl<S: Secrets, C: Clock> Keys<S, C> {
    /// The keys of the secret `id`, a name or an ARN.
    pub fn new(secrets: S, clock: C, id: impl Into<String>) -> Self {
        Keys { secrets, clock, id: id.into(), read: Mutex::default() }
    }

    /// A signer. Where the secret can't be read any more, the keys that were last read.
    ///
    /// # Errors
    /// Where the secret can't be read, and was not before.
    pub async fn signer(&self, deadline: Timestamp) -> Result<Arc<Signer>, KeyError> {
        let known = self.known();
        let now = self.clock.now();
        if let Some((read, signer)) = &known
            && now.duration_since(*read) < KEYS_FRESH_FOR
        {
            return Ok(Arc::clone(signer));
        }
        match self.read(deadline).await {
            Ok(signer) => {
                let signer = Arc::new(signer);
                *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&signer)));
                Ok(signer)
            }
            Err(error) => known.map(|(_, signer)| signer).ok_or(error),
        }
    }

    fn known(&self) -> Option<(Timestamp, Arc<Signer>)> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn read(&self, deadline: Timestamp) -> Result<Signer, KeyError> {
        let id = || self.id.clone();
        let value = async |stage| {
            let value = secret(&self.secrets, &self.clock, deadline, &self.id, stage).await;
            value.map_err(|error| KeyError::Unreadable { id: id(), error })
        };
        let current = value(Stage::Current).await?.ok_or_else(|| KeyError::Missing { id: id() })?;
        let previous = value(Stage::Previous).await?;
        let weak = |error| KeyError::Weak { id: id(), error };
        Signer::new(current.as_bytes(), previous.as_deref().map(str::as_bytes)).map_err(weak)
    }
}
