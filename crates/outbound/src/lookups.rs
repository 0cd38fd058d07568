//! Resolves host names that tenants and clients configure. Each lookup needs a permit, and tenants take
//! turns. A lookup ends when it is dropped; no thread waits for a name server.
//!
//! Names are resolved like in the C library with `hosts: files dns`: first /etc/hosts, then the name servers
//! of /etc/resolv.conf with its search list. Both files are read for each lookup, so that changes take effect
//! immediately, and lookups share no connection and no answer.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::config::{LookupIpStrategy, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{Hosts, Resolver};
use tenancy::{TenantId, TenantTurns, Turn};
use tokio::time::timeout;
use values::cropped;

use crate::fetch_error::FetchError;

#[cfg(test)]
mod tests;

/// The time limit of a lookup, and of the wait for its turn.
const LONGEST: Duration = Duration::from_secs(2);
/// The maximum number of concurrent lookups.
const LOOKUPS: usize = 64;
/// The maximum number of concurrent lookups of one tenant.
const LOOKUPS_OF_TENANT: usize = 8;
/// The maximum number of waiting lookups of one tenant. Further lookups are refused immediately.
const WAITING_OF_TENANT: usize = 64;
/// After this time (or a shorter one from /etc/resolv.conf), a name server that does not answer gets another
/// request.
const ASK_AGAIN: Duration = Duration::from_millis(700);

pub(crate) struct Lookups {
    turns: TenantTurns,
    servers: Servers,
}

enum Servers {
    OfSystem,
    #[cfg(test)]
    These(ResolverConfig),
}

impl Lookups {
    /// Uses the name servers of the machine.
    pub(crate) fn new() -> Self {
        Self::asking(Servers::OfSystem)
    }

    fn asking(servers: Servers) -> Self {
        Self { turns: TenantTurns::bounded(LOOKUPS, LOOKUPS_OF_TENANT, WAITING_OF_TENANT), servers }
    }

    /// Takes the tenant's turn for a lookup.
    ///
    /// # Errors
    /// [`FetchError::NoTurn`] if the tenant has the maximum number of lookups and none ends in time.
    pub(crate) async fn take_turn(&self, tenant: &TenantId) -> Result<Turn, FetchError> {
        let turn = timeout(LONGEST, self.turns.take(tenant)).await;
        turn.ok().and_then(Result::ok).ok_or(FetchError::NoTurn)
    }

    /// The addresses of a name, with port 0. Holds the turn exactly as long as the lookup runs.
    ///
    /// # Errors
    /// [`FetchError::Connection`] if the name has no address, and [`FetchError::TooSlow`].
    pub(crate) async fn resolve(&self, name: &str, _turn: Turn) -> Result<Vec<SocketAddr>, FetchError> {
        let found = timeout(LONGEST, self.find(name)).await.unwrap_or(Err(FetchError::TooSlow))?;
        Ok(found.into_iter().map(|address| SocketAddr::new(address, 0)).collect())
    }

    async fn find(&self, name: &str) -> Result<Vec<IpAddr>, FetchError> {
        let listed = in_hosts_file(name);
        if !listed.is_empty() {
            return Ok(listed);
        }
        let (config, mut options) = self.servers.read().map_err(|error| not_found(&error))?;
        options.timeout = options.timeout.min(ASK_AGAIN);
        // The hosts file was already searched, so this asks only name servers.
        options.use_hosts_file = ResolveHosts::Never;
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.cache_size = 0;
        let resolver = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
        let resolver = resolver.with_options(options).build().map_err(|error| not_found(&error))?;
        let found = resolver.lookup_ip(name).await.map_err(|error| not_found(&error))?;
        Ok(found.iter().collect())
    }
}

impl Servers {
    fn read(&self) -> Result<(ResolverConfig, ResolverOpts), NetError> {
        match self {
            Self::OfSystem => read_system_conf(),
            #[cfg(test)]
            Self::These(config) => Ok((config.clone(), ResolverOpts::default())),
        }
    }
}

/// The addresses of a name in /etc/hosts. Empty if the file cannot be read.
fn in_hosts_file(name: &str) -> Vec<IpAddr> {
    let (Ok(hosts), Ok(name)) = (Hosts::from_system(), Name::from_utf8(name)) else { return Vec::new() };
    let of_kind = |kind| hosts.lookup_static_host(&Query::query(name.clone(), kind));
    let lookups = [RecordType::A, RecordType::AAAA].into_iter().filter_map(of_kind);
    let addresses = lookups.flat_map(|lookup| {
        lookup.answers().iter().filter_map(|record| record.data.ip_addr()).collect::<Vec<_>>()
    });
    addresses.collect()
}

fn not_found(error: &NetError) -> FetchError {
    // The library's message contains the name, which is not repeated.
    let is_unknown = error.is_nx_domain() || error.is_no_records_found();
    let cause =
        if is_unknown { "the host name has no address".to_owned() } else { cropped(&error.to_string()) };
    FetchError::Connection(cause)
}
