//! Where a connection stands between two requests, and until when it may stay there.

use std::cell::Cell;
use std::time::Duration;

use actix_web::rt::time::Instant;

/// A head must be complete within this time of its first byte, on every request of a connection.
pub(crate) const HEAD: Duration = Duration::from_secs(5);
/// A connection without a request is closed after this time.
pub(crate) const IDLE: Duration = Duration::from_secs(75);

/// Shared by the stream, which sees bytes, and the requests, which see heads and answers.
#[derive(Debug)]
pub(crate) struct Deadlines(Cell<Phase>);

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Nothing of the next request has come; closed silently when it is over.
    Idle { until: Instant },
    /// Some of the next head has come; answered with 408 when it is over.
    Head { until: Instant },
    /// A request is being served. Bytes that come after its body belong to the next head.
    Serving { body_read: bool, more_came: bool },
    /// A head took too long and was answered so; nothing comes after that.
    Late { since: Instant },
}

/// What to do about a connection whose time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expired {
    /// Nobody waits for an answer.
    Idle,
    /// A client is in the middle of a head.
    Head,
}

impl Deadlines {
    /// A connection begins as if a head had begun: a client that connects means to speak.
    pub(crate) fn start(now: Instant) -> Self {
        Self(Cell::new(Phase::Head { until: now + HEAD }))
    }

    /// Bytes came from the client.
    pub(crate) fn bytes_came(&self, now: Instant) {
        self.0.set(match self.0.get() {
            Phase::Idle { .. } => Phase::Head { until: now + HEAD },
            Phase::Serving { body_read, more_came } => {
                Phase::Serving { body_read, more_came: more_came || body_read }
            }
            on @ (Phase::Head { .. } | Phase::Late { .. }) => on,
        });
    }

    /// A head is complete.
    pub(crate) fn request_began(&self, has_body: bool) {
        self.0.set(Phase::Serving { body_read: !has_body, more_came: false });
    }

    /// The body of the request is complete.
    pub(crate) fn body_read(&self) {
        if let Phase::Serving { more_came, .. } = self.0.get() {
            self.0.set(Phase::Serving { body_read: true, more_came });
        }
    }

    /// The answer has been handed to the connection.
    pub(crate) fn request_ended(&self, now: Instant) {
        self.0.set(match self.0.get() {
            Phase::Serving { body_read: true, more_came: false } => Phase::Idle { until: now + IDLE },
            Phase::Serving { body_read: true, more_came: true } => Phase::Head { until: now + HEAD },
            // Nobody read the body, so nobody knows whether all of it has come: the connection goes soon, but without an answer
            // to a head that may not have begun.
            Phase::Serving { body_read: false, .. } => Phase::Idle { until: now + HEAD },
            between => between,
        });
    }

    /// Until when the connection may stay as it is; `None` while a request is served.
    pub(crate) fn until(&self) -> Option<Instant> {
        match self.0.get() {
            Phase::Idle { until } | Phase::Head { until } => Some(until),
            Phase::Serving { .. } | Phase::Late { .. } => None,
        }
    }

    /// The head that did not come in time is answered.
    pub(crate) fn answered_late(&self) {
        if let Phase::Head { until } = self.0.get() {
            self.0.set(Phase::Late { since: until - HEAD });
        }
    }

    /// When the head began that was answered because it came too late.
    pub(crate) fn late_since(&self) -> Option<Instant> {
        if let Phase::Late { since } = self.0.get() { Some(since) } else { None }
    }

    /// When the head began that is still to be read; now, where none has.
    pub(crate) fn head_since(&self, now: Instant) -> Instant {
        if let Phase::Head { until } = self.0.get() { until - HEAD } else { now }
    }

    /// Whether its time is up.
    pub(crate) fn expired(&self, now: Instant) -> Option<Expired> {
        match self.0.get() {
            Phase::Idle { until } if until <= now => Some(Expired::Idle),
            Phase::Head { until } if until <= now => Some(Expired::Head),
            Phase::Idle { .. } | Phase::Head { .. } | Phase::Serving { .. } | Phase::Late { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_connection_whose_body_nobody_read_is_closed_soon_and_silently() {
        let start = Instant::now();
        let deadlines = Deadlines::start(start);
        deadlines.request_began(true);
        deadlines.request_ended(start);
        assert_eq!(deadlines.expired(start + HEAD), Some(Expired::Idle));
    }
}
