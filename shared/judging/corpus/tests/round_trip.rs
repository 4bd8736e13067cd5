//! What was written is what is read, in every packing and however it arrives.

mod common;

use std::io::{self, Read};

use common::{gzip, read, zstd};
use modstream_corpus::{Comment, Reader, Row};
use proptest::prelude::*;

/// Gives a few bytes at a time, so that every record is cut by the ends of buffers somewhere.
struct Drops(Vec<u8>, usize);

impl Read for Drops {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.0.len().min(self.1).min(into.len());
        into[..bytes].copy_from_slice(&self.0[..bytes]);
        self.0.drain(..bytes);
        Ok(bytes)
    }
}

fn rows(reader: Reader) -> Vec<Row> {
    reader.collect::<Result<_, _>>().expect("good records")
}

fn ways(bytes: &[u8], step: usize) -> Vec<Vec<Row>> {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let dropped = |bytes: Vec<u8>| rows(Reader::from_read("f", Drops(bytes, step)).expect("comments"));
    vec![
        rows(read("f", bytes)),
        rows(read("f", &[gzip(first), gzip(second)].concat())),
        rows(read("f", &[zstd(first), zstd(second)].concat())),
        dropped(bytes.to_vec()),
        dropped(gzip(bytes)),
        dropped(zstd(bytes)),
    ]
}

#[test]
fn a_byte_order_mark_before_a_line_of_csv_hides_neither_names_nor_quotes() {
    let row = |line, id: &'static str, body: &'static str| {
        let comment = Comment { id: Some(id.into()), body: Some(body.into()), ..Comment::default() };
        Row { line, comment, removed: None }
    };
    let meant = [row(2, "a", "1"), row(3, "b", "2"), row(5, "c", "3, \u{FEFF}")];
    for header in ["\u{FEFF}id,body", "\u{FEFF}\u{FEFF}\"id\",body", "id,\u{FEFF}body\u{FEFF}"] {
        let file = format!("{header}\r\na,1\r\n\u{FEFF}b,2\n\u{FEFF}\n\u{FEFF}\"c\",\"3, \u{FEFF}\"\n\u{FEFF}");
        for step in [1, 2, 7, 1000] {
            for rows in ways(file.as_bytes(), step) {
                assert_eq!(rows, meant, "{header:?} {step}");
            }
        }
    }
}

fn text() -> impl Strategy<Value = Option<String>> {
    // Quotes, commas and line ends often; no capital or symbol before others, which could be misread text.
    prop::option::of("([a-z]{0,3}[éüß—’😀中]?[ \",\r\n;\t\\\\\u{0}]?){0,6}")
}

prop_compose! {
    fn row()(
        (id, author, body, permalink) in (text(), text(), text(), text()),
        (created_utc, score, removed) in (prop::option::of(-99_999_999_999..100_000_000_000_i64), prop::option::of(any::<i64>()), any::<Option<bool>>()),
    ) -> Row {
        let own = |text: Option<String>| text.map(Into::into);
        let (id, author, body, permalink) = (own(id), own(author), own(body), own(permalink));
        Row { line: 0, comment: Comment { id, author, body, permalink, created_utc, score, ..Comment::default() }, removed }
    }
}

fn csv_of(written: &mut [Row]) -> Vec<u8> {
    let mut to = csv::Writer::from_writer(Vec::new());
    to.write_record(["id", "author", "x", "body", "permalink", "created_utc", "score", "removed"]).expect("memory");
    let mut line = 2;
    for row in written {
        let comment = &mut row.comment;
        let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
        let cells = [
            comment.id.as_deref().unwrap_or_default(),
            comment.author.as_deref().unwrap_or_default(),
            "ignored",
            comment.body.as_deref().unwrap_or_default(),
            comment.permalink.as_deref().unwrap_or_default(),
            &number(comment.created_utc),
            &number(comment.score),
            &row.removed.map(|removed| removed.to_string()).unwrap_or_default(),
        ];
        to.write_record(cells).expect("memory");
        row.line = line;
        line += 1 + cells.iter().map(|cell| cell.matches('\n').count() as u64).sum::<u64>();
        // Cells know no difference between empty and missing, and have none but in the body.
        for cell in [&mut comment.id, &mut comment.author, &mut comment.permalink] {
            *cell = cell.take().filter(|cell| !cell.is_empty());
        }
        comment.body.get_or_insert_default();
    }
    to.into_inner().expect("memory")
}

fn json_of(written: &mut [Row]) -> Vec<u8> {
    let mut file = Vec::new();
    for (row, line) in written.iter_mut().zip(1..) {
        let mut object = serde_json::to_value(&row.comment).expect("an object");
        object["removed"] = row.removed.into();
        object["ignored"] = vec![1, 2].into();
        file.extend_from_slice(format!("{object}\n").as_bytes());
        row.line = line;
    }
    file
}

proptest! {
    #[test]
    fn csv_is_read_as_it_was_written(mut written in prop::collection::vec(row(), 0..12), step in 1_usize..9) {
        let file = csv_of(&mut written);
        for read in ways(&file, step) {
            prop_assert_eq!(&read, &written);
        }
    }

    #[test]
    fn json_lines_are_read_as_they_were_written(mut written in prop::collection::vec(row(), 1..12), step in 1_usize..9) {
        let file = json_of(&mut written);
        for read in ways(&file, step) {
            prop_assert_eq!(&read, &written);
        }
    }

    #[test]
    fn any_bytes_end_without_a_panic_and_in_lines_that_grow(bytes in prop::collection::vec(any::<u8>(), 0..200), start in 0..6) {
        let start: &[u8] = [b"".as_slice(), b"body,removed\n", b"{}\n", b"\x1F\x8B", b"[", b"{\n"][start as usize];
        if let Ok(reader) = Reader::from_read("f", Drops([start, &bytes].concat(), 3)) {
            let lines: Vec<u64> = reader.map(|row| row.map_or_else(|error| error.line, |row| row.line)).collect();
            prop_assert!(lines.is_sorted());
        }
    }

    /// The same cells as the csv crate, which reads on where this reader reports a quote out of place.
    #[test]
    fn records_are_those_of_another_reader(bytes in "[a\",\r\n]{0,24}") {
        let file = format!("body,id\n{bytes}");
        let mut other = csv::ReaderBuilder::new().flexible(true).from_reader(file.as_bytes());
        let theirs: Vec<Vec<String>> =
            other.records().map(|record| record.expect("text").iter().map(str::to_owned).collect()).collect();
        let ours: Vec<Result<Row, _>> = read("f", file.as_bytes()).collect();
        prop_assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.into_iter().zip(theirs) {
            match ours {
                Ok(row) => {
                    let cells = [row.comment.body, row.comment.id].map(|cell| cell.unwrap_or_default().into_owned());
                    prop_assert_eq!(cells.as_slice(), theirs);
                }
                Err(error) if error.to_string().contains("quote is opened") => {}
                Err(error) if error.to_string().starts_with("text follows") => {}
                Err(_) => prop_assert!(theirs.len() != 2),
            }
        }
    }
}
