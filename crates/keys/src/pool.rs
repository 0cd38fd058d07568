//! RSA keys that are generated in advance, so that the first token of a new tenant does not wait for one. One
//! thread generates them. Another thread generates requested larger keys, because a 4096-bit key may take
//! seconds and must not delay a first token.

use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::Duration;

use tenancy::{TenantId, TenantTurns};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, sleep};

use crate::{GenerationError, KeySpec, PrivateKeyDocument, RsaSize};

/// The most callers of one tenant that wait for a key.
const MOST_WAITING: usize = 1_024;

/// A stock of RSA-2048 keys without an owner. Keys of other sizes are generated on
/// request. Clones share the stock.
#[derive(Clone, Debug)]
pub struct KeyPool {
    shared: Arc<PoolState>,
}

#[derive(Debug)]
struct PoolState {
    size: usize,
    stock: StdMutex<Stock>,
    /// Generation never uses more than two threads, whatever the number of tenants.
    stocked: Lane,
    others: Lane,
}

/// One thread of generation.
#[derive(Debug)]
struct Lane {
    /// The callers, in turn by tenant.
    tenants: TenantTurns,
    /// The thread. One caller at a time waits for it, beside the task that fills the stock.
    thread: Arc<Mutex<()>>,
}

#[derive(Debug, Default)]
struct Stock {
    ready: Vec<PrivateKeyDocument>,
    /// Whether taken keys are replaced. A start that needs keys makes those alone.
    is_kept: bool,
    filling: bool,
}

impl KeyPool {
    /// The kind of key that is generated in advance.
    const STOCKED: RsaSize = RsaSize::Bits2048;
    /// The pause between taking a key and generating its replacement, so that the caller can use the key
    /// first. With few cores, generation would delay that request by more than all its other work.
    const PAUSE: Duration = Duration::from_millis(50);

    /// Creates an empty pool of this size; a pool of size zero generates every key on request.
    #[must_use]
    pub fn new(size: usize) -> Self {
        let [stocked, others] =
            [(); 2].map(|()| Lane { tenants: TenantTurns::new(1, MOST_WAITING), thread: Arc::default() });
        Self { shared: Arc::new(PoolState { size, stock: StdMutex::default(), stocked, others }) }
    }

    /// Fills the pool in the background after this pause, and from then on whenever a key is taken. The
    /// caller must be in a Tokio runtime.
    pub fn keep_full_after(&self, pause: Duration) {
        self.stock().is_kept = true;
        self.refill_after(pause);
    }

    fn refill_after(&self, pause: Duration) {
        {
            let mut stock = self.stock();
            if !stock.is_kept || stock.filling || stock.ready.len() >= self.shared.size {
                return;
            }
            stock.filling = true;
        }
        let pool = self.clone();
        tokio::spawn(async move {
            sleep(pause).await;
            pool.fill().await;
        });
    }

    /// The number of available keys.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.stock().ready.len()
    }

    /// A key of this kind for one caller. An RSA key comes from the stock, or is generated in the tenant's
    /// turn off the caller's thread. A 2048-bit key never waits for a larger one. Other keys are generated at
    /// once.
    ///
    /// # Errors
    /// [`GenerationError`].
    pub async fn take(
        &self,
        tenant: &TenantId,
        spec: KeySpec,
    ) -> Result<PrivateKeyDocument, GenerationError> {
        match spec.rsa() {
            Some(Self::STOCKED) => self.take_stocked(tenant).await,
            Some(size) => {
                let lane = &self.shared.others;
                let _turn = lane.tenants.take(tenant).await.map_err(|_| GenerationError)?;
                generate(size, lane.thread.clone().lock_owned().await).await
            }
            None => PrivateKeyDocument::from_spec(spec),
        }
    }

    async fn take_stocked(&self, tenant: &TenantId) -> Result<PrivateKeyDocument, GenerationError> {
        let document = match self.pop() {
            Some(document) => document,
            None => {
                let lane = &self.shared.stocked;
                let _turn = lane.tenants.take(tenant).await.map_err(|_| GenerationError)?;
                let turn = lane.thread.clone().lock_owned().await;
                // The turn before may have filled the pool.
                match self.pop() {
                    Some(document) => document,
                    None => generate(Self::STOCKED, turn).await?,
                }
            }
        };
        self.refill_after(Self::PAUSE);
        Ok(document)
    }

    /// Uses half a core at most: after each key it pauses for as long as the generation took, without a turn.
    /// So a request for a key is served at full speed meanwhile.
    async fn fill(&self) {
        loop {
            let turn = self.shared.stocked.thread.clone().lock_owned().await;
            let began = Instant::now();
            let made = generate(Self::STOCKED, turn).await;
            let took = began.elapsed();
            {
                let mut stock = self.stock();
                match made {
                    Ok(document) => stock.ready.push(document),
                    Err(error) => {
                        stock.filling = false;
                        tracing::error!(%error, "the pool of RSA keys stays empty until a key is requested");
                        return;
                    }
                }
            }
            sleep(took).await;
            // The lock guards the decision: a caller that takes a key after this sees that the pool is not
            // being filled.
            let mut stock = self.stock();
            if stock.ready.len() >= self.shared.size {
                stock.filling = false;
                return;
            }
        }
    }

    fn pop(&self) -> Option<PrivateKeyDocument> {
        self.stock().ready.pop()
    }

    fn stock(&self) -> MutexGuard<'_, Stock> {
        // No code under the lock can panic.
        self.shared.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The turn moves into the thread: a caller that gives up does not stop the work, so it must not make room
