//! Uses of identifiers at the same time share a transaction, and with it one flush to the disk.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use registry::SingleUseIdentifier;
use tenancy::{StoreError, TenantId};
use tokio::sync::oneshot;

use crate::columns::given;
use crate::database::decoded;
use crate::error::Error;
use crate::sqlite::SqlitePools;
use crate::statement::{Dialect, Statement};
use crate::used_identifiers::INSERT_ALL;

/// Rows of one transaction: its length bounds how long others wait for the writer.
const GROUP: usize = 1_000;

/// Composed once: a group of few rows costs little more than its text.
static INSERT: LazyLock<String> = LazyLock::new(|| {
    Statement::writing::<(&TenantId, &SingleUseIdentifier)>(INSERT_ALL).text(Dialect::Sqlite)
});

/// Uses that wait to be written.
#[derive(Default)]
pub(crate) struct GroupedUses {
    waiting: Mutex<Vec<Waiting>>,
    /// One request at a time writes what waits, its own use among it.
    turn: tokio::sync::Mutex<()>,
}

struct Waiting {
    tenant: TenantId,
    identifier: SingleUseIdentifier,
    answer: oneshot::Sender<Result<bool, StoreError>>,
}

impl GroupedUses {
    /// Returns whether the use was the first.
    pub(crate) async fn record(
        &self,
        pools: &SqlitePools,
        statements: &AtomicU64,
        tenant: &TenantId,
        identifier: &SingleUseIdentifier,
    ) -> Result<bool, StoreError> {
        let (answer, mut answered) = oneshot::channel();
        let use_of_request = Waiting { tenant: tenant.clone(), identifier: identifier.clone(), answer };
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(use_of_request);
        loop {
            // A request that is answered leaves the queue at once, so that the next one to write does not wait for its turn to pass.
            tokio::select! {
                biased;
                // The request that wrote this use may end before it can answer. Then nobody knows whether the use was the first.
                outcome = &mut answered => return outcome.unwrap_or_else(|_ended| {
                    Err(StoreError::unavailable("the request that wrote the identifier has ended"))
                }),
                _turn = self.turn.lock() => {
                    // The requests that this thread can go on with join the group first: a commit costs more than its rows.
                    tokio::task::yield_now().await;
                    self.write_group(pools, statements).await;
                }
            }
        }
    }

    async fn write_group(&self, pools: &SqlitePools, statements: &AtomicU64) {
        let group: Vec<_> = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let number = waiting.len().min(GROUP);
            waiting.drain(..number).collect()
        };
        if group.is_empty() {
            return;
        }
        let rows: Vec<_> = group.iter().map(|each| (&each.tenant, &each.identifier)).collect();
        match insert(pools, statements, &rows).await {
            Ok(mut first) => {
                for Waiting { tenant, identifier, answer } in group {
                    // Removed, so that of equal ones in a group one is the first.
                    let _ = answer.send(Ok(first.remove(&(tenant, identifier.digest))));
                }
            }
            Err(error) => {
                let error = StoreError::from(error);
                for each in group {
                    let _ = each.answer.send(Err(error.clone()));
                }
            }
        }
    }
}

/// Returns those that were not there before.
async fn insert(
    pools: &SqlitePools,
    statements: &AtomicU64,
    rows: &[(&TenantId, &SingleUseIdentifier)],
) -> Result<HashSet<(TenantId, [u8; 32])>, Error> {
    statements.fetch_add(1, Ordering::Relaxed);
    let statement = Statement::of(INSERT.as_str()).bind(given(rows));
    let inserted = decoded(&pools.write(&statement).await?)?;
    Ok(inserted.into_iter().collect())
}
