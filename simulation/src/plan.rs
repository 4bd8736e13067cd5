//! What happens in one run, and when: everything follows from a seed.

use std::fmt;
use std::time::Duration;

use modstream_events::{Action, DeletedBy};
use modstream_platform::{CallErrorKind, table};

use crate::documents::DOCUMENTS;

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The number that the plan was made from.
    pub seed: u64,
    /// How streams and mappings are set up.
    pub settings: Settings,
    /// What comes, and what goes wrong.
    pub incidents: Vec<Incident>,
}

/// How streams and mappings are set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Shards of each stream, at the start.
    pub shards: usize,
    /// The most records of a batch.
    pub batch_size: usize,
    /// Batches of a shard under way at once.
    pub parallelization_factor: usize,
    /// Whether a batch that failed as a whole is halved.
    pub bisect: bool,
    /// How long a batch waits for more records.
    pub batching_window: Duration,
    /// How often a batch is sent again. None: until its records are too old.
    pub max_retry_attempts: Option<u32>,
    /// How old a record may get.
    pub max_record_age: Duration,
    /// The number of the document of policies that holds. None: the environment's policy holds.
    pub document: Option<usize>,
}

/// A function, as plans name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// `score-comments`.
    Score,
    /// `publish-alerts`.
    Publish,
    /// `archive-comments`.
    Archive,
    /// `digest-alerts`.
    Digest,
    /// `take-decisions`.
    Decide,
    /// `show-desk`.
    Desk,
}

/// A kind of call to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Records to a stream.
    PutRecords,
    /// Reading an object.
    GetObject,
    /// A page of a listing of objects.
    ListObjects,
    /// Writing an object.
    PutObject,
    /// Messages to a topic.
    PublishBatch,
    /// Reading a secret.
    GetSecretValue,
    /// A call to a table.
    Table(table::Operation),
}

/// What one call does instead of what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call fails as a whole, and does nothing.
    Fails(CallErrorKind),
    /// The call does everything, and the answer is lost.
    AnswerLost,
    /// These entries fail, by position; the list repeats. A table leaves these keys unprocessed.
    EntriesFail(Vec<bool>),
    /// Another write of the object is under way (409).
    Conflict,
    /// The object may not be read (403), whether it is there or not.
    Forbidden,
    /// The page holds fewer keys than it could, and more follow.
    ShortPage,
    /// The page's answer breaks off among its keys.
    BrokenPage,
    /// The call takes effect only after a while.
    SlowRequest(Duration),
    /// The call takes effect at once, and the answer takes a while.
    SlowAnswer(Duration),
}

/// What Lambda does with one invocation, besides making it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Lambda sends the batch once more after it was done.
    Twice,
    /// Lambda sends a batch that is long done before this one.
    EarlierAgain,
    /// The function's answer is lost.
    AnswerLost,
    /// Lambda gives the invocation up after a while and goes on, and the function works on.
    Abandoned(Duration),
}

/// A model that is promoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promoted {
    /// The project's pretrained model.
    Shipped,
    /// Another version that gives higher probabilities.
    Harsher,
    /// A model whose arrays are cut off.
    Damaged,
    /// A pointer that is none.
    NoPointer,
}

/// What happens to a comment after it was written. Each may come more than once, and in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// The comment says something else, in this version.
    Edited(u32),
    /// The comment is gone.
    Deleted(DeletedBy),
    /// This person reports the comment.
    Reported(u32),
}

/// A stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// What comes in.
    Comments,
    /// What the scorer says.
    Predictions,
}

/// Where a moderator decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// Behind an alert's link.
    Link,
    /// At the desk.
    Desk,
}

