//! References of clients' secrets to a secret store, and what the stores give for them.

use std::collections::{BTreeMap, BTreeSet};

use administration::{SecretSource, StoredSource, nearest, unfit};
use outbound::StoredSecret;
use protocol::Secret;
use secrets::MAX_SECRET_LENGTH;

use super::check::is_path;
use super::reader::{Place, Read};
use crate::{SAMPLE_SECRETS, declared_tenants::Declared, findings::Location, read::Reading};

/// What was read from the stores.
pub(crate) type StoredValues = BTreeMap<Place, Read>;

/// A secret in a store, as a setting refers to it.
pub(crate) struct StoreReference {
    pub(crate) store: String,
    pub(crate) path: String,
    pub(crate) key: Option<String>,
}

/// A secret that a store gave, or why it did not give it.
pub(crate) type StoredValue = Result<(Secret, StoredSource), String>;

impl Reading<'_> {
    /// Reads what the clients of the tenants refer to, all at once: each request to a store takes its time.
    pub(crate) fn read_stores(&mut self, declared: &Declared) {
        let stores = self.file_reader.environment.secret_stores();
        let mut wanted = BTreeSet::new();
        let clients = declared.values().flat_map(|(tenant, _)| tenant.clients.values());
        for source in clients.flat_map(|client| client.client_secret.iter().chain(&client.client_secrets)) {
            let SecretSource { store: Some(store), path: Some(path), .. } = source else { continue };
            if stores.known(store).is_some() && is_path(path) {
                wanted.insert(Place { store: store.clone(), path: path.clone() });
            }
        }
        self.stored = stores.read(&wanted);
    }

    /// What a store has for a reference. `None` where the reference itself is wrong, which is among the findings.
    pub(crate) fn stored_secret(&mut self, reference: &StoreReference, at: &Location) -> Option<StoredValue> {
        let StoreReference { store, path, key } = reference;
        let stores = self.file_reader.environment.secret_stores();
        let findings = &mut self.findings;
        let Some(known) = stores.known(store) else {
            let hint = match nearest(store, stores.names().iter().map(String::as_str)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "declare it under `secret_stores`".to_owned(),
            };
            findings.error(at.key("store"), "there is no secret store of this name", hint);
            return None;
        };
        if !is_path(path) {
            let hint = "write segments of letters, digits and _+=.@:-, with slashes between them";
            findings.error(at.key("path"), "this is no path in a secret store", hint);
            return None;
        }
        if key.is_none() && known.needs_key() {
            let problem = "a secret of Vault has members, and nothing says which";
            findings.error(at.clone(), problem, "give `key`, such as `key: client_secret`");
            return None;
        }
        let place = Place { store: store.clone(), path: path.clone() };
        let value = match self.stored.get(&place) {
            Some(Ok(secret)) => value_of(reference, secret),
            Some(Err(why)) => Err(why.clone()),
            None => Err(format!("the secret store {store} was not asked for {path}")),
        };
        // What was read counts for the hash of the settings as what a file holds.
        let name = format!("{store}:{path}#{}", key.as_deref().unwrap_or_default());
        match &value {
            Ok((value, _)) => self.file_reader.absorb("stored", &name, value.expose().as_bytes()),
            Err(_) => self.file_reader.absorb("not stored", &name, b""),
        }
        Some(value)
    }
}

/// The secret and the one before. A value that no client may have is one that the store does not give.
fn value_of(StoreReference { store, path, key }: &StoreReference, secret: &StoredSecret) -> StoredValue {
    let at = || format!("the secret store {store}: {path}");
    let value = secret.current.value(key.as_deref()).map_err(|error| error.to_string())?;
    if let Some(why) = unfit(value.expose(), MAX_SECRET_LENGTH) {
        return Err(format!("{}: the secret {why}", at()));
    }
    if SAMPLE_SECRETS.contains(&value.expose()) {
        return Err(format!("{}: this is a sample secret that everyone knows; store another one", at()));
    }
    let previous = secret.previous.as_ref().and_then(|previous| previous.value(key.as_deref()).ok());
    let previous = previous.filter(|previous| {
        unfit(previous.expose(), MAX_SECRET_LENGTH).is_none() && previous.expose() != value.expose()
    });
    let version = format!("{store} version {}", secret.current.version);
    Ok((value, StoredSource { version, created_at: secret.current.created_at, previous }))
}
