use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A request, as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method, such as `GET`.
    pub method: String,
    /// The path and query, still percent-encoded.
    pub target: String,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header, whose name is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The operation of AWS that it asks for, such as `PutRecords`: by its header, its form, or of S3 by its method.
    pub fn operation(&self) -> String {
        if let Some(target) = self.header("x-amz-target") {
            return target.rsplit('.').next().unwrap_or_default().to_owned();
        }
        let text = self.text();
        let action = text.split('&').find_map(|field| field.strip_prefix("Action="));
        action.map_or_else(
            || match self.method.as_str() {
                "GET" if self.target.contains("list-type=2") => "ListObjectsV2".to_owned(),
                "GET" => "GetObject".to_owned(),
                "PUT" => "PutObject".to_owned(),
                method => method.to_owned(),
            },
            str::to_owned,
        )
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    headers: Vec<(Cow<'static, str>, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// Makes an answer with this status, this body and its length.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Answer { status, headers: Vec::new(), body: body.into() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The answer's status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The answer's body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Replaces the body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// What a server does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The server answers.
    Answer(Answer),
    /// The server announces the whole body, sends half, and closes the connection.
    BreakOff(Answer),
    /// The server announces the whole body, sends half, and then nothing.
    Stall(Answer),
    /// The server closes the connection without an answer.
    HangUp,
    /// The server never answers. The connection stays open until the client closes it.
    Silence,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Reply::Answer(answer)
    }
}

/// Reads the next request of a connection; none where the client closed it.
pub(crate) fn read(from: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no request line"));
    };
    let (method, target) = (method.to_owned(), target.to_owned());
    let mut request = Request { method, target, headers: read_headers(from)?, body: Vec::new() };
    if request.header("expect").is_some() {
        from.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    request.body = if request.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        read_chunks(from)?
    } else {
        let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        from.read_exact(&mut body)?;
        body
    };
    Ok(Some(request))
}

/// The headers, with names in lower case.
pub(crate) fn read_headers(from: &mut BufReader<TcpStream>) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { return Ok(headers) };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

pub(crate) fn read_chunks(from: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim(), 16)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "no chunk length"))?;
        // A line end follows every chunk, the last, empty one too.
        let mut chunk = vec![0; length + 2];
        from.read_exact(&mut chunk)?;
        if length == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&chunk[..length]);
    }
}

/// Does what the reply says. Returns false where the connection is at its end.
pub(crate) fn write(to: &mut TcpStream, reply: &Reply) -> io::Result<bool> {
    match reply {
        Reply::Answer(answer) => {
            to.write_all(&head(answer))?;
            to.write_all(&answer.body)?;
            Ok(true)
        }
        Reply::BreakOff(answer) => {
            write_half(to, answer)?;
            Ok(false)
        }
        Reply::Stall(answer) => {
            write_half(to, answer)?;
            wait_for_the_client(to)
        }
        Reply::HangUp => Ok(false),
        Reply::Silence => wait_for_the_client(to),
    }
}

fn write_half(to: &mut TcpStream, answer: &Answer) -> io::Result<()> {
    to.write_all(&head(answer))?;
    to.write_all(&answer.body[..answer.body.len() / 2])
}

/// Returns when the client has closed the connection.
fn wait_for_the_client(to: &mut TcpStream) -> io::Result<bool> {
    io::copy(to, &mut io::sink())?;
    Ok(false)
}

fn head(answer: &Answer) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} Stub\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", answer.body.len()));
    head.into_bytes()
}
