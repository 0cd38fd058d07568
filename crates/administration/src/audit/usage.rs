//! Counts what happens in each tenant, by client, hour and day. Requests count in memory, and a background
//! task adds the counts to the store.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use indexmap::Equivalent;
use protocol::RefusalReason;
use registry::ClientId;
use tenancy::{CountBuffer, TenantId};
use values::{Timestamp, named};

/// How many days the counts of a tenant are stored.
pub const DAYS_OF_TENANT: u64 = 400;
/// How many days the counts of a client are stored.
pub const DAYS_OF_CLIENT: u64 = 35;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    Issued,
    /// An API key was exchanged for an access token.
    ApiKeyExchanged,
    /// The client introspected a token or an API key.
    Introspected,
    Revoked,
    SignedIn,
    /// Somebody asked for a code to reset a forgotten password.
    RecoveryRequested,
    /// A person has reset a forgotten password with a mailed code.
    Recovered,
    /// A request was refused, for the reason in `name`.
    Refused,
    /// A request that named no registered client was refused.
    RefusedUnknown,
    /// A token was issued to a request for the scope in `name`.
    ScopeAsked,
}

named! {
    Counter {
        Issued => "issued",
        ApiKeyExchanged => "api_key_exchanged",
        Introspected => "introspected",
        Revoked => "revoked",
        SignedIn => "signed_in",
        RecoveryRequested => "recovery_requested",
        Recovered => "recovered",
        Refused => "refused",
        RefusedUnknown => "refused_unknown",
        ScopeAsked => "scope_asked"
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayCounts {
    pub counter: Counter,
    /// The reason of a refusal, or the scope; empty for other counters.
    pub name: String,
    /// The day, counted from 1970-01-01 UTC.
    pub day: u64,
    pub hours: [u64; 24],
}

/// The counts of one event in a day, of a client or of a whole tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageDay {
    pub tenant: TenantId,
    /// The client. None for the whole tenant.
    pub client: Option<ClientId>,
    pub counts: DayCounts,
}

/// Counts that are added to the store together, exactly once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageBatch {
    /// A unique name of the process.
    pub replica: String,
    /// The number of the batch, beginning with 1 for each replica. The store ignores a number that is not
    /// greater than the last one, because it was added before.
    pub number: u64,
    pub rows: Vec<UsageDay>,
    pub now: Timestamp,
}

/// The counts that are not written yet.
#[derive(Default)]
pub struct UsageCounts {
    counts: CountBuffer<CountKey>,
    /// The number of events that were not counted for lack of room.
    uncounted: AtomicU64,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
struct CountKey {
    tenant: TenantId,
    client: Option<ClientId>,
    counter: Counter,
    name: Box<str>,
    hour: u64,
}

/// A borrowed [`CountKey`]. It has the same members in the same order, so it has the same hash.
#[derive(Clone, Copy, Hash)]
struct CountedRef<'a> {
    tenant: &'a TenantId,
    client: Option<&'a ClientId>,
    counter: Counter,
    name: &'a str,
    hour: u64,
}

impl UsageCounts {
    /// Counts an event of a client, or of a person without a client.
    pub fn note(&self, tenant: &TenantId, client: Option<&ClientId>, counter: Counter, at: Timestamp) {
        self.add(tenant, client, counter, "", at);
    }

    /// Counts each token of the scope that a client requested and was issued.
    pub fn note_scopes(&self, tenant: &TenantId, client: &ClientId, scope: Option<&str>, at: Timestamp) {
        for token in scope.into_iter().flat_map(|scope| scope.split(' ')) {
            self.add(tenant, Some(client), Counter::ScopeAsked, token, at);
        }
    }

    /// Counts a refusal of a client, or of a request without a registered client.
    pub fn note_refusal(
        &self,
        tenant: &TenantId,
        client: Option<&ClientId>,
        reason: RefusalReason,
        at: Timestamp,
    ) {
        let counter = if client.is_some() { Counter::Refused } else { Counter::RefusedUnknown };
        self.add(tenant, client, counter, reason.as_str(), at);
    }

