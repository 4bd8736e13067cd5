//! `modstream replay`.

use plain_text::counted;
use std::process::ExitCode;

use super::args::ReplayArgs;
use super::compare::{against, compare};
use super::files::Files;
#[cfg(feature = "aws")]
use super::of_a_system;
use crate::common::input::{self, check_read_once};
use crate::common::runtime::block_on;

impl ReplayArgs {
    /// Runs `modstream replay`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        // A panic's message may quote a comment.
        kinesis_batch::install_panic_hook();
        check_read_once(self.inputs())?;
        // Before the work, not after.
        let page = self.page()?;
        #[cfg(feature = "aws")]
        if self.input.is_empty() {
            return of_a_system::run(&self, page.as_ref());
        }
        #[cfg(feature = "aws")]
        self.deployed.needs_no_files()?;
        let against = against(&self)?;
        let mut files = Files::open(&self.input, &self.labelled)?;
        let from = match &self.input[..] {
            [file] => input::name(file),
            several => counted(several.len(), "file"),
        };
        block_on(Box::pin(compare(&self, page.as_ref(), &from, &mut files, against)))
    }
}
