//! Client credentials as a request presents them. A request may use one method (RFC 6749 §2.3, RFC
//! 7521 §4.2).

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};
use values::Secret;

use crate::presented_token::split_scheme;
use crate::{
    ChainError, ClientCertificate, ErrorCode, ErrorResponse, Form, IdAndSecret, RefusalReason, api_key_name,
    basic,
};

/// The `client_assertion_type` of a JWT (RFC 7523 §2.2).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The `client_assertion_type` of a JWT-SVID (draft-ietf-oauth-spiffe-client-auth).
pub const JWT_SPIFFE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe";

/// A client assertion (RFC 7521 §4.2) before its verification.
#[derive(Debug)]
pub struct PresentedAssertion {
    /// The `client_id` parameter. It is optional, because "the client is identified by the subject
    /// of the assertion" (RFC 7521 §4.2).
    pub client_id: Option<String>,
    /// `None` if the request has an assertion of another type, or a type without an assertion.
    pub jwt: Option<Secret>,
    pub kind: AssertionKind,
}

/// The kind of JWT that `client_assertion_type` declares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssertionKind {
    /// A JWT of the client itself or of another issuer.
    #[default]
    Jwt,
    /// A JWT-SVID, whose subject is a SPIFFE ID.
    JwtSvid,
}

impl AssertionKind {
    #[must_use]
    pub fn of_type(name: &str) -> Option<Self> {
        match name {
            JWT_BEARER => Some(Self::Jwt),
            JWT_SPIFFE => Some(Self::JwtSvid),
            _ => None,
        }
    }
}

#[derive(Debug)]
pub enum ClientAuthentication {
    /// The possible readings of `Authorization: Basic`, most likely first.
    Basic(Vec<IdAndSecret>),
    /// An Authorization header that is malformed or of another scheme.
    Unreadable { client_id: Option<String> },
    /// `client_id` and `client_secret` in the body.
    Post(IdAndSecret),
    /// `client_assertion` in the body (RFC 7521 §4.2).
    Assertion(PresentedAssertion),
    /// `client_id` in the body, and the client certificate of the connection (RFC 8705 §2).
    Certificate { client_id: String, certificate: Arc<ClientCertificate> },
    /// `client_id` without a credential.
    None { client_id: String },
}

/// The authentication method of a request, for logs and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum PresentedMethod {
    /// An Authorization header, even if its scheme is not Basic.
    ClientSecretBasic,
    /// A secret in the body.
    ClientSecretPost,
    /// An assertion, even if its type is unknown.
    PrivateKeyJwt,
    /// An assertion of another issuer that the client's registration trusts.
    FederatedJwt,
    /// `client_id` and a certificate that an authority issued (RFC 8705 §2.1).
    TlsClientAuth,
    /// `client_id` and a certificate that is registered for the client (RFC 8705 §2.2).
    SelfSignedTlsClientAuth,
    /// `client_id` without a credential.
    None,
}

