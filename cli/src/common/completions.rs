//! `modstream completions`.

use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;

use super::display::print;

#[derive(Debug, Args)]
#[command(after_help = "Example:
  modstream completions bash > ~/.local/share/bash-completion/completions/modstream")]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}

impl CompletionsArgs {
    /// Runs `modstream completions`, for the command line that it is handed.
    pub(crate) fn run(self, mut command_line: clap::Command) -> anyhow::Result<ExitCode> {
        // Into memory first: the generator panics where it can't write.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command_line, "modstream", &mut script);
        print(&String::from_utf8_lossy(&script))?;
        Ok(ExitCode::SUCCESS)
    }
}
