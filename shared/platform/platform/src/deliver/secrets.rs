use jiff::Timestamp;

use super::DeliveryError;
use super::objects::tried;
use crate::{Clock, Secrets, Stage};

/// Reads a secret's text; none where there is no such secret.
///
/// # Errors
/// [`DeliveryError`] where there is no answer by the deadline.
pub async fn secret<S: Secrets, C: Clock>(
    secrets: &S,
    clock: &C,
    deadline: Timestamp,
    id: &str,
    stage: Stage,
) -> Result<Option<String>, DeliveryError> {
    tried(clock, deadline, ("secretsmanager:GetSecretValue", id), || secrets.secret(id, stage)).await
}
