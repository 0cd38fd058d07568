//! Reads secrets from secret stores. They are read again after a while, and stay in memory while a store does
//! not return them.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use outbound::{SecretStore, SecretStoreError, StoredSecret, open_secret_store};
use parking_lot::Mutex;
use tenancy::TenantId;
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::known_stores::{KnownStore, KnownStores, is_path};

/// The longest pause before a secret that could not be read is requested again.
const TRY_AGAIN: Duration = Duration::from_secs(15);
/// How many secrets are read at the same time.
const AT_ONCE: usize = 8;

#[derive(Default, derive_more::Debug)]
#[debug("SecretStores({} secrets)", memory.lock().read.len())]
pub struct SecretStores {
    /// The stores of the settings that were read last.
    known: Mutex<KnownStores>,
    memory: Mutex<Memory>,
    failures: Mutex<BTreeMap<StoredPlace, String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StoredPlace {
    pub(crate) store: String,
    pub(crate) path: String,
}

#[derive(Default)]
struct Memory {
    /// Each open store, with the settings with which it was opened.
    opened: BTreeMap<String, (String, Arc<dyn SecretStore>)>,
    read: BTreeMap<StoredPlace, HeldValue>,
}

/// The value that was read last, and when to read it again.
struct HeldValue {
    secret: Arc<StoredSecret>,
    due: Instant,
}

/// A secret, or the error of the store.
pub(crate) type Read = Result<Arc<StoredSecret>, String>;

pub(crate) type StoredValues = BTreeMap<StoredPlace, Read>;

impl SecretStores {
    /// The names of the stores from which a secret cannot be read now.
    #[must_use]
    pub fn failing(&self) -> BTreeSet<String> {
        self.failures.lock().keys().map(|place| place.store.clone()).collect()
    }

    /// The errors of the stores, one line for each secret.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        self.failures.lock().values().cloned().collect()
    }

    /// Completes when a secret must be read again.
    pub async fn due(&self) {
        let due = self.memory.lock().read.values().map(|held| held.due).min();
        match due {
            Some(due) => sleep_until(due.into()).await,
            None => pending().await,
        }
    }

    /// Call after a reading that may not have read all due secrets, for example because the settings have an
    /// error. These secrets become due later. Secrets that became due since `began` stay due.
    pub fn put_off(&self, began: Instant) {
        let mut memory = self.memory.lock();
        let overdue = memory.read.values_mut().filter(|held| held.due <= began);
        overdue.for_each(|held| held.due = Instant::now() + TRY_AGAIN);
    }

    /// Makes the next reading request every secret.
    pub fn expire(&self) {
        let now = Instant::now();
        self.memory.lock().read.values_mut().for_each(|held| held.due = now);
    }

    /// Replaces the stores of earlier settings.
    pub(crate) fn know(&self, known: KnownStores) {
        *self.known.lock() = known;
    }

