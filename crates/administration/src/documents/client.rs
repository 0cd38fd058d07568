//! Clients as documents of the operator's files, of the API and of the command line.

use protocol::{ClientAuthenticationMethod, GrantType, SubjectType};
use registry::{
    CertificateSubject, ClaimPlace, Client, ClientId, ClientPurpose, GroupsClaim, SecretRotation, SubjectKind,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tenancy::{OwnRefreshTokenPolicy, Rotation, TenantId, UserinfoTokens};
use values::Lifetime;

use super::federation::{TrustRuleSettings, trust_rules};
use super::read::documents;
use super::schema::{self, JsonSchema};
use super::source::{FileSecret, Jwks, SecretSource};

/// A registered application.
//
// A PATCH is a merge patch of this. Members that are never serialized are for files only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClientSettings {
    /// The name for display. Default: the client's id.
    #[schemars(extend("minLength" = 1, "maxLength" = 255, "pattern" = schema::NAME))]
    pub name: Option<String>,
    /// A description of the client's purpose, for people: up to 256 characters.
    #[schemars(extend("minLength" = 1, "maxLength" = schema::LONGEST_DESCRIPTION, "pattern" = schema::NAME))]
    pub description: Option<String>,
    /// Whom to contact about the client, such as an email address (RFC 7591 §2): up to ten strings.
    #[schemars(extend("items" = schema::names(schema::NAME), "uniqueItems" = true, "maxItems" = 10))]
    pub contacts: Vec<String>,
    /// The kind of client that was chosen at registration. It has no effect.
    #[schemars(extend("enum" = json!([ClientPurpose::NAMES[0], ClientPurpose::NAMES[1], ClientPurpose::NAMES[2], null])))]
    pub purpose: Option<String>,
    /// The secret, if it has exactly one.
    #[serde(skip_serializing)]
    #[schemars(extend("x-file-only" = true))]
    pub client_secret: Option<SecretSource>,
    /// The secrets, if it has several. All are valid until they expire.
    #[serde(skip_serializing)]
    #[schemars(extend("x-file-only" = true))]
    pub client_secrets: Vec<SecretSource>,
    /// Rotates the secret automatically and writes the new secret to a secret store. Default: never.
    pub rotate: Option<RotationScheduleSettings>,
    /// How the client authenticates (RFC 7591 §2). `any`: with a secret or a key, whichever the client has.
    #[schemars(example = &"any", extend("enum" = ClientAuthenticationMethod::NAMES))]
    pub token_endpoint_auth_method: String,
    /// The grant types that the client can use (RFC 7591 §2).
    #[schemars(extend("items" = schema::one_of(&GrantType::ALL.map(GrantType::as_str)), "uniqueItems" = true))]
    pub grant_types: Vec<String>,
    /// The `aud` of tokens if the request names no resource. Default: the client's id.
    #[schemars(extend("items" = schema::names(schema::NAME), "uniqueItems" = true))]
    pub audiences: Vec<String>,
    /// The resources that the client can request with `resource` (RFC 8707), in addition to the audiences:
    /// absolute URIs without a fragment.
    #[schemars(extend("items" = schema::names(schema::ABSOLUTE_URI), "uniqueItems" = true))]
    pub resources: Vec<String>,
    /// The scopes that the client can be granted.
    #[schemars(extend("items" = schema::texts(schema::SCOPE), "uniqueItems" = true))]
    pub scopes: Vec<String>,
    /// Overrides the tenant's `access_token.lifetime`. Default: the tenant's.
    #[schemars(with = "Option<schema::Span>", extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub access_token_lifetime: Option<Lifetime>,
    /// Overrides of the tenant's `access_token`.
    pub access_token: OwnAccessTokenSettings,
    /// Overrides for this client's tokens.
    pub token: TokenSettings,
    /// Claims of all its access tokens, which override the tenant's `access_token.claims`: up to 1 KiB of
    /// strings, numbers, booleans and lists of these; or `{ from: assertion.NAME }`, a copy of the claim with
    /// this name, or at this JSON pointer, from an assertion accepted through `federated`. Claims that the
    /// server sets are not allowed.
    #[schemars(extend("propertyNames" = schema::claim_names(), "additionalProperties" = schema::claim_values_of_client()))]
    #[serde(serialize_with = "super::json::claims")]
    pub claims: Map<String, Value>,
    /// The public keys that verify the client's assertions (RFC 7591 §2): at most ten.
    pub jwks: Option<Jwks>,
    /// The https URL where those keys are published, instead of `jwks` (RFC 7591 §2).
    #[schemars(extend("maxLength" = 2048, "pattern" = schema::KEY_SET_URL))]
    pub jwks_uri: Option<String>,
    /// Which assertions from other issuers authenticate the client, such as a platform's tokens for its
    /// workloads (RFC 7523 §2.2): at most 20 rules, one of which must match.
    #[schemars(extend("maxItems" = 20))]
    pub federated: Vec<TrustRuleSettings>,
    /// Whether every token of the client is bound to the key of a DPoP proof (RFC 9449 §5.2). Latchkey then
    /// refuses requests without a proof.
    pub dpop_bound_access_tokens: bool,
    /// Whether every token of the client is bound to its client certificate (RFC 8705 §3.4).
    pub tls_client_certificate_bound_access_tokens: bool,
    /// The URIs that receive responses of the authorization endpoint (RFC 7591 §2): https, or http on this
    /// machine. At most 50.
    #[schemars(extend("items" = schema::texts(schema::ABSOLUTE_URI), "uniqueItems" = true, "maxItems" = 50))]
    pub redirect_uris: Vec<String>,
    /// The URIs to which people can be sent after sign-out. At most 50.
    #[schemars(extend("items" = schema::texts(schema::ABSOLUTE_URI), "uniqueItems" = true, "maxItems" = 50))]
    pub post_logout_redirect_uris: Vec<String>,
    /// Whether people skip the consent page, because the client belongs to the tenant itself.
    pub first_party: bool,
    /// Whether each authorization request must have a code challenge (RFC 7636). Public clients always need
    /// one.
    pub require_pkce: bool,
    /// Whether the client must push each authorization request before it sends the browser (RFC 9126 §6).
    pub require_par: bool,
    /// The URL that is called when a person's session has ended (OpenID Connect Back-Channel Logout §2.2):
    /// https, or http on a loopback address.
    #[schemars(extend("maxLength" = 2000, "pattern" = schema::ABSOLUTE_URI))]
    pub backchannel_logout_uri: Option<String>,
    /// Whether the client needs `sid` in logout tokens. Latchkey always includes it.
    pub backchannel_logout_session_required: bool,
    /// Whether all clients see the same `sub` for a person (`public`), or only clients of the same sector
    /// (`pairwise`). Default: the tenant's.
    #[schemars(extend("enum" = json!([SubjectType::NAMES[0], SubjectType::NAMES[1], null])))]
    pub subject_type: Option<String>,
    /// An https URI whose host is the client's sector (OpenID Connect Core §8.1). Latchkey does not fetch it.
    /// Default: the host of the redirect URIs.
    #[schemars(extend("maxLength" = 2000, "pattern" = schema::HTTPS_URL))]
    pub sector_identifier_uri: Option<String>,
    /// Whether ID tokens also contain the claims of the granted scopes, for clients that do not call userinfo
    /// (OpenID Connect Core §5.4).
    pub claims_in_id_token: bool,
    /// How the client gets the groups of a person who grants it the scope `groups`.
    pub groups: GroupsClaimSettings,
    /// Whether an access token with the scope `openid`, requested without a resource, is valid for userinfo
    /// and the client's `audiences` (`combined`), or only for userinfo (`separate`). Default: the tenant's.
    #[schemars(extend("enum" = json!([UserinfoTokens::NAMES[0], UserinfoTokens::NAMES[1], null])))]
    pub userinfo: Option<String>,
    /// The maximum time since the person signed in, for requests without `max_age` (OpenID Connect Dynamic
    /// Client Registration §2). Default: no maximum.
    #[schemars(with = "Option<schema::Span>")]
    pub default_max_age: Option<Lifetime>,
    /// Overrides of the tenant's `refresh_token`.
    pub refresh_token: OwnRefreshTokenSettings,
    /// Whether the client opens the sign-in page in a popup. The page then stays connected to the window that
    /// opened it.
    pub popup: bool,
    /// The subject of the client's certificates in RFC 4514 form: `CN=client,O=Example`. Set at most one of
    /// the five `tls_client_auth_…`.
    #[schemars(extend("minLength" = 1, "maxLength" = 2048, "pattern" = schema::DISTINGUISHED_NAME))]
    pub tls_client_auth_subject_dn: Option<String>,
    /// A DNS name in the subject alternative names of the client's certificates.
    #[schemars(extend("minLength" = 1, "maxLength" = 253, "pattern" = schema::DNS_NAME))]
    pub tls_client_auth_san_dns: Option<String>,
    /// A URI in the subject alternative names of the client's certificates.
    #[schemars(extend("minLength" = 1, "maxLength" = 2048, "pattern" = schema::ANY_URI))]
    pub tls_client_auth_san_uri: Option<String>,
    /// An IP address in the subject alternative names of the client's certificates.
    #[schemars(extend("minLength" = 1, "maxLength" = 45, "pattern" = schema::IP_ADDRESS))]
    pub tls_client_auth_san_ip: Option<String>,
    /// An email address in the subject alternative names of the client's certificates.
    #[schemars(extend("minLength" = 1, "maxLength" = 254, "pattern" = schema::EMAIL_ADDRESS))]
    pub tls_client_auth_san_email: Option<String>,
    /// Which tokens the client can introspect: its `own`, also tokens for its `audience`, or all tokens of
    /// the `tenant`.
    #[schemars(example = &"own", extend("enum" = ["own", "audience", "tenant"]))]
    pub introspection: String,
}

