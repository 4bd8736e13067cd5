use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::{Missing, once, version};
use crate::{checkout, command};

const OLDEST: u32 = 20;
const HINT: &str = "install Node.js 20 or newer with npm (nodejs.org, or your system's packages: nodejs and npm)";

/// npm of a Node.js that is new enough for what we install with it, and that Node.js' version.
pub(crate) fn npm() -> Result<(PathBuf, String), Missing> {
    npm_of(OLDEST)
}

/// npm of a Node.js of that major version or a newer one, and that Node.js' version.
pub(super) fn npm_of(oldest: u32) -> Result<(PathBuf, String), Missing> {
    let missing = |tool, found| Missing { tool, found, hint: HINT };
    let node = command::asked(Command::new("node").arg("--version"))
        .ok_or_else(|| missing("Node.js", "none is here".to_owned()))?;
    if version(&node).is_none_or(|(major, _)| major < oldest) {
        return Err(missing("Node.js", format!("node is {node}")));
    }
    match command::asked(Command::new("npm").arg("--version")) {
        Some(_) => Ok(("npm".into(), node)),
        None => Err(missing("npm", "none is here".to_owned())),
    }
}

/// Packages that npm installs into `.local/tools`, by a lock file of the checkout.
pub(super) struct Packages<'a> {
    /// The folder's name in `.local/tools`.
    pub(super) tool: &'a str,
    /// The checkout's folder that has `package.json` and the lock file.
    pub(super) source: &'a str,
    /// The names of what else is copied from `source`.
    pub(super) programs: &'a [&'a str],
    /// What npm is told besides.
    pub(super) options: &'a [&'a str],
    pub(super) oldest_node: u32,
}

impl Packages<'_> {
    /// Installs the packages into the folder whose `node_modules` holds them. `finish` runs once, after npm.
    pub(super) fn install(
        &self,
        log: &Path,
        finish: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<PathBuf> {
        let (npm, node) = npm_of(self.oldest_node)?;
        let source = checkout::root().join(self.source);
        let folder = checkout::local().join("tools").join(self.tool);
        let names = || ["package.json", "package-lock.json"].into_iter().chain(self.programs.iter().copied());
        let mut inputs = vec![node.into_bytes(), self.options.join(" ").into_bytes()];
        for name in names() {
            let file = source.join(name);
            inputs.push(fs::read(&file).with_context(|| format!("{} can't be read", file.display()))?);
        }
        once(&folder, &inputs, |folder| {
            fs::create_dir_all(folder)?;
            for name in names() {
                fs::copy(source.join(name), folder.join(name))?;
            }
            let mut command = Command::new(&npm);
            command.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).args(self.options).current_dir(folder);
            command.env("npm_config_cache", checkout::local().join("cache/npm"));
            command::logged(&mut command, log)?;
            finish(folder)
        })
        .with_context(|| format!("{} can't be installed into {}", self.tool, folder.display()))?;
        Ok(folder)
    }
}

/// The folder whose `node_modules` holds clients of the front door.
pub(crate) fn clients_in_javascript(log: &Path) -> anyhow::Result<PathBuf> {
    let packages =
        Packages { tool: "clients", source: "tests/clients", programs: &[], options: &[], oldest_node: OLDEST };
    packages.install(log, |_| Ok(()))
}

/// The folder that has the app for Reddit of `examples/devvit`, as it is now, beside its packages: nothing is written into the
/// checkout.
pub(crate) fn reddit_app(log: &Path) -> anyhow::Result<PathBuf> {
    const SOURCE: &str = "examples/devvit";
    let packages =
        Packages { tool: "devvit", source: SOURCE, programs: &[], options: &["--include=dev"], oldest_node: OLDEST };
    let folder = packages.install(log, |_| Ok(()))?;
    let source = checkout::root().join(SOURCE);
    let copy = || -> std::io::Result<()> {
        for name in ["devvit.json", "tsconfig.json", "vitest.config.ts"] {
            fs::copy(source.join(name), folder.join(name))?;
        }
        for name in ["src", "test"] {
            let to = folder.join(name);
            // What was removed since must not stay.
            if to.exists() {
                fs::remove_dir_all(&to)?;
            }
            fs::create_dir(&to)?;
            for file in fs::read_dir(source.join(name))? {
                let file = file?;
                fs::copy(file.path(), to.join(file.file_name()))?;
            }
        }
        Ok(())
    };
    copy().with_context(|| format!("{} can't be copied into {}", source.display(), folder.display()))?;
    Ok(folder)
}

/// The folder whose `node_modules` holds kinesis-local.
pub(crate) fn kinesis_local(log: &Path) -> anyhow::Result<PathBuf> {
    let packages =
        Packages { tool: "kinesis-local", source: "infra/local", programs: &[], options: &[], oldest_node: OLDEST };
    packages.install(log, |_| Ok(()))
}
