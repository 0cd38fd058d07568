//! The store for tests: SQLite in a separate folder, which counts its calls and fails or waits on demand.
//!
//! Each call completes when it is polled once. So a test may stop its clock, or delay answers and know what
//! has been read and written. A [`Link`] can delay and lose calls.
//!
//! The store is SQLite, as in production, because a second implementation in memory hid a fault. The database
//! is a file in a memory file system: connections to one `:memory:` database share a cache that locks whole
//! tables. Two requests of a test do not read at the same time; tests of concurrent reads are in `storage`.
//! `storage` depends on `testkit` for its tests, so unit tests of `storage` use plain fixtures only.

mod blocking;
mod link;
mod rows;
mod standby;
mod template;
mod traits;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use administration::audit::AuditRecord;
use administration::store::AuditLog as _;
use administration::store::query::AuditQuery;
use async_trait::async_trait;
use parking_lot::{Mutex, MutexGuard};
use registry::{FetchedJwks, JwksFetcher, KeyPlace, KeySource, jwks_uri_of};
use sqlx::SqlitePool;
use storage::{Database, sqlite};
use tempfile::TempDir;
use tenancy::{Stored, TenantId};

use self::blocking::block_on;
pub use self::link::Link;
pub use self::standby::Standby;
use crate::fault_injection::FaultInjection;
use crate::{Calls, Failure, Held};

/// Longer than a lookup takes on a machine that runs other tests at the same time.
const LOOKUP_WAIT: Duration = Duration::from_secs(60);

/// All rows of a platform, for one test.
pub struct TestStore {
    server: Arc<Mutex<Server>>,
    /// The key sets that clients publish, by tenant and URL.
    published_jwks: Mutex<BTreeMap<(TenantId, String), String>>,
    calls: Mutex<Calls>,
    faults: FaultInjection,
    has_fresh_revocations: AtomicBool,
    link: Option<Arc<dyn Link>>,
    folder: Arc<TempDir>,
}

/// The database of the store. After a failover it is the database of the standby.
#[derive(Clone)]
struct Server {
    database: Arc<Database>,
    /// One connection without foreign keys, for writes that no commit makes.
    rows: SqlitePool,
}

impl Default for TestStore {
    fn default() -> Self {
        Self::new()
    }
}

impl TestStore {
    /// An empty store.
    ///
    /// # Panics
    /// If no file can be created.
    #[must_use]
    pub fn new() -> Self {
        block_on(async {
            let folder = template::folder().expect("a folder can be made");
            let path = folder.path().join("latchkey.db");
            template::copy_to(&path).await;
            Self {
                server: Arc::new(Mutex::new(Server::open(&path).await)),
                published_jwks: Mutex::default(),
                calls: Mutex::default(),
                faults: FaultInjection::default(),
                has_fresh_revocations: AtomicBool::default(),
                link: None,
                folder: Arc::new(folder),
            }
        })
    }

    /// The same store as another process sees it. The calls of that process pass through this link.
    #[must_use]
    pub fn through(&self, link: Arc<dyn Link>) -> Self {
        Self {
            server: Arc::clone(&self.server),
            published_jwks: Mutex::default(),
            calls: Mutex::default(),
            faults: FaultInjection::default(),
            has_fresh_revocations: AtomicBool::default(),
            link: Some(link),
            folder: Arc::clone(&self.folder),
        }
    }

    /// The audit records of changes.
    ///
    /// # Panics
    /// If the database cannot be read.
    #[must_use]
    pub fn audit(&self) -> Vec<AuditRecord> {
        let all = AuditQuery { limit: u32::MAX, ..AuditQuery::default() };
        let newest_first = block_on(self.database().list_audit(&all)).expect("the records can be read");
        newest_first.into_iter().rev().map(|(_, record)| record).collect()
    }

    /// The number of statements that the database has executed.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.database().statements()
    }

    #[must_use]
    pub fn calls(&self) -> Calls {
        *self.counters()
    }

    /// Waits until the numbers of calls satisfy `is_so`.
    pub async fn until(&self, is_so: impl Fn(Calls) -> bool) {
        while !is_so(self.calls()) {
            tokio::task::yield_now().await;
        }
    }

    /// From now on every call fails like this. `None` ends the failures.
    pub fn fail_with(&self, failure: impl Into<Option<Failure>>) {
        self.faults.fail_with(failure.into());
    }

    /// From now on the store has fresh revocations in memory, as a cache does.
    pub fn keep_revocations_fresh(&self) {
        self.has_fresh_revocations.store(true, Ordering::Relaxed);
    }

    /// From now on calls read and write immediately, but return only after the value is dropped.
    pub async fn hold_answers(&self) -> Held {
        self.faults.hold().await
    }

    /// From now on this URL returns this document for this tenant. `None`: no document.
    pub fn publish_jwks(&self, tenant: &TenantId, url: &str, document: Option<&str>) {
        let key = (tenant.clone(), url.to_owned());
        let mut published = self.published_jwks.lock();
        match document {
            Some(document) => published.insert(key, document.to_owned()),
            None => published.remove(&key),
        };
    }

    fn database(&self) -> Arc<Database> {
        Arc::clone(&self.server.lock().database)
    }

    fn rows(&self) -> SqlitePool {
        self.server.lock().rows.clone()
    }

    fn counters(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock()
    }

    async fn answer<T: Send>(
        &self,
        method: &str,
        counter: impl FnOnce(&mut Calls) -> &mut u64 + Send,
        work: impl Future<Output = Stored<T>> + Send,
    ) -> Stored<T> {
        *counter(&mut self.counters()) += 1;
        if let Some(link) = &self.link {
            link.send().await?;
        }
        let answer = self.faults.check().and_then(|()| block_on(work));
        if let Some(link) = &self.link {
            link.receive(method).await?;
        }
        self.faults.pass(answer).await
    }
}

impl Server {
    async fn open(path: &Path) -> Self {
        let database = sqlite::open_waiting(path, LOOKUP_WAIT).await.expect("the database can be opened");
        Self { database: Arc::new(database), rows: rows::connection(path) }
    }
}

#[async_trait]
impl JwksFetcher for TestStore {
    async fn fetch_jwks(&self, tenant: &TenantId, source: &KeySource<'_>) -> Option<FetchedJwks> {
        let published =
            |url: &str| self.published_jwks.lock().get(&(tenant.clone(), url.to_owned())).cloned();
        let mut document = published(&source.url()?)?;
        if source.place == KeyPlace::Discovery {
            document = published(&jwks_uri_of(&document, &source.text).ok()?)?;
        }
        let keys = source.read(&document).ok()?;
        Some(FetchedJwks { keys, size: document.len(), max_age: None })
    }
}
