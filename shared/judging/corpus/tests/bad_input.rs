//! What people get to read when a file or a record is bad.

mod common;

use std::io::{self, Cursor, Read};

use common::{gzip, read, zstd};
use modstream_corpus::{Comment, Labels, MAX_ROW_BYTES, OpenError, ReadOptions, Reader};

/// One line a row: its line with `ok` or the error.
fn told(name: &str, bytes: &[u8]) -> Vec<String> {
    read(name, bytes)
        .map(|row| match row {
            Ok(row) => format!("{}: ok", row.line),
            Err(error) => format!("{}: {error}{}", error.line, if error.is_fatal() { " (fatal)" } else { "" }),
        })
        .collect()
}

fn refused(name: &str, bytes: &[u8]) -> String {
    Reader::from_read(name, Cursor::new(bytes.to_vec())).expect_err("no comments in it").to_string()
}

#[test]
fn a_file_without_comments_is_refused_with_what_to_do() {
    let objects = "f: this is JSON with objects of several lines; write one object a line: `jq -c . FILE` makes that, or `jq -c '.NAME[]' FILE` where the comments are a list of that name within an object";
    let list = "f: this is a JSON list, but not of objects; write one object a line with a field `body`: `jq -c '.[] | {\"body\": .}' FILE` makes that of a list of texts";
    let separator = |named: &str| {
        format!(
            "f: the first line `sep={named}` does not name one separator that can be read; say it with `--delimiter`, one of `','` `';'` `'|'` and `tab`, or export the file with commas"
        )
    };
    let separators = [":", "", ";,", "\\x", "||;", "semicolon", ";,,"].map(separator);
    let empty = "f: the file is empty; it needs a CSV header with a column `body`, or one JSON object a line";
    let tabs = "f: the header is separated by tabs: `--delimiter tab` reads it, or export it with commas";
    let semicolons = "f: the header is separated by semicolons: `--delimiter ';'` reads it, or export it with commas";
    let pipes = "f: the header is separated by pipes: `--delimiter '|'` reads it, or export it with commas";
    let which = "say which one holds the comments: `--text-column NAME`, or name it `body`";
    let no_header = "f: the CSV has no header: its first line has no column `body` and looks like a comment; put a line with the columns' names above it, such as `id,body`, where `--text-column NAME` takes another name";
    let headless = "f: this is text without a CSV header, neither CSV nor JSON Lines; its first line must name the columns, `body` among them";
    let binary = "f: this is binary data, neither CSV nor JSON Lines; export it as one of these";
    let twice = "f: this is compressed twice, neither CSV nor JSON Lines; unpack it first";
    let damaged = "f: the gzip data is damaged or truncated at its start; fetch the file again";
    let no_body = |columns: &str| format!("f: the CSV header has no column `body`; columns found: {columns}; {which}");
    let (questions, body_text) = (no_body("Comment Text, Is this removed?"), no_body("id, Body text"));
    let secret = no_body("id, (no name)");
    let (text, letters) = (no_body("id, text"), no_body("a, b, c, d, e, f, g, h, i, j, k, l, ..."));
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), empty),
        (b"\n \r\n\t\n".to_vec(), empty),
        (b"\xEF\xBB\xBF".to_vec(), empty),
        (gzip(b""), empty),
        (zstd(b"\n"), empty),
        (b"[]".to_vec(), empty),
        (b"[\n]\n".to_vec(), empty),
        (b"[".to_vec(), list),
        (b"[\"a\"]\n[\"b\"]\n".to_vec(), list),
        (b"[\n  \"a\",\n  \"b\"\n]\n".to_vec(), list),
        (b"[[{\"body\":\"a\"}]]\n".to_vec(), list),
        (b"\n{\n  \"body\": \"a\"\n}\n".to_vec(), objects),
        (b"\r{\r  \"body\": \"a\"\r}\r".to_vec(), objects),
        (b"{\"comments\": [\r\n{\"body\": \"a\"}]}".to_vec(), objects),
        (b"{\"id\": \"a\"\n, \"body\": \"a\"\n}\n".to_vec(), objects),
        (gzip(b"{\n  \"body\": \"a\"\n}\n"), objects),
        (b"{\"id\": \"a\",\n \"body\": \"a\"}\n".to_vec(), objects),
        (b"sep=:\nid:body\n".to_vec(), &separators[0]),
        (b"sep=\nid,body\n".to_vec(), &separators[1]),
        (b"sep=;,\nid,body\n".to_vec(), &separators[2]),
        (b"sep=\\x\nid,body\n".to_vec(), &separators[3]),
        (b"Sep=||;\rid,body\r".to_vec(), &separators[4]),
        (b"sep=semicolon\nid,body\n".to_vec(), &separators[5]),
        (b"\"sep=;\",,\nid,body,removed\n".to_vec(), &separators[6]),
        (b"id,text\n1,a\n".to_vec(), &text),
        (
            b",id,text,\n0,1,a,\n".to_vec(),
            "f: the CSV header has no column `body`; columns found: (no name), id, text, (no name); say which one holds the comments: `--text-column NAME`, or name it `body`",
        ),
        (b"a,b,c,d,e,f,g,h,i,j,k,l,m,n\n".to_vec(), &letters),
        (b"\"my, secret comment\",k1,\"\"\n".to_vec(), no_header),
        (b"k1,0,lol\nk2,1,wow\n".to_vec(), no_header),
        (b"How large was the group?\n".to_vec(), no_header),
        (b"well; you know,1\n".to_vec(), no_header),
        (b",,\n".to_vec(), no_header),
        (b"I like it, thank you\n".to_vec(), no_header),
        (b"that is a good point; agreed\n".to_vec(), no_header),
        (b"Id;Kommentar;Entfernt durch\n1;a;\n".to_vec(), semicolons),
        (b"id;comment text;label\n".to_vec(), semicolons),
        (b"comment_id;comment;created at;removed by\n".to_vec(), semicolons),
        (b"Comment Text;Is this removed?\n".to_vec(), semicolons),
        (b"Id\tKommentar\tEntfernt durch\n".to_vec(), tabs),
        (b"Comment Text,Is this removed?\n".to_vec(), &questions),
        (b"id,Body text\n1,a\n".to_vec(), &body_text),
        (b"id,secret words\n1,a\n".to_vec(), &secret),
        (b"id\tbody\n1\ta\n".to_vec(), tabs),
        (b"id\ttext\n1\ta\n".to_vec(), tabs),
        (b"\"id\";\"body\"\n1;a\n".to_vec(), semicolons),
        (b"id;body\n1;a\n".to_vec(), semicolons),
        (b"id|body|removed\n1|a|0\n".to_vec(), pipes),
        (
            b"id,body,removed,body\n".to_vec(),
            "f, line 1: the CSV header has a column twice: column 2 is `body` and column 4 is `body`; rename or drop one",
        ),
        (
            b"\nsep=;\n\nID;Body; id ;removed\n".to_vec(),
            "f, line 4: the CSV header has a column twice: column 1 is `ID` and column 3 is `id`; rename or drop one",
        ),
        (
            b"removed,body,Removed\n".to_vec(),
            "f, line 1: the CSV header has a column twice: column 1 is `removed` and column 3 is `Removed`; rename or drop one",
        ),
        (
            b"x,x,body,author, AUTHOR\n".to_vec(),
            "f, line 1: the CSV header has a column twice: column 4 is `author` and column 5 is `AUTHOR`; rename or drop one",
        ),
        (b"\"body\n".to_vec(), headless),
        (vec![b'x'; 100_000], headless),
        (b"\x7FELF\x02\x00\x00".to_vec(), binary),
        (
            b"PK\x03\x04rest".to_vec(),
            "f: this is a zip archive or a spreadsheet, neither CSV nor JSON Lines; unpack it, or export the sheet as CSV",
        ),
        (b"\xFD7zXZ\x00".to_vec(), "f: this is xz data, neither CSV nor JSON Lines; unpack it first"),
        (b"\xFF\xFE\0\0b\0\0\0".to_vec(), "f: this is UTF-32 text, neither CSV nor JSON Lines; save it as UTF-8"),
        (b"\0\0\xFE\xFF\0\0\0b".to_vec(), "f: this is UTF-32 text, neither CSV nor JSON Lines; save it as UTF-8"),
        (
            b"\xD0\xCF\x11\xE0\xA1".to_vec(),
            "f: this is a spreadsheet of an old Excel, neither CSV nor JSON Lines; export the sheet as CSV",
        ),
        (
            b"SQLite format 3\0\x10".to_vec(),
            "f: this is an SQLite database, neither CSV nor JSON Lines; export a table: `sqlite3 -header -csv FILE 'SELECT ...'`",
        ),
        (gzip(&gzip(b"body\na\n")), twice),
        (zstd(&zstd(b"body\na\n")), twice),
        (b"\x1F\x8B\x08\x00".to_vec(), damaged),
        (b"\x1F\x8Bnot gzip".to_vec(), damaged),
        (
            zstd(b"body\na\n")[..6].to_vec(),
            "f: the zstd data is damaged or truncated at its start; fetch the file again",
        ),
    ];
    // With the feature it is one that was cut off.
    let parquet = refused("f", b"PAR1\x15\x04");
    let says =
        if cfg!(feature = "parquet") { "the Parquet file is damaged or truncated" } else { "this is a Parquet file" };
    assert!(parquet.contains(says), "{parquet}");
    for (bytes, message) in cases {
        assert_eq!(refused("f", &bytes), message, "{:?}", &bytes[..bytes.len().min(40)]);
    }
    assert_eq!(refused("f.jsonl", b""), empty.replace("f:", "f.jsonl:"));
    for (file, message) in [("[]", empty), ("[\"a\"]\n", list), ("{\n  \"body\": \"a\"\n}\n", objects)] {
        assert_eq!(refused("f.jsonl", file.as_bytes()), message.replace("f:", "f.jsonl:"), "{file}");
    }
}

