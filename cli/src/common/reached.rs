//! Which system a command works on: one on AWS, or one in a data folder of this machine. Whatever it is, it has a table, a
//! bucket, streams and secrets.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use modstream_in_use::models::ModelStore;
use modstream_platform::aws::{DynamoTable, KinesisStream, S3Objects, SecretsManager};
use modstream_platform::sqlite::{Role, SqliteObjects, SqliteSecrets, SqliteStream, SqliteTable};
use modstream_platform::table::{
    self, Batch, Consistency, Item, Key, Outcome, Page, Query, Table, Transacted, Update, Write,
};
use modstream_platform::{
    Bytes, CallError, Condition, ETag, Fetched, Objects, PutOutcome, PutRecord, Secrets, Stage, Stream, SystemClock,
    VersionCursor, VersionPage, VersionedObjects, Written,
};

use super::aws_args::ConnectionArgs;
use super::connection::Connection;
use crate::serve::data::DataFolder;

/// How to reach a system.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReachArgs {
    /// The data folder of `modstream serve`, in place of a system on AWS
    #[arg(long, value_name = "DIR", conflicts_with_all = ["endpoint_url", "profile", "region"], help_heading = "On one machine")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

impl ReachArgs {
    /// The same, in the region of a topic where no other is said.
    pub(crate) fn at_topic(&self, arn: Option<&str>) -> Self {
        let connection = arn.map_or_else(|| self.connection.clone(), |arn| self.connection.at_topic(arn));
        ReachArgs { connection, ..self.clone() }
    }

    /// The options that are given.
    pub(crate) fn given(&self) -> impl Iterator<Item = &'static str> {
        self.data.as_ref().map(|_| "--data").into_iter().chain(self.connection.given())
    }
}

/// What the table and the bucket of a data folder are called, and what is filled in for whoever asks for its name.
pub(crate) const HERE: &str = "the data folder";

/// What is said of a bucket or table by its name; a data folder's has none.
pub(crate) fn place_of(what: &str, name: &str) -> String {
    if name == HERE { HERE.to_owned() } else { format!("{what} {name}") }
}

/// The endings of the variables that name a part of a system on AWS.
const PARTS_ON_AWS: [&str; 5] = ["_BUCKET", "_TABLE", "_STREAM", "_TOPIC_ARN", "_SECRET"];

/// The command line of who works on a data folder: what the environment says of a system on AWS does not count, and what names a
/// part of one can't be said.
pub(crate) fn on_one_machine(command: clap::Command) -> clap::Command {
    let below: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let command = below.into_iter().fold(command, |command, name| command.mut_subcommand(name, on_one_machine));
    if !command.get_arguments().any(|arg| arg.get_id() == "data") {
        return command;
    }
    command.mut_args(|arg| {
        let variable = arg.get_env().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
        if PARTS_ON_AWS.iter().any(|part| variable.ends_with(part)) {
            arg.env(None).conflicts_with("data")
        } else {
            arg
        }
    })
}

/// One of a system's streams, whatever it is called there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Comments,
    Predictions,
    Decisions,
}

impl Kind {
    /// What the stream is called in a data folder.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Comments => "comments",
            Kind::Predictions => "predictions",
            Kind::Decisions => "decisions",
        }
    }
}

/// A system.
pub(crate) enum Reached {
    Aws(Box<Connection>),
    Here(Box<DataFolder>),
}

impl Reached {
    /// Opens a system: its data folder, or the way to AWS.
    ///
    /// # Errors
    /// Where it can't be reached.
    pub(crate) async fn open(args: &ReachArgs) -> anyhow::Result<Self> {
        match &args.data {
            Some(folder) => Ok(Reached::Here(Box::new(DataFolder::open(folder, Role::Beside).await?))),
            None => Ok(Reached::Aws(Box::new(Connection::open(&args.connection).await?))),
        }
    }

    /// The data folder, where the system is one of this machine.
    pub(crate) fn here(&self) -> Option<&DataFolder> {
        match self {
            Reached::Aws(_) => None,
            Reached::Here(data) => Some(data),
        }
    }

    /// The table of what a system remembers.
    pub(crate) fn table(&self, name: &str) -> AnyTable {
        match self {
            Reached::Aws(connection) => AnyTable::Dynamo(connection.table(name)),
            Reached::Here(data) => AnyTable::Here(data.table.clone()),
        }
    }

    /// A bucket, for writing.
    pub(crate) fn objects(&self, name: &str) -> Bucket {
        match self {
            Reached::Aws(connection) => Bucket::S3(connection.clients().objects(name)),
            Reached::Here(data) => Bucket::Here(data.objects.clone()),
        }
    }

    /// A bucket, for reading: calls that fail for the moment are tried again.
    pub(crate) fn bucket(&self, name: &str) -> Bucket {
        match self {
            Reached::Aws(connection) => Bucket::S3(connection.bucket(name)),
            Reached::Here(data) => Bucket::Here(data.objects.clone()),
        }
    }

    /// A stream, for putting back what was on it: it is added in any case.
    pub(crate) fn stream(&self, kind: Kind, name: &str) -> AnyStream {
        match (self, kind) {
            (Reached::Aws(connection), _) => AnyStream::Kinesis(connection.clients().stream(name)),
            (Reached::Here(data), Kind::Comments) => AnyStream::Here(data.comments.clone()),
            (Reached::Here(data), Kind::Predictions) => AnyStream::Here(data.predictions.clone()),
            (Reached::Here(data), Kind::Decisions) => AnyStream::Here(data.decisions.clone()),
        }
    }

