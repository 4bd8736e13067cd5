//! [Server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html), as far as Mastodon writes them.

/// The most bytes of an event; of a longer one nothing is kept.
pub const MAX_EVENT_BYTES: usize = 1 << 20;

/// A message of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// An event, with its name and its data.
    Event {
        /// The name; empty where none is said.
        name: String,
        /// The data.
        data: String,
    },
    /// An event that is longer than [`MAX_EVENT_BYTES`].
    TooLarge,
}

/// Reads messages out of the bytes of a stream, however these are cut.
#[derive(Debug, Default)]
pub struct Reader {
    /// The line so far, but for what goes beyond the limit.
    line: Vec<u8>,
    /// Whether the line has any byte.
    is_begun: bool,
    /// Whether the last byte was a carriage return: a line feed behind it ends no other line.
    is_after_return: bool,
    event: Event,
}

/// The event so far.
#[derive(Debug, Default)]
struct Event {
    name: String,
    data: Option<String>,
    is_too_large: bool,
}

impl Reader {
    /// Reads on, and returns the messages that are whole now.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<Message> {
        let mut messages = Vec::new();
        for &byte in bytes {
            let is_after_return = std::mem::replace(&mut self.is_after_return, byte == b'\r');
            match byte {
                b'\n' if is_after_return => {}
                b'\n' | b'\r' => messages.extend(self.end_line()),
                _ => {
                    self.is_begun = true;
                    if self.line.len() + self.event.data.as_ref().map_or(0, String::len) < MAX_EVENT_BYTES {
                        self.line.push(byte);
                    } else {
                        self.event.is_too_large = true;
                    }
                }
            }
        }
        messages
    }

    /// Takes a line; a blank one ends the event.
    fn end_line(&mut self) -> Option<Message> {
        let line = std::mem::take(&mut self.line);
        if !std::mem::take(&mut self.is_begun) {
            let Event { name, data, is_too_large } = std::mem::take(&mut self.event);
            return if is_too_large { Some(Message::TooLarge) } else { data.map(|data| Message::Event { name, data }) };
        }
        if self.event.is_too_large {
            self.event.data = None;
            return None;
        }
        let line = String::from_utf8_lossy(&line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match (field, &mut self.event.data) {
            ("event", _) => value.clone_into(&mut self.event.name),
            ("data", Some(data)) => {
                data.push('\n');
                data.push_str(value);
            }
            ("data", none) => *none = Some(value.to_owned()),
            // A comment, which keeps the connection alive, or a field of no interest.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &str = ":)\n\nevent: update\ndata: {\"id\":\"1\"}\n\n:thump\n\r\nevent:delete\r\ndata:7\r\n\r\ndata: a\ndata: b\n\nevent: x\n\n";

    fn event(name: &str, data: &str) -> Message {
        Message::Event { name: name.to_owned(), data: data.to_owned() }
    }

    proptest! {
        #[test]
        fn however_the_bytes_are_cut_the_messages_are_the_same(cuts in prop::collection::vec(1_usize..9, 1..60)) {
            let (mut reader, mut messages, mut rest) = (Reader::default(), Vec::new(), STREAM.as_bytes());
            for cut in cuts.into_iter().chain([STREAM.len()]) {
                let (part, behind) = rest.split_at(cut.min(rest.len()));
                messages.extend(reader.read(part));
                rest = behind;
            }
            prop_assert_eq!(messages, vec![event("update", "{\"id\":\"1\"}"), event("delete", "7"), event("", "a\nb")]);
        }

        #[test]
        fn whatever_comes_is_read(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20)) {
            let mut reader = Reader::default();
            for part in parts {
                reader.read(&part);
            }
        }
    }

    #[test]
    fn an_event_beyond_the_limit_is_named_and_the_next_one_is_read() {
        let mut reader = Reader::default();
        for line in ["x".repeat(20 << 20), "x\ndata:".repeat(MAX_EVENT_BYTES)] {
            let mut messages = reader.read(b"event: update\ndata: ");
            messages.extend(reader.read(line.as_bytes()));
            assert!(reader.line.capacity() <= 2 * MAX_EVENT_BYTES);
            messages.extend(reader.read(b"\n\nevent: delete\ndata: 7\n\n"));
            assert!(messages == [Message::TooLarge, event("delete", "7")], "{} messages", messages.len());
        }
    }
}
