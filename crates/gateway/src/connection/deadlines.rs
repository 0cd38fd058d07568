//! The phase of a connection between two requests, and the deadline of that phase.

use std::cell::{Cell, RefCell};
use std::task::Waker;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::rt::time::Instant;

/// On every request of a connection, the head must be complete within this time after its first byte.
pub(crate) const HEAD: Duration = Duration::from_secs(5);
/// A refused head's client has so long to take in the answer.
const LINGER: Duration = Duration::from_secs(1);
/// A connection without a request is closed after this time.
pub(crate) const IDLE: Duration = Duration::from_secs(75);

/// Shared by the stream, which sees bytes, and the requests, which see heads and answers.
#[derive(Debug)]
pub(crate) struct Deadlines {
    phase: Cell<ConnectionPhase>,
    /// How many requests are over.
    ended: Cell<u64>,
    /// The task that waits for the end of a request.
    waits: RefCell<Option<Waker>>,
    /// The request is dropped when its client hangs up.
    needs_client: Cell<bool>,
}

#[derive(Clone, Copy, Debug)]
enum ConnectionPhase {
    /// No byte of the next request has arrived. At the deadline the connection is closed silently.
    Idle { until: Instant },
    /// Some of the next head has come; answered with 408 when it is over.
    Head { until: Instant },
    /// A request is being served. Bytes that come after its body belong to the next head.
    Serving { body_read: bool, more_came: bool },
    /// A head was late or too large, and was answered with this status. Only bytes that the client has
    /// already sent still arrive.
    Refused { status: StatusCode, since: Instant, until: Instant },
}

/// The state of a connection whose deadline has passed, which decides what happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expired {
    /// No caller waits for an answer.
    Idle,
    /// A client is in the middle of a head.
    Head,
}

impl Deadlines {
    /// A connection begins as if a head had begun, because a client that connects is about to send one.
    pub(crate) fn start(now: Instant) -> Self {
        let phase = Cell::new(ConnectionPhase::Head { until: now + HEAD });
        Self { phase, ended: Cell::default(), waits: RefCell::default(), needs_client: Cell::default() }
    }

    /// Bytes came from the client.
    pub(crate) fn bytes_came(&self, now: Instant) {
        self.phase.set(match self.phase.get() {
            ConnectionPhase::Idle { .. } => ConnectionPhase::Head { until: now + HEAD },
            ConnectionPhase::Serving { body_read, more_came } => {
                ConnectionPhase::Serving { body_read, more_came: more_came || body_read }
            }
            on @ (ConnectionPhase::Head { .. } | ConnectionPhase::Refused { .. }) => on,
        });
    }

    /// A head is complete.
    pub(crate) fn request_began(&self, has_body: bool) {
        self.phase.set(ConnectionPhase::Serving { body_read: !has_body, more_came: false });
    }

    /// The body of the request is complete.
    pub(crate) fn body_read(&self) {
        if let ConnectionPhase::Serving { more_came, .. } = self.phase.get() {
            self.phase.set(ConnectionPhase::Serving { body_read: true, more_came });
        }
    }

    /// The answer has been handed to the connection.
    pub(crate) fn request_ended(&self, now: Instant) {
        self.phase.set(match self.phase.get() {
            ConnectionPhase::Serving { body_read: true, more_came: false } => {
                ConnectionPhase::Idle { until: now + IDLE }
            }
            ConnectionPhase::Serving { body_read: true, more_came: true } => {
                ConnectionPhase::Head { until: now + HEAD }
            }
            // The body was not read, so the response has ended the connection. If its client continues, it is
            // only for a short time.
            ConnectionPhase::Serving { body_read: false, .. } => ConnectionPhase::Idle { until: now + HEAD },
            between => between,
        });
        self.ended.set(self.ended.get() + 1);
        self.needs_client.set(false);
        self.wake();
    }

    /// The current request is dropped when its client sends nothing more.
    pub(crate) fn need_client(&self) {
        self.needs_client.set(true);
        self.wake();
    }

    /// Whether the current request is dropped when its client hangs up.
    pub(crate) fn needs_client(&self) -> bool {
        self.needs_client.get()
    }

    fn wake(&self) {
        if let Some(waker) = self.waits.take() {
            waker.wake();
        }
    }

