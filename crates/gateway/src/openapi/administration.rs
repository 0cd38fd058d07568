//! Schemas of the admin API. Their members are those of administration's documents; a test holds the two together.

use std::collections::BTreeMap;

use utoipa::ToSchema;

/// What may be set of a tenant. Everything may be left out; null is the default.
#[derive(ToSchema)]
pub(crate) struct TenantSettings {
    /// For people; the id by default.
    name: Option<String>,
    /// `iss` of its tokens; its own path below the public URL by default.
    issuer: Option<String>,
    /// Other `iss` values that a client may be given.
    issuer_aliases: Option<Vec<String>>,
    strategies: Option<Strategies>,
    /// Seconds for which cached clients get tokens while the store is down.
    #[schema(example = 900)]
    stale_if_error: Option<u64>,
    signing: Option<Signing>,
    access_token: Option<AccessToken>,
    /// Audiences, each with what belongs to it.
    resource_servers: Option<BTreeMap<String, ResourceServer>>,
}

/// What a tenant offers; oauth2 by default.
#[derive(ToSchema)]
#[schema(as = TenantStrategies)]
pub(crate) struct Strategies {
    oauth2: Option<Strategy>,
    oidc: Option<Strategy>,
}

/// Whether it is offered.
#[derive(ToSchema)]
#[schema(as = TenantStrategy)]
pub(crate) struct Strategy {
    enabled: Option<bool>,
}

/// How a tenant signs; durations in seconds.
#[derive(ToSchema)]
pub(crate) struct Signing {
    #[schema(example = "RS256")]
    algorithm: Option<String>,
    rotate_every: Option<u64>,
    publish_before: Option<u64>,
    jwks_max_age: Option<u64>,
    jwks_stale: Option<u64>,
    skew: Option<u64>,
    /// Of new RSA keys: 2048, 3072 or 4096.
    #[schema(example = 2048)]
    rsa_bits: Option<u32>,
    /// For how long a key may wait to sign until verifiers that poll have it; by default it waits for nobody.
    hold_activation: Option<u64>,
}

/// How a tenant's tokens look.
#[derive(ToSchema)]
pub(crate) struct AccessToken {
    /// Seconds.
    #[schema(example = 3600)]
    lifetime: Option<u64>,
    /// `jwt` or `opaque`.
    #[schema(example = "jwt")]
    format: Option<String>,
    /// `typ` of the header.
    #[schema(example = "at+jwt")]
    typ: Option<String>,
}

/// An audience.
#[derive(ToSchema)]
pub(crate) struct ResourceServer {
    /// Scopes that mean something there.
    scopes: Option<Vec<String>>,
    /// Clients that may introspect tokens for it.
    clients: Option<Vec<String>>,
}

/// A tenant that is to be made.
#[derive(ToSchema)]
pub(crate) struct NewTenant {
    /// 1 to 63 of a-z, 0-9 and -, not beginning with -; never used for another tenant again.
    #[schema(example = "your-tenant")]
    id: String,
    /// Its first client, made together with it.
    client: Option<NewClient>,
    #[schema(inline)]
    #[serde(flatten)]
    settings: TenantSettings,
}

/// A tenant as it is.
#[derive(ToSchema)]
pub(crate) struct Tenant {
    #[schema(example = "your-tenant")]
    id: String,
    /// `active`, `suspended`, `retired` (no longer declared), `deleting` or `deleted`.
    #[schema(example = "active")]
    status: String,
    /// `config` or `api`.
    #[schema(example = "api")]
    managed_by: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    /// Until when its deletion can be taken back.
    #[schema(format = DateTime)]
    deletion_due_at: Option<String>,
    /// Where verifiers find its keys.
    jwks_uri: String,
    /// Where its clients fetch tokens.
    token_endpoint: String,
    #[schema(inline)]
    #[serde(flatten)]
    settings: TenantSettings,
}

/// A tenant that has just been made.
#[derive(ToSchema)]
pub(crate) struct CreatedTenant {
    #[schema(inline)]
    #[serde(flatten)]
    tenant: Tenant,
    /// Its first client, if one was asked for.
    client: Option<CreatedClient>,
}

/// What may be set of a client. Everything may be left out; null is the default.
#[derive(ToSchema)]
pub(crate) struct ClientSettings {
    /// For people; the id by default.
    name: Option<String>,
    /// `any`, `client_secret_basic` or `client_secret_post`.
    #[schema(example = "any")]
    token_endpoint_auth_method: Option<String>,
    /// `client_credentials` by default.
    grant_types: Option<Vec<String>>,
    /// Put in `aud` when the request names no resource.
    audiences: Option<Vec<String>>,
    /// May be asked for with `resource` (RFC 8707).
    resources: Option<Vec<String>>,
    /// What it may be granted.
    scopes: Option<Vec<String>>,
    /// Seconds; the tenant's by default.
    access_token_lifetime: Option<u64>,
    token: Option<TokenSettings>,
    /// Whose tokens it may introspect: `own`, `audience` or `tenant`.
    #[schema(example = "own")]
    introspection: Option<String>,
}

