//! Says what an SDK error means for the caller.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::{CallError, CallErrorKind};

/// A service and one of its operations.
#[derive(Clone, Copy)]
pub(super) struct Operation {
    pub(super) service: &'static str,
    pub(super) name: &'static str,
}

impl Operation {
    pub(super) fn error(self, kind: CallErrorKind, message: impl Into<String>) -> CallError {
        CallError { service: self.service, operation: self.name, kind, message: message.into() }
    }

    /// The error of a whole call.
    pub(super) fn failed<E>(self, error: &SdkError<E, HttpResponse>) -> CallError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        self.error(kind(error), message(error))
    }

    /// The error of a whole call with several entries, which the service may refuse for one of them.
    pub(super) fn failed_for_an_entry<E>(self, error: &SdkError<E, HttpResponse>) -> CallError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let failed = self.failed(error);
        let meta = error.as_service_error().map(ProvideErrorMetadata::meta);
        let code = meta.and_then(ProvideErrorMetadata::code).unwrap_or_default();
        let words = meta.and_then(ProvideErrorMetadata::message).unwrap_or_default();
        let is_refused = failed.kind == CallErrorKind::Invalid
            && (status(error) == Some(TOO_LARGE) || is_about_an_entry(code, words));
        if is_refused { CallError { kind: CallErrorKind::Refused, ..failed } } else { failed }
    }

    /// The error of a request that was not even built.
    pub(super) fn unbuildable(self, error: &impl Error) -> CallError {
        self.error(CallErrorKind::Invalid, error.to_string())
    }
}

/// What a failed call of the SDK's own means, for a caller that makes such calls itself.
pub fn call_error<E>(service: &'static str, operation: &'static str, error: &SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    Operation { service, name: operation }.failed(error)
}

/// The answer's HTTP status, where there was an answer.
pub(super) fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

fn kind<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E, HttpResponse>) -> CallErrorKind {
    if let Some(status) = status(error) {
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
        return kind_of_answer(code.unwrap_or_default(), status);
    }
    if let Some(error) = find::<CredentialsError>(error) {
        return match error {
            CredentialsError::ProviderTimedOut(_) => CallErrorKind::Unavailable,
            _ => CallErrorKind::Denied,
        };
    }
    match error {
        SdkError::ConstructionFailure(_) => CallErrorKind::Invalid,
        SdkError::DispatchFailure(failure) if failure.is_user() => CallErrorKind::Invalid,
        // No connection, no request.
        SdkError::DispatchFailure(_)
            if find::<hyper_util::client::legacy::Error>(error)
                .is_some_and(hyper_util::client::legacy::Error::is_connect) =>
        {
            CallErrorKind::Unavailable
        }
        _ => CallErrorKind::OutcomeUnknown,
    }
}

/// The kind of a failed call, from the service's code where that is more exact than the status: Kinesis answers 400 to
/// nearly everything.
fn kind_of_answer(code: &str, status: u16) -> CallErrorKind {
    match code {
        // https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html, throttling errors.
        "BandwidthLimitExceeded"
        | "KMSThrottling"
        | "KMSThrottlingException"
        | "LimitExceededException"
        | "PriorRequestNotComplete"
        | "ProvisionedThroughputExceededException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestTimeout"
        | "SlowDown"
        // The service's own, whatever the status says.
        | "InternalError"
        | "InternalErrorException"
        | "InternalFailure"
        | "InternalFailureException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        // SNS' KMS and topic throttling.
        | "Throttled"
        | "ThrottledException"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException" => return CallErrorKind::Unavailable,
        // https://docs.aws.amazon.com/kinesis/latest/APIReference/CommonErrors.html and PutRecords, with the status 400.
        "AccessDenied"
        | "AccessDeniedException"
        | "AuthorizationError"
        | "AuthorizationErrorException"
        | "AuthorizationHeaderMalformed"
        | "EndpointDisabled"
        | "EndpointDisabledException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "InvalidClientTokenId"
        | "InvalidSecurity"
        | "InvalidSecurityException"
        | "InvalidSignatureException"
        | "InvalidToken"
        | "KMSAccessDenied"
        | "KMSAccessDeniedException"
        | "KMSDisabled"
        | "KMSDisabledException"
        | "KMSInvalidState"
        | "KMSInvalidStateException"
        | "KMSNotFound"
        | "KMSNotFoundException"
        | "KMSOptInRequired"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "NotAuthorized"
        | "NotFound"
        | "NotFoundException"
        | "OptInRequired"
        | "PlatformApplicationDisabled"
        | "PlatformApplicationDisabledException"
        | "RequestExpired"
        | "ResourceNotFoundException"
        | "UnrecognizedClientException" => return CallErrorKind::Denied,
        _ => {}
    }
    match status {
        // The service took the request; what it says can't be read.
        200..300 => CallErrorKind::OutcomeUnknown,
        // A redirect is a bucket in another region.
        300..=399 | 401 | 403 | 404 => CallErrorKind::Denied,
        408 | 429 | 500.. => CallErrorKind::Unavailable,
        _ => CallErrorKind::Invalid,
    }
}

