use std::cmp::Ordering;
use std::collections::HashSet;

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use modstream_events::BadRecord;
use modstream_platform::deliver::{Cause, Delivery, DeliveryError, get, items, list, put_all};
use modstream_platform::table::{Condition, Consistency, Key, Query, Table};
use modstream_platform::{Clock, Fetched, Objects, PutRecord, Stream};

use super::mark::{Mark, mark_key, marks_of};
use super::redriven::{Left, Options, Redriven, Streams, Why};
use super::set_aside::{self, GIVEN_UP, INVOCATIONS, QUARANTINE, Record, SetAside};

/// How many objects are read and put back at once: a batch holds up to 6 MB.
const OBJECTS: usize = 16;
/// How many marks are written at once.
const MARK_WRITES: usize = 16;

/// Puts back what the options ask for, and says what became of it. After a failure the rest is left for another run.
///
/// # Errors
/// Where the bucket can't be listed, or the marks can't be read, by the deadline: nothing was done then.
pub async fn redrive<S: Stream, B: Table, O: Objects, C: Clock>(
    (table, objects): (&B, &O),
    streams: &Streams<S>,
    clock: &C,
    deadline: Timestamp,
    options: &Options,
) -> Result<Redriven, DeliveryError> {
    let mut run = Run { table, objects, streams, clock, deadline, options, done: Redriven::default() };
    let keys = run.keys().await?;
    let mut groups = keys.chunks(OBJECTS);
    for group in groups.by_ref() {
        run.group(group).await;
        if run.done.count(Why::Failed) > 0 {
            break;
        }
    }
    run.done.not_reached = groups.map(<[String]>::len).sum();
    run.done.left.sort_by(|one, other| by_place(&one.key, &other.key));
    Ok(run.done)
}

struct Run<'a, S, B, O, C> {
    table: &'a B,
    objects: &'a O,
    streams: &'a Streams<S>,
    clock: &'a C,
    deadline: Timestamp,
    options: &'a Options,
    done: Redriven,
}

type Check = fn(&[u8]) -> Result<(), BadRecord>;

/// A record to put back.
struct Candidate {
    key: String,
    mark: Key,
    sequence_number: String,
    record: PutRecord,
}

#[derive(Default)]
struct Candidates {
    comments: Vec<Candidate>,
    predictions: Vec<Candidate>,
}

/// An object that was read, with the marks of its records.
struct Read {
    key: String,
    fetched: Result<(Fetched, HashSet<Key>), DeliveryError>,
}

