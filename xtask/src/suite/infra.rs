//! The step that looks at `infra/` without applying it: its form, and what it makes where no variable is set.

use std::fs;
use std::process::Command;

use anyhow::Context as _;

use super::ended::Ended;
use crate::tools::{providers, terraform};
use crate::{checkout, command};

/// What of `infra/` its tests need; variables and a backend of a user's own stay out.
const FILES: [&str; 5] = [".tf", ".terraform.lock.hcl", "access.json", "calls.json", "indexes.json"];

/// Checks the form of `infra/` and runs its tests, or says what they lack.
pub(super) fn run() -> anyhow::Result<Ended> {
    let program = match terraform() {
        Ok((program, _)) => program,
        Err(missing) => {
            println!("left out, for want of {missing}");
            return Ok(Ended::LeftOut);
        }
    };
    let (from, to) = (checkout::root().join("infra"), checkout::local().join("infra-tests"));
    let _ = fs::remove_dir_all(to.join("tests"));
    fs::create_dir_all(to.join("tests")).with_context(|| format!("{} can't be made", to.display()))?;
    for (folder, ends) in [("", &FILES[..]), ("tests", &[".tftest.hcl"])] {
        for entry in fs::read_dir(from.join(folder)).with_context(|| format!("{} can't be read", from.display()))? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if ends.iter().any(|end| name.ends_with(end)) && name != "backend.tf" && !name.contains("override") {
                fs::copy(&path, to.join(folder).join(name)).with_context(|| format!("{name} can't be copied"))?;
            }
        }
    }
    let log = checkout::local().join("logs/infra.log");
    let command = |args: &[&str]| {
        let mut command = Command::new(&program);
        command.args(args).current_dir(&to).env("TF_IN_AUTOMATION", "1").env("CHECKPOINT_DISABLE", "1");
        command
    };
    command::logged(&mut command(&["fmt", "-check", "-diff", "-recursive", "-no-color"]), &log)
        .context("`terraform fmt -recursive infra` puts it right")?;
    let mut init = command(&["init", "-backend=false", "-input=false", "-no-color", "-lockfile=readonly"]);
    providers().configure(&mut init)?;
    command::logged(&mut init, &log)?;
    command::logged(&mut command(&["validate", "-no-color"]), &log)?;
    command::logged(&mut command(&["test", "-no-color"]), &log)?;
    Ok(Ended::Passed)
}
