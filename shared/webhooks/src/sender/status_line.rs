use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Longest status line that is read. Those of real servers are below 100 bytes.
const LONGEST: usize = 8 * 1024;

/// Connection that parses the status line of HTTP/1.1 as its bytes pass, independently of the HTTP library.
pub(super) struct Watched<S> {
    stream: S,
    status: Status,
}

/// Status that was read so far. Clones belong to the same connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Status(Arc<Mutex<Reader>>);

/// Parser of a status line. It skips interim answers (RFC 9110 §15.2) with their heads.
#[derive(Debug, Default)]
struct Reader {
    line: Vec<u8>,
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before or within a status line.
    #[default]
    StatusLine,
    /// Within the header section of an interim answer.
    Interim,
    /// After the first status line that is not an interim answer's.
    Done(Option<u16>),
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S) -> (Self, Status) {
        let status = Status::default();
        let watched = Self {
            stream,
            status: status.clone(),
        };
        (watched, status)
    }
}

impl Status {
    /// Status of the final answer, if its status line was read to the end.
    pub(super) fn get(&self) -> Option<u16> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).state {
            State::Done(status) => status,
            State::StatusLine | State::Interim => None,
        }
    }

    fn read(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).read(bytes);
    }
}

impl Reader {
    fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if matches!(self.state, State::Done(_)) {
                return;
            }
            if *byte != b'\n' {
                // Of an interim answer's lines it only matters which one is empty.
                if self.line.len() < LONGEST {
                    self.line.push(*byte);
                } else if self.state == State::StatusLine {
                    self.state = State::Done(None);
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = line.strip_suffix(b"\r").unwrap_or(&line);
            self.state = match self.state {
                // An empty line in front is left over from something else (RFC 9112 §2.2).
                State::StatusLine | State::Interim if line.is_empty() => State::StatusLine,
                State::Interim => State::Interim,
                State::StatusLine => match status(line) {
                    // 101 ends HTTP on this connection.
                    Some(100 | 102..=199) => State::Interim,
                    final_status => State::Done(final_status),
                },
                done @ State::Done(_) => done,
            };
        }
    }
}

/// Parses a line such as `HTTP/1.1 200 OK`. The reason is optional, and any version is accepted. A status has three
/// digits, the first from 1 to 9.
fn status(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/")?;
    let space = rest.iter().position(|byte| *byte == b' ')?;
    let (version, rest) = (&rest[..space], &rest[space + 1..]);
    if version.is_empty() || !version.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') {
        return None;
    }
    let (digits, reason) = rest.split_first_chunk::<3>()?;
    if !digits.iter().all(u8::is_ascii_digit) || !matches!(reason.first(), None | Some(b' ' | b'\t')) {
        return None;
    }
    let status = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (100..=999).contains(&status).then_some(status)
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
        self.status.read(&buffer.filled()[before..]);
        Poll::Ready(outcome)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Checks that the result does not depend on how the bytes are split.
    fn read(bytes: &[u8]) -> Option<u16> {
        let at_once = Status::default();
        at_once.read(bytes);
        let one_by_one = Status::default();
        bytes.chunks(1).for_each(|byte| one_by_one.read(byte));
        assert_eq!(at_once.get(), one_by_one.get());
        at_once.get()
    }

    #[test]
    fn rest_of_the_head_does_not_matter() {
        for head in [
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.0 200\r\n",
            "HTTP/1.1 200 \n",
            "HTTP/2 200 OK\r\n",
            "\r\n\r\nHTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\0\u{1}\u{ff}: \r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n\r\nHTTP/1.1 200 OK\r\nHTTP/1.1 500 No\r\n",
        ] {
            assert_eq!(read(head.as_bytes()), Some(200), "{head:?}");
        }
        assert_eq!(read(b"HTTP/1.1 101 Switching Protocols\r\n"), Some(101));
        assert_eq!(read(b"HTTP/1.1 410 Gone\r\n"), Some(410));
    }

    #[test]
    fn incomplete_status_line_is_none() {
        for head in [
            "",
            "HTTP/1.1 200",
            "HTTP/1.1 200 OK",
            "HTTP/1.1 20\r\n",
            "HTTP/1.1 2000 OK\r\n",
            "HTTP/1.1 099 X\r\n",
            "HTTP/1.1  200 OK\r\n",
            "HTTP/ 200 OK\r\n",
            "HTTP/1.1 2x0 OK\r\n",
            "ICY 200 OK\r\n",
            "http/1.1 200 OK\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 100 Continue\r\nHTTP/1.1 200 OK\r\n",
            "SSH-2.0-OpenSSH_9.9\r\nHTTP/1.1 200 OK\r\n",
        ] {
            assert_eq!(read(head.as_bytes()), None, "{head:?}");
        }
        let long = format!("HTTP/1.1 200 {}\r\n", "x".repeat(LONGEST));
        assert_eq!(read(long.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_not_panic(bytes: Vec<u8>) {
            read(&bytes);
        }

        #[test]
        fn bytes_after_the_line_are_ignored(bytes: Vec<u8>) {
            prop_assert_eq!(read(&[b"HTTP/1.1 204 No Content\r\n", &bytes[..]].concat()), Some(204));
        }
    }
}