impl<S: Stream, B: Table, O: Objects, C: Clock> Run<'_, S, B, O, C> {
    /// The objects to look at, in order. A quarantined record that is marked needs no look.
    async fn keys(&mut self) -> Result<Vec<String>, DeliveryError> {
        let Options { quarantine, given_up, key: wanted, reason, .. } = self.options;
        let mut keys = Vec::new();
        for (prefix, is_wanted) in [(QUARANTINE, *quarantine), (GIVEN_UP, *given_up && reason.is_none())] {
            let within = wanted.as_deref().unwrap_or(prefix);
            if is_wanted && within.starts_with(prefix) {
                keys.extend(list(self.objects, self.clock, self.deadline, within).await?);
            }
        }
        keys.retain(|key| wanted.as_ref().is_none_or(|wanted| wanted == key));
        let quarantined = keys.iter().filter(|key| key.starts_with(QUARANTINE));
        let marks: Vec<Key> = quarantined.map(|key| mark_key(key, None)).collect();
        let marks = items::get_all(self.table, self.clock, self.deadline, &marks, Consistency::Consistent).await?;
        let is_marked = |key: &String| key.starts_with(QUARANTINE) && marks.contains_key(&mark_key(key, None));
        self.done.before += keys.extract_if(.., |key| is_marked(key)).count();
        keys.sort_by(|one, other| by_place(one, other));
        Ok(keys)
    }

    async fn group(&mut self, keys: &[String]) {
        let mut candidates = Candidates::default();
        for Read { key, fetched } in self.fetch(keys).await {
            match fetched {
                Ok((Fetched::Object { bytes, .. }, marks)) => self.sort(&key, &bytes, &marks, &mut candidates),
                // Removed since the listing: nothing to put back.
                Ok((Fetched::Missing | Fetched::NotModified, _)) => {}
                Err(error) => self.leave(&key, None, Why::Failed, format!("it could not be read: {error}")),
            }
        }
        let Candidates { comments, predictions } = candidates;
        let Streams { comments: to_comments, predictions: to_predictions } = self.streams;
        self.put_back(to_comments, comments).await;
        self.put_back(to_predictions, predictions).await;
    }

    /// Reads what has to be read: an invocation is none of ours.
    async fn fetch(&mut self, keys: &[String]) -> Vec<Read> {
        let mut reads = Vec::new();
        for key in keys {
            if key.starts_with(INVOCATIONS) {
                let detail = "an invocation of the generator: invoke it with the same event again".to_owned();
                self.leave(key, None, Why::Invocation, detail);
            } else {
                let Run { table, objects, clock, deadline, .. } = *self;
                let read = async move || {
                    let mut marks = HashSet::new();
                    if !key.starts_with(QUARANTINE) {
                        let of_batch = Query::table(marks_of(key), Consistency::Consistent);
                        let found = items::query_all(table, clock, deadline, &of_batch).await?;
                        marks.extend(found.into_iter().map(|item| item.key));
                    }
                    Ok((get(objects, clock, deadline, key, None).await?, marks))
                };
                reads.push(async move { Read { key: key.clone(), fetched: read().await } });
            }
        }
        stream::iter(reads).buffered(OBJECTS).collect().await
    }

    /// Sorts the records of an object into those to put back and those to leave.
    fn sort(&mut self, key: &str, bytes: &[u8], marks: &HashSet<Key>, candidates: &mut Candidates) {
        let SetAside { since, reason, records } = match SetAside::read(key, bytes) {
            Ok(read) => read,
            Err(detail) => return self.leave(key, None, Why::NotOurs, detail),
        };
        let is_wanted = self.options.since.is_none_or(|from| since >= from)
            && self.options.reason.is_none_or(|wanted| reason == Some(wanted));
        if !is_wanted {
            return;
        }
        for record in records {
            let Record { stream, sequence_number, partition_key, data, mark } = record;
            let (check, list): (Check, _) = if stream == self.streams.comments.name() {
                (set_aside::check_comment, &mut candidates.comments)
            } else if stream == self.streams.predictions.name() {
                (set_aside::check_prediction, &mut candidates.predictions)
            } else {
                let detail = format!("it came from the stream `{stream}`, which is none of this system's");
                self.leave(key, None, Why::NotOurs, detail);
                // All records of an object are of one stream.
                return;
            };
            if marks.contains(&mark) {
                self.done.before += 1;
                continue;
            }
            // Kinesis takes no record without a key: this one's was removed.
            if partition_key.is_empty() {
                let detail = "its text was removed by `modstream forget`".to_owned();
                self.leave(key, Some(sequence_number), Why::Forgotten, detail);
                continue;
            }
            let Some(data) = data else {
                let detail = "its data is no base64, so there are no bytes to put back".to_owned();
                self.leave(key, Some(sequence_number), Why::StillBad, detail);
                continue;
            };
            match check(&data) {
                Err(bad) if !self.options.force => {
                    self.leave(key, Some(sequence_number), Why::StillBad, bad.to_string());
                }
                _ => list.push(Candidate {
                    key: key.to_owned(),
                    mark,
                    sequence_number,
                    record: PutRecord { partition_key, data },
                }),
            }
        }
    }

    async fn put_back(&mut self, stream: &S, candidates: Vec<Candidate>) {
        if self.options.dry_run {
            self.done.put_back += candidates.len();
            return;
        }
        let mut records = Vec::with_capacity(candidates.len());
        let mut places = Vec::with_capacity(candidates.len());
        for Candidate { key, mark, sequence_number, record } in candidates {
            records.push(record);
            places.push((key, mark, sequence_number));
        }
        let deliveries = put_all(stream, self.clock, self.deadline, records).await;
        let mut marks = Vec::new();
        for ((key, mark, number), delivery) in places.into_iter().zip(deliveries) {
            match delivery {
                Delivery::Stored { shard_id, sequence_number } => {
                    self.done.put_back += 1;
                    let (stream, time) = (stream.name().to_owned(), self.clock.now());
                    let mark = Mark { key: mark, time, stream, shard_id, sequence_number };
                    marks.push((key, number, mark));
                }
                Delivery::TooLarge { bytes } => {
                    self.leave(&key, Some(number), Why::StillBad, BadRecord::too_large(bytes).to_string());
                }
                Delivery::Refused { message } => self.leave(&key, Some(number), Why::StillBad, message),
                Delivery::Failed(DeliveryError { cause: cause @ Cause::InvalidKey { .. }, .. }) => {
                    self.leave(&key, Some(number), Why::StillBad, cause.to_string());
                }
                Delivery::Failed(error) => {
                    self.leave(&key, Some(number), Why::Failed, format!("it could not be put back: {error}"));
                }
            }
        }
        self.mark(marks).await;
    }

    async fn mark(&mut self, marks: Vec<(String, String, Mark)>) {
        let Run { table, clock, deadline, .. } = *self;
        let writes = marks.into_iter().map(|(key, number, mark)| async move {
            let written = items::put(table, clock, deadline, &mark.item(), &Condition::Absent).await;
            written.err().map(|error| (key, number, error))
        });
        let failed: Vec<_> = stream::iter(writes).buffered(MARK_WRITES).collect().await;
        for (key, number, error) in failed.into_iter().flatten() {
            let detail = format!("it is back, but could not be marked, so another run repeats it: {error}");
            self.leave(&key, Some(number), Why::Failed, detail);
        }
    }

    fn leave(&mut self, key: &str, sequence_number: Option<String>, why: Why, detail: String) {
        self.done.left.push(Left { key: key.to_owned(), sequence_number, why, detail });
    }
}

/// Compares by folder, then by number: sequence numbers may differ in their count of digits.
fn by_place(one: &str, other: &str) -> Ordering {
    let parts = |key: &str| key.rsplit_once('/').map(|(folder, name)| (folder.to_owned(), name.len(), name.to_owned()));
    parts(one).cmp(&parts(other))
}
