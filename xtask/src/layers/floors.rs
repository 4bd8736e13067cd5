//! The floors, which crate stands on which, and the arrows between crates.

use std::collections::BTreeMap;
use std::path::Path;

use super::metadata::Metadata;

/// A floor: a crate may use its own floor and those below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Floor {
    Tools,
    Functions,
    Pages,
    Bucket,
    Judging,
    Events,
    Platform,
}

/// The floors from the top, with the folders that their crates lie in. What lies in no other folder is a tool, unless it lies in
/// `shared/`, where each crate's floor has to be said.
const FLOORS: [(Floor, &str, &str); 7] = [
    (Floor::Tools, "tools", ""),
    (Floor::Functions, "functions", "functions"),
    (Floor::Pages, "pages", "shared/pages"),
    (Floor::Bucket, "bucket", "shared/bucket"),
    (Floor::Judging, "judging", "shared/judging"),
    (Floor::Events, "events", "events"),
    (Floor::Platform, "platform", "shared/platform"),
];

impl Floor {
    /// The floor of a crate's folder, if it stands on one.
    fn of(folder: &Path) -> Option<Self> {
        let lies_in = |(floor, _, home): &(Floor, &str, &str)| {
            (*floor != Floor::Tools && folder.starts_with(home)).then_some(*floor)
        };
        FLOORS.iter().find_map(lies_in).or((!folder.starts_with("shared")).then_some(Floor::Tools))
    }

    pub(super) fn name(self) -> &'static str {
        FLOORS.iter().find(|(floor, ..)| *floor == self).map_or("", |(_, name, _)| name)
    }
}

/// A crate of the workspace.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    folder: String,
    pub(super) floor: Option<Floor>,
    /// The names of the workspace's crates that it uses: to run, to be built, or to be tested.
    uses: Vec<String>,
}

/// The crates of the workspace.
#[derive(Debug)]
pub(super) struct Workspace(pub(super) Vec<Member>);

