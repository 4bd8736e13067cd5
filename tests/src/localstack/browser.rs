//! What a browser does with a function's URL, without one.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

const FORM: &str = "application/x-www-form-urlencoded";

/// A browser that keeps one cookie.
#[derive(Debug, Default)]
pub struct Browser {
    cookie: String,
}

/// A page, or where to go on.
#[derive(Clone, Debug)]
pub struct Page {
    /// The status.
    pub status: u16,
    /// Where to go on: a path.
    pub location: Option<String>,
    /// The page.
    pub body: String,
}

impl Browser {
    /// Opens a link.
    pub fn open(&mut self, url: &str) -> Page {
        self.ask("GET", url, FORM, "")
    }

    /// Sends a form.
    pub fn send(&mut self, url: &str, form: &str) -> Page {
        self.ask("POST", url, FORM, form)
    }

    /// Sends JSON, as a forum does.
    pub fn send_json(&mut self, url: &str, json: &str) -> Page {
        self.ask("POST", url, "application/json", json)
    }

    /// Names that end in `localhost` are this machine, as browsers have it.
    fn ask(&mut self, method: &str, url: &str, kind: &str, body: &str) -> Page {
        let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("a URL");
        let (name, port) = host.rsplit_once(':').expect("a port");
        assert!(name.ends_with(".localhost"), "{url}");
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).expect("the stack listens");
        let request = format!(
            "{method} /{path} HTTP/1.1\r\nhost: {host}\r\ncookie: {}\r\nconnection: close\r\n\
             content-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            self.cookie,
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let header = |wanted: &str| {
            head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case(wanted).then(|| value.to_owned())
            })
        };
        if let Some(cookie) = header("set-cookie") {
            self.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        }
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Page { status, location: header("location"), body: body.to_owned() }
    }
}

impl Page {
    /// The value of a field of the page's first form that has it.
    pub fn field(&self, name: &str) -> String {
        let rest = self.body.split(&format!("name=\"{name}\" value=\"")).nth(1);
        let value = rest.and_then(|rest| rest.split('"').next());
        value.unwrap_or_else(|| panic!("no {name} in {}", self.body)).to_owned()
    }
}
