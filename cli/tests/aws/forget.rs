//! `modstream forget`.

use modstream_stub_server::Answer;

use crate::command::Aws;
use crate::table;

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
