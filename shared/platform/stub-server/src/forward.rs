use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::http::{read_chunks, read_headers};
use crate::{Answer, Request};

/// The headers that belong to one connection, or follow from the body.
const HOP_BY_HOP: [&str; 5] = ["connection", "content-length", "expect", "host", "transfer-encoding"];

impl Request {
    /// Passes the request on to another server, and returns that server's answer: so a stub can be a proxy.
    ///
    /// # Errors
    /// An error where the server can't be reached, or ends in the middle of its answer.
    pub fn forward(&self, to: SocketAddr) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        let mut head = format!("{} {} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n", self.method, self.target);
        for (name, value) in self.headers.iter().filter(|(name, _)| !HOP_BY_HOP.contains(&name.as_str())) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        stream.write_all(head.as_bytes())?;
        stream.write_all(&self.body)?;
        answer(&mut BufReader::new(stream), &self.method)
    }
}

fn answer(from: &mut BufReader<TcpStream>, method: &str) -> io::Result<Answer> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let status = line.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    let status: u16 = status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no status line"))?;
    let headers = read_headers(from)?;
    let header = |name: &str| headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    let body = if method == "HEAD" || matches!(status, 204 | 304) {
        Vec::new()
    } else if header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        read_chunks(from)?
    } else if let Some(length) = header("content-length").and_then(|length| length.parse().ok()) {
        let mut body = vec![0; length];
        from.read_exact(&mut body)?;
        body
    } else {
        let mut body = Vec::new();
        from.read_to_end(&mut body)?;
        body
    };
    let kept = headers.into_iter().filter(|(name, _)| !HOP_BY_HOP.contains(&name.as_str()));
    Ok(kept.fold(Answer::new(status, body), |answer, (name, value)| answer.header(name, value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FakeAws, Reply, StubServer};
    use std::net::TcpListener;
    use std::thread;

    fn request(method: &str, target: &str, body: &[u8]) -> Request {
        let headers = vec![("x-kept".to_owned(), "1".to_owned()), ("connection".to_owned(), "keep-alive".to_owned())];
        Request { method: method.to_owned(), target: target.to_owned(), headers, body: body.to_vec() }
    }

    #[test]
    fn what_is_asked_through_a_proxy_is_done_and_answered_as_without_it() {
        let aws = FakeAws::start().expect("a free port");
        let to = aws.url().trim_start_matches("http://").parse().expect("an address");
        let proxy = StubServer::unrecorded(move |request| request.forward(to).map_or(Reply::HangUp, Into::into));
        let proxy = proxy.expect("a free port");
        let put = request("PUT", "/bucket/a%20b?x=1", b"content").forward(proxy.address()).expect("an answer");
        assert_eq!(put.status(), 200);
        let seen = &aws.requests()[0];
        assert_eq!(
            (seen.target.as_str(), seen.header("x-kept"), seen.header("connection")),
            ("/bucket/a%20b?x=1", Some("1"), Some("close"))
        );
        for (target, status, body) in [
            ("/bucket/a%20b", 200, "content"),
            ("/bucket/b", 404, "<Error><Code>NoSuchKey</Code><Message>There is none.</Message></Error>"),
        ] {
            let got = request("GET", target, b"").forward(proxy.address()).expect("an answer");
            assert_eq!((got.status(), got.body()), (status, body.as_bytes()));
        }
        assert_eq!(proxy.requests(), [], "none are kept");
    }

    #[test]
    fn a_body_in_chunks_or_up_to_the_end_is_read_whole_and_one_that_breaks_off_is_an_error() {
        for (said, body) in [
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", Some("abcde")),
            ("HTTP/1.1 200 OK\r\nX: y\r\n\r\nabcde", Some("abcde")),
            ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", Some("")),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", None),
            ("", None),
        ] {
            let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
            let to = listener.local_addr().expect("an address");
            let server = thread::spawn(move || {
                let (mut stream, _) = listener.accept().expect("a client");
                let mut head = BufReader::new(stream.try_clone().expect("a stream"));
                while head.by_ref().lines().next().expect("a line").is_ok_and(|line| !line.is_empty()) {}
                stream.write_all(said.as_bytes()).expect("written");
            });
            let answer = request("GET", "/", b"").forward(to);
            assert_eq!(answer.ok().map(|answer| answer.body().to_vec()).as_deref(), body.map(str::as_bytes), "{said}");
            server.join().expect("ends");
        }
    }
}
