//! The reason for refusing a request, for the access log. The caller gets only the error code and
//! its description.

use strum::{EnumMessage, EnumString, IntoStaticStr, VariantNames};

/// The list is closed, so that text of a caller cannot become a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumMessage, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum RefusalReason {
    /// A credential is refused.
    #[strum(disabled)]
    Credential(&'static CredentialReason),
    /// No route has the path.
    UnknownPath,
    /// The path has other methods.
    MethodNotAllowed,
    /// The Host header names another host.
    Misdirected,
    /// The Authorization header was sent more than once.
    RepeatedAuthorization,
    /// The header with the client certificate was sent more than once by a trusted proxy, or cannot be read.
    CertificateHeaderUnreadable,
    /// The body cannot be read: incomplete, too large, too slow, of another media type, or not UTF-8.
    UnreadableBody,
    /// There is no tenant of the name.
    UnknownTenant,
    TenantSuspended,
    /// The tenant has not enabled the strategy `oauth2`, or `oidc` where people sign in.
    StrategyNotEnabled,
    /// A required parameter is missing.
    MissingParameter,
    /// A parameter was sent more than once.
    RepeatedParameter,
    /// More parameters, scopes or resources than one request may have.
    TooManyParameters,
    /// A parameter belongs to another request of the grant.
    ParameterOfAnotherRequest,
    /// The server does not serve the grant type.
    GrantNotServed,
    /// The request has more than one client authentication method.
    SeveralCredentials,
    /// Header and body name different clients.
    ClientIdMismatch,
    /// The request names no client.
    ClientNotNamed,
    /// The token must be bound to a client certificate, and the request has none.
    CertificateMissing,
    /// The token must be bound to a key, and the request proves none.
    SenderNotProven,
    /// The user's credentials are not accepted.
    SignInFailed,
    /// The client is not registered for the grant type.
    GrantNotRegistered,
    /// A program, a frame or a worker requests a page, and no person.
    NotANavigation,
    /// The form was not made by this server for this browser and tenant, or it is older than a day.
    ForeignForm,
    /// The redirect URI is not registered for the client.
    RedirectUriNotRegistered,
    /// An authorization request cannot be granted as it was sent.
    AuthorizationRequestRefused,
    /// The request URI is none of this server.
    RequestUriElsewhere,
    /// The request URI is unknown, another client's, has ended, or was used up.
    RequestUriNotValid,
    /// The client has as many pushed requests as a client may have.
    TooManyPushedRequests,
    /// The client has no keys for request objects.
    RequestObjectNotSupported,
    /// The request object is no JWT with the members of one, is not signed by the client, or is for
    /// another client, server or time.
    RequestObjectNotValid,
    /// The code verifier does not have the form of RFC 7636 section 4.1.
    MalformedCodeVerifier,
    /// The authorization code is unknown, ended, or was issued for another request, or its person may not
    /// sign in any more.
    CodeNotValid,
    /// The authorization code was used before: all that was granted has ended.
    CodeReused,
    /// No person has decided on the device yet.
    DevicePending,
    /// The device polls more often than it may.
    DevicePollsTooOften,
    /// The person has refused the device.
    DeviceRefused,
    /// The device's code has expired.
    DeviceCodeExpired,
    /// The device's code is unknown, used, or another client's, or its person may not sign in any more.
    DeviceCodeNotValid,
    /// The client has too many undecided device codes from one address, or has got too many in ten minutes.
    TooManyDeviceCodes,
    /// The refresh token is unknown, ended, of another client or not proven, or its person
    /// may not sign in any more.
    RefreshTokenNotValid,
    /// The refresh token was used before: all that was granted has ended.
    RefreshTokenReused,
    /// The scope was not granted when the person signed in.
    ScopeNotGranted,
    /// The resource was not granted when the person signed in.
    ResourceNotGranted,
    /// The scope does not have the grammar of RFC 6749 section 3.3.
    MalformedScope,
    /// The client is not registered for the scope.
    ScopeNotRegistered,
    /// None of the requested resources has the scope.
    ScopeNotOfResource,
    /// The scope administers, and the token is not for the admin audience.
    ScopeNeedsAdminAudience,
    /// The resource is not an absolute URI without a fragment.
    MalformedResource,
    /// The client is not registered for the resource or audience.
    ResourceNotRegistered,
    /// The admin audience is requested together with another.
    AdminAudienceNotAlone,
    /// No token was sent.
    TokenMissing,
    /// The token is not a JWT that can be read.
    TokenMalformed,
    /// The token's header has a member that is not allowed.
    TokenHeaderNotAllowed,
    /// The token's algorithm is not allowed, or not its key's.
    TokenAlgorithmNotAllowed,
    /// The token is another issuer's.
    TokenOfAnotherIssuer,
    /// The tenant has no published key of the token's `kid`.
    TokenKeyUnknown,
    /// The token's signature does not verify.
    TokenSignatureInvalid,
    TokenExpired,
    /// The token, or what it was issued for, has been revoked.
    TokenRevoked,
    /// The token is not valid yet.
    TokenNotYetValid,
    /// The token's `typ` is another.
    TokenOfAnotherType,
    TokenForAnotherAudience,
    /// The token is bound to a key of its sender, and a proxy asks about it.
    TokenSenderConstrained,
    /// The token is bound to a key, and is presented as a bearer token.
    TokenNeedsDpopProof,
    /// The token is not bound to a key, and is presented with the scheme DPoP.
    TokenNotDpopBound,
    /// The token is bound to another key than that of the DPoP proof.
    TokenOfAnotherKey,
    /// The token is bound to a client certificate, and the request has another one or none.
    TokenOfAnotherCertificate,
    /// The token's client is deleted or suspended.
    TokenClientNotActive,
    /// The token lacks a scope.
    InsufficientScope,
    /// The caller would grant more than it has.
    InsufficientPrivilege,
    /// The row does not exist.
    NotFound,
    /// A document, query or header breaks a rule.
    InvalidDocument,
    /// The request contradicts what is stored.
    Conflict,
    LimitReached,
    /// The request breaks tokens and does not confirm it.
    ConfirmationNeeded,
    /// Another request changed the row at the same time.
    Contended,
    /// The row has changed since it was read.
    StaleRevision,
    /// The idempotency key belongs to another request.
    IdempotencyKeyReused,
    /// The tenant's administrators have used up their writes.
    TooManyWrites,
    /// A part of the server does not answer now.
    Unavailable,
    ServerFault,
}

impl RefusalReason {
    /// Without the reasons of credentials, in the order of the declaration.
    pub const NAMES: &[&str] = Self::VARIANTS.split_at(1).1;

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credential(reason) => reason.code,
            other => other.into(),
        }
    }
}

/// The reason for refusing a credential. Each method has a table of reasons in
/// `registry/src/methods`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct CredentialReason {
    /// The reason in the log.
    pub code: &'static str,
    /// The finding, for an administrator.
    pub detail: &'static str,
    /// What the administrator should do: a message for [`values::with_commands`] with the names
    /// `TENANT` and `CLIENT`.
    pub fix: &'static str,
}
