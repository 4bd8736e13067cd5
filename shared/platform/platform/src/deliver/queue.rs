use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// The order in which entries may be sent: of the entries of one key only the first that is not settled.
///
/// A call takes the earliest entries it may, so the whole order is kept as far as the keys allow.
pub(super) struct Queue {
    /// The entries whose key is free, earliest first.
    ready: BinaryHeap<Reverse<usize>>,
    /// The next entry of the same key, for each entry.
    next: Vec<Option<usize>>,
    sizes: Vec<usize>,
}

/// The most that one call may carry.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) entries: usize,
    pub(super) bytes: usize,
}

impl Queue {
    /// Makes a queue of entries, which are named by their index, from their keys and sizes in bytes; `None` is never
    /// sent. Each entry fits a call.
    pub(super) fn new<'a>(entries: impl Iterator<Item = Option<(&'a str, usize)>>) -> Self {
        let mut queue = Queue { ready: BinaryHeap::new(), next: Vec::new(), sizes: Vec::new() };
        let mut last: HashMap<&str, usize> = HashMap::new();
        for (index, entry) in entries.enumerate() {
            queue.next.push(None);
            queue.sizes.push(entry.map_or(0, |(_, size)| size));
            let Some((key, _)) = entry else { continue };
            match last.insert(key, index) {
                Some(before) => queue.next[before] = Some(index),
                None => queue.ready.push(Reverse(index)),
            }
        }
        queue
    }

    /// Takes the entries of the next call; none where all are settled.
    pub(super) fn next_call(&mut self, limits: Limits) -> Vec<usize> {
        let (mut call, mut bytes) = (Vec::new(), 0);
        while let Some(&Reverse(index)) = self.ready.peek() {
            bytes += self.sizes[index];
            if call.len() == limits.entries || bytes > limits.bytes {
                break;
            }
            self.ready.pop();
            call.push(index);
        }
        call
    }

    /// Notes that an entry of the last call need not be sent again: its key is free.
    pub(super) fn settled(&mut self, index: usize) {
        self.ready.extend(self.next[index].map(Reverse));
    }

    /// Notes that an entry of the last call is to be sent again.
    pub(super) fn again(&mut self, index: usize) {
        self.ready.push(Reverse(index));
    }
}
