//! What is read from good files.

mod common;

use std::io::{self, Write};

use common::{gzip, read, zstd};
use modstream_corpus::{Comment, Labels, ReadOptions, Reader, Row};

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
        edited: None,
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
        edited: None,
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
        ("1.0", "1.0", Some(true)),
        ("\"1\"", "TRUE", Some(true)),
        ("\"true\"", "True", Some(true)),
        ("\"Yes\"", " yes ", Some(true)),
        ("\"removed\"", "REMOVED", Some(true)),
        ("false", "false", Some(false)),
        ("0", "0", Some(false)),
        ("0.0", "0.0", Some(false)),
        ("-0.0", "0.00", Some(false)),
        ("\"false\"", "FALSE", Some(false)),
        ("\"no\"", "No", Some(false)),
        ("\"kept\"", "approved", Some(false)),
        ("null", "", None),
        ("\"NaN\"", "NaN", None),
        ("NaN", "NA", None),
    ] {
        assert_eq!(rows(format!("{{\"body\":\"a\",\"removed\":{json}}}").as_bytes())[0].removed, removed, "{json}");
        assert_eq!(rows(format!("body,removed\na,{csv}").as_bytes())[0].removed, removed, "{csv}");
    }
    assert_eq!(rows(b"{}")[0].removed, None);
    assert_eq!(rows(b"body\na")[0].removed, None);
}

fn rows_with(bytes: &[u8], options: &ReadOptions) -> Vec<Row> {
    let reader = Reader::from_read_with("f", io::Cursor::new(bytes.to_vec()), options.clone()).expect("comments");
    reader.collect::<Result<_, _>>().expect("good records")
}

#[test]
fn columns_and_the_value_of_a_removal_may_have_other_names() {
    let labels = |value: &str| Some(Labels { column: "Label".to_owned(), removed_value: Some(value.to_owned()) });
    let options =
        |value| ReadOptions { text_column: "Text".to_owned(), labels: labels(value), ..ReadOptions::default() };
    for (value, removed, kept) in
        [("toxic", "Toxic", "fine"), ("2", "2.0", "1"), ("-1", "-1", "1"), ("0", "0.0", "1.0")]
    {
        let csv = format!("text,body,LABEL,removed\na,x,{removed},0\nb,x,{kept},1\nc,x,,1\n");
        let quoted =
            |verdict: &str| if verdict.parse::<f64>().is_ok() { verdict.to_owned() } else { format!("\"{verdict}\"") };
        let json = format!(
            "{{\"Text\":\"a\",\"Label\":{},\"body\":7}}\n{{\"Label\":{},\"Text\":\"b\",\"removed\":1}}\n{{\"Text\":\"c\",\"Label\":null}}\n",
            quoted(removed),
            quoted(kept)
        );
        for file in [csv, json] {
            let read: Vec<_> = rows_with(file.as_bytes(), &options(value))
                .into_iter()
                .map(|row| (row.comment.body.unwrap_or_default().into_owned(), row.removed))
                .collect();
            let expected =
                [("a", Some(true)), ("b", Some(false)), ("c", None)].map(|(body, removed)| (body.to_owned(), removed));
            assert_eq!(read, expected, "{file}");
        }
    }
}

#[test]
fn verdicts_that_do_not_matter_cost_no_comment_its_row() {
    for file in
        ["body,removed\na,maybe\n", "{\"body\":\"a\",\"removed\":\"maybe\"}\n", "{\"body\":\"a\",\"removed\":[]}\n"]
    {
        let read = rows_with(file.as_bytes(), &ReadOptions::without_labels());
        assert_eq!((read.len(), read[0].removed), (1, None), "{file}");
    }
}

#[test]
fn a_csv_may_be_separated_by_what_its_first_line_or_an_option_says() {
    for (name, delimiter) in [(",", ','), (";", ';'), ("\t", '\t'), ("|", '|')] {
        let table = format!("id{delimiter}body\r\n1{delimiter}\"one{delimiter} \"\"two\"\"\"\r\n");
        let meant = format!("one{delimiter} \"two\"");
        for first in [format!("sep={name}\r\n"), format!("\u{FEFF}sep={name}\n"), format!("\"SEP={name}\"\n\n")] {
            let file = first + &table;
            let line = file.lines().position(|line| line.starts_with('1')).expect("a row") as u64 + 1;
            assert_eq!(bodies(file.as_bytes()), [body(line, &meant)], "{file:?}");
        }
        let option = ReadOptions { delimiter: u8::try_from(delimiter).ok(), ..ReadOptions::default() };
        for file in [table.clone(), format!("sep=,\n{table}")] {
            assert_eq!(
                rows_with(file.as_bytes(), &option)[0].comment.body.as_deref(),
                Some(meant.as_str()),
                "{file:?}"
            );
        }
    }
}

