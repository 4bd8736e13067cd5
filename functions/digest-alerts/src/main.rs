//! The program that Lambda starts for `digest-alerts`.

use std::process::ExitCode;

use digest_alerts::{Config, DigestAlerts, DigestRules, Links, NAME};
use modstream_bootstrap::{CALL_TIMEOUT, Invocation, environment, run};
use modstream_platform::aws::{Settings, SystemClock, connect};

fn main() -> ExitCode {
    run(NAME, async |_| {
        let config = Config::read(environment())?;
        let clients = connect(Settings { call_timeout: CALL_TIMEOUT, ..Settings::default() }).await?;
        let (digests, objects) = (clients.topic(&config.digests_topic_arn), clients.objects(&config.bucket));
        let function = DigestAlerts::new(&config, digests, objects, SystemClock, Links::none())?;
        Ok(async move |invocation: Invocation| {
            let Invocation { payload, deadline, .. } = invocation;
            function.handle(&payload, deadline, |_, _| DigestRules::default()).await
        })
    })
}