#[test]
fn an_error_names_the_columns_that_were_asked_for() {
    let options = ReadOptions {
        text_column: "text".to_owned(),
        labels: Some(Labels { column: "verdict".to_owned(), removed_value: None }),
        ..ReadOptions::default()
    };
    let told = |file: &str| -> Vec<String> {
        let rows = match Reader::from_read_with("f", Cursor::new(file.to_owned()), options.clone()) {
            Ok(rows) => rows,
            Err(error) => return vec![error.to_string()],
        };
        let read = rows.map(|row| match row {
            Ok(row) => options.text(&row).map_or_else(|error| error.to_string(), str::to_owned),
            Err(error) => error.to_string(),
        });
        read.collect()
    };
    for file in [
        "",
        "[]",
        "[1]",
        "k1,0,lol\n",
        "id,body\nk1,a\n",
        "\"oops",
        "text,TEXT\na,b\n",
        "text,verdict\na,maybe\n",
        "{\"body\":\"a\",\"removed\":1}",
        "{\"text\":7}",
        "{\"text\":7.5,\"id\":1.5}",
        "{\"text\":null}",
        "{\"text\":\"a\",\"text\":\"b\"}",
        "{\"text\":\"a\",\"verdict\":\"maybe\"}",
        "{\"text\":\"a\",\"verdict\":1,\"verdict\":0}",
    ] {
        let told = told(file).join("\n");
        let names = |name: &str| told.contains(&format!("`{name}`")) || told.contains(&format!("\"{name}\":"));
        assert!(names("text") || names("TEXT") || names("verdict"), "{file}: {told}");
        assert!(!names("removed") && !told.contains("`body`"), "{file}: {told}");
    }
    // What is not read may stand there twice.
    for file in [
        "{\"text\":\"a\",\"body\":1,\"body\":2,\"removed\":1,\"removed\":2}",
        "text,body,body,removed,removed\na,,,,\n",
    ] {
        assert_eq!(told(file), ["a"], "{file}");
    }
}

