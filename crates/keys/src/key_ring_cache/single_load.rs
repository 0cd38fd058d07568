//! Loads a tenant's keys once at a time. Callers that arrive during a load get its result or its error. If
//! the caller that runs the load is cancelled, one of the waiting callers starts a new load.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::Shared;
use parking_lot::Mutex;
use tenancy::TenantId;
use tokio::sync::oneshot;

use crate::KeyError;
use crate::loaded_keys::LoadedKeys;

type LoadResult = Result<Arc<LoadedKeys>, KeyError>;
/// Waiting callers continue in the order of their arrival.
type WaitingCallers = Shared<oneshot::Receiver<LoadResult>>;

#[derive(Default)]
pub(crate) struct SingleLoads(Mutex<HashMap<TenantId, WaitingCallers>>);

/// The load of one caller. When it is dropped, others may start a load.
struct Running<'a> {
    loads: &'a SingleLoads,
    tenant: &'a TenantId,
    /// `None` after the load has ended.
    result: Option<oneshot::Sender<LoadResult>>,
}

enum LoadPart<'a> {
    Known(Arc<LoadedKeys>),
    Waiting(WaitingCallers),
    Running(Running<'a>),
}

impl SingleLoads {
    /// Returns the result of `load`, or of a load that is already running, or the value of `known` if a load
    /// has just ended. Calls `keep` with a result before the load ends, so that `known` can find it.
    pub(crate) async fn load(
        &self,
        tenant: &TenantId,
        known: impl Fn() -> Option<Arc<LoadedKeys>>,
        load: impl Future<Output = LoadResult>,
        keep: impl Fn(&Arc<LoadedKeys>),
    ) -> LoadResult {
        let mut load = pin!(load);
        loop {
            match self.part(tenant, &known) {
                LoadPart::Known(loaded) => return Ok(loaded),
                LoadPart::Waiting(waiting) => {
                    if let Ok(loaded) = waiting.await {
                        return loaded;
                    }
                }
                LoadPart::Running(mut running) => {
                    let loaded = load.as_mut().await;
                    loaded.iter().for_each(&keep);
                    running.result.take().map(|result| result.send(loaded.clone()));
                    return loaded;
                }
            }
        }
    }

    fn part<'a>(&'a self, tenant: &'a TenantId, known: impl Fn() -> Option<Arc<LoadedKeys>>) -> LoadPart<'a> {
        let mut loads = self.0.lock();
        if let Some(waiting) = loads.get(tenant) {
            return LoadPart::Waiting(waiting.clone());
        }
        if let Some(loaded) = known() {
            return LoadPart::Known(loaded);
        }
        let (result, waiting) = oneshot::channel();
        loads.insert(tenant.clone(), waiting.shared());
        LoadPart::Running(Running { loads: self, tenant, result: Some(result) })
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.loads.0.lock().remove(self.tenant);
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::task::yield_now;

    use super::*;

    fn tenants() -> [TenantId; 2] {
        ["acme", "globex"].map(|name| TenantId::parse(name).unwrap())
    }

    fn failure(tenant: &TenantId) -> LoadResult {
        Err(KeyError::Contended { tenant: tenant.clone() })
    }

    #[tokio::test]
    async fn concurrent_callers_of_a_tenant_share_one_load() {
        let (loads, begun) = (SingleLoads::default(), AtomicUsize::new(0));
        let [acme, globex] = tenants();
        let load = |tenant| {
            let counted = async move {
                yield_now().await;
                failure(tenant)
            };
            loads.load(
                tenant,
                || None,
                async {
                    begun.fetch_add(1, Ordering::Relaxed);
                    counted.await
                },
                |_| (),
            )
        };
        let (first, second, other) = tokio::join!(load(&acme), load(&acme), load(&globex));
        for (loaded, tenant) in [(first, "acme"), (second, "acme"), (other, "globex")] {
            assert!(loaded.is_err_and(|error| error.to_string().contains(tenant)), "{tenant}");
        }
        assert_eq!(begun.load(Ordering::Relaxed), 2);
        // Errors are not cached.
        assert!(load(&acme).await.is_err());
        assert_eq!(begun.load(Ordering::Relaxed), 3);
        assert!(loads.0.lock().is_empty());
    }

    #[tokio::test]
    async fn waiter_loads_when_the_loader_is_cancelled() {
        let loads = Arc::new(SingleLoads::default());
        let spawned = |endless: bool| {
            let (loads, [acme, _]) = (loads.clone(), tenants());
            tokio::spawn(async move {
                let load = async {
                    if endless {
                        pending::<()>().await;
                    }
                    failure(&acme)
                };
                loads.load(&acme, || None, load, |_| ()).await
            })
        };
        let first = spawned(true);
        yield_now().await;
        let second = spawned(false);
        yield_now().await;
        assert!(!second.is_finished());
        first.abort();
        assert!(second.await.unwrap().is_err());
        assert!(loads.0.lock().is_empty());
    }
}
