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

/// The audit numbers that each tenant lost: the chain of its stream at that time, and the last number.
#[derive(Debug, Default)]
pub(crate) struct WithdrawnNumbers(Mutex<BTreeMap<TenantId, (String, i64)>>);

/// The change feed, the audit stream and the probes share this value.
#[derive(Debug, Default)]
pub(crate) struct LossReport {
    history: watch::Sender<Option<History>>,
    changes: AtomicU64,
    pub(crate) withdrawn: WithdrawnNumbers,
}

impl WithdrawnNumbers {
    pub(crate) fn tenants(&self) -> Vec<TenantId> {
        self.0.lock().keys().cloned().collect()
    }

    /// The last lost number of a tenant, if this is still its chain.
    pub(crate) fn until(&self, tenant: &TenantId, chain: &str) -> Option<i64> {
        self.0.lock().get(tenant).filter(|(of, _)| of == chain).map(|(_, until)| *until)
    }

    pub(crate) fn add(&self, tenant: TenantId, chain: String, until: i64) {
        self.0.lock().insert(tenant, (chain, until));
    }

    /// The lines say so, or need not.
    pub(crate) fn forget(&self, tenant: &TenantId) {
        self.0.lock().remove(tenant);
    }
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
        let count = |lost: &[LostChanges]| lost.iter().map(LostChanges::count).sum::<u64>();
        self.changes.fetch_add(count(&lost), Ordering::Relaxed);
        let (logged, others) = lost.split_at(lost.len().min(LOGGED));
        for LostChanges { tenant, revisions: [before, now], numbers, .. } in logged {
            let numbers = numbers.as_ref().map(|numbers| format!("{}-{}", numbers.start(), numbers.end()));
            tracing::error!(
                %tenant, revision_before = before, revision_now = now, audit_numbers = numbers,
                "the store lost changes of this tenant that it had confirmed: make them again (docs/reliability.md)"
            );
        }
        if !others.is_empty() {
            let (tenants, changes) = (others.len(), count(others));
            tracing::error!(tenants, changes, "the store also lost confirmed changes of other tenants");
        }
        for LostChanges { tenant, numbers, chain, .. } in lost {
            if let Some((numbers, chain)) = numbers.zip(chain) {
                self.withdrawn.add(tenant, chain, *numbers.end());
            }
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
        assert_eq!(report.withdrawn.tenants().len(), 31, "globex lost no number");
        let acme = TenantId::parse("acme").unwrap();
        assert_eq!(report.withdrawn.until(&acme, "c"), Some(12));
        assert_eq!(report.withdrawn.until(&acme, "another chain"), None);
        report.withdrawn.forget(&acme);
        assert_eq!(report.withdrawn.until(&acme, "c"), None);
    }
}