#[test]
fn what_is_not_read_may_stand_there_twice_and_what_is_read_may_not() {
    let read = Comment::FIELDS.into_iter().chain(["removed"]);
    for (field, is_read) in read.map(|field| (field, true)).chain([("flair", false), ("score_hidden", false)]) {
        let json = format!("{{\"body\":\"a\",\"{field}\":\"1\",\"{field}\":\"1\"}}\n");
        let list = format!("[{json}]");
        let csv = format!("text,{field},body,{field}\na,1,a,1\n").replace("body,body,body", "body,body");
        for file in [json, list, csv] {
            let rows = Reader::from_read("f", Cursor::new(file.clone().into_bytes()));
            let is_refused = rows.map_or(true, |rows| rows.into_iter().any(|row| row.is_err()));
            assert_eq!(is_refused, is_read, "{file}");
        }
    }
}

#[test]
fn a_bad_element_of_a_list_costs_itself() {
    let (not_json, no_object) = (
        "this element of the list is not valid JSON; correct it, or drop it",
        "this element of the list is not an object; drop it, or make it one",
    );
    for (element, message) in [
        ("{\"body\": secret}", not_json),
        ("{\"body\": \"secret\n}", not_json),
        ("{\"body\": [\"a\"}}", not_json),
        ("secret", no_object),
        ("\"secret, {\\\"body\\\":\"", no_object),
        ("[{\"body\":\"secret\"}]", no_object),
        ("12", no_object),
        ("{\"body\": 7}", "`body` is not text; correct that value"),
        ("{\"id\":1,\"id\":2}", "`id` stands there twice, at characters 2 and 9 of the object; keep one of them"),
        ("{\n\"id\":1,\n\"id\":2}", "`id` stands there twice, on lines 4 and 5; keep one of them"),
    ] {
        let lines = element.matches('\n').count();
        let file = format!("[\n{{\"body\":\"a\"}},\n{element},\n{{\"body\":\"b\"}}]\n");
        let expected = ["2: ok".to_owned(), format!("3: {message}"), format!("{}: ok", lines + 4)];
        assert_eq!(told("f", file.as_bytes()), expected, "{file}");
    }
    let cut = "the file ends inside this record and may be truncated; fetch it again, or drop the record";
    assert_eq!(told("f", b"[{\"body\":\"a\"},\n{\"body\":\"b"), ["1: ok".to_owned(), format!("2: {cut}")]);
    let open = "the list is never closed: the file may be truncated; fetch it again (what came before was read)";
    for end in ["", ",\n", "\n"] {
        let file = format!("[{{\"body\":\"a\"}}{end}");
        let line = file.matches('\n').count() + 1;
        assert_eq!(told("f", file.as_bytes()), ["1: ok".to_owned(), format!("{line}: {open}")], "{file}");
    }
}

