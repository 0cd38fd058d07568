//! Tenants as documents of the operator's files, of the API and of the command line.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use protocol::{SigningAlgorithm, SubjectType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tenancy::{
    AccessTokenPolicy, AssertionPolicy, Branding, Corners, Font, KidForm, LeakAction, LeakPolicy,
    RefreshTokenPolicy, Rotation, SessionPolicy, SignInPolicy, SigningPolicy, Strategies, Tenant,
    UserinfoTokens,
};
use values::{Lifetime, Rate};

use super::Instant;
use super::api_key::ApiKeysSettings;
use super::federation::TrustedIssuerSettings;
use super::read::documents;
use super::schema::{self, JsonSchema};
use super::source::{ClientCaSettings, KeySource};
use super::{
    AccountSettings, ClientSettings, CreatedClient, FieldErrorView, LogoSettings, NewClient, ResourceScopes,
};
use crate::rules::Interface;

/// One isolated authorization server.
//
// A PATCH is a merge patch of this. Members that are never serialized are for files only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TenantSettings {
    /// The name for display. Default: the tenant's id.
    #[schemars(extend("minLength" = 1, "maxLength" = 255, "pattern" = schema::NAME))]
    pub name: Option<String>,
    /// The issuer in `iss`. Default: `{public_url}/api/v1/tenant/{id}`.
    #[schemars(extend("maxLength" = 255, "pattern" = schema::PLAIN_URL))]
    pub issuer: Option<String>,
    /// Other `iss` values that you can assign to a client of this tenant.
    #[schemars(extend("items" = schema::names(schema::SCOPE), "uniqueItems" = true))]
    pub issuer_aliases: Vec<String>,
    /// What the tenant offers.
    pub strategies: StrategiesSettings,
    /// How long cached clients get tokens while the store is down; 0: not at all.
    #[schemars(with = "schema::Span", example = 900)]
    pub stale_if_error: Lifetime,
    /// How the tenant signs tokens and rotates keys.
    pub signing: SigningSettings,
    /// The form of access tokens.
    pub access_token: AccessTokenSettings,
    /// Which client assertions the tenant accepts (`private_key_jwt`).
    pub assertions: AssertionSettings,
    /// Other issuers for `federated` of the tenant's clients: platforms on which their workloads run.
    #[schemars(extend("propertyNames" = schema::ids(), "maxProperties" = 50))]
    pub trusted_issuers: BTreeMap<String, TrustedIssuerSettings>,
    /// The certificate authorities for client certificates (`tls_client_auth`): up to ten. Default: the
    /// authorities of the listener, which all tenants share.
    pub client_ca: Option<ClientCaSettings>,
    /// The API keys of its clients. Default: clients cannot have any.
    pub api_keys: Option<ApiKeysSettings>,
    /// What happens when someone reports a leaked credential of one of its clients.
    pub leaks: LeaksSettings,
    /// How long refresh tokens are valid.
    pub refresh_token: RefreshTokenSettings,
    /// How people sign in.
    pub sign_in: SignInSettings,
    /// Whether all clients see the same `sub` for a person (`public`), or only clients of the same sector
    /// (`pairwise`). A client can override this.
    #[schemars(example = &"public", extend("enum" = SubjectType::NAMES))]
    pub subject: String,
    /// Access tokens with the scope `openid` that are requested without a resource: valid also for the
    /// client's audiences (`combined`), or only for userinfo (`separate`). A client can override this.
    #[schemars(example = &"separate", extend("enum" = UserinfoTokens::NAMES))]
    pub userinfo: String,
    /// The groups that accounts can have: at most 1000. Default: any.
    #[schemars(extend("items" = schema::names(schema::NAME), "uniqueItems" = true, "maxItems" = 1000))]
    pub groups: Option<Vec<String>>,
    /// The appearance of the pages for people.
    pub branding: BrandingSettings,
    /// Audiences and their scopes.
    #[schemars(extend("propertyNames" = schema::ids()))]
    pub resource_servers: BTreeMap<String, ResourceServerSettings>,
    /// Limits that override the platform's.
    pub limits: LimitsSettings,
    /// Clients by `client_id`: any UTF-8 without control characters, up to 255 bytes.
    #[serde(skip_serializing)]
    #[schemars(extend("x-file-only" = true))]
    #[schemars(extend("propertyNames" = schema::ids()))]
    pub clients: BTreeMap<String, ClientSettings>,
    /// Accounts for development and tests. The name of each account exists only in this file.
    #[serde(skip_serializing)]
    #[schemars(extend("x-file-only" = true))]
    #[schemars(extend("propertyNames" = schema::ids()))]
    pub accounts: BTreeMap<String, AccountSettings>,
}

