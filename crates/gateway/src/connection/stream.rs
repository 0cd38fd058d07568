//! The socket of a connection, with its deadlines, the size of its heads and its slot checked while it is
//! read. It answers requests that the HTTP library need not see: a head that is late or too large, and a
//! token request over the capacity of the worker.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_web::http::StatusCode;
use actix_web::rt::time::{Instant, Sleep, sleep_until};
use protocol::ClientCertificate;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::admission::{Admission, AdmissionVerdict, Ticket, WaitOutcome, is_token_request};
use super::deadlines::{Expired, HEAD};
use super::framing::Framing;
use super::socket::is_stalled;
use super::{ConnectionSlot, Deadlines, EarlyAnswers, Socket};

/// The bytes that are still read from a client whose head was too large, so that it sees the response and not
/// a reset connection.
const DISCARDED: usize = 1024 * 1024;

/// A socket that ends when its client takes too long or sends too much.
pub(crate) struct WatchedStream {
    socket: Socket,
    deadlines: Rc<Deadlines>,
    framing: Framing,
    slot: ConnectionSlot,
    admission: Admission,
    answers: Rc<EarlyAnswers>,
    /// A token request that waits for its turn.
    held: Option<HeldSocket>,
    /// The HTTP library has written something and not flushed it yet.
    is_writing: bool,
    /// A head was too large; how much of it may still be discarded.
    discards: Option<usize>,
    /// The certificate that the client has presented in the handshake.
    certificate: Option<Arc<ClientCertificate>>,
    /// The timer serves all requests of the connection. It moves only when it fires or must fire earlier, so
    /// that a request costs no timer.
    timer: Pin<Box<Sleep>>,
}

struct HeldSocket {
    request: Vec<u8>,
    ticket: Ticket,
}

/// The use of bytes that arrived.
enum Taken {
    /// This number of bytes goes to the HTTP library.
    Passes(usize),
    Waits(Ticket),
    Refused,
}