/// Something that comes or goes wrong. Times are from the run's start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incident {
    /// A comment is sent; a number may be sent more than once.
    Comment {
        /// When the comment is sent.
        at: Duration,
        /// The comment's number.
        number: usize,
    },
    /// Something happens to a comment, whether it was sent before or not.
    Lifecycle {
        /// When it happens.
        at: Duration,
        /// The comment's number.
        number: usize,
        /// What happens to the comment.
        what: Lifecycle,
    },
    /// A bad record is put on a stream.
    BadRecord {
        /// When the record is put.
        at: Duration,
        /// The stream that it is put on.
        stream: Which,
        /// The sample's number, counted around.
        sample: usize,
    },
    /// A shard is split.
    Split {
        /// When the shard is split.
        at: Duration,
        /// The shard's stream.
        stream: Which,
        /// The shard's number among the open ones, counted around.
        shard: usize,
    },
    /// Two neighbouring shards are merged.
    Merge {
        /// When the shards are merged.
        at: Duration,
        /// The shards' stream.
        stream: Which,
        /// The lower of the two, among the open ones, counted around.
        shard: usize,
    },
    /// Another model is promoted.
    Promote {
        /// When the pointer moves.
        at: Duration,
        /// The model that it names then.
        model: Promoted,
    },
    /// `digest-alerts` is due.
    Digest {
        /// When the function is invoked.
        at: Duration,
        /// Which run of the schedule it is, from 0; one may come more than once, and in any order.
        run: usize,
    },
    /// A moderator opens an alert's page and, if it offers that, decides.
    Visit {
        /// When the moderator comes.
        at: Duration,
        /// The moderator's number.
        moderator: usize,
        /// The alert's number among the ledger's, counted around.
        alert: usize,
        /// Where the moderator decides.
        page: Page,
        /// What the moderator wants.
        wish: Action,
        /// How long the page lies open before.
        ponders: Duration,
    },
    /// All calls of an operation fail for a while.
    Outage {
        /// When the outage begins.
        at: Duration,
        /// How long the outage lasts.
        lasts: Duration,
        /// The operation that fails.
        operation: Operation,
    },
    /// What the table's eventual reads and indexes show stays as it is for a while.
    Lag {
        /// When the table falls behind.
        at: Duration,
        /// How long the table stays so.
        lasts: Duration,
    },
    /// A function may not use a prefix of the bucket, or of the table's partitions, for a while.
    Denied {
        /// When the permission is taken away.
        at: Duration,
        /// How long the permission is missing.
        lasts: Duration,
        /// The function that has no permission.
        function: Function,
        /// The beginning of the keys.
        prefix: &'static str,
        /// Whether writing, deleting and listing are denied, too.
        all: bool,
    },
    /// The topic takes no alert about a comment, by the sender's fault. In every second plan it refuses the whole call.
    Refused {
        /// The comment's number.
        number: usize,
    },
    /// A call goes wrong.
    Call {
        /// The function that calls.
        function: Function,
        /// The operation that is called.
        operation: Operation,
        /// The call's number among the function's calls of the operation, from 0.
        call: u64,
        /// What the call does instead.
        fault: Fault,
    },
    /// The process that takes this step, counted over all of a function's processes, ends there.
    Crash {
        /// The process's function.
        function: Function,
        /// The step's number, from 0.
        step: u64,
    },
    /// Lambda delivers in another way.
    Delivery {
        /// The function that is invoked.
        function: Function,
        /// The invocation's number among the function's, from 0.
        invocation: u64,
        /// What Lambda does besides.
        how: Delivery,
    },
}

/// The moderators' names.
pub(crate) const MODERATORS: [&str; 3] = ["ana", "ben", "chi"];
/// The runs of the schedule that plans have.
pub(crate) const SCHEDULED_RUNS: usize = 4;
/// How many samples of bad records there are at least, of each stream.
const BAD_SAMPLES: usize = 20;

