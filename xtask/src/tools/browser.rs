//! A Chromium for the tests of the desk, and what drives it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Missing;
use super::node::{Packages, npm_of};
use crate::command;

/// The Node.js that `playwright-core` asks for.
const OLDEST_NODE: u32 = 20;

/// Where a Chromium comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Chromium {
    /// An npm package, with its libraries and a font: one version, one look, no browser asked of the machine. There is one for
    /// Linux on x86-64 alone.
    Packaged,
    /// A Chromium of the machine's.
    Found(PathBuf),
}

impl Chromium {
    /// The Chromium to test with.
    pub(crate) fn choose() -> Result<Self, Missing> {
        npm_of(OLDEST_NODE)?;
        let named = std::env::var_os("CHROME_PATH").filter(|path| !path.is_empty());
        if let Some(path) = named {
            return Ok(Chromium::Found(path.into()));
        }
        if cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
            return Ok(Chromium::Packaged);
        }
        let runs = |path: &&str| command::asked(Command::new(path).arg("--version")).is_some();
        CHROMIUMS.into_iter().find(runs).map(|path| Chromium::Found(path.into())).ok_or(Missing {
            tool: "Chromium",
            found: "none is here".to_owned(),
            hint: "install Chromium or Chrome, or say where one is with CHROME_PATH",
        })
    }
}

/// Chromiums by their names on the path, and macOS' applications.
const CHROMIUMS: [&str; 6] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// The folder whose `node_modules` holds what drives a Chromium, and whose `chromium` holds the packaged one.
pub(crate) fn browser_driver(chromium: &Chromium, log: &Path) -> anyhow::Result<PathBuf> {
    let is_packaged = *chromium == Chromium::Packaged;
    let packages = Packages {
        tool: "browser",
        source: "tests/browser",
        programs: &["unpack.js"],
        // The packaged Chromium, the one of `devDependencies`, asks for a newer Node.js than it needs to be unpacked.
        options: if is_packaged { &["--engine-strict=false"] } else { &["--omit=dev"] },
        oldest_node: OLDEST_NODE,
    };
    packages.install(log, |folder| {
        if !is_packaged {
            return Ok(());
        }
        command::logged(Command::new("node").arg("unpack.js").current_dir(folder), log)
    })
}
