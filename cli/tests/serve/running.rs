//! Starting, ending, and what is said of a folder that can't be served.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;

use crate::oracle;
use crate::server::{NDJSON, SAMPLES, Server, beside, command, folder};

#[test]
fn one_serves_a_folder_and_the_other_is_told_who_does() {
    let folder = folder();
    let server = Server::start(folder.path());
    let data = folder.path().to_str().expect("text");
    let second = command(&["serve", "--data", data, "--listen", "127.0.0.1:0", "--json"]).output().expect("runs");
    let said = String::from_utf8_lossy(&second.stdout).into_owned();
    assert_eq!(second.status.code(), Some(1));
    assert!(said.contains("already") && said.contains(&server.id().to_string()), "{said}");
    // Its address is taken, too, before anything is made.
    let taken = command(&["serve", "--data", "/nowhere/at/all", "--listen", &server.listen]).output().expect("runs");
    let said = String::from_utf8_lossy(&taken.stderr).into_owned();
    assert!(taken.status.code() == Some(1) && said.contains("--listen"), "{said}");
    let id = server.id();
    assert!(server.end().success());
    let again = Server::start(folder.path());
    assert_ne!(again.id(), id);
}

#[test]
fn asked_to_end_it_answers_what_is_under_way_and_leaves_the_rest_for_the_next() {
    let folder = folder();
    let server = Server::start(folder.path());
    assert_eq!((server.get("/healthz").status, server.get("/readyz").status), (200, 200));
    server.send(SAMPLES);
    // A request is half there when the end is asked for.
    let mut connection = server.connect();
    let body = br#"{"id":"late","body":"one more"}"#;
    let head = format!(
        "POST /v1/comments HTTP/1.1\r\nhost: x\r\ncontent-type: {NDJSON}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(&body[..5])).expect("sent");
    // It is known to be there when another that came after it is answered.
    assert_eq!(server.get("/healthz").status, 200);
    let listen = server.listen.clone();
    let ended = std::thread::spawn(move || server.end());
    while TcpListener::bind(&listen).is_err() {
        std::thread::yield_now();
    }
    connection.write_all(&body[5..]).expect("sent");
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut connection, &mut answer).expect("text");
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert_eq!(ended.join().expect("ends").code(), Some(0));
    let held = oracle::read(folder.path());
    oracle::audit(&held);
    assert_eq!(held.comments.len(), 421);
}

#[test]
fn a_folder_that_cant_be_served_is_said_and_left_as_it_is() {
    let folder = folder();
    let serve = |data: &str| {
        let output = command(&["serve", "--data", data, "--listen", "127.0.0.1:0"]).output().expect("runs");
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let in_folder = |name: &str| folder.path().join(name);
    for (name, content, part) in [
        ("text", &b"no database, but long enough to look at\n".repeat(20)[..], "no data of modstream"),
        ("empty", b"", "is empty"),
    ] {
        fs::create_dir(in_folder(name)).expect("made");
        let file = in_folder(name).join("modstream.db");
        fs::write(&file, content).expect("writes");
        let said = serve(in_folder(name).to_str().expect("text"));
        assert!(said.contains(part) && said.contains("backup"), "{said}");
        assert_eq!(fs::read(&file).expect("reads"), content);
    }
    fs::write(in_folder("file"), "").expect("writes");
    let said = serve(in_folder("file").to_str().expect("text"));
    assert!(said.contains("can't be used"), "{said}");
    let nobody = beside(&in_folder("nothing"), &["tail", "alerts", "--json", "--until-idle"]);
    assert!(nobody.status == Some(1) && nobody.stderr.contains("modstream serve --data"), "{nobody:?}");
    assert!(!in_folder("nothing").exists(), "looking makes nothing");
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_grow_is_said_and_the_server_goes_on() {
    let folder = folder();
    let data = folder.path().join("data");
    // In KiB: the file itself fits, and some comments.
    let program = env!("CARGO_BIN_EXE_modstream");
    let script = format!("ulimit -f 6000; exec {program} serve --data {} --listen 127.0.0.1:0 --json", data.display());
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", &script]).env_clear().stdin(std::process::Stdio::null());
    let server = Server::started(&mut shell);
    let mut refused = None;
    for round in 0..40 {
        let body = String::from_utf8_lossy(SAMPLES).replace("\"id\":\"", &format!("\"id\":\"r{round}"));
        let answer = server.post("/v1/comments", NDJSON, body.as_bytes());
        if answer.status != 202 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("it fills");
    assert!(refused.status == 503 && refused.body.contains("limit on the size of files"), "{refused:?}");
    assert_eq!(server.get("/healthz").status, 200);
    server.kill();
    let again = Server::start(&data);
    again.send(SAMPLES);
    let comments = again.beside(&["tail", "comments", "--json", "--until-idle"]).lines();
    assert!(again.end().success());
    let held = oracle::read(&data);
    oracle::audit(&held);
    assert_eq!(held.comments.len(), comments.len());
}

#[test]
fn an_address_that_cant_be_listened_at_says_what_to_do() {
    for (address, status, part) in [
        ("localhost:8080", 2, "127.0.0.1:8080"),
        ("8080", 2, "127.0.0.1:8080"),
        ("192.0.2.1:0", 1, "none of this machine's addresses"),
    ] {
        let output = command(&["serve", "--data", "/nowhere/at/all", "--listen", address]).output().expect("runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(status) && said.contains(part), "{address}: {said}");
    }
}
