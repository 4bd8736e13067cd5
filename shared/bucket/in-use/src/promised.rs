//! What a model in the bucket promises, read without the model.

use jiff::Timestamp;
use modstream_platform::deliver::{DeliveryError, get};
use modstream_platform::{Clock, Fetched, Objects};
use modstream_rates::{Rate, Rates, RatesError};
use serde::Deserialize;

use crate::pointer::{is_version, model_file};

/// Why it is not known what a model promises.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PromisedError {
    /// The bucket has no such manifest.
    #[error("the bucket has no manifest of the model: push the model again")]
    Missing,
    /// The model's name or version names no object.
    #[error("no model has this name and version")]
    Unnamed,
    /// The manifest can't be read.
    #[error("the model's manifest can't be read: {0}")]
    Manifest(#[from] serde_json::Error),
    /// The manifest's rates make no table.
    #[error("the model's manifest: {0}")]
    Rates(#[from] RatesError),
    /// A call failed.
    #[error("models/ of the bucket: {0}")]
    Delivery(#[from] DeliveryError),
}

/// As much of a manifest as says what the model promises.
#[derive(Deserialize)]
struct Manifest {
    rates: Vec<Rate>,
}

/// Reads the rates of the model of this name and version.
///
/// # Errors
/// Where its manifest can't be read, or not before the deadline.
pub async fn promised_rates<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    name: &str,
    version: &str,
) -> Result<Rates, PromisedError> {
    if !is_version(version) || name.is_empty() || name.contains('/') {
        return Err(PromisedError::Unnamed);
    }
    let key = model_file(name, version, "manifest.json");
    match get(objects, clock, deadline, &key, None).await? {
        Fetched::Object { bytes, .. } => {
            let Manifest { rates } = serde_json::from_slice(&bytes)?;
            Ok(Rates::new(rates)?)
        }
        Fetched::NotModified | Fetched::Missing => Err(PromisedError::Missing),
    }
}
