//! The number of unexpired identifiers that this replica has recorded for each tenant and client. It limits
//! the size of the replay store. While a tenant uses more than half of its share, each of its clients may
//! have at most a tenth.

use std::collections::{BTreeMap, HashMap};

use parking_lot::Mutex;
use secrets::FairTable;
use tenancy::TenantId;
use values::Timestamp;

use crate::ClientId;

/// The maximum number of unexpired identifiers of a tenant at each replica. Above this number, further
/// assertions are refused until some identifiers expire. No identifier is dropped before it expires.
pub(crate) const SHARE: u32 = 250_000;
/// The fraction of the share that one client may use, so that other clients have room.
const PART: u32 = 10;
/// The maximum number of clients that are counted. Above this number, the clients with the fewest identifiers
/// are dropped, from the tenant with the most clients. Clients with a tenth of a share are kept.
const CLIENTS: usize = 32_768;

/// Identifiers are counted by the minute in which they expire. The longest lifetime is an hour and three
/// minutes, so a tenant or client has at most 64 counts.
const MINUTE: u64 = 60;

pub(crate) struct LiveIdentifiers {
    share: u32,
    counts: Mutex<IdentifierCounts>,
}

/// An identifier that is being recorded. It counts until the value is dropped, or after
/// [`CountedIdentifier::keep`] until it expires.
pub(crate) struct CountedIdentifier<'a> {
    of: &'a LiveIdentifiers,
    is_recorded: bool,
    tenant: &'a TenantId,
    client: &'a ClientId,
    minute: u64,
}

struct IdentifierCounts {
    tenants: HashMap<TenantId, Minutes>,
    clients: FairTable<ClientId, Minutes>,
    swept: u64,
}

/// The number of identifiers that expire in each minute.
#[derive(Debug, Default)]
struct Minutes(BTreeMap<u64, u32>);

impl LiveIdentifiers {
    pub(crate) fn new(share: u32) -> Self {
        let counts = IdentifierCounts { tenants: HashMap::new(), clients: FairTable::new(CLIENTS), swept: 0 };
        Self { share, counts: Mutex::new(counts) }
    }

    /// Counts an identifier of a client. Returns `None` if the tenant's share is used up, or if more than
    /// half is used and the client has used its part.
    pub(crate) fn take<'a>(
        &'a self,
        tenant: &'a TenantId,
        client: &'a ClientId,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Option<CountedIdentifier<'a>> {
        let mut counts = self.counts.lock();
        let current = now.seconds() / MINUTE;
        counts.sweep(current);
        let IdentifierCounts { tenants, clients, .. } = &mut *counts;
        let of_tenant = tenants.entry(tenant.clone()).or_default();
        let live = of_tenant.live(current);
        if live >= self.share {
            return None;
        }
        let of_client = clients.entry(tenant, client, |minutes| u64::from(minutes.live(current)));
        if live > self.share / 2 && of_client.live(current) >= self.share.div_ceil(PART) {
            return None;
        }
        let minute = expires_at.seconds() / MINUTE;
        of_tenant.add(minute, current);
        of_client.add(minute, current);
        Some(CountedIdentifier { of: self, is_recorded: false, tenant, client, minute })
    }
}

impl CountedIdentifier<'_> {
    /// Keeps the count until the identifier expires, because the identifier was recorded.
    pub(crate) fn keep(mut self) {
        self.is_recorded = true;
    }
}

/// The identifier was not recorded, for example because it was a replay. So it does not count.
impl Drop for CountedIdentifier<'_> {
    fn drop(&mut self) {
        if self.is_recorded {
            return;
        }
        let mut counts = self.of.counts.lock();
        let IdentifierCounts { tenants, clients, .. } = &mut *counts;
        let both = [tenants.get_mut(self.tenant), clients.get_mut(self.tenant, self.client)];
        both.into_iter().flatten().for_each(|minutes| minutes.take_back(self.minute));
    }
}

