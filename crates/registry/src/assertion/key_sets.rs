//! The key sets of clients with a `jwks_uri` and of trusted issuers. One fetch serves all waiting requests,
//! and the memory of each tenant is limited.
//!
//! A set belongs to one tenant and one source. Two tenants with the same URL fetch it separately, so that
//! neither can observe the other's fetches.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::mem::replace;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use keys::PublicKeys;
use parking_lot::Mutex;
use tenancy::{TenantId, TenantTurns};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::assertion::fetched_keys::{FetchStep, FetchedKeys};
use crate::{FetchedJwks, JwksFetcher, KeyPlace, KeySource};

/// The memory for the sets of one tenant, in bytes.
const SHARE: usize = 16 << 20;
/// The memory for the sets of all tenants, in bytes.
const ALL: usize = 256 << 20;
/// The estimated memory of a set: a base in bytes, and a factor for each byte of the document, because parsed
/// keys are larger than their text.
const COST: [usize; 2] = [1 << 10, 8];
/// The maximum number of concurrent fetches, of all tenants and of one tenant. A slow source does not delay
/// other tenants, and all fetches together need at most 16 MiB.
const FLIGHTS: usize = 256;
const FLIGHTS_OF_TENANT: usize = 16;
/// The maximum number of waiting fetches of one tenant. Further fetches fail immediately.
const WAITING_OF_TENANT: usize = 1_024;
/// The maximum time that a request waits for fetches that are already running.
const LONGEST_WAIT: Duration = Duration::from_secs(4);
/// How long the duration of a fetch affects the delay of refusals.
const REMEMBERED: Duration = Duration::from_secs(3_600);

pub(crate) struct KeySets {
    fetcher: Arc<dyn JwksFetcher>,
    began: Instant,
    tenants: Mutex<HashMap<TenantId, OfTenant>>,
    flights: TenantTurns,
}

struct OfTenant {
    sources: HashMap<Arc<KeySource<'static>>, Arc<Source>>,
    bytes: usize,
    /// The duration of the longest fetch of the last hour, and when it ended.
    longest: (Duration, Duration),
}

struct Source {
    tenant: TenantId,
    keys_at: Arc<KeySource<'static>>,
    state: Mutex<State>,
    /// Notifies the requests that wait for the fetch.
    ended: Notify,
}

#[derive(Default)]
struct State {
    keys: FetchedKeys,
    bytes: usize,
    used_at: Duration,
}

impl KeySets {
    pub(crate) fn new(fetcher: Arc<dyn JwksFetcher>) -> Arc<Self> {
        let flights = TenantTurns::bounded(FLIGHTS, FLIGHTS_OF_TENANT, WAITING_OF_TENANT);
        Arc::new(Self { fetcher, began: Instant::now(), tenants: Mutex::default(), flights })
    }

    /// Runs `check` with the set of this source. If no key of the set fits, checks once more with a newer
    /// set, because the client may have new keys. Such fetches happen at most once a minute. Returns `None`
    /// if no set is available.
    pub(crate) async fn check_with<T, E>(
        self: &Arc<Self>,
        tenant: &TenantId,
        keys_at: &KeySource<'_>,
        check: impl Fn(&PublicKeys) -> Result<T, E>,
        no_key_fits: impl FnOnce(&E) -> bool,
    ) -> Option<Result<T, E>> {
        let source = self.source(tenant, keys_at);
        let keys = self.find(&source).await?;
        let checked = check(&keys);
        if !checked.as_ref().is_err_and(no_key_fits) {
            return Some(checked);
        }
        let newer = self.find_newer(&source, &keys).await;
        Some(newer.map_or(checked, |newer| check(&newer)))
    }

    async fn find(self: &Arc<Self>, source: &Arc<Source>) -> Option<Arc<PublicKeys>> {
        self.take(source, false, FetchedKeys::step).await
    }

    async fn find_newer(
        self: &Arc<Self>,
        source: &Arc<Source>,
        seen: &Arc<PublicKeys>,
    ) -> Option<Arc<PublicKeys>> {
        self.take(source, true, |keys, now| keys.step_beyond(seen, now)).await
    }

    /// The minimum time between the arrival and the refusal of an assertion: the duration of the tenant's
    /// longest fetch of the last hour. So the duration of a refusal does not reveal whether it caused a
    /// fetch.
    pub(crate) fn refusal_delay(&self, tenant: &TenantId) -> Duration {
        let now = self.began.elapsed();
        let tenants = self.tenants.lock();
        let longest = tenants.get(tenant).map(|of_tenant| of_tenant.longest);
        longest.filter(|(_, ended)| now < *ended + REMEMBERED).map_or(Duration::ZERO, |(took, _)| took)
    }

    async fn take(
        self: &Arc<Self>,
        source: &Arc<Source>,
        for_unknown_key: bool,
        step: impl Fn(&FetchedKeys, Duration) -> FetchStep,
    ) -> Option<Arc<PublicKeys>> {
        // Starts to wait before the state is read, so that no notification is missed.
        let mut ended = pin!(source.ended.notified());
        ended.as_mut().enable();
        let (found, begins) = {
            let (mut state, now) = (source.state.lock(), self.began.elapsed());
            let found = match step(&state.keys, now) {
                FetchStep::Use(set) => return Some(set),
                FetchStep::GoWithout => return None,
                FetchStep::UseAndFetch(set) => Some(set),
                FetchStep::Fetch => None,
            };
            (found, state.keys.begin(for_unknown_key, now))
        };
        if begins {
            // The fetch runs in its own task, so that it continues if the client disconnects.
            let running = Running { sets: Arc::clone(self), source: Arc::clone(source) };
            tokio::spawn(running.fetch());
        }
        if found.is_some() {
            return found;
        }
        let _ = timeout(LONGEST_WAIT, ended).await;
        match step(&source.state.lock().keys, self.began.elapsed()) {
            FetchStep::Use(set) | FetchStep::UseAndFetch(set) => Some(set),
            FetchStep::Fetch | FetchStep::GoWithout => None,
        }
    }

