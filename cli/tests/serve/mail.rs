//! Digests by email, to a server that is there only for the test.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::server::{Server, TIMEOUT, folder};

/// A mail server that refuses the first email for the moment, whoever's name is `nobody` for good, and takes the others. Gives to
/// whom each went, and what it said.
fn mail_server() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("smtp://{}", listener.local_addr().expect("an address"));
    let (taken, emails) = channel();
    std::thread::spawn(move || {
        let mut refusals = 1;
        for connection in listener.incoming().flatten() {
            if converse(connection, &mut refusals, &taken).is_none() {
                return;
            }
        }
    });
    (url, emails)
}

fn converse(connection: TcpStream, refusals: &mut u32, taken: &Sender<String>) -> Option<()> {
    let mut answers = connection.try_clone().ok()?;
    let mut lines = BufReader::new(connection).lines().map_while(Result::ok);
    answers.write_all(b"220 here\r\n").ok()?;
    let mut recipients = String::new();
    while let Some(line) = lines.next() {
        let answer = match line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "MAIL" if *refusals > 0 => {
                *refusals -= 1;
                "451 later"
            }
            "RCPT" if line.contains("<nobody@") => "550 no such user",
            "RCPT" => {
                recipients += &line;
                recipients.push('\n');
                "250 ok"
            }
            "DATA" => {
                answers.write_all(b"354 go on\r\n").ok()?;
                let email: Vec<String> = lines.by_ref().take_while(|line| line != ".").collect();
                taken.send(std::mem::take(&mut recipients) + &email.join("\n")).ok()?;
                "250 taken"
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        answers.write_all(format!("{answer}\r\n").as_bytes()).ok()?;
    }
    Some(())
}

/// Puts a digest into a folder's outbox.
fn digest(folder: &Path, id: &str) {
    let message = json!({ "id": id, "subject": "r/science: 1 alert", "body": format!("the digest {id}") });
    let file = rusqlite::Connection::open(folder.join("modstream.db")).expect("opens");
    let id: i64 =
        file.query_row("SELECT id FROM streams WHERE name = 'digests'", [], |row| row.get(0)).expect("is there");
    let sql = format!("INSERT INTO records_{id} (shard, arrived, key, data) VALUES (0, ?1, 'd', ?2)");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after").as_millis();
    let now = i64::try_from(now).expect("a time");
    file.execute(&sql, rusqlite::params![now, message.to_string().into_bytes()]).expect("writes");
}

#[test]
fn a_mail_server_that_hangs_keeps_nobody_from_ending_and_its_email_is_sent_by_the_next() {
    let folder = folder();
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("smtp://{}", silent.local_addr().expect("an address"));
    let server =
        Server::start_with(folder.path(), &["--smtp", &url, "--from", "mod@example.org", "--to", "ana@example.org"]);
    digest(folder.path(), "one");
    let _connection = silent.accept().expect("an email is on its way");
    let asked = Instant::now();
    assert!(server.end().success());
    assert!(asked.elapsed() < Duration::from_secs(25), "{:?}", asked.elapsed());
    let (url, emails) = mail_server();
    let server =
        Server::start_with(folder.path(), &["--smtp", &url, "--from", "mod@example.org", "--to", "ana@example.org"]);
    assert!(emails.recv_timeout(TIMEOUT).expect("an email").contains("the digest one"));
    assert!(server.end().success());
}

#[test]
fn a_digest_in_the_outbox_goes_out_once_and_what_was_there_before_there_was_an_address_does_not() {
    let folder = folder();
    let digest = |id: &str| digest(folder.path(), id);
    drop(Server::start(folder.path()));
    digest("old");
    let (url, emails) = mail_server();
    let mail = ["--smtp", &url, "--from", "modstream <mod@example.org>", "--to", "ana@example.org,ben@example.org"];
    let server = Server::start_with(folder.path(), &mail);
    digest("one");
    let one = emails.recv_timeout(TIMEOUT).expect("an email");
    // The first was refused for the moment, so it comes after the other.
    let other = emails.recv_timeout(TIMEOUT).expect("another email");
    for (email, to) in [(one, "RCPT TO:<ben@example.org>"), (other, "RCPT TO:<ana@example.org>")] {
        for part in [
            to,
            "Subject: r/science: 1 alert",
            "Message-ID: <one@example.org>",
            "To: ana@example.org, ben@example.org",
            "the digest one",
        ] {
            assert!(email.contains(part), "{part} is missing in\n{email}");
        }
        assert_eq!(email.matches("RCPT").count(), 1, "{email}");
    }
    assert!(server.get("/metrics").body.contains("modstream_errors_total{what=\"email\"} 1"));
    assert!(server.end().success());
    let server = Server::start_with(folder.path(), &mail);
    digest("two");
    assert!(emails.recv_timeout(TIMEOUT).expect("an email").contains("the digest two"), "and not one again");
    assert!(server.end().success());
}

#[test]
fn a_recipient_whom_the_server_refuses_keeps_no_email_from_others_and_from_those_that_follow() {
    let folder = folder();
    let (url, emails) = mail_server();
    let to = "nobody@example.org,ana@example.org";
    let server = Server::start_with(folder.path(), &["--smtp", &url, "--from", "mod@example.org", "--to", to]);
    for id in ["one", "two"] {
        digest(folder.path(), id);
        let email = emails.recv_timeout(TIMEOUT).expect("an email");
        assert!(email.contains(&format!("the digest {id}")) && email.contains("RCPT TO:<ana@"), "{email}");
    }
    let errors = |page: &str| page.contains("modstream_errors_total{what=\"email\"} 3");
    assert!(errors(&server.get("/metrics").body), "once for the moment, twice for good");
    assert!(server.end().success());
}

#[test]
fn an_address_that_is_none_is_refused_and_the_password_is_not_said() {
    let folder = folder();
    let data = folder.path().to_str().expect("text");
    for args in [
        &["--smtp", "ftp://user:secret@host", "--from", "a@example.org", "--to", "b@example.org"][..],
        &["--smtp", "smtp://host"],
        &["--smtp", "smtp://host", "--from", "nobody", "--to", "b@example.org"],
    ] {
        let all: Vec<&str> =
            ["serve", "--data", data, "--listen", "127.0.0.1:0", "--json"].iter().chain(args).copied().collect();
        let output = crate::server::command(&all).output().expect("runs");
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("error") && !said.contains("secret"), "{said}");
    }
}
