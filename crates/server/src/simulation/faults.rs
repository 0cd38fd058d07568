//! The current and past faults of each replica.

use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Stopped,
    /// The process was killed, and a new one starts with empty caches.
    Restarted,
    StoreRefuses,
    /// The store answers no calls until they time out.
    StoreHangs,
    /// The store answers late.
    StoreIsSlow,
    /// Some calls or their answers are lost.
    StoreLosesCalls,
    /// The connection for notifications is refused.
    FeedRefuses,
    /// The connection for notifications is silent.
    FeedIsSilent,
    NotificationsLost,
    /// A standby receives no more transactions. At the end of the fault it replaces the store for both
    /// replicas.
    HistoryIsLost,
}

impl Fault {
    pub(super) const ALL: [Self; 10] = [
        Self::Stopped,
        Self::Restarted,
        Self::StoreRefuses,
        Self::StoreHangs,
        Self::StoreIsSlow,
        Self::StoreLosesCalls,
        Self::FeedRefuses,
        Self::FeedIsSilent,
        Self::NotificationsLost,
        Self::HistoryIsLost,
    ];

    /// Whether the change feed may miss or delay changes.
    fn is_of_feed(self) -> bool {
        matches!(
            self,
            Self::Stopped
                | Self::Restarted
                | Self::FeedRefuses
                | Self::FeedIsSilent
                | Self::NotificationsLost
        )
    }

    /// Whether the store may seem to be unavailable.
    fn is_of_store(self) -> bool {
        matches!(self, Self::StoreRefuses | Self::StoreHangs | Self::StoreLosesCalls)
    }
}

/// How long a feed needs to recover: it notices a silent connection after 3 s, waits 2 s for an answer, and
/// opens a new connection.
const FEED_RECOVERS: Duration = Duration::from_secs(6);
/// The longest duration of a call that began during a fault.
const CALLS_END: Duration = Duration::from_secs(6);

#[derive(Default)]
pub(super) struct Faults(Vec<Injected>);

struct Injected {
    replica: usize,
    fault: Fault,
    from: Duration,
    to: Option<Duration>,
}

impl Faults {
    pub(super) fn begin(&mut self, replica: usize, fault: Fault, now: Duration) {
        self.0.push(Injected { replica, fault, from: now, to: None });
    }

    pub(super) fn end(&mut self, replica: usize, fault: Fault, now: Duration) {
        let open = |injected: &&mut Injected| injected.replica == replica && injected.fault == fault;
        self.0.iter_mut().filter(open).for_each(|injected| {
            injected.to.get_or_insert(now);
        });
    }

    pub(super) fn holds(&self, replica: usize, fault: Fault) -> bool {
        let mut all = self.0.iter();
        all.any(|injected| injected.replica == replica && injected.fault == fault && injected.to.is_none())
    }

    /// Whether the replica may have missed a notification in this time.
    pub(super) fn concern_feed(&self, replica: usize, from: Duration, to: Duration) -> bool {
        self.concern(replica, Fault::is_of_feed, from, to, FEED_RECOVERS)
    }

    /// Whether a call of the replica may have failed in this time.
    pub(super) fn concern_store(&self, replica: usize, from: Duration, to: Duration) -> bool {
        self.concern(replica, Fault::is_of_store, from, to, CALLS_END)
    }

    fn concern(
        &self,
        replica: usize,
        is_of: fn(Fault) -> bool,
        from: Duration,
        to: Duration,
        recovers: Duration,
    ) -> bool {
        let own = self.0.iter().filter(|injected| injected.replica == replica);
        own.filter(|injected| is_of(injected.fault) && injected.from <= to).any(|injected| {
            let effect = injected.to.and_then(|end| self.after_stops(replica, end + recovers));
            effect.is_none_or(|end| end >= from)
        })
    }

    /// When effects end that would end at `end` in a process without stops.
    fn after_stops(&self, replica: usize, mut end: Duration) -> Option<Duration> {
        for stop in self.0.iter().filter(|it| it.replica == replica && it.fault == Fault::Stopped) {
            if stop.from <= end {
                end = end.max(stop.to? + CALLS_END);
            }
        }
        Some(end)
    }
}
