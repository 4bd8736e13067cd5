//! What is read from good files.

mod common;

use std::io::Write;

use common::{gzip, read, zstd};
use modstream_corpus::{Comment, Reader, Row};

fn rows(bytes: &[u8]) -> Vec<Row> {
    read("f", bytes).collect::<Result<_, _>>().expect("good records")
}

fn bodies(bytes: &[u8]) -> Vec<(u64, String)> {
    rows(bytes).into_iter().map(|row| (row.line, row.comment.body.unwrap_or_default().into_owned())).collect()
}

fn body(line: u64, body: &str) -> (u64, String) {
    (line, body.to_owned())
}

#[test]
fn all_of_reddits_fields_are_read_from_json_and_others_ignored() {
    let file = br#"{"id":"k1","parent_id":"t1_a","link_id":"t3_b","subreddit":"science","author":"ann","body":"Hi \u00e9 &gt; <U+1F44F>\r\n","created_utc":"1514764800","score":-3,"permalink":"/r/x","removed":true,"gildings":{"a":[1]},"edited":false}"#;
    let comment = Comment {
        id: Some("k1".into()),
        parent_id: Some("t1_a".into()),
        link_id: Some("t3_b".into()),
        subreddit: Some("science".into()),
        author: Some("ann".into()),
        body: Some("Hi é &gt; <U+1F44F>\r\n".into()),
        created_utc: Some(1_514_764_800),
        score: Some(-3),
        permalink: Some("/r/x".into()),
    };
    assert_eq!(rows(file), [Row { line: 1, comment, removed: Some(true) }]);
}

#[test]
fn all_of_reddits_fields_are_read_from_csv_in_any_case_and_order() {
    let file = b"X,Removed,BODY,permalink,Score,created_utc,AUTHOR,subreddit,link_id,parent_id,Id\n9,0,\"Hi, \"\"you\"\"\r\n&gt; <U+1F44F>\",/r/x,-3,1514764800.0,ann,science,t3_b,t1_a,k1\n,,,,,,,,,,\n";
    let comment = Comment {
        id: Some("k1".into()),
        parent_id: Some("t1_a".into()),
        link_id: Some("t3_b".into()),
        subreddit: Some("science".into()),
        author: Some("ann".into()),
        body: Some("Hi, \"you\"\r\n&gt; <U+1F44F>".into()),
        created_utc: Some(1_514_764_800),
        score: Some(-3),
        permalink: Some("/r/x".into()),
    };
    let empty = Comment { body: Some("".into()), ..Comment::default() };
    assert_eq!(
        rows(file),
        [Row { line: 2, comment, removed: Some(false) }, Row { line: 4, comment: empty, removed: None }]
    );
}

#[test]
fn the_talks_form_is_read() {
    let file = b"\"\",\"X\",\"BODY\",\"REMOVED\"\n\"8312\",8428,\"na\xEFve\r\n\r\nit\xE2\x80\x99s 5\xB0\",0\n\"22499\",23448,\"it\xE2\x80\x99s it\xC3\xA2\xE2\x82\xAC\xE2\x84\xA2s\",1\n";
    assert_eq!(bodies(file), [body(2, "naïve\r\n\r\nit’s 5°"), body(5, "it’s it’s")]);
    assert_eq!(rows(file).iter().map(|row| row.removed).collect::<Vec<_>>(), [Some(false), Some(true)]);
}

#[test]
fn json_text_is_never_repaired() {
    assert_eq!(bodies("{\"body\":\"itâ€™s\"}".as_bytes()), [body(1, "itâ€™s")]);
}

#[test]
fn verdicts_are_read_in_every_form() {
    for (json, csv, removed) in [
        ("true", "true", Some(true)),
        ("1", "1", Some(true)),
        ("\"1\"", "TRUE", Some(true)),
        ("\"true\"", "True", Some(true)),
        ("false", "false", Some(false)),
        ("0", "0", Some(false)),
        ("\"0\"", "\"0\"", Some(false)),
        ("\"false\"", "FALSE", Some(false)),
        ("null", "", None),
    ] {
        assert_eq!(rows(format!("{{\"body\":\"a\",\"removed\":{json}}}").as_bytes())[0].removed, removed, "{json}");
        assert_eq!(rows(format!("body,removed\na,{csv}").as_bytes())[0].removed, removed, "{csv}");
    }
    assert_eq!(rows(b"{}")[0].removed, None);
    assert_eq!(rows(b"body\na")[0].removed, None);
}

