//! How AWS is reached, and what is said where it is not.

use modstream_stub_server::FakeAws;

use crate::command::Aws;

const LIST: [&str; 5] = ["model", "list", "--bucket", "bucket", "--json"];

#[test]
fn without_credentials_it_is_said_how_to_get_some() {
    let aws = FakeAws::start().expect("a port");
    let none = Aws::at(&aws.url()).without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    let error = none.run(&LIST).error();
    for part in ["no AWS credentials", "--profile", "aws sso login", "AWS_ACCESS_KEY_ID=test"] {
        assert!(error.contains(part), "{part} is missing in {error}");
    }
    assert!(aws.requests().is_empty());
}

#[test]
fn a_profile_that_is_named_comes_before_the_environment() {
    let aws = FakeAws::start().expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join(".aws")).expect("made");
    let config = "[profile ours]\ncredential_process = printf '{\"Version\":1,\"AccessKeyId\":\"FROMPROFILE\",\"SecretAccessKey\":\"x\"}'\nregion = eu-west-1\n";
    std::fs::write(folder.path().join(".aws/config"), config).expect("written");
    let reach = Aws::at(&aws.url()).without("AWS_REGION").with("PATH", "/usr/bin:/bin");
    let run = reach.run_in(folder.path(), &[&LIST[..], &["--profile", "ours"]].concat(), b"");
    run.done();
    let signed = aws.requests()[0].header("authorization").expect("signed").to_owned();
    assert!(signed.contains("Credential=FROMPROFILE/") && signed.contains("/eu-west-1/"), "{signed}");
    let error = reach.run_in(folder.path(), &[&LIST[..], &["--profile", "theirs"]].concat(), b"").error();
    assert!(error.contains("the profile theirs") && error.contains("aws sso login --profile theirs"), "{error}");
}

#[test]
fn without_a_region_it_is_said_where_it_can_stand() {
    let aws = FakeAws::start().expect("a port");
    let nowhere = || Aws::at(&aws.url()).without("AWS_REGION");
    let error = nowhere().run(&LIST).error();
    for part in ["AWS_REGION", "--region", SETUP] {
        assert!(error.contains(part), "{part} is missing in {error}");
    }
    nowhere().run(&[&LIST[..], &["--region", "eu-west-1"]].concat()).done();
    let signed = aws.requests()[0].header("authorization").expect("signed").to_owned();
    assert!(signed.contains("/eu-west-1/"), "{signed}");
}

#[test]
fn the_address_on_the_command_line_comes_before_the_environments() {
    let aws = FakeAws::start().expect("a port");
    let reach = Aws::at("http://127.0.0.1:1");
    reach.run(&[&LIST[..], &["--endpoint-url", &aws.url()]].concat()).done();
    let error = reach.run(&LIST).error();
    assert!(error.contains("the bucket bucket can't be listed") && error.contains("refused"), "{error}");
    assert_eq!(error.matches("refused").count(), 1, "a cause is said once: {error}");
    let error = reach.run(&[&LIST[..], &["--endpoint-url", "127.0.0.1:4566"]].concat()).usage();
    assert!(error.contains("http://"), "{error}");
}

/// What sets up a shell for a system that Terraform has deployed.
const SETUP: &str = "eval \"$(terraform -chdir=infra output -raw environment)\"";

#[test]
fn a_fresh_shell_is_told_what_is_missing_and_the_line_that_sets_it_up() {
    let aws = FakeAws::start().expect("a port");
    let fresh = Aws::at(&aws.url());
    for (args, variables) in [
        (&["model", "list"][..], &["MODSTREAM_BUCKET"][..]),
        (&["send"], &["MODSTREAM_COMMENTS_STREAM"]),
        (&["tail", "predictions"], &["MODSTREAM_PREDICTIONS_STREAM"]),
        (&["tail", "alerts"], &["MODSTREAM_ALERTS_TOPIC_ARN"]),
        (&["decide", "a", "keep", "--moderator", "ana"], &["MODSTREAM_TABLE", "MODSTREAM_DECISIONS_STREAM"]),
        (&["desk-link", "--moderator", "ana"], &["MODSTREAM_DESK_URL", "MODSTREAM_LINK_KEY_SECRET"]),
        (
            &["redrive"],
            &["MODSTREAM_BUCKET", "MODSTREAM_TABLE", "MODSTREAM_COMMENTS_STREAM", "MODSTREAM_PREDICTIONS_STREAM"],
        ),
        (&["forget", "--author", "bob"], &["MODSTREAM_BUCKET", "MODSTREAM_TABLE"]),
        (&["breaker", "show"], &["MODSTREAM_TABLE"]),
        (&["breaker", "close"], &["MODSTREAM_TABLE"]),
        (&["decisions", "waiting"], &["MODSTREAM_TABLE"]),
        (&["probe", "--wait"], &["MODSTREAM_COMMENTS_STREAM", "MODSTREAM_ALERTS_TOPIC_ARN"]),
        (&["replay", "--from", "2h"], &["MODSTREAM_COMMENTS_STREAM"]),
        (&["subscribe", "--https", "https://example.org/alerts"], &["MODSTREAM_ALERTS_TOPIC_ARN"]),
    ] {
        let run = fresh.run(args);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""), "{args:?}: {run:?}");
        for part in variables.iter().chain([&SETUP]) {
            assert!(run.stderr.contains(part), "{args:?}: {part} is missing in {}", run.stderr);
        }
    }
    let error = fresh.run(&["model", "list", "--json"]).usage();
    assert!(error.contains("MODSTREAM_BUCKET") && error.contains(SETUP), "{error}");
    let other = fresh.run(&["decide", "a", "keep", "--table", "t", "--decisions-stream", "d"]);
    assert!(!other.stderr.contains("MODSTREAM_TABLE"), "what is given is not missing: {}", other.stderr);
    assert!(aws.requests().is_empty());
}
