//! What goes into an object comes out of it, and nothing else does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use modstream_archive::{ArchiveError, ArchivedRecord, Content, Key, decode, encode};
use proptest::prelude::*;

const SHARD: &str = "shardId-000000000000";

fn record(number: u64, data: impl Into<Vec<u8>>) -> ArchivedRecord {
    ArchivedRecord {
        sequence_number: number.to_string(),
        partition_key: format!("k{number}"),
        arrived: Timestamp::from_millisecond(1_767_607_200_250 + number as i64).expect("a time"),
        content: Content::Data(data.into()),
    }
}

fn sample() -> Vec<ArchivedRecord> {
    let forgotten = ArchivedRecord {
        partition_key: String::new(),
        content: Content::Forgotten(Timestamp::from_second(1_767_700_000).expect("a time")),
        ..record(10, "")
    };
    vec![record(9, r#"{"specversion":"1.0","data":{"body":"how large?"}}"#), forgotten, record(100, b"\xff\x00\n")]
}

fn unpacked(object: &[u8]) -> Vec<u8> {
    zstd::decode_all(object).expect("zstd")
}

/// As `encode` packs, so that only the content is at fault.
fn packed(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 3).expect("zstd")
}

#[test]
fn an_object_is_json_lines_that_other_tools_read() {
    let (key, object) = encode("comments", SHARD, &sample()).expect("an object");
    assert_eq!(key.to_string(), format!("archive/comments/2026-01-05T10/{SHARD}/9-100-8c1e0bc9.jsonl.zst"));
    assert_eq!(Key::parse(&key.to_string()), Some(key));
    let text = String::from_utf8(unpacked(&object)).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with(
        r#"{"format":"modstream-archive/1","stream":"comments","shard_id":"shardId-000000000000","first":"9","last":"100","records":3,"sha256":""#
    ));
    assert_eq!(
        lines[1..],
        [
            r#"{"sequence_number":"9","partition_key":"k9","arrived":"2026-01-05T10:00:00.259Z","event":{"specversion":"1.0","data":{"body":"how large?"}}}"#,
            r#"{"sequence_number":"10","partition_key":"","arrived":"2026-01-05T10:00:00.260Z","forgotten":"2026-01-06T11:46:40Z"}"#,
            r#"{"sequence_number":"100","partition_key":"k100","arrived":"2026-01-05T10:00:00.350Z","data":"/wAK"}"#,
        ]
    );
}