#[test]
fn numbers_are_read_as_data_frames_write_them() {
    for (number, read) in [("3", 3), ("3.0", 3), ("1.5", 1), ("-0.5", -1), ("1e3", 1000), ("\" 3.0 \"", 3)] {
        for row in [
            rows(format!("{{\"body\":\"a\",\"created_utc\":{number},\"score\":{number}}}").as_bytes()),
            rows(format!("body,created_utc,score\na,{number},{number}\n").as_bytes()),
        ] {
            assert_eq!((row[0].comment.created_utc, row[0].comment.score), (Some(read), Some(read)), "{number}");
        }
    }
}

#[test]
fn what_r_and_pandas_write_for_no_value_is_none_but_in_columns_of_text() {
    for cell in ["NA", "NaN", "nan", "null", "None", " NA ", "\"NA\""] {
        let file = format!("body,author,created_utc,score,removed\n{cell},{cell},{cell},{cell},{cell}\n");
        let row = rows(file.as_bytes()).remove(0);
        assert_eq!((row.comment.created_utc, row.comment.score, row.removed), (None, None, None), "{cell}");
        let text = cell.trim_matches('"');
        assert_eq!((row.comment.body.as_deref(), row.comment.author.as_deref()), (Some(text), Some(text)), "{cell}");
    }
}

#[test]
fn a_reader_tells_the_columns_of_a_csv() {
    let columns = |bytes| read("f", bytes).columns().map(<[String]>::to_vec);
    assert_eq!(
        columns(b"\xEF\xBB\xBF\"\",X, Body ,caf\xE9\n1,2,3,4\n"),
        Some(["", "X", "Body", "café"].map(str::to_owned).to_vec())
    );
    assert_eq!(columns(b"{\"body\":\"a\"}\n"), None);
}

#[test]
fn json_without_a_body_is_a_row() {
    assert_eq!(rows(b"{}\n{\"body\":null}\n").iter().filter(|row| row.comment.body.is_none()).count(), 2);
}

#[test]
fn a_mark_blank_lines_and_any_line_ends_are_passed_over() {
    let json = b"\xEF\xBB\xBF\r\n{\"body\":\"a\"}\r\n\r\n  \n {\"body\":\"b\"} \n\n{\"body\":\"c\"}";
    assert_eq!(bodies(json), [body(2, "a"), body(5, "b"), body(7, "c")]);
    let csv = b"\xEF\xBB\xBF\n\r\nbody,id\r\na,1\r\n\r\n\n\"b\r\nb\",2\n\"\",3\r\n\nc,4";
    assert_eq!(bodies(csv), [body(4, "a"), body(7, "b\r\nb"), body(9, ""), body(11, "c")]);
    assert_eq!(bodies(b"body\ra\rb"), [body(1, "a"), body(1, "b")]);
}

#[test]
fn one_column_is_enough() {
    assert_eq!(bodies(b"body\n5\" tall\n\"\"\n\"a, b\"\n"), [body(2, "5\" tall"), body(3, ""), body(4, "a, b")]);
    assert_eq!(bodies(b"body"), []);
    assert_eq!(bodies(b"\" Body \",x\n\n"), []);
}

#[test]
fn several_members_and_frames_are_one_file() {
    let (a, b) = (b"body\na\n\"b", b" b\"\nc\n");
    let expected = [body(2, "a"), body(3, "b b"), body(4, "c")];
    assert_eq!(bodies(&[gzip(a), gzip(b)].concat()), expected);
    assert_eq!(bodies(&[zstd(a), zstd(b)].concat()), expected);
    // A skippable frame first, as parallel compressors write it.
    assert_eq!(bodies(&[b"\x50\x2A\x4D\x18\x02\0\0\0hi".to_vec(), zstd(a), zstd(b)].concat()), expected);
}

#[test]
fn the_long_windows_of_reddits_dumps_are_read() {
    let mut to = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
    to.window_log(28).expect("a valid window");
    to.write_all(b"{\"body\":\"a\"}\n").expect("memory");
    assert_eq!(bodies(&to.finish().expect("memory")), [body(1, "a")]);
}

#[test]
fn a_file_is_opened_by_its_path() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in [
        ("a.csv", b"body\nx\n".to_vec()),
        ("b.csv.gz", gzip(b"body\nx\n")),
        ("c.jsonl.zst", zstd(b"\n{\"body\":\"x\"}\n")),
        ("named.csv", b"\n{\"body\":\"x\"}\n".to_vec()),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        let rows: Vec<Row> = Reader::open(&path).expect("comments").collect::<Result<_, _>>().expect("rows");
        assert_eq!((rows.len(), rows[0].line), (1, 2), "{name}");
    }
}

#[test]
fn a_reader_moves_to_another_thread_and_shows_no_comment() {
    let reader = read("f", b"body\nsecret\n");
    assert_eq!(format!("{reader:?}"), "Reader { format: \"CSV\", line: 2, .. }");
    assert_eq!(std::thread::spawn(move || reader.count()).join().expect("no panic"), 1);
}
