//! The program that Lambda starts for `digest-alerts`.

use std::process::ExitCode;

use digest_alerts::{Config, DigestAlerts, Links, NAME, Rules};
use modstream_bootstrap::{CALL_TIMEOUT, Invocation, environment, run};
use modstream_decisions::Decisions;
use modstream_ledger::SCHEMA;
use modstream_platform::aws::{Settings, SystemClock, connect};
use modstream_telemetry::sweep_failed;

fn main() -> ExitCode {
    run(NAME, async |start| {
        let config = Config::read(environment())?;
        let clients = connect(Settings { call_timeout: CALL_TIMEOUT, ..Settings::default() }).await?;
        let renewed = match &config.links {
            Some(links) => Some(links.renewed(clients.secrets(), SystemClock, start.deadline).await?),
            None => None,
        };
        let links = renewed.as_ref().map_or_else(Links::none, |links| Links::made_by(links.maker(), SystemClock));
        let digests = clients.topic(&config.digests_topic_arn);
        let (table, objects) = (clients.table(&config.table, SCHEMA), clients.objects(&config.bucket));
        let decisions = config.decisions_stream.as_ref().map(|name| clients.stream(name));
        let rules = Rules::default();
        let function = DigestAlerts::new(&config, digests, table.clone(), SystemClock, links)?;
        Ok(async move |invocation: Invocation| {
            let Invocation { payload, deadline, .. } = invocation;
            if let Some(links) = &renewed {
                links.renew(deadline).await;
            }
            if let Some(stream) = &decisions {
                let sweep = Decisions::new(&table, stream, &SystemClock, deadline);
                if let Err(error) = sweep.sweep(&objects).await {
                    // The next run looks again; digests do not wait for it.
                    sweep_failed(&error);
                }
            }
            let rules = rules.in_use(&objects, &SystemClock, deadline).await?;
            function.handle(&payload, deadline, |subreddit, time| rules.of(subreddit, time)).await
        })
    })
}
