//! What is going on, on standard error: a spinner with the time on a terminal, plain lines elsewhere.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use console::style;
use indicatif::{ProgressBar, ProgressStyle};

/// What [`step`] has run since it was last asked for: names and seconds.
static PARTS: Mutex<Vec<(String, f64)>> = Mutex::new(Vec::new());

/// Runs a step under its name and tells how long it took.
pub(crate) fn step<T>(name: &str, run: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let started = Instant::now();
    let spinner = ProgressBar::new_spinner();
    let hidden = spinner.is_hidden();
    if hidden {
        eprintln!("{name} ...");
    } else {
        let template = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
        spinner.set_style(template.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        spinner.set_message(name.to_owned());
        spinner.enable_steady_tick(Duration::from_millis(120));
    }
    let result = run();
    spinner.finish_and_clear();
    let seconds = started.elapsed().as_secs_f64();
    match (&result, hidden) {
        (Ok(_), true) => eprintln!("{name}: {seconds:.1} s"),
        (Ok(_), false) => eprintln!("{} {name} {}", style("✓").green(), style(format!("{seconds:.1} s")).dim()),
        (Err(_), true) => eprintln!("{name}: failed after {seconds:.1} s"),
        (Err(_), false) => eprintln!("{} {name} {}", style("✗").red(), style(format!("{seconds:.1} s")).dim()),
    }
    parts().push((name.to_owned(), seconds));
    result
}

/// Takes the names and seconds of what [`step`] has run since this was last called.
pub(crate) fn take_parts() -> Vec<(String, f64)> {
    std::mem::take(&mut parts())
}

fn parts() -> std::sync::MutexGuard<'static, Vec<(String, f64)>> {
    PARTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
