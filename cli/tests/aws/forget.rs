//! `modstream forget`.

use jiff::Timestamp;
use modstream_stub_server::{Answer, Request};

use crate::command::Aws;
use crate::{table, waiting};

const FORGET: [&str; 8] = ["forget", "--author", "bob", "--bucket", "bucket", "--table", table::STATE, "--json"];

#[test]
fn without_a_terminal_it_removes_nothing_unless_that_is_said() {
    let aws = table::services_with(|request| {
        let is_list = request.target.contains("versions");
        is_list.then(|| {
            Answer::new(200, "<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>").into()
        })
    });
    let refused = Aws::at(&aws.url()).run_with(&FORGET, b"y\n").usage();
    for part in ["nothing was removed", "the author bob", "--yes", "--dry-run"] {
        assert!(refused.contains(part), "{part} is missing in {refused}");
    }
    assert!(aws.requests().is_empty(), "nothing was asked of AWS");
    for more in ["--yes", "--dry-run"] {
        let error = Aws::at(&aws.url()).run(&[&FORGET[..], &[more]].concat()).error();
        assert!(error.contains("nothing of the author bob was found"), "{more}: {error}");
    }
    assert!(!aws.requests().is_empty());
}

#[test]
fn it_says_until_when_the_table_can_be_restored_with_what_was_removed() {
    let is_list = |request: &Request| request.target.contains("versions");
    let none = "<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>";
    let recovery = r#"{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED","PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"ENABLED","RecoveryPeriodInDays":7}}}"#;
    let denied = r#"{"__type":"AccessDeniedException","message":"not authorized"}"#;
    for (status, body) in [(200, recovery), (400, denied)] {
        let aws = table::services_with(move |request| {
            let asks = request.header("x-amz-target").is_some_and(|it| it.ends_with(".DescribeContinuousBackups"));
            let answer = || Answer::new(status, body).header("Content-Type", "application/x-amz-json-1.0").into();
            if asks { Some(answer()) } else { is_list(request).then(|| Answer::new(200, none).into()) }
        });
        let before = Timestamp::now();
        waiting::alert(&aws, 0);
        let run = Aws::at(&aws.url()).run(&[&FORGET[..], &["--yes"]].concat());
        if status == 200 {
            let until: Timestamp =
                run.done()["table_restorable_until"].as_str().and_then(|it| it.parse().ok()).expect("a time");
            assert_eq!(until.duration_since(before).as_hours(), 7 * 24);
        } else {
            let error = run.error();
            assert!(error.contains("restored can't be read") && error.contains("not authorized"), "{error}");
            assert!(!aws.requests().iter().any(is_list), "nothing is removed before that is known");
        }
    }
}

#[test]
fn an_error_says_where_to_go_on_from_and_that_is_taken() {
    let version = |key: &str| {
        format!(
            "<Version><Key>{key}</Key><VersionId>1</VersionId><IsLatest>true</IsLatest><ETag>\"t\"</ETag></Version>"
        )
    };
    let page =
        |entries: &str| format!("<ListVersionsResult><IsTruncated>false</IsTruncated>{entries}</ListVersionsResult>");
    let (archive, none) = (page(&[version("archive/a"), version("archive/b")].concat()), page(""));
    let aws = table::services_with(move |request| {
        let target = &request.target;
        if target.contains("versions") {
            return Some(Answer::new(200, if target.contains("archive") { &*archive } else { &none }).into());
        }
        let content = || Answer::new(200, "of another form").header("ETag", "\"t\"");
        let denied = || Answer::new(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>");
        target.contains("versionId").then(|| if target.contains("archive/a") { content() } else { denied() }.into())
    });
    let error = Aws::at(&aws.url()).run(&[&FORGET[..], &["--yes"]].concat()).error();
    assert!(error.contains("archive/b: ") && error.ends_with("say --from 'archive/a'"), "{error}");
    Aws::at(&aws.url()).run(&[&FORGET[..], &["--yes", "--from", "archive/a"]].concat()).error();
    let markers = aws.requests().iter().filter(|request| request.target.contains("key-marker=archive%2Fa")).count();
    assert_eq!(markers, 1, "it goes on behind the key");
    let wrong = Aws::at(&aws.url()).run(&[&FORGET[..], &["--yes", "--from", "models/a"]].concat()).usage();
    assert!(wrong.contains("as the error of the run before says it"), "{wrong}");
}
