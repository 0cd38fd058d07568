//! One process: the services of the program over the simulated connections.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use administration::administrator::secret_writer::NoStores;
use administration::administrator::{Administrator, EditPolicy, ReadClock};
use administration::kinds::Invalidation;
use administration::rules::UrlRule;
use administration::store::ChangeLog as _;
use cache::{Caches, Capacity, Freshness};
use futures_util::FutureExt as _;
use gateway::{CertificateSources, Composition, TokenServices};
use keys::{KeyPool, KeyRingCache};
use registry::PublicUrls;
use secrets::SharedCounts;
use storage::{ChangeFeed, FeedNews};
use testkit::TestStore;
use tokio::task::AbortHandle;
use tokio::time::sleep;
use values::{Lifetime, Rate};

use super::defect::Defect;
use super::links::{Log, StoreLink};
use super::model::FRESH;
use super::world::World;
use crate::rotation::KeyScheduler;

const PUBLIC_URL: &str = "http://localhost:3000";

pub(super) struct Replica {
    pub(super) world: Arc<World>,
    pub(super) number: usize,
    pub(super) administrator: Arc<Administrator>,
    pub(super) tokens: TokenServices,
    pub(super) keys: Arc<KeyRingCache>,
    tasks: parking_lot::Mutex<Vec<AbortHandle>>,
}

impl Replica {
    /// Starts a process. It answers requests as soon as the store has answered.
    pub(super) fn start(world: &Arc<World>, number: usize) {
        let world = Arc::clone(world);
        let link = StoreLink { world: Arc::clone(&world), replica: number };
        let store = Arc::new(world.truth.through(Arc::new(link)));
        tokio::spawn(async move {
            let position = loop {
                match world.gates[number].run(store.position()).await {
                    Ok(position) => break position,
                    Err(_) => sleep(Duration::from_secs(1)).await,
                }
            };
            let (replica, caches) = Self::compose(&world, number, &store);
            let log = Log { world: Arc::clone(&world), replica: number };
            let feed = ChangeFeed::new(Box::new(log), position.to_string());
            replica.spawn(feed.watch(move |news| match news {
                FeedNews::Changed(changed) => caches.forget(&changed),
                FeedNews::NewHistory(history) => caches.begin_history(history),
                FeedNews::UpToDate(at) => caches.follow(at),
            }));
            let clock = clock(&world, number);
            let rotation =
                KeyScheduler::new(store, Arc::clone(&replica.administrator) as _, clock, Arc::default());
            replica.spawn(Arc::new(rotation).run());
            world.note(format!("replica {number} serves"));
            world.set_replica(number, Some(replica));
        });
    }

    pub(super) fn kill(&self) {
        self.world.set_replica(self.number, None);
        self.world.warm_since.lock()[self.number] = None;
        self.world.listeners.lock()[self.number] = None;
        self.tasks.lock().drain(..).for_each(|task| task.abort());
    }

    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let (world, number) = (Arc::clone(&self.world), self.number);
        let task = tokio::spawn(async move {
            let ended = AssertUnwindSafe(world.gates[number].run(work)).catch_unwind().await;
            if ended.is_err() {
                world.violated(format!("a task of replica {number} panics"));
            }
        });
        let mut tasks = self.tasks.lock();
        tasks.retain(|task| !task.is_finished());
        tasks.push(task.abort_handle());
    }

    fn compose(world: &Arc<World>, number: usize, store: &Arc<TestStore>) -> (Arc<Self>, Caches) {
        let is_planted = |defect| world.defect == Some(defect);
        let never_aged = is_planted(Defect::LostNotificationsAreNeverMadeUpFor);
        let fresh = if never_aged { Duration::from_secs(3_600) } else { FRESH };
        let caches = Caches::new(store.clone(), None, Capacity::default(), Freshness::new(fresh));
        let (sealer, key_pool) = (Arc::clone(&world.sealer), KeyPool::new(0));
        let signing_keys = caches.signing_keys.clone();
        let keys = Arc::new(KeyRingCache::new(signing_keys, sealer.clone(), key_pool.clone(), 1 << 20));
        let composition = Composition {
            store: store.clone(),
            rows: caches.rows(),
            identifiers: store.clone(),
            jwks_fetcher: store.clone(),
            keys: Arc::clone(&keys),
            key_pool,
            sealer,
            pepper: Arc::clone(&world.pepper),
            hashes: Arc::clone(&world.hashes),
            policy: EditPolicy {
                public_url: PUBLIC_URL.to_owned(),
                live_secrets: 100,
                api_keys: 10,
                clients: 100,
                deletion_grace: Lifetime::from_seconds(0),
                l1_lifetime: Lifetime::from_seconds(FRESH.as_secs()),
                urls: UrlRule::default(),
                mail: administration::mail::MailPolicy::default(),
            },
            public_urls: PublicUrls::new(PUBLIC_URL, None),
            default_tenant: None,
            failed_attempts: Rate::per_minute(1_000_000),
            shared_counts: SharedCounts::default(),
            refusal_timer: None,
            share: None,
            refused_samples: &[],
            secret_writer: Arc::new(NoStores),
            clock: clock(world, number),
        };
        let keeps_own = is_planted(Defect::OwnEntriesAreKept);
        let published = caches.clone();
        let administrator = composition.administrator(Arc::new(move |changed: &[Invalidation]| {
            if !keeps_own {
                published.apply(changed);
            }
        }));
        let replica = Self {
            world: Arc::clone(world),
            number,
            administrator: Arc::new(administrator),
            tokens: composition.token_services(CertificateSources::default()),
            keys,
            tasks: parking_lot::Mutex::default(),
        };
        (Arc::new(replica), caches)
    }
}

fn clock(world: &Arc<World>, number: usize) -> ReadClock {
    let world = Arc::clone(world);
    Arc::new(move || world.clock(number))
}