impl Workspace {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let root = &metadata.workspace_root;
        let names: BTreeMap<&Path, &str> =
            metadata.packages.iter().map(|package| (package.folder(root), package.name.as_str())).collect();
        let mut members: Vec<Member> = metadata
            .packages
            .iter()
            .map(|package| {
                let used = package.uses().filter_map(|folder| names.get(folder.strip_prefix(root).unwrap_or(folder)));
                let mut uses: Vec<String> = used.map(|name| (*name).to_owned()).collect();
                uses.sort();
                uses.dedup();
                let folder = package.folder(root);
                let (floor, folder) = (Floor::of(folder), folder.to_string_lossy().into_owned());
                Member { name: package.name.clone(), folder, floor, uses }
            })
            .collect();
        members.sort_by(|one, other| one.folder.cmp(&other.folder));
        Workspace(members)
    }

    pub(super) fn member(&self, name: &str) -> Option<&Member> {
        self.0.iter().find(|member| member.name == name)
    }

    /// The floors from the top, a line each, and how many arrows there are.
    pub(super) fn picture(&self) -> String {
        let mut text = String::new();
        for (floor, name, home) in FLOORS {
            let on_it = self.0.iter().filter(|member| member.floor == Some(floor));
            let names: Vec<&str> = on_it
                .map(|member| match Path::new(&member.folder).strip_prefix(home) {
                    Ok(rest) if !rest.as_os_str().is_empty() => rest.to_str().unwrap_or(&member.folder),
                    _ => &member.folder,
                })
                .collect();
            text.push_str(&format!("{name:9}  {}\n", names.join("  ")));
        }
        let arrows: usize = self.0.iter().map(|member| member.uses.len()).sum();
        text.push_str(&format!("{} crates, {arrows} arrows between them\n", self.0.len()));
        text
    }

    /// The crates on no floor, the arrows that run up, and the circles, each in a sentence.
    pub(super) fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        for member in &self.0 {
            let Some(floor) = member.floor else {
                broken.push(format!(
                    "{} lies in {}, which is no floor's folder: shared/ has pages, bucket, judging and platform",
                    member.name, member.folder
                ));
                continue;
            };
            for used in member.uses.iter().filter_map(|name| self.member(name)) {
                if used.floor.is_some_and(|other| other < floor) {
                    broken.push(format!(
                        "{} ({}) uses {} ({}): that arrow runs up",
                        member.name,
                        floor.name(),
                        used.name,
                        used.floor.map_or("", Floor::name)
                    ));
                }
            }
        }
        broken.extend(self.circle().map(|circle| format!("{}: a circle", circle.join(" uses "))));
        broken
    }

    /// A circle of crates, the first of them at both ends. Cargo itself allows one through tests.
    fn circle(&self) -> Option<Vec<&str>> {
        let mut done = Vec::new();
        self.0.iter().find_map(|member| self.circle_from(member, &mut Vec::new(), &mut done))
    }

    fn circle_from<'a>(
        &'a self,
        member: &'a Member,
        path: &mut Vec<&'a str>,
        done: &mut Vec<&'a str>,
    ) -> Option<Vec<&'a str>> {
        if let Some(start) = path.iter().position(|name| *name == member.name) {
            return Some([&path[start..], &[&member.name]].concat());
        }
        if done.contains(&member.name.as_str()) {
            return None;
        }
        path.push(&member.name);
        let mut used = member.uses.iter().filter_map(|name| self.member(name));
        let found = used.find_map(|used| self.circle_from(used, path, done));
        path.pop();
        done.push(&member.name);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace whose crates lie in these folders and use these others.
    fn workspace(crates: &[(&str, &[&str])]) -> Workspace {
        let packages: Vec<_> = crates
            .iter()
            .map(|(folder, uses)| {
                let uses: Vec<_> = uses
                    .iter()
                    .map(|used| serde_json::json!({"name": used, "path": format!("/house/{used}")}))
                    .collect();
                let name = folder.rsplit('/').next();
                serde_json::json!({
                    "name": name,
                    "manifest_path": format!("/house/{folder}/Cargo.toml"),
                    "dependencies": uses,
                })
            })
            .collect();
        let json = serde_json::json!({"workspace_root": "/house", "packages": packages});
        Workspace::of(&Metadata::read(&json.to_string()).expect("metadata"))
    }

    #[test]
    fn a_crate_may_use_its_own_floor_and_those_below() {
        let workspace = workspace(&[
            ("cli", &["functions/score", "shared/pages/desk"]),
            ("functions/score", &["shared/bucket/ledger", "shared/judging/classifier"]),
            ("shared/pages/desk", &["shared/bucket/ledger"]),
            ("shared/bucket/ledger", &["events", "shared/platform/telemetry"]),
            ("shared/judging/classifier", &["events"]),
            ("events", &["shared/platform/plain-text"]),
            ("shared/platform/telemetry", &["shared/platform/plain-text"]),
            ("shared/platform/plain-text", &[]),
        ]);
        assert_eq!(workspace.broken(), [""; 0]);
        let picture = workspace.picture();
        assert!(picture.starts_with("tools      cli\nfunctions  score\npages      desk\n"), "{picture}");
        assert!(picture.ends_with("platform   plain-text  telemetry\n8 crates, 10 arrows between them\n"), "{picture}");
    }

    #[test]
    fn a_new_crate_at_the_wrong_floor_is_found_without_being_listed() {
        let found = workspace(&[
            ("shared/judging/mood", &["shared/bucket/ledger"]),
            ("shared/bucket/ledger", &[]),
            ("shared/platform/clock", &["events"]),
            ("events", &[]),
        ]);
        assert_eq!(
            found.broken(),
            [
                "mood (judging) uses ledger (bucket): that arrow runs up",
                "clock (platform) uses events (events): that arrow runs up",
            ]
        );
    }

    #[test]
    fn what_is_shared_says_its_floor_and_what_is_not_is_a_tool() {
        let found = workspace(&[("shared/mood", &[]), ("benches", &[]), ("shared/pages/desk", &["benches"])]);
        assert_eq!(
            found.broken(),
            [
                "mood lies in shared/mood, which is no floor's folder: shared/ has pages, bucket, judging and platform",
                "desk (pages) uses benches (tools): that arrow runs up",
            ]
        );
    }

    #[test]
    fn a_circle_is_named_whole() {
        let found = workspace(&[
            ("shared/bucket/a", &["shared/bucket/b"]),
            ("shared/bucket/b", &["shared/bucket/c"]),
            ("shared/bucket/c", &["shared/bucket/b"]),
        ]);
        assert_eq!(found.broken(), ["b uses c uses b: a circle"]);
    }
}
