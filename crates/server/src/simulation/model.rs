//! Records when each commit was made, and until when a replica may use each version of a row.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use keys::KeyRecords;
use registry::{Client, ClientId, RevocationFacts};
use tenancy::{Tenant, TenantId};

use super::faults::Faults;

/// When a change takes effect at the other replicas (docs/reliability.md).
const NOTIFIED: Duration = Duration::from_secs(1);
/// When it takes effect if its notification was lost.
pub(super) const FRESH: Duration = Duration::from_secs(10);

/// The "replica" of a failover, which is neither 0 nor 1.
const FAILOVER: usize = 2;

#[derive(Default)]
pub(super) struct Model {
    commits: Vec<Commit>,
    /// When a standby replaced the store.
    failovers: Vec<Duration>,
    pub(super) tenants: Vec<TenantVersions>,
    /// The last position in the store's log of changes.
    pub(super) position: i64,
}

struct Commit {
    at: Duration,
    by: usize,
    /// The command that made the commit, and when it reported success.
    command: Option<u64>,
    reported: Option<Duration>,
}

pub(super) struct TenantVersions {
    pub(super) id: TenantId,
    pub(super) tenant: Versions<Arc<Tenant>>,
    pub(super) clients: BTreeMap<ClientId, Versions<Option<Arc<Client>>>>,
    pub(super) keys: Versions<Arc<KeyRecords>>,
    pub(super) revocations: Versions<Arc<RevocationFacts>>,
    /// When commands that remove keys immediately began and ended.
    pub(super) removals: Vec<(Duration, Option<Duration>)>,
}

/// The versions of one row, each with its commit.
pub(super) struct Versions<T>(Vec<(usize, T)>);

/// A request at a replica, from its arrival to its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) replica: usize,
    pub(super) from: Duration,
    pub(super) to: Duration,
}

impl Model {
    pub(super) fn add_commit(&mut self, at: Duration, by: usize, command: Option<u64>) -> usize {
        self.commits.push(Commit { at, by, command, reported: None });
        self.commits.len() - 1
    }

    /// Records that the command reported success.
    pub(super) fn reported(&mut self, command: u64, now: Duration) {
        let own = self.commits.iter_mut().filter(|commit| commit.command == Some(command));
        own.for_each(|commit| commit.reported = Some(now));
    }

    /// Records a failover, after which the store has these rows.
    pub(super) fn add_failover(&mut self, at: Duration) -> usize {
        self.failovers.push(at);
        self.add_commit(at, FAILOVER, None)
    }

    /// From when on the replica must not use rows from before this commit. It may use them longer, by
    /// `stale`, if it was not notified of the change or of the failover.
    fn in_effect(&self, commit: usize, replica: usize, faults: &Faults, stale: Duration) -> Duration {
        let Commit { at, by, reported, .. } = self.commits[commit];
        let is_notified = !faults.concern_feed(replica, at, at + NOTIFIED);
        let is_of_failover =
            self.failovers.iter().any(|failover| (*failover..=*failover + NOTIFIED).contains(&at));
        let elsewhere = match (is_notified, is_of_failover) {
            (true, false) => at + NOTIFIED,
            (true, true) => at + NOTIFIED + stale,
            (false, _) => at + FRESH + stale,
        };
        reported.filter(|_| by == replica).map_or(elsewhere, |reported| reported.min(elsewhere))
    }

    /// The versions that the answer to this request may be based on.
    pub(super) fn usable<'a, T>(
        &'a self,
        row: &'a Versions<T>,
        request: Request,
        faults: &Faults,
        stale: Duration,
    ) -> impl Iterator<Item = &'a T> + use<'a, T> {
        let is_due = |(commit, _): &(usize, T)| {
            self.in_effect(*commit, request.replica, faults, stale) <= request.from
        };
        let oldest = row.0.iter().rposition(is_due).unwrap_or(0);
        row.0[oldest..].iter().map(|(_, version)| version)
    }

    pub(super) fn last_change<T>(&self, row: &Versions<T>) -> Duration {
        self.commits[row.0[row.0.len() - 1].0].at
    }

    /// The versions that were current at this time or later.
    pub(super) fn since<'a, T>(
        &'a self,
        row: &'a Versions<T>,
        from: Duration,
    ) -> impl Iterator<Item = &'a T> + use<'a, T> {
        let oldest = row.0.iter().rposition(|(commit, _)| self.commits[*commit].at <= from).unwrap_or(0);
        row.0[oldest..].iter().map(|(_, version)| version)
    }
}

impl<T: PartialEq> Versions<T> {
    pub(super) fn new(commit: usize, first: T) -> Self {
        Self(vec![(commit, first)])
    }

    pub(super) fn note(&mut self, commit: usize, version: T) {
        if *self.last() != version {
            self.0.push((commit, version));
        }
    }

    pub(super) fn last(&self) -> &T {
        &self.0[self.0.len() - 1].1
    }
}