impl WatchedStream {
    pub(crate) fn new(
        socket: Socket,
        certificate: Option<Arc<ClientCertificate>>,
        slot: ConnectionSlot,
        admission: Admission,
        answers: Rc<EarlyAnswers>,
    ) -> Self {
        let now = Instant::now();
        let deadlines = Rc::new(Deadlines::start(now));
        let timer = Box::pin(sleep_until(now + HEAD));
        let framing = Framing::new();
        Self {
            socket,
            deadlines,
            framing,
            slot,
            admission,
            answers,
            held: None,
            is_writing: false,
            discards: None,
            certificate,
            timer,
        }
    }
    pub(crate) fn client_certificate(&self) -> Option<Arc<ClientCertificate>> {
        self.certificate.clone()
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

    /// Bytes came.
    fn take(&mut self, bytes: &[u8]) -> Taken {
        let now = Instant::now();
        let is_open = self.admission.is_open(now);
        let request = if is_open { None } else { self.number_of_next_request() };
        self.deadlines.bytes_came(now);
        let fed = self.framing.feed(bytes);
        if self.framing.requests() > 0 {
            self.slot.protect();
        }
        match fed {
            Ok(())
                if request.is_some()
                    && self.framing.between_requests() == request
                    && is_token_request(bytes) =>
            {
                match self.admission.admit(bytes, self.slot.source(), now) {
                    AdmissionVerdict::Waits(ticket) => Taken::Waits(ticket),
                    AdmissionVerdict::Refused => Taken::Refused,
                }
            }
            Ok(()) => Taken::Passes(bytes.len()),
            Err(too_large) => {
                self.discards = Some(DISCARDED);
                Taken::Passes(too_large.keep)
            }
        }
    }

    /// None while a request arrives or is answered.
    fn number_of_next_request(&self) -> Option<u64> {
        let complete = self.framing.between_requests()?;
        (complete == self.deadlines.ended() && !self.is_writing).then_some(complete + 1)
    }

    /// Answers a token request in place of the HTTP library; false if the connection must end.
    fn refuse_token(&mut self, cx: &mut Context<'_>) -> bool {
        let written = Pin::new(&mut self.socket).poll_write(cx, &self.answers.overloaded);
        let flushed = Pin::new(&mut self.socket).poll_flush(cx);
        self.deadlines.request_began(false);
        self.deadlines.request_ended(Instant::now());
        let is_whole = matches!(written, Poll::Ready(Ok(count)) if count == self.answers.overloaded.len());
        is_whole && matches!(flushed, Poll::Ready(Ok(()))) && !self.framing.closes()
    }

    /// Handles the end of the client's bytes. The client waits for its responses or has hung up, and nothing
    /// distinguishes the two before a response is written. So the HTTP library learns of the end after the
    /// responses. If a request needs its client, it learns of the end at once.
    fn poll_end(&mut self, cx: &mut Context<'_>, end: io::Result<()>) -> Poll<io::Result<()>> {
        let is_served = self.framing.requests() > self.deadlines.ended();
        if end.is_err() || !is_served {
            return Poll::Ready(end);
        }
        if self.deadlines.needs_client() {
            // The library continues after a reset of a connection that has just sent something.
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        self.deadlines.wake_at_end(cx.waker());
        Poll::Pending
    }

    /// Passes on a request whose turn has come, or refuses it after all. Returns false if the connection must
    /// end.
    fn poll_held(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<bool> {
        let Some(held) = &mut self.held else { return Poll::Ready(true) };
        if ready!(held.ticket.poll_outcome(cx)) == WaitOutcome::Refused {
            self.held = None;
            return Poll::Ready(self.refuse_token(cx));
        }
        let passed = held.request.len().min(buffer.remaining());
        buffer.put_slice(&held.request[..passed]);
        held.request.drain(..passed);
        if held.request.is_empty() {
            self.held = None;
        }
        Poll::Ready(true)
    }

    /// Answers a head that is too large, after the requests before it are answered, and ends the connection
    /// when its client has seen that. A read without bytes and without an error means the end of a
    /// connection.
    fn poll_refuse(&mut self, cx: &mut Context<'_>, mut left: usize) -> Poll<io::Result<()>> {
        if self.deadlines.refused().is_none() {
            if self.deadlines.ended() < self.framing.heads() {
                self.deadlines.wake_at_end(cx.waker());
                return Poll::Pending;
            }
            self.answer(cx, |answers| &answers.too_large);
            self.deadlines.refuse(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, Instant::now());
            let _ = Pin::new(&mut self.socket).poll_shutdown(cx);
        }
        let mut scrap = [0; 4096];
        while left > 0 {
            let mut buffer = ReadBuf::new(&mut scrap);
            match Pin::new(&mut self.socket).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    left = left.saturating_sub(buffer.filled().len());
                    self.discards = Some(left);
                }
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return self.poll_expired(cx).map(|_| Ok(())),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Best effort: the socket takes these bytes at once or its client is not reading either.
    fn answer(&mut self, cx: &mut Context<'_>, answer: impl Fn(&EarlyAnswers) -> &[u8]) {
        if !is_stalled(&self.socket) {
            let _ = Pin::new(&mut self.socket).poll_write(cx, answer(&self.answers));
            let _ = Pin::new(&mut self.socket).poll_flush(cx);
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
        if let Some(left) = this.discards {
            return this.poll_refuse(cx, left);
        }
        let before = buffer.filled().len();
        if !ready!(this.poll_held(cx, buffer)) || buffer.filled().len() > before {
            return Poll::Ready(Ok(()));
        }
        while let Poll::Ready(result) = Pin::new(&mut this.socket).poll_read(cx, buffer) {
            if buffer.filled().len() == before {
                return this.poll_end(cx, result);
            }
            match this.take(&buffer.filled()[before..]) {
                Taken::Passes(count) => {
                    buffer.set_filled(before + count);
                    return match this.discards {
                        Some(left) if count == 0 => this.poll_refuse(cx, left),
                        _ => Poll::Ready(result),
                    };
                }
                Taken::Waits(ticket) => {
                    this.held = Some(HeldSocket { request: buffer.filled()[before..].to_vec(), ticket });
                    buffer.set_filled(before);
                    return this.poll_held(cx, buffer).map(|_| Ok(()));
                }
                Taken::Refused => {
                    buffer.set_filled(before);
                    if !this.refuse_token(cx) {
                        return Poll::Ready(Ok(()));
                    }
                }
            }
        }
        if this.slot.poll_evicted(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let expired = ready!(this.poll_expired(cx));
        if expired == Expired::Head {
            this.answer(cx, |answers| &answers.timed_out);
            this.deadlines.answered_late();
        }
        // No bytes and no error: the connection reads as ended, and the HTTP library closes it.
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.is_writing = true;
        Pin::new(&mut this.socket).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = ready!(Pin::new(&mut this.socket).poll_flush(cx));
        this.is_writing = false;
        Poll::Ready(flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.is_writing = true;
        Pin::new(&mut this.socket).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}
