//! What keeps a request from its answer that is no fault of its caller's.

use std::borrow::Cow;

use modstream_in_use::{models, policies};
use modstream_platform::deliver::{Cause, DeliveryError};

use crate::keys::KeyError;
use crate::{Refusal, SettingsError};

/// What keeps a request from its answer: what its caller is told, and what the log says besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What the caller is told, who may be anybody: it names no part of the system.
    pub told: Cow<'static, str>,
    /// The cause, for the log; none where what is told is all.
    pub cause: Option<String>,
}

impl From<&'static str> for Trouble {
    fn from(told: &'static str) -> Self {
        Trouble { told: told.into(), cause: None }
    }
}

/// Why there are no models to answer by.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The model in use can't be loaded.
    #[error(transparent)]
    Model(#[from] models::StoreError),
    /// A label is to answer that no model has.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

/// Whether an operator must act before the same call succeeds.
fn is_for_operator(error: &DeliveryError) -> bool {
    match &error.cause {
        Cause::Denied(_) | Cause::InvalidKey { .. } | Cause::UnexpectedCondition => true,
        Cause::Call(error) => !error.kind.is_transient(),
        Cause::NotTried | Cause::Entry { .. } | Cause::OutcomeCount { .. } => false,
    }
}

impl Refusal {
    /// There is no answer for this cause. Where the service did not answer, the caller asks again; where an operator must act,
    /// that is of no use.
    pub fn of_call(told: &'static str, error: &DeliveryError) -> Self {
        Refusal::of(told, error.to_string(), is_for_operator(error))
    }

    /// There is no answer until the operator acts.
    pub fn broken(told: &'static str, cause: String) -> Self {
        Refusal::of(told, cause, true)
    }

    fn of(told: &'static str, cause: String, is_for_operator: bool) -> Self {
        let trouble = Trouble { told: told.into(), cause: Some(cause) };
        if is_for_operator { Refusal::Broken(trouble) } else { Refusal::Unavailable(trouble) }
    }

    pub(crate) fn of_keys(error: &KeyError) -> Self {
        let is_for_operator = match error {
            KeyError::Delivery(error) => is_for_operator(error),
            KeyError::Damaged { .. } | KeyError::Missing { .. } => true,
            KeyError::Changed { .. } => false,
        };
        Refusal::of("the keys can't be read", error.to_string(), is_for_operator)
    }

    pub(crate) fn of_models(error: &NotReady) -> Self {
        let is_for_operator = match error {
            NotReady::Model(models::StoreError::Delivery(error)) => is_for_operator(error),
            NotReady::Model(_) | NotReady::Settings(_) => true,
        };
        Refusal::of("there is no model to answer by", error.to_string(), is_for_operator)
    }

    pub(crate) fn of_policies(error: &policies::StoreError) -> Self {
        let is_for_operator = match error {
            policies::StoreError::Delivery(error) => is_for_operator(error),
            _ => true,
        };
        Refusal::of("the policies can't be read", error.to_string(), is_for_operator)
    }

    /// What the log says of it besides its reason; none where the caller is told all.
    pub fn cause(&self) -> Option<&str> {
        match self {
            Refusal::Unavailable(trouble) | Refusal::Broken(trouble) => {
                Some(trouble.cause.as_deref().unwrap_or(&trouble.told))
            }
            _ => None,
        }
    }
}
