//! What the panic hook prints. It runs this test program again, so that its standard error can be read.

use std::process::Command;

#[test]
fn the_hook_prints_the_place_and_never_the_message() {
    if std::env::var_os("PANIC_NOW").is_some() {
        kinesis_batch::install_panic_hook();
        panic!("a secret");
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_hook_prints_the_place_and_never_the_message", "--nocapture"])
        .env("PANIC_NOW", "1")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    let line: serde_json::Value = text.lines().find_map(|line| serde_json::from_str(line).ok()).expect(&text);
    assert_eq!(line["level"], "ERROR");
    assert!(line["place"].as_str().unwrap().contains("panic_hook.rs:"), "{line}");
    assert!(!text.contains("secret"), "{text}");
}
