//! `modstream function`.

use modstream_stub_server::{Answer, FakeAws};

use crate::command::{Aws, Run};

const CONFIGURATION: &str = r#"{"FunctionName":"modstream-score-comments",
    "FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:modstream-score-comments","Architectures":["arm64"],
    "CodeSha256":"c2hh","LastModified":"2026-01-05T10:00:00.000+0000","MemorySize":512,"Timeout":60}"#;

fn function(aws: &FakeAws, name: &str, args: &[&str]) -> Run {
    Aws::at(&aws.url()).run(&[&["function", name], args].concat())
}

#[test]
fn a_function_is_shown_as_it_is_deployed() {
    let aws = FakeAws::start_with(|request| {
        let path = "/2015-03-31/functions/modstream-score-comments/configuration";
        (request.method == "GET" && request.target == path).then(|| Answer::new(200, CONFIGURATION).into())
    });
    let aws = aws.expect("a port");
    let shown = function(&aws, "modstream-score-comments", &["--json"]).done();
    assert_eq!(
        shown,
        serde_json::json!({
            "name": "modstream-score-comments",
            "arn": "arn:aws:lambda:us-east-1:000000000000:function:modstream-score-comments",
            "architecture": "arm64",
            "code_sha256": "c2hh",
            "last_modified": "2026-01-05T10:00:00.000+0000",
            "memory_mb": 512,
            "timeout_seconds": 60,
        })
    );
    let text = function(&aws, "modstream-score-comments", &[]);
    assert!(text.stdout.contains("arm64, 512 MB, 60 s") && text.stdout.contains("SHA-256 c2hh"), "{text:?}");
    let signed = aws.requests()[0].header("authorization").expect("signed").to_owned();
    assert!(signed.contains("/us-east-1/lambda/aws4_request") && signed.contains("SignedHeaders=host;"), "{signed}");
}

#[test]
fn what_lambda_refuses_is_said_in_its_words() {
    let aws = FakeAws::start_with(|_| {
        let answer = Answer::new(404, r#"{"Type":"User","Message":"Function not found: it"}"#);
        Some(answer.header("x-amzn-errortype", "ResourceNotFoundException:http://internal").into())
    });
    let error = function(&aws.expect("a port"), "it", &["--json"]).error();
    for part in ["lambda", "GetFunctionConfiguration", "ResourceNotFoundException", "Function not found: it"] {
        assert!(error.contains(part), "{part} is missing in {error}");
    }
    let nowhere = Aws::at("http://127.0.0.1:1").run(&["function", "it", "--json"]).error();
    assert_eq!(nowhere.matches("refused").count(), 1, "{nowhere}");
}