    fn add(&self, tenant: &TenantId, client: Option<&ClientId>, counter: Counter, name: &str, at: Timestamp) {
        let key = CountedRef { tenant, client, counter, name, hour: at.seconds() / 3600 };
        // If there is no room for more clients, the event only counts for the tenant.
        let of_tenant = CountedRef { client: None, ..key };
        if !self.counts.add(Some(tenant), &key, CountedRef::owned)
            && !self.counts.add(None, &of_tenant, CountedRef::owned)
        {
            self.uncounted.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The number of events since the start that were not counted for lack of room.
    #[must_use]
    pub fn uncounted(&self) -> u64 {
        self.uncounted.load(Ordering::Relaxed)
    }

    /// Takes out all counts as rows: those of clients, and those of whole tenants.
    #[must_use]
    pub fn take(&self) -> Vec<UsageDay> {
        let mut days: BTreeMap<_, [u64; 24]> = BTreeMap::new();
        for (CountKey { tenant, client, counter, name, hour }, count) in self.counts.drain() {
            let (day, hour) = (hour / 24, usize::try_from(hour % 24).unwrap_or_default());
            let general = match counter {
                Counter::ApiKeyExchanged => Some(Counter::Issued),
                Counter::RefusedUnknown => Some(Counter::Refused),
                _ => None,
            };
            for counter in [counter].into_iter().chain(general) {
                for client in [None].into_iter().chain(client.clone().map(Some)) {
                    let key = (tenant.clone(), client, counter, name.clone(), day);
                    days.entry(key).or_default()[hour] += count;
                }
            }
        }
        let rows = days.into_iter().map(|((tenant, client, counter, name, day), hours)| UsageDay {
            tenant,
            client,
            counts: DayCounts { counter, name: name.into(), day, hours },
        });
        rows.collect()
    }
}

impl CountedRef<'_> {
    fn owned(&self) -> CountKey {
        let Self { tenant, client, counter, name, hour } = *self;
        CountKey { tenant: tenant.clone(), client: client.cloned(), counter, name: name.into(), hour }
    }
}

impl Equivalent<CountKey> for CountedRef<'_> {
    fn equivalent(&self, counted: &CountKey) -> bool {
        self.hour == counted.hour
            && self.counter == counted.counter
            && *self.name == *counted.name
            && self.client == counted.client.as_ref()
            && *self.tenant == counted.tenant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(86_400 * 3 + 3_600 * 5);

    fn names(tenant: &str, client: &str) -> (TenantId, ClientId) {
        (TenantId::parse(tenant).unwrap(), ClientId::parse(client).unwrap())
    }

    fn taken(counts: &UsageCounts) -> Vec<String> {
        let line = |UsageDay { tenant, client, counts }: UsageDay| {
            let client = client.map_or("*".to_owned(), |client| client.to_string());
            let DayCounts { counter, name, day, hours } = counts;
            let sum: u64 = hours.iter().sum();
            assert_eq!((day, hours[5]), (3, sum));
            format!("{tenant}/{client} {} {name} {sum}", counter.as_str())
        };
        counts.take().into_iter().map(line).collect()
    }

    #[test]
    fn usage_is_counted_for_client_and_tenant() {
        let (counts, (acme, svc)) = (UsageCounts::default(), names("acme", "svc"));
        let (globex, _) = names("globex", "svc");
        for tenant in [&acme, &acme, &globex] {
            counts.note(tenant, Some(&svc), Counter::Issued, NOW);
        }
        counts.note(&acme, Some(&svc), Counter::ApiKeyExchanged, NOW);
        counts.note_scopes(&acme, &svc, Some("read"), NOW);
        counts.note_refusal(&acme, Some(&svc), RefusalReason::MalformedScope, NOW);
        counts.note_refusal(&acme, None, RefusalReason::MalformedScope, NOW);
        let expected = [
            "acme/* issued  3",
            "acme/* api_key_exchanged  1",
            "acme/* refused malformed_scope 2",
            "acme/* refused_unknown malformed_scope 1",
            "acme/* scope_asked read 1",
            "acme/svc issued  3",
            "acme/svc api_key_exchanged  1",
            "acme/svc refused malformed_scope 1",
            "acme/svc scope_asked read 1",
            "globex/* issued  1",
            "globex/svc issued  1",
        ];
        assert_eq!(taken(&counts), expected);
        assert_eq!(counts.take(), []);
    }

    // [limits #36]: memory for counts of usage | 100 000 things that are counted, of clients; a quarter more
    //   for tenants | from a half on a tenant has an equal share; beyond it its clients count for the tenant
    //   alone
    #[test]
    fn clients_beyond_capacity_count_only_for_their_tenant() {
        let (acme, svc) = names("acme", "svc");
        let (_, web) = names("acme", "web");
        let counts = UsageCounts { counts: CountBuffer::with_capacity(4), ..UsageCounts::default() };
        for name in [&svc, &web] {
            counts.note(&acme, Some(name), Counter::Issued, NOW);
            counts.note(&acme, Some(name), Counter::Revoked, NOW);
            counts.note(&acme, Some(name), Counter::Introspected, NOW);
        }
        let taken = taken(&counts);
        let of_tenant = ["acme/* issued  2", "acme/* introspected  2", "acme/* revoked  2"];
        assert_eq!(&taken[..3], of_tenant);
        let of_svc = ["acme/svc issued  1", "acme/svc revoked  1"];
        assert_eq!((&taken[3..], counts.uncounted()), (&of_svc.map(str::to_owned)[..], 0));
    }

    /// Issuing a token calls these functions, so they must not allocate.
    #[test]
    fn repeated_counting_allocates_nothing() {
        let (counts, (acme, svc)) = (UsageCounts::default(), names("acme", "svc"));
        let request = || {
            counts.note(&acme, Some(&svc), Counter::Issued, NOW);
            counts.note_scopes(&acme, &svc, Some("read write"), NOW);
            counts.note_refusal(&acme, None, RefusalReason::MalformedScope, NOW);
        };
        request();
        assert_eq!(allocation_counter::measure(request).count_total, 0);
    }
}
