//! References to secret stores, and the values that the stores return for them.

use administration::declaration::StoredSource;
use administration::documents;
use administration::rules::unfit;
use outbound::StoredSecret;
use secrets::MAX_SECRET_LENGTH;
use values::Secret;

use super::known_stores::is_path;
use super::reader::StoredPlace;
use crate::sections::{Cache, Keys, Mail, SealingKeySetting, Storage};
use crate::{
    SAMPLE_SECRETS, declared_tenants::UnresolvedTenants, findings::Location, reading::Reading,
    store_reference::StoreReference,
};

/// An error that is already in the findings.
pub(crate) struct Reported;

/// A secret from a store, or why it could not be read.
pub(crate) type StoredValue = Result<(Secret, StoredSource), String>;

/// The references of the tenants' clients: stores and paths.
pub(crate) fn of_clients(declared: &UnresolvedTenants) -> impl Iterator<Item = (&str, &str)> {
    let clients = declared.values().flat_map(|(tenant, _)| tenant.clients.values());
    let sources = clients.flat_map(|client| client.client_secret.iter().chain(&client.client_secrets));
    sources.filter_map(|documents::SecretSource { store, path, .. }| store.as_deref().zip(path.as_deref()))
}

/// The references of the server's own sections.
pub(crate) fn of_server<'s>(
    storage: &'s Storage,
    cache: &'s Cache,
    keys: &'s Keys,
) -> impl Iterator<Item = (&'s str, &'s str)> {
    let passwords = storage.password.iter().chain(&cache.redis_password);
    let passwords = passwords.map(|StoreReference { store, path, .. }| (&**store, &**path));
    let keys = std::iter::once(&keys.sealing_key).chain(&keys.former_sealing_keys);
    let place = |SealingKeySetting { store, path, .. }: &'s _| store.as_deref().zip(path.as_deref());
    passwords.chain(keys.filter_map(place))
}

/// The references of the passwords for mail servers.
pub(crate) fn of_mail(mail: &Mail) -> impl Iterator<Item = (&str, &str)> {
    mail.servers().filter_map(|server| server.password.store.as_deref().zip(server.password.path.as_deref()))
}

impl Reading<'_> {
    /// Reads all references at the same time, because each request to a store takes time.
    pub(crate) fn read_stores<'s>(&mut self, referred: impl Iterator<Item = (&'s str, &'s str)>) {
        let stores = self.file_reader.environment.secret_stores();
        let known = referred.filter(|(store, path)| stores.known(store).is_some() && is_path(path));
        let places =
            known.map(|(store, path)| StoredPlace { store: store.to_owned(), path: path.to_owned() });
        self.stored = stores.read(&places.collect());
    }

    /// The reference that these members of a setting form. `Ok(None)` if all are absent.
    pub(crate) fn reference(
        &mut self,
        (store, path, key): (Option<String>, Option<String>, Option<String>),
        at: &Location,
    ) -> Result<Option<StoreReference>, Reported> {
        match (store, path) {
            (Some(store), Some(path)) => Ok(Some(StoreReference { store, path, key })),
            (None, None) if key.is_none() => Ok(None),
            _ => {
                let problem = "a reference to a secret store needs `store` and `path`";
                let hint = "write `{ store: NAME, path: PATH, key: MEMBER }`";
                self.findings.error(at.clone(), problem, hint);
                Err(Reported)
            }
        }
    }

    /// The value of a reference for a client. `None` if the reference itself is invalid; the findings then
    /// contain the error.
    pub(crate) fn stored_secret(&mut self, reference: &StoreReference, at: &Location) -> Option<StoredValue> {
        let value = self.stored_value(reference, at)?;
        // The value is part of the hash of the settings, like the content of a file.
        let StoreReference { store, path, key } = reference;
        let name = format!("{store}:{path}#{}", key.as_deref().unwrap_or_default());
        match &value {
            Ok((value, _)) => self.file_reader.absorb("stored", &name, value.expose().as_bytes()),
            Err(_) => self.file_reader.absorb("not stored", &name, b""),
        }
        Some(value)
    }

    /// The value of a reference for the server itself. A missing value is an error of the settings.
    pub(crate) fn stored_of_server(
        &mut self,
        reference: &StoreReference,
        at: &Location,
    ) -> Option<documents::FileSecret> {
        match self.stored_value(reference, at)? {
            Ok((value, _)) => Some(documents::FileSecret::new(value.expose().to_owned())),
            Err(why) => {
                let hint = "the server does not start without this secret; fix the problem above";
                self.findings.refuse(at.clone(), why, hint)
            }
        }
    }

    /// The value of a reference. `None` if the reference itself is invalid; the findings then contain the
    /// error.
    pub(crate) fn stored_value(&mut self, reference: &StoreReference, at: &Location) -> Option<StoredValue> {
        let StoreReference { store, path, key } = reference;
        let stores = self.file_reader.environment.secret_stores();
        let findings = &mut self.findings;
        let Some(known) = stores.known(store) else {
            let hint = match documents::nearest(store, stores.names().iter().map(String::as_str)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "declare it under `secret_stores`".to_owned(),
            };
            return findings.refuse(at.key("store"), "this secret store does not exist", hint);
        };
        if !is_path(path) {
            let hint = "use segments of letters, digits and _+=.@:-, separated by slashes";
            return findings.refuse(at.key("path"), "this is not a valid path in a secret store", hint);
        }
        if key.is_none() && known.needs_key() {
            let problem = "a Vault secret has several members, and the reference names none";
            return findings.refuse(at.clone(), problem, "set `key`, such as `key: client_secret`");
        }
        let place = StoredPlace { store: store.clone(), path: path.clone() };
        Some(match self.stored.get(&place) {
            Some(Ok(secret)) => value_of(reference, secret),
            Some(Err(why)) => Err(why.clone()),
            None => Err(format!("{path} was not requested from secret store {store}")),
        })
    }
}

/// The secret and the previous one. A value that a client must not have counts as missing.
fn value_of(StoreReference { store, path, key }: &StoreReference, secret: &StoredSecret) -> StoredValue {
    let at = || format!("secret store {store}: {path}");
    let value = secret.current.value(key.as_deref()).map_err(|error| error.to_string())?;
    if let Some(why) = unfit(value.expose(), MAX_SECRET_LENGTH) {
        return Err(format!("{}: the secret {why}", at()));
    }
    if SAMPLE_SECRETS.contains(&value.expose()) {
        return Err(format!("{}: this is a well-known sample secret; store another secret", at()));
    }
    let previous = secret.previous.as_ref().and_then(|previous| previous.value(key.as_deref()).ok());
    let previous = previous.filter(|previous| {
        unfit(previous.expose(), MAX_SECRET_LENGTH).is_none() && previous.expose() != value.expose()
    });
    let version = format!("{store} version {}", secret.current.version);
    Ok((value, StoredSource { version, created_at: secret.current.created_at, previous }))
}
