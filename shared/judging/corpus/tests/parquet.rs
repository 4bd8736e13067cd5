//! Comments in Parquet.

use std::io::Cursor;
use std::sync::Arc;

use modstream_corpus::{Labels, OpenError, ReadOptions, Reader, Row, RowErrorKind};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

/// The values of a column; none is null.
#[derive(Clone)]
enum Values {
    Text(Vec<Option<&'static str>>),
    Integer(Vec<Option<i64>>),
    Float(Vec<Option<f64>>),
    Boolean(Vec<Option<bool>>),
}

fn levels<T: Clone>(values: &[Option<T>]) -> (Vec<T>, Vec<i16>) {
    (values.iter().flatten().cloned().collect(), values.iter().map(|value| i16::from(value.is_some())).collect())
}

/// A file of optional columns, as data frames write them.
fn file(schema: &str, columns: &[Values], compression: Compression) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(&format!("message comments {{ {schema} }}")).expect("a schema"));
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties)).expect("a writer");
    let mut group = writer.next_row_group().expect("a group of rows");
    let mut columns = columns.iter();
    while let Some(mut column) = group.next_column().expect("a column") {
        match columns.next().expect("its values") {
            Values::Text(values) => {
                let (values, levels) = levels(values);
                let values: Vec<ByteArray> = values.into_iter().map(ByteArray::from).collect();
                column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).expect("writes");
            }
            Values::Integer(values) => {
                let (values, levels) = levels(values);
                column.typed::<Int64Type>().write_batch(&values, Some(&levels), None).expect("writes");
            }
            Values::Float(values) => {
                let (values, levels) = levels(values);
                column.typed::<DoubleType>().write_batch(&values, Some(&levels), None).expect("writes");
            }
            Values::Boolean(values) => {
                let (values, levels) = levels(values);
                column.typed::<BoolType>().write_batch(&values, Some(&levels), None).expect("writes");
            }
        }
        column.close().expect("closes");
    }
    group.close().expect("closes");
    writer.close().expect("closes");
    bytes
}

/// A row, or why it is none, with its number.
type Read = Result<Row, (u64, String)>;

fn read(bytes: &[u8], options: ReadOptions) -> Result<Vec<Read>, OpenError> {
    let rows = Reader::from_read_with("file.parquet", Cursor::new(bytes.to_vec()), options)?;
    Ok(rows.map(|row| row.map_err(|error| (error.line, error.to_string()))).collect())
}

const PLAIN: &str = "optional binary body (STRING); optional int64 id; optional int64 created_utc (TIMESTAMP_MILLIS); \
                     optional double removed; optional binary other (STRING);";

fn plain() -> Vec<Values> {
    vec![
        Values::Text(vec![Some("one, with a \"quote\"\nand a line"), Some(""), None, Some("na\u{ef}ve")]),
        Values::Integer(vec![Some(17), None, Some(19), Some(20)]),
        Values::Integer(vec![Some(1_700_000_000_999), Some(-1), None, None]),
        Values::Float(vec![Some(1.0), Some(0.0), Some(1.0), None]),
        Values::Text(vec![None; 4]),
    ]
}

#[test]
fn flat_columns_are_read_whatever_packs_them() {
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        let rows = read(&file(PLAIN, &plain(), compression), ReadOptions::default()).expect("opens");
        let [first, empty, without, last] = &rows[..] else { panic!("{rows:?}") };
        let first = first.as_ref().expect("a row");
        assert_eq!((first.line, first.removed, first.comment.id.as_deref()), (1, Some(true), Some("17")));
        assert_eq!(first.comment.body.as_deref(), Some("one, with a \"quote\"\nand a line"));
        assert_eq!(first.comment.created_utc, Some(1_700_000_000));
        let empty = empty.as_ref().expect("a row");
        assert_eq!((empty.comment.body.as_deref(), empty.removed, &empty.comment.id), (Some(""), Some(false), &None));
        let without = without.as_ref().expect("a row without a text, as in JSON");
        assert!(without.comment.body.is_none());
        let error = ReadOptions::default().text(without).expect_err("there is none");
        assert!(matches!(error, RowErrorKind::NoText { .. }));
        let last = last.as_ref().expect("a row");
        assert_eq!((last.line, last.comment.body.as_deref(), last.removed), (4, Some("na\u{ef}ve"), None));
    }
}

