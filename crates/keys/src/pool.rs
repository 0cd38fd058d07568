//! RSA keys that are generated in advance, so that the first token of a new tenant does not wait for one. One
//! thread generates them. Another thread generates larger keys on request, because a 4096-bit key may take
//! seconds.

use std::sync::Arc;
use std::time::Duration;

use tenancy::{TenantId, TenantTurns};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, sleep};

use crate::{GenerationError, KeySpec, PrivateKeyDocument, RsaSize};

/// The maximum number of callers of one tenant that wait for a key.
const MOST_WAITING: usize = 1_024;

/// A pool of RSA-2048 keys. Keys of other sizes are generated on request. Clones share the pool.
#[derive(Clone, Debug)]
pub struct KeyPool {
    shared: Arc<PoolState>,
}

#[derive(Debug)]
struct PoolState {
    size: usize,
    stock: parking_lot::Mutex<Stock>,
    /// At most two threads generate keys, however many tenants there are.
    stocked: Lane,
    others: Lane,
}

/// One thread that generates keys.
#[derive(Debug)]
struct Lane {
    /// The waiting callers; tenants take turns.
    tenants: TenantTurns,
    /// Held while the thread is busy. Besides the task that fills the pool, only one caller waits for it at a
    /// time.
    thread: Arc<Mutex<()>>,
}

#[derive(Debug, Default)]
struct Stock {
    ready: Vec<PrivateKeyDocument>,
    /// Whether keys that were taken are replaced. At startup, only the keys that are needed are generated.
    is_kept: bool,
    filling: bool,
}

impl KeyPool {
    const STOCKED: RsaSize = RsaSize::Bits2048;
    /// The pause between taking a key and generating its replacement, so that the caller can use the key
    /// first. With few cores, the generation would delay the request more than all its other work.
    const PAUSE: Duration = Duration::from_millis(50);

    /// Creates an empty pool for `size` keys. A pool of size zero generates every key on request.
    #[must_use]
    pub fn new(size: usize) -> Self {
        let [stocked, others] =
            [(); 2].map(|()| Lane { tenants: TenantTurns::new(1, MOST_WAITING), thread: Arc::default() });
        Self { shared: Arc::new(PoolState { size, stock: parking_lot::Mutex::default(), stocked, others }) }
    }

    /// Fills the pool in the background after this pause, and from then on whenever a key is taken. Must be
    /// called in a Tokio runtime.
    pub fn keep_full_after(&self, pause: Duration) {
        self.shared.stock.lock().is_kept = true;
        self.refill_after(pause);
    }

    fn refill_after(&self, pause: Duration) {
        {
            let mut stock = self.shared.stock.lock();
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

    #[must_use]
    pub fn ready(&self) -> usize {
        self.shared.stock.lock().ready.len()
    }

    /// A key for one caller. An RSA key comes from the pool, or is generated on another thread when it is the
    /// tenant's turn. A 2048-bit key never waits for a larger key. Keys of other algorithms are generated
    /// immediately.
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
                // The previous turn may have filled the pool.
                match self.pop() {
                    Some(document) => document,
                    None => generate(Self::STOCKED, turn).await?,
                }
            }
        };
        self.refill_after(Self::PAUSE);
        Ok(document)
    }

    /// Uses at most half a core: after each key it pauses for as long as the generation took, without holding
    /// the turn. So a request for a key can run at full speed in the pauses.
    async fn fill(&self) {
        loop {
            let turn = self.shared.stocked.thread.clone().lock_owned().await;
            let began = Instant::now();
            let made = generate(Self::STOCKED, turn).await;
            let took = began.elapsed();
            {
                let mut stock = self.shared.stock.lock();
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
            // Decides under the lock, so that a caller that takes a key afterwards sees that the pool is not
            // being filled.
            let mut stock = self.shared.stock.lock();
            if stock.ready.len() >= self.shared.size {
                stock.filling = false;
                return;
            }
        }
    }

    fn pop(&self) -> Option<PrivateKeyDocument> {
        self.shared.stock.lock().ready.pop()
    }
}

/// Moves the turn into the thread. If the caller is cancelled, the work continues, so the turn must not be
/// released early.
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
        KeySpec { algorithm: algorithm.into(), rsa_size }
    }

    async fn take(pool: &KeyPool, tenant: &str, spec: KeySpec) -> PrivateKeyDocument {
        pool.take(&TenantId::parse(tenant).unwrap(), spec).await.unwrap()
    }

    async fn filled(pool: &KeyPool, keys: usize) {
        while pool.ready() < keys || pool.shared.stock.lock().filling {
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The key waits only for the key that is being generated and for one that waited before.
    #[tokio::test]
    async fn busy_tenant_delays_other_tenants_by_one_key() {
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
    async fn pool_refills_in_background_and_hands_out_keys_once() {
        let pool = KeyPool::new(2);
        take(&pool, "acme", usual()).await;
        assert_eq!((pool.ready(), pool.shared.stock.lock().filling), (0, false));
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
        assert_eq!((pool.ready(), pool.shared.stock.lock().filling), (0, false));
    }

    #[tokio::test]
    async fn unpooled_key_types_are_generated_on_request() {
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

    /// Larger keys may take seconds each. While the test holds the lock of larger keys, one of them counts as
    /// being generated.
    #[tokio::test]
    async fn usual_key_does_not_wait_for_larger_keys() {
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
        // A larger key does not wait for a 2048-bit key either.
        let _held = pool.shared.stocked.thread.clone().lock_owned().await;
        assert!(!waiting.await.expose().is_empty());
    }

    #[tokio::test]
    async fn filling_pool_releases_the_thread_between_keys() {
        let pool = KeyPool::new(1000);
        pool.keep_full_after(Duration::ZERO);
        let mut rested = 0;
        for _ in 0..200 {
            while pool.shared.stocked.thread.try_lock().is_err() {
                sleep(Duration::from_millis(1)).await;
            }
            rested += u32::from(pool.shared.stock.lock().filling);
            if rested == 5 {
                break;
            }
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(rested, 5, "it fills, and it is nobody's turn");
        drop(pool.shared.stocked.thread.lock().await);
    }
}
