use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::{Missing, once, version};
use crate::{checkout, command};

const OLDEST: u32 = 18;
const HINT: &str = "install Node.js 18 or newer with npm (nodejs.org, or your system's packages: nodejs and npm)";

/// npm of a Node.js that is new enough, and that Node.js' version.
pub(crate) fn npm() -> Result<(PathBuf, String), Missing> {
    let missing = |tool, found| Missing { tool, found, hint: HINT };
    let node = command::asked(Command::new("node").arg("--version"))
        .ok_or_else(|| missing("Node.js", "none is here".to_owned()))?;
    if version(&node).is_none_or(|(major, _)| major < OLDEST) {
        return Err(missing("Node.js", format!("node is {node}")));
    }
    match command::asked(Command::new("npm").arg("--version")) {
        Some(_) => Ok(("npm".into(), node)),
        None => Err(missing("npm", "none is here".to_owned())),
    }
}

/// The folder whose `node_modules` holds kinesis-local.
pub(crate) fn kinesis_local(log: &Path) -> anyhow::Result<PathBuf> {
    let (npm, node) = npm()?;
    let source = checkout::root().join("infra/local");
    let folder = checkout::local().join("tools/kinesis-local");
    let mut inputs = vec![node.into_bytes()];
    for name in ["package.json", "package-lock.json"] {
        let file = source.join(name);
        inputs.push(fs::read(&file).with_context(|| format!("{} can't be read", file.display()))?);
    }
    once(&folder, &inputs, |folder| {
        fs::create_dir_all(folder)?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(source.join(name), folder.join(name))?;
        }
        let mut command = Command::new(&npm);
        command.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(folder);
        command.env("npm_config_cache", checkout::local().join("cache/npm"));
        command::logged(&mut command, log)
    })
    .with_context(|| format!("kinesis-local can't be installed into {}", folder.display()))?;
    Ok(folder)
}