#[test]
fn columns_may_have_other_names_and_verdicts_be_words_and_booleans() {
    let schema = "optional boolean Gone; optional binary Comment_Text (STRING); optional binary verdict (STRING);";
    let bytes = file(
        schema,
        &[
            Values::Boolean(vec![Some(true), Some(false), None]),
            Values::Text(vec![Some("a"), Some("b"), Some("c")]),
            Values::Text(vec![Some("spam"), Some("fine"), Some("")]),
        ],
        Compression::SNAPPY,
    );
    let removed = |column: &str, removed_value: Option<&str>| -> Vec<Option<bool>> {
        let labels = Labels { column: column.to_owned(), removed_value: removed_value.map(str::to_owned) };
        let options =
            ReadOptions { text_column: "comment_text".to_owned(), labels: Some(labels), ..ReadOptions::default() };
        read(&bytes, options).expect("opens").into_iter().map(|row| row.expect("a row").removed).collect()
    };
    assert_eq!(removed("gone", None), [Some(true), Some(false), None]);
    assert_eq!(removed("verdict", Some("spam")), [Some(true), Some(false), None]);

    let error = read(&bytes, ReadOptions::default()).expect_err("no column of texts").to_string();
    assert!(error.contains("no column `body`") && error.contains("Gone, Comment_Text, verdict"), "{error}");
    let options = ReadOptions { text_column: "gone".to_owned(), labels: None, ..ReadOptions::default() };
    let rows = read(&bytes, options).expect("opens");
    assert!(
        rows[0].as_ref().is_err_and(|(line, error)| *line == 1 && error.contains("`gone` is not text")),
        "{rows:?}"
    );
}

#[test]
fn nested_columns_are_refused_with_counts_and_what_to_do() {
    for (schema, nested) in [
        ("optional group meta { optional int64 score; }", "meta"),
        ("optional group tags (LIST) { repeated group list { optional int64 element; } }", "tags"),
        ("repeated int64 numbers;", "numbers"),
    ] {
        let schema = format!("optional binary body (STRING); {schema} optional int64 removed;");
        let empty = file(
            &schema,
            &[Values::Text(vec![]), Values::Integer(vec![]), Values::Integer(vec![])],
            Compression::UNCOMPRESSED,
        );
        let error = read(&empty, ReadOptions::default()).expect_err("nested").to_string();
        let says = format!("1 of the 3 columns of this Parquet file are nested ({nested})");
        assert!(
            error.contains(&says) && error.contains("(body, removed)") && error.contains("read_parquet"),
            "{error}"
        );
    }
}

#[test]
fn a_column_that_stands_twice_is_refused_and_an_empty_file_has_no_rows() {
    let none =
        |schema: &str, columns: usize| file(schema, &vec![Values::Text(vec![]); columns], Compression::UNCOMPRESSED);
    let twice = none("optional binary body (STRING); optional binary Body (STRING);", 2);
    let error = read(&twice, ReadOptions::default()).expect_err("twice").to_string();
    assert!(error.contains("a column twice: `body` and `Body`"), "{error}");
    let unread = none("optional binary body (STRING); optional binary x (STRING); optional binary X (STRING);", 3);
    assert!(read(&unread, ReadOptions::default()).expect("what is not read may stand there twice").is_empty());
}

#[test]
fn whatever_is_cut_off_or_damaged_is_an_error_and_no_panic() {
    let whole = file(PLAIN, &plain(), Compression::SNAPPY);
    for end in 4..whole.len() {
        let found = read(&whole[..end], ReadOptions::default());
        let error = found.expect_err("it is cut off").to_string();
        assert!(error.contains("damaged or truncated"), "{end}: {error}");
    }
    for at in 4..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xFF;
        // Any answer will do but a panic.
        drop(read(&bytes, ReadOptions::default()));
    }
}
