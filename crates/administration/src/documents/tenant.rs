//! Tenants as documents of the operator's files, of the API and of the command line.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use protocol::{SigningAlgorithm, SubjectType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tenancy::{
    AccessTokenPolicy, AssertionPolicy, Branding, Corners, Font, KidForm, LeakAction, LeakPolicy,
    RefreshTokenPolicy, Rotation, SessionPolicy, SigningPolicy, Strategies, Tenant, UserinfoTokens,
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
    /// The name that people read. Default: the tenant's id.
    #[schemars(extend("minLength" = 1, "maxLength" = 255, "pattern" = schema::NAME))]
    pub name: Option<String>,
    /// The issuer, put in `iss`. Default: `{public_url}/api/v1/tenant/{id}`.
    #[schemars(extend("maxLength" = 255, "pattern" = schema::PLAIN_URL))]
    pub issuer: Option<String>,
    /// Other `iss` values that a client of this tenant may be given.
    #[schemars(extend("items" = schema::names(schema::SCOPE), "uniqueItems" = true))]
    pub issuer_aliases: Vec<String>,
    /// What the tenant offers.
    pub strategies: StrategiesSettings,
    /// How long cached clients get tokens while the store is down; 0: not at all.
    #[schemars(with = "schema::Span", example = 900)]
    pub stale_if_error: Lifetime,
    /// How tokens are signed, and how the keys live.
    pub signing: SigningSettings,
    /// How access tokens look.
    pub access_token: AccessTokenSettings,
    /// Which assertions of its clients the tenant accepts (`private_key_jwt`).
    pub assertions: AssertionSettings,
    /// Other issuers that `federated` of its clients names: platforms on which its workloads run.
    #[schemars(extend("propertyNames" = schema::ids(), "maxProperties" = 50))]
    pub trusted_issuers: BTreeMap<String, TrustedIssuerSettings>,
    /// The authorities of its clients' certificates (`tls_client_auth`): up to ten. Default: those of the
    /// listener, which all tenants share.
    pub client_ca: Option<ClientCaSettings>,
    /// The API keys of its clients. Default: none may have any.
    pub api_keys: Option<ApiKeysSettings>,
    /// What becomes of a credential of its clients that is reported as leaked.
    pub leaks: LeaksSettings,
    /// How long the refresh tokens of its people live.
    pub refresh_token: RefreshTokenSettings,
    /// How people sign in.
    pub sign_in: SignInSettings,
    /// Whether the clients that do not say it know a person by the same `sub` (`public`), or only those of
    /// one sector (`pairwise`).
    #[schemars(example = &"public", extend("enum" = SubjectType::NAMES))]
    pub subject: String,
    /// The access tokens for userinfo that were requested for no resource, of the clients that do not say it:
    /// for the client's audiences, too (`combined`), or for no API (`separate`).
    #[schemars(example = &"separate", extend("enum" = UserinfoTokens::NAMES))]
    pub userinfo: String,
    /// How the pages look that people see.
    pub branding: BrandingSettings,
    /// Audiences, and the scopes that belong to them.
    #[schemars(extend("propertyNames" = schema::ids()))]
    pub resource_servers: BTreeMap<String, ResourceServerSettings>,
    /// Limits that take the place of the platform's.
    pub limits: LimitsSettings,
    /// Clients by `client_id`: any UTF-8 without control characters, up to 255 bytes.
    #[serde(skip_serializing)]
    #[schemars(extend("x-file-only" = true))]
    #[schemars(extend("propertyNames" = schema::ids()))]
    pub clients: BTreeMap<String, ClientSettings>,
    /// Accounts of people, for development and tests, by a name that only this file knows.
    #[serde(skip_serializing)]
    #[schemars(extend("x-file-only" = true))]
    #[schemars(extend("propertyNames" = schema::ids()))]
    pub accounts: BTreeMap<String, AccountSettings>,
}

/// What the tenant offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StrategiesSettings {
    /// The token endpoint, introspection, revocation and metadata. Disabled by default in a file, enabled
    /// by default over the API.
    pub oauth2: StrategySettings,
    /// OpenID Connect. Disabled by default.
    pub oidc: StrategySettings,
}

/// One thing that a tenant may offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StrategySettings {
    /// Whether it is offered.
    pub enabled: Option<bool>,
}

