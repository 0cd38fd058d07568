//! RSA keys made ahead, one thread at a time, so that a new tenant's first token need not wait for one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::SigningAlgorithm;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{GenerationError, PrivateKeyDocument};

/// A stock of RSA-2048 keys that belong to nobody yet. Clones share it.
#[derive(Clone, Debug)]
pub struct KeyPool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    size: usize,
    stock: Mutex<Stock>,
    /// One permit: generation never takes more than one thread, however many tenants come at once. It is fair, so nobody starves.
    generator: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Stock {
    ready: Vec<PrivateKeyDocument>,
    filling: bool,
}

impl KeyPool {
    /// How many keys a pool holds unless told otherwise.
    pub const DEFAULT_SIZE: usize = 2;

    /// An empty pool that will hold this many keys; with none, every key is made when it is asked for.
    #[must_use]
    pub fn new(size: usize) -> Self {
        let shared = Shared { size, stock: Mutex::default(), generator: Arc::new(Semaphore::new(1)) };
        Self { shared: Arc::new(shared) }
    }

    /// Starts to fill the pool in the background if it is not full; must be called within a tokio runtime. [`KeyPool::take`] does
    /// it too.
    pub fn refill(&self) {
        {
            let mut stock = self.stock();
            if stock.filling || stock.ready.len() >= self.shared.size {
                return;
            }
            stock.filling = true;
        }
        let pool = self.clone();
        tokio::spawn(async move { pool.fill().await });
    }

    /// How many keys are ready.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.stock().ready.len()
    }

    /// A key that nobody else gets: one that is ready, or a new one, made off the caller's thread.
    ///
    /// # Errors
    /// [`GenerationError`].
    pub async fn take(&self) -> Result<PrivateKeyDocument, GenerationError> {
        let document = match self.pop() {
            Some(document) => document,
            None => {
                let permit = self.permit().await?;
                // While this waited, the one before may have filled the pool.
                match self.pop() {
                    Some(document) => document,
                    None => generate(permit).await?,
                }
            }
        };
        self.refill();
        Ok(document)
    }

    async fn fill(&self) {
        loop {
            let made = match self.permit().await {
                Ok(permit) => generate(permit).await,
                Err(error) => Err(error),
            };
            let mut stock = self.stock();
            match made {
                Ok(document) => stock.ready.push(document),
                Err(error) => {
                    stock.filling = false;
                    drop(stock);
                    tracing::error!(%error, "the pool of RSA keys stays empty until a key is asked for");
                    return;
                }
            }
            // Decided under the lock: who takes a key after this sees that nobody fills any more.
            if stock.ready.len() >= self.shared.size {
                stock.filling = false;
                return;
            }
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, GenerationError> {
        self.shared.generator.clone().acquire_owned().await.map_err(|_| GenerationError)
    }

    fn pop(&self) -> Option<PrivateKeyDocument> {
        self.stock().ready.pop()
    }

    fn stock(&self) -> MutexGuard<'_, Stock> {
        // Nothing that can panic runs under the lock.
        self.shared.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The permit goes along into the thread: a caller that gives up does not stop the work, and so must not let another begin.
async fn generate(permit: OwnedSemaphorePermit) -> Result<PrivateKeyDocument, GenerationError> {
    let made = tokio::task::spawn_blocking(move || {
        let made = PrivateKeyDocument::generate(SigningAlgorithm::RS256);
        drop(permit);
        made
    });
    made.await.map_err(|_| GenerationError)?
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_pool_fills_in_the_background_and_gives_each_key_once() {
        let pool = KeyPool::new(2);
        assert_eq!(pool.ready(), 0);
        pool.refill();
        pool.refill();
        while pool.ready() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let [one, two] = [pool.take().await.unwrap(), pool.take().await.unwrap()];
        assert_ne!(one.expose(), two.expose());
        while pool.ready() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(!pool.stock().filling);
    }

    #[tokio::test]
    async fn a_pool_of_none_makes_keys_when_they_are_asked_for() {
        let pool = KeyPool::new(0);
        pool.refill();
        assert!(!pool.take().await.unwrap().expose().is_empty());
        assert_eq!((pool.ready(), pool.stock().filling), (0, false));
    }
}