/// What the tenant offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StrategiesSettings {
    /// The token endpoint, introspection, revocation and metadata. By default disabled in a file and enabled
    /// through the API.
    pub oauth2: StrategySettings,
    /// OpenID Connect. Disabled by default.
    pub oidc: StrategySettings,
}

/// A feature of a tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StrategySettings {
    /// Whether it is enabled.
    pub enabled: Option<bool>,
}

/// How the tenant signs tokens and rotates keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SigningSettings {
    /// The algorithm of new keys (RFC 7518 §3.1, RFC 8037).
    #[schemars(example = &"RS256", extend("enum" = SigningAlgorithm::ALL.map(SigningAlgorithm::as_str)))]
    pub algorithm: String,
    /// How long a key signs before the next one takes over. Default: `90d`.
    #[schemars(with = "Option<schema::Span>", extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub rotate_every: Option<Lifetime>,
    /// How long a key is published before it signs: at least `jwks_max_age + jwks_stale + skew` and 10 s.
    #[schemars(with = "schema::Span", extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub publish_before: Lifetime,
    /// How long verifiers can keep the key set (`max-age`).
    #[schemars(with = "schema::Span")]
    pub jwks_max_age: Lifetime,
    /// How long verifiers can keep using it after that while they fetch it again (`stale-while-revalidate`).
    #[schemars(with = "schema::Span")]
    pub jwks_stale: Lifetime,
    /// The maximum difference between clocks.
    #[schemars(with = "schema::Span")]
    pub skew: Lifetime,
    /// The length of new RSA keys in bits: 2048, 3072 or 4096.
    #[schemars(example = 2048, extend("enum" = [2048, 3072, 4096]))]
    pub rsa_bits: u32,
    /// How new keys are named in tokens and key sets: `numbered`, such as `oauth2-key-1`, or by `thumbprint`,
    /// which differs from the keys of every other store. Default: `numbered` if `public_url` is on this
    /// machine, otherwise `thumbprint`.
    #[schemars(extend("enum" = json!([KidForm::NAMES[0], KidForm::NAMES[1], null])))]
    pub kid: Option<String>,
    /// The maximum time that a key waits for the verifiers that poll to fetch it before it signs. Default: it
    /// does not wait.
    #[schemars(with = "Option<schema::Span>", extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub hold_activation: Option<Lifetime>,
    /// A PEM key to import as the first key. It works only if the tenant has never had a key. Default:
    /// Latchkey generates a key.
    #[serde(skip_serializing)]
    #[schemars(extend("x-file-only" = true))]
    pub first_key: Option<KeySource>,
}