/// When Latchkey rotates a client's secret automatically, and where it writes the new secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["into"]))]
pub struct RotationScheduleSettings {
    /// The maximum age of the newest secret: from 1 hour to 400 days.
    #[schemars(with = "schema::Span", extend("pattern" = schema::SOME_TIME, "minimum" = 3600, "maximum" = 34_560_000), example = "30d")]
    pub every: Lifetime,
    /// A place in one of the operator's secret stores: `STORE:PATH#KEY`.
    #[schemars(example = &"vault:oauth2/billing#client_secret", extend("pattern" = schema::SECRET_PLACE, "maxLength" = 1400))]
    pub into: String,
    /// How long earlier secrets stay valid after a rotation: less than `every`. Default: one day, or half of
    /// `every` if that is less.
    #[schemars(with = "Option<schema::Span>", example = "24h")]
    pub grace: Option<Lifetime>,
}

/// How a client gets the groups of a person who grants it the scope `groups`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GroupsClaimSettings {
    /// The name of the claim: `groups`, `roles`, or an https or urn URI.
    #[schemars(example = &"groups", extend("maxLength" = 255, "pattern" = schema::GROUPS_CLAIM))]
    pub claim: String,
    /// What has the claim. Introspection returns the claim of the access token.
    #[serde(rename = "in")]
    #[schemars(extend("items" = schema::one_of(&ClaimPlace::NAMES), "uniqueItems" = true))]
    pub places: Vec<String>,
}

