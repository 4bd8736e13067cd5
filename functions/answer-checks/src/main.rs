//! The program that Lambda starts for `answer-checks`.

use std::process::ExitCode;

use answer_checks::{AnswerChecks, Config, NAME};
use modstream_bootstrap::{CALL_TIMEOUT, Invocation, environment, run};
use modstream_platform::aws::{Settings, SystemClock, connect};
use modstream_telemetry::front_door_unready;

fn main() -> ExitCode {
    run(NAME, async |start| {
        let config = Config::read(environment())?;
        let clients = connect(Settings { call_timeout: CALL_TIMEOUT, ..Settings::default() }).await?;
        let objects = clients.objects(&config.bucket);
        let comments = clients.stream(&config.comments_stream);
        let function = AnswerChecks::new(&config, objects, comments, clients.secrets(), SystemClock);
        // Comments are taken without a model, and whoever has no key is told how one is made.
        if let Err(error) = function.start(start.deadline).await {
            front_door_unready(&error);
        }
        Ok(async move |invocation: Invocation| function.handle(&invocation.payload, invocation.deadline).await)
    })
}