/// The form of access tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccessTokenSettings {
    /// How long a token is valid, unless its client overrides it.
    #[schemars(with = "schema::Span", example = 3600, extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub lifetime: Lifetime,
    /// `jwt`: signed (RFC 9068), verified offline; `opaque`: encrypted for this server, so APIs introspect it
    /// (RFC 7662) and nobody else can read it.
    #[schemars(example = &"jwt", extend("enum" = ["jwt", "opaque"]))]
    pub format: String,
    /// How long identical requests of a client get the same token, as a percentage of its lifetime, up to
    /// `50%`. A revocation of the token then ends it for all of them. `0%`: each request gets its own token.
    #[schemars(example = &"20%", extend("pattern" = schema::REUSE))]
    pub reuse: String,
    /// The `typ` of the token's header; RFC 9068 uses `at+jwt`.
    #[schemars(example = &"at+jwt", extend("maxLength" = 255, "pattern" = "^[A-Za-z0-9!#$&^_.+/-]+$"))]
    pub typ: String,
    /// Whether every token is bound to a key, which its sender proves with DPoP (RFC 9449).
    pub require_sender_constraint: bool,
    /// Whether every DPoP proof must contain a nonce from the server (RFC 9449 §8).
    pub require_dpop_nonce: bool,
    /// Claims of all access tokens of the tenant, such as its plan: up to 1 KiB of strings, numbers, booleans
    /// and lists of these. Claims that the server sets are not allowed.
    #[schemars(extend("propertyNames" = schema::claim_names(), "additionalProperties" = schema::claim_values()))]
    #[serde(serialize_with = "super::json::claims")]
    pub claims: Map<String, Value>,
    /// Claims with a registered meaning (RFC 9068 §2.2.3) that the tenant and its clients can use in
    /// `claims`.
    #[schemars(example = &["roles"], extend("items" = schema::allowed_claims(), "uniqueItems" = true))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims_allow: Vec<String>,
}

/// Which client assertions the tenant accepts (`private_key_jwt`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AssertionSettings {
    /// The accepted `aud`. `any`: the issuer or the token endpoint, also in a list; `issuer`: only the
    /// issuer, as a string (FAPI 2.0).
    #[schemars(example = &"any", extend("enum" = ["any", "issuer"]))]
    pub audience: String,
    /// The maximum lifetime of an assertion: at most one hour.
    #[schemars(with = "schema::Span", example = 3600, extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub max_lifetime: Lifetime,
}

/// What happens when someone reports a leaked client secret or API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LeaksSettings {
    /// What Latchkey does: only record it in the audit log (`notify`), let the credential expire after
    /// `grace` (`end`), or revoke it immediately with its tokens (`revoke`).
    #[schemars(example = &"end", extend("enum" = LeakAction::NAMES))]
    pub action: String,
    /// How long the credential stays valid with `end`.
    #[schemars(with = "schema::Span", example = 86_400, extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub grace: Lifetime,
}

/// How long refresh tokens are valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RefreshTokenSettings {
    /// Which refresh tokens change with each use: those of `public` clients, those of all clients (`always`),
    /// or none (`never`).
    #[schemars(example = &"public", extend("enum" = Rotation::NAMED.map(|(name, _)| name)))]
    pub rotation: String,
    /// How long after its use the same refresh token still returns the same next token: at most 5 minutes. If
    /// it is used later, all tokens of the sign-in are revoked.
    #[schemars(with = "schema::Span", example = 30)]
    pub grace: Lifetime,
    /// How long an unused refresh token is valid: at most 400 days.
    #[schemars(with = "schema::Span", example = 2_592_000, extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub idle: Lifetime,
    /// How long after the sign-in refresh tokens are issued: at most 400 days.
    #[schemars(with = "schema::Span", example = 15_552_000, extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub absolute: Lifetime,
}

/// How people sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignInSettings {
    /// How long they stay signed in.
    pub session: SessionSettings,
    /// Whether they can reset a forgotten password by mail, if the server can send mail.
    pub recovery: bool,
}

impl Default for SignInSettings {
    fn default() -> Self {
        SignInPolicy::default().into()
    }
}

/// How long people stay signed in. A stricter setting also applies to existing sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SessionSettings {
    /// How long an unused session lasts: at most `absolute`.
    #[schemars(with = "schema::Span", example = 28_800, extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub idle: Lifetime,
    /// How long a session lasts after the sign-in: at most 45 days.
    #[schemars(with = "schema::Span", example = 86_400, extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub absolute: Lifetime,
    /// How long a session lasts if the person chooses to stay signed in after closing the browser: at least
    /// `absolute`, and at most 45 days; 0: people don't get this choice.
    #[schemars(with = "schema::Span", example = 2_592_000)]
    pub remember: Lifetime,
}

