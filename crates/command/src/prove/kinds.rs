//! The kinds of values that one tenant gives.

use reqwest::Method;

use super::artefact::Place;
use super::platform::tenant_path;
use super::routes::{Access, Route};
use super::side::{APP, CHOSEN};

/// A kind of value.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) what: What,
    pub(super) place: Place,
    /// The parameters that belong to it, but for the form of a page.
    pub(super) beside: &'static [(&'static str, &'static str)],
    /// What accepts it at its own tenant; nothing accepts a forged one.
    control: Option<Control>,
}

/// An operation below the tenant, and the place of the value there.
type Control = (Method, &'static str, Place);

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
    control: Option<Control>,
) -> Kind {
    Kind { name, what, place, beside, control }
}

const fn get(path: &'static str, place: Place) -> Option<Control> {
    Some((Method::GET, path, place))
}

const fn post(path: &'static str, place: Place) -> Option<Control> {
    Some((Method::POST, path, place))
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
        kind("client secret in the header", What::Secret, Basic(APP), NO, post(TOKEN, Basic(APP))),
        kind("client secret in the form", What::Secret, Post(Some(APP)), NO, post(TOKEN, Post(Some(APP)))),
        kind(
            "chosen client secret",
            What::ChosenSecret,
            Post(Some(CHOSEN)),
            NO,
            post(TOKEN, Post(Some(CHOSEN))),
        ),
        kind(
            "secret of a client that one tenant has",
            What::SecretOfOnly,
            PostOfOnly,
            NO,
            post(TOKEN, PostOfOnly),
        ),
        kind("client assertion", What::AssertionForItsTenant, Assertion, NO, post(TOKEN, Assertion)),
        kind(
            "client assertion by a key of both tenants",
            What::AssertionOfSharedKey,
            Assertion,
            NO,
            post(TOKEN, Assertion),
        ),
        kind("client assertion for the other tenant", What::AssertionOfItsKey, Assertion, NO, None),
        kind("API key as a secret", What::ApiKey, Post(None), NO, post(TOKEN, Post(None))),
        kind("API key as a token", What::ApiKey, Bearer, NO, post(INTROSPECT, Parameter("token"))),
        kind(
            "API key to introspect",
            What::ApiKey,
            Parameter("token"),
            NO,
            post(INTROSPECT, Parameter("token")),
        ),
        kind("access token of a client", What::Token, Bearer, NO, post(INTROSPECT, Parameter("token"))),
        kind(
            "access token with its DPoP proof",
            What::BoundToken,
            Dpop,
            NO,
            post(INTROSPECT, Parameter("token")),
        ),
        kind("access token of a person", What::TokenOfPerson, Bearer, NO, get(USERINFO, Bearer)),
        kind(
            "access token to introspect or revoke",
            What::TokenOfPerson,
            Parameter("token"),
            NO,
            get(USERINFO, Bearer),
        ),
        kind("token of an administrator", What::TokenOfAdministrator, Bearer, NO, get("/clients", Bearer)),
        kind("token with the other issuer", What::ForgedToken, Bearer, NO, None),
        kind(
            "id of an account",
            What::Account,
            Path("account"),
            NO,
            get("/accounts/{account}", Path("account")),
        ),
        kind("id of a client", What::Client, Path("client"), NO, get("/clients/{client}", Path("client"))),
        kind(
            "id of an API key",
            What::ApiKeyId,
            Path("key"),
            NO,
            get("/clients/{client}/api-keys/{key}", Path("key")),
        ),
        kind(
            "e-mail address of an account",
            What::Email,
            Filter("identifier"),
            NO,
            get("/accounts", Filter("identifier")),
        ),
        kind(
            "pushed request",
            What::RequestUri,
            Parameter("request_uri"),
            NO,
            get(AUTHORIZE, Parameter("request_uri")),
        ),
        kind("authorization code", What::Code, Parameter("code"), CODE, post(TOKEN, Parameter("code"))),
        kind(
            "device code",
            What::DeviceCode,
            Parameter("device_code"),
            DEVICE,
            post(TOKEN, Parameter("device_code")),
        ),
        kind(
            "user code",
            What::UserCode,
            Parameter("user_code"),
            NO,
            post("/device", Parameter("user_code")),
        ),
        kind("session of a person", What::Session, Cookie, NO, get(AUTHORIZE, Cookie)),
        kind(
            "refresh token",
            What::RefreshToken,
            Parameter("refresh_token"),
            REFRESH,
            post(TOKEN, Parameter("refresh_token")),
        ),
        kind(
            "ID token as a hint",
            What::IdToken,
            Parameter("id_token_hint"),
            NO,
            get("/oauth/logout", Parameter("id_token_hint")),
        ),
        kind(
            "password of a person",
            What::Password,
            Parameter("identifier"),
            NO,
            post(SIGN_IN, Parameter("identifier")),
        ),
        kind(
            "form of a sign-in",
            What::FormOfSignIn,
            Parameter("flow"),
            NO,
            post(SIGN_IN, Parameter("flow")),
        ),
        kind(
            "form of signing out",
            What::FormOfLogout,
            Parameter("flow"),
            &[("decision", "sign_out")],
            post("/oauth/logout", Parameter("flow")),
        ),
        kind(
            "form of the account",
            What::FormOfAccount,
            Parameter("flow"),
            &[("decision", "sign_out_everywhere")],
            post("/account", Parameter("flow")),
        ),
    ]
};

impl Kind {
    /// The route that accepts it at its own tenant, and the place of the value there.
    pub(super) fn control(&self) -> Option<(Route, Place)> {
        let (method, path, place) = self.control.clone()?;
        let is_administration =
            self.what == What::TokenOfAdministrator || matches!(place, Place::Path(_) | Place::Filter(_));
        let access = if is_administration { Access::Administration } else { Access::Public };
        Some((Route { method, path: tenant_path("{id}", path), access }, place))
    }
}
