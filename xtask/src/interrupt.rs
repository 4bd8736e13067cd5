//! Ctrl-C, and how the child that runs at that moment learns of it.
//!
//! Children have a process group of their own, so a terminal's Ctrl-C reaches this process alone, which passes it on once:
//! Terraform takes a second signal for "now, whatever it breaks".

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process_group};

static SEEN: AtomicU32 = AtomicU32::new(0);
static CHILD: Mutex<Option<u32>> = Mutex::new(None);

/// The command was interrupted.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// From now on SIGINT, SIGTERM and SIGHUP are noted, and the child at hand is interrupted; three of them end the process.
pub(crate) fn install() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if SEEN.fetch_add(1, Ordering::SeqCst) >= 2 {
            std::process::exit(130);
        }
        if let Some(child) = *child() {
            pass_on(child);
        }
    })
    .context("signals can't be handled")
}

/// Fails where the command was interrupted.
pub(crate) fn check() -> Result<(), Interrupted> {
    if SEEN.load(Ordering::SeqCst) == 0 { Ok(()) } else { Err(Interrupted) }
}

/// While it lives, the child's process group gets what this process gets.
pub(crate) struct Attached;

impl Attached {
    pub(crate) fn to(child: u32) -> Self {
        *self::child() = Some(child);
        // It may have come between the start and here.
        if SEEN.load(Ordering::SeqCst) > 0 {
            pass_on(child);
        }
        Attached
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        *child() = None;
    }
}

fn child() -> std::sync::MutexGuard<'static, Option<u32>> {
    CHILD.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn pass_on(child: u32) {
    if let Some(group) = i32::try_from(child).ok().and_then(Pid::from_raw) {
        // It may have ended meanwhile.
        let _ = kill_process_group(group, Signal::INT);
    }
}
