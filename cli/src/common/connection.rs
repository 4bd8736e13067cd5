//! How the services are reached.

use std::error::Error;
use std::time::Duration;

use anyhow::Context as _;
use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use jiff::Timestamp;
use modstream_in_use::models::ModelStore;
use modstream_ledger::SCHEMA;
use modstream_platform::aws::{Clients, DynamoTable, S3Objects, SystemClock, call_error};
use modstream_platform::{CallError, Clock as _};

use super::aws_args::ConnectionArgs;
use super::lambda::Lambda;
use super::usage::set_up;

/// The longest that one call takes; longer than a function's, since a person's line is slower.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a call is tried again.
const RETRY_TIMEOUT: Duration = Duration::from_secs(60);
/// How long it is waited for whose the credentials are: a change does not hang on it.
const IDENTITY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a host may take to accept a connection; one that takes longer is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// An end was asked for twice: nobody waits for the rest.
#[derive(Debug, thiserror::Error)]
#[error("stopped before the end")]
pub(crate) struct Stopped;

/// A way to the services: region, credentials and addresses. Reading goes with the SDK's own retries; writing through
/// the platform, which knows what may have been done.
#[derive(Clone)]
pub(crate) struct Connection {
    config: SdkConfig,
    clients: Clients,
}

impl Connection {
    /// Loads what the arguments, the environment and the profile say, and looks whether there are credentials.
    pub(crate) async fn open(args: &ConnectionArgs) -> anyhow::Result<Self> {
        let ConnectionArgs { endpoint_url, profile, region } = args;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(CALL_TIMEOUT)
            .operation_timeout(RETRY_TIMEOUT)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::standard())
            .timeout_config(timeouts);
        if let Some(url) = endpoint_url {
            loader = loader.endpoint_url(url);
        }
        if let Some(region) = region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = profile {
            loader = loader.profile_name(profile).credentials_provider(of_profile(profile, region.clone()).await);
        }
        let config = Box::pin(loader.load()).await;
        let credentials = config.credentials_provider().context("no way to get AWS credentials is set up")?;
        if let Err(error) = credentials.provide_credentials().await {
            return Err(no_credentials(&error, profile.as_deref(), config.endpoint_url().is_some()));
        }
        let clients = Clients::new(&config, CALL_TIMEOUT)
            .map_err(|error| anyhow::anyhow!("{error}, or say --region; {}", set_up("AWS_REGION")))?;
        Ok(Connection { config, clients })
    }

    /// The region.
    pub(crate) fn region(&self) -> &str {
        self.config.region().map_or("", |region| region.as_ref())
    }

    /// Whether all services are at one address instead of AWS.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.config.endpoint_url().is_some()
    }

    /// The platform's clients, for writing.
    pub(crate) fn clients(&self) -> &Clients {
        &self.clients
    }

    /// A bucket, for reading: calls that fail for the moment are tried again.
    pub(crate) fn bucket(&self, name: &str) -> S3Objects {
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(self.is_elsewhere()).build();
        S3Objects::new(aws_sdk_s3::Client::from_conf(config), name, RETRY_TIMEOUT)
    }

    /// The table of what a system remembers. What is asked of it is repeated by the platform, which knows what may have been done.
    pub(crate) fn table(&self, name: &str) -> DynamoTable {
        self.clients.table(name, SCHEMA)
    }

    /// The models of a name, for writing.
    pub(crate) fn models(&self, bucket: &str, name: &str) -> ModelStore<S3Objects, SystemClock> {
        ModelStore::new(self.clients.objects(bucket), SystemClock, name)
    }

    pub(crate) fn kinesis(&self) -> aws_sdk_kinesis::Client {
        aws_sdk_kinesis::Client::new(&self.config)
    }

    pub(crate) fn sns(&self) -> aws_sdk_sns::Client {
        aws_sdk_sns::Client::new(&self.config)
    }

    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        // A receive waits up to 20 seconds.
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(CALL_TIMEOUT * 2)
            .operation_timeout(RETRY_TIMEOUT * 2)
            .build();
        let config = aws_sdk_sqs::config::Builder::from(&self.config).timeout_config(timeouts).build();
        aws_sdk_sqs::Client::from_conf(config)
    }

    /// The ARN of the credentials, as AWS says it
    /// ([GetCallerIdentity](https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html)), which nobody
    /// needs a permission for; none where there is no answer.
    pub(crate) async fn identity(&self) -> Option<String> {
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_timeout(IDENTITY_TIMEOUT);
        let config = aws_sdk_sts::config::Builder::from(&self.config)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts.build())
            .build();
        let call = aws_sdk_sts::Client::from_conf(config).get_caller_identity().send();
        Box::pin(call).await.ok()?.arn.filter(|arn| !arn.is_empty())
    }

    /// Lambda, for calls that may take so long, each made once.
    pub(crate) fn lambda(&self, timeout: Duration) -> anyhow::Result<Lambda> {
        Lambda::new(&self.config, CONNECT_TIMEOUT, timeout)
    }
}

/// Until when a write is tried again.
pub(crate) fn deadline() -> Timestamp {
    SystemClock.now() + RETRY_TIMEOUT
}

/// What a failed call means, for an error.
pub(crate) fn failed<E>(
    service: &'static str,
    operation: &'static str,
) -> impl Fn(SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    move |error| call_error(service, operation, &error)
}

/// A profile that is named comes before what the environment holds, as in the AWS CLI; in the SDK it comes after.
async fn of_profile(name: &str, region: Option<String>) -> ProfileFileCredentialsProvider {
    let region = match region {
        Some(region) => Some(Region::new(region)),
        // A role is assumed in some region.
        None => ProfileFileRegionProvider::builder().profile_name(name).build().region().await,
    };
    let config = ProviderConfig::without_region().with_region(region);
    ProfileFileCredentialsProvider::builder().configure(&config).profile_name(name).build()
}

/// Says how to get credentials.
fn no_credentials(error: &CredentialsError, profile: Option<&str>, is_elsewhere: bool) -> anyhow::Error {
    let mut causes: Vec<String> = Vec::new();
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        if !causes.iter().any(|said| said.contains(&text)) {
            causes.push(text);
        }
        next = cause.source();
    }
    let causes = causes.join(": ");
    if let Some(profile) = profile {
        return anyhow::anyhow!(
            "the profile {profile} gives no AWS credentials ({causes}): look at ~/.aws/config, and sign in with \
             `aws sso login --profile {profile}` where it is one of single sign-on"
        );
    }
    let local =
        if is_elsewhere { "; a local stack takes any: AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test" } else { "" };
    anyhow::anyhow!(
        "no AWS credentials ({causes}): say --profile, sign in with `aws sso login`, or set AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY{local}"
    )
}