/// Overrides for a client's tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TokenSettings {
    /// The `iss` of this client's tokens: the tenant's issuer or one of its aliases.
    /// Default: the tenant's issuer.
    pub issuer: Option<String>,
}

/// Overrides of the tenant's settings for a client's access tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OwnAccessTokenSettings {
    /// `jwt` or `opaque`, as in the tenant's settings. Default: the tenant's.
    #[schemars(extend("enum" = schema::token_formats()))]
    pub format: Option<String>,
    /// How long identical requests of the client get the same token, as in the tenant's settings. Default:
    /// the tenant's.
    #[schemars(extend("pattern" = schema::REUSE))]
    pub reuse: Option<String>,
}

/// Overrides of the tenant's settings for a client's refresh tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OwnRefreshTokenSettings {
    /// Which refresh tokens change with each use: those of `public` clients, always, or never. Default: the
    /// tenant's.
    #[schemars(extend("enum" = json!([Rotation::NAMED[0].0, Rotation::NAMED[1].0, Rotation::NAMED[2].0, null])))]
    pub rotation: Option<String>,
    /// How long after its use the same refresh token still returns the same next token: at most 5 minutes.
    /// Default: the tenant's.
    #[schemars(with = "Option<schema::Span>")]
    pub grace: Option<Lifetime>,
    /// How long an unused refresh token is valid: at most 400 days. Default: the tenant's.
    #[schemars(with = "Option<schema::Span>", extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub idle: Option<Lifetime>,
    /// How long after the sign-in refresh tokens are issued: at most 400 days. Default: the tenant's.
    #[schemars(with = "Option<schema::Span>", extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub absolute: Option<Lifetime>,
}

