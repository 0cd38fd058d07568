//! A JWT of one kind cannot be used as another kind (RFC 8725 §3.11, §3.12). Sends every kind to
//! every endpoint that reads a token, at its own tenant and at the other one. The client has
//! registered the public keys of its tenant as its own, so that only types, audiences and claims
//! keep the kinds apart.

use std::sync::atomic::AtomicU32;

use crate::backchannel::waiting_logout_token;
use crate::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// Of a person, for the issuer.
    AccessToken,
    /// Of a client, for administration.
    AdminToken,
    IdToken,
    LogoutToken,
    RevocationFeed,
    RequestObject,
    ClientAssertion,
    DpopProof,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Interface {
    Userinfo,
    UserinfoForm,
    ProtectedResource,
    Administration,
    Introspection,
    HintOfSignIn,
    HintOfSignOut,
    Request,
    PushedRequest,
    ClientAssertion,
    DpopHeader,
    Code,
    RefreshToken,
    DeviceCode,
    /// Must be last, because it revokes the tokens that it accepts.
    Revocation,
}

/// The kinds that each endpoint accepts.
const TAKEN: [(Interface, &[Kind]); 15] = [
    (Interface::Userinfo, &[Kind::AccessToken]),
    (Interface::UserinfoForm, &[Kind::AccessToken]),
    (Interface::ProtectedResource, &[]),
    (Interface::Administration, &[Kind::AdminToken]),
    (Interface::Introspection, &[Kind::AccessToken, Kind::AdminToken]),
    (Interface::HintOfSignIn, &[Kind::IdToken]),
    (Interface::HintOfSignOut, &[Kind::IdToken]),
    (Interface::Request, &[Kind::RequestObject]),
    (Interface::PushedRequest, &[Kind::RequestObject]),
    (Interface::ClientAssertion, &[Kind::ClientAssertion]),
    (Interface::DpopHeader, &[Kind::DpopProof]),
    (Interface::Code, &[]),
    (Interface::RefreshToken, &[]),
    (Interface::DeviceCode, &[]),
    // A client can revoke only its own tokens.
    (Interface::Revocation, &[Kind::AccessToken]),
];

/// A `jti` that was not used before.
fn new_jti() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed).to_string()
}

fn assertion(app: &TestApp, tenant: &str, typ: &str) -> String {
    let audience = format!("{PUBLIC_URL}{}", token_path(tenant));
    let claims = json!({
        "iss": "web", "sub": "web", "aud": audience, "iat": app.now(), "exp": app.now() + 60, "jti": new_jti(),
    });
    assertion_key(tenant).sign(typ, &claims).unwrap()
}

/// Can be used once.
fn request_object(app: &TestApp, tenant: &str, typ: Option<&str>) -> String {
    let now = app.now();
    let request = json!({
        "iss": "web", "aud": issuer(tenant), "exp": now + 300, "iat": now, "client_id": "web", "jti": new_jti(),
        "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid", "state": "s1", "nonce": "n1",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    });
    assertion_key(tenant).sign(typ.unwrap_or("oauth-authz-req+jwt"), &request).unwrap()
}

/// Sends a form of the tenant's client, authenticated by an assertion.
async fn post(app: &TestApp, tenant: &str, path: &str, form: &[(&str, &str)]) -> Answer {
    let assertion = assertion(app, tenant, "JWT");
    let own = [("client_id", "web"), ("client_assertion_type", JWT_BEARER), ("client_assertion", &assertion)];
    app.post(&tenant_path(tenant, path), &[form, &own].concat()).await
}

/// A tenant with a person and a client. Each has registered the other's public keys.
fn prepare(app: &TestApp, tenant: &str, prover: &Prover, typ: Option<&str>) {
    furnish(app, tenant, |client| {
        client.authentication_method = ClientAuthenticationMethod::PrivateKeyJwt;
        client.secrets.clear();
        client.grant_types.extend([
            GrantType::ClientCredentials,
            GrantType::RefreshToken,
            GrantType::DeviceCode,
        ]);
        client.scope = fixtures::scope("openid profile offline_access api:read");
        let keys = [json!(assertion_key(tenant).jwk), Forge::from_tenant(tenant).jwk(), prover.jwk()];
        client.keys = Some(ClientKeys::parse(&json!({ "keys": keys }).to_string()).unwrap());
    });
    app.change_provider(tenant, |tenant| {
        tenant.access_token.typ = typ.unwrap_or(&tenant.access_token.typ).to_owned();
    });
}

/// One JWT of each kind. `typ` is used for all kinds that may have any type.
async fn one_of_each(
    test_env: &TestEnv,
    tenant: &str,
    prover: &Prover,
    typ: Option<&str>,
) -> [(Kind, String); 8] {
    let app = &test_env.app;
    let tokens = async |browser: &mut Browser<'_>| -> Value {
        let code = browser.code(tenant, &[]).await;
        let own =
            [("client_assertion_type", JWT_BEARER), ("client_assertion", &*assertion(app, tenant, "JWT"))];
        redeem_with(app, tenant, &[&[("code", &*code)], &own[..]].concat()).await.json_of(200)
    };
    let text = |tokens: &Value, name: &str| tokens[name].as_str().unwrap().to_owned();
    // The session of this hint has ended.
    let mut browser = Browser::new(app);
    let hint = text(&tokens(&mut browser).await, "id_token");
    browser.get(&tenant_path(tenant, &format!("/oauth/logout?id_token_hint={hint}"))).await;
    let logout_token = waiting_logout_token(app, tenant).await;
    let tokens = tokens(&mut Browser::new(app)).await;
    let request = request_object(app, tenant, typ);
    let proof = prover.proof(proof_claims("POST", &token_path(tenant), app.now(), &new_jti()), json!({}));
    [
        (Kind::AccessToken, text(&tokens, "access_token")),
        (Kind::AdminToken, test_env.token(tenant, BOSS).await),
        (Kind::IdToken, text(&tokens, "id_token")),
        (Kind::LogoutToken, logout_token),
        (Kind::RevocationFeed, app.get(&tenant_path(tenant, "/oauth/revocations")).await.body),
        (Kind::RequestObject, request),
        (Kind::ClientAssertion, assertion(app, tenant, typ.unwrap_or("client-authentication+jwt"))),
        (Kind::DpopProof, proof),
    ]
}