/// The appearance of the pages for people. Latchkey derives the colours of texts and of the dark scheme from
/// these two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BrandingSettings {
    /// The colour of the main button, as `#rrggbb`. Its contrast with the background must be 3:1 or more
    /// (WCAG 2.2, 1.4.11).
    #[schemars(example = &"#1f5fbf", extend("pattern" = schema::COLOUR))]
    pub primary: String,
    /// The background colour of the page, as `#rrggbb`.
    #[schemars(example = &"#ffffff", extend("pattern" = schema::COLOUR))]
    pub background: String,
    /// The corners of fields and buttons.
    #[schemars(example = &"round", extend("enum" = Corners::NAMED.map(|(name, _)| name)))]
    pub corners: String,
    /// The font: the reader's system font, or a serif font.
    #[schemars(example = &"system", extend("enum" = Font::NAMED.map(|(name, _)| name)))]
    pub font: String,
    /// The logo: PNG, JPEG or WebP, at most 256 KiB and 4096 pixels each way.
    pub logo: Option<LogoSettings>,
    /// A different logo for the dark scheme.
    pub logo_dark: Option<LogoSettings>,
    /// A link where people get help.
    #[schemars(extend("maxLength" = 2048, "pattern" = schema::HTTPS_URL))]
    pub support_url: Option<String>,
    /// A link to the terms of service.
    #[schemars(extend("maxLength" = 2048, "pattern" = schema::HTTPS_URL))]
    pub terms_url: Option<String>,
    /// A link to the privacy policy.
    #[schemars(extend("maxLength" = 2048, "pattern" = schema::HTTPS_URL))]
    pub privacy_url: Option<String>,
}

/// An audience and its scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResourceServerSettings {
    /// The scopes of this audience: a list, or an object with a description of each scope for people, in up
    /// to 200 characters.
    pub scopes: ResourceScopes,
    /// The ids of the clients that can introspect tokens for this audience.
    #[schemars(extend("uniqueItems" = true))]
    pub clients: Vec<String>,
    /// Overrides of the tenant's and the client's `access_token`.
    pub access_token: ApiTokenSettings,
}

/// The form of the access tokens for an audience.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApiTokenSettings {
    /// `jwt` or `opaque`, as in the tenant's settings. A token for several audiences is opaque if one of them
    /// says so. Default: that of the client or the tenant.
    #[schemars(extend("enum" = schema::token_formats()))]
    pub format: Option<String>,
}

/// Limits that override the platform's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsSettings {
    /// Failed authentications per source. Default: the platform's limit.
    #[schemars(with = "Option<schema::Rate>")]
    pub failed_attempts: Option<Rate>,
    /// The maximum number of clients in the tenant. Default: the platform's limit.
    pub clients: Option<NonZeroU32>,
    /// Writes through the API by the tenant's administrators, including refused writes. Default: the
    /// platform's limit.
    #[schemars(with = "Option<schema::Rate>")]
    pub admin_writes: Option<Rate>,
    /// The maximum number of live secrets of a client. Default: the platform's limit.
    pub live_secrets: Option<NonZeroU32>,
    /// The maximum number of live API keys of a client. Default: the platform's limit.
    pub api_keys: Option<NonZeroU32>,
    /// Wrong passwords of people within 15 minutes.
    pub sign_in: SignInLimitsSettings,
}

/// Limits for wrong passwords within 15 minutes that override the platform's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignInLimitsSettings {
    /// At one account, from all browsers that the account does not know. Default: the platform's limit.
    #[schemars(extend("maximum" = 100))]
    pub account: Option<NonZeroU32>,
    /// At one account, from each browser that the account knows. Default: the platform's limit.
    #[schemars(extend("maximum" = 100))]
    pub known_browser: Option<NonZeroU32>,
    /// The number of accounts at which one source may fail, from browsers that the accounts do not know.
    /// Default: the platform's limit.
    #[schemars(extend("maximum" = 100))]
    pub source: Option<NonZeroU32>,
}

/// A new tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, extend("required" = ["id"]))]
pub struct NewTenant {
    /// Its id.
    #[serde(default)]
    #[schemars(example = &"your-tenant")]
    pub id: String,
    /// Its first client, created together with it.
    pub client: Option<NewClient>,
    /// All else.
    #[serde(flatten)]
    pub settings: TenantSettings,
}

