//! The socket of a connection, with its deadlines watched while it is read.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::rt::time::{Instant, Sleep, sleep_until};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::deadlines::{Expired, HEAD};
use super::{Deadlines, Socket};

const TIMED_OUT: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncache-control: no-store\r\n\
pragma: no-cache\r\ncontent-type: application/json\r\ncontent-length: 88\r\n\r\n\
{\"error\":\"invalid_request\",\"error_description\":\"The request head took too long to come\"}";

/// A socket that ends when its client takes too long.
pub(crate) struct WatchedStream {
    socket: Socket,
    deadlines: Rc<Deadlines>,
    /// Kept over all requests and moved only when it fires or must fire earlier, so that a request costs no timer.
    timer: Pin<Box<Sleep>>,
}

impl WatchedStream {
    pub(crate) fn new(socket: Socket) -> Self {
        let now = Instant::now();
        let deadlines = Rc::new(Deadlines::start(now));
        Self { socket, deadlines, timer: Box::pin(sleep_until(now + HEAD)) }
    }

    pub(crate) fn deadlines(&self) -> Rc<Deadlines> {
        Rc::clone(&self.deadlines)
    }

    /// Ready when the time is up; otherwise the task will be woken for the deadline.
    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<Expired> {
        loop {
            let until = self.deadlines.until().unwrap_or_else(|| Instant::now() + HEAD);
            if until < self.timer.deadline() || self.timer.is_elapsed() {
                self.timer.as_mut().reset(until);
            }
            ready!(self.timer.as_mut().poll(cx));
            if let Some(expired) = self.deadlines.expired(Instant::now()) {
                return Poll::Ready(expired);
            }
        }
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        if let Poll::Ready(result) = Pin::new(&mut this.socket).poll_read(cx, buffer) {
            if buffer.filled().len() > before {
                this.deadlines.bytes_came(Instant::now());
            }
            return Poll::Ready(result);
        }
        let expired = ready!(this.poll_expired(cx));
        if expired == Expired::Head {
            // Best effort: the socket takes these bytes at once or its client is not reading either.
            let _ = Pin::new(&mut this.socket).poll_write(cx, TIMED_OUT);
            this.deadlines.answered_late();
        }
        // No bytes and no error: the connection reads as ended, and the HTTP library closes it.
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeout_answer_states_its_length() {
        let text = std::str::from_utf8(TIMED_OUT).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
    }
}
