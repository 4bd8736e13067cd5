//! The calls of Lambda that commands make: a function as it is deployed, an event source mapping, an invocation.
//!
//! They are made and signed here, with the parts that the AWS SDK itself is made of. Lambda's own SDK is more code than
//! all others that the command links besides S3's, and minutes of a build, for three requests.

use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_http_client::default_connector;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::error::ErrorMetadata;
use modstream_platform::CallError;
use modstream_platform::aws::call_error;
use serde_json::Value;

/// The address of Lambda alone, where it is another than that of all services.
const ENDPOINT_VARIABLE: &str = "AWS_ENDPOINT_URL_LAMBDA";

/// Lambda in one region. Each call is made once.
pub(crate) struct Lambda {
    connector: SharedHttpConnector,
    credentials: SharedCredentialsProvider,
    region: String,
    endpoint: String,
    /// How long a call may take.
    timeout: Duration,
}

/// The answer of a function.
pub(crate) struct Answer {
    pub(crate) payload: Vec<u8>,
    /// What kind of error it is, where the function failed.
    pub(crate) function_error: Option<String>,
}

type CallResult<T> = Result<T, SdkError<ErrorMetadata, HttpResponse>>;

impl Lambda {
    /// Reaches Lambda as `config` says.
    ///
    /// # Errors
    /// Where region or credentials are missing.
    pub(crate) fn new(config: &SdkConfig, connect_timeout: Duration, timeout: Duration) -> anyhow::Result<Self> {
        let settings = HttpConnectorSettings::builder().connect_timeout(connect_timeout).read_timeout(timeout).build();
        let region = config.region().context("no AWS region is set")?.to_string();
        let endpoint = std::env::var(ENDPOINT_VARIABLE).ok().filter(|url| !url.is_empty());
        let endpoint = endpoint.or_else(|| config.endpoint_url().map(str::to_owned));
        Ok(Lambda {
            connector: default_connector(&settings, config.sleep_impl()).context("no HTTP client is built in")?,
            credentials: config.credentials_provider().context("no way to get AWS credentials is set up")?,
            endpoint: endpoint.unwrap_or_else(|| address(&region, config.use_fips() == Some(true))),
            region,
            timeout,
        })
    }

    /// A function's configuration
    /// ([GetFunctionConfiguration](https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html)).
    ///
    /// # Errors
    /// Where there is no such function, or it may not be read.
    pub(crate) async fn function(&self, name: &str) -> Result<Value, CallError> {
        let path = format!("/2015-03-31/functions/{}/configuration", encoded(name));
        self.get(&path).await.map_err(|error| call_error("lambda", "GetFunctionConfiguration", &error))
    }

    /// An event source mapping
    /// ([GetEventSourceMapping](https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html)).
    ///
    /// # Errors
    /// Where there is no such mapping, or it may not be read.
    pub(crate) async fn mapping(&self, uuid: &str) -> Result<Value, CallError> {
        let path = format!("/2015-03-31/event-source-mappings/{}", encoded(uuid));
        self.get(&path).await.map_err(|error| call_error("lambda", "GetEventSourceMapping", &error))
    }

    /// Invokes a function, and waits for its answer
    /// ([Invoke](https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html)).
    ///
    /// # Errors
    /// Where the function can't be invoked; that it failed is an answer.
    pub(crate) async fn invoke(&self, name: &str, payload: Vec<u8>) -> Result<Answer, CallError> {
        let path = format!("/2015-03-31/functions/{}/invocations", encoded(name));
        let answer = self.call("POST", &path, payload).await;
        let (response, payload) = answer.map_err(|error| call_error("lambda", "Invoke", &error))?;
        Ok(Answer { payload, function_error: response.headers().get("x-amz-function-error").map(str::to_owned) })
    }

    async fn get(&self, path: &str) -> CallResult<Value> {
        let (response, body) = self.call("GET", path, Vec::new()).await?;
        serde_json::from_slice(&body).map_err(|error| SdkError::response_error(error, response))
    }

    /// Makes a call: the answer's head and body.
    async fn call(&self, method: &str, path: &str, body: Vec<u8>) -> CallResult<(HttpResponse, Vec<u8>)> {
        let request = self.signed(method, path, body).await?;
        let answered = async {
            let mut response = self.connector.call(request).await.map_err(SdkError::dispatch_failure)?;
            match ByteStream::new(response.take_body()).collect().await {
                Ok(body) => Ok((response, body.to_vec())),
                Err(error) => Err(SdkError::response_error(error, response)),
            }
        };
        let Ok(answered) = tokio::time::timeout(self.timeout, answered).await else {
            return Err(SdkError::timeout_error(format!("no answer within {} s", self.timeout.as_secs())));
        };
        let (response, body) = answered?;
        if response.status().is_success() {
            return Ok((response, body));
        }
        Err(SdkError::service_error(refusal(&response, &body), response))
    }

    async fn signed(&self, method: &str, path: &str, body: Vec<u8>) -> CallResult<HttpRequest> {
        let uri = format!("{}{path}", self.endpoint.trim_end_matches('/'));
        let credentials = self.credentials.provide_credentials().await.map_err(SdkError::construction_failure)?;
        let identity = credentials.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("lambda")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(SdkError::construction_failure)?
            .into();
        let signable = SignableRequest::new(method, &uri, std::iter::empty(), SignableBody::Bytes(&body));
        let signed = signable.and_then(|signable| sign(signable, &params)).map_err(SdkError::construction_failure)?;
        let (headers, _) = signed.into_parts().0.into_parts();
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method(method).map_err(SdkError::construction_failure)?;
        request.set_uri(uri).map_err(SdkError::construction_failure)?;
        for header in headers {
            request.headers_mut().insert(header.name(), header.value().to_owned());
        }
        Ok(request)
    }
}

/// Where Lambda is in a region ([endpoints](https://docs.aws.amazon.com/general/latest/gr/lambda-service.html)).
fn address(region: &str, fips: bool) -> String {
    let service = if fips { "lambda-fips" } else { "lambda" };
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://{service}.{region}.{domain}")
}

/// Lambda's code and words for what it refuses.
fn refusal(response: &HttpResponse, body: &[u8]) -> ErrorMetadata {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut refusal = ErrorMetadata::builder();
    // `ResourceNotFoundException:http://internal.amazon.com/coral/...`
    if let Some(code) = response.headers().get("x-amzn-errortype").and_then(|code| code.split(':').next()) {
        refusal = refusal.code(code);
    }
    if let Some(words) = said["message"].as_str().or_else(|| said["Message"].as_str()) {
        refusal = refusal.message(words);
    }
    refusal.build()
}

/// A text as one segment of a path.
fn encoded(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => path.push(char::from(byte)),
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambda_has_an_address_in_every_region() {
        assert_eq!(address("eu-central-1", false), "https://lambda.eu-central-1.amazonaws.com");
        assert_eq!(address("us-gov-west-1", true), "https://lambda-fips.us-gov-west-1.amazonaws.com");
        assert_eq!(address("cn-north-1", false), "https://lambda.cn-north-1.amazonaws.com.cn");
    }

    #[test]
    fn a_name_is_one_segment_of_a_path() {
        assert_eq!(encoded("modstream-score_comments"), "modstream-score_comments");
        assert_eq!(encoded("arn:aws:lambda:x/y z"), "arn%3Aaws%3Alambda%3Ax%2Fy%20z");
    }
}
