//! What the simulated processes share: the clock, the random generator, the store, and the history.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use administration::store::ChangeLog as _;
use futures_util::FutureExt as _;
use keys::SealingKey;
use parking_lot::{Mutex, MutexGuard};
use secrets::{HashPool, Pepper};
use tenancy::Stored;
use testkit::{Random, TestStore, fixtures};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep};
use values::{Lifetime, Timestamp};

use super::defect::Defect;
use super::directory::{Directory, settle};
use super::faults::{Fault, Faults};
use super::gate::Gate;
use super::model::{Model, TenantVersions};
use super::replica::Replica;

/// If a replica's clock is further ahead, its tokens are not valid yet at the other replica.
const AHEAD: usize = 5;

/// The simulation uses no secrets that a thread would have to hash.
static HASHES: LazyLock<Arc<HashPool>> = LazyLock::new(|| {
    Arc::new(HashPool::start(std::num::NonZeroUsize::MIN).expect("a thread can be started"))
});

/// All processes and their store.
pub(super) struct World {
    began: Instant,
    /// How many seconds the clock of each replica is ahead.
    pub(super) ahead: [u64; 2],
    pub(super) defect: Option<Defect>,
    random: Mutex<Random>,
    /// The store without its connections.
    pub(super) truth: TestStore,
    pub(super) pepper: Arc<Pepper>,
    pub(super) sealer: Arc<SealingKey>,
    pub(super) hashes: Arc<HashPool>,
    pub(super) gates: [Gate; 2],
    pub(super) has_no_more_faults: AtomicBool,
    model: Mutex<Model>,
    faults: Mutex<Faults>,
    directory: Mutex<Directory>,
    pub(super) listeners: Mutex<[Option<UnboundedSender<()>>; 2]>,
    replicas: Mutex<[Option<Arc<Replica>>; 2]>,
    /// When each replica last answered the client that no command changes, without a fault.
    pub(super) warm_since: Mutex<[Option<Duration>; 2]>,
    history: Mutex<Vec<String>>,
    violation: Mutex<Option<String>>,
}

impl World {
    pub(super) fn new(seed: u64, defect: Option<Defect>) -> Arc<Self> {
        let (mut random, truth, pepper) = (Random(seed), TestStore::new(), Arc::new(Pepper::generate()));
        let directory = settle(&mut random, &truth, &pepper);
        let ahead = [0, random.below(AHEAD) as u64];
        let mut model = Model::default();
        let first = model.add_commit(Duration::ZERO, 0, None);
        model.position = at_once(truth.position());
        model.tenants =
            directory.tenants.iter().map(|known| TenantVersions::read(&truth, known, first)).collect();
        Arc::new(Self {
            began: Instant::now(),
            ahead,
            defect,
            random: Mutex::new(random),
            truth,
            pepper,
            sealer: Arc::new(SealingKey::generate().expect("a key can be generated")),
            hashes: Arc::clone(&HASHES),
            gates: Default::default(),
            has_no_more_faults: AtomicBool::new(false),
            model: Mutex::new(model),
            faults: Mutex::default(),
            directory: Mutex::new(directory),
            listeners: Mutex::default(),
            replicas: Mutex::default(),
            warm_since: Mutex::default(),
            history: Mutex::default(),
            violation: Mutex::default(),
        })
    }

    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// The time of a replica's clock.
    pub(super) fn clock(&self, replica: usize) -> Timestamp {
        self.clock_at(replica, self.now())
    }

    pub(super) fn clock_at(&self, replica: usize, at: Duration) -> Timestamp {
        fixtures::NOW + Lifetime::from_seconds(at.as_secs() + self.ahead[replica])
    }

    pub(super) fn below(&self, end: usize) -> usize {
        self.random.lock().below(end)
    }

    /// A random number of milliseconds below `end`.
    pub(super) fn millis(&self, end: usize) -> Duration {
        Duration::from_millis(self.below(end) as u64)
    }

    pub(super) fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock()
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock()
    }

    pub(super) fn directory(&self) -> MutexGuard<'_, Directory> {
        self.directory.lock()
    }

    pub(super) fn replica(&self, number: usize) -> Option<Arc<Replica>> {
        self.replicas.lock()[number].clone()
    }

    pub(super) fn set_replica(&self, number: usize, replica: Option<Arc<Replica>>) {
        self.replicas.lock()[number] = replica;
    }

    pub(super) fn holds(&self, replica: usize, fault: Fault) -> bool {
        self.faults().holds(replica, fault)
    }

    pub(super) fn begin(&self, replica: usize, fault: Fault) {
        self.faults().begin(replica, fault, self.now());
        self.note(format!("replica {replica}: {fault:?}"));
        if fault == Fault::Stopped {
            self.gates[replica].stop();
        }
    }

    pub(super) fn end(&self, replica: usize, fault: Fault) {
        if self.holds(replica, fault) {
            self.faults().end(replica, fault, self.now());
            self.note(format!("replica {replica}: {fault:?} ends"));
            if fault == Fault::Stopped {
                self.gates[replica].go_on(|end| self.below(end));
            }
        }
    }

    /// Begins a fault, which ends within this number of milliseconds.
    pub(super) fn begin_for_a_while(self: &Arc<Self>, replica: usize, fault: Fault, longest: usize) {
        self.begin(replica, fault);
        let (world, lasts) = (Arc::clone(self), self.millis(longest));
        tokio::spawn(async move {
            sleep(lasts).await;
            world.end(replica, fault);
        });
    }

    pub(super) fn note(&self, event: impl AsRef<str>) {
        self.history.lock().push(format!("{:>9.3} {}", self.now().as_secs_f64(), event.as_ref()));
    }

    pub(super) fn violated(&self, violation: String) {
        self.note(&violation);
        self.violation.lock().get_or_insert(violation);
    }

    pub(super) fn violation(&self) -> Option<String> {
        self.violation.lock().clone()
    }

    pub(super) fn history(&self) -> Vec<String> {
        self.history.lock().clone()
    }
}

pub(super) fn at_once<T>(call: impl Future<Output = Stored<T>>) -> T {
    call.now_or_never().expect("the store answers at once").expect("the store answers")
}