    /// The stream of comments, for sending some: where it can tell, a repeat is not added again.
    pub(crate) fn comments_to_send(&self, name: &str) -> AnyStream {
        match self {
            Reached::Aws(_) => self.stream(Kind::Comments, name),
            Reached::Here(data) => AnyStream::Here(data.comments_taken_once()),
        }
    }

    pub(crate) fn secrets(&self) -> AnySecrets {
        match self {
            Reached::Aws(connection) => AnySecrets::Manager(connection.clients().secrets()),
            Reached::Here(data) => AnySecrets::Here(data.secrets.clone()),
        }
    }

    /// The models of a name, for writing.
    pub(crate) fn models(&self, bucket: &str, name: &str) -> ModelStore<Bucket, SystemClock> {
        ModelStore::new(self.objects(bucket), SystemClock, name)
    }

    /// The models of a name, for reading: calls that fail for the moment are tried again.
    pub(crate) fn models_to_read(&self, bucket: &str, name: &str) -> ModelStore<Bucket, SystemClock> {
        ModelStore::new(self.bucket(bucket), SystemClock, name)
    }

    /// Who works on the system, as it says itself: the ARN of the credentials, or the user of this machine.
    pub(crate) async fn identity(&self) -> Option<String> {
        match self {
            Reached::Aws(connection) => connection.identity().await,
            Reached::Here(_) => {
                let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).ok()?;
                Some(format!("user {user}")).filter(|_| !user.is_empty())
            }
        }
    }
}

/// A table of either.
#[derive(Clone, Debug)]
pub(crate) enum AnyTable {
    Dynamo(DynamoTable),
    Here(SqliteTable),
}

/// A bucket of either.
#[derive(Clone, Debug)]
pub(crate) enum Bucket {
    S3(S3Objects),
    Here(SqliteObjects),
}

/// A stream of either.
#[derive(Clone, Debug)]
pub(crate) enum AnyStream {
    Kinesis(KinesisStream),
    Here(SqliteStream),
}

/// The secrets of either.
#[derive(Clone, Debug)]
pub(crate) enum AnySecrets {
    Manager(SecretsManager),
    Here(SqliteSecrets),
}

/// Passes a call on to whichever it is.
macro_rules! pass_on {
    ($self:ident, $enum:ident::{$($variant:ident),*}, $inner:ident => $call:expr) => {
        match $self { $($enum::$variant($inner) => $call,)* }
    };
}

impl Bucket {
    /// Lists all keys that start with `prefix`, in order, with the time when each object was written.
    pub(crate) async fn list_written(&self, prefix: &str) -> Result<Vec<(String, Timestamp)>, CallError> {
        pass_on!(self, Bucket::{S3, Here}, objects => objects.list_written(prefix).await)
    }
}

impl Table for AnyTable {
    fn name(&self) -> &str {
        pass_on!(self, AnyTable::{Dynamo, Here}, table => table.name())
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        pass_on!(self, AnyTable::{Dynamo, Here}, table => table.get(key, consistency).await)
    }

    async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
        pass_on!(self, AnyTable::{Dynamo, Here}, table => table.get_batch(keys, consistency).await)
    }

    async fn query(&self, query: &Query) -> Result<Page, CallError> {
        pass_on!(self, AnyTable::{Dynamo, Here}, table => table.query(query).await)
    }

    async fn put(&self, item: &Item, condition: &table::Condition) -> Result<Outcome<()>, CallError> {
        pass_on!(self, AnyTable::{Dynamo, Here}, table => table.put(item, condition).await)
    }

    async fn update(
        &self,
        key: &Key,
        update: &Update,
        condition: &table::Condition,
    ) -> Result<Outcome<Item>, CallError> {
        pass_on!(self, AnyTable::{Dynamo, Here}, table => table.update(key, update, condition).await)
    }

    async fn delete(&self, key: &Key, condition: &table::Condition) -> Result<Outcome<()>, CallError> {
        pass_on!(self, AnyTable::{Dynamo, Here}, table => table.delete(key, condition).await)
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        pass_on!(self, AnyTable::{Dynamo, Here}, table => table.transact(token, writes).await)
    }
}

impl Objects for Bucket {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        pass_on!(self, Bucket::{S3, Here}, objects => objects.get(key, unless).await)
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        pass_on!(self, Bucket::{S3, Here}, objects => objects.put(key, bytes, condition).await)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        pass_on!(self, Bucket::{S3, Here}, objects => objects.list(prefix).await)
    }
}

impl VersionedObjects for Bucket {
    async fn list_versions(&self, prefix: &str, after: Option<&VersionCursor>) -> Result<VersionPage, CallError> {
        pass_on!(self, Bucket::{S3, Here}, objects => objects.list_versions(prefix, after).await)
    }

    async fn get_version(&self, key: &str, version_id: &str) -> Result<Option<Vec<u8>>, CallError> {
        pass_on!(self, Bucket::{S3, Here}, objects => objects.get_version(key, version_id).await)
    }

    async fn delete_version(&self, key: &str, version_id: &str) -> Result<(), CallError> {
        pass_on!(self, Bucket::{S3, Here}, objects => objects.delete_version(key, version_id).await)
    }
}

impl Stream for AnyStream {
    fn name(&self) -> &str {
        pass_on!(self, AnyStream::{Kinesis, Here}, stream => stream.name())
    }

    async fn put_records(&self, records: &[PutRecord]) -> Result<Vec<PutOutcome>, CallError> {
        pass_on!(self, AnyStream::{Kinesis, Here}, stream => stream.put_records(records).await)
    }
}

impl Secrets for AnySecrets {
    async fn secret(&self, id: &str, stage: Stage) -> Result<Option<String>, CallError> {
        pass_on!(self, AnySecrets::{Manager, Here}, secrets => secrets.secret(id, stage).await)
    }
}
