//! Reads the secrets of secret stores. They are read again after a while, and kept in memory while a store
//! does not return them.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use outbound::{SecretStore, SecretStoreError, StoredSecret, open_secret_store};
use tenancy::TenantId;
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::known_stores::{KnownStore, KnownStores, is_path};

/// The longest wait before a secret that a store did not return is requested again.
const TRY_AGAIN: Duration = Duration::from_secs(15);
/// How many secrets are read at once.
const AT_ONCE: usize = 8;

/// The secret stores that this program reads, and what it has read of them.
#[derive(Default, derive_more::Debug)]
#[debug("SecretStores({} secrets)", locked(memory).read.len())]
pub struct SecretStores {
    /// The stores of the settings that were read last.
    known: Mutex<KnownStores>,
    memory: Mutex<Memory>,
    failures: Mutex<BTreeMap<StoredPlace, String>>,
}

/// A secret in a store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StoredPlace {
    /// The name of the store.
    pub(crate) store: String,
    pub(crate) path: String,
}

#[derive(Default)]
struct Memory {
    /// Each store with the settings that it was opened with.
    opened: BTreeMap<String, (String, Arc<dyn SecretStore>)>,
    read: BTreeMap<StoredPlace, HeldValue>,
}

/// The value that was read last, and when it is read again.
struct HeldValue {
    secret: Arc<StoredSecret>,
    due: Instant,
}

/// A secret, or what the store said.
pub(crate) type Read = Result<Arc<StoredSecret>, String>;

/// The values that were read from the stores.
pub(crate) type StoredValues = BTreeMap<StoredPlace, Read>;

impl SecretStores {
    /// The stores that do not give a secret now, by name.
    #[must_use]
    pub fn failing(&self) -> BTreeSet<String> {
        locked(&self.failures).keys().map(|place| place.store.clone()).collect()
    }