/// 413: the request is too large, and half of it may not be.
const TOO_LARGE: u16 = 413;

/// Whether a refusal of a whole call, by its code and words, may be about one of its entries. What is about the caller, the stream
/// or the topic is not: all entries would be refused one by one. Of unknown codes nothing is known, so the records come again.
///
/// The codes are those of [PutRecords](https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html),
/// [PublishBatch](https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html) and the common errors of
/// [Kinesis](https://docs.aws.amazon.com/kinesis/latest/APIReference/CommonErrors.html) and
/// [SNS](https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html).
fn is_about_an_entry(code: &str, words: &str) -> bool {
    // The words say which parameter it is. What they quote is a value, behind it or in front of it, and never decides alone.
    let is_about_the_call = match code {
        "InvalidArgumentException" | "ValidationException" => {
            !words.contains("at 'records") && ["at 'streamName'", "at 'streamARN'"].iter().any(|at| words.contains(at))
        }
        _ => ["Invalid parameter: TopicArn", "Invalid parameter: TargetArn"].iter().any(|at| words.starts_with(at)),
    };
    let may_be = matches!(
        code,
        // Kinesis.
        "InvalidArgumentException"
        | "ValidationException"
        // SNS.
        | "BatchEntryIdsNotDistinct"
        | "BatchRequestTooLong"
        | "InvalidBatchEntryId"
        | "InvalidParameter"
        | "InvalidParameterValue"
        | "ParameterValueInvalid"
        | "ValidationError"
        // Both, for a body above their limit.
        | "RequestEntityTooLarge"
        | "RequestEntityTooLargeException"
    );
    may_be && !is_about_the_call
}

/// Whether an entry's own failure is about the entry, by its code, where the service calls it the sender's fault: a key that may
/// not be used is so called, too, and is for an operator to mend.
pub(super) fn is_the_entrys_fault(code: &str) -> bool {
    kind_of_answer(code, BAD_REQUEST) == CallErrorKind::Invalid
}

const BAD_REQUEST: u16 = 400;

/// The service's code and words, or what kept them from coming. The answer itself is left out: it may quote a comment.
fn message<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E, HttpResponse>) -> String {
    let meta = error.as_service_error().map(ProvideErrorMetadata::meta);
    match (meta.and_then(ProvideErrorMetadata::code), status(error)) {
        (Some(code), _) => match meta.and_then(ProvideErrorMetadata::message) {
            Some(words) => format!("{code}: {words}"),
            None => code.to_owned(),
        },
        (None, Some(status @ (200..300))) => format!("the answer can't be read (HTTP {status})"),
        (None, Some(status)) => format!("HTTP {status}"),
        (None, None) => chain(error),
    }
}

/// The texts of an error and its causes, without repeats.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in sources(error).skip(1) {
        let cause = cause.to_string();
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    sources(error).find_map(|error| error.downcast_ref())
}