#[test]
fn a_path_that_is_no_readable_file_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("none.csv");
    let (at, name) = (folder.path().display(), missing.display());
    let refused = |path| Reader::open(path).expect_err("no file").to_string();
    assert_eq!(refused(folder.path()), format!("{at}: this is a folder; name one file in it"));
    assert_eq!(refused(&missing), format!("{name}: there is no such file; check the path"));
}

#[test]
fn a_bad_line_of_json_costs_only_that_line() {
    let verdict = "`removed` is not true, false, 1 or 0, nor a word such as yes or kept; correct that value, or say `--removed-value VALUE`, which means removed";
    let bad: [(&[u8], &str); 22] = [
        (b"\"secret\"", "the line is JSON but not an object; each line must hold one whole object"),
        (b"[\"a\",\"b\"]", "the line is JSON but not an object; each line must hold one whole object"),
        (b"[]", "the line is JSON but not an object; each line must hold one whole object"),
        (b"null", "the line is JSON but not an object; each line must hold one whole object"),
        (b"\"\\ud83d\"", "the line is JSON but not an object; each line must hold one whole object"),
        (b"{\"body\": \"secret", "the line is not valid JSON; each line must hold one whole object"),
        (b"{\"body\": secret}", "the line is not valid JSON; each line must hold one whole object"),
        (b"{\"body\": \"a\"}{\"body\": \"b\"}", "the line is not valid JSON; each line must hold one whole object"),
        (b"{\"body\": 1, secret", "the line is not valid JSON; each line must hold one whole object"),
        (b"{\"body\": \"\\ud800\", secret}", "the line is not valid JSON; each line must hold one whole object"),
        (
            b"{\"body\": \"caf\xE9\"}",
            "the line is not UTF-8: it looks like Windows-1252 or Latin-1; save the file again as UTF-8 (`iconv -f WINDOWS-1252 -t UTF-8 FILE`)",
        ),
        (
            b"{\"other\": \"\xEF\xF0\xE8\xE2\"}",
            "the line is not UTF-8: it is in another encoding, or no text; save the file again as UTF-8",
        ),
        (b"{\"body\": 7}", "`body` is not text; correct that value"),
        (b"{\"body\": true, \"score\": NaN}", "`body` is not text; correct that value"),
        (b"{\"body\": [\"secret\"]}", "`body` is not text; correct that value"),
        (b"{\"removed\": 2}", verdict),
        (b"{\"removed\": \"secret\"}", verdict),
        (b"{\"removed\": [1]}", verdict),
        (
            b"{\"body\": \"a\", \"body\": \"b\"}",
            "`body` stands there twice, at columns 2 and 15 of the line; keep one of them",
        ),
        (
            b"{\"id\": \"\\ud83d\", \"x\": {\"id\": 1}, \"\\u0069d\": 1}",
            "`id` stands there twice, at columns 2 and 34 of the line; keep one of them",
        ),
        (
            b"{\"removed\": 1, \"removed\": 0}",
            "`removed` stands there twice, at columns 2 and 16 of the line; keep one of them",
        ),
        (
            b"{\"body\": \"a\", \"removed\": 1, \"edited\": false, \"edited\": 1}",
            "`edited` stands there twice, at columns 29 and 46 of the line; keep one of them",
        ),
    ];
    for (line, message) in bad {
        let file = [b"{\"body\":\"a\"}\n", line, b"\r\n\n{\"body\":\"b\"}\n"].concat();
        let expected = ["1: ok".to_owned(), format!("2: {message}"), "4: ok".to_owned()];
        assert_eq!(told("f", &file), expected, "{}", String::from_utf8_lossy(line));
    }
    // By its name it is JSON Lines, so the first line may be bad too.
    assert_eq!(
        told("f.NDJSON", b"oops\n{}\n"),
        ["1: the line is not valid JSON; each line must hold one whole object", "2: ok"]
    );
}

