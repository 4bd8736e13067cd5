//! `modstream replay`.

use std::process::ExitCode;

use super::args::ReplayArgs;
use super::compare::{against, compare};
use super::files::Files;
#[cfg(feature = "aws")]
use super::of_a_system;

impl ReplayArgs {
    /// Runs `modstream replay`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        // A panic's message may quote a comment.
        kinesis_batch::install_panic_hook();
        #[cfg(feature = "aws")]
        if self.input.is_empty() {
            return of_a_system::run(&self);
        }
        #[cfg(feature = "aws")]
        self.deployed.needs_no_files()?;
        let against = against(&self)?;
        let mut files = Files::open(&self.input)?;
        let from = match &self.input[..] {
            [file] => file.display().to_string(),
            several => format!("{} files", several.len()),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(Box::pin(compare(&self, &from, &mut files, against)))
    }
}
