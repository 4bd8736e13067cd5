use jiff::Timestamp;

use super::backoff::Patience;
use super::queue::{Limits, Queue};
use super::{Cause, DeliveryError};
use crate::{CallError, CallErrorKind, Clock};

/// A service that takes several entries a call.
pub(super) trait Service: Sync {
    const LIMITS: Limits;
    type Entry: Send + Sync;
    /// What became of an entry in the end.
    type Settled: From<DeliveryError> + Send;

    /// The entry's key, of which one call carries one entry at most.
    fn key(entry: &Self::Entry) -> &str;
    /// The entry's size in bytes, as it counts against the limit of a call.
    fn size(entry: &Self::Entry) -> usize;
    /// What becomes of an entry that no call may carry; none where one may.
    fn unfit(entry: &Self::Entry) -> Option<Self::Settled>;
    /// What becomes of an entry for which the service refused a call that carried nothing else.
    fn refused(error: CallError) -> Self::Settled;
    fn call(
        &self,
        entries: &[Self::Entry],
    ) -> impl Future<Output = Result<Vec<Answer<Self::Settled>>, CallError>> + Send;
}

/// What a service says of one entry.
pub(super) enum Answer<T> {
    Settled(T),
    Again { code: String, message: String },
}

/// Sends all entries, and returns what became of each, in order.
pub(super) async fn send_all<S: Service, C: Clock>(
    service: &S,
    clock: &C,
    deadline: Timestamp,
    entries: Vec<S::Entry>,
) -> Vec<S::Settled> {
    let mut patience = Patience::new(clock, deadline, entries.first().map_or("", S::key));
    let mut sending = Sending::<S>::new(entries);
    let end = loop {
        let call = sending.next_call();
        if call.is_empty() || !patience.is_left() {
            break End::OutOfTime;
        }
        let entries = sending.take(&call);
        let answer = service.call(&entries).await;
        sending.put_back(&call, entries);
        match sending.note(call, answer) {
            Noted::AllSettled => patience.succeeded(),
            Noted::SomeFailed => {
                if !patience.wait().await {
                    break End::OutOfTime;
                }
            }
            Noted::Final(cause) => break End::Final(cause),
        }
    };
    sending.finish(&end)
}

struct Sending<S: Service> {
    queue: Queue,
    /// Parts of calls that were refused for an entry that one of them holds. Each is a call of its own, so that no part is put
    /// together again with the entry that another was freed of.
    parts: Vec<Vec<usize>>,
    /// The entries, which move into a call and back, so that no payload is copied.
    entries: Vec<Option<S::Entry>>,
    settled: Vec<Option<S::Settled>>,
    last_cause: Vec<Option<Cause>>,
}

enum Noted {
    AllSettled,
    SomeFailed,
    Final(Cause),
}

/// Why no further call is made. An entry that is not settled then is not delivered.
enum End {
    OutOfTime,
    Final(Cause),
}

impl<S: Service> Sending<S> {
    fn new(entries: Vec<S::Entry>) -> Self {
        let settled: Vec<_> = entries.iter().map(S::unfit).collect();
        let to_send = entries.iter().zip(&settled);
        Sending {
            queue: Queue::new(
                to_send.map(|(entry, settled)| settled.is_none().then(|| (S::key(entry), S::size(entry)))),
            ),
            parts: Vec::new(),
            last_cause: entries.iter().map(|_| None).collect(),
            entries: entries.into_iter().map(Some).collect(),
            settled,
        }
    }

    /// The entries of the next call; none where all are settled.
    fn next_call(&mut self) -> Vec<usize> {
        self.parts.pop().unwrap_or_else(|| self.queue.next_call(S::LIMITS))
    }

    fn take(&mut self, call: &[usize]) -> Vec<S::Entry> {
        call.iter().filter_map(|index| self.entries[*index].take()).collect()
    }

    fn put_back(&mut self, call: &[usize], entries: Vec<S::Entry>) {
        for (index, entry) in call.iter().zip(entries) {
            self.entries[*index] = Some(entry);
        }
    }

    fn note(&mut self, call: Vec<usize>, answer: Result<Vec<Answer<S::Settled>>, CallError>) -> Noted {
        let answers = match answer {
            Ok(answers) if answers.len() == call.len() => answers,
            Ok(answers) => {
                return Noted::Final(Cause::OutcomeCount { entries: call.len(), outcomes: answers.len() });
            }
            Err(error) if error.kind == CallErrorKind::Refused => {
                self.halve(call, error);
                return Noted::AllSettled;
            }
            Err(error) if !error.kind.is_transient() => return Noted::Final(Cause::Call(error)),
            Err(error) => {
                // A part of a refused call goes back to the others: where it holds the entry, it is found again.
                for index in call {
                    self.again(index, Cause::Call(error.clone()));
                }
                return Noted::SomeFailed;
            }
        };
        let mut noted = Noted::AllSettled;
        for (index, answer) in call.into_iter().zip(answers) {
            match answer {
                Answer::Settled(settled) => self.settle(index, settled),
                Answer::Again { code, message } => {
                    self.again(index, Cause::Entry { code, message });
                    noted = Noted::SomeFailed;
                }
            }
        }
        noted
    }

    /// Makes two calls of one that was refused for an entry; an entry that stood alone is the one.
    fn halve(&mut self, mut call: Vec<usize>, error: CallError) {
        if let [alone] = call[..] {
            self.settle(alone, S::refused(error));
            return;
        }
        let second = call.split_off(call.len() / 2);
        self.parts.extend([second, call]);
    }

    fn settle(&mut self, index: usize, settled: S::Settled) {
        self.settled[index] = Some(settled);
        self.entries[index] = None;
        self.queue.settled(index);
    }

    fn again(&mut self, index: usize, cause: Cause) {
        self.last_cause[index] = Some(cause);
        self.queue.again(index);
    }

    fn finish(self, end: &End) -> Vec<S::Settled> {
        let not_delivered = |last: Option<Cause>| match end {
            End::OutOfTime => DeliveryError::out_of_time(last),
            End::Final(cause) => DeliveryError::final_answer(cause.clone()),
        };
        let settled = self.settled.into_iter().zip(self.last_cause);
        settled.map(|(settled, last)| settled.unwrap_or_else(|| not_delivered(last).into())).collect()
    }
}