/// What a client's tokens say otherwise.
#[derive(ToSchema)]
pub(crate) struct TokenSettings {
    /// `iss`: the tenant's issuer or one of its aliases.
    issuer: Option<String>,
}

/// A client that is to be registered.
#[derive(ToSchema)]
pub(crate) struct NewClient {
    /// Made where there is none.
    client_id: Option<String>,
    /// A secret that a person chose; made where there is none.
    #[schema(format = Password)]
    client_secret: Option<String>,
    #[schema(inline)]
    #[serde(flatten)]
    settings: ClientSettings,
}

/// A client as it is.
#[derive(ToSchema)]
pub(crate) struct Client {
    client_id: String,
    /// `active`, `suspended` or `retired`.
    #[schema(example = "active")]
    status: String,
    /// `config` or `api`.
    #[schema(example = "api")]
    managed_by: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    /// How many secrets it has that count now.
    live_secrets: u32,
    #[schema(inline)]
    #[serde(flatten)]
    settings: ClientSettings,
}

/// A client that has just been registered.
#[derive(ToSchema)]
pub(crate) struct CreatedClient {
    #[schema(inline)]
    #[serde(flatten)]
    client: Client,
    /// Its first secret, with the value that is shown this once.
    secret: Option<CreatedSecret>,
}

