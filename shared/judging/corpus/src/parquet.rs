//! Parquet, whose columns are read as those of a CSV.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use modstream_events::Comment;
use parquet::basic::{Compression, Repetition};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row as Record};
use parquet::schema::types::{Type, TypePtr};
use serde::Deserialize as _;
use serde::de::value::{Error, MapDeserializer};

use crate::options::BODY;
use crate::{Labels, MAX_ROW_BYTES, OpenError, ReadOptions, Row, RowError, RowErrorKind};

/// The first bytes of a file, which are the last ones, too.
pub(crate) const MAGIC: &[u8] = b"PAR1";
/// The most columns that an error names.
const SHOWN_COLUMNS: usize = 12;
/// The most characters of a name that an error shows.
const MAX_NAME_CHARS: usize = 32;

const SECONDS_A_DAY: i64 = 86_400;

/// What a column is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Field(&'static str),
    Label,
}

/// The rows of a file that is held in memory as it lies on the disk; one group of rows after the other is unpacked.
pub(crate) struct Parquet {
    rows: RowIter<'static>,
    names: Vec<String>,
    /// What each column that is read is, in their order.
    columns: Vec<Column>,
    text_column: String,
    labels: Option<Labels>,
    /// The number of the last row.
    row: u64,
}

impl Parquet {
    pub(crate) fn new(name: &str, bytes: Vec<u8>, options: ReadOptions) -> Result<Self, OpenError> {
        let damaged =
            |error: ParquetError| OpenError::ParquetDamaged { name: name.to_owned(), error: error.to_string() };
        let reader = unpanicked(|| SerializedFileReader::new(Bytes::from(bytes)));
        let reader = reader.unwrap_or_else(|| Err(ParquetError::General("its metadata is no such".to_owned())));
        let reader = reader.map_err(damaged)?;
        let schema = reader.metadata().file_metadata().schema().clone();
        let fields = schema.get_fields();
        let names: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
        let nested: Vec<&TypePtr> = fields.iter().filter(|field| is_nested(field)).collect();
        if !nested.is_empty() {
            return Err(OpenError::ParquetNested {
                name: name.to_owned(),
                count: nested.len(),
                of: fields.len(),
                columns: shown(nested.iter().map(|field| field.name())),
                flat: shown(fields.iter().filter(|field| !is_nested(field)).map(|field| field.name())),
            });
        }
        let (text, label) = (options.text_column.trim(), options.label_column().trim());
        // As a CSV's: what is said to be the text is no other field, whatever it is called.
        let column = |found: &str| {
            if is_same(found, text) {
                Some(Column::Field(BODY))
            } else if is_same(found, label) {
                Some(Column::Label)
            } else {
                let field =
                    Comment::FIELDS.into_iter().filter(|field| *field != BODY).find(|field| is_same(found, field));
                field.map(Column::Field)
            }
        };
        let mut columns: Vec<(Column, &TypePtr)> = Vec::new();
        for field in fields {
            let Some(column) = column(field.name()) else { continue };
            if let Some((_, first)) = columns.iter().find(|(known, _)| *known == column) {
                return Err(OpenError::ParquetRepeated {
                    name: name.to_owned(),
                    columns: [first.name(), field.name()].map(|name| shown(std::iter::once(name))),
                });
            }
            columns.push((column, field));
        }
        if !columns.iter().any(|(column, _)| *column == Column::Field(BODY)) {
            return Err(OpenError::ParquetWithoutText {
                name: name.to_owned(),
                wanted: options.text_column.clone(),
                columns: shown(names.iter().map(String::as_str)),
            });
        }
        let chunks = reader.metadata().row_groups().iter().flat_map(RowGroupMetaData::columns);
        if let Some(unknown) = chunks.map(ColumnChunkMetaData::compression).find(|packed| !is_unpacked(*packed)) {
            let codec = unknown.to_string().split('(').next().unwrap_or_default().to_lowercase();
            return Err(OpenError::ParquetCompression { name: name.to_owned(), codec });
        }
        let read = columns.iter().map(|(_, field)| TypePtr::clone(field)).collect();
        let projection = Type::group_type_builder(schema.name()).with_fields(read).build().map_err(damaged)?;
        let rows = RowIter::from_file_into(Box::new(reader)).project(Some(projection)).map_err(damaged)?;
        let columns = columns.into_iter().map(|(column, _)| column).collect();
        let ReadOptions { text_column, labels, .. } = options;
        Ok(Parquet { rows, names, columns, text_column, labels, row: 0 })
    }

