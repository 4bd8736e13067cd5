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
    assert!(error.contains("AWS_REGION") && error.contains("--region"), "{error}");
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
    let error = reach.run(&[&LIST[..], &["--endpoint-url", "127.0.0.1:4566"]].concat()).error();
    assert!(error.contains("http://"), "{error}");
}