    /// The entry of a source. A new entry has no set.
    fn source(&self, tenant: &TenantId, keys_at: &KeySource<'_>) -> Arc<Source> {
        let now = self.began.elapsed();
        let mut tenants = self.tenants.lock();
        let of_tenant = match tenants.get_mut(tenant) {
            Some(of_tenant) => of_tenant,
            None => tenants.entry(tenant.clone()).or_insert_with(OfTenant::new),
        };
        if let Some(source) = of_tenant.sources.get(keys_at) {
            source.state.lock().used_at = now;
            return Arc::clone(source);
        }
        let keys_at = Arc::new(keys_at.clone().into_owned());
        let bytes = COST[0] + keys_at.text.len();
        let state = State { bytes, used_at: now, ..State::default() };
        let source = Arc::new(Source {
            tenant: tenant.clone(),
            keys_at: Arc::clone(&keys_at),
            state: Mutex::new(state),
            ended: Notify::new(),
        });
        of_tenant.bytes += bytes;
        of_tenant.sources.insert(keys_at, Arc::clone(&source));
        make_room(&mut tenants, &source, now);
        source
    }

    /// Updates the number of bytes that a set needs.
    fn count(&self, source: &Arc<Source>, before: usize, bytes: usize) {
        let now = self.began.elapsed();
        let mut tenants = self.tenants.lock();
        let Some(of_tenant) = tenants.get_mut(&source.tenant) else { return };
        if !of_tenant.sources.get(&source.keys_at).is_some_and(|held| Arc::ptr_eq(held, source)) {
            return;
        }
        of_tenant.bytes = (of_tenant.bytes + bytes).saturating_sub(before);
        make_room(&mut tenants, source, now);
    }

    fn note_length(&self, tenant: &TenantId, took: Duration, now: Duration) {
        if let Some(of_tenant) = self.tenants.lock().get_mut(tenant) {
            let (longest, ended) = of_tenant.longest;
            if took >= longest || now >= ended + REMEMBERED {
                of_tenant.longest = (took.min(LONGEST_WAIT), now);
            }
        }
    }
}

/// Frees memory after this source has grown: first within its own tenant, then in the tenants with the
/// largest sets.
fn make_room(tenants: &mut HashMap<TenantId, OfTenant>, source: &Arc<Source>, now: Duration) {
    if let Some(of_tenant) = tenants.get_mut(&source.tenant) {
        of_tenant.shrink(source, SHARE, now);
    }
    let mut all: usize = tenants.values().map(|of_tenant| of_tenant.bytes).sum();
    if all <= ALL {
        return;
    }
    let mut largest: Vec<_> = tenants.values_mut().collect();
    largest.sort_by_key(|of_tenant| Reverse(of_tenant.bytes));
    for of_tenant in largest {
        let held = of_tenant.bytes;
        of_tenant.shrink(source, held / 2, now);
        all -= held - of_tenant.bytes;
        if all <= ALL {
            return;
        }
    }
}

/// A running fetch. Dropping it, also by a panic, marks the source as not running.
struct Running {
    sets: Arc<KeySets>,
    source: Arc<Source>,
}

impl Running {
    async fn fetch(self) {
        let (sets, source) = (&self.sets, &self.source);
        let begun = sets.began.elapsed();
        let fetched = if source.keys_at.place == KeyPlace::Document {
            let (document, max_age) = (&source.keys_at.text, Some(Duration::MAX));
            source.keys_at.read(document).ok().map(|keys| FetchedJwks { keys, size: document.len(), max_age })
        } else {
            let Ok(Ok(_turn)) = timeout(LONGEST_WAIT, sets.flights.take(&source.tenant)).await else {
                return;
            };
            sets.fetcher.fetch_jwks(&source.tenant, &source.keys_at).await
        };
        let now = sets.began.elapsed();
        sets.note_length(&source.tenant, now - begun, now);
        let Some(FetchedJwks { keys, size, max_age }) = fetched else { return };
        let bytes = COST[0] + source.keys_at.text.len() + COST[1] * size;
        let before = {
            let mut state = source.state.lock();
            state.keys.end(Some((keys, max_age)), now);
            replace(&mut state.bytes, bytes)
        };
        sets.count(source, before, bytes);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let now = self.sets.began.elapsed();
        let mut state = self.source.state.lock();
        if state.keys.is_running() {
            state.keys.end(None, now);
        }
        drop(state);
        self.source.ended.notify_waiters();
    }
}

impl OfTenant {
    fn new() -> Self {
        Self { sources: HashMap::new(), bytes: 0, longest: (Duration::ZERO, Duration::ZERO) }
    }

    /// Drops expired sets and then the least recently used sets, until at most `most` bytes are used. Keeps
    /// the current source.
    fn shrink(&mut self, current: &Arc<Source>, most: usize, now: Duration) {
        if self.bytes <= most {
            return;
        }
        let mut sources: Vec<_> = self.sources.values().map(Arc::clone).collect();
        sources.sort_by_key(|source| {
            let state = source.state.lock();
            (!state.keys.is_over(now), state.used_at)
        });
        // Frees a quarter more than necessary, so that not every new set sorts all sets.
        let target = most / 4 * 3;
        for source in sources.into_iter().filter(|source| !Arc::ptr_eq(source, current)) {
            if self.bytes <= target {
                return;
            }
            self.sources.remove(&source.keys_at);
            self.bytes = self.bytes.saturating_sub(source.state.lock().bytes);
        }
    }
}