    pub(crate) fn known(&self, name: &str) -> Option<KnownStore> {
        self.known.lock().get(name).cloned()
    }

    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.known.lock().keys().cloned().collect()
    }

    /// Checks the place where a secret will be written.
    ///
    /// # Errors
    /// The error, as text for the caller.
    pub fn check_place(&self, store: &str, path: &str, has_key: bool) -> Result<(), String> {
        let Some(known) = self.known(store) else {
            return Err(format!("secret store {store} does not exist"));
        };
        if !is_path(path) {
            return Err(
                "the path must consist of segments of letters, digits and _+=.@:-, separated by slashes"
                    .to_owned(),
            );
        }
        if known.needs_key() && !has_key {
            return Err("a Vault secret has several members; name one after `#`".to_owned());
        }
        Ok(())
    }

    /// Whether the tenant's own administrators may have secrets written to this path of a store.
    #[must_use]
    pub fn allows(&self, tenant: &TenantId, store: &str, path: &str) -> bool {
        self.known(store).is_some_and(|store| store.allows(tenant, path))
    }

    /// Opens a store to write secrets. `None` if the settings have no store with this name.
    ///
    /// # Errors
    /// Why the store cannot be opened.
    pub async fn open(&self, name: &str) -> Result<Option<Arc<dyn SecretStore>>, String> {
        let Some(store) = self.known(name) else { return Ok(None) };
        self.open_known(name, &store).await.map(Some)
    }

    async fn open_known(&self, name: &str, store: &KnownStore) -> Result<Arc<dyn SecretStore>, String> {
        let setting = format!("{:?}", store.place);
        if let Some((_, opened)) = self.memory.lock().opened.get(name).filter(|(of, _)| *of == setting) {
            return Ok(Arc::clone(opened));
        }
        let opened = open_secret_store(name, store.options()?).await;
        let opened = opened.map_err(|error| format!("cannot use secret store {name}: {error}"))?;
        self.memory.lock().opened.insert(name.to_owned(), (setting, Arc::clone(&opened)));
        Ok(opened)
    }

    /// The requested secrets. Blocks until the stores have answered. A separate thread sends the requests.
    pub(crate) fn read(&self, wanted: &BTreeSet<StoredPlace>) -> BTreeMap<StoredPlace, Read> {
        let now = Instant::now();
        let due: Vec<(StoredPlace, Option<Arc<StoredSecret>>)> = {
            let mut memory = self.memory.lock();
            memory.read.retain(|place, _| wanted.contains(place));
            self.failures.lock().retain(|place, _| wanted.contains(place));
            let held = wanted.iter().map(|place| (place, memory.read.get(place)));
            let due = held.filter(|(_, held)| held.is_none_or(|held| held.due <= now));
            due.map(|(place, held)| (place.clone(), held.map(|held| Arc::clone(&held.secret)))).collect()
        };
        let asked = if due.is_empty() { BTreeMap::new() } else { self.ask_on_a_thread(due) };
        let (mut memory, mut failures) = (self.memory.lock(), self.failures.lock());
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
            None => {
                Err(failures.get(place).cloned().unwrap_or_else(|| "Latchkey did not read it".to_owned()))
            }
        };
        wanted.iter().map(|place| (place.clone(), read(place))).collect()
    }

    /// Settings are read on threads with and without an asynchronous runtime, so a separate thread is used.
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
        asked.unwrap_or_else(|| all("the program could not reach the secret stores"))
    }

    /// Requests several secrets at the same time. If a store does not answer, no further secret is requested
    /// from it.
    async fn ask(&self, due: Vec<(StoredPlace, Option<Arc<StoredSecret>>)>) -> BTreeMap<StoredPlace, Read> {
        let mut read = BTreeMap::new();
        let (turns, mut asking) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
        // The stores that did not answer, with their first error.
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
                let first = away.lock().get(&place.store).cloned();
                if let Some(first) = first {
                    let StoredPlace { store, path } = &place;
                    let why = format!("{path} was not requested from secret store {store}: {first}");
                    return (place, Err(why));
                }
                let read = read_if_changed(&*opened, &place.path, held).await;
                if let Err(error @ SecretStoreError::Silent(_)) = &read {
                    away.lock().entry(place.store.clone()).or_insert_with(|| error.to_string());
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

/// Reads the current version. If it differs from the value that was read last, also reads the previous
/// version.
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

/// Adds or subtracts up to a tenth, so that replicas do not read all secrets at the same time.
fn jittered(refresh: Duration) -> Duration {
    let mut random = [0; 2];
    // Without random bytes the earliest time is used.
    let _ = rand::fill(&mut random);
    refresh.mul_f64(0.9 + 0.2 * f64::from(u16::from_be_bytes(random)) / f64::from(u16::MAX))
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
    use administration::documents::FileSecret;

    const TOKEN: &str = "hvs.hidden-token";

    fn place() -> StoredPlace {
        StoredPlace { store: "kept".to_owned(), path: "a/b".to_owned() }
    }

    /// Stores with a secret that has just become due.
    fn stores() -> SecretStores {
        let text = Zeroizing::new("{}".to_owned());
        let version = StoredVersion::new("kept".to_owned(), "1".to_owned(), Timestamp::from_seconds(0), text);
        let secret = Arc::new(StoredSecret { current: version.unwrap(), previous: None });
        let stores = SecretStores::default();
        stores.memory.lock().read.insert(place(), HeldValue { secret, due: Instant::now() });
        stores
    }

    #[tokio::test]
    async fn only_overdue_secrets_are_postponed() {
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
    fn secret_of_removed_store_keeps_last_value() {
        let stores = stores();
        let read = stores.read(&[place()].into());
        assert!(read[&place()].is_ok());
        assert!(stores.read(&BTreeSet::new()).is_empty());
        assert_eq!(
            stores.read(&[place()].into())[&place()].as_ref().err().unwrap(),
            "Latchkey did not read it"
        );
    }

    /// The errors for 20 secrets of a Vault at this address.
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
    fn only_unreachable_store_skips_other_secrets() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut connection in listener.incoming().map_while(Result::ok) {
                let _ = connection.read(&mut [0; 4096]);
                // An error text of Vault may look like an error of Latchkey.
                let body = r#"{"errors":["x: no response: sealed"]}"#;
                let length = body.len();
                let head = "HTTP/1.1 503 x\r\nconnection: close\r\ncontent-length:";
                let _ = write!(connection, "{head} {length}\r\n\r\n{body}");
            }
        });
        let busy = errors(address);
        assert_eq!(busy.iter().filter(|why| why.contains("with 503: x: no response: sealed")).count(), 20);
        assert!(busy.iter().all(|why| !why.contains("was not requested")), "{busy:?}");

        let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let silent = errors(unused);
        assert_eq!(silent.iter().filter(|why| why.contains(": no response: ")).count(), 20, "{silent:?}");
        let skipped = " was not requested from secret store kept: the secret store kept (vault at ";
        assert!(silent.iter().any(|why| why.contains(skipped)), "{silent:?}");
        assert!(!format!("{busy:?}{silent:?}").contains(TOKEN));
    }

    #[test]
    fn refresh_time_varies_by_a_tenth() {
        for _ in 0..100 {
            let span = jittered(Duration::from_secs(100)).as_secs();
            assert!((90..=110).contains(&span), "{span}");
        }
    }
}
