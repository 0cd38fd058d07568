//! Says which confirmed changes the store lost: in the log, in a metric, and for the audit stream.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gateway::Sample;
use parking_lot::Mutex;
use storage::{Database, LostChanges};
use tenancy::{History, TenantId};
use tokio::sync::watch;

use crate::periodic::{is_store_missed, rounds};

const EVERY: Duration = Duration::from_secs(1);
/// The tenants with a log line of their own. The others have one line together.
const LOGGED: usize = 20;

/// The change feed, the audit stream and the probes share this value.
#[derive(Debug, Default)]
pub(crate) struct LossReport {
    history: watch::Sender<Option<History>>,
    changes: AtomicU64,
    /// The last audit number that each tenant lost, and the chain of its stream at that time.
    pub(crate) withdrawn: Mutex<BTreeMap<TenantId, (String, i64)>>,
}

impl LossReport {
    /// The first history is that of the start, when nothing can be lost.
    pub(crate) fn on_new_history(&self, history: History) {
        self.history.send_if_modified(|known| known.replace(history).is_some());
    }

    /// Compares the store with what this process saw, after each change of its history.
    pub(crate) async fn watch(&self, database: &Database) {
        let mut histories = self.history.subscribe();
        while histories.changed().await.is_ok() {
            let mut tries = rounds(EVERY);
            loop {
                tries.tick().await;
                let Some(history) = *histories.borrow_and_update() else { break };
                match database.find_lost_changes(history).await {
                    Ok(Some(lost)) => break self.report(lost),
                    // A connection still leads to the previous server.
                    Ok(None) => {}
                    // The health check logs the outage.
                    Err(error) if is_store_missed(&error) => {}
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        break tracing::warn!(error, "cannot find out which changes the store lost");
                    }
                }
            }
        }
    }

    fn report(&self, lost: Vec<LostChanges>) {
        let tenants = lost.len();
        for (nth, lost) in lost.into_iter().enumerate() {
            self.changes.fetch_add(lost.count(), Ordering::Relaxed);
            let LostChanges { tenant, revisions: [before, now], numbers, chain } = lost;
            let shown = numbers.as_ref().map(|numbers| format!("{}-{}", numbers.start(), numbers.end()));
            if nth < LOGGED {
                tracing::error!(
                    %tenant, revision_before = before, revision_now = now, audit_numbers = shown,
                    "the store lost changes of this tenant that it had confirmed: make them again (docs/reliability.md)"
                );
            }
            if let Some((numbers, chain)) = numbers.zip(chain) {
                self.withdrawn.lock().insert(tenant, (chain, *numbers.end()));
            }
        }
        if tenants > LOGGED {
            tracing::error!(tenants, "the store lost confirmed changes of this many tenants in all");
        }
    }

    pub(crate) fn samples(&self) -> [Sample; 1] {
        let help =
            "Confirmed changes that the store lost in a failover or restore, as far as this replica knows.";
        [Sample::counter("latchkey_lost_changes_total", help, &[], self.changes.load(Ordering::Relaxed))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(tenant: &str, revisions: [i64; 2], numbers: Option<(i64, i64)>) -> LostChanges {
        let numbers = numbers.map(|(first, last)| first..=last);
        LostChanges {
            tenant: TenantId::parse(tenant).unwrap(),
            revisions,
            numbers,
            chain: Some("c".to_owned()),
        }
    }

    #[test]
    fn lost_changes_are_counted_and_withdrawn() {
        let report = LossReport::default();
        report.report(vec![lost("acme", [9, 7], Some((8, 12))), lost("globex", [4, 3], None)]);
        report.report((0..30).map(|nth| lost(&format!("t{nth}"), [2, 1], Some((2, 2)))).collect());
        assert_eq!(report.samples()[0].value, 36);
        let withdrawn = report.withdrawn.lock();
        assert_eq!(withdrawn.len(), 31, "globex lost no number");
        assert_eq!(withdrawn[&TenantId::parse("acme").unwrap()], ("c".to_owned(), 12));
    }
}