    /// The errors of the stores, a line for each secret.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        locked(&self.failures).values().cloned().collect()
    }

    /// Completes when a secret is to be read again.
    pub async fn due(&self) {
        let due = locked(&self.memory).read.values().map(|held| held.due).min();
        match due {
            Some(due) => sleep_until(due.into()).await,
            None => pending().await,
        }
    }

    /// Secrets that were due when a reading began and were not read, for example because the settings have an
    /// error, become due later. Secrets that became due since stay due.
    pub fn put_off(&self, began: Instant) {
        let mut memory = locked(&self.memory);
        let overdue = memory.read.values_mut().filter(|held| held.due <= began);
        overdue.for_each(|held| held.due = Instant::now() + TRY_AGAIN);
    }

    /// Lets the next reading request every secret.
    pub fn expire(&self) {
        let now = Instant::now();
        locked(&self.memory).read.values_mut().for_each(|held| held.due = now);
    }

    /// Takes the place of the stores of settings that were read before.
    pub(crate) fn know(&self, known: KnownStores) {
        *locked(&self.known) = known;
    }

    /// The store of the settings with this name, if there is one.
    pub(crate) fn known(&self, name: &str) -> Option<KnownStore> {
        locked(&self.known).get(name).cloned()
    }

    /// The names of the stores.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        locked(&self.known).keys().cloned().collect()
    }

    /// Checks the place that a secret will be written to.
    ///
    /// # Errors
    /// The error, as text for a caller.
    pub fn check_place(&self, store: &str, path: &str, has_key: bool) -> Result<(), String> {
        let Some(known) = self.known(store) else { return Err(format!("there is no secret store {store}")) };
        if !is_path(path) {
            return Err(
                "the path has segments of letters, digits and _+=.@:-, with slashes between them".to_owned()
            );
        }
        if known.needs_key() && !has_key {
            return Err("a secret of Vault has members; say which, after `#`".to_owned());
        }
        Ok(())
    }

    /// Whether the tenant's own administrators may have secrets written at this path of a store.
    #[must_use]
    pub fn allows(&self, tenant: &TenantId, store: &str, path: &str) -> bool {
        self.known(store).is_some_and(|store| store.allows(tenant, path))
    }

    /// A store that secrets are written to. `None` if the settings have none of this name.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub async fn open(&self, name: &str) -> Result<Option<Arc<dyn SecretStore>>, String> {
        let Some(store) = self.known(name) else { return Ok(None) };
        self.open_known(name, &store).await.map(Some)
    }

    async fn open_known(&self, name: &str, store: &KnownStore) -> Result<Arc<dyn SecretStore>, String> {
        let setting = format!("{:?}", store.place);
        if let Some((_, opened)) = locked(&self.memory).opened.get(name).filter(|(of, _)| *of == setting) {
            return Ok(Arc::clone(opened));
        }
        let opened = open_secret_store(name, store.options()?).await;
        let opened = opened.map_err(|error| format!("the secret store {name} cannot be used: {error}"))?;
        locked(&self.memory).opened.insert(name.to_owned(), (setting, Arc::clone(&opened)));
        Ok(opened)
    }

    /// The wanted secrets. Blocks while stores are requested, on a separate thread.
    pub(crate) fn read(&self, wanted: &BTreeSet<StoredPlace>) -> BTreeMap<StoredPlace, Read> {
        let now = Instant::now();
        let due: Vec<(StoredPlace, Option<Arc<StoredSecret>>)> = {
            let mut memory = locked(&self.memory);
            memory.read.retain(|place, _| wanted.contains(place));
            locked(&self.failures).retain(|place, _| wanted.contains(place));
            let held = wanted.iter().map(|place| (place, memory.read.get(place)));
            let due = held.filter(|(_, held)| held.is_none_or(|held| held.due <= now));
            due.map(|(place, held)| (place.clone(), held.map(|held| Arc::clone(&held.secret)))).collect()
        };
        let asked = if due.is_empty() { BTreeMap::new() } else { self.ask_on_a_thread(due) };
        let (mut memory, mut failures) = (locked(&self.memory), locked(&self.failures));
        for (place, read) in asked {
            let refresh = self.known(&place.store).map_or(Duration::ZERO, |store| store.refresh);
            match read {
                Ok(secret) => {
                    failures.remove(&place);
                    memory.read.insert(place, HeldValue { secret, due: now + jittered(refresh) });
                }
                Err(why) => {
                    if let Some(held) = memory.read.get_mut(&place) {
                        held.due = now + jittered(refresh.min(TRY_AGAIN));
                    }
                    failures.insert(place, why);
                }
            }
        }
        let read = |place: &StoredPlace| match memory.read.get(place) {
            Some(held) => Ok(Arc::clone(&held.secret)),
            None => Err(failures.get(place).cloned().unwrap_or_else(|| "it was not read".to_owned())),
        };
        wanted.iter().map(|place| (place.clone(), read(place))).collect()
    }

    /// Readings of settings happen on threads with and without a runtime.
    fn ask_on_a_thread(
        &self,
        due: Vec<(StoredPlace, Option<Arc<StoredSecret>>)>,
    ) -> BTreeMap<StoredPlace, Read> {
        let all = |why: &str| due.iter().map(|(place, _)| (place.clone(), Err(why.to_owned()))).collect();
        let asked = thread::scope(|scope| {
            let asking = || {
                let runtime = Builder::new_current_thread().enable_all().build().ok()?;
                Some(runtime.block_on(self.ask(due.clone())))
            };
            scope.spawn(asking).join().ok().flatten()
        });
        asked.unwrap_or_else(|| all("the program could not ask the secret stores"))
    }

    /// Requests several secrets at once. If a store does not answer, no further secret is requested from it.
    async fn ask(&self, due: Vec<(StoredPlace, Option<Arc<StoredSecret>>)>) -> BTreeMap<StoredPlace, Read> {
        let mut read = BTreeMap::new();
        let (turns, mut asking) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
        // Each store that sent no answer, with its first error.
        let away = Arc::new(Mutex::new(BTreeMap::new()));
        for (place, held) in due {
            let Some(store) = self.known(&place.store) else { continue };
            let opened = match self.open_known(&place.store, &store).await {
                Ok(opened) => opened,
                Err(why) => {
                    read.insert(place, Err(why));
                    continue;
                }
            };
            let (turns, away) = (Arc::clone(&turns), Arc::clone(&away));
            asking.spawn(async move {
                let _turn = turns.acquire().await;
                let first = locked(&away).get(&place.store).cloned();
                if let Some(first) = first {
                    let StoredPlace { store, path } = &place;
                    let why = format!("{path} was not requested of the secret store {store}: {first}");
                    return (place, Err(why));
                }
                let read = read_if_changed(&*opened, &place.path, held).await;
                if let Err(error @ SecretStoreError::Silent(_)) = &read {
                    locked(&away).entry(place.store.clone()).or_insert_with(|| error.to_string());
                }
                (place, read.map_err(|error| error.to_string()))
            });
        }
        while let Some(asked) = asking.join_next().await {
            read.extend(asked.ok());
        }
        read
    }
}

/// The previous version is used once the current one differs from the value that was read last.
async fn read_if_changed(
    store: &dyn SecretStore,
    path: &str,
    held: Option<Arc<StoredSecret>>,
) -> Result<Arc<StoredSecret>, SecretStoreError> {
    if let Some(held) = held
        && store.read(path, false).await?.current.version == held.current.version
    {
        return Ok(held);
    }
    store.read(path, true).await.map(Arc::new)
}