#[test]
fn a_bad_first_line_of_json_costs_only_that_line() {
    let (not_json, not_an_object) = (
        "1: the line is not valid JSON; each line must hold one whole object",
        "1: the line is JSON but not an object; each line must hold one whole object",
    );
    let names = ["f", "f.jsonl", "f.ndjson.gz", "F.JSONL.ZST"];
    for (first, message) in [
        ("[]", not_an_object),
        ("[1, 2]", not_an_object),
        ("{", not_json),
        ("{\"body\":\"a\",", not_json),
        ("{\"body\":\"a", not_json),
        ("{\"body\":", not_json),
        ("{\"body\":\"a\",\"gildings\":[", not_json),
    ] {
        let good = format!("{first}\r\n\n {{\"body\":\"b\"}} \n{{\"body\":\"c\"}}");
        for name in names {
            assert_eq!(told(name, good.as_bytes()), [message, "3: ok", "4: ok"], "{name}: {first}");
            assert_eq!(told(name, &zstd(good.as_bytes()))[1..], ["3: ok", "4: ok"], "{name}: {first}");
        }
    }
    // Two bad lines are no document either where the second does not go on with the first.
    for name in names {
        let rows = told(name, b"{\"body\":\"a\",\n{\"body\":\"b\",\n{}\n");
        assert_eq!(rows[2], "3: ok", "{name}");
    }
    let cut = "1: the file ends inside this record and may be truncated; fetch it again, or drop the record";
    assert_eq!(told("f", b"{\"id\":\"k1\","), [cut]);
}

#[test]
fn a_file_named_json_lines_is_read_as_soon_as_one_later_line_can_be() {
    let ok = |bytes: &[u8]| told("f.jsonl", bytes).iter().filter(|row| row.ends_with(": ok")).count();
    assert_eq!(ok(b"{\n  \"body\": \"a\"\n}\n{\"body\":\"b\"}"), 1);
    // However far down it stands.
    let far = [b"{\n".to_vec(), b"\"body\":\"a\",\n".repeat(100_000), b"{\"body\":\"b\"}\n".to_vec()].concat();
    assert_eq!(ok(&far), 1);
    let long = [b"[".to_vec(), b"1,".repeat(100_000), b"1]\n{\"body\":\"b\"}\n".to_vec()].concat();
    assert_eq!(ok(&long), 1);
}

