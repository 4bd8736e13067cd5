//! What is said while it runs: on standard error, so that standard output is for whoever started it.

use std::io;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Level {
    /// What an operator must act on.
    Error,
    /// What is set aside or put off, too.
    Warn,
    /// What was done, too: a line a batch.
    Info,
}

/// Sends events to standard error: as JSON, a line each, or as text. None of them holds a comment's text.
pub(super) fn install(level: Level, as_json: bool) {
    let level = match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
    };
    // Of others, what goes wrong: what they say besides may quote a payload.
    let targets = Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("modstream_telemetry", level);
    let layer = fmt::layer().with_writer(io::stderr).with_target(false);
    let layer = if as_json {
        layer.json().flatten_event(true).with_current_span(false).with_span_list(false).with_filter(targets).boxed()
    } else {
        layer.with_ansi(console::colors_enabled_stderr()).with_filter(targets).boxed()
    };
    // There is none yet: this is the process's one.
    let _ = tracing_subscriber::registry().with(layer).try_init();
}