/// How tokens are signed, and how the keys live.
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
    /// How long verifiers may keep the key set (`max-age`).
    #[schemars(with = "schema::Span")]
    pub jwks_max_age: Lifetime,
    /// How long they may use it after that while they fetch it again (`stale-while-revalidate`).
    #[schemars(with = "schema::Span")]
    pub jwks_stale: Lifetime,
    /// How far clocks may be apart.
    #[schemars(with = "schema::Span")]
    pub skew: Lifetime,
    /// How long new RSA keys are, in bits: 2048, 3072 or 4096.
    #[schemars(example = 2048, extend("enum" = [2048, 3072, 4096]))]
    pub rsa_bits: u32,
    /// How new keys are named in tokens and key sets: `numbered`, as `oauth2-key-1`, or by their
    /// `thumbprint`, whose start no key of another store has. Default: `numbered` where `public_url` is of
    /// this machine, otherwise `thumbprint`.
    #[schemars(extend("enum" = json!([KidForm::NAMES[0], KidForm::NAMES[1], null])))]
    pub kid: Option<String>,
    /// How long a key may wait to sign until the verifiers that poll have fetched it.
    /// Default: it does not wait.
    #[schemars(with = "Option<schema::Span>", extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub hold_activation: Option<Lifetime>,
    /// A key in PEM to import as the first one, only when the tenant has never had a key.
    /// Default: one is generated.
    #[serde(skip_serializing)]
    #[schemars(extend("x-file-only" = true))]
    pub first_key: Option<KeySource>,
}

/// How access tokens look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccessTokenSettings {
    /// How long a token is valid, unless its client says otherwise.
    #[schemars(with = "schema::Span", example = 3600, extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub lifetime: Lifetime,
    /// `jwt`: signed (RFC 9068), verified offline; `opaque`: a reference, to be introspected.
    #[schemars(example = &"jwt", extend("enum" = ["jwt", "opaque"]))]
    pub format: String,
    /// The `typ` of the token's header; `at+jwt` is RFC 9068's.
    #[schemars(example = &"at+jwt", extend("maxLength" = 255, "pattern" = "^[A-Za-z0-9!#$&^_.+/-]+$"))]
    pub typ: String,
    /// Whether each token is bound to a key that its sender must prove, with DPoP (RFC 9449).
    pub require_sender_constraint: bool,
    /// Whether each DPoP proof must have a nonce of the server (RFC 9449 §8).
    pub require_dpop_nonce: bool,
    /// Claims of all access tokens of the tenant, such as its plan: up to 1 KiB of texts, numbers, truth
    /// values and lists of them. No claim of the server is among them.
    #[schemars(extend("propertyNames" = schema::claim_names(), "additionalProperties" = schema::claim_values()))]
    #[serde(serialize_with = "super::json::claims")]
    pub claims: Map<String, Value>,
    /// Claims with a meaning of their own (RFC 9068 §2.2.3) that the tenant and its clients may name in
    /// `claims`.
    #[schemars(example = &["roles"], extend("items" = schema::allowed_claims(), "uniqueItems" = true))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims_allow: Vec<String>,
}

/// Which assertions of its clients the tenant accepts (`private_key_jwt`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AssertionSettings {
    /// What `aud` may be. `any`: the issuer or the token endpoint, also in a list; `issuer`: the issuer
    /// alone, as a string (FAPI 2.0).
    #[schemars(example = &"any", extend("enum" = ["any", "issuer"]))]
    pub audience: String,
    /// How long an assertion may be valid: at most an hour.
    #[schemars(with = "schema::Span", example = 3600, extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub max_lifetime: Lifetime,
}

/// What becomes of a client secret or an API key that is reported as leaked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LeaksSettings {
    /// Whether it is in the audit alone (`notify`), ends after `grace` (`end`), or ends at once
    /// with its tokens (`revoke`).
    #[schemars(example = &"end", extend("enum" = LeakAction::NAMES))]
    pub action: String,
    /// How long it lives on where it ends after a time.
    #[schemars(with = "schema::Span", example = 86_400, extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub grace: Lifetime,
}

/// How long the refresh tokens of its people live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RefreshTokenSettings {
    /// Whose refresh tokens change with each use: those of `public` clients, those of all clients
    /// (`always`), or nobody's (`never`).
    #[schemars(example = &"public", extend("enum" = Rotation::NAMED.map(|(name, _)| name)))]
    pub rotation: String,
    /// How long after a use the same refresh token gets the same next one: at most 5 minutes. Later
    /// its use ends all of them.
    #[schemars(with = "schema::Span", example = 30)]
    pub grace: Lifetime,
    /// How long a refresh token is valid without a use: at most 400 days.
    #[schemars(with = "schema::Span", example = 2_592_000, extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub idle: Lifetime,
    /// How long after the person signed in there are refresh tokens: at most 400 days.
    #[schemars(with = "schema::Span", example = 15_552_000, extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub absolute: Lifetime,
}

/// How people sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignInSettings {
    /// How long they stay signed in.
    pub session: SessionSettings,
}

/// How long people stay signed in. A stricter rule holds for sessions that have begun, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SessionSettings {
    /// How long a session lasts without a use: at most `absolute`.
    #[schemars(with = "schema::Span", example = 28_800, extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub idle: Lifetime,
    /// How long a session lasts in all, after the person has signed in: at most 45 days.
    #[schemars(with = "schema::Span", example = 86_400, extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub absolute: Lifetime,
    /// How long a session lasts whose person chooses to stay signed in after the browser has closed: at least
    /// `absolute`, and at most 45 days; 0: there is no such choice.
    #[schemars(with = "schema::Span", example = 2_592_000)]
    pub remember: Lifetime,
}

