//! `modstream breaker`.

use modstream_stub_server::FakeAws;

use crate::command::{Aws, Run};
use crate::table;

fn breaker(aws: &FakeAws, args: &[&str]) -> Run {
    Aws::at(&aws.url()).run(&[&["breaker"], args, &table::TABLE].concat())
}

#[test]
fn a_breaker_that_is_open_is_shown_and_closed_once() {
    let aws = table::services();
    assert_eq!(breaker(&aws, &["show"]).stdout, "no breaker opened today or yesterday\n");
    assert_eq!(breaker(&aws, &["close"]).stdout, "no breaker was open\n");
    table::breaker(&aws);
    let shown = breaker(&aws, &["show"]).stdout;
    assert!(shown.contains("130 of 400 comments alerted, 32.5 %  open until"), "{shown}");
    assert_eq!(breaker(&aws, &["close", "--json"]).done()["closed"], 1);
    let shown = breaker(&aws, &["show", "--json"]).done();
    assert_eq!((&shown["breakers"][0]["open"], shown["breakers"].as_array().map(Vec::len)), (&false.into(), Some(1)));
    assert_eq!(breaker(&aws, &["close", "--json"]).done()["closed"], 0);
}
