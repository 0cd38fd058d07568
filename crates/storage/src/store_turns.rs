//! Fair turns of tenants at the connections to the store: a statement of one tenant waits for at most one
//! turn of another tenant.

use std::time::Duration;

use tenancy::{StoreError, Stored, TenantId, TenantTurns, Turn};
use tokio::time::timeout;

/// The maximum number of statements of one tenant that wait for a connection. With 4 connections and 1 ms
/// each, later statements would exceed the time limit of a lookup anyway.
const MOST_WAITING: usize = 4_096;

/// Each pool has as many turns as connections. Work across tenants (housekeeping, feeds, groups of writes)
/// takes no turn. It waits at the pool itself, only behind statements that already have a turn.
pub(crate) struct StoreTurns {
    readers: TenantTurns,
    writers: TenantTurns,
}

impl StoreTurns {
    pub(crate) fn new(readers: u32, writers: u32) -> Self {
        let turns = |connections: u32| {
            TenantTurns::new(usize::try_from(connections.max(1)).unwrap_or(usize::MAX), MOST_WAITING)
        };
        Self { readers: turns(readers), writers: turns(writers) }
    }

    /// The turn of a lookup.
    pub(crate) async fn reader(&self, tenant: Option<&TenantId>, longest: Duration) -> Stored<Option<Turn>> {
        take(&self.readers, tenant, longest).await
    }

    /// The turn of a transaction or a write.
    pub(crate) async fn writer(&self, tenant: Option<&TenantId>, longest: Duration) -> Stored<Option<Turn>> {
        take(&self.writers, tenant, longest).await
    }
}

async fn take(turns: &TenantTurns, tenant: Option<&TenantId>, longest: Duration) -> Stored<Option<Turn>> {
    let Some(tenant) = tenant else { return Ok(None) };
    let turn = timeout(longest, turns.take(tenant)).await.map_err(StoreError::unavailable)?;
    turn.map(Some).map_err(StoreError::unavailable)
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use crate::Database;
    use crate::sqlite::open;
    use crate::transaction::TransactionPurpose;

    use super::*;

    type Made = fn(&TenantId) -> TransactionPurpose<'_>;

    /// The order in which transactions are served after one of `held` connections is returned. A hundred
    /// transactions of one tenant wait, and then one of another tenant.
    async fn order(database: &Database, held: usize, purpose: Made) -> Vec<String> {
        let [acme, globex] = ["acme", "globex"].map(|name| TenantId::parse(name).unwrap());
        let mut busy = join_all((0..held).map(|_| database.begin(purpose(&globex)))).await;
        let served = std::sync::Mutex::new(Vec::new());
        let transaction = async |tenant: &TenantId| {
            let transaction = database.begin(purpose(tenant)).await.unwrap();
            served.lock().unwrap().push(tenant.to_string());
            transaction.commit().await.unwrap();
        };
        let flood = join_all((0..100).map(|_| transaction(&globex)));
        let end = async {
            // The other futures are polled first, so all of them are waiting now.
            tokio::task::yield_now().await;
            drop(busy.pop());
        };
        tokio::join!(flood, transaction(&acme), end);
        drop(busy);
        served.into_inner().unwrap()
    }

    // [shared 2]: Connections to the store, groups of writes, the queue of an overloaded worker and the bytes
    //   of caches went to the tenant that requested most | fixed | Turns of tenants in front of the pools, in
    //   groups and in the queue; a tenant above an equal share of a full cache gives up its own entries
    //   ([decision 41](decisions/0041-shared-resources-have-turns-by-tenant.md))
    #[tokio::test]
    async fn tenant_waits_at_most_one_turn_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let database = open(&folder.path().join("latchkey.db")).await.unwrap();
        for (held, purpose) in [
            (1, (|tenant| TransactionPurpose::WritesOf(tenant)) as Made),
            (4, |tenant| TransactionPurpose::Reads(Some(tenant))),
        ] {
            let order = order(&database, held, purpose).await;
            assert_eq!(order.len(), 101);
            let turn = order.iter().position(|tenant| tenant == "acme");
            assert!(turn.is_some_and(|turn| turn <= 1), "{turn:?} of {held}");
        }
    }

    #[tokio::test]
    async fn tenant_lookups_share_a_turn_that_times_out() {
        let [acme, globex] = ["acme", "globex"].map(|name| TenantId::parse(name).unwrap());
        let named =
            |tenant| crate::statement::Statement::from_text("SELECT 1").bind(tenant).asking_for_tenant();
        assert_eq!(named(&acme).tenant(), named(&globex).tenant());
        assert_ne!(named(&acme).tenant(), Some(&acme));
        let (turns, longest) = (StoreTurns::new(1, 1), Duration::from_millis(10));
        let held = turns.reader(Some(&globex), longest).await.unwrap();
        assert!(turns.reader(None, longest).await.unwrap().is_none(), "work across tenants takes none");
        assert!(matches!(turns.reader(Some(&acme), longest).await, Err(StoreError::Unavailable(_))));
        drop(held);
        assert!(turns.reader(Some(&acme), longest).await.unwrap().is_some());
    }
}
