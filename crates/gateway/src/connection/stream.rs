//! The byte stream between socket and HTTP library. Checks deadlines, the size of heads and the
//! connection's slot while it reads. Answers heads that are late or too large, and token requests
//! over the worker's capacity, without the HTTP library.

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

/// Bytes to read from a client whose head was too large. Closing the socket with unread bytes would
/// reset the connection before the client reads the response.
const DISCARDED: usize = 1024 * 1024;

/// Closes the connection if the client takes too long or sends too much.
pub(crate) struct WatchedStream {
    socket: Socket,
    deadlines: Rc<Deadlines>,
    framing: Framing,
    slot: ConnectionSlot,
    admission: Admission,
    answers: Rc<EarlyAnswers>,
    /// A token request that waits.
    held: Option<HeldSocket>,
    /// Whether the HTTP library has written something without flushing it.
    is_writing: bool,
    /// How many more bytes of a too large head to discard.
    discards: Option<usize>,
    /// The client certificate of the handshake.
    certificate: Option<Arc<ClientCertificate>>,
    /// One timer for all requests of the connection. It is moved only when it fires or has to fire
    /// earlier, so that requests without a timeout set no timer.
    timer: Pin<Box<Sleep>>,
}

struct HeldSocket {
    request: Vec<u8>,
    ticket: Ticket,
}

enum Taken {
    /// The number of bytes for the HTTP library.
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

    /// Ready when the deadline has passed. Otherwise wakes the task at the deadline.
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

    /// `None` while a request arrives or is answered.
    fn number_of_next_request(&self) -> Option<u64> {
        let complete = self.framing.between_requests()?;
        (complete == self.deadlines.ended() && !self.is_writing).then_some(complete + 1)
    }

    /// Answers a token request without the HTTP library. Returns false if the connection must
    /// close.
    fn refuse_token(&mut self, cx: &mut Context<'_>) -> bool {
        let written = Pin::new(&mut self.socket).poll_write(cx, &self.answers.overloaded);
        let flushed = Pin::new(&mut self.socket).poll_flush(cx);
        self.deadlines.request_began(false);
        self.deadlines.request_ended(Instant::now());
        let is_whole = matches!(written, Poll::Ready(Ok(count)) if count == self.answers.overloaded.len());
        is_whole && matches!(flushed, Poll::Ready(Ok(()))) && !self.framing.closes()
    }

    /// Handles the end of the client's bytes. The client has either finished sending or hung up;
    /// the server finds out only when it writes a response. So the HTTP library is told about the
    /// end after the responses, or immediately if the current request needs its client.
    fn poll_end(&mut self, cx: &mut Context<'_>, end: io::Result<()>) -> Poll<io::Result<()>> {
        let is_served = self.framing.requests() > self.deadlines.ended();
        if end.is_err() || !is_served {
            return Poll::Ready(end);
        }
        if self.deadlines.needs_client() {
            // After a reset, the library would continue with a connection that has just sent
            // something.
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        self.deadlines.wake_at_end(cx.waker());
        Poll::Pending
    }

    /// Passes a waiting request on when it may run, or refuses it. Returns false if the connection
    /// must close.
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

    /// Refuses a head that is too large. First the earlier requests get their responses. Then the
    /// client gets time to read the refusal. A read without bytes tells the HTTP library that the
    /// connection has ended.
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

    /// Writes without waiting: if the socket does not take the bytes, the client is not reading.
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
        // A read without bytes: the HTTP library closes the connection.
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
