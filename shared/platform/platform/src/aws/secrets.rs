use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;

use super::boxed;
use super::error::Operation;
use crate::{CallError, CallErrorKind, Secrets, Stage};

const GET: Operation = Operation { service: "secretsmanager", name: "GetSecretValue" };

/// AWS Secrets Manager.
#[derive(Clone, Debug)]
pub struct SecretsManager {
    client: aws_sdk_secretsmanager::Client,
}

impl SecretsManager {
    /// Makes secrets of those in the client's account and region.
    pub fn new(client: aws_sdk_secretsmanager::Client) -> Self {
        SecretsManager { client }
    }
}

impl Secrets for SecretsManager {
    async fn secret(&self, id: &str, stage: Stage) -> Result<Option<String>, CallError> {
        let stage = match stage {
            Stage::Current => "AWSCURRENT",
            Stage::Previous => "AWSPREVIOUS",
        };
        let call = self.client.get_secret_value().secret_id(id).version_stage(stage);
        match boxed(call.send()).await {
            Ok(answer) => answer
                .secret_string
                .map(Some)
                .ok_or_else(|| GET.error(CallErrorKind::Denied, "the secret holds bytes, and text is wanted")),
            Err(error) => match error.as_service_error().and_then(|error| error.code()) {
                Some("ResourceNotFoundException") => Ok(None),
                _ => Err(GET.failed(&error)),
            },
        }
    }
}
