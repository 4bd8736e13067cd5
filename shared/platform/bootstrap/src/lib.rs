//! What the functions' programs share. A program reads its configuration, makes its clients, and gives [`run`] a handler:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use modstream_bootstrap::{Invocation, environment, run};
//! use modstream_platform::environment::Variable;
//!
//! const GREETING: Variable = Variable { name: "GREETING", wanted: "a greeting", example: "hello" };
//!
//! fn main() -> ExitCode {
//!     run("greet", async |_start| {
//!         let greeting = environment().required(GREETING)?;
//!         Ok(async move |invocation: Invocation| {
//!             let name = String::from_utf8_lossy(&invocation.payload);
//!             Ok::<String, std::convert::Infallible>(format!("{greeting}, {name}"))
//!         })
//!     })
//! }
//! ```
//!
//! - **Start**: what keeps a function from starting is one line of JSON with the event `start_failed`, and a status other
//!   than 0. The runtime reports `/init/error` for SnapStart alone, so the log is the place to look.
//! - **Logs**: JSON on standard output, a line an event, with the function's name and the request's id in `span`. The level
//!   is `LOG_LEVEL`, else `AWS_LAMBDA_LOG_LEVEL`, else `info`. It holds for modstream's own events; libraries get to say what is WARN or worse,
//!   because below that they quote payloads.
//! - **Payload**: the bytes as they came. The runtime does not parse them.
//! - **Deadline**: [`Invocation::deadline`].
//! - **End**: after SIGTERM the invocation at hand is finished and answered, then the program ends with 0.
//! - **Panics**: the log has the place, never the message, and Lambda is told no more: a message may quote a comment.

mod deadline;
mod handler;
mod logging;
mod shutdown;

use std::fmt::Display;
use std::process::ExitCode;

use jiff::Timestamp;
use lambda_runtime::{Error, Runtime};
use modstream_platform::environment::{Environment, Variable};
use serde::Serialize;
use tracing::{Instrument as _, error_span};

use logging::START;

pub use deadline::CALL_TIMEOUT;
pub use handler::Invocation;

/// What a function is given when it starts.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// The time after which no call begins: Lambda gives a function
    /// [10 seconds to start](https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib).
    pub deadline: Timestamp,
}

/// The process's environment variables.
pub fn environment() -> Environment<'static> {
    Environment::new(&|name| std::env::var(name).ok())
}

/// Starts a function and handles invocations until the process is asked to end.
///
/// `start` reads the configuration, makes clients, and returns the handler.
pub fn run<S, H, R, E>(function: &'static str, start: S) -> ExitCode
where
    S: AsyncFnOnce(Start) -> Result<H, Error>,
    H: AsyncFn(Invocation) -> Result<R, E> + 'static,
    R: Serialize + 'static,
    E: Display + 'static,
{
    kinesis_batch::install_panic_hook();
    let started = Start { deadline: deadline::of_start(Timestamp::now()) };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed("start_failed", function, &error),
    };
    runtime.block_on(async {
        let prepared = async {
            logging::install(environment())?;
            expect_lambda()?;
            start(started).instrument(error_span!(START, function)).await
        };
        let handler = match prepared.await {
            Ok(handler) => handler,
            Err(error) => return failed("start_failed", function, &error),
        };
        let (payloads, gate) = shutdown::gate();
        let service = handler::service(function, handler);
        match shutdown::until_asked(function, gate, Runtime::new(service).layer(payloads).run()).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed("runtime_failed", function, &error),
        }
    })
}

/// The line that says why the program ends. It does not go through the subscriber, since there may be none yet.
#[derive(Serialize)]
struct Failure<'a> {
    level: &'static str,
    event: &'static str,
    function: &'a str,
    error: String,
}

fn failed(event: &'static str, function: &str, error: &dyn Display) -> ExitCode {
    let failure = Failure { level: "ERROR", event, function, error: error.to_string() };
    match serde_json::to_string(&failure) {
        Ok(line) => println!("{line}"),
        // Text always serialises; if it did not, the reason must still come out.
        Err(_) => println!("{}", failure.error),
    }
    ExitCode::FAILURE
}

/// The runtime panics where these are missing: whoever starts the program by hand deserves better.
fn expect_lambda() -> Result<(), Error> {
    const WANTED: &str = "what Lambda sets it to; to run a function on your machine, use `cargo lambda watch`";
    for (name, example) in [
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
        ("AWS_LAMBDA_FUNCTION_NAME", "score-comments"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ] {
        environment().required(Variable { name, wanted: WANTED, example })?;
    }
    let memory = Variable { name: "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", wanted: WANTED, example: "256" };
    environment().required_as(memory, |text| text.parse::<i32>().ok())?;
    Ok(())
}
