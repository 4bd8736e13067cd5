//! The program that Lambda starts for `take-decisions`.

use std::process::ExitCode;

use modstream_bootstrap::{CALL_TIMEOUT, Invocation, environment, run};
use modstream_ledger::SCHEMA;
use modstream_platform::aws::{Settings, SystemClock, connect};
use take_decisions::{Config, NAME, Pages, settings};

fn main() -> ExitCode {
    run(NAME, async |_| {
        let config = Config::read(environment())?;
        let clients = connect(Settings { call_timeout: CALL_TIMEOUT, ..Settings::default() }).await?;
        let table = clients.table(&config.table, SCHEMA);
        let decisions = clients.stream(&config.decisions_stream);
        let function = Pages::new(&config, settings(&config), table, decisions, clients.secrets(), SystemClock);
        Ok(async move |invocation: Invocation| function.handle(&invocation.payload, invocation.deadline).await)
    })
}