impl Plan {
    /// The plan of a seed.
    pub fn of_seed(seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut settings = settings(&mut dice);
        let comments = dice.usize(3..30);
        // A third of the runs lasts as long as a model's check, ten minutes at most.
        let span = Duration::from_millis([2_000, 20_000, 600_000][dice.usize(..3)]);
        let mut incidents = Vec::new();
        for _ in 0..comments {
            let number = dice.usize(..comments);
            incidents.push(Incident::Comment { at: moment(&mut dice, span), number });
        }
        // Each run has some kinds of incident only: what one kind hides, runs without it show.
        let mut some = |dice: &mut fastrand::Rng, most: usize, one: &mut dyn FnMut(&mut fastrand::Rng) -> Incident| {
            if dice.bool() {
                let count = dice.usize(1..=most);
                incidents.extend((0..count).map(|_| one(dice)));
            }
        };
        some(&mut dice, 12, &mut |dice| {
            // Few comments, so that much happens to one.
            let number = dice.usize(..comments.min(4));
            let by = [DeletedBy::Author, DeletedBy::Moderator, DeletedBy::Account];
            let what = match dice.u8(..8) {
                0..5 => Lifecycle::Edited(dice.u32(1..6)),
                5 => Lifecycle::Deleted(by[dice.usize(..3)]),
                _ => Lifecycle::Reported(dice.u32(..3)),
            };
            Incident::Lifecycle { at: moment(dice, span), number, what }
        });
        some(&mut dice, 4, &mut |dice| Incident::BadRecord {
            at: moment(dice, span),
            stream: which(dice),
            sample: dice.usize(..BAD_SAMPLES),
        });
        some(&mut dice, 2, &mut |dice| Incident::Split {
            at: moment(dice, span),
            stream: which(dice),
            shard: dice.usize(..4),
        });
        some(&mut dice, 2, &mut |dice| Incident::Merge {
            at: moment(dice, span),
            stream: which(dice),
            shard: dice.usize(..4),
        });
        some(&mut dice, 3, &mut |dice| {
            let all = [Promoted::Harsher, Promoted::Shipped, Promoted::Damaged, Promoted::NoPointer];
            Incident::Promote { at: moment(dice, span), model: all[dice.usize(..4).min(dice.usize(..4))] }
        });
        some(&mut dice, 4, &mut |dice| Incident::Digest {
            at: afterwards(dice, span),
            run: dice.usize(..SCHEDULED_RUNS),
        });
        some(&mut dice, 10, &mut |dice| Incident::Visit {
            at: afterwards(dice, span),
            moderator: dice.usize(..MODERATORS.len()),
            // Few alerts, so that they meet.
            alert: dice.usize(..2),
            page: if dice.bool() { Page::Link } else { Page::Desk },
            wish: [Action::Remove, Action::Keep, Action::Undo][dice.usize(..3)],
            ponders: Duration::from_millis(if dice.bool() { 0 } else { dice.u64(..20_000) }),
        });
        some(&mut dice, 2, &mut |dice| Incident::Outage {
            at: moment(dice, span),
            lasts: Duration::from_millis(dice.u64(1_000..120_000)),
            operation: Operation::ALL[dice.usize(..Operation::ALL.len())],
        });
        some(&mut dice, 2, &mut |dice| Incident::Refused { number: dice.usize(..comments) });
        some(&mut dice, 25, &mut |dice| {
            let function = function(dice);
            let operations = function.operations();
            let operation = operations[dice.usize(..operations.len())];
            let fault = fault(dice, operation);
            // Early calls more often: most runs make few.
            let call = dice.u64(..40);
            Incident::Call { function, operation, call: dice.u64(..=call), fault }
        });
        some(&mut dice, 6, &mut |dice| {
            let step = dice.u64(..200);
            Incident::Crash { function: function(dice), step: dice.u64(..=step) }
        });
        some(&mut dice, 6, &mut |dice| Incident::Delivery {
            function: function(dice),
            invocation: dice.u64(..12),
            how: match dice.u8(..4) {
                0 => Delivery::Twice,
                1 => Delivery::EarlierAgain,
                2 => Delivery::AnswerLost,
                _ => Delivery::Abandoned(Duration::from_millis(dice.u64(..500))),
            },
        });
        settings.document = dice.bool().then(|| dice.usize(..DOCUMENTS.len()));
        some(&mut dice, 3, &mut |dice| {
            let function = function(dice);
            let prefixes = function.prefixes();
            Incident::Denied {
                at: if dice.bool() { moment(dice, span) } else { afterwards(dice, span) },
                lasts: Duration::from_millis(dice.u64(1_000..120_000)),
                function,
                prefix: prefixes[dice.usize(..prefixes.len())],
                all: dice.bool(),
            }
        });
        some(&mut dice, 2, &mut |dice| Incident::Lag {
            at: if dice.bool() { moment(dice, span) } else { afterwards(dice, span) },
            lasts: Duration::from_millis(dice.u64(100..30_000)),
        });
        Plan { seed, settings, incidents }
    }
}

fn settings(dice: &mut fastrand::Rng) -> Settings {
    Settings {
        shards: dice.usize(1..4),
        batch_size: dice.usize(1..25),
        parallelization_factor: if dice.u8(..4) == 0 { dice.usize(2..5) } else { 1 },
        bisect: dice.bool(),
        batching_window: Duration::from_millis(if dice.bool() { 0 } else { dice.u64(1..2_000) }),
        max_retry_attempts: (dice.u8(..4) == 0).then(|| dice.u32(..6)),
        max_record_age: Duration::from_secs(if dice.u8(..4) == 0 { dice.u64(60..300) } else { 3_600 }),
        document: None,
    }
}

