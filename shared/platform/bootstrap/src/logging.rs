use modstream_platform::environment::{Environment, Variable, VariableError};
use modstream_telemetry::DENIED;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt as _, Targets, dynamic_filter_fn};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry};

const WANTED: &str = "trace, debug, info, warn or error";

/// Sends events to standard output, as JSON. It has no effect where there is a subscriber already.
pub(crate) fn install(environment: Environment<'_>) -> Result<(), VariableError> {
    let level = level(environment)?;
    let json = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_filter(targets(level).and(dynamic_filter_fn(is_said)));
    let _ = tracing_subscriber::registry().with(json).try_init();
    Ok(())
}

/// The name of the span around a function's start.
pub(crate) const START: &str = "start";

/// What keeps a function from starting is one line, the last: that a call was denied is in it.
fn is_said(metadata: &Metadata<'_>, context: &Context<'_, Registry>) -> bool {
    metadata.target() != DENIED || context.lookup_current().is_none_or(|span| span.name() != START)
}

/// The level: `LOG_LEVEL`, else that of [Lambda's logging
/// configuration](https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html).
fn level(environment: Environment<'_>) -> Result<LevelFilter, VariableError> {
    for name in ["LOG_LEVEL", "AWS_LAMBDA_LOG_LEVEL"] {
        if let Some(level) = environment.optional(Variable { name, wanted: WANTED, example: "info" }, parse)? {
            return Ok(level);
        }
    }
    Ok(LevelFilter::INFO)
}

fn parse(text: &str) -> Option<LevelFilter> {
    match text.to_ascii_lowercase().as_str() {
        "trace" => Some(LevelFilter::TRACE),
        "debug" => Some(LevelFilter::DEBUG),
        "info" => Some(LevelFilter::INFO),
        "warn" => Some(LevelFilter::WARN),
        // Lambda's FATAL is above every level of tracing's.
        "error" | "fatal" => Some(LevelFilter::ERROR),
        _ => None,
    }
}

/// The crates whose events hold no payload.
const OURS: [&str; 2] = ["modstream_telemetry", "modstream_bootstrap"];

/// The runtime logs a payload at TRACE, the SDK requests at TRACE and DEBUG.
fn targets(level: LevelFilter) -> Targets {
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        // A handler's failure is an event of ours already.
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF);
    OURS.into_iter().fold(targets, |targets, name| targets.with_target(name, level))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    fn level_of(variables: &[(&str, &str)]) -> Result<LevelFilter, String> {
        let lookup =
            |name: &str| variables.iter().find(|(found, _)| *found == name).map(|(_, value)| (*value).to_owned());
        level(Environment::new(&lookup)).map_err(|error| error.to_string())
    }

    #[test]
    fn our_own_variable_goes_before_lambdas_and_info_is_the_default() {
        assert_eq!(level_of(&[]), Ok(LevelFilter::INFO));
        assert_eq!(level_of(&[("AWS_LAMBDA_LOG_LEVEL", "WARN")]), Ok(LevelFilter::WARN));
        assert_eq!(level_of(&[("AWS_LAMBDA_LOG_LEVEL", "FATAL")]), Ok(LevelFilter::ERROR));
        assert_eq!(level_of(&[("AWS_LAMBDA_LOG_LEVEL", "WARN"), ("LOG_LEVEL", "debug")]), Ok(LevelFilter::DEBUG));
        let error = level_of(&[("LOG_LEVEL", "loud")]).expect_err("no level");
        assert!(error.contains("LOG_LEVEL holds `loud`: set it to trace, debug, info"), "{error}");
    }

    #[test]
    fn a_low_level_never_lets_a_library_quote_a_payload() {
        let targets = targets(LevelFilter::TRACE);
        assert!(targets.would_enable("modstream_telemetry", &Level::TRACE));
        for library in ["lambda_runtime::layers::api_response", "aws_smithy_runtime::client::orchestrator", "hyper"] {
            assert!(targets.would_enable(library, &Level::WARN), "{library}");
            assert!(!targets.would_enable(library, &Level::INFO), "{library}");
        }
        assert!(!super::targets(LevelFilter::ERROR).would_enable("hyper", &Level::WARN));
    }
}
