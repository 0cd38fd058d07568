//! The admin API over an open store, for a command that asks no server.

use std::num::NonZeroUsize;
use std::sync::Arc;

use administration::{Authority, Publish};
use anyhow::Context as _;
use cache::Caches;
use gateway::OperatorApi;
use keys::{KeyPool, KeySealer};
use secrets::{HashPool, Pepper};
use settings::PlatformSettings;
use storage::Database;

use crate::jwks_fetcher::GuardedJwksFetcher;
use crate::platform::{THREADS, caches, composition};
use crate::tls;

/// The routes over this store, for the `operator`, and the caches of what they read. `publish` is called
/// with what they commit.
pub async fn operator_api(
    settings: &PlatformSettings,
    database: &Arc<Database>,
    sealer: Arc<dyn KeySealer>,
    pepper: &Arc<Pepper>,
    operator: Authority,
    publish: Publish,
) -> anyhow::Result<(OperatorApi, Caches)> {
    let (caches, _) = caches(database, pepper, settings)?;
    let hashes = Arc::new(HashPool::start(NonZeroUsize::MIN).context(THREADS)?);
    // A pool of keys would continue to generate after the one that is needed.
    let pool = KeyPool::new(0);
    let fetcher = Arc::new(GuardedJwksFetcher::new(settings));
    let composition = composition(settings, (database, &caches), sealer, pepper, hashes, pool, fetcher);
    let (administrator, clock) = (composition.administrator(publish), Arc::clone(&composition.clock));
    let tokens = composition.token_services(tls::certificate_sources(settings));
    let api = OperatorApi::new(Arc::new(administrator), tokens, clock, operator).await;
    Ok((api, caches))
}