/// A new client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, transform = describe_chosen_secret)]
pub struct NewClient {
    /// Its id. Default: a random one.
    pub client_id: Option<String>,
    /// A chosen secret. Default: a random secret.
    #[schemars(skip)]
    pub client_secret: Option<FileSecret>,
    /// All else.
    #[serde(flatten)]
    pub settings: ClientSettings,
}

/// A change to a client: a merge patch of its settings, and a decision about its credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ClientPatch {
    /// The ids of the credentials that the client keeps when the change adds a `latchkey:` scope. The same
    /// commit revokes all others. Without this member, Latchkey refuses such a change to a client with
    /// credentials, and the response lists them. The member is not stored, and has no effect on other
    /// changes.
    pub keep_credentials: Option<Vec<String>>,
    /// The merge patch.
    #[serde(flatten)]
    pub settings: ClientSettings,
}

documents!(CLIENT: ClientSettings, NEW_CLIENT: NewClient, CLIENT_PATCH: ClientPatch);

/// In the API this member is the secret itself. In a file it says where the secret is.
#[cfg(feature = "schemas")]
fn describe_chosen_secret(schema: &mut schemars::Schema) {
    if let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let description = "A chosen secret. Default: a random secret.";
        let member = json!({ "description": description, "type": ["string", "null"], "format": "password" });
        members.insert("client_secret".to_owned(), member);
    }
}

/// The defaults of a registration. The default name, which is the client's id, is set later.
impl Default for ClientSettings {
    fn default() -> Self {
        let tenant = TenantId::parse("tenant").expect("this is the id of a tenant");
        let id = ClientId::parse("client").expect("this is the id of a client");
        Self { name: None, ..Self::from(&Client::new(tenant, id)) }
    }
}