impl Interface {
    /// Whether the endpoint accepts the token.
    async fn takes(self, app: &TestApp, tenant: &str, token: &str) -> bool {
        let at = |rest: &str| tenant_path(tenant, rest);
        let grant = async |grant: &str, name: &str| {
            let form = [("grant_type", grant), (name, token), ("redirect_uri", CALLBACK)];
            post(app, tenant, "/oauth/token", &form).await
        };
        let (answer, taken) = match self {
            Self::Userinfo => (app.userinfo(tenant, token).await, 200),
            Self::UserinfoForm => (app.post(&at("/oauth/userinfo"), &[("access_token", token)]).await, 200),
            Self::ProtectedResource => (app.get_with(token, RESOURCE).await, 200),
            Self::Administration => (app.get_with(token, &clients_path(tenant)).await, 200),
            Self::Introspection => return app.is_active(tenant, token).await,
            Self::HintOfSignIn => {
                (Browser::new(app).authorize(tenant, &[("id_token_hint", token)]).await, 200)
            }
            Self::HintOfSignOut => {
                let query = format!("?id_token_hint={token}&post_logout_redirect_uri={SIGNED_OUT}");
                (Browser::new(app).get(&at(&format!("/oauth/logout{query}"))).await, 303)
            }
            Self::Request => {
                let query = format!("?client_id=web&request={token}");
                (Browser::new(app).get(&at(&format!("/oauth/authorize{query}"))).await, 200)
            }
            Self::PushedRequest => (post(app, tenant, "/oauth/par", &[("request", token)]).await, 201),
            Self::ClientAssertion => {
                let form = [&asserted(token)[..], &[("scope", "api:read")]].concat();
                (app.post(&at("/oauth/token"), &form).await, 200)
            }
            Self::DpopHeader => {
                let assertion = assertion(app, tenant, "JWT");
                let form = [&asserted(&assertion)[..], &[("scope", "api:read")]].concat();
                let request = app.request(Method::POST, &at("/oauth/token")).header(DPOP, token);
                (Answer::to(request.form(&form)).await, 200)
            }
            Self::Code => (grant("authorization_code", "code").await, 200),
            Self::RefreshToken => (grant("refresh_token", "refresh_token").await, 200),
            Self::DeviceCode => {
                (grant("urn:ietf:params:oauth:grant-type:device_code", "device_code").await, 200)
            }
            Self::Revocation => {
                let before = app.store.calls().revoke_token;
                let answer = post(app, tenant, "/oauth/revoke", &[("token", token)]).await;
                assert_eq!((answer.status, &*answer.body), (200, ""));
                return app.store.calls().revoke_token > before;
            }
        };
        let refused = if self == Self::HintOfSignOut { 200 } else { 400 };
        let is_refusal = answer.status == refused || matches!(answer.status, 400..=403);
        assert!(answer.status == taken || is_refusal, "{self:?}: {} {}", answer.status, answer.body);
        answer.status == taken
    }
}

async fn each_kind_opens_its_own_interfaces(typ: Option<&str>) {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    let provers = [ACME, GLOBEX].map(|tenant| {
        let prover = Prover::new();
        prepare(app, tenant, &prover, typ);
        prover
    });
    for ([own, other], prover) in [([ACME, GLOBEX], &provers[0]), ([GLOBEX, ACME], &provers[1])] {
        let tokens = one_of_each(&test_env, own, prover, typ).await;
        for (interface, kinds) in TAKEN {
            for (kind, token) in &tokens {
                let what = format!("{kind:?} of {own} as {interface:?}: {}", part(token, 0));
                assert!(!interface.takes(app, other, token).await, "{what}, at {other}");
                // The previous request object is used up.
                let another = (*kind == Kind::RequestObject).then(|| request_object(app, own, typ));
                let token = another.as_ref().unwrap_or(token);
                assert_eq!(interface.takes(app, own, token).await, kinds.contains(kind), "{what}");
            }
        }
    }
}

// [attacks #25]: A JWT of one kind where another is read | Eight kinds at fifteen interfaces, while the
//   client has registered the keys of its tenant as its own; also where all have the type `JWT`
#[tokio::test]
async fn each_jwt_kind_is_accepted_only_where_intended() {
    each_kind_opens_its_own_interfaces(None).await;
}

// [attacks #25]
/// Access tokens, ID tokens, request objects and assertions all have the type `JWT`.
#[tokio::test]
async fn jwt_kinds_with_equal_typ_are_distinguished() {
    each_kind_opens_its_own_interfaces(Some("JWT")).await;
}