impl PresentedMethod {
    pub const ALL: &[Self] = Self::VARIANTS;

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl ClientAuthentication {
    /// The method that the request uses. For a certificate the client's registration decides
    /// between the two methods. Until the client is known, this function guesses the method from
    /// the certificate's chain.
    #[must_use]
    pub fn presented_method(&self) -> PresentedMethod {
        match self {
            Self::Basic(_) | Self::Unreadable { .. } => PresentedMethod::ClientSecretBasic,
            Self::Post(_) => PresentedMethod::ClientSecretPost,
            Self::Assertion(_) => PresentedMethod::PrivateKeyJwt,
            Self::Certificate { certificate, .. } => match certificate.chain {
                Err(ChainError::NoAuthorities | ChainError::UnknownIssuer) => {
                    PresentedMethod::SelfSignedTlsClientAuth
                }
                _ => PresentedMethod::TlsClientAuth,
            },
            Self::None { .. } => PresentedMethod::None,
        }
    }

    /// Takes the credentials out of the header and the form. "The client MUST NOT use more than one
    /// authentication method in each request" (RFC 6749 §2.3).
    ///
    /// # Errors
    /// - `invalid_request` for two methods or two different client identifiers.
    /// - `invalid_client` if the request names no client.
    pub fn take(authorization: Option<&[u8]>, form: &mut Form<'_>) -> Result<Self, ErrorResponse> {
        let client_id = form.take("client_id")?;
        let secret = form.take_secret("client_secret")?;
        let assertion = form.take_secret("client_assertion")?;
        let assertion_type = form.take("client_assertion_type")?;
        // RFC 7521 §4.2: an assertion is a method, even if its type is unknown. No second method
        // may accompany it.
        let asserted = assertion.is_some() || assertion_type.is_some();
        match (authorization, secret) {
            (Some(_), Some(_)) => Err(two_methods()),
            (_, Some(_)) if asserted => Err(two_methods()),
            (Some(_), None) if asserted => Err(two_methods()),
            (Some(header), None) => Ok(match basic_readings(header, client_id.as_deref())? {
                readings if readings.is_empty() => {
                    Self::Unreadable { client_id: client_id.map(Cow::into_owned) }
                }
                readings => Self::Basic(readings),
            }),
            (None, None) if asserted => {
                // RFC 7521 §4.2: the type names the format of the assertion. This server does not
                // accept an assertion of another type as a credential.
                let kind = assertion_type.as_deref().and_then(AssertionKind::of_type);
                let client_id = client_id.map(Cow::into_owned);
                let jwt = assertion.filter(|_| kind.is_some());
                Ok(Self::Assertion(PresentedAssertion { client_id, jwt, kind: kind.unwrap_or_default() }))
            }
            (None, Some(secret)) => {
                let client_id = match client_id {
                    Some(client_id) => client_id.into_owned(),
                    // An API key names its client.
                    None if api_key_name(secret.expose()).is_some() => String::new(),
                    None => return Err(no_client()),
                };
                Ok(Self::Post(IdAndSecret { client_id, secret }))
            }
            (None, None) => Ok(Self::None { client_id: client_id.ok_or_else(no_client)?.into_owned() }),
        }
    }

    /// Reads how a request names its client, for the log. Unlike [`Self::take`], it also reads a
    /// request with several credentials.
    #[must_use]
    pub fn named(authorization: Option<&[u8]>, body: &[u8]) -> Option<Self> {
        let readings = authorization.and_then(|header| basic_readings(header, None).ok());
        if let Some(readings) = readings.filter(|readings| !readings.is_empty()) {
            return Some(Self::Basic(readings));
        }
        let mut form = Form::parse(body).ok()?;
        match form.take("client_id") {
            Ok(Some(client_id)) => Some(Self::None { client_id: client_id.into_owned() }),
            _ => Self::take(None, &mut form).ok(),
        }
    }

    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        let id = match self {
            Self::Basic(readings) => readings.first().map(|reading| &*reading.client_id),
            Self::Post(presented) => Some(&*presented.client_id),
            Self::Assertion(PresentedAssertion { client_id, .. }) | Self::Unreadable { client_id } => {
                client_id.as_deref()
            }
            Self::Certificate { client_id, .. } | Self::None { client_id } => Some(&**client_id),
        };
        id.filter(|id| !id.is_empty())
    }

    /// The API key of a request without a `client_id`. The key names the client.
    #[must_use]
    pub fn lone_api_key(&self) -> Option<&Secret> {
        let presented = match self {
            Self::Basic(readings) => readings.first()?,
            Self::Post(presented) => presented,
            _ => return None,
        };
        presented.is_lone_key().then_some(&presented.secret)
    }