    /// Whether a request is served whose body was not read.
    pub(crate) fn is_body_unread(&self) -> bool {
        matches!(self.phase.get(), ConnectionPhase::Serving { body_read: false, .. })
    }

    /// How many requests are over.
    pub(crate) fn ended(&self) -> u64 {
        self.ended.get()
    }

    /// Wakes this task at the end of the next request, and when a request begins to need its client.
    pub(crate) fn wake_at_end(&self, waker: &Waker) {
        *self.waits.borrow_mut() = Some(waker.clone());
    }

    /// The deadline of the present phase. `None` while a request is served.
    pub(crate) fn until(&self) -> Option<Instant> {
        match self.phase.get() {
            ConnectionPhase::Idle { until }
            | ConnectionPhase::Head { until }
            | ConnectionPhase::Refused { until, .. } => Some(until),
            ConnectionPhase::Serving { .. } => None,
        }
    }

    /// The head that did not come in time is answered.
    pub(crate) fn answered_late(&self) {
        if let ConnectionPhase::Head { until } = self.phase.get() {
            self.phase.set(ConnectionPhase::Refused {
                status: StatusCode::REQUEST_TIMEOUT,
                since: until - HEAD,
                until,
            });
        }
    }

    /// Answers the present head with this status. The client gets time to read the response.
    pub(crate) fn refuse(&self, status: StatusCode, now: Instant) {
        let since = self.head_since(now);
        self.phase.set(ConnectionPhase::Refused { status, since, until: now + LINGER });
    }

    /// How a head was answered that did not become a request, and when it began.
    pub(crate) fn refused(&self) -> Option<(StatusCode, Instant)> {
        if let ConnectionPhase::Refused { status, since, .. } = self.phase.get() {
            Some((status, since))
        } else {
            None
        }
    }

    /// When the unfinished head began. Now, if none has begun.
    pub(crate) fn head_since(&self, now: Instant) -> Instant {
        if let ConnectionPhase::Head { until } = self.phase.get() { until - HEAD } else { now }
    }

    /// Whether its time is up.
    pub(crate) fn expired(&self, now: Instant) -> Option<Expired> {
        match self.phase.get() {
            ConnectionPhase::Idle { until } | ConnectionPhase::Refused { until, .. } if until <= now => {
                Some(Expired::Idle)
            }
            ConnectionPhase::Head { until } if until <= now => Some(Expired::Head),
            ConnectionPhase::Idle { .. }
            | ConnectionPhase::Head { .. }
            | ConnectionPhase::Serving { .. }
            | ConnectionPhase::Refused { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [limits #4]: time of a connection without a request | 75 s | connection closed
    #[test]
    fn each_head_has_its_own_deadline_and_idleness_another() {
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        let deadlines = Deadlines::start(start);
        deadlines.bytes_came(later(4));
        assert_eq!(deadlines.expired(later(4)), None);
        assert_eq!(deadlines.expired(later(5)), Some(Expired::Head));

        deadlines.request_began(false);
        assert_eq!((deadlines.until(), deadlines.expired(later(1000))), (None, None));
        deadlines.request_ended(later(1000));
        assert_eq!(deadlines.expired(later(1074)), None);
        assert_eq!(deadlines.expired(later(1075)), Some(Expired::Idle));

        deadlines.bytes_came(later(1070));
        deadlines.bytes_came(later(1074));
        assert_eq!(deadlines.expired(later(1075)), Some(Expired::Head));
    }

    #[test]
    fn a_second_head_that_began_behind_the_first_request_is_watched_too() {
        let start = Instant::now();
        let deadlines = Deadlines::start(start);
        deadlines.request_began(true);
        deadlines.bytes_came(start);
        deadlines.body_read();
        deadlines.bytes_came(start);
        deadlines.request_ended(start);
        assert_eq!(deadlines.expired(start + HEAD), Some(Expired::Head));
    }

    #[test]
    fn a_connection_with_an_unread_body_is_closed_soon_and_silently() {
        let start = Instant::now();
        let deadlines = Deadlines::start(start);
        deadlines.request_began(true);
        deadlines.request_ended(start);
        assert_eq!(deadlines.expired(start + HEAD), Some(Expired::Idle));
    }
}
