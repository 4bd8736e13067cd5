use std::io::{Cursor, Write};

use modstream_corpus::Reader;

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    to.write_all(bytes).expect("memory");
    to.finish().expect("memory")
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("memory")
}

pub(crate) fn read(name: &str, bytes: &[u8]) -> Reader {
    Reader::from_read(name, Cursor::new(bytes.to_vec())).expect("a file of comments")
}