    /// Adds the certificate of the connection. The certificate is a credential only if the request
    /// has no other one. Otherwise it only binds the token (RFC 8705 §3).
    ///
    /// The request must name its client: "To enable the authorization server to easily locate a
    /// client's information … all requests … MUST include the "client_id" parameter" (RFC 8705 §2).
    #[must_use]
    pub fn beside(self, certificate: Option<&Arc<ClientCertificate>>) -> Self {
        match (self, certificate) {
            (Self::None { client_id }, Some(certificate)) => {
                Self::Certificate { client_id, certificate: Arc::clone(certificate) }
            }
            (credentials, _) => credentials,
        }
    }
}

impl IdAndSecret {
    /// Accepts an API key as the user name with an empty password.
    fn read_lone_key(&mut self) {
        if self.secret.expose().is_empty() && api_key_name(&self.client_id).is_some() {
            self.secret = Secret::new(mem::take(&mut self.client_id));
        }
    }

    fn is_lone_key(&self) -> bool {
        self.client_id.is_empty() && api_key_name(self.secret.expose()).is_some()
    }
}

/// Another scheme than Basic has no readings, so that the request fails like one with a wrong
/// secret.
fn basic_readings(header: &[u8], client_id: Option<&str>) -> Result<Vec<IdAndSecret>, ErrorResponse> {
    let (scheme, credentials) = split_scheme(header);
    if !scheme.eq_ignore_ascii_case(b"Basic") {
        return Ok(Vec::new());
    }
    let mut readings = basic::readings(credentials);
    readings.iter_mut().for_each(IdAndSecret::read_lone_key);
    if let Some(client_id) = client_id {
        let malformed = readings.is_empty();
        for reading in readings.iter_mut().filter(|reading| reading.is_lone_key()) {
            client_id.clone_into(&mut reading.client_id);
        }
        readings.retain(|reading| reading.client_id == client_id);
        if readings.is_empty() && !malformed {
            return Err(ErrorResponse::invalid_request(
                RefusalReason::ClientIdMismatch,
                "client_id in request body does not match client_id from authentication credentials",
            ));
        }
    }
    Ok(readings)
}

fn two_methods() -> ErrorResponse {
    let description = "Multiple client authentication methods were provided";
    ErrorResponse::invalid_request(RefusalReason::SeveralCredentials, description)
}

fn no_client() -> ErrorResponse {
    let description = "Missing client_id parameter";
    ErrorResponse::new(ErrorCode::InvalidClient, RefusalReason::ClientNotNamed, description)
}

/// The credential that proves that a client sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Credential {
    /// A client secret (RFC 6749 §2.3.1).
    Secret,
    /// A signed assertion (RFC 7521 §4.2).
    Assertion,
    /// A client certificate (RFC 8705 §2).
    Certificate,
}

impl Credential {
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The word for messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// `token_endpoint_auth_method` of a registration (RFC 7591 §2, RFC 8705 §2). `client_secret_jwt`
/// is not supported, because the server would need the secret in clear text.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Display, EnumString, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ClientAuthenticationMethod {
    /// Any method for which the client has a credential.
    Any,
    /// In the header or in the body.
    #[serde(rename = "client_secret_basic", alias = "client_secret_post")]
    #[strum(to_string = "client_secret_basic", serialize = "client_secret_post")]
    ClientSecret,
    /// A signed assertion (RFC 7523 §2.2).
    PrivateKeyJwt,
    /// A client certificate from a trusted issuer (RFC 8705 §2.1).
    TlsClientAuth,
    /// A registered client certificate (RFC 8705 §2.2).
    SelfSignedTlsClientAuth,
    /// A public client, which does not authenticate.
    None,
}