/// How the pages look that people see. Colours of the dark scheme and of texts follow from the two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BrandingSettings {
    /// The colour of the main button, as `#rrggbb`. It has a contrast of 3:1 or more with the
    /// background (WCAG 2.2, 1.4.11).
    #[schemars(example = &"#1f5fbf", extend("pattern" = schema::COLOUR))]
    pub primary: String,
    /// The colour of the page, as `#rrggbb`.
    #[schemars(example = &"#ffffff", extend("pattern" = schema::COLOUR))]
    pub background: String,
    /// The corners of fields and buttons.
    #[schemars(example = &"round", extend("enum" = Corners::NAMED.map(|(name, _)| name)))]
    pub corners: String,
    /// The font: that of the reader's system, or one with serifs.
    #[schemars(example = &"system", extend("enum" = Font::NAMED.map(|(name, _)| name)))]
    pub font: String,
    /// The logo: PNG, JPEG or WebP, at most 256 KiB and 4096 pixels each way.
    pub logo: Option<LogoSettings>,
    /// The logo in the dark scheme, where it is another one.
    pub logo_dark: Option<LogoSettings>,
    /// Where people get help.
    #[schemars(extend("maxLength" = 2048, "pattern" = schema::HTTPS_URL))]
    pub support_url: Option<String>,
    /// The terms of service.
    #[schemars(extend("maxLength" = 2048, "pattern" = schema::HTTPS_URL))]
    pub terms_url: Option<String>,
    /// The privacy policy.
    #[schemars(extend("maxLength" = 2048, "pattern" = schema::HTTPS_URL))]
    pub privacy_url: Option<String>,
}

/// An audience, and the scopes that belong to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResourceServerSettings {
    /// The scopes that belong to this audience: a list, or an object with what people read of
    /// each in up to 200 characters.
    pub scopes: ResourceScopes,
    /// The clients, by id, that may introspect tokens for it.
    #[schemars(extend("uniqueItems" = true))]
    pub clients: Vec<String>,
}

/// Limits that take the place of the platform's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsSettings {
    /// Failed authentications per source. Default: the platform's limit.
    #[schemars(with = "Option<schema::Rate>")]
    pub failed_attempts: Option<Rate>,
    /// How many clients the tenant may have. Default: the platform's limit.
    pub clients: Option<NonZeroU32>,
    /// Writes of the tenant's administrators over the API, refused ones too. Default: the platform's limit.
    #[schemars(with = "Option<schema::Rate>")]
    pub admin_writes: Option<Rate>,
    /// How many secrets of a client may be live at once. Default: the platform's limit.
    pub live_secrets: Option<NonZeroU32>,
    /// How many API keys of a client may be live at once. Default: the platform's limit.
    pub api_keys: Option<NonZeroU32>,
    /// Wrong passwords of people in 15 minutes.
    pub sign_in: SignInLimitsSettings,
}

/// Limits of wrong passwords in 15 minutes that take the place of the platform's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignInLimitsSettings {
    /// At one account, from all browsers that it does not know. Default: the platform's limit.
    #[schemars(extend("maximum" = 100))]
    pub account: Option<NonZeroU32>,
    /// At one account, from each browser that it knows. Default: the platform's limit.
    #[schemars(extend("maximum" = 100))]
    pub known_browser: Option<NonZeroU32>,
    /// The accounts at which one source fails, from browsers that they do not know.
    /// Default: the platform's limit.
    #[schemars(extend("maximum" = 100))]
    pub source: Option<NonZeroU32>,
}

/// A tenant that is to be created.
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

/// A tenant as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TenantView {
    /// Its id.
    #[schemars(example = &"your-tenant")]
    pub id: String,
    /// Whether it serves. A `retired` tenant was declared in a file, and is no longer; the deletion of a
    /// `deleting` one can be cancelled.
    #[schemars(example = &"active", extend("enum" = ["active", "suspended", "retired", "deleting"]))]
    pub status: String,
    /// What declares it: the operator's files, or requests of this API.
    #[schemars(example = &"api", extend("enum" = schema::MANAGED_BY))]
    pub managed_by: String,
    /// When it was created.
    pub created_at: Instant,
    /// When its row last changed.
    pub updated_at: Instant,
    /// Until when its deletion can be cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_due_at: Option<Instant>,
    /// Where verifiers find its keys.
    pub jwks_uri: String,
    /// Where its clients fetch tokens.
    pub token_endpoint: String,
    /// What in it has no effect, or another one than intended; its clients have their own.
    /// Absent where there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<FieldErrorView>,
    /// All else.
    #[serde(flatten)]
    pub settings: TenantSettings,
}

/// A tenant that has just been created, with its first client if the request named one.
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