/// How a secret is to be made.
#[derive(ToSchema)]
pub(crate) struct NewSecret {
    /// From when on it no longer counts; never by default.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// How secrets are to be replaced.
#[derive(ToSchema)]
pub(crate) struct Rotation {
    /// For how many seconds the old ones still count; a day by default.
    #[schema(example = 86400)]
    grace: Option<u64>,
    /// From when on the new one no longer counts; never by default.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// A secret of a client, without its value.
#[derive(ToSchema)]
pub(crate) struct Secret {
    #[schema(example = "s1")]
    id: String,
    /// The last four characters of a generated value.
    hint: String,
    /// `generated`, `chosen` or `imported`.
    form: String,
    /// `live`, `expired` or `revoked`.
    status: String,
    /// `config` or `api`.
    managed_by: String,
    #[schema(format = DateTime)]
    created_at: String,
    /// From when on it no longer counts.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
    /// When it last fetched a token.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    /// From how many addresses it was used.
    addresses: u32,
    used_from: Vec<UsedFrom>,
    /// Whether nobody would miss it.
    safe_to_delete: bool,
}

/// An address from which a secret was used.
#[derive(ToSchema)]
pub(crate) struct UsedFrom {
    /// An IPv4 address, or the /64 of an IPv6 one.
    address: String,
    #[schema(format = DateTime)]
    last_used_at: String,
}

/// A secret that has just been made.
#[derive(ToSchema)]
pub(crate) struct CreatedSecret {
    /// The value, shown this once.
    #[schema(format = Password)]
    client_secret: String,
    #[schema(inline)]
    #[serde(flatten)]
    secret: Secret,
}

/// All secrets of a client.
#[derive(ToSchema)]
pub(crate) struct Secrets {
    items: Vec<Secret>,
}

/// A signing key of a tenant, without its private half.
#[derive(ToSchema)]
#[schema(as = SigningKey)]
pub(crate) struct KeyView {
    /// As in the header of tokens.
    #[schema(example = "oauth2-key-1")]
    kid: String,
    #[schema(example = "RS256")]
    algorithm: String,
    /// `announced`, `active`, `retiring` or `removed`.
    #[schema(example = "active")]
    state: String,
    /// Of its public half (RFC 7638).
    thumbprint: String,
    /// From when on it is published.
    #[schema(format = DateTime)]
    announced_at: String,
    /// From when on it signs.
    #[schema(format = DateTime)]
    active_from: String,
    /// From when on it no longer signs; null: nothing follows it yet.
    #[schema(format = DateTime)]
    retiring_from: Option<String>,
    /// From when on it is no longer published.
    #[schema(format = DateTime)]
    removed_at: Option<String>,
    /// Whether its private half has been wiped.
    destroyed: bool,
}

/// A signing key with its public half.
#[derive(ToSchema)]
pub(crate) struct Key {
    #[schema(inline)]
    #[serde(flatten)]
    key: KeyView,
    /// As a member of the key set (RFC 7517 section 4).
    jwk: BTreeMap<String, String>,
    /// As SubjectPublicKeyInfo in PEM (RFC 7468 section 13).
    pem: String,
}

/// All signing keys of a tenant.
#[derive(ToSchema)]
pub(crate) struct Keys {
    items: Vec<KeyView>,
}

/// How keys are to be replaced.
#[derive(ToSchema)]
pub(crate) struct KeyRotation {
    /// The present keys may be in wrong hands: they are gone at once.
    emergency: Option<bool>,
    /// What an emergency breaks is known; needed there.
    confirm: Option<bool>,
}

/// A key that is to be brought in.
#[derive(ToSchema)]
pub(crate) struct NewKey {
    /// A private key: PKCS#8 or PKCS#1 in PEM, or a JWK as a text.
    #[schema(format = Password)]
    key: String,
    /// What it is to sign with. May be left out where the JWK says it or the key can do one thing only.
    #[schema(example = "RS256")]
    algorithm: Option<String>,
}

/// What a command has done.
#[derive(ToSchema)]
pub(crate) struct KeysChanged {
    /// The keys as they are now.
    items: Vec<KeyView>,
    /// What it broke; empty for an orderly rotation.
    breaks: Vec<BrokenTokens>,
}

/// Tokens that are refused although they would still be alive.
#[derive(ToSchema)]
pub(crate) struct BrokenTokens {
    /// Which key signed them.
    #[schema(example = "oauth2-key-1")]
    kid: String,
    /// When the last of them would have expired.
    #[schema(format = DateTime)]
    until: String,
}

/// Whether a new key can sign safely.
#[derive(ToSchema)]
pub(crate) struct KeyStatus {
    /// The key that signs now.
    signing: Option<KeyView>,
    /// The key that is announced, if one is.
    announced: Option<KeyView>,
    /// Whether all verifiers that poll have fetched the announced key; absent where none is announced or nobody polls.
    seen_by_all: Option<bool>,
    /// When the keys are looked at next.
    #[schema(format = DateTime)]
    due_at: Option<String>,
    /// The keys that cannot be opened; absent where all can.
    unopened: Option<Vec<UnopenedKey>>,
    /// Those that poll, the latest first.
    verifiers: Vec<Verifier>,
}

/// A key that cannot be opened. While it should sign, no token is issued.
#[derive(ToSchema)]
pub(crate) struct UnopenedKey {
    #[schema(example = "oauth2-key-1")]
    kid: String,
    /// Why; and to administrators of the platform, how to mend it.
    problem: String,
}

/// Somebody who fetches the key set.
#[derive(ToSchema)]
pub(crate) struct Verifier {
    /// User agent and address, of an IPv6 one its /64.
    verifier: String,
    #[schema(format = DateTime)]
    last_fetch_at: String,
    /// The newest key that it was given.
    #[schema(example = "oauth2-key-1")]
    newest_kid: String,
    /// Whether it has the announced key.
    has_announced: bool,
}

/// Some tenants.
#[derive(ToSchema)]
pub(crate) struct TenantPage {
    items: Vec<Tenant>,
    /// Absent on the last page.
    next_cursor: Option<String>,
}

/// Some clients.
#[derive(ToSchema)]
pub(crate) struct ClientPage {
    items: Vec<Client>,
    /// Absent on the last page.
    next_cursor: Option<String>,
}

/// Some of the audit.
#[derive(ToSchema)]
pub(crate) struct AuditPage {
    items: Vec<AuditRecord>,
    /// Absent on the last page.
    next_cursor: Option<String>,
}

/// Who did what.
#[derive(ToSchema)]
pub(crate) struct AuditRecord {
    /// Its place in the order of all records.
    position: i64,
    #[schema(format = DateTime)]
    at: String,
    #[schema(example = "client:platform/ops")]
    actor: String,
    /// The address that the request came from.
    source: Option<String>,
    #[schema(example = "client.changed")]
    action: String,
    tenant: String,
    subject: String,
    /// By field, the values before and after; never a secret.
    #[schema(value_type = Object)]
    detail: (),
}

/// RFC 9457.
#[derive(ToSchema)]
pub(crate) struct Problem {
    /// What programs act on.
    #[schema(example = "urn:latchkey:problem:invalid-request")]
    r#type: String,
    title: String,
    #[schema(example = 400)]
    status: u16,
    /// What people read.
    detail: String,
    /// Of a faulty body or query: every fault with its place.
    errors: Option<Vec<FieldError>>,
    /// Of what must be confirmed: whose tokens it breaks.
    breaks: Option<Vec<BrokenTokens>>,
}

/// One thing that is wrong.
#[derive(ToSchema)]
#[schema(as = Fault)]
pub(crate) struct FieldError {
    /// JSON pointer (RFC 6901); of a query parameter its name.
    #[schema(example = "/scopes/1")]
    pointer: String,
    #[schema(example = "must be a string")]
    detail: String,
}
