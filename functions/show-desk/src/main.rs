//! The program that Lambda starts for `show-desk`.

use std::process::ExitCode;

use modstream_bootstrap::{CALL_TIMEOUT, Invocation, environment, run};
use modstream_ledger::SCHEMA;
use modstream_platform::aws::{Settings, SystemClock, connect};
use show_desk::{Config, NAME, Pages, settings};

fn main() -> ExitCode {
    run(NAME, async |_| {
        let config = Config::read(environment())?;
        let clients = connect(Settings { call_timeout: CALL_TIMEOUT, ..Settings::default() }).await?;
        let table = clients.table(&config.pages.table, SCHEMA);
        let decisions = clients.stream(&config.pages.decisions_stream);
        let function = Pages::new(&config.pages, settings(&config), table, decisions, clients.secrets(), SystemClock);
        Ok(async move |invocation: Invocation| function.handle(&invocation.payload, invocation.deadline).await)
    })
}
