//! `modstream key`: who may send, check and give feedback over HTTP.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use modstream_gateway::keys::{DEFAULT_PER_MINUTE, KeyRecord, KeyStore, NewKey, Role};
use modstream_platform::sqlite::{Database, OpenError, Role as Work, SqliteObjects};
use modstream_platform::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::common::aws_args::InBucketArgs;
use crate::common::connection::deadline;
use crate::common::display::{one_line, print};
use crate::common::reached::{Bucket, Reached};
use crate::common::runtime::block_on;

/// `modstream key`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key, which is printed once and kept as a hash
    Create(CreateArgs),
    /// List the keys: their names, roles and quotas
    List(ListArgs),
    /// Make a key invalid, for good
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream key create --role check --data /var/lib/modstream
  modstream key create --role check,feedback --note Coral --data /var/lib/modstream --json
  modstream key create --role send,check --note 'our forum'

The key goes into a request as ?key=KEY or as `Authorization: Bearer KEY`. It is printed once: whoever loses it makes another. From
the first key on, `modstream serve` lets in nobody without one; on AWS nobody is in any case. There a key that is revoked lets nobody
in half a minute later.")]
pub(crate) struct CreateArgs {
    /// What the key is for: check (what would this get), send (comments), feedback (what this should have got)
    #[arg(long = "role", value_name = "ROLE", required = true, value_delimiter = ',', value_parser = role)]
    pub(crate) roles: Vec<Role>,
    /// How many requests it may make a minute
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PER_MINUTE, value_parser = clap::value_parser!(u32).range(1..=6_000_000))]
    pub(crate) per_minute: u32,
    /// What it is for, in your words
    #[arg(long, value_name = "TEXT", value_parser = note)]
    pub(crate) note: Option<String>,
    #[command(flatten)]
    pub(crate) of: InBucketArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) of: InBucketArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// The key's name: the 12 digits behind `ms_`, as `modstream key list` shows it
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) of: InBucketArgs,
}

fn role(name: &str) -> Result<Role, String> {
    Role::of(name.trim()).ok_or_else(|| "a role is check, send or feedback; several with commas between".to_owned())
}

fn note(text: &str) -> Result<String, String> {
    match text.chars().count() {
        0..=200 => Ok(text.to_owned()),
        _ => Err("a note has at most 200 characters".to_owned()),
    }
}

impl KeyCommand {
    /// Runs `modstream key`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let text = block_on(async {
            match &self {
                KeyCommand::Create(args) => args.create().await,
                KeyCommand::List(args) => args.list().await,
                KeyCommand::Revoke(args) => args.revoke().await,
            }
        })?;
        print(&text)?;
        Ok(ExitCode::SUCCESS)
    }

    pub(crate) fn wants_json(&self) -> bool {
        match self {
            KeyCommand::Create(args) => args.of.json,
            KeyCommand::List(args) => args.of.json,
            KeyCommand::Revoke(args) => args.of.json,
        }
    }
}

/// The bucket whose keys they are. The first key of a data folder may come before the server does, so `create` makes one.
async fn bucket(of: &InBucketArgs, missing: MissingFolder) -> anyhow::Result<Bucket> {
    let Some(folder) = &of.reach.data else {
        return Ok(Box::pin(Reached::open(&of.reach)).await?.objects(&of.bucket.bucket));
    };
    Ok(Bucket::Here(SqliteObjects::new(database(folder, missing)?)))
}

/// What becomes of a data folder that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MissingFolder {
    Made,
    Refused,
}

/// The file of a data folder.
fn database(folder: &Path, missing: MissingFolder) -> Result<Database, OpenError> {
    match Database::open(folder, Work::Beside) {
        Err(OpenError::Missing { .. }) if missing == MissingFolder::Made => Database::open(folder, Work::Serve),
        opened => opened,
    }
}

impl CreateArgs {
    async fn create(&self) -> anyhow::Result<String> {
        let objects = bucket(&self.of, MissingFolder::Made).await?;
        let roles: BTreeSet<Role> = self.roles.iter().copied().collect();
        let made = NewKey::make(roles, self.per_minute, self.note.clone(), SystemClock.now())?;
        KeyStore::new(&objects, &SystemClock, deadline()).add(&made).await?;
        let NewKey { key, record } = &made;
        Ok(if self.of.json {
            format!("{}\n", json!({ "id": record.id, "key": key }))
        } else {
            format!(
                "{key}\n\nIts name is {}, and it is for {}. It is kept as a hash: this is the only time it is shown.\n",
                record.id,
                roles_of(record, ", ")
            )
        })
    }
}

impl ListArgs {
    async fn list(&self) -> anyhow::Result<String> {
        let objects = bucket(&self.of, MissingFolder::Refused).await?;
        let keys = KeyStore::new(&objects, &SystemClock, deadline()).all().await?;
        if self.of.json {
            return Ok(format!("{}\n", json!({ "keys": keys.iter().map(in_json).collect::<Vec<_>>() })));
        }
        if keys.is_empty() {
            return Ok("no key yet: on loopback `modstream serve` asks for none until there is one, and on AWS nobody is let in\n".to_owned());
        }
        let mut text = String::new();
        for key in &keys {
            let state = key.revoked.map_or_else(String::new, |time| format!("  revoked {time:.0}"));
            let note = key.note.as_deref().map_or_else(String::new, |note| format!("  {}", one_line(note)));
            // Writing into a String can't fail.
            let _ = writeln!(
                text,
                "{}  {:<19}  {:>7} a minute  made {:.0}{state}{note}",
                key.id,
                roles_of(key, ","),
                key.per_minute,
                key.created
            );
        }
        Ok(text)
    }
}

impl RevokeArgs {
    async fn revoke(&self) -> anyhow::Result<String> {
        let objects = bucket(&self.of, MissingFolder::Refused).await?;
        // Whoever pastes what stands before the secret means the name.
        let id = self.id.strip_prefix("ms_").unwrap_or(&self.id);
        let was_valid = KeyStore::new(&objects, &SystemClock, deadline()).revoke(id).await?;
        Ok(if self.of.json {
            format!("{}\n", json!({ "id": id, "revoked": was_valid }))
        } else if was_valid {
            {
                let when = if self.of.reach.data.is_some() { "from now on" } else { "half a minute from now" };
                format!("{id} is revoked: {when} it lets nobody in\n")
            }
        } else {
            format!("{id} was revoked before\n")
        })
    }
}

fn roles_of(key: &KeyRecord, between: &str) -> String {
    key.roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(between)
}

/// What a list says of a key: all but its hash.
fn in_json(key: &KeyRecord) -> Value {
    json!({
        "id": key.id, "roles": key.roles, "per_minute": key.per_minute, "created": key.created, "revoked": key.revoked,
        "note": key.note,
    })
}
