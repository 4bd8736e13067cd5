//! `modstream desk`, by HTTP as a browser talks to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// The command at work; ended with the test.
struct Desk {
    child: Child,
    host: String,
    /// Of ana, of ben.
    sign_in: [String; 2],
    alert: String,
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Answer {
    head: String,
    body: String,
}

impl Answer {
    fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Desk {
    fn start() -> Self {
        let args = ["desk", "--port", "0", "--link-only", "--moderator", "ana", "--moderator", "ben"];
        let mut child = Command::new(env!("CARGO_BIN_EXE_modstream"))
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut link = || lines.next().expect("a line").expect("text");
        let links = [link(), link(), link()];
        let (host, _) = links[0].trim_start_matches("http://").split_once('/').expect("a path");
        let host = host.to_owned();
        let [ana, ben, alert] = links.each_ref().map(|link| link.replacen(&format!("http://{host}"), "", 1));
        Desk { child, host, sign_in: [ana, ben], alert }
    }

    fn ask(&self, method: &str, path: &str, cookie: &str, body: &str) -> Answer {
        self.ask_as(&self.host, method, path, cookie, body)
    }

    fn ask_as(&self, host: &str, method: &str, path: &str, cookie: &str, body: &str) -> Answer {
        let mut connection = TcpStream::connect(&self.host).expect("connects");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        // A server that has seen enough closes while we still write.
        let _ = connection.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = connection.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        Answer { head: head.to_owned(), body: body.to_owned() }
    }

    /// Signs in, and gives the session's cookie.
    fn sign_in(&self, who: usize) -> String {
        let answer = self.ask("POST", &self.sign_in[who], "", "");
        assert_eq!(answer.status(), "303", "{}", answer.body);
        answer.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a cookie").to_owned()
    }
}

/// The first form of a page that decides, with another action.
fn form(page: &str, action: &str) -> String {
    let field = |name: &str| {
        let rest =
            page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_else(|| panic!("no {name} in {page}"));
        rest.split('"').next().expect("a value").to_owned()
    };
    let [comment, id, after, token] = ["comment", "id", "after", "token"].map(field);
    let back = if page.contains("name=\"page\"") { "&page=alert" } else { "" };
    format!("comment={comment}&id={id}&after={after}&token={token}&action={action}{back}")
}

#[test]
fn two_moderators_sign_in_decide_undo_and_see_each_other() {
    let desk = Desk::start();
    assert_eq!(desk.ask("GET", "/", "", "").status(), "401");
    // Looking at the link does not use it.
    assert_eq!(desk.ask("GET", &desk.sign_in[0], "", "").status(), "200");
    let (ana, ben) = (desk.sign_in(0), desk.sign_in(1));
    let reused = desk.ask("POST", &desk.sign_in[0], "", "");
    assert_eq!((reused.status(), reused.header("set-cookie")), ("403", None));

    // Both have the same page open; ana is first.
    let (anas, bens) = (desk.ask("GET", "/", &ana, "").body, desk.ask("GET", "/", &ben, "").body);
    let decided = desk.ask("POST", "/decide", &ana, &form(&anas, "remove"));
    assert_eq!(decided.status(), "303", "{}", decided.body);
    let late = desk.ask("POST", "/decide", &ben, &form(&bens, "keep"));
    assert_eq!(late.status(), "409");
    assert!(late.body.contains("Nothing was changed") && late.body.contains(">ana</bdi>"), "{}", late.body);
    // Ana's form is not ben's.
    assert_eq!(desk.ask("POST", "/decide", &ben, &form(&anas, "keep")).status(), "403");

    let undone = desk.ask("POST", "/decide", &ben, &form(&late.body, "undo"));
    let page = desk.ask("GET", undone.header("location").expect("on"), &ben, "");
    assert!(page.body.contains("Should this comment stay?") && page.body.contains("What happened"), "{}", page.body);
    let again = desk.ask("POST", "/decide", &ben, &form(&page.body, "keep"));
    assert_eq!(again.status(), "303");
    let seen = desk.ask("GET", again.header("location").expect("on"), &ana, "");
    assert!(seen.body.contains("Decided: keep") && seen.body.contains(">ben</bdi>"), "{}", seen.body);
}

#[test]
fn a_link_decides_only_where_it_is_whole_and_for_this_host() {
    let desk = Desk::start();
    let page = desk.ask("GET", &desk.alert, "", "");
    assert_eq!((page.status(), page.body.contains("Should this comment stay?")), ("200", true));
    let (whole, last) = desk.alert.split_at(desk.alert.len() - 1);
    let forged = format!("{whole}{}", if last == "x" { "w" } else { "x" });
    let decide = "action=remove&moderator=ana&after=0";
    assert_eq!(desk.ask("POST", &forged, "", decide).status(), "403");
    assert_eq!(desk.ask("POST", &desk.alert, "", &"x".repeat(1 << 20)).status(), "413");
    // A page elsewhere whose name points here.
    assert_eq!(desk.ask_as("evil.example", "POST", &desk.alert, "", decide).status(), "421");
    assert!(desk.ask("GET", &desk.alert, "", "").body.contains("Should this comment stay?"));
    assert_eq!(desk.ask("POST", &desk.alert, "", decide).status(), "303");
    assert!(desk.ask("GET", &desk.alert, "", "").body.contains("Decided: remove"));
}
