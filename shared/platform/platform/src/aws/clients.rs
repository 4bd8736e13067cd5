use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

use super::{DynamoTable, KinesisStream, S3Objects, SecretsManager, SnsTopic};
use crate::table::Schema;

/// Settings of the connection to AWS, beyond what environment and profile say.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address of all services in place of AWS, for example `http://127.0.0.1:4566`. Where it is not set,
    /// `AWS_ENDPOINT_URL` and the profile's `endpoint_url` hold.
    pub endpoint_url: Option<String>,
    /// The longest that one call takes, the body of its answer included.
    pub call_timeout: Duration,
}

impl Default for Settings {
    /// Settings for AWS itself, with 5 seconds a call, enough for 5 MiB at 10 Mbit/s.
    fn default() -> Self {
        Settings { endpoint_url: None, call_timeout: Duration::from_secs(5) }
    }
}

/// AWS can't be reached as configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// No region is configured anywhere.
    #[error("no AWS region: set AWS_REGION, for example AWS_REGION=eu-central-1, or `region` in the profile")]
    NoRegion,
}

/// The services' clients, which share configuration and credentials. They are cheap to clone.
#[derive(Clone, Debug)]
pub struct Clients {
    dynamodb: aws_sdk_dynamodb::Client,
    kinesis: aws_sdk_kinesis::Client,
    s3: aws_sdk_s3::Client,
    secrets: aws_sdk_secretsmanager::Client,
    sns: aws_sdk_sns::Client,
    call_timeout: Duration,
}

/// The longest that a connection takes: a host that has not answered by then is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Loads region, credentials and addresses by the
/// [usual rules](https://docs.aws.amazon.com/sdkref/latest/guide/overview.html): environment, profile, then the machine's own.
/// No service is called yet, unless the profile asks for it.
///
/// # Errors
/// [`ConnectError`] where no region is configured.
pub async fn connect(settings: Settings) -> Result<Clients, ConnectError> {
    let Settings { endpoint_url, call_timeout } = settings;
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(endpoint_url) = endpoint_url {
        loader = loader.endpoint_url(endpoint_url);
    }
    Clients::new(&loader.load().await, call_timeout)
}

impl Clients {
    /// Makes clients for a configuration that was loaded elsewhere, which gives region, credentials and addresses;
    /// limits and retries are set here.
    ///
    /// # Errors
    /// [`ConnectError`] where the configuration has no region, or an empty one.
    pub fn new(config: &SdkConfig, call_timeout: Duration) -> Result<Self, ConnectError> {
        // `AWS_REGION=` counts as set for the SDK.
        if config.region().is_none_or(|region| region.as_ref().is_empty()) {
            return Err(ConnectError::NoRegion);
        }
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT.min(call_timeout))
            .operation_attempt_timeout(call_timeout)
            .operation_timeout(call_timeout)
            .build();
        let config = config
            .to_builder()
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            // The grace of the SDK's stalled-stream protection is 20 seconds; a call here ends before.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        // Elsewhere than on AWS, `<bucket>.127.0.0.1` is no host name.
        let elsewhere = config.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(elsewhere).build();
        Ok(Clients {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            kinesis: aws_sdk_kinesis::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            sns: aws_sdk_sns::Client::new(&config),
            call_timeout,
        })
    }

    /// The stream called `name`.
    pub fn stream(&self, name: impl Into<String>) -> KinesisStream {
        KinesisStream::new(self.kinesis.clone(), name)
    }

    /// The bucket called `name`.
    pub fn objects(&self, name: impl Into<String>) -> S3Objects {
        S3Objects::new(self.s3.clone(), name, self.call_timeout)
    }

    /// The table called `name`, which has these indexes.
    pub fn table(&self, name: impl Into<String>, schema: Schema) -> DynamoTable {
        DynamoTable::new(self.dynamodb.clone(), name, schema)
    }

    /// The account's secrets.
    pub fn secrets(&self) -> SecretsManager {
        SecretsManager::new(self.secrets.clone())
    }

    /// The topic of this ARN.
    pub fn topic(&self, arn: impl Into<String>) -> SnsTopic {
        SnsTopic::new(self.sns.clone(), arn)
    }
}