fn moment(dice: &mut fastrand::Rng, span: Duration) -> Duration {
    Duration::from_millis(dice.u64(..span.as_millis() as u64))
}

/// Late in a run or soon after it, when there are alerts; often several at once.
fn afterwards(dice: &mut fastrand::Rng, span: Duration) -> Duration {
    let after = Duration::from_secs([0, 5, 20, 60][dice.usize(..4)]);
    if dice.u8(..4) == 0 { moment(dice, span) } else { span + after }
}

fn which(dice: &mut fastrand::Rng) -> Which {
    if dice.bool() { Which::Comments } else { Which::Predictions }
}

fn function(dice: &mut fastrand::Rng) -> Function {
    Function::ALL[dice.usize(..Function::ALL.len())]
}

fn fault(dice: &mut fastrand::Rng, operation: Operation) -> Fault {
    let kinds =
        [CallErrorKind::Unavailable, CallErrorKind::OutcomeUnknown, CallErrorKind::Denied, CallErrorKind::Invalid];
    let is_batch = matches!(
        operation,
        Operation::PutRecords | Operation::PublishBatch | Operation::Table(table::Operation::BatchGetItem)
    );
    match dice.u8(..10) {
        0..3 => Fault::Fails(kinds[dice.usize(..4)]),
        3..6 => Fault::AnswerLost,
        6 => Fault::SlowRequest(Duration::from_millis(dice.u64(1..25_000))),
        7 => Fault::SlowAnswer(Duration::from_millis(dice.u64(1..25_000))),
        _ if is_batch => Fault::EntriesFail((0..dice.usize(1..5)).map(|_| dice.bool()).collect()),
        _ if operation == Operation::PutObject => Fault::Conflict,
        8 if operation == Operation::ListObjects => Fault::ShortPage,
        _ if operation == Operation::Table(table::Operation::Query) => Fault::ShortPage,
        _ if operation == Operation::ListObjects => Fault::BrokenPage,
        _ if operation == Operation::GetObject => Fault::Forbidden,
        _ => Fault::AnswerLost,
    }
}

impl fmt::Display for Plan {
    /// The plan in words, an incident a line.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(to, "  {}", self.settings)?;
        self.incidents.iter().try_for_each(|incident| writeln!(to, "  {incident}"))
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { shards, batch_size, parallelization_factor, .. } = self;
        let word = if *shards == 1 { "shard" } else { "shards" };
        write!(to, "{shards} {word}, batches of {batch_size} after {:?}, ", self.batching_window)?;
        write!(to, "{parallelization_factor} at once a shard, {}, ", if self.bisect { "bisected" } else { "retried" })?;
        if let Some(most) = self.max_retry_attempts {
            write!(to, "{most} retries, ")?;
        }
        write!(to, "up to {:?} old", self.max_record_age)?;
        match self.document {
            Some(number) => write!(to, ", policies {number}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Incident::Comment { at, number } => write!(to, "{at:?}: comment {number} is sent"),
            Incident::Lifecycle { at, number, what } => match what {
                Lifecycle::Edited(version) => write!(to, "{at:?}: comment {number} is edited, version {version}"),
                Lifecycle::Deleted(by) => write!(to, "{at:?}: comment {number} is deleted, {by:?}"),
                Lifecycle::Reported(by) => write!(to, "{at:?}: comment {number} is reported, person {by}"),
            },
            Incident::BadRecord { at, stream, sample } => {
                write!(to, "{at:?}: bad record {sample} is put on {}", stream.name())
            }
            Incident::Split { at, stream, shard } => {
                write!(to, "{at:?}: open shard {shard} of {} is split", stream.name())
            }
            Incident::Merge { at, stream, shard } => {
                write!(to, "{at:?}: open shard {shard} of {} is merged with the next", stream.name())
            }
            Incident::Promote { at, model } => write!(to, "{at:?}: model promoted: {model:?}"),
            Incident::Digest { at, run } => write!(to, "{at:?}: digests are sent, run {run} of the schedule"),
            Incident::Visit { at, moderator, alert, page, wish, ponders } => {
                let (who, page) = (MODERATORS[moderator % MODERATORS.len()], page.name());
                write!(to, "{at:?}: {who} opens alert {alert} {page} and, after {ponders:?}, wants: {wish}")
            }
            Incident::Outage { at, lasts, operation } => write!(to, "{at:?}: {operation:?} fails for {lasts:?}"),
            Incident::Denied { at, lasts, function, prefix, all } => {
                let what = if *all { "use" } else { "read" };
                write!(to, "{at:?}: {} may not {what} {prefix} for {lasts:?}", function.name())
            }
            Incident::Lag { at, lasts } => write!(to, "{at:?}: the table lags behind for {lasts:?}"),
            Incident::Refused { number } => write!(to, "the topic refuses the alert about comment {number}"),
            Incident::Call { function, operation, call, fault } => {
                write!(to, "{operation:?} call {call} of {}: {fault:?}", function.name())
            }
            Incident::Crash { function, step } => {
                write!(to, "the process of {} that takes step {step} crashes", function.name())
            }
            Incident::Delivery { function, invocation, how } => {
                write!(to, "invocation {invocation} of {}: {how:?}", function.name())
            }
        }
    }
}

