//! A layer around an invocation, which keeps the payload for the handler, and the program from ending.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use lambda_runtime::tower::Layer;
use lambda_runtime::{Error, LambdaInvocation, Service};
use modstream_telemetry::ending;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;

tokio::task_local! {
    /// The payload of the invocation at hand.
    pub(crate) static PAYLOAD: Bytes;
}

/// A lock that is held while an invocation is under way, its answer included.
pub(crate) type Gate = Arc<Mutex<()>>;

#[derive(Clone)]
pub(crate) struct Payloads(Gate);

pub(crate) fn gate() -> (Payloads, Gate) {
    let gate = Gate::default();
    (Payloads(Arc::clone(&gate)), gate)
}

impl<S> Layer<S> for Payloads {
    type Service = Around<S>;

    fn layer(&self, inner: S) -> Around<S> {
        Around { inner, gate: Arc::clone(&self.0) }
    }
}

pub(crate) struct Around<S> {
    inner: S,
    gate: Gate,
}

impl<S> Service<LambdaInvocation> for Around<S>
where
    S: Service<LambdaInvocation, Response = (), Error = Error, Future: 'static>,
{
    type Response = ();
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let gate = Arc::clone(&self.gate);
        let payload = invocation.body.clone();
        let answered = PAYLOAD.scope(payload, self.inner.call(invocation));
        Box::pin(async move {
            let _under_way = gate.lock().await;
            answered.await
        })
    }
}

/// Runs the runtime's loop until it fails, or until SIGTERM and the end of the invocation at hand.
pub(crate) async fn until_asked(
    function: &str,
    gate: Gate,
    running: impl Future<Output = Result<(), Error>>,
) -> Result<(), Error> {
    let mut asked = signal(SignalKind::terminate())?;
    let end = async {
        asked.recv().await;
        ending(function);
        drop(gate.lock().await);
    };
    tokio::select! {
        biased;
        result = running => result,
        () = end => Ok(()),
    }
}
