//! The settings that a command on the store needs: no tenant, and no secret of a client.

use std::path::Path;
use std::sync::Arc;

use administration::documents::FileSecret;
use outbound::KeyService;
use values::Lifetime;

use super::{
    check,
    declared_places::DeclaredPlaces,
    document::Document,
    environment::Environment,
    read_error::ReadError,
    reading::Reading,
    resolved::{MailSettings, SealingKeys, StorageLocation},
    secret_stores::{Passwords, SecretStores, of_server},
    sections::{Cache, CacheMemory, Connections, Keys, Limits, Server, Storage},
};

#[derive(Debug)]
pub struct PlatformSettings {
    /// The addresses that the server listens on, and its public URL.
    pub server: Server,
    pub storage: StorageLocation,
    /// The most connections to the store.
    pub connections: Connections,
    /// The cache that replicas share, if there is one.
    pub redis_url: Option<FileSecret>,
    /// The passwords for storage and cache that come from secret stores. The URLs also contain them.
    pub passwords: Passwords,
    /// How long a replica uses cached rows.
    pub l1_lifetime: Lifetime,
    pub cache_memory: CacheMemory,
    /// The keys that seal private keys and the pepper at rest.
    pub sealing_keys: SealingKeys,
    pub limits: Limits,
    /// Without it, no mail is sent. [`read_platform`] reads no passwords of mail servers.
    pub mail: Option<MailSettings>,
    /// The files that declare tenants.
    pub declared: DeclaredPlaces,
    pub secret_stores: Arc<SecretStores>,
}

/// Reads only the sections of the whole server. Variables and files with secrets of clients are not read,
/// because an operator's shell may not have them.
pub fn read_platform(path: &Path, environment: &Environment) -> Result<PlatformSettings, ReadError> {
    let (mut reading, document) = Reading::begin(path, environment, None, KeyService::is_built_in)?;
    let Document { mut server, storage, cache, keys, limits, mail, tenants_dir, secret_stores, .. } =
        document;
    let tenants_dir = reading.locations.tenants_dir(tenants_dir.as_deref());
    let declared = DeclaredPlaces::new(&reading.locations.sources[0].path, tenants_dir);
    reading.locations.find_files_of(&mut server);
    reading.know_secret_stores(secret_stores);
    reading.read_stores(of_server(&storage, &cache, &keys));
    let connections = storage.connections;
    let StoreSettings { storage, redis_url, passwords, sealing_keys } =
        reading.store(&cache, &storage, &keys);
    let mail = reading.mail(&mail, &server, None);
    let is_sound = reading.form.is_empty() && reading.findings.errors.is_empty();
    let (Some(storage), Some(sealing_keys), true) = (storage, sealing_keys, is_sound) else {
        return Err(reading.form.with_findings(reading.findings, &reading.locations));
    };
    Ok(PlatformSettings {
        server,
        storage,
        connections,
        redis_url,
        passwords,
        l1_lifetime: cache.l1_lifetime,
        cache_memory: cache.memory,
        sealing_keys,
        limits,
        mail,
        declared,
        secret_stores: Arc::clone(environment.secret_stores()),
    })
}

/// The resolved sections about the store. `None` means that the findings contain the error.
pub(super) struct StoreSettings {
    pub storage: Option<StorageLocation>,
    pub redis_url: Option<FileSecret>,
    pub passwords: Passwords,
    pub sealing_keys: Option<SealingKeys>,
}

impl Reading<'_> {
    /// Checks the sections about the store: where it is, and which keys seal its rows.
    pub(super) fn store(&mut self, cache: &Cache, storage: &Storage, keys: &Keys) -> StoreSettings {
        check::server::check_cache(cache, &mut self.findings);
        let location = check::server::storage(storage, &self.locations, &mut self.findings);
        let (storage, of_storage) = self.with_storage_password(location, storage.password.as_ref());
        let (redis_url, redis) = self.with_redis_password(cache);
        let passwords = Passwords { storage: of_storage, redis };
        StoreSettings { storage, redis_url, passwords, sealing_keys: self.sealing_keys(keys) }
    }
}