/// A tenth more or less, so that replicas and secrets do not come all at once.
fn jittered(refresh: Duration) -> Duration {
    let mut random = [0; 2];
    // Without random bytes the earliest time is used.
    let _ = rand::fill(&mut random);
    refresh.mul_f64(0.9 + 0.2 * f64::from(u16::from_be_bytes(random)) / f64::from(u16::MAX))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener};

    use outbound::StoredVersion;
    use tokio::time::timeout;
    use values::Timestamp;
    use zeroize::Zeroizing;

    use super::super::VaultStoreSetting;
    use super::super::known_stores::{StoreAddress, VaultLogin};
    use super::*;
    use crate::resolved::Token;
    use administration::FileSecret;

    const TOKEN: &str = "hvs.hidden-token";

    fn place() -> StoredPlace {
        StoredPlace { store: "kept".to_owned(), path: "a/b".to_owned() }
    }

    /// The stores with a secret that has just become due.
    fn stores() -> SecretStores {
        let text = Zeroizing::new("{}".to_owned());
        let version = StoredVersion::new("kept".to_owned(), "1".to_owned(), Timestamp::from_seconds(0), text);
        let secret = Arc::new(StoredSecret { current: version.unwrap(), previous: None });
        let stores = SecretStores::default();
        locked(&stores.memory).read.insert(place(), HeldValue { secret, due: Instant::now() });
        stores
    }

    #[tokio::test]
    async fn what_was_due_at_the_beginning_and_was_not_read_is_due_later() {
        let began = Instant::now();
        let stores = stores();
        let soon = Duration::from_millis(50);
        assert!(timeout(soon, stores.due()).await.is_ok());
        stores.put_off(began);
        assert!(timeout(soon, stores.due()).await.is_ok(), "it became due later");
        stores.put_off(Instant::now());
        assert!(timeout(soon, stores.due()).await.is_err());
        stores.expire();
        assert!(timeout(soon, stores.due()).await.is_ok());
    }

    #[test]
    fn a_store_that_is_gone_from_the_settings_leaves_what_was_read_last() {
        let stores = stores();
        let read = stores.read(&[place()].into());
        assert!(read[&place()].is_ok());
        assert!(stores.read(&BTreeSet::new()).is_empty());
        assert_eq!(stores.read(&[place()].into())[&place()].as_ref().err().unwrap(), "it was not read");
    }

    /// The errors of 20 secrets of a Vault at this address.
    fn errors(address: SocketAddr) -> Vec<String> {
        let setting = VaultStoreSetting {
            address: format!("http://{address}"),
            mount: None,
            namespace: None,
            ca: None,
            token: None,
            kubernetes: None,
            approle: None,
        };
        let sign_in = VaultLogin::Token(Token::Text(FileSecret::new(TOKEN.to_owned())));
        let place = StoreAddress::Vault { setting: Box::new(setting), sign_in };
        let known = KnownStore { refresh: Duration::ZERO, place, tenant_prefixes: BTreeMap::new() };
        let stores = SecretStores::default();
        stores.know([("kept".to_owned(), known)].into());
        let places = (0..20).map(|nth| StoredPlace { store: "kept".to_owned(), path: format!("app/{nth}") });
        let read = stores.read(&places.collect());
        read.into_values().map(|read| read.err().unwrap()).collect()
    }

    // [third 19]
    #[test]
    fn only_silence_keeps_other_secrets_from_being_requested() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut connection in listener.incoming().map_while(Result::ok) {
                let _ = connection.read(&mut [0; 4096]);
                // What a Vault says may look like our own words.
                let body = r#"{"errors":["x: no answer: sealed"]}"#;
                let length = body.len();
                let head = "HTTP/1.1 503 x\r\nconnection: close\r\ncontent-length:";
                let _ = write!(connection, "{head} {length}\r\n\r\n{body}");
            }
        });
        let busy = errors(address);
        assert_eq!(busy.iter().filter(|why| why.contains("with 503: x: no answer: sealed")).count(), 20);
        assert!(busy.iter().all(|why| !why.contains("was not requested")), "{busy:?}");

        let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let silent = errors(unused);
        assert_eq!(silent.iter().filter(|why| why.contains(": no answer: ")).count(), 20, "{silent:?}");
        let skipped = " was not requested of the secret store kept: the secret store kept (vault at ";
        assert!(silent.iter().any(|why| why.contains(skipped)), "{silent:?}");
        assert!(!format!("{busy:?}{silent:?}").contains(TOKEN));
    }

    #[test]
    fn a_refresh_comes_a_tenth_sooner_or_later() {
        for _ in 0..100 {
            let span = jittered(Duration::from_secs(100)).as_secs();
            assert!((90..=110).contains(&span), "{span}");
        }
    }
}
