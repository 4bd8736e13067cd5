//! A file of any size takes the memory of one record, and a pipe's rows come when they are there.

use std::{
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use modstream_corpus::Reader;

/// Repeats a pattern for ever and counts what is asked of it.
struct Endless {
    head: &'static [u8],
    pattern: &'static [u8],
    given: Arc<AtomicUsize>,
    largest: Arc<AtomicUsize>,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.largest.fetch_max(into.len(), Relaxed);
        for byte in into.iter_mut() {
            let at = self.given.fetch_add(1, Relaxed);
            *byte =
                self.head.get(at).copied().unwrap_or_else(|| self.pattern[(at - self.head.len()) % self.pattern.len()]);
        }
        Ok(into.len())
    }
}

#[test]
fn an_endless_file_is_read_row_by_row() {
    for (head, pattern) in
        [(b"id,body\n".as_slice(), b"k1,\"one, two\nthree\"\n".as_slice()), (b"", b"{\"body\":\"one, two, three\"}\n")]
    {
        let (given, largest) = (Arc::default(), Arc::default());
        let endless = Endless { head, pattern, given: Arc::clone(&given), largest: Arc::clone(&largest) };
        let mut rows = Reader::from_read("f", endless).expect("comments");
        for count in 1..=100_000 {
            assert!(rows.next().is_some_and(|row| row.is_ok()));
            let read = count * pattern.len();
            assert!(given.load(Relaxed) <= read + 256 * 1024, "{} bytes for {read}", given.load(Relaxed));
        }
        assert!(largest.load(Relaxed) <= 256 * 1024);
    }
}

/// Gives one part, and fails the test when more is asked for.
struct Pipe(Option<&'static [u8]>);

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let part = self.0.take().expect("the reader waits for more than it needs");
        into[..part.len()].copy_from_slice(part);
        Ok(part.len())
    }
}

#[test]
fn a_row_of_a_pipe_does_not_wait_for_the_next() {
    for part in [b"body\na\n".as_slice(), b"{\"body\":\"a\"}\n"] {
        let mut rows = Reader::from_read("f", Pipe(Some(part))).expect("comments");
        assert!(rows.next().is_some_and(|row| row.is_ok()));
    }
}

#[test]
fn a_pipe_with_a_bad_first_line_waits_for_the_second_alone() {
    for name in ["f", "f.jsonl"] {
        let pipe = Pipe(Some(b"{\"body\":\"a\",\n")).take(13).chain(Pipe(Some(b"{\"body\":\"b\"}\n")));
        let mut rows = Reader::from_read(name, pipe).expect("comments");
        assert!(rows.next().is_some_and(|row| row.is_err_and(|error| error.line == 1)));
        assert!(rows.next().is_some_and(|row| row.is_ok_and(|row| row.line == 2)));
    }
}
