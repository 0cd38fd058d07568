//! Why a request was refused, as the access log names it. The caller learns the error code and its description, and nothing of this.

use strum::{IntoStaticStr, VariantArray};

/// The list of all reasons. It is closed, so no text of a caller can become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum RefusalReason {
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
    /// The tenant is suspended.
    TenantSuspended,
    /// The tenant has not enabled the strategy `oauth2`.
    StrategyNotEnabled,
    /// A required parameter is missing.
    MissingParameter,
    /// A parameter was sent more than once.
    RepeatedParameter,
    /// More parameters, scopes or resources than one request may have.
    TooManyParameters,
    /// The server does not serve the grant type.
    GrantNotServed,
    /// The request has more than one client authentication method.
    SeveralCredentials,
    /// Header and body name different clients.
    ClientIdMismatch,
    /// The request names no client.
    ClientNotNamed,
    /// The request names a client and has no credential.
    CredentialMissing,
    /// The credentials cannot be read, or the client identifier is malformed.
    MalformedCredentials,
    /// The tenant has no such client.
    UnknownClient,
    /// The client is suspended.
    ClientSuspended,
    /// The client is not registered for this client authentication method.
    MethodNotRegistered,
    /// The secret is none of the client's.
    WrongSecret,
    /// The secret was the client's and has expired.
    ExpiredSecret,
    /// The secret was the client's and was revoked.
    RevokedSecret,
    /// The secret is a published sample.
    SampleSecret,
    /// The assertion is no JWT with the claims of an assertion, or names another client than the request.
    AssertionMalformed,
    /// The client has no key that could have signed the assertion.
    AssertionKeyUnknown,
    /// The key set of the client's `jwks_uri` cannot be fetched, and none of it is known.
    AssertionKeysUnavailable,
    /// None of the client's keys signed the assertion.
    AssertionSignatureInvalid,
    /// The assertion is not the client's own.
    AssertionOfAnotherClient,
    /// The assertion is neither for the tenant's issuer nor for its token endpoint.
    AssertionForAnotherAudience,
    /// The assertion has expired.
    AssertionExpired,
    /// The assertion is not valid yet.
    AssertionNotYetValid,
    /// The assertion is valid for longer than the tenant accepts.
    AssertionLivesTooLong,
    /// The assertion has no `jti`.
    AssertionNotIdentified,
    /// The assertion was used before.
    AssertionReplayed,
    /// The token must be bound to the key of a DPoP proof, and the request has none.
    DpopProofMissing,
    /// The request has several DPoP proofs.
    DpopProofRepeated,
    /// The DPoP proof is no JWT with the claims of a proof.
    DpopProofMalformed,
    /// The `typ` of the DPoP proof is another.
    DpopProofOfAnotherType,
    /// The header of the DPoP proof has a member that is not allowed.
    DpopProofHeaderNotAllowed,
    /// The algorithm of the DPoP proof is not allowed.
    DpopProofAlgorithmNotAllowed,
    /// The key in the DPoP proof is no public key for its algorithm, or too small or too large.
    DpopProofKeyNotUsable,
    /// The DPoP proof is for another HTTP method.
    DpopProofForAnotherMethod,
    /// The DPoP proof is for another URI.
    DpopProofForAnotherUri,
    /// The DPoP proof has no nonce of the server, or one that is too old.
    DpopNonceNeeded,
    /// The DPoP proof was not made within a minute of now.
    DpopProofOfAnotherTime,
    /// The DPoP proof is for another access token.
    DpopProofForAnotherToken,
    /// The key in the DPoP proof did not sign it.
    DpopProofSignatureInvalid,
    /// The DPoP proof was used before.
    DpopProofReplayed,
    /// The token must be bound to a client certificate, and the request has none.
    CertificateMissing,
    /// The token must be bound to a key, and the request proves none.
    SenderNotProven,
    /// The client certificate is no X.509 certificate of version 3.
    CertificateMalformed,
    /// No chain leads from the client certificate to an authority of the listener.
    CertificateNotTrusted,
    /// The client certificate, or one of its chain, has expired.
    CertificateExpired,
    /// The client certificate, or one of its chain, is not valid yet.
    CertificateNotYetValid,
    /// The client certificate has another subject than the client's.
    CertificateOfAnotherSubject,
    /// The client certificate is none of the client's.
    CertificateNotRegistered,
    /// The key set of the client's `jwks_uri` cannot be fetched, and none of it is known.
    CertificateKeysUnavailable,
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
    /// The request object is no JWT with the members of one, is not signed by the client, or is for another client, server or time.
    RequestObjectNotValid,
    /// The code verifier does not have the form of RFC 7636 section 4.1.
    MalformedCodeVerifier,
    /// The authorization code is unknown, ended, used, or was issued for another request, or its person may not sign in any more.
    CodeNotValid,
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
    /// The client has too many device codes that nobody has decided on, from one address.
    TooManyDeviceCodes,
    /// The refresh token is unknown, ended, of another client or not proven, or its person may not sign in any more.
    RefreshTokenNotValid,
    /// The refresh token was used before: all that was granted has ended.
    RefreshTokenReused,
    /// The scope was not granted when the person signed in.
    ScopeNotGranted,
    /// The resource was not granted when the person signed in.
    ResourceNotGranted,
    /// The tenant asks for a token format that is not served.
    FormatNotServed,
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
    /// The token has expired.
    TokenExpired,
    /// The token, or what it was issued for, has been revoked.
    TokenRevoked,
    /// The token is not valid yet.
    TokenNotYetValid,
    /// The token's `typ` is another.
    TokenOfAnotherType,
    /// The token is for another audience.
    TokenForAnotherAudience,
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
    /// A limit is reached.
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
    /// The server has a fault.
    ServerFault,
}

impl RefusalReason {
    /// All of them, in the order of their declaration.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The reason as the log writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