/// A tenant with its current state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TenantView {
    /// Its id.
    #[schemars(example = &"your-tenant")]
    pub id: String,
    /// Whether it serves requests. A `retired` tenant was declared in a file and no longer is. You can cancel
    /// the deletion of a `deleting` tenant.
    #[schemars(example = &"active", extend("enum" = ["active", "suspended", "retired", "deleting"]))]
    pub status: String,
    /// Whether the operator's files or requests to this API manage it.
    #[schemars(example = &"api", extend("enum" = schema::MANAGED_BY))]
    pub managed_by: String,
    /// When it was created.
    pub created_at: Instant,
    /// When its row last changed.
    pub updated_at: Instant,
    /// Until when you can cancel its deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_due_at: Option<Instant>,
    /// Where verifiers find its keys.
    pub jwks_uri: String,
    /// Its token endpoint.
    pub token_endpoint: String,
    /// Settings that have no effect, or not the intended effect; clients have their own list. Absent if there
    /// are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<FieldErrorView>,
    /// All else.
    #[serde(flatten)]
    pub settings: TenantSettings,
}

/// A new tenant, with its first client if the request named one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreatedTenant {
    /// The tenant.
    #[serde(flatten)]
    pub tenant: TenantView,
    /// Its first client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<CreatedClient>,
}

documents!(TENANT: TenantSettings, NEW_TENANT: NewTenant, RESOURCE_SERVER: ResourceServerSettings);

impl StrategiesSettings {
    /// The strategies of the tenant. Unset strategies get their defaults.
    pub(crate) fn resolved(self, interface: Interface) -> Strategies {
        Strategies {
            oauth2: self.oauth2.enabled.unwrap_or(interface == Interface::Api),
            oidc: self.oidc.enabled.unwrap_or(false),
        }
    }
}

impl From<Strategies> for StrategiesSettings {
    fn from(Strategies { oauth2, oidc }: Strategies) -> Self {
        let of = |enabled| StrategySettings { enabled: Some(enabled) };
        Self { oauth2: of(oauth2), oidc: of(oidc) }
    }
}

impl SigningSettings {
    /// How long a key signs, with the default if it is not set.
    pub(crate) fn rotate_every(&self) -> Lifetime {
        self.rotate_every.unwrap_or_else(|| SigningPolicy::default().rotate_every)
    }
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self {
            name: None,
            issuer: None,
            issuer_aliases: Vec::new(),
            strategies: StrategiesSettings::default(),
            stale_if_error: Tenant::STALE_IF_ERROR,
            signing: SigningSettings::default(),
            access_token: AccessTokenSettings::default(),
            assertions: AssertionSettings::default(),
            trusted_issuers: BTreeMap::new(),
            client_ca: None,
            api_keys: None,
            leaks: (&LeakPolicy::default()).into(),
            refresh_token: RefreshTokenSettings::default(),
            sign_in: SignInSettings::default(),
            subject: SubjectType::default().as_str().to_owned(),
            userinfo: UserinfoTokens::default().as_str().to_owned(),
            groups: None,
            branding: BrandingSettings::default(),
            resource_servers: BTreeMap::new(),
            limits: LimitsSettings::default(),
            clients: BTreeMap::new(),
            accounts: BTreeMap::new(),
        }
    }
}

impl Default for SigningSettings {
    fn default() -> Self {
        let mut settings = Self::from(&SigningPolicy::default());
        (settings.rotate_every, settings.kid) = (None, None);
        settings
    }
}

/// Implements `Default` for these settings from the default of the policy.
macro_rules! defaults {
    ($($settings:ty: $policy:ty),+ $(,)?) => {$(
        impl Default for $settings {
            fn default() -> Self {
                Self::from(&<$policy>::default())
            }
        }
    )+};
}

defaults! {
    RefreshTokenSettings: RefreshTokenPolicy,
    SessionSettings: SessionPolicy,
    BrandingSettings: Branding,
    AssertionSettings: AssertionPolicy,
    LeaksSettings: LeakPolicy,
    AccessTokenSettings: AccessTokenPolicy,
}
