//! The phases of a connection and their deadlines.

use std::cell::{Cell, RefCell};
use std::task::Waker;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::rt::time::Instant;

/// From the first byte of a head to its end.
pub(crate) const HEAD: Duration = Duration::from_secs(5);
/// How long a client with a refused head can read the answer.
const LINGER: Duration = Duration::from_secs(1);
/// A connection without a request is closed after this time.
pub(crate) const IDLE: Duration = Duration::from_secs(75);

/// Shared by the stream, which sees bytes, and the requests, which see heads and responses.
#[derive(Debug)]
pub(crate) struct Deadlines {
    phase: Cell<ConnectionPhase>,
    /// The number of finished requests.
    ended: Cell<u64>,
    /// The task to wake at the end of a request.
    waits: RefCell<Option<Waker>>,
    /// Whether the current request is dropped when its client hangs up.
    needs_client: Cell<bool>,
}

#[derive(Clone, Copy, Debug)]
enum ConnectionPhase {
    /// No byte of the next request has arrived. At the deadline the connection is closed without an
    /// answer.
    Idle { until: Instant },
    /// The head is incomplete. At the deadline the answer is 408.
    Head { until: Instant },
    /// `more_came`: bytes after the body have arrived, which belong to the next head.
    Serving { body_read: bool, more_came: bool },
    /// The head was late or too large, and the client got this status. Only bytes that the client
    /// had already sent still arrive.
    Refused { status: StatusCode, since: Instant, until: Instant },
}

/// The phase of a connection whose deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expired {
    /// The client waits for no response.
    Idle,
    /// The client has sent a part of a head.
    Head,
}

impl Deadlines {
    /// Starts in the phase of a head, because a client that connects is about to send one.
    pub(crate) fn start(now: Instant) -> Self {
        let phase = Cell::new(ConnectionPhase::Head { until: now + HEAD });
        Self { phase, ended: Cell::default(), waits: RefCell::default(), needs_client: Cell::default() }
    }

    pub(crate) fn bytes_came(&self, now: Instant) {
        self.phase.set(match self.phase.get() {
            ConnectionPhase::Idle { .. } => ConnectionPhase::Head { until: now + HEAD },
            ConnectionPhase::Serving { body_read, more_came } => {
                ConnectionPhase::Serving { body_read, more_came: more_came || body_read }
            }
            on @ (ConnectionPhase::Head { .. } | ConnectionPhase::Refused { .. }) => on,
        });
    }

    pub(crate) fn request_began(&self, has_body: bool) {
        self.phase.set(ConnectionPhase::Serving { body_read: !has_body, more_came: false });
    }

    pub(crate) fn body_read(&self) {
        if let ConnectionPhase::Serving { more_came, .. } = self.phase.get() {
            self.phase.set(ConnectionPhase::Serving { body_read: true, more_came });
        }
    }

    /// The response was handed to the connection.
    pub(crate) fn request_ended(&self, now: Instant) {
        self.phase.set(match self.phase.get() {
            ConnectionPhase::Serving { body_read: true, more_came: false } => {
                ConnectionPhase::Idle { until: now + IDLE }
            }
            ConnectionPhase::Serving { body_read: true, more_came: true } => {
                ConnectionPhase::Head { until: now + HEAD }
            }
            // The body was not read, so the response closed the connection. The client gets only a
            // short time.
            ConnectionPhase::Serving { body_read: false, .. } => ConnectionPhase::Idle { until: now + HEAD },
            between => between,
        });
        self.ended.set(self.ended.get() + 1);
        self.needs_client.set(false);
        self.wake();
    }

    /// Drops the current request if its client hangs up.
    pub(crate) fn need_client(&self) {
        self.needs_client.set(true);
        self.wake();
    }

    pub(crate) fn needs_client(&self) -> bool {
        self.needs_client.get()
    }

    fn wake(&self) {
        if let Some(waker) = self.waits.take() {
            waker.wake();
        }
    }

    pub(crate) fn is_body_unread(&self) -> bool {
        matches!(self.phase.get(), ConnectionPhase::Serving { body_read: false, .. })
    }

    /// The number of finished requests.
    pub(crate) fn ended(&self) -> u64 {
        self.ended.get()
    }

    /// Wakes this task at the end of the next request, and when [`Self::need_client`] is called.
    pub(crate) fn wake_at_end(&self, waker: &Waker) {
        *self.waits.borrow_mut() = Some(waker.clone());
    }

    /// The deadline of the current phase. `None` while a request is served.
    pub(crate) fn until(&self) -> Option<Instant> {
        match self.phase.get() {
            ConnectionPhase::Idle { until }
            | ConnectionPhase::Head { until }
            | ConnectionPhase::Refused { until, .. } => Some(until),
            ConnectionPhase::Serving { .. } => None,
        }
    }

    pub(crate) fn answered_late(&self) {
        if let ConnectionPhase::Head { until } = self.phase.get() {
            self.phase.set(ConnectionPhase::Refused {
                status: StatusCode::REQUEST_TIMEOUT,
                since: until - HEAD,
                until,
            });
        }
    }

    /// The client gets time to read the response.
    pub(crate) fn refuse(&self, status: StatusCode, now: Instant) {
        let since = self.head_since(now);
        self.phase.set(ConnectionPhase::Refused { status, since, until: now + LINGER });
    }

    /// The status of a refused head, and when the head started.
    pub(crate) fn refused(&self) -> Option<(StatusCode, Instant)> {
        if let ConnectionPhase::Refused { status, since, .. } = self.phase.get() {
            Some((status, since))
        } else {
            None
        }
    }

    /// When the incomplete head started. `now` if no head has started.
    pub(crate) fn head_since(&self, now: Instant) -> Instant {
        if let ConnectionPhase::Head { until } = self.phase.get() { until - HEAD } else { now }
    }

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
    fn heads_and_idle_connections_have_separate_deadlines() {
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
    fn pipelined_second_head_has_a_deadline() {
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
    fn connection_with_unread_body_is_closed_silently() {
        let start = Instant::now();
        let deadlines = Deadlines::start(start);
        deadlines.request_began(true);
        deadlines.request_ended(start);
        assert_eq!(deadlines.expired(start + HEAD), Some(Expired::Idle));
    }
}
