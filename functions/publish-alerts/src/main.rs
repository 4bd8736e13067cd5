//! The program that Lambda starts for `publish-alerts`.

use std::process::ExitCode;

use modstream_bootstrap::{CALL_TIMEOUT, Invocation, environment, run};
use modstream_ledger::SCHEMA;
use modstream_links::RenewedLinks;
use modstream_platform::aws::{Settings, SystemClock, connect};
use publish_alerts::{Config, NAME, PublishAlerts};

fn main() -> ExitCode {
    run(NAME, async |start| {
        let config = Config::read(environment())?;
        let clients = connect(Settings { call_timeout: CALL_TIMEOUT, ..Settings::default() }).await?;
        let alerts = clients.topic(&config.alerts_topic_arn);
        let links = match &config.links {
            Some(links) => Some(links.renewed(clients.secrets(), SystemClock, start.deadline).await?),
            None => None,
        };
        let table = clients.table(&config.table, SCHEMA);
        let objects = clients.objects(&config.bucket);
        let function = PublishAlerts::new(&config, alerts, table, objects, SystemClock)
            .with_links(links.as_ref().map(RenewedLinks::maker));
        Ok(async move |invocation: Invocation| {
            if let Some(links) = &links {
                links.renew(invocation.deadline).await;
            }
            function.handle(&invocation.payload, invocation.deadline).await
        })
    })
}
