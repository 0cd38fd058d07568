//! The names in a path of the admin API. A tenant's id is sent as it is; the id of a client or of a secret may be percent-encoded
//! (RFC 3986 §2.1).

use accounts::AccountId;
use keys::KeyId;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use registry::{ClientId, SecretId};
use sessions::SessionId;
use tenancy::TenantId;

use crate::failure::Failure;
use crate::raw_request::RawRequest;
use crate::respond::Problem;

/// The characters that a segment of a path has in encoded form only.
const RESERVED: &AsciiSet = &{
    let mut set = CONTROLS.add(b' ');
    let mut rest: &[u8] = b"\"#%+/<>?[\\]^`{|}";
    while let [byte, others @ ..] = rest {
        (set, rest) = (set.add(*byte), others);
    }
    set
};

/// What a path names. It is parsed after the caller is authorized: without permission there is no 404.
pub(crate) trait Target: Sized + 'static {
    /// The names, or 404 for one that nothing can have.
    fn of(raw: &RawRequest) -> Result<Self, Problem>;
}

/// A path without names.
impl Target for () {
    fn of(_: &RawRequest) -> Result<Self, Problem> {
        Ok(())
    }
}

impl Target for TenantId {
    fn of(raw: &RawRequest) -> Result<Self, Problem> {
        Self::parse(raw.place("id").unwrap_or_default()).map_err(|_| Failure::UnknownTenant.into())
    }
}

/// A client of a tenant.
impl Target for (TenantId, ClientId) {
    fn of(raw: &RawRequest) -> Result<Self, Problem> {
        Ok((TenantId::of(raw)?, named("client", decoded(raw, "client").and_then(|name| name.parse().ok()))?))
    }
}

/// A secret of a client.
impl Target for (TenantId, ClientId, SecretId) {
    fn of(raw: &RawRequest) -> Result<Self, Problem> {
        let (tenant, client) = Target::of(raw)?;
        let name = decoded(raw, "secret").filter(|name| !name.chars().any(char::is_control));
        Ok((tenant, client, named("secret", name.as_deref().map(SecretId::new))?))
    }
}

/// An account of a tenant. Its id is sent as it is.
impl Target for (TenantId, AccountId) {
    fn of(raw: &RawRequest) -> Result<Self, Problem> {
        Ok((TenantId::of(raw)?, named("account", raw.place("account").and_then(|id| id.parse().ok()))?))
    }
}

/// A session of an account. Its id is sent as it is.
impl Target for (TenantId, AccountId, SessionId) {
    fn of(raw: &RawRequest) -> Result<Self, Problem> {
        let (tenant, account) = Target::of(raw)?;
        Ok((tenant, account, named("session", raw.place("session").and_then(|id| id.parse().ok()))?))
    }
}

/// What an account has allowed a client.
impl Target for (TenantId, AccountId, ClientId) {
    fn of(raw: &RawRequest) -> Result<Self, Problem> {
        let (tenant, account) = <(TenantId, AccountId)>::of(raw)?;
        let (_, client) = <(TenantId, ClientId)>::of(raw)?;
        Ok((tenant, account, client))
    }
}

/// A signing key of a tenant. Its `kid` is sent as it is.
impl Target for (TenantId, KeyId) {
    fn of(raw: &RawRequest) -> Result<Self, Problem> {
        Ok((TenantId::of(raw)?, named("key", raw.place("kid").and_then(KeyId::parse))?))
    }
}

/// The path of a tenant.
pub(super) fn tenant_location(tenant: &str) -> String {
    format!("/api/v1/admin/tenants/{tenant}")
}

/// The path of a client.
pub(super) fn client_location(tenant: &TenantId, client: &str) -> String {
    format!("/api/v1/tenant/{tenant}/clients/{}", utf8_percent_encode(client, RESERVED))
}

/// The path of a secret.
pub(super) fn secret_location(tenant: &TenantId, client: &ClientId, secret: &str) -> String {
    let client = client_location(tenant, client.as_str());
    format!("{client}/secrets/{}", utf8_percent_encode(secret, RESERVED))
}

/// The path of an account.
pub(super) fn account_location(tenant: &TenantId, account: &str) -> String {
    format!("/api/v1/tenant/{tenant}/accounts/{account}")
}

/// The path of a signing key.
pub(super) fn key_location(tenant: &TenantId, key: KeyId) -> String {
    format!("/api/v1/tenant/{tenant}/keys/{key}")
}

fn named<T>(what: &str, name: Option<T>) -> Result<T, Problem> {
    name.ok_or_else(|| Problem::not_found(format!("there is no {what} of this id")))
}

fn decoded(raw: &RawRequest, place: &str) -> Option<String> {
    percent_decode_str(raw.place(place)?).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