#[test]
fn data_that_a_line_would_change_is_base64() {
    for data in [" {}", "{}\n", "{\n}", "{} ", "[]", "{\"a\":", "{\"a\":1}{\"b\":2}", "", "\u{feff}{}"] {
        let (_, object) = encode("comments", SHARD, &[record(1, data)]).expect("an object");
        let text = String::from_utf8(unpacked(&object)).expect("text");
        assert!(text.contains(&format!(r#""data":"{}""#, STANDARD.encode(data))), "{data:?}: {text}");
        assert_eq!(decode(&object).expect("reads").1, [record(1, data)]);
    }
}

#[test]
fn an_object_of_another_format_says_which() {
    let future = packed(b"{\"format\":\"modstream-archive/2\",\"frames\":[]}\n");
    assert_eq!(decode(&future), Err(ArchiveError::Format { found: "modstream-archive/2".to_owned() }));
    for (content, error) in [
        (&b""[..], ArchiveError::NoHeader),
        (b"no line's end", ArchiveError::NoHeader),
        (b"{\"body\":\"a corpus\"}\n", ArchiveError::NoHeader),
    ] {
        assert_eq!(decode(&packed(content)), Err(error), "{content:?}");
    }
    assert_eq!(decode(b"{\"format\":\"modstream-archive/1\"}\n"), Err(ArchiveError::NotZstd));
}

#[test]
fn a_small_object_that_unpacks_to_too_much_is_refused() {
    let bomb = packed(&vec![b' '; (64 << 20) + 1]);
    assert!(bomb.len() < 1 << 20);
    assert_eq!(decode(&bomb), Err(ArchiveError::TooLarge { limit: 64 << 20 }));
}

#[test]
fn records_that_kinesis_cannot_have_given_make_no_object() {
    assert_eq!(encode("comments", SHARD, &[]), Err(ArchiveError::Empty));
    for (one, other) in [(10, 9), (9, 9)] {
        let records = [record(one, "{}"), record(other, "{}")];
        assert_eq!(encode("comments", SHARD, &records), Err(ArchiveError::Unordered));
    }
    for (stream, shard) in [("", SHARD), ("a/b", SHARD), ("comments", "shard/1"), ("comments", "")] {
        assert_eq!(encode(stream, shard, &sample()), Err(ArchiveError::Position), "{stream} {shard}");
    }
    let unnumbered = ArchivedRecord { sequence_number: "seven".to_owned(), ..record(7, "{}") };
    assert_eq!(encode("comments", SHARD, &[unnumbered]), Err(ArchiveError::Position));
}

#[test]
fn whoever_edits_the_content_is_found_out() {
    let (_, object) = encode("comments", SHARD, &sample()).expect("an object");
    let text = String::from_utf8(unpacked(&object)).expect("text");
    let edited = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        decode(&packed(text.replace(from, to).as_bytes()))
    };
    assert_eq!(edited("how large?", "how small?"), Err(ArchiveError::Checksum));
    assert_eq!(edited("\"records\":3", "\"records\":2"), Err(ArchiveError::Count { said: 2, found: 3 }));
    assert_eq!(edited("\"first\":\"9\"", "\"first\":\"8\""), Err(ArchiveError::Misplaced));
    assert_eq!(edited("\"last\":\"100\"", "\"last\":\"101\""), Err(ArchiveError::Misplaced));
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        // What events look like, and what almost does.
        any::<String>().prop_map(|text| serde_json::json!({ "data": { "body": text } }).to_string().into_bytes()),
        "[ \n]?\\{[ -~\n]{0,20}\\}[ \n]?".prop_map(String::into_bytes),
    ]
}

fn records() -> impl Strategy<Value = Vec<ArchivedRecord>> {
    let one = (
        1..u64::MAX / 64,
        any::<String>(),
        0..4_000_000_000_000_i64,
        data(),
        proptest::option::of(0..2_000_000_000_i64),
    );
    proptest::collection::vec(one, 1..20).prop_map(|records| {
        let mut number = 0;
        let record = |(step, partition_key, arrived, data, forgotten): (u64, String, i64, Vec<u8>, Option<i64>)| {
            number += step;
            ArchivedRecord {
                sequence_number: number.to_string(),
                partition_key,
                arrived: Timestamp::from_millisecond(arrived).expect("a time"),
                content: match forgotten {
                    Some(when) => Content::Forgotten(Timestamp::from_second(when).expect("a time")),
                    None => Content::Data(data),
                },
            }
        };
        records.into_iter().map(record).collect()
    })
}

proptest! {
    #[test]
    fn what_goes_in_comes_out(records in records()) {
        let (key, object) = encode("comments", SHARD, &records).expect("an object");
        let (header, read) = decode(&object).expect("reads");
        prop_assert_eq!((&header.first, &header.last, header.records), (&key.first, &key.last, records.len()));
        prop_assert_eq!(&read, &records);
        // The same batch, the same bytes, and so also what was read.
        prop_assert_eq!(encode("comments", SHARD, &read).expect("an object"), (key, object));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(decode(&bytes).is_err());
        prop_assert!(decode(&packed(&bytes)).is_err());
    }
}

#[test]
fn every_flipped_bit_and_every_truncation_is_refused_or_harmless() {
    let (_, object) = encode("comments", SHARD, &sample()).expect("an object");
    let whole = decode(&object).expect("reads");
    let mut harmless = 0;
    for bit in 0..object.len() * 8 {
        let mut flipped = object.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(read) = decode(&flipped) {
            assert_eq!(read, whole, "bit {bit}");
            harmless += 1;
        }
    }
    // zstd's frame header has bits without a meaning.
    assert!(harmless < 16, "{harmless}");
    for length in 0..object.len() {
        assert!(decode(&object[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn every_flipped_bit_of_the_content_is_refused_or_harmless() {
    let (_, object) = encode("comments", SHARD, &sample()).expect("an object");
    let content = unpacked(&object);
    let (header, records) = decode(&object).expect("reads");
    for bit in 0..content.len() * 8 {
        let mut flipped = content.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        // Without zstd's own checksum, two names are left to be compared with the key, as the reader does.
        if let Ok((found, read)) = decode(&packed(&flipped)) {
            assert_eq!(read, records, "bit {bit}");
            assert!(found == header || found.stream != header.stream || found.shard_id != header.shard_id, "bit {bit}");
        }
    }
}
