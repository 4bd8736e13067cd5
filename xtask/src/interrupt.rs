//! Ctrl-C, and how the children that run at that moment learn of it.
//!
//! Children have a process group of their own, so a terminal's Ctrl-C reaches this process alone, which passes it on once:
//! Terraform takes a second signal for "now, whatever it breaks".

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process_group};

static SIGNALS: AtomicU32 = AtomicU32::new(0);
static CHILDREN: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// The command was interrupted.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// From now on SIGINT, SIGTERM and SIGHUP are noted, and the children at hand are interrupted; three of them end the process.
pub(crate) fn install() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if SIGNALS.fetch_add(1, Ordering::SeqCst) >= 2 {
            std::process::exit(130);
        }
        children().iter().copied().for_each(pass_on);
    })
    .context("signals can't be handled")
}

/// Fails where the command was interrupted.
pub(crate) fn check() -> Result<(), Interrupted> {
    if SIGNALS.load(Ordering::SeqCst) == 0 { Ok(()) } else { Err(Interrupted) }
}

/// While it lives, the child's process group gets what this process gets.
#[derive(Debug)]
pub(crate) struct Attached(u32);

impl Attached {
    pub(crate) fn to(child: u32) -> Self {
        children().push(child);
        // The signal may have come between the start and here.
        if SIGNALS.load(Ordering::SeqCst) > 0 {
            pass_on(child);
        }
        Attached(child)
    }

    /// Interrupts the child alone.
    pub(crate) fn interrupt(&self) {
        pass_on(self.0);
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        children().retain(|child| *child != self.0);
    }
}

fn children() -> std::sync::MutexGuard<'static, Vec<u32>> {
    CHILDREN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn pass_on(child: u32) {
    if let Some(group) = i32::try_from(child).ok().and_then(Pid::from_raw) {
        // The child may have ended meanwhile.
        let _ = kill_process_group(group, Signal::INT);
    }
}
