//! What crates of some floors must not link, whatever their floor allows.

use super::floors::{Floor, Member, Workspace};

/// What a crate must not link.
#[derive(Clone, Copy, Debug)]
enum Banned {
    /// The package of this name.
    Package(&'static str),
    /// Every package whose name begins so.
    Prefix(&'static str),
    /// Every other crate of a floor.
    Floor(Floor),
    /// Every other crate of the workspace.
    Workspace,
}

/// Whom a rule is about.
#[derive(Clone, Copy, Debug)]
enum Subject {
    Everyone,
    Floors(&'static [Floor]),
    Crate(&'static str),
}

/// A rule about what crates link that are built without their default features.
struct Ban {
    subject: Subject,
    /// Who is there for just that.
    but: &'static [&'static str],
    banned: &'static [Banned],
    because: &'static str,
}

const BANS: [Ban; 8] = [
    Ban {
        subject: Subject::Everyone,
        but: &["modstream-bootstrap"],
        banned: &[Banned::Prefix("aws-")],
        because: "the AWS SDK is a feature, `aws` or `lambda`",
    },
    Ban {
        subject: Subject::Floors(&[Floor::Judging, Floor::Events]),
        but: &[],
        banned: &[Banned::Package("tokio"), Banned::Package("modstream-platform")],
        because: "it is pure: it has no clock and no bucket",
    },
    Ban {
        subject: Subject::Floors(&[Floor::Functions]),
        but: &[],
        banned: &[Banned::Floor(Floor::Functions)],
        because: "functions know each other by their events alone",
    },
    Ban {
        subject: Subject::Floors(&[Floor::Functions, Floor::Pages, Floor::Bucket]),
        but: &["answer-checks", "score-comments", "modstream-gateway"],
        banned: &[Banned::Package("modstream-classifier")],
        because: "who does not score does not carry the classifier",
    },
    Ban {
        subject: Subject::Floors(&[Floor::Functions, Floor::Pages, Floor::Bucket, Floor::Events, Floor::Platform]),
        but: &[],
        banned: &[Banned::Package("linfa")],
        because: "a model is trained by the command, and a function only loads it",
    },
    Ban {
        subject: Subject::Floors(&[Floor::Functions, Floor::Pages, Floor::Bucket, Floor::Events, Floor::Platform]),
        but: &[],
        banned: &[Banned::Package("parquet")],
        because: "files of a person's are read by the command",
    },
    Ban {
        subject: Subject::Floors(&[Floor::Pages]),
        but: &[],
        banned: &[Banned::Package("hyper")],
        because: "a page is handed its request; who serves it is not its matter",
    },
    Ban {
        subject: Subject::Crate("kinesis-batch"),
        but: &[],
        banned: &[Banned::Workspace, Banned::Package("tokio")],
        because: "it is of use to others, who have neither our crates nor our runtime",
    },
];

impl Ban {
    fn is_about(&self, member: &Member) -> bool {
        let is_meant = match self.subject {
            Subject::Everyone => true,
            Subject::Floors(floors) => member.floor.is_some_and(|floor| floors.contains(&floor)),
            Subject::Crate(name) => member.name == name,
        };
        is_meant && !self.but.contains(&member.name.as_str())
    }

    fn forbids(&self, workspace: &Workspace, package: &str) -> bool {
        self.banned.iter().any(|banned| match banned {
            Banned::Package(name) => package == *name,
            Banned::Prefix(start) => package.starts_with(start),
            Banned::Floor(floor) => workspace.member(package).is_some_and(|member| member.floor == Some(*floor)),
            Banned::Workspace => workspace.member(package).is_some(),
        })
    }
}

/// What crates link that they must not, each in a sentence. `tree` tells the packages that a crate links, itself first, a line
/// each.
pub(super) fn broken(
    workspace: &Workspace,
    tree: impl Fn(&str) -> anyhow::Result<String>,
) -> anyhow::Result<Vec<String>> {
    let mut broken = Vec::new();
    for member in &workspace.0 {
        let tree = tree(&member.name)?;
        let mut linked: Vec<&str> = tree.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
        linked.sort_unstable();
        linked.dedup();
        for ban in BANS.iter().filter(|ban| ban.is_about(member)) {
            let forbidden = linked.iter().filter(|package| ban.forbids(workspace, package));
            broken.extend(forbidden.map(|package| format!("{} links {package}: {}", member.name, ban.because)));
        }
    }
    Ok(broken)
}

#[cfg(test)]
mod tests {
    use super::super::metadata::Metadata;
    use super::*;

    /// What is said of crates in these folders, of which `name` links `linked`.
    fn broken_by(name: &str, linked: &str) -> Vec<String> {
        let folders =
            ["functions/score-comments", "functions/publish-alerts", "shared/judging/mood", "shared/pages/desk"];
        let others = ["shared/platform/kinesis-batch", "shared/platform/modstream-bootstrap", "cli"];
        let packages: Vec<_> = folders
            .iter()
            .chain(&others)
            .map(|folder| {
                let name = folder.rsplit('/').next();
                serde_json::json!({"name": name, "manifest_path": format!("/{folder}/Cargo.toml"), "dependencies": []})
            })
            .collect();
        let metadata = serde_json::json!({"workspace_root": "/", "packages": packages}).to_string();
        let workspace = Workspace::of(&Metadata::read(&metadata).expect("metadata"));
        let tree = |package: &str| {
            Ok(if package == name {
                format!("{package} v0.1.0\n{linked} v1.0.0\nserde v1.0.0\n")
            } else {
                String::new()
            })
        };
        broken(&workspace, tree).expect("trees")
    }

    #[test]
    fn what_a_floor_must_not_link_is_found_in_a_crate_that_nobody_listed() {
        for (name, linked) in [
            ("cli", "aws-config"),
            ("mood", "tokio"),
            ("mood", "modstream-platform"),
            ("publish-alerts", "score-comments"),
            ("publish-alerts", "modstream-classifier"),
            ("score-comments", "linfa"),
            ("desk", "hyper"),
            ("kinesis-batch", "mood"),
        ] {
            let broken = broken_by(name, linked);
            assert!(broken.len() == 1 && broken[0].starts_with(&format!("{name} links {linked}: ")), "{broken:?}");
        }
    }

    #[test]
    fn what_a_crate_is_there_for_it_may_link() {
        for (name, linked) in [
            ("modstream-bootstrap", "aws-config"),
            ("score-comments", "modstream-classifier"),
            ("score-comments", "mood"),
            ("mood", "linfa"),
            ("cli", "hyper"),
        ] {
            assert_eq!(broken_by(name, linked), [""; 0], "{name} links {linked}");
        }
    }
}
