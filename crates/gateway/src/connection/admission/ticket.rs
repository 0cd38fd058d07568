//! The place of a request in the queue, and its result. Queue and connection share it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use actix_web::rt::time::Instant;

/// The decision on a request that may not run at once.
#[derive(Debug)]
pub(in super::super) enum AdmissionVerdict {
    Waits(Ticket),
    Refused,
}

/// The result of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum WaitOutcome {
    Runs,
    Refused,
}

#[derive(Clone, Debug)]
pub(in super::super) struct Ticket(Rc<QueuePosition>);

#[derive(Debug)]
struct QueuePosition {
    came: Instant,
    outcome: Cell<Option<WaitOutcome>>,
    waker: RefCell<Option<Waker>>,
}

impl Ticket {
    pub(super) fn new(came: Instant) -> Self {
        Self(Rc::new(QueuePosition { came, outcome: Cell::default(), waker: RefCell::default() }))
    }

    pub(super) fn came(&self) -> Instant {
        self.0.came
    }

    pub(super) fn decide(&self, outcome: WaitOutcome) {
        self.0.outcome.set(Some(outcome));
        if let Some(waker) = self.0.waker.take() {
            waker.wake();
        }
    }

    /// Whether a connection has it, too; otherwise the connection has ended.
    pub(super) fn is_held(&self) -> bool {
        Rc::strong_count(&self.0) > 1
    }

    pub(super) fn outcome(&self) -> Option<WaitOutcome> {
        self.0.outcome.get()
    }

    /// Ready when the request may run, or is refused after all.
    pub(in super::super) fn poll_outcome(&self, cx: &Context<'_>) -> Poll<WaitOutcome> {
        if let Some(outcome) = self.outcome() {
            return Poll::Ready(outcome);
        }
        *self.0.waker.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}