/// for more work either.
async fn generate(size: RsaSize, turn: OwnedMutexGuard<()>) -> Result<PrivateKeyDocument, GenerationError> {
    let made = tokio::task::spawn_blocking(move || {
        let made = PrivateKeyDocument::generate_rsa(size);
        drop(turn);
        made
    });
    made.await.map_err(|_| GenerationError)?
}

#[cfg(test)]
mod tests {
    use protocol::SigningAlgorithm;
    use tokio::time::timeout;

    use super::*;
    use crate::test_keys::signed_parts;
    use crate::{KeyId, SigningKey};

    fn spec(algorithm: SigningAlgorithm, rsa_size: RsaSize) -> KeySpec {
        KeySpec { algorithm, rsa_size }
    }

    async fn take(pool: &KeyPool, tenant: &str, spec: KeySpec) -> PrivateKeyDocument {
        pool.take(&TenantId::parse(tenant).unwrap(), spec).await.unwrap()
    }

    async fn filled(pool: &KeyPool, keys: usize) {
        while pool.ready() < keys || pool.stock().filling {
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The key waits for the one in generation, and for one that waited before.
    #[tokio::test]
    async fn a_tenant_that_requests_many_keys_delays_the_key_of_another_by_one() {
        let pool = KeyPool::new(0);
        let held = pool.shared.stocked.thread.clone().lock_owned().await;
        let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
        for id in ["acme", "acme", "acme", "acme", "globex"] {
            let (pool, done) = (pool.clone(), done.clone());
            tokio::spawn(async move {
                take(&pool, id, usual()).await;
                done.send(id).unwrap();
            });
            tokio::task::yield_now().await;
        }
        drop(held);
        let first = [order.recv().await, order.recv().await, order.recv().await];
        assert_eq!(first, [Some("acme"), Some("acme"), Some("globex")]);
    }

    fn usual() -> KeySpec {
        spec(SigningAlgorithm::RS256, RsaSize::Bits2048)
    }

    #[tokio::test]
    async fn a_pool_fills_in_the_background_and_gives_each_key_once() {
        let pool = KeyPool::new(2);
        take(&pool, "acme", usual()).await;
        assert_eq!((pool.ready(), pool.stock().filling), (0, false));
        pool.keep_full_after(Duration::ZERO);
        pool.keep_full_after(Duration::ZERO);
        while pool.ready() < 2 {
            sleep(Duration::from_millis(5)).await;
        }
        let [one, two] = [take(&pool, "acme", usual()).await, take(&pool, "acme", usual()).await];
        assert_ne!(one.expose(), two.expose());
        filled(&pool, 2).await;
    }

    #[tokio::test]
    async fn an_empty_pool_makes_keys_on_request() {
        let pool = KeyPool::new(0);
        pool.keep_full_after(Duration::ZERO);
        assert!(!take(&pool, "acme", usual()).await.expose().is_empty());
        assert_eq!((pool.ready(), pool.stock().filling), (0, false));
    }

    #[tokio::test]
    async fn other_kinds_are_made_on_request_and_leave_the_stock_alone() {
        let pool = KeyPool::new(1);
        pool.keep_full_after(Duration::ZERO);
        filled(&pool, 1).await;
        for algorithm in SigningAlgorithm::ALL {
            let spec = spec(algorithm, RsaSize::Bits3072);
            let document = take(&pool, "acme", spec).await;
            let key = SigningKey::parse(KeyId::numbered(1), algorithm, document.expose()).unwrap();
            let token = key.sign("JWT", &()).unwrap();
            if spec.rsa().is_some() {
                assert_eq!(signed_parts(&token).1.len(), 3072 / 8);
            }
        }
        assert_eq!(pool.ready(), 1);
    }

    /// The generation of larger keys may take seconds each. One runs for as long as the test holds the turn
    /// of larger keys.
    #[tokio::test]
    async fn a_usual_key_never_waits_behind_larger_ones() {
        let pool = KeyPool::new(0);
        let large = spec(SigningAlgorithm::RS256, RsaSize::Bits3072);
        let held = pool.shared.others.thread.clone().lock_owned().await;
        let waiting = take(&pool, "acme", large);
        tokio::pin!(waiting);
        assert!(timeout(Duration::ZERO, &mut waiting).await.is_err(), "one of them at a time");
        let usual = timeout(Duration::from_secs(60), take(&pool, "acme", usual())).await;
        assert!(!usual.expect("it waits for nobody").expose().is_empty());
        assert!(timeout(Duration::ZERO, &mut waiting).await.is_err());
        drop(held);
        // A larger key does not wait for a usual one either.
        let _held = pool.shared.stocked.thread.clone().lock_owned().await;
        assert!(!waiting.await.expose().is_empty());
    }

    #[tokio::test]
    async fn while_the_pool_rests_a_key_is_made_at_once() {
        let pool = KeyPool::new(1000);
        pool.keep_full_after(Duration::ZERO);
        let mut rested = 0;
        for _ in 0..200 {
            while pool.shared.stocked.thread.try_lock().is_err() {
                sleep(Duration::from_millis(1)).await;
            }
            rested += u32::from(pool.stock().filling);
            if rested == 5 {
                break;
            }
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(rested, 5, "it fills, and it is nobody's turn");
        drop(pool.shared.stocked.thread.lock().await);
    }
}