impl From<&Client> for ClientSettings {
    fn from(client: &Client) -> Self {
        let subject = |kind| {
            let subject = client.certificate_subject.as_ref().filter(|subject| subject.kind() == kind);
            subject.map(CertificateSubject::text)
        };
        Self {
            name: Some(client.name.clone()),
            description: client.description.clone(),
            contacts: client.contacts.clone(),
            purpose: client.purpose.map(|purpose| purpose.as_str().to_owned()),
            client_secret: None,
            client_secrets: Vec::new(),
            rotate: client.rotation.as_ref().map(RotationScheduleSettings::from),
            token_endpoint_auth_method: client.authentication_method.to_string(),
            grant_types: client.grant_types.iter().map(ToString::to_string).collect(),
            audiences: client.audiences.clone(),
            resources: client.resources.clone(),
            scopes: client.scope.iter().map(|token| token.as_str().to_owned()).collect(),
            access_token_lifetime: client.access_token_lifetime,
            access_token: OwnAccessTokenSettings {
                format: client.access_token.format.map(|format| format.as_str().to_owned()),
                reuse: client.access_token.reuse.map(|window| window.to_string()),
            },
            token: TokenSettings { issuer: client.issuer.as_ref().map(ToString::to_string) },
            claims: claims_of(client),
            jwks: client.keys.as_ref().and_then(|keys| serde_json::from_str(keys.document()).ok()),
            jwks_uri: client.jwks_uri.clone(),
            federated: trust_rules(&client.federated),
            dpop_bound_access_tokens: client.dpop_bound_access_tokens,
            tls_client_certificate_bound_access_tokens: client.tls_client_certificate_bound_access_tokens,
            tls_client_auth_subject_dn: subject(SubjectKind::Dn),
            tls_client_auth_san_dns: subject(SubjectKind::Dns),
            tls_client_auth_san_uri: subject(SubjectKind::Uri),
            tls_client_auth_san_ip: subject(SubjectKind::Ip),
            tls_client_auth_san_email: subject(SubjectKind::Email),
            redirect_uris: client.code_flow.redirect_uris.clone(),
            post_logout_redirect_uris: client.code_flow.post_logout_redirect_uris.clone(),
            first_party: client.code_flow.first_party,
            require_pkce: client.code_flow.require_pkce,
            require_par: client.code_flow.require_par,
            backchannel_logout_uri: client.code_flow.backchannel_logout_uri.clone(),
            backchannel_logout_session_required: client.code_flow.backchannel_logout_session_required,
            subject_type: client.code_flow.subject_type.map(|subject_type| subject_type.as_str().to_owned()),
            sector_identifier_uri: client.code_flow.sector_identifier_uri.clone(),
            claims_in_id_token: client.code_flow.claims_in_id_token,
            groups: (&client.code_flow.groups).into(),
            userinfo: client.code_flow.userinfo.map(|tokens| tokens.as_str().to_owned()),
            default_max_age: client.code_flow.default_max_age,
            refresh_token: client.code_flow.refresh_token.into(),
            popup: client.code_flow.popup,
            introspection: client.introspection.as_str().to_owned(),
        }
    }
}

/// The static claims and the copied claims.
fn claims_of(client: &Client) -> Map<String, Value> {
    let copied = client.copied_claims.iter();
    let copied = copied.map(|(name, from)| (name.clone(), json!({ "from": format!("assertion.{from}") })));
    client.claims.0.clone().into_iter().chain(copied).collect()
}

impl Default for GroupsClaimSettings {
    fn default() -> Self {
        (&GroupsClaim::default()).into()
    }
}

impl From<&GroupsClaim> for GroupsClaimSettings {
    fn from(GroupsClaim { claim, places }: &GroupsClaim) -> Self {
        let places = places.iter().map(|place| place.as_str().to_owned()).collect();
        Self { claim: claim.clone(), places }
    }
}

/// The place has no default, so it is left out.
impl Default for RotationScheduleSettings {
    fn default() -> Self {
        Self { every: Lifetime::from_seconds(30 * 86_400), into: String::new(), grace: None }
    }
}

impl From<&SecretRotation> for RotationScheduleSettings {
    fn from(SecretRotation { every, into, grace }: &SecretRotation) -> Self {
        Self { every: *every, into: into.clone(), grace: Some(*grace) }
    }
}

impl From<OwnRefreshTokenPolicy> for OwnRefreshTokenSettings {
    fn from(OwnRefreshTokenPolicy { rotation, grace, idle, absolute }: OwnRefreshTokenPolicy) -> Self {
        Self { rotation: rotation.map(|rotation| rotation.as_str().to_owned()), grace, idle, absolute }
    }
}

impl ClientSettings {
    /// The subjects of certificates that the document sets.
    pub(crate) fn certificate_subjects(&self) -> impl Iterator<Item = (SubjectKind, &str)> {
        let text = |kind| match kind {
            SubjectKind::Dn => &self.tls_client_auth_subject_dn,
            SubjectKind::Dns => &self.tls_client_auth_san_dns,
            SubjectKind::Uri => &self.tls_client_auth_san_uri,
            SubjectKind::Ip => &self.tls_client_auth_san_ip,
            SubjectKind::Email => &self.tls_client_auth_san_email,
        };
        SubjectKind::ALL.into_iter().filter_map(move |kind| Some((kind, text(kind).as_deref()?)))
    }
}