impl ClientAuthenticationMethod {
    /// The constants below are slices of this list, so `any` must be first and `none` last.
    pub const NAMES: [&str; 7] = [
        "any",
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
        "tls_client_auth",
        "self_signed_tls_client_auth",
        "none",
    ];
    /// The methods of the token and introspection endpoints.
    pub const SERVED: [&str; 5] = {
        let [_, served @ .., _] = Self::NAMES;
        served
    };
    /// The methods of [`Self::SERVED`] on a server that reads no client certificates.
    pub const WITHOUT_CERTIFICATES: [&str; 3] = {
        let [without @ .., _, _] = Self::SERVED;
        without
    };
    /// The methods of the revocation endpoint. Public clients may revoke their tokens, too (RFC
    /// 7009 §2.1).
    pub const AT_REVOCATION: [&str; 6] = {
        let [_, presented @ ..] = Self::NAMES;
        presented
    };
    /// The methods of [`Self::AT_REVOCATION`] on a server that reads no client certificates.
    pub const AT_REVOCATION_WITHOUT_CERTIFICATES: [&str; 4] = {
        let ([basic, post, assertion], [.., none]) = (Self::WITHOUT_CERTIFICATES, Self::NAMES);
        [basic, post, assertion, none]
    };

    /// The stored name. A secret has two names in metadata; this is the name in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The credential that a client with this method must present. `None` for a public client, and
    /// for a client that may present any credential.
    #[must_use]
    pub const fn credential(self) -> Option<Credential> {
        match self {
            Self::ClientSecret => Some(Credential::Secret),
            Self::PrivateKeyJwt => Some(Credential::Assertion),
            Self::TlsClientAuth | Self::SelfSignedTlsClientAuth => Some(Credential::Certificate),
            Self::Any | Self::None => None,
        }
    }

    /// Whether a client with this method may present this credential. `None` is a request with
    /// `client_id` alone.
    #[must_use]
    pub fn allows(self, presented: Option<Credential>) -> bool {
        if self == Self::Any { presented.is_some() } else { presented == self.credential() }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    const BASIC: &[u8] = b"Basic YTpi"; // a:b

    fn take(header: Option<&[u8]>, body: &str) -> String {
        let mut form = Form::parse(body.as_bytes()).unwrap();
        match ClientAuthentication::take(header, &mut form) {
            Ok(ClientAuthentication::Basic(readings)) => {
                let ids: Vec<_> = readings.iter().map(|reading| reading.client_id.as_str()).collect();
                format!("basic {}", ids.join(","))
            }
            Ok(ClientAuthentication::Post(pair)) => format!("post {}", pair.client_id),
            Ok(ClientAuthentication::Assertion(PresentedAssertion { client_id, jwt, .. })) => {
                let jwt = jwt.as_ref().map_or("none", Secret::expose);
                format!("assertion {jwt} of {}", client_id.as_deref().unwrap_or("none"))
            }
            Ok(ClientAuthentication::Unreadable { client_id }) => {
                format!("unreadable {}", client_id.unwrap_or_default())
            }
            Ok(ClientAuthentication::Certificate { client_id, .. }) => format!("certificate {client_id}"),
            Ok(ClientAuthentication::None { client_id }) => format!("none {client_id}"),
            Err(error) => format!("{}: {}", error.error.as_str(), error.error_description),
        }
    }

    // [oauth RFC 6749 §2.3.1]: HTTP Basic is supported for every client that has a secret
    // [oauth RFC 6749 §2.3.1 d]: Credentials in the body may be supported
    // [assertions RFC 7521 §4.2]: `client_assertion_type` and `client_assertion`; another type is no
    //   credential
    #[test]
    fn each_authentication_method_is_recognised() {
        assert_eq!(take(Some(BASIC), ""), "basic a");
        assert_eq!(take(Some(BASIC), "client_id=a"), "basic a");
        assert_eq!(take(None, "client_id=a&client_secret=b"), "post a");
        let jwt_bearer =
            "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        for (body, expected) in [
            (format!("{jwt_bearer}&client_assertion=x"), "assertion x of none"),
            (format!("{jwt_bearer}&client_assertion=x&client_id=a"), "assertion x of a"),
            (jwt_bearer.to_owned(), "assertion none of none"),
            ("client_assertion=x".to_owned(), "assertion none of none"),
            ("client_assertion=x&client_assertion_type=saml2-bearer".to_owned(), "assertion none of none"),
        ] {
            assert_eq!(take(None, &body), expected, "{body}");
        }
        assert_eq!(take(None, "client_id=a"), "none a");
    }

