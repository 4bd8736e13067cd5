use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Missing, version};
use crate::{checkout, command};

const OLDEST: (u32, u32) = (1, 11);
const HINT: &str = "install Terraform 1.11 or newer (developer.hashicorp.com/terraform/install)";

/// Terraform and its version.
pub(crate) fn terraform() -> Result<(PathBuf, String), Missing> {
    let missing = |found| Missing { tool: "Terraform", found, hint: HINT };
    let said = command::asked(Command::new("terraform").arg("version").env("CHECKPOINT_DISABLE", "1"))
        .ok_or_else(|| missing("none is here".to_owned()))?;
    let first = said.lines().find(|line| line.starts_with("Terraform v")).unwrap_or_default().to_owned();
    if version(&first).is_none_or(|found| found < OLDEST) {
        return Err(missing(format!("{first} is too old")));
    }
    Ok(("terraform".into(), first))
}

/// Where Terraform gets the AWS provider from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Providers {
    /// Terraform's registry, and then `.local/cache/terraform`.
    Registry,
    /// A folder that mirrors it.
    Mirror(PathBuf),
}

/// The folder that a mirror is called.
const MIRROR: &str = "registry.terraform.io";

/// Where the provider comes from here: `TF_PLUGIN_DIR`; else a mirror in one of a system's usual places; else the registry.
pub(crate) fn providers() -> Providers {
    if let Some(folder) = env::var_os("TF_PLUGIN_DIR").filter(|folder| !folder.is_empty()) {
        return Providers::Mirror(folder.into());
    }
    let home = env::var_os("HOME").map(PathBuf::from);
    let places = ["/usr/share/terraform", "/usr/local/share/terraform", "/usr/share", "/usr/local/share", "/opt"];
    let mut places: Vec<PathBuf> = places.iter().map(PathBuf::from).collect();
    places.extend(home.iter().flat_map(|home| [home.join(".terraform.d"), home.join(".local/share/terraform")]));
    places.iter().find_map(|place| mirror(place)).map_or(Providers::Registry, Providers::Mirror)
}

/// A folder in or below `place` that holds a mirror with the AWS provider.
fn mirror(place: &Path) -> Option<PathBuf> {
    let holds = |folder: &Path| folder.join(MIRROR).join("hashicorp/aws").is_dir();
    if holds(place) {
        return Some(place.to_path_buf());
    }
    let mut folders: Vec<PathBuf> = place.read_dir().ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    folders.into_iter().find(|folder| holds(folder))
}

impl Providers {
    /// Tells `terraform init` where the provider is.
    pub(crate) fn configure(&self, init: &mut Command) -> std::io::Result<()> {
        match self {
            Providers::Registry => {
                let cache = checkout::local().join("cache/terraform");
                std::fs::create_dir_all(&cache)?;
                init.env("TF_PLUGIN_CACHE_DIR", cache);
            }
            Providers::Mirror(folder) => {
                init.arg(format!("-plugin-dir={}", folder.display()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_found_in_a_place_or_one_folder_below_it() {
        let place = tempfile::tempdir().expect("a folder");
        assert_eq!(mirror(place.path()), None);
        let below = place.path().join("plugins");
        std::fs::create_dir_all(below.join(MIRROR).join("hashicorp/random")).expect("made");
        assert_eq!(mirror(place.path()), None, "of another provider");
        std::fs::create_dir_all(below.join(MIRROR).join("hashicorp/aws")).expect("made");
        assert_eq!(mirror(place.path()), Some(below.clone()));
        assert_eq!(mirror(&below), Some(below));
    }
}
