//! Caches the rows that a replica has read from its store: tenants, clients, accounts and key sets. An entry
//! is used for a few seconds, and while the store is unavailable for as long as the tenant allows. Replicas
//! share rows through Redis. In reading order:

// Keys of entries, epochs and freshness.
mod epochs;
mod followed;
mod freshness;
mod row_key;
mod shares;
mod slot;
mod weights;

pub use freshness::{FRESH, Freshness, REVOCATIONS_FRESH};
pub use slot::RETRY_PAUSE;

// Redis, which replicas share.
mod shared;

pub use shared::{
    InvalidRedisUrl, RedisCache, RedisCounters, RedisFault, RedisOptions, RedisTiming, SharedReading,
    WallClock, ping,
};

// The read-through cache.
mod counters;
mod read_through;
mod stripes;
mod untyped_cache;

pub use counters::Counters;
pub use read_through::{ReadThrough, Source};

// The stores, each with its cache.
mod account_store;
mod api_key_store;
mod client_store;
mod federated_client_store;
mod logo_store;
mod replay_guard;
mod revocation_store;
mod signing_key_store;
mod tenant_store;

pub use account_store::CachedAccountStore;
pub use api_key_store::CachedApiKeyStore;
pub use client_store::CachedClientStore;
pub use federated_client_store::CachedFederatedClientStore;
pub use logo_store::CachedLogoStore;
pub use replay_guard::SharedReplayGuard;
pub use revocation_store::CachedRevocationStore;
pub use signing_key_store::CachedSigningKeyStore;
pub use tenant_store::CachedTenantStore;

// All caches of a replica.
mod caches;

pub use caches::{Caches, Capacity};
