//! `modstream breaker`.

use modstream_stub_server::FakeAws;
use serde_json::json;

use crate::command::{Aws, Run};

fn breaker(aws: &FakeAws, args: &[&str]) -> Run {
    Aws::at(&aws.url()).run(&[&["breaker"], args, &["--bucket", "bucket"]].concat())
}

#[test]
fn a_breaker_that_is_open_is_shown_and_closed_once() {
    let aws = FakeAws::start().expect("a port");
    assert_eq!(breaker(&aws, &["show"]).stdout, "no breaker opened today or yesterday\n");
    assert_eq!(breaker(&aws, &["close"]).stdout, "no breaker was open\n");
    let now = jiff::Timestamp::now();
    let day = now.strftime("%Y-%m-%d");
    let opened = json!({
        "time": now, "until": now + jiff::SignedDuration::from_mins(60), "max_share": 0.2, "window_minutes": 5, "alerts": 130,
        "predictions": 400,
    });
    aws.put("bucket", &format!("breakers/{day}/0000-_all/opened.json"), opened.to_string());
    let shown = breaker(&aws, &["show"]).stdout;
    assert!(shown.contains("130 of 400 comments alerted, 32.5 %  open until"), "{shown}");
    assert_eq!(breaker(&aws, &["close", "--json"]).done()["closed"], 1);
    let shown = breaker(&aws, &["show", "--json"]).done();
    assert_eq!((&shown["breakers"][0]["open"], shown["breakers"].as_array().map(Vec::len)), (&false.into(), Some(1)));
    assert_eq!(breaker(&aws, &["close", "--json"]).done()["closed"], 0);
}
