use std::{fmt, fs::File, io, io::Read, iter::FusedIterator, path::Path};

use crate::{OpenError, ReadOptions, Row, RowError, input::Input, open, open::Format};

/// The comments of one file, in its order. The iteration ends after a [fatal](RowError::is_fatal) error; after any
/// other the next record follows.
pub struct Reader {
    input: Input,
    format: Format,
    ended: bool,
}

impl Reader {
    /// Opens a file and finds out its compression and format.
    ///
    /// # Errors
    /// [`OpenError`] where there is no such file, or nothing in it that could be comments.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_with(path, ReadOptions::default())
    }

    /// Opens a file that is written as the options say.
    ///
    /// # Errors
    /// [`OpenError`] where there is no such file, or nothing in it that could be comments.
    pub fn open_with(path: &Path, options: ReadOptions) -> Result<Self, OpenError> {
        let name = path.display().to_string();
        let file = File::open(path).and_then(|file| Ok((file.metadata()?.is_dir(), file)));
        match file {
            Ok((true, _)) => Err(OpenError::Folder { name }),
            Ok((false, file)) => Self::from_read_with(&name, file, options),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(OpenError::NotFound { name }),
            Err(error) => Err(OpenError::Unreadable { name, error }),
        }
    }

    /// Reads what has no path: standard input, an object in memory. `name` is what errors call it; its ending counts as in a path.
    ///
    /// # Errors
    /// [`OpenError`] where nothing in it could be comments.
    pub fn from_read(name: &str, from: impl Read + Send + 'static) -> Result<Self, OpenError> {
        Self::from_read_with(name, from, ReadOptions::default())
    }

    /// Reads what has no path and is written as the options say.
    ///
    /// # Errors
    /// [`OpenError`] where nothing in it could be comments.
    pub fn from_read_with(
        name: &str,
        from: impl Read + Send + 'static,
        options: ReadOptions,
    ) -> Result<Self, OpenError> {
        let (input, format) = open::open(name, from, options)?;
        Ok(Self { input, format, ended: false })
    }

    /// The names in a CSV's header, in its order and case, without blanks around them; at most the first 4096. None for
    /// JSON.
    pub fn columns(&self) -> Option<&[String]> {
        match &self.format {
            Format::Csv(csv) => Some(csv.names()),
            #[cfg(feature = "parquet")]
            Format::Parquet(parquet) => Some(parquet.names()),
            Format::Jsonl(_) | Format::List(_) => None,
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = match &mut self.format {
            Format::Csv(csv) => csv.next(&mut self.input),
            Format::Jsonl(jsonl) => jsonl.next(&mut self.input),
            Format::List(list) => list.next(&mut self.input),
            #[cfg(feature = "parquet")]
            Format::Parquet(parquet) => parquet.next(),
        };
        self.ended = match &row {
            None => true,
            Some(Ok(_)) => false,
            Some(Err(error)) => error.is_fatal(),
        };
        row
    }
}

impl FusedIterator for Reader {}

impl fmt::Debug for Reader {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = match self.format {
            Format::Csv(_) => "CSV",
            Format::Jsonl(_) => "JSON Lines",
            Format::List(_) => "a list of JSON",
            #[cfg(feature = "parquet")]
            Format::Parquet(_) => "Parquet",
        };
        let line = match &self.format {
            #[cfg(feature = "parquet")]
            Format::Parquet(parquet) => parquet.line(),
            _ => self.input.line(),
        };
        to.debug_struct("Reader").field("format", &format).field("line", &line).finish_non_exhaustive()
    }
}