#[test]
fn a_file_of_json_cut_anywhere_says_so() {
    let whole = "{\"id\":\"k1\",\"body\":\"größer \\u00e9\",\"score\":-12,\"x\":[true,null,1.5e3]}".as_bytes();
    for end in 1..whole.len() {
        let file = [b"{\"body\":\"a\"}\n", &whole[..end]].concat();
        let cut = "2: the file ends inside this record and may be truncated; fetch it again, or drop the record";
        assert_eq!(told("f", &file), ["1: ok", cut], "{}", String::from_utf8_lossy(&whole[..end]));
    }
    assert_eq!(told("f", &[b"{\"body\":\"a\"}\n", whole].concat()), ["1: ok", "2: ok"]);
}

#[test]
fn a_bad_record_of_a_csv_costs_only_that_record() {
    let verdict = "`removed` is not true, false, 1 or 0, nor a word such as yes or kept; correct that value, or say `--removed-value VALUE`, which means removed";
    let cases: [(&str, &str); 7] = [
        ("1,a", "the record has 2 fields, the header 4; put cells that hold commas or line ends in quotes"),
        ("1,a,b,0,3", "the record has 5 fields, the header 4; put cells that hold commas or line ends in quotes"),
        ("1,\"a\"b\",5,0", "text follows a closing quote; write a quote inside a cell twice (\"\")"),
        ("1,\"say \"\"\"a\",5,0", "text follows a closing quote; write a quote inside a cell twice (\"\")"),
        ("1,\"a\" ,5,0", "text follows a closing quote; write a quote inside a cell twice (\"\")"),
        ("1,a,5,secret", verdict),
        ("1,a,5,2", verdict),
    ];
    for (record, message) in cases {
        let file = format!("id,body,score,removed\n1,\"a\n\",5,0\n{record}\r\n\r\n1,b,5,0\n");
        let expected = ["2: ok".to_owned(), format!("4: {message}"), "6: ok".to_owned()];
        assert_eq!(told("f", file.as_bytes()), expected, "{record}");
    }
    let file = b"body,created_utc,score\na,yesterday,low\nb,2,1e300\n";
    assert_eq!(told("f", file), ["2: ok", "3: ok"]);
}

#[test]
fn a_csv_cut_inside_a_record_says_so() {
    let open = "3: a quote is opened and never closed: the file may be truncated, or a quote inside a cell is not written twice";
    let cut = "3: the file ends inside this record and may be truncated; fetch it again, or drop the record";
    let record = "7,\"one, \"\"two\"\"\nthree\",\"0\"";
    for end in 1..record.len() {
        let file = format!("id,body,removed\n1,5\" tall,0\n{}", &record[..end]);
        let before = &record[..end];
        if before.ends_with("\",") {
            continue; // An empty last cell.
        }
        let expected = if before.matches('"').count() % 2 == 1 { open } else { cut };
        assert_eq!(told("f", file.as_bytes()), ["2: ok", expected], "{before}");
    }
    assert_eq!(told("f", format!("id,body,removed\n1,a,0\n{record}").as_bytes()), ["2: ok", "3: ok"]);
    assert_eq!(told("f", b"body\nnot \"quoted"), ["2: ok"]);
}

