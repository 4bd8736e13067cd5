//! The program that Lambda starts for `archive-comments`.

use std::process::ExitCode;

use archive_comments::{ArchiveComments, Config, NAME};
use modstream_bootstrap::{CALL_TIMEOUT, Invocation, environment, run};
use modstream_platform::aws::{Settings, SystemClock, connect};

fn main() -> ExitCode {
    run(NAME, async |_| {
        let config = Config::read(environment())?;
        let clients = connect(Settings { call_timeout: CALL_TIMEOUT, ..Settings::default() }).await?;
        let function = ArchiveComments::new(clients.objects(&config.bucket), SystemClock);
        Ok(async move |invocation: Invocation| function.handle(&invocation.payload, invocation.deadline).await)
    })
}