#[test]
fn a_separator_is_read_however_a_program_or_a_spreadsheet_writes_its_line() {
    for (line, delimiter) in [
        ("sep=,,", ','),
        ("sep=,,,,", ','),
        ("\"sep=,\"", ','),
        ("\"sep=,\",,", ','),
        ("sep=;;", ';'),
        ("\"sep=;\";;", ';'),
        ("sep=;  ", ';'),
        ("sep=|", '|'),
        ("sep=||", '|'),
        ("sep=\\t", '\t'),
        ("\"sep=\\t\"\t\t", '\t'),
        ("SEP=\t", '\t'),
        ("sep=\t\t", '\t'),
    ] {
        for end in ["\n", "\r\n", "\r"] {
            let file = format!("{line}{end}id{delimiter}body{end}1{delimiter}lol who cares{end}");
            assert_eq!(bodies(file.as_bytes()), [body(3, "lol who cares")], "{file:?}");
        }
    }
    // An option says what a line leaves open.
    let option = ReadOptions { delimiter: Some(b';'), ..ReadOptions::default() };
    for line in ["sep=:", "sep=", "sep=;,", "\"sep=,\";;"] {
        let file = format!("{line}\nid;body\n1;a\n");
        assert_eq!(rows_with(file.as_bytes(), &option)[0].comment.body.as_deref(), Some("a"), "{line}");
    }
}

#[test]
fn the_line_ends_of_old_macs_end_lines() {
    for (file, lines) in [
        ("id,body\r1,a\r\r2,\"b\rb\"\r3,c", [2, 4, 6]),
        ("\u{FEFF}\r\rid,body\r1,a\r2,\"b\rb\"\r3,c\r", [4, 5, 7]),
        ("{\"body\":\"a\"}\r\r{\"body\":\"b\\rb\"}\r{\"body\":\"c\"}", [1, 3, 4]),
        ("\r{\"body\":\"a\"},\r{\"body\":\"b\\rb\"},\r{\"body\":\"c\"}\r", [2, 3, 4]),
        ("[\r{\"body\":\"a\"},\r{\"body\":\"b\\rb\"},\r{\r\"body\":\"c\"}\r]\r", [2, 3, 4]),
        // The first line says how lines end; what else ends them does so, too.
        ("id,body\r1,a\r\n2,\"b\rb\"\n3,c", [2, 3, 5]),
    ] {
        let expected = [body(lines[0], "a"), body(lines[1], "b\rb"), body(lines[2], "c")];
        assert_eq!(bodies(file.as_bytes()), expected, "{file:?}");
        assert_eq!(bodies(&gzip(file.as_bytes())), expected, "{file:?}");
    }
    // Elsewhere it is a part of a text.
    assert_eq!(bodies(b"id,body\n1,\"a\ra\"\n2,b\n"), [body(2, "a\ra"), body(3, "b")]);
}