#[test]
fn a_record_over_16_mib_costs_only_that_record() {
    let long = "x".repeat(MAX_ROW_BYTES + 1);
    let message = "the record is longer than 16 MiB; split it or drop it";
    let expected = ["2: ok".to_owned(), format!("3: {message}"), "4: ok".to_owned()];
    let json = format!("\n{{\"body\":\"a\"}}\n{{\"body\":\"{long}\"}}\n{{\"body\":\"b\"}}\n");
    assert_eq!(told("f", json.as_bytes()), expected);
    assert_eq!(told("f", format!("body\na\n{long}\nb\n").as_bytes()), expected);
    assert_eq!(told("f", format!("body\na\n\"{long}\"\nb\n").as_bytes()), expected);

    // All of the limit is allowed.
    assert_eq!(told("f", format!("body\n{}\n", &long[1..]).as_bytes()), ["2: ok"]);
    let cells = ",".repeat(MAX_ROW_BYTES + 1);
    assert_eq!(
        told("f", format!("body,id\n{cells}\na,b\n").as_bytes())[0],
        "2: the record has 16777218 fields, the header 2; put cells that hold commas or line ends in quotes"
    );
}

/// Text that hardly compresses, so that much of it stands before a cut.
fn noise(lines: usize) -> String {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 16
    };
    (0..lines).map(|_| format!("{:x}{:x}{:x}\n", next(), next(), next())).collect()
}

#[test]
fn broken_compression_ends_the_file_after_the_rows_before_it() {
    let file = format!("body\n{}", noise(20_000));
    for (packed, name) in [(gzip(file.as_bytes()), "gzip"), (zstd(file.as_bytes()), "zstd")] {
        let told_of = told("f", &packed[..packed.len() * 9 / 10]);
        let (last, before) = told_of.split_last().expect("rows");
        assert!(before.len() > 10_000 && before.iter().all(|row| row.ends_with(": ok")), "{name}: {}", before.len());
        let line = before.len() + 2;
        assert_eq!(
            *last,
            format!(
                "{line}: the {name} data ends too early: the file is truncated; fetch it again (what came before this line was read) (fatal)"
            )
        );

        let mut broken = packed.clone();
        let middle = broken.len() / 2;
        broken[middle..middle + 64].fill(0xFF);
        let told_of = told("f", &broken);
        let last = told_of.last().expect("an error");
        assert!(
            last.ends_with(&format!(
                "the {name} data is damaged; fetch the file again (what came before this line was read) (fatal)"
            )),
            "{last}"
        );
    }
    // So short that opening the file already meets the end.
    let packed = gzip(b"{\"body\":\"a\"}\n{\"body\":\"b\"}\n");
    let short = told("f", &packed[..packed.len() - 8]);
    assert_eq!(short[..2], ["1: ok", "2: ok"]);
    assert!(short[2].starts_with("3: the gzip data ends too early"), "{short:?}");
    assert_eq!(short.len(), 3);
    // What follows the data and is none.
    let trailing = told("f", &[gzip(b"body\na\n"), b"trailing bytes".to_vec()].concat());
    assert_eq!(
        trailing,
        ["2: ok", "3: the gzip data is damaged; fetch the file again (what came before this line was read) (fatal)"]
    );
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::new(io::ErrorKind::ConnectionReset, "connection reset"))
    }
}

#[test]
fn a_failing_read_is_fatal_and_told_from_damage() {
    let fatal = "reading failed (connection reset); check the disk or the connection and start again";
    for start in [b"body\na\nb".to_vec(), gzip(format!("body\na\n{}", noise(10_000)).as_bytes())] {
        let half = start[..start.len() - 1].to_vec();
        let mut rows = Reader::from_read("f", Cursor::new(half).chain(Broken)).expect("a header");
        assert!(rows.next().is_some_and(|row| row.is_ok()));
        let error = rows.find_map(Result::err).expect("the failure");
        assert!(error.is_fatal());
        assert_eq!(error.to_string(), fatal);
        assert!(rows.next().is_none() && rows.next().is_none());
    }
    // Before the end of the first line.
    let error = read_on(b"{\"body\":\"a").expect("JSON").next().and_then(Result::err).expect("the failure");
    assert_eq!((error.line, error.is_fatal(), error.to_string().as_str()), (1, true, fatal));
    let unreadable = "f: cannot be read (connection reset); check its permissions and the disk";
    assert_eq!(read_on(b"id,body").expect_err("half a header").to_string(), unreadable);
    assert_eq!(read_on(b"").expect_err("nothing").to_string(), unreadable);
}

fn read_on(start: &'static [u8]) -> Result<Reader, OpenError> {
    Reader::from_read("f", start.chain(Broken))
}