impl IdentifierCounts {
    /// Once a minute, removes expired counts, and tenants and clients without counts.
    fn sweep(&mut self, current: u64) {
        if self.swept == current {
            return;
        }
        self.swept = current;
        self.tenants.retain(|_, minutes| minutes.live(current) > 0);
        self.clients.sweep(|minutes| u64::from(minutes.live(current)));
        // Frees memory that many tenants needed at the same time, but keeps some for new tenants.
        if self.tenants.len() < self.tenants.capacity() / 4 {
            self.tenants.shrink_to(2 * self.tenants.len());
        }
    }
}

impl Minutes {
    /// The number of unexpired identifiers.
    fn live(&self, current: u64) -> u32 {
        self.0.range(current..).map(|(_, count)| count).sum()
    }

    fn add(&mut self, minute: u64, current: u64) {
        while self.0.first_entry().is_some_and(|first| *first.key() < current) {
            self.0.pop_first();
        }
        *self.0.entry(minute).or_default() += 1;
    }

    fn take_back(&mut self, minute: u64) {
        if let Some(count) = self.0.get_mut(&minute) {
            *count = count.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assertion::client_assertion::LEEWAY;
    use crate::assertion::single_use::CLOCKS;

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    fn client(id: &str) -> ClientId {
        ClientId::parse(id).unwrap()
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    // [shared 2.10]: A share of 250 000 live `jti` was the tenant's: one client with a valid key used it up,
    //   and all clients with keys got 503 | fixed | While the tenant has more than half of its share, a
    //   client has a tenth of it at most
    #[test]
    fn half_used_share_limits_each_client_to_a_tenth() {
        let live = LiveIdentifiers::new(100);
        let [acme, globex] = ["acme", "globex"].map(tenant);
        // How many of `asked` identifiers of this client are accepted at `now`.
        let fit = |tenant: &TenantId, of: &str, asked: usize, now: u64| {
            let of = client(of);
            let taken = || live.take(tenant, &of, at(now + 120), at(now)).map(CountedIdentifier::keep);
            (0..asked).map_while(|_| taken()).count()
        };
        for (of, asked, expected) in [
            ("quiet", 5, 5),
            // Half of the share, plus one identifier that is accepted because exactly half is used.
            ("greedy", 100, 46),
            ("quiet", 100, 5),
            ("svc", 100, 10),
            ("web", 100, 10),
            ("jobs", 100, 10),
            ("mail", 100, 10),
            ("last", 100, 4),
        ] {
            assert_eq!(fit(&acme, of, asked, 0), expected, "{of}");
        }
        assert_eq!(fit(&globex, "greedy", 51, 0), 51, "another tenant has its own share");
        assert_eq!(fit(&acme, "greedy", 1, 179), 0);
        assert_eq!(fit(&acme, "greedy", 100, 180), 51, "all have expired");
    }

    #[test]
    fn unrecorded_identifiers_do_not_count() {
        let live = LiveIdentifiers::new(10);
        let (acme, [svc, web]) = (tenant("acme"), ["svc", "web"].map(client));
        for _ in 0..6 {
            live.take(&acme, &svc, at(120), at(0)).unwrap().keep();
        }
        for _ in 0..3 {
            drop(live.take(&acme, &web, at(120), at(0)).unwrap());
        }
        live.take(&acme, &web, at(120), at(0)).unwrap().keep();
        assert!(live.take(&acme, &web, at(120), at(0)).is_none());
    }

    #[test]
    fn client_counts_are_bounded_and_freed() {
        let live = LiveIdentifiers::new(SHARE);
        let (acme, greedy) = (tenant("acme"), client("greedy"));
        let used = allocation_counter::measure(|| {
            for _ in 0..2 {
                live.take(&acme, &greedy, at(120), at(0)).unwrap().keep();
            }
            for number in 0..3 * CLIENTS {
                live.take(&acme, &client(&number.to_string()), at(120), at(0)).unwrap().keep();
            }
        });
        assert!(live.counts.lock().clients.len() <= CLIENTS);
        assert_eq!(live.counts.lock().clients.get_mut(&acme, &greedy).unwrap().live(0), 2);
        let left = allocation_counter::measure(|| {
            drop(live.take(&tenant("globex"), &greedy, at(720), at(600)).unwrap());
        });
        let left = used.bytes_current + left.bytes_current;
        assert!(left <= 4_096, "{left} bytes are left");
    }

    #[test]
    fn full_share_affects_one_tenant_until_expiry() {
        let (acme, globex, svc) = (tenant("acme"), tenant("globex"), client("svc"));
        let live = LiveIdentifiers::new(2);
        for (tenant, expires, now, expected) in [
            (&acme, 120, 0, true),
            (&acme, 240, 0, true),
            (&acme, 120, 0, false),
            (&globex, 120, 0, true),
            (&acme, 240, 119, false),
            // An identifier counts until the end of the minute in which it expires.
            (&acme, 240, 179, false),
            (&acme, 240, 180, true),
            (&acme, 240, 180, false),
            (&globex, 240, 180, true),
        ] {
            let counted = live.take(tenant, &svc, at(expires), at(now));
            assert_eq!(counted.is_some(), expected, "{tenant} {expires} at {now}");
            if let Some(counted) = counted {
                counted.keep();
            }
        }
        assert!(live.take(&globex, &svc, at(900), at(600)).is_some());
        let counts = live.counts.lock();
        assert_eq!((counts.tenants.len(), counts.clients.len()), (1, 1), "nothing of acme is left");
    }

    /// The maximum memory for a tenant and one client with an identifier in each minute of the longest
    /// lifetime.
    const BYTES_OF_A_TENANT: u64 = 4_096;

    // [assertions RFC 7523 §3 e]
    #[test]
    fn tenant_counts_are_bounded_and_freed() {
        const TENANTS: u64 = 200;
        // An assertion of an hour, the leeway for its client's clock at both ends, and the difference between
        // the clocks of replicas.
        const LONGEST: u64 = 3_600 + 2 * LEEWAY.seconds() + CLOCKS.seconds();
        let svc = client("svc");
        let fill = |live: &LiveIdentifiers, now: u64, seconds: &[u64]| {
            for number in 0..TENANTS {
                let tenant = tenant(&format!("{number:063}"));
                for second in seconds {
                    live.take(&tenant, &svc, at(now + second), at(now)).unwrap().keep();
                }
            }
        };
        let live = LiveIdentifiers::new(SHARE);
        let ascending: Vec<_> = (0..=LONGEST).step_by(20).collect();
        let full = allocation_counter::measure(|| fill(&live, 59, &ascending)).bytes_current;
        let most = i64::try_from(TENANTS * BYTES_OF_A_TENANT).unwrap();
        assert!((1..=most).contains(&full), "{} bytes of a tenant", full / TENANTS as i64);
        let numbers = |minutes: &Minutes| minutes.0.len();
        assert_eq!(live.counts.lock().tenants.values().map(numbers).max(), Some(64));
        assert_eq!(live.counts.lock().clients.values().map(numbers).max(), Some(64));
        // More identifiers in the same minutes do not need more memory, in any order.
        let mut any_order = ascending.clone();
        any_order.sort_by_key(|second| second * 7_919 % 1_000);
        let other = LiveIdentifiers::new(SHARE);
        let full = allocation_counter::measure(|| fill(&other, 59, &any_order)).bytes_current;
        assert!(full <= most, "{} bytes of a tenant in any order", full / TENANTS as i64);
        let again = allocation_counter::measure(|| fill(&other, 59, &any_order)).bytes_current;
        assert_eq!(again, 0);
        let later = allocation_counter::measure(|| fill(&other, 600, &any_order)).bytes_current;
        assert!(full + later <= most, "{later} more, later");

        // Two hours later only one tenant is left, and the memory of the others is freed.
        let left = allocation_counter::measure(|| {
            other.take(&tenant("acme"), &svc, at(600 + 2 * LONGEST), at(600 + 2 * LONGEST)).unwrap().keep();
        });
        let left = full + later + left.bytes_current;
        assert!(left <= 4_096, "{left} bytes are left");
    }
}