    #[test]
    fn methods_are_serialized_as_their_names() {
        use ClientAuthenticationMethod as Method;
        let by_certificate = [Method::TlsClientAuth, Method::SelfSignedTlsClientAuth];
        let others = [Method::Any, Method::ClientSecret, Method::PrivateKeyJwt, Method::None];
        for method in by_certificate.into_iter().chain(others) {
            assert_eq!(serde_json::to_value(method).unwrap(), method.as_str());
            assert_eq!(method.as_str().parse(), Ok(method));
        }
        assert_eq!("client_secret_post".parse(), Ok(Method::ClientSecret));
    }

    #[test]
    fn malformed_and_other_headers_are_unreadable() {
        for header in ["Basic", "Basic ???", "Bearer x", "Digest y"] {
            assert_eq!(take(Some(header.as_bytes()), "client_id=a"), "unreadable a", "{header}");
        }
    }

    // [oauth RFC 6749 §2.3.1 e]: `client_id` is required beside `client_secret`. Beside an [API
    //   key](api-keys.md) it may be left out, in the body and as an empty user: the key names its client |
    //   departs
    #[test]
    fn an_api_key_needs_no_client_id() {
        let key = format!("lkk_4fT9xQ2bV7mK_{}", "7".repeat(49));
        let basic = |pair: &str| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        let read = |header: Option<&str>, body: &str| {
            let mut form = Form::parse(body.as_bytes()).unwrap();
            let pairs = match ClientAuthentication::take(header.map(str::as_bytes), &mut form).unwrap() {
                ClientAuthentication::Post(pair) => vec![pair],
                ClientAuthentication::Basic(readings) => readings,
                other => panic!("{other:?}"),
            };
            let shown = pairs.into_iter().map(|pair| (pair.client_id, pair.secret.expose().to_owned()));
            shown.collect::<Vec<_>>()
        };
        let alone = vec![(String::new(), key.clone())];
        let named = vec![("a".to_owned(), key.clone())];
        assert_eq!(read(None, &format!("client_secret={key}")), alone);
        assert_eq!(read(None, &format!("client_secret={key}&client_id=a")), named);
        for pair in [format!(":{key}"), format!("{key}:")] {
            assert_eq!(read(Some(&basic(&pair)), ""), alone, "{pair}");
            assert_eq!(read(Some(&basic(&pair)), "client_id=a"), named, "{pair}");
        }
        assert_eq!(read(Some(&basic(&format!("a:{key}"))), ""), named);
        assert_eq!(take(Some(basic(":secret").as_bytes()), ""), "basic ");
    }

    // [oauth RFC 6749 §2.3 b]: Two authentication methods in one request are refused
    // [assertions RFC 7521 §4.2 b]: No second client authentication method in the request
    #[test]
    fn two_methods_are_refused() {
        let two = "invalid_request: Multiple client authentication methods were provided";
        assert_eq!(take(Some(BASIC), "client_secret=b"), two);
        assert_eq!(take(Some(BASIC), "client_id=a&client_secret=b"), two);
        assert_eq!(take(Some(BASIC), "client_assertion=x"), two);
        assert_eq!(take(None, "client_id=a&client_secret=b&client_assertion=x"), two);
    }

    #[test]
    fn conflicting_or_missing_client_ids_are_refused() {
        let mismatch = "client_id in request body does not match client_id from authentication credentials";
        assert_eq!(take(Some(BASIC), "client_id=z"), format!("invalid_request: {mismatch}"));
        for body in ["", "client_secret=b", "client_id="] {
            assert_eq!(take(None, body), "invalid_client: Missing client_id parameter", "{body}");
        }
    }
}