impl Function {
    /// Every function.
    pub const ALL: [Self; 6] = [Self::Score, Self::Publish, Self::Archive, Self::Digest, Self::Decide, Self::Desk];

    /// The operations that the function calls.
    fn operations(self) -> &'static [Operation] {
        use Operation::{GetObject, GetSecretValue, ListObjects, PublishBatch, PutObject, PutRecords, Table};
        use table::Operation::{BatchGetItem, DeleteItem, GetItem, PutItem, Query, TransactWriteItems, UpdateItem};
        match self {
            Function::Score => &[PutRecords, GetObject, PutObject],
            Function::Publish => &[
                GetObject,
                ListObjects,
                PutObject,
                PublishBatch,
                Table(GetItem),
                Table(Query),
                Table(PutItem),
                Table(UpdateItem),
                Table(TransactWriteItems),
            ],
            Function::Archive => &[PutObject],
            Function::Digest => &[
                PutRecords,
                GetObject,
                PublishBatch,
                Table(GetItem),
                Table(BatchGetItem),
                Table(Query),
                Table(PutItem),
                Table(UpdateItem),
                Table(DeleteItem),
                Table(TransactWriteItems),
            ],
            Function::Decide => &[
                PutRecords,
                GetSecretValue,
                Table(GetItem),
                Table(Query),
                Table(DeleteItem),
                Table(TransactWriteItems),
            ],
            Function::Desk => &[
                PutRecords,
                GetSecretValue,
                Table(GetItem),
                Table(BatchGetItem),
                Table(Query),
                Table(PutItem),
                Table(DeleteItem),
                Table(TransactWriteItems),
            ],
        }
    }

    /// The prefixes of the bucket and of the table's partitions that the function needs.
    fn prefixes(self) -> &'static [&'static str] {
        match self {
            Function::Score => &["models/", "quarantine/"],
            Function::Publish => &["comment#", "missed", "policies/", "budget#", "breakers", "quarantine/"],
            Function::Archive => &["archive/"],
            Function::Digest => {
                &["comment#", "made", "digests", "window#", "known#", "waiting#", "outbox", "policies/"]
            }
            Function::Decide => &["comment#", "outbox"],
            Function::Desk => &["comment#", "open", "decided", "missed", "outbox", "sign-in#"],
        }
    }

    /// The function's name.
    pub fn name(self) -> &'static str {
        match self {
            Function::Score => score_comments::NAME,
            Function::Publish => publish_alerts::NAME,
            Function::Archive => archive_comments::NAME,
            Function::Digest => digest_alerts::NAME,
            Function::Decide => take_decisions::NAME,
            Function::Desk => show_desk::NAME,
        }
    }
}

impl Operation {
    const ALL: [Self; 13] = [
        Self::PutRecords,
        Self::GetObject,
        Self::ListObjects,
        Self::PutObject,
        Self::PublishBatch,
        Self::GetSecretValue,
        Self::Table(table::Operation::GetItem),
        Self::Table(table::Operation::BatchGetItem),
        Self::Table(table::Operation::Query),
        Self::Table(table::Operation::PutItem),
        Self::Table(table::Operation::UpdateItem),
        Self::Table(table::Operation::DeleteItem),
        Self::Table(table::Operation::TransactWriteItems),
    ];
}

impl Page {
    fn name(self) -> &'static str {
        match self {
            Page::Link => "by a link",
            Page::Desk => "at the desk",
        }
    }
}

impl Which {
    /// The stream's name.
    pub fn name(self) -> &'static str {
        match self {
            Which::Comments => "comments",
            Which::Predictions => "predictions",
        }
    }
}
