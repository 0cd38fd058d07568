//! The names in a path of the admin API. A tenant is named letter by letter; a client's and a secret's name may need escapes
//! (RFC 3986 §2.1).

use keys::KeyId;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use registry::{ClientId, SecretId};
use tenancy::TenantId;

use crate::failure::Failure;
use crate::raw_request::RawRequest;
use crate::respond::Problem;

/// What stands for something else in a segment of a path.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'+')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The tenant as it was sent; no tenant has the empty name.
pub(super) fn tenant_name(raw: &RawRequest) -> &str {
    raw.place("id").unwrap_or_default()
}

/// The tenant. Asked after admission only: who may not know gets no 404.
pub(super) fn tenant(raw: &RawRequest) -> Result<TenantId, Problem> {
    TenantId::parse(tenant_name(raw)).map_err(|_| Failure::UnknownTenant.into())
}

/// The client.
pub(super) fn client(raw: &RawRequest) -> Result<ClientId, Problem> {
    let name = decoded(raw, "client").and_then(|name| ClientId::parse(&name).ok());
    name.ok_or_else(|| Problem::not_found("there is no client of this id"))
}

/// The secret.
pub(super) fn secret(raw: &RawRequest) -> Result<SecretId, Problem> {
    let name = decoded(raw, "secret").filter(|name| !name.chars().any(char::is_control));
    name.map(|name| SecretId::new(&name)).ok_or_else(|| Problem::not_found("there is no secret of this id"))
}

/// The signing key, by its `kid` letter by letter.
pub(super) fn key(raw: &RawRequest) -> Result<KeyId, Problem> {
    let key = raw.place("kid").and_then(KeyId::parse);
    key.ok_or_else(|| Problem::not_found("there is no key of this id"))
}

/// Where a tenant is found.
pub(super) fn tenant_location(tenant: &str) -> String {
    format!("/api/v1/admin/tenants/{tenant}")
}

/// Where a client is found.
pub(super) fn client_location(tenant: &TenantId, client: &str) -> String {
    format!("/api/v1/tenant/{tenant}/clients/{}", utf8_percent_encode(client, RESERVED))
}

/// Where a secret is found.
pub(super) fn secret_location(tenant: &TenantId, client: &ClientId, secret: &str) -> String {
    let client = client_location(tenant, client.as_str());
    format!("{client}/secrets/{}", utf8_percent_encode(secret, RESERVED))
}

/// Where a signing key is found.
pub(super) fn key_location(tenant: &TenantId, key: KeyId) -> String {
    format!("/api/v1/tenant/{tenant}/keys/{key}")
}

fn decoded(raw: &RawRequest, place: &str) -> Option<String> {
    percent_decode_str(raw.place(place)?).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
