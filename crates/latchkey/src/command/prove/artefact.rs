//! What one tenant gives, and where it is sent at another one.

use reqwest::Method;
use serde_json::json;

use super::browser::{AUTHORIZATION, Browser, VERIFIER, navigation};
use super::platform::{Platform, Request, owned, tenant_path};
use super::routes::{Access, Route};
use super::side::{APP, Side};

/// Where a request has the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// The header of a bearer token.
    Bearer,
    /// The header of a bound token, beside a proof for the request.
    Dpop,
    /// The secret of this client, in the header.
    Basic(&'static str),
    /// The secret of a client in the form; without the client for an API key.
    Post(Option<&'static str>),
    /// The secret of the client that only one tenant has.
    PostOfOnly,
    /// The assertion of a client.
    Assertion,
    /// This parameter of a form, or of the URL.
    Parameter(&'static str),
    /// The cookie of the session.
    Cookie,
    /// This name in a path, for the administrator of the tenant in the path.
    Path(&'static str),
    /// This filter of a list, for the administrator of the tenant in the path.
    Filter(&'static str),
}

impl Place {
    /// Whether the value, alone and without other parameters, opens a route.
    pub(super) fn is_credential(self) -> bool {
        !matches!(self, Self::Parameter(_) | Self::Cookie | Self::Path(_) | Self::Filter(_))
    }

    /// Whether a route reads a value at this place.
    pub(super) fn is_at(self, route: &Route) -> bool {
        match self {
            Self::Parameter(_) => route.reads_parameters(),
            Self::Path(name) => route.access == Access::Administration && route.names(name),
            Self::Filter(_) => route.path == "/api/v1/tenant/{id}/accounts" && route.method == Method::GET,
            _ => true,
        }
    }
}

/// How a value of one tenant is sent.
#[derive(Clone, Debug)]
pub(super) struct Artefact {
    pub(super) place: Place,
    /// The parameters that belong to it.
    pub(super) beside: Vec<(String, String)>,
}

impl Artefact {
    /// A request of this route at a tenant, with a value in the place of the artefact's.
    pub(super) fn request(
        &self,
        route: &Route,
        value: Option<&str>,
        at: &Side,
        from: &Side,
        platform: &Platform,
    ) -> Request {
        let named = match (self.place, value) {
            (Place::Path(name), Some(value)) => Some((name, value)),
            _ => None,
        };
        let mut request = route.request(at.path(&route.path, named));
        let url = format!("{}{}", platform.public_url, request.path);
        let mut form = owned(&[("grant_type", "client_credentials"), ("token", &at.token)]);
        let post = |form: &mut Vec<_>, client: Option<&str>, secret: &str| {
            form.extend(client.map(|client| ("client_id".to_owned(), client.to_owned())));
            form.push(("client_secret".to_owned(), secret.to_owned()));
        };
        let Some(value) = value else {
            request.form = form;
            return request;
        };
        match self.place {
            Place::Bearer => request.authorization = Some(format!("Bearer {value}")),
            Place::Dpop => {
                let proof = from.prover.proof(request.method.as_str(), &url, Some(value));
                request.authorization = Some(format!("DPoP {value}"));
                request.headers.push(("dpop", proof));
            }
            Place::Basic(client) => request.authorization = Some(basic(client, value)),
            Place::Post(client) => post(&mut form, client, value),
            Place::PostOfOnly => post(&mut form, Some(&from.only), value),
            Place::Assertion => {
                form.push(("client_assertion_type".to_owned(), protocol::JWT_BEARER.to_owned()));
                form.push(("client_assertion".to_owned(), value.to_owned()));
            }
            Place::Parameter(name) => {
                form = owned(&AUTHORIZATION);
                form.extend(owned(&[("code_verifier", VERIFIER), (name, value)]));
                form.extend(self.beside.iter().cloned());
                let reads_secret = !route.path.ends_with("/device_authorization");
                if request.method != Method::GET && reads_secret && name != "client_secret" {
                    form.push(("client_secret".to_owned(), at.secret.clone()));
                }
                self.browse(&mut request, &from.browser, platform);
            }
            Place::Cookie => {
                let own = from.browser.session(&from.id).map_or("", |(name, _)| name);
                self.browse(&mut request, &from.browser, platform);
                request.cookies.retain(|(name, _)| name != own);
                request.cookies.push((own.replace(&from.id, &at.id), value.to_owned()));
                request.query = owned(&AUTHORIZATION);
            }
            Place::Path(_) | Place::Filter(_) => {
                request.authorization = Some(format!("Bearer {}", at.administrator));
                if let Place::Filter(name) = self.place {
                    request.query = owned(&[(name, value)]);
                }
                if !matches!(request.method, Method::GET | Method::DELETE) {
                    request.json = Some(json!({}));
                }
            }
        }
        if request.method == Method::GET && matches!(self.place, Place::Parameter(_)) {
            // A password is in no URL.
            form.retain(|(name, _)| name != "password");
            request.query = form;
        } else {
            request.form = form;
        }
        request
    }

    /// What a request has of the tenant, which an answer may repeat.
    pub(super) fn sent<'a>(&self, value: &'a str, from: &'a Side) -> Vec<&'a str> {
        match self.place {
            Place::PostOfOnly => vec![value, &from.only],
            _ => vec![value],
        }
    }

    fn browse(&self, request: &mut Request, browser: &Browser, platform: &Platform) {
        request.cookies = browser.cookies.clone().into_iter().collect();
        request.headers = navigation(&platform.public_url);
    }
}

/// The credentials of a client in the header (RFC 6749 §2.3.1). Its id and secret need no encoding.
fn basic(client: &str, secret: &str) -> String {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{client}:{secret}"));
    format!("Basic {encoded}")
}

/// A kind of artefact.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) what: What,
    pub(super) place: Place,
    /// The parameters that belong to it, but for the form of a page.
    pub(super) beside: &'static [(&'static str, &'static str)],
    /// The operation that accepts it at its own tenant, below the tenant, and the place there.
    pub(super) control: (Method, &'static str, Place),
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Secret,
    ChosenSecret,
    SecretOfOnly,
    AssertionForItsTenant,
    AssertionOfSharedKey,
    AssertionOfItsKey,
    ApiKey,
    Token,
    BoundToken,
    TokenOfPerson,
    TokenOfAdministrator,
    ForgedToken,
    RefreshToken,
    IdToken,
    Code,
    DeviceCode,
    UserCode,
    RequestUri,
    Session,
    Password,
    FormOfAccount,
    FormOfLogout,
    FormOfSignIn,
    Account,
    Client,
    ApiKeyId,
    Email,
}

const CODE: &[(&str, &str)] = &[("grant_type", "authorization_code")];
const REFRESH: &[(&str, &str)] = &[("grant_type", "refresh_token")];
const DEVICE: &[(&str, &str)] = &[("grant_type", "urn:ietf:params:oauth:grant-type:device_code")];
const NO: &[(&str, &str)] = &[];

const fn kind(
    name: &'static str,
    what: What,
    place: Place,
    beside: &'static [(&'static str, &'static str)],
    control: (Method, &'static str, Place),
) -> Kind {
    Kind { name, what, place, beside, control }
}

const TOKEN: &str = "/oauth/token";
const INTROSPECT: &str = "/oauth/introspect";
const AUTHORIZE: &str = "/oauth/authorize";
const USERINFO: &str = "/oauth/userinfo";
const SIGN_IN: &str = "/oauth/sign-in";

/// All kinds. Those whose controls end the session of the person are the last ones; after
/// signing out everywhere nobody can sign in within the same second.
pub(super) static KINDS: [Kind; 31] = {
    use Place::{Assertion, Basic, Bearer, Cookie, Dpop, Filter, Parameter, Path, Post, PostOfOnly};
    [
        kind("client secret in the header", What::Secret, Basic(APP), NO, (Method::POST, TOKEN, Basic(APP))),
        kind(
            "client secret in the form",
            What::Secret,
            Post(Some(APP)),
            NO,
            (Method::POST, TOKEN, Post(Some(APP))),
        ),
        kind(
            "chosen client secret",
            What::ChosenSecret,
            Post(Some("chosen")),
            NO,
            (Method::POST, TOKEN, Post(Some("chosen"))),
        ),
        kind(
            "secret of a client that one tenant has",
            What::SecretOfOnly,
            PostOfOnly,
            NO,
            (Method::POST, TOKEN, PostOfOnly),
        ),
        kind(
            "client assertion",
            What::AssertionForItsTenant,
            Assertion,
            NO,
            (Method::POST, TOKEN, Assertion),
        ),
        kind(
            "client assertion by a key of both tenants",
            What::AssertionOfSharedKey,
            Assertion,
            NO,
            (Method::POST, TOKEN, Assertion),
        ),
        kind(
            "client assertion for the other tenant",
            What::AssertionOfItsKey,
            Assertion,
            NO,
            (Method::POST, TOKEN, Assertion),
        ),
        kind("API key as a secret", What::ApiKey, Post(None), NO, (Method::POST, TOKEN, Post(None))),
        kind("API key as a token", What::ApiKey, Bearer, NO, (Method::POST, INTROSPECT, Parameter("token"))),
        kind(
            "API key to introspect",
            What::ApiKey,
            Parameter("token"),
            NO,
            (Method::POST, INTROSPECT, Parameter("token")),
        ),
        kind(
            "access token of a client",
            What::Token,
            Bearer,
            NO,
            (Method::POST, INTROSPECT, Parameter("token")),
        ),
        kind(
            "access token with its DPoP proof",
            What::BoundToken,
            Dpop,
            NO,
            (Method::POST, INTROSPECT, Parameter("token")),
        ),
        kind("access token of a person", What::TokenOfPerson, Bearer, NO, (Method::GET, USERINFO, Bearer)),
        kind(
            "access token to introspect or revoke",
            What::TokenOfPerson,
            Parameter("token"),
            NO,
            (Method::GET, USERINFO, Bearer),
        ),
        kind(
            "token of an administrator",
            What::TokenOfAdministrator,
            Bearer,
            NO,
            (Method::GET, "/clients", Bearer),
        ),
        kind("token with the other issuer", What::ForgedToken, Bearer, NO, (Method::GET, "", Bearer)),
        kind(
            "id of an account",
            What::Account,
            Path("account"),
            NO,
            (Method::GET, "/accounts/{account}", Path("account")),
        ),
        kind(
            "id of a client",
            What::Client,
            Path("client"),
            NO,
            (Method::GET, "/clients/{client}", Path("client")),
        ),
        kind(
            "id of an API key",
            What::ApiKeyId,
            Path("key"),
            NO,
            (Method::GET, "/clients/{client}/api-keys/{key}", Path("key")),
        ),
        kind(
            "e-mail address of an account",
            What::Email,
            Filter("identifier"),
            NO,
            (Method::GET, "/accounts", Filter("identifier")),
        ),
        kind(
            "pushed request",
            What::RequestUri,
            Parameter("request_uri"),
            NO,
            (Method::GET, AUTHORIZE, Parameter("request_uri")),
        ),
        kind(
            "authorization code",
            What::Code,
            Parameter("code"),
            CODE,
            (Method::POST, TOKEN, Parameter("code")),
        ),
        kind(
            "device code",
            What::DeviceCode,
            Parameter("device_code"),
            DEVICE,
            (Method::POST, TOKEN, Parameter("device_code")),
        ),
        kind(
            "user code",
            What::UserCode,
            Parameter("user_code"),
            NO,
            (Method::POST, "/device", Parameter("user_code")),
        ),
        kind("session of a person", What::Session, Cookie, NO, (Method::GET, AUTHORIZE, Cookie)),
        kind(
            "refresh token",
            What::RefreshToken,
            Parameter("refresh_token"),
            REFRESH,
            (Method::POST, TOKEN, Parameter("refresh_token")),
        ),
        kind(
            "ID token as a hint",
            What::IdToken,
            Parameter("id_token_hint"),
            NO,
            (Method::GET, "/oauth/logout", Parameter("id_token_hint")),
        ),
        kind(
            "password of a person",
            What::Password,
            Parameter("identifier"),
            NO,
            (Method::POST, SIGN_IN, Parameter("identifier")),
        ),
        kind(
            "form of a sign-in",
            What::FormOfSignIn,
            Parameter("flow"),
            NO,
            (Method::POST, SIGN_IN, Parameter("flow")),
        ),
        kind(
            "form of signing out",
            What::FormOfLogout,
            Parameter("flow"),
            &[("decision", "sign_out")],
            (Method::POST, "/oauth/logout", Parameter("flow")),
        ),
        kind(
            "form of the account",
            What::FormOfAccount,
            Parameter("flow"),
            &[("decision", "sign_out_everywhere")],
            (Method::POST, "/account", Parameter("flow")),
        ),
    ]
};

impl Kind {
    /// The operation of its control at its own tenant, as a route.
    pub(super) fn control_route(&self) -> Option<Route> {
        let (method, path, place) = &self.control;
        let is_administration =
            self.what == What::TokenOfAdministrator || matches!(place, Place::Path(_) | Place::Filter(_));
        let access = if is_administration { Access::Administration } else { Access::Public };
        let path = tenant_path("{id}", path);
        (self.what != What::ForgedToken && self.what != What::AssertionOfItsKey).then(|| Route {
            method: method.clone(),
            path,
            access,
        })
    }
}
