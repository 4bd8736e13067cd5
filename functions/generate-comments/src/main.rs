//! The program that Lambda starts for `generate-comments`.

use std::process::ExitCode;

use generate_comments::{Config, GenerateComments, NAME};
use modstream_bootstrap::{CALL_TIMEOUT, Invocation, environment, run};
use modstream_platform::aws::{Settings, SystemClock, connect};

fn main() -> ExitCode {
    run(NAME, async |_| {
        let config = Config::read(environment())?;
        let clients = connect(Settings { call_timeout: CALL_TIMEOUT, ..Settings::default() }).await?;
        let (comments, objects) = (clients.stream(&config.comments_stream), clients.objects(&config.bucket));
        let function = GenerateComments::new(config, comments, objects, SystemClock);
        Ok(async move |invocation: Invocation| {
            let Invocation { payload, request_id, deadline } = invocation;
            function.handle(&payload, &request_id, deadline).await
        })
    })
}
