//! Makes a handler of raw bytes the service that the runtime wants.

use std::fmt::Display;
use std::panic::AssertUnwindSafe;

use bytes::Bytes;
use futures_util::FutureExt as _;
use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, Service, service_fn};
use modstream_telemetry::invocation_failed;
use serde::{Deserialize, Deserializer, Serialize};
use tracing::{Instrument as _, error_span};

use crate::deadline;
use crate::shutdown::PAYLOAD;

/// One invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The payload that the function was invoked with, unparsed.
    pub payload: Bytes,
    /// Lambda's id of the request; a retry of the same event has another one for streams, and the same for asynchronous
    /// invocations.
    pub request_id: String,
    /// The time after which no call to a service begins. It lies before Lambda's own deadline by the longest that a
    /// call may take, but by no more than a third of the time there is.
    pub deadline: Timestamp,
}

/// The type that the runtime is told to parse the payload as, which reads nothing of it.
pub(crate) struct Unparsed;

impl<'de> Deserialize<'de> for Unparsed {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Unparsed)
    }
}

pub(crate) fn service<H, R, E>(
    function: &'static str,
    handler: H,
) -> impl Service<
    LambdaEvent<Unparsed>,
    Response = R,
    Error = Diagnostic,
    Future: Future<Output = Result<R, Diagnostic>> + 'static,
>
where
    H: AsyncFn(Invocation) -> Result<R, E> + 'static,
    R: Serialize + 'static,
    E: Display + 'static,
{
    let handler = std::rc::Rc::new(handler);
    service_fn(move |event: LambdaEvent<Unparsed>| {
        let handler = std::rc::Rc::clone(&handler);
        // The span is of the highest level, so that every event has the function and the request's id, whatever level is set.
        let span = error_span!("invocation", function, request_id = event.context.request_id);
        let handled = async move {
            let invocation = invocation(event);
            let handled = AssertUnwindSafe(handler(invocation)).catch_unwind().await;
            let error = match handled {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(error)) => diagnostic("Failed", error.to_string()),
                Err(_) => diagnostic("Panicked", "the function panicked: its log has the place".to_owned()),
            };
            invocation_failed(function, &error.error_message);
            Err(error)
        };
        handled.instrument(span)
    })
}

fn invocation(event: LambdaEvent<Unparsed>) -> Invocation {
    let context = event.context;
    let lambdas = i64::try_from(context.deadline).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    Invocation {
        payload: PAYLOAD.with(Bytes::clone),
        deadline: deadline::of_invocation(Timestamp::now(), lambdas.unwrap_or(Timestamp::MAX)),
        request_id: context.request_id,
    }
}

fn diagnostic(error_type: &str, error_message: String) -> Diagnostic {
    Diagnostic { error_type: error_type.to_owned(), error_message }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn call<H, E>(payload: &'static [u8], handler: H) -> Result<String, Diagnostic>
    where
        H: AsyncFn(Invocation) -> Result<String, E> + 'static,
        E: Display + 'static,
    {
        let mut context = lambda_runtime::Context::default();
        context.request_id = "request-1".to_owned();
        let called = service("test", handler).call(LambdaEvent::new(Unparsed, context));
        PAYLOAD.scope(Bytes::from_static(payload), called).await
    }

    #[tokio::test]
    async fn a_handler_gets_the_bytes_as_they_came() {
        let seen = call(b"\xff no JSON", async |invocation| {
            Ok::<_, &str>(format!("{} {:?}", invocation.request_id, invocation.payload))
        });
        assert_eq!(seen.await, Ok("request-1 b\"\\xff no JSON\"".to_owned()));
    }

    #[tokio::test]
    async fn an_errors_words_reach_the_caller_and_a_panics_do_not() {
        let failed = call(b"", async |_| Err("the corpus is gone")).await;
        assert_eq!(failed, Err(diagnostic("Failed", "the corpus is gone".to_owned())));
        let panicked = call(b"", async |invocation: Invocation| -> Result<_, &str> {
            panic!("a comment's text, {}", invocation.request_id)
        });
        let error = panicked.await.expect_err("panics");
        assert_eq!(error, diagnostic("Panicked", "the function panicked: its log has the place".to_owned()));
    }
}
