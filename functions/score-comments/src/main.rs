//! The program that Lambda starts for `score-comments`.

use std::process::ExitCode;

use modstream_bootstrap::{CALL_TIMEOUT, Invocation, environment, run};
use modstream_platform::aws::{Settings, SystemClock, connect};
use score_comments::{Config, NAME, ScoreComments};

fn main() -> ExitCode {
    run(NAME, async |start| {
        let config = Config::read(environment())?;
        let clients = connect(Settings { call_timeout: CALL_TIMEOUT, ..Settings::default() }).await?;
        let predictions = clients.stream(&config.predictions_stream);
        let objects = clients.objects(&config.bucket);
        let function = ScoreComments::start(&config, predictions, objects, SystemClock, start.deadline).await?;
        Ok(async move |invocation: Invocation| function.handle(&invocation.payload, invocation.deadline).await)
    })
}