    /// The columns' names.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of the row that was read last.
    pub(crate) fn line(&self) -> u64 {
        self.row
    }

    pub(crate) fn next(&mut self) -> Option<Result<Row, RowError>> {
        let record = unpanicked(|| self.rows.next());
        self.row += 1;
        let line = self.row;
        let row = match record {
            Some(None) => return None,
            Some(Some(Ok(record))) => self.read(line, &record),
            Some(Some(Err(_))) | None => Err(RowErrorKind::ParquetDamaged),
        };
        Some(row.map_err(|kind| RowError { line, kind }))
    }

    fn read(&self, line: u64, record: &Record) -> Result<Row, RowErrorKind> {
        let mut values: Vec<(&'static str, String)> = Vec::with_capacity(self.columns.len());
        let mut removed = None;
        for (column, (_, field)) in self.columns.iter().zip(record.get_column_iter()) {
            match column {
                Column::Label => {
                    let verdict = |labels: &Labels| labels.verdict(&text(field).unwrap_or_default());
                    removed = self.labels.as_ref().map(verdict).transpose()?.flatten();
                }
                Column::Field(BODY) => {
                    let body = match field {
                        Field::Null => continue,
                        Field::Str(_) | Field::Bytes(_) => text(field),
                        _ => None,
                    };
                    let body = body.ok_or_else(|| RowErrorKind::NotText { field: self.text_column.clone() })?;
                    if body.len() > MAX_ROW_BYTES {
                        return Err(RowErrorKind::TooLong);
                    }
                    values.push((BODY, body));
                }
                Column::Field(name) => {
                    values.extend(text(field).filter(|value| !value.is_empty()).map(|value| (*name, value)));
                }
            }
        }
        let comment = Comment::deserialize(MapDeserializer::<_, Error>::new(values.into_iter()))
            .map_err(|_| RowErrorKind::NotText { field: self.text_column.clone() })?;
        Ok(Row { line, comment, removed })
    }
}

/// What a call gives; none where it panics, as the library does about some damaged bytes.
fn unpanicked<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}

/// Whether columns that are compressed so can be read.
fn is_unpacked(packed: Compression) -> bool {
    match packed {
        Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_) | Compression::ZSTD(_) => true,
        Compression::LZO | Compression::BROTLI(_) | Compression::LZ4 | Compression::LZ4_RAW => false,
    }
}

/// Whether a column holds more than a value a row.
fn is_nested(field: &Type) -> bool {
    !field.is_primitive() || field.get_basic_info().repetition() == Repetition::REPEATED
}

fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// A value as a CSV has it; none where there is none, or no text in it.
fn text(field: &Field) -> Option<String> {
    Some(match field {
        Field::Str(text) => text.clone(),
        Field::Bytes(bytes) => std::str::from_utf8(bytes.data()).ok()?.to_owned(),
        Field::Bool(value) => value.to_string(),
        Field::Byte(value) => value.to_string(),
        Field::Short(value) => value.to_string(),
        Field::Int(value) => value.to_string(),
        Field::Long(value) => value.to_string(),
        Field::UByte(value) => value.to_string(),
        Field::UShort(value) => value.to_string(),
        Field::UInt(value) => value.to_string(),
        Field::ULong(value) => value.to_string(),
        // As data frames write them: `1.0`.
        Field::Float16(value) => format!("{:?}", value.to_f32()),
        Field::Float(value) => format!("{value:?}"),
        Field::Double(value) => format!("{value:?}"),
        // Times are seconds.
        Field::Date(days) => (i64::from(*days) * SECONDS_A_DAY).to_string(),
        Field::TimestampMillis(value) => value.div_euclid(1_000).to_string(),
        Field::TimestampMicros(value) => value.div_euclid(1_000_000).to_string(),
        Field::Null
        | Field::Decimal(_)
        | Field::TimeMillis(_)
        | Field::TimeMicros(_)
        | Field::Group(_)
        | Field::ListInternal(_)
        | Field::MapInternal(_) => return None,
    })
}

/// Names of columns, for an error.
fn shown<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut names: Vec<String> = names.map(|name| name.chars().take(MAX_NAME_CHARS).collect()).collect();
    if names.len() > SHOWN_COLUMNS {
        names.truncate(SHOWN_COLUMNS);
        names.push("...".to_owned());
    }
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
