//! `modstream forget`.

use modstream_stub_server::{Answer, FakeAws};

use crate::command::Aws;

const FORGET: [&str; 6] = ["forget", "--author", "bob", "--bucket", "bucket", "--json"];

#[test]
fn without_a_terminal_it_removes_nothing_unless_that_is_said() {
    let aws = FakeAws::start_with(|request| {
        let is_list = request.target.contains("versions");
        is_list.then(|| {
            Answer::new(200, "<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>").into()
        })
    });
    let aws = aws.expect("a port");
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