#[test]
fn a_list_of_objects_is_read_however_it_is_broken_into_lines() {
    for (file, lines) in [
        ("[{\"body\":\"a\"},{\"body\":\"b\"}]", [1, 1]),
        ("[\n{\"body\": \"a\"},\n{\"body\": \"b\"}\n]\n", [2, 3]),
        ("\n[{\"body\": \"a\"}\r\n\r\n,{\"body\": \"b\"}]\r\n", [2, 4]),
        ("[\n  {\n    \"body\": \"a\"\n  },\n  {\n    \"body\": \"b\"\n  }\n]\n", [2, 5]),
        ("[{\"body\":\"a\"}]\n[{\"body\":\"b\"}]\n", [1, 2]),
        ("[\n{\"body\":\"a\"},\n{\"body\":\"b\"},\n]", [2, 3]),
        ("[{\"x\":[{\"y\":\"]}\\\"[{\"}],\"body\":\"a\",\"z\":{\"\\\\\":1}},{\"body\":\"b\"}]", [1, 1]),
    ] {
        let expected = [body(lines[0], "a"), body(lines[1], "b")];
        for name in ["f", "f.jsonl", "f.json", "f.csv"] {
            let read: Vec<_> = read(name, file.as_bytes()).map(|row| row.expect("good")).collect();
            let read: Vec<_> =
                read.into_iter().map(|row| (row.line, row.comment.body.unwrap_or_default().into_owned())).collect();
            assert_eq!(read, expected, "{name}: {file}");
        }
        assert_eq!(bodies(&zstd(file.as_bytes())), expected, "{file}");
        let utf16: Vec<u8> = format!("\u{FEFF}{file}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(bodies(&utf16), expected, "{file}");
    }
    let many = [b"[".to_vec(), b"{\"body\":\"a\"},".repeat(100_000), b"{\"body\":\"b\"}]".to_vec()].concat();
    assert_eq!(rows(&many).len(), 100_001);
}

#[test]
fn a_comma_may_stand_behind_a_line_of_json() {
    let file = b"{\"body\":\"a\"},\r\n{\"body\":\"b,\"} , \n{\"body\":\"c\"}";
    assert_eq!(bodies(file), [body(1, "a"), body(2, "b,"), body(3, "c")]);
}

#[test]
fn utf16_is_read_with_and_without_its_mark() {
    for (name, file) in [
        ("f", "id,body\n1,\"größer 😀\n\"\n"),
        ("f", "{\"body\":\"größer 😀\\n\"}\n"),
        ("f", "sep=;\nid;body\n1;\"größer 😀\n\"\n"),
    ] {
        for mark in ["", "\u{FEFF}"] {
            let text = format!("{mark}{file}");
            let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            for bytes in [&little, &big] {
                assert_eq!(
                    read(name, bytes).next().expect("a row").expect("good").comment.body.as_deref(),
                    Some("größer 😀\n")
                );
                assert_eq!(rows(&gzip(bytes)).len(), 1);
            }
        }
    }
}

/// A value in JSON, and the cell that means the same.
fn rows_of(field: &str, json: &str, cell: &str) -> [Row; 2] {
    let json = rows(format!("{{\"body\":\"a\",\"{field}\":{json}}}").as_bytes()).remove(0);
    let csv = rows(format!("body,{field}\na,\"{cell}\"\n").as_bytes()).remove(0);
    [Row { line: 1, ..json }, Row { line: 1, ..csv }]
}

#[test]
fn json_and_csv_read_the_same_of_the_same() {
    for (json, cell) in [
        ("5977", "5977"),
        ("18446744073709551615", "18446744073709551615"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("5977.0", "5977.0"),
        ("5977.50", "5977.50"),
        ("-0", "-0"),
        ("1e3", "1e3"),
        ("1E+03", "1E+03"),
        ("-99999999999999999999999", "-99999999999999999999999"),
        ("1e400", "1e400"),
        ("-1", "-1"),
        ("0", "0"),
        ("1514764800000", "1514764800000"),
        ("\"1.5147648e9\"", "1.5147648e9"),
        ("\"2018-01-01T00:00:00Z\"", "2018-01-01T00:00:00Z"),
        ("\"yesterday\"", "yesterday"),
        ("\"\\ud83d\"", "\u{FFFD}"),
        ("null", ""),
        ("\"\u{e9}t\u{e9}\"", "\u{e9}t\u{e9}"),
    ] {
        for field in Comment::FIELDS.into_iter().filter(|field| *field != "body") {
            let [from_json, from_csv] = rows_of(field, json, cell);
            assert_eq!(from_json, from_csv, "{field}: {json}");
        }
    }
    for number in ["12", "12.0", "-0", "1e3", "12345678901234567890123"] {
        for field in ["id", "author", "parent_id"] {
            let [number_in_json, cell] = rows_of(field, number, number);
            let [text_in_json, _] = rows_of(field, &format!("\"{number}\""), "");
            assert_eq!(number_in_json, cell, "{field}: {number}");
            assert_eq!(number_in_json, text_in_json, "{field}: {number}");
        }
    }
    let [row, _] = rows_of("parent_id", "240311", "");
    assert_eq!(row.comment.parent_id.as_deref(), Some("240311"));
}

#[test]
fn no_field_but_the_text_costs_a_comment_its_row() {
    for value in ["false", "[1]", "{\"a\":1}", "1e999", "NaN", "-Infinity", "\"\\udfff\"", "\"secret\""] {
        for field in Comment::FIELDS.into_iter().filter(|field| *field != "body").chain(["flair", "\\ud83d"]) {
            assert_eq!(
                bodies(format!("{{\"{field}\":{value},\"body\":\"a\"}}").as_bytes()),
                [body(1, "a")],
                "{field} {value}"
            );
        }
    }
}

#[test]
fn half_a_surrogate_pair_is_read_as_a_replacement_character() {
    let file = "{\"body\":\"summer \\ud83d\"}\n{\"body\":\"\\ud83d\\ude00 \\\\ud83d\"}\n";
    assert_eq!(bodies(file.as_bytes()), [body(1, "summer \u{FFFD}"), body(2, "😀 \\ud83d")]);
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
    assert_eq!(bodies(b"body\ra\rb"), [body(2, "a"), body(3, "b")]);
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

#[test]
fn files_that_were_put_one_behind_the_other_keep_their_byte_order_marks() {
    let file = "\u{FEFF}{\"body\":\"a\"}\n\u{FEFF}{\"body\":\"b\"},\r\n\u{FEFF}\n{\"body\":\"\u{FEFF}c\"}\n";
    let bodies: Vec<_> = rows(file.as_bytes()).into_iter().filter_map(|row| row.comment.body).collect();
    assert_eq!(bodies, ["a", "b", "\u{FEFF}c"]);
}

#[test]
fn surrogates_of_three_bytes_are_read_as_escaped_ones_are() {
    let half = b"it's \xED\xA0\xBD \xED\xA0\xBD\xED\xB8\x80".as_slice();
    for file in [[b"body\n".as_slice(), half].concat(), [b"{\"body\":\"".as_slice(), half, b"\"}"].concat()] {
        assert_eq!(bodies(&file).remove(0).1, "it's \u{FFFD} \u{1F600}");
    }
}
