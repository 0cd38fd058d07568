//! The kinds of values that a tenant issues.

use reqwest::Method;

use super::artefact::ValuePlace;
use super::platform::tenant_path;
use super::routes::{ProbedRoute, RouteAccess};
use super::side::{APP, CHOSEN};

pub(super) struct ValueKind {
    pub(super) name: &'static str,
    pub(super) what: What,
    pub(super) place: ValuePlace,
    /// Further parameters of the request, except the hidden field of a form.
    pub(super) beside: &'static [(&'static str, &'static str)],
    /// The operation below the tenant that accepts the value at its own tenant, and where the request
    /// contains it. `None` for forged values, which nothing accepts.
    control: Option<(&'static str, ValuePlace)>,
}

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
    OpaqueToken,
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

const TOKEN: &str = "POST /oauth/token";
const INTROSPECT: &str = "POST /oauth/introspect";
const AUTHORIZE: &str = "GET /oauth/authorize";
const USERINFO: &str = "GET /oauth/userinfo";
const SIGN_IN: &str = "POST /oauth/sign-in";

/// All kinds. The kinds whose controls end the person's session come last: after signing out everywhere
/// nobody can sign in within the same second.
pub(super) static KINDS: [ValueKind; 32] = {
    use ValuePlace::{Assertion, Basic, Bearer, Cookie, Dpop, Filter, Parameter, Path, Post, PostOfOnly};
    [
        kind("client secret in the header", What::Secret, Basic(APP)).accepted(TOKEN),
        kind("client secret in the form", What::Secret, Post(Some(APP))).accepted(TOKEN),
        kind("chosen client secret", What::ChosenSecret, Post(Some(CHOSEN))).accepted(TOKEN),
        kind("secret of a client that one tenant has", What::SecretOfOnly, PostOfOnly).accepted(TOKEN),
        kind("client assertion", What::AssertionForItsTenant, Assertion).accepted(TOKEN),
        kind("client assertion by a key of both tenants", What::AssertionOfSharedKey, Assertion)
            .accepted(TOKEN),
        kind("client assertion for the other tenant", What::AssertionOfItsKey, Assertion),
        kind("API key as a secret", What::ApiKey, Post(None)).accepted(TOKEN),
        kind("API key as a token", What::ApiKey, Bearer).accepted_as(INTROSPECT, Parameter("token")),
        kind("API key to introspect", What::ApiKey, Parameter("token")).accepted(INTROSPECT),
        kind("access token of a client", What::Token, Bearer).accepted_as(INTROSPECT, Parameter("token")),
        kind("opaque access token of a client", What::OpaqueToken, Bearer)
            .accepted_as(INTROSPECT, Parameter("token")),
        kind("access token with its DPoP proof", What::BoundToken, Dpop)
            .accepted_as(INTROSPECT, Parameter("token")),
        kind("access token of a person", What::TokenOfPerson, Bearer).accepted(USERINFO),
        kind("access token to introspect or revoke", What::TokenOfPerson, Parameter("token"))
            .accepted_as(USERINFO, Bearer),
        kind("token of an administrator", What::TokenOfAdministrator, Bearer).accepted("GET /clients"),
        kind("token with the other issuer", What::ForgedToken, Bearer),
        kind("id of an account", What::Account, Path("account")).accepted("GET /accounts/{account}"),
        kind("id of a client", What::Client, Path("client")).accepted("GET /clients/{client}"),
        kind("id of an API key", What::ApiKeyId, Path("key"))
            .accepted("GET /clients/{client}/api-keys/{key}"),
        kind("e-mail address of an account", What::Email, Filter("identifier")).accepted("GET /accounts"),
        kind("pushed request", What::RequestUri, Parameter("request_uri")).accepted(AUTHORIZE),
        kind("authorization code", What::Code, Parameter("code")).beside(CODE).accepted(TOKEN),
        kind("device code", What::DeviceCode, Parameter("device_code")).beside(DEVICE).accepted(TOKEN),
        kind("user code", What::UserCode, Parameter("user_code")).accepted("POST /device"),
        kind("session of a person", What::Session, Cookie).accepted(AUTHORIZE),
        kind("refresh token", What::RefreshToken, Parameter("refresh_token")).beside(REFRESH).accepted(TOKEN),
        kind("ID token as a hint", What::IdToken, Parameter("id_token_hint")).accepted("GET /oauth/logout"),
        kind("password of a person", What::Password, Parameter("identifier")).accepted(SIGN_IN),
        kind("form of a sign-in", What::FormOfSignIn, Parameter("flow")).accepted(SIGN_IN),
        kind("form of signing out", What::FormOfLogout, Parameter("flow"))
            .beside(&[("decision", "sign_out")])
            .accepted("POST /oauth/logout"),
        kind("form of the account", What::FormOfAccount, Parameter("flow"))
            .beside(&[("decision", "sign_out_everywhere")])
            .accepted("POST /account"),
    ]
};

const fn kind(name: &'static str, what: What, place: ValuePlace) -> ValueKind {
    ValueKind { name, what, place, beside: &[], control: None }
}

impl ValueKind {
    const fn beside(self, beside: &'static [(&'static str, &'static str)]) -> Self {
        Self { beside, ..self }
    }

    const fn accepted(self, operation: &'static str) -> Self {
        let place = self.place;
        self.accepted_as(operation, place)
    }

    const fn accepted_as(self, operation: &'static str, place: ValuePlace) -> Self {
        Self { control: Some((operation, place)), ..self }
    }

    /// The route that accepts the value at its own tenant, and where the request contains it.
    pub(super) fn control(&self) -> Option<(ProbedRoute, ValuePlace)> {
        let (operation, place) = self.control?;
        let (method, path) = operation.split_once(' ')?;
        let method = Method::from_bytes(method.as_bytes()).ok()?;
        let is_administration = self.what == What::TokenOfAdministrator
            || matches!(place, ValuePlace::Path(_) | ValuePlace::Filter(_));
        let access = if is_administration { RouteAccess::Administration } else { RouteAccess::Public };
        Some((ProbedRoute { method, path: tenant_path("{id}", path), access }, place))
    }
}
