use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{Notify, oneshot};

use super::DatabaseError;

/// How much work goes into one transaction. What waits meanwhile is the next one's.
const MAX_GROUP: usize = 512;
/// How much work waits; who brings more waits with it.
const MAX_WAITING: usize = 4 * MAX_GROUP;

/// Work on the one connection that writes.
trait Job: Send {
    /// Does the work within a transaction.
    fn run(&mut self, connection: &Connection) -> Result<(), DatabaseError>;
    /// Answers whoever asked, after the commit.
    fn answer(self: Box<Self>, committed: Result<(), DatabaseError>);
}

/// Work that was tried, and what became of it.
type Tried = (Box<dyn Job>, Result<(), DatabaseError>);

struct Asked<T, W> {
    work: Option<W>,
    done: Option<T>,
    asker: oneshot::Sender<Result<T, DatabaseError>>,
}

impl<T, W> Job for Asked<T, W>
where
    T: Send,
    W: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
{
    fn run(&mut self, connection: &Connection) -> Result<(), DatabaseError> {
        let work = self.work.take().ok_or_else(DatabaseError::ended)?;
        self.done = Some(work(connection)?);
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), DatabaseError>) {
        let Asked { done, asker, .. } = *self;
        // Whoever gave up waiting finds what was done.
        let _ = asker.send(committed.and_then(|()| done.ok_or_else(DatabaseError::ended)));
    }
}

/// The thread that writes. It ends when the last handle is dropped, after the work that waits.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection, written: Arc<Notify>) -> std::io::Result<Self> {
        let (jobs, waiting) = sync_channel(MAX_WAITING);
        let thread = std::thread::Builder::new().name("sqlite-writer".to_owned());
        let thread = thread.spawn(move || write(&connection, &waiting, &written))?;
        Ok(Writer { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Has work done, and returns once it is on the disk. Of work that failed nothing is there.
    pub(super) async fn write<T, W>(&self, work: W) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (asker, answer) = oneshot::channel();
        let job = Box::new(Asked { work: Some(work), done: None, asker });
        let jobs = self.jobs.as_ref().ok_or_else(DatabaseError::ended)?;
        // A full queue holds its producers up: that is how a slow disk slows down those who send.
        jobs.send(job).map_err(|_| DatabaseError::ended())?;
        answer.await.unwrap_or_else(|_| Err(DatabaseError::ended()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // The last handle may be dropped by the thread itself, with a job.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

fn write(connection: &Connection, waiting: &Receiver<Box<dyn Job>>, told: &Notify) {
    while let Ok(first) = waiting.recv() {
        let mut jobs: Vec<Tried> = Vec::new();
        let rest = std::iter::from_fn(|| waiting.try_recv().ok());
        // It ends once: what comes after its last job is the next one's.
        let mut group = std::iter::once(first).chain(rest).take(MAX_GROUP).fuse();
        let written = transaction(connection, &mut group, &mut jobs);
        // Whom an error kept from being tried is told of it, too.
        jobs.extend(group.map(|job| (job, Ok(()))));
        for (job, ran) in jobs {
            job.answer(ran.and(written.clone()));
        }
        // Also where nobody waits for the answer any more.
        told.notify_waiters();
    }
    // What the log holds goes into the file; where that fails, the next one to open it does it.
    let _ = connection.execute_batch("PRAGMA optimize");
}

/// Does all work in one transaction. Work that fails by itself is undone by itself.
fn transaction(
    connection: &Connection,
    group: &mut dyn Iterator<Item = Box<dyn Job>>,
    done: &mut Vec<Tried>,
) -> Result<(), DatabaseError> {
    let run = |sql: &str| -> Result<(), DatabaseError> {
        connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map(drop).map_err(Into::into)
    };
    // From the beginning as a writer: one that reads first may find at its first write that another was faster.
    run("BEGIN IMMEDIATE")?;
    for mut job in group {
        let ran = run("SAVEPOINT job").and_then(|()| {
            let ran = job.run(connection);
            if ran.is_err() && !connection.is_autocommit() {
                run("ROLLBACK TO job")?;
            }
            ran
        });
        let failed = ran.as_ref().err().cloned();
        done.push((job, ran));
        // A full disk, say, takes the whole transaction back.
        if let Some(error) = failed.filter(|_| connection.is_autocommit()) {
            return Err(error);
        }
        if let Err(error) = run("RELEASE job") {
            let _ = run("ROLLBACK");
            return Err(error);
        }
    }
    run("COMMIT").inspect_err(|_| {
        // A commit that failed may be open still.
        if !connection.is_autocommit() {
            let _ = run("ROLLBACK");
        }
    })
}
