//! Refusals of the token endpoint, with status, code and description (RFC 6749 §5.2), and internal
//! errors.

use values::Rate;

use crate::prelude::*;

const FAILED: &str = "Client authentication failed";
const TWO_METHODS: Refused = (400, "invalid_request", "Multiple client authentication methods were provided");
const OTHER_CLIENT: Refused = (
    400,
    "invalid_request",
    "client_id in request body does not match client_id from authentication credentials",
);
const CLIENT: Refused = (401, "invalid_client", FAILED);
const NO_GRANT: Refused = (400, "invalid_request", "Missing grant_type parameter");
const UNSUPPORTED: Refused = (400, "unsupported_grant_type", "Unsupported grant type");
const NO_CLIENT: Refused = (401, "invalid_client", "Missing client_id parameter");
const NOT_THE_GRANT: Refused =
    (400, "unauthorized_client", "The client is not authorized to use this grant type");
const SCOPE: Refused = (400, "invalid_scope", "The requested scope is not allowed for this client: admin");
const SCOPES_OF_MANY: Refused =
    (400, "invalid_scope", "The requested scope is not allowed for this client: admin root:{}'<b>");
const SCOPE_OF_ANOTHER: Refused =
    (400, "invalid_scope", "The requested scope is not allowed for this client: api:read");
const SCOPE_TEXT: Refused = (400, "invalid_scope", "The requested scope is malformed");
const TARGET: Refused = (400, "invalid_target", "The requested resource is not allowed for this client");
const TARGET_TEXT: Refused =
    (400, "invalid_target", "The resource must be an absolute URI without a fragment");
const NOT_UTF8: Refused = (400, "invalid_request", "The request body is not UTF-8");
const TWICE: Refused = (400, "invalid_request", "A parameter was sent more than once");
const PARAMETERS: Refused = (400, "invalid_request", "More than 128 parameters were sent");
const SCOPES: Refused = (400, "invalid_scope", "More than 128 scopes were requested");
const RESOURCES: Refused = (400, "invalid_request", "More than 16 resources were requested");
const GRANT: &str = "grant_type=client_credentials";
const FORM: &str = "application/x-www-form-urlencoded";

/// Status, code and description.
type Refused = (u16, &'static str, &'static str);
/// Header, form, and expected refusal.
type Row = (Option<String>, String, Refused);

// [oauth RFC 6749 §3.2.1]: A client with credentials authenticates at the token endpoint
// [oauth RFC 6749 §4.4.2]: The client is authenticated before a token is issued
// [oauth RFC 6749 §5.2]: A refusal is 400 with `error` in JSON, its description in printable ASCII without
//   quote and backslash
// [oauth RFC 6749 §5.2 b]: `invalid_client` may be 401, and is, with a challenge, if the client used the
//   header; here always, also for a missing `client_id`, so that all failed authentications look alike
// [oauth RFC 6749 §5.2 f]: `unsupported_grant_type` and `unauthorized_client`, where the error table of the
//   Thunder document has `invalid_grant` ("Invalid grant type: ensure `client_credentials` is enabled"): in
//   RFC 6749 `invalid_grant` is about a code or a refresh token, and clients begin anew with a person after
//   it. A grant type that the server does not serve is `unsupported_grant_type`, and one that is not enabled
//   for the client is `unauthorized_client`, which the same table has
// [oauth RFC 6749 §5.2 c]: The challenge names the scheme that the client tried. Here it is always Basic, the
//   only one that is served | departs
// [http RFC 9110 §11.6.1]: 401 comes with a challenge
// [rfc9700 §2.5]: Clients are authenticated | Every token request of a client that can authenticate needs its
//   credential. Public clients get only tokens of people
// [V10 10.4.10]: 2 | Confidential clients are authenticated at back-channel endpoints | Token endpoint and
//   introspection
// [oauth RFC 6749 §2.3], [oauth RFC 6749 §2.3 b], [oauth RFC 6749 §5.2 d], [oauth RFC 6749 §5.2 e],
//   [oauth RFC 6749 §5.2 h], [assertions RFC 7521 §4.2 b], [resources RFC 8707 §2 c],
//   [http RFC 9111 §5.2.2.5], [rfc9700 §2.4]
#[tokio::test]
async fn each_refusal_has_its_status_code_and_description() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        for (authorization, body, (status, error, description)) in rows(&app, tenant) {
            let mut request = app.request(Method::POST, &token_path(tenant)).body(body.clone());
            request = request.header("content-type", FORM);
            if let Some(authorization) = &authorization {
                request = request.header("authorization", authorization);
            }
            let answer = Answer::to(request).await;
            println!("{authorization:?} {body}");
            answer.assert_refused(status, error, description);
            let challenge = format!("Basic realm=\"{}\"", issuer(tenant));
            let expected = if error == "invalid_client" { challenge.as_str() } else { "" };
            assert_eq!(answer.header("www-authenticate"), expected);
        }
    }
}

fn rows(app: &TestApp, tenant: &str) -> Vec<Row> {
    let secret = |client: &str| app.secrets(tenant).of(client).to_owned();
    let basic =
        |client: &str, secret: &str| Some(format!("Basic {}", BASE64.encode(format!("{client}:{secret}"))));
    let post = |client: &str| format!("client_id={client}&client_secret={}", secret(client));
    let svc = basic(SVC, &secret(SVC));
    let good = post(SVC);
    let twice = |more: &str, words| (None, format!("{GRANT}&{good}&{more}"), (400, "invalid_request", words));
    vec![
        (None, String::new(), NO_GRANT),
        (None, "grant_type=".to_owned(), NO_GRANT),
        (None, "client_id=you&client_secret=secret".to_owned(), NO_GRANT),
        (svc.clone(), "scope=api:read".to_owned(), NO_GRANT),
        (None, format!("grant_type=nonsense&{good}"), UNSUPPORTED),
        (None, format!("grant_type=CLIENT_CREDENTIALS&{good}"), UNSUPPORTED),
        (None, format!("grant_type=password&{good}"), UNSUPPORTED),
        (None, format!("grant_type=urn:ietf:params:oauth:grant-type:token-exchange&{good}"), UNSUPPORTED),
        (None, GRANT.to_owned(), NO_CLIENT),
        (None, format!("{GRANT}&client_secret=x"), NO_CLIENT),
        (None, format!("{GRANT}&client_id={SVC}&client_secret=wrong"), CLIENT),
        (None, format!("{GRANT}&client_id={SVC}"), CLIENT),
        (None, format!("{GRANT}&client_id=nobody&client_secret={}", secret(SVC)), CLIENT),
        (None, format!("{GRANT}&{}", post(SUSPENDED)), CLIENT),
        (None, format!("{GRANT}&{}", post(ASSERTING)), CLIENT),
        (basic(SVC, "wrong"), GRANT.to_owned(), CLIENT),
        (basic("nobody", &secret(SVC)), GRANT.to_owned(), CLIENT),
        (basic(ASSERTING, &secret(ASSERTING)), GRANT.to_owned(), CLIENT),
        (Some("Basic !!!".to_owned()), GRANT.to_owned(), CLIENT),
        (Some("Bearer x".to_owned()), GRANT.to_owned(), CLIENT),
        (None, format!("{GRANT}&client_id={SVC}&client_assertion=a.b.c"), CLIENT),
        (None, format!("{GRANT}&client_assertion_type=x"), CLIENT),
        (svc.clone(), format!("{GRANT}&{good}"), TWO_METHODS),
        (svc.clone(), format!("{GRANT}&client_assertion=a.b.c"), TWO_METHODS),
        (None, format!("{GRANT}&{good}&client_assertion=a.b.c"), TWO_METHODS),
        (svc.clone(), format!("{GRANT}&client_id=other"), OTHER_CLIENT),
        (None, format!("{GRANT}&{}", post(CODE_ONLY)), NOT_THE_GRANT),
        (None, format!("{GRANT}&{good}&scope=admin"), SCOPE),
        (None, format!("{GRANT}&{good}&scope=api:read+admin"), SCOPE),
        (None, format!("{GRANT}&{good}&scope=admin+api:read+root:%7B%7D'%3Cb%3E"), SCOPES_OF_MANY),
        (None, format!("{GRANT}&{good}&scope=api:read&resource={ORDERS}"), SCOPE_OF_ANOTHER),
        (None, format!("{GRANT}&{good}&scope=%22"), SCOPE_TEXT),
        (None, format!("{GRANT}&{good}&scope=api:read%09"), SCOPE_TEXT),
        (None, format!("{GRANT}&{good}&resource=https://other.example"), TARGET),
        (None, format!("{GRANT}&{good}&resource={ORDERS}&resource=https://other.example"), TARGET),
        (None, format!("{GRANT}&{good}&resource=orders"), TARGET_TEXT),
        (None, format!("{GRANT}&{good}&audience=orders"), TARGET),
        (None, format!("{GRANT}&{good}&audience=urn:latchkey:tenant:{tenant}"), TARGET),
        (None, format!("{GRANT}&{good}&resource={ORDERS}&audience=orders"), TARGET),
        (None, format!("{GRANT}&{good}&audience=api&audience=orders"), TARGET),
        (None, format!("{GRANT}&{good}&resource={ORDERS}%23part"), TARGET_TEXT),
        twice(GRANT, "Parameter grant_type was sent more than once"),
        twice("client_id=svc", "Parameter client_id was sent more than once"),
        twice("client_secret=x", "Parameter client_secret was sent more than once"),
        twice("scope=api:read&scope=api:read", "Parameter scope was sent more than once"),
        (None, format!("{GRANT}&{good}&unknown=1&unknown=2"), TWICE),
        (None, format!("{GRANT}&{good}&scope=%FF"), NOT_UTF8),
    ]
}

// [limits #9]: parameters, scopes, `resource`s and `audience`s of a request | 128, 128, 16 |
//   `invalid_request`, `invalid_scope`
// [oauth RFC 6749 §3.2 c]
#[tokio::test]
async fn request_limits_apply_to_known_and_unknown_clients() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let known = format!("client_id={SVC}&client_secret={}", app.secrets(tenant).of(SVC));
        for client in [known.as_str(), "client_id=nobody&client_secret=x"] {
            let before = app.store.calls().find_client;
            for (more, (status, error, description)) in [
                ("&x=".repeat(126), PARAMETERS),
                (format!("&scope={}", "api:read+".repeat(129)), SCOPES),
                (format!("&resource={ORDERS}").repeat(17), RESOURCES),
                (format!("&resource={ORDERS}{}", "&audience=api".repeat(16)), RESOURCES),
            ] {
                let refused = app.post_body(&token_path(tenant), format!("{GRANT}&{client}{more}")).await;
                refused.assert_refused(status, error, description);
            }
            let body = format!("token=x&{client}{}", "&x=".repeat(126));
            let refused = app.post_body(&tenant_path(tenant, "/oauth/introspect"), body).await;
            refused.assert_refused(PARAMETERS.0, PARAMETERS.1, PARAMETERS.2);
            // Three of the forms can be parsed and name a client.
            assert_eq!(app.store.calls().find_client - before, 3, "{client}");
        }
        for more in [
            "&x=".repeat(125),
            format!("&scope={}", "api:read+".repeat(128)),
            format!("&resource={ORDERS}").repeat(16),
        ] {
            let taken = app.post_body(&token_path(tenant), format!("{GRANT}&{known}{more}")).await;
            assert_eq!(taken.status, 200, "{more}");
        }
    }
}

// [oauth RFC 6749 §3.2 b], [oauth RFC 6749 §3.2 d]
#[tokio::test]
async fn unknown_and_empty_parameters_are_ignored() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = app.secrets(tenant).of(SVC);
        let empty = "&scope=&scope= &audience=&audience= &resource=&client_assertion= &&&= &client_id=";
        for more in empty.split(' ').chain(["&display=x&nonsense"]) {
            let body = format!("{GRANT}&client_id={SVC}&client_secret={secret}{more}");
            assert_eq!(app.post_body(&token_path(tenant), body).await.status, 200, "{more}");
        }
    }
}

// [oauth RFC 6749 §5.2 j]: Statuses and codes are those of the list. Beyond it: 404 `not_found` for an
//   unknown tenant, 408, 413, 415 with `invalid_request`, 503 `temporarily_unavailable` and 500
//   `server_error`, because HTTP has a more exact status than 400 and an error of the server is not the
//   client's | departs
#[tokio::test]
async fn unknown_suspended_and_disabled_tenants_get_404() {
    let app = TestApp::start();
    app.suspend(ACME);
    app.change_tenant(GLOBEX, |tenant| tenant.strategies.oauth2 = false);
    for tenant in [ACME, GLOBEX, "initech"] {
        let secret = app.secrets(tenant).of(SVC);
        app.fetch(tenant, SVC, secret).await.assert_refused(404, "not_found", "Unknown tenant");
    }
    assert_eq!((app.store.calls().find_tenant, app.store_calls()), (3, 3));
}

// [oauth RFC 6749 §2.3.1 g], [revocation RFC 7009 §5], [found 10]
#[tokio::test]
async fn failed_authentications_are_limited_per_tenant() {
    let app = TestApp::start_limited(Rate::per_minute(3));
    let of_other_shape = GeneratedSecret::generate();
    let wrong = ["wrong", of_other_shape.secret.expose()];
    let form = |client, secret| [&credentials(client, secret)[..], &[("token", "x")]].concat();
    for (client, secret) in [(SVC, wrong[0]), ("unknown", wrong[1]), (SVC, wrong[1])] {
        app.post(&token_path(ACME), &form(client, secret)).await.assert_unauthenticated();
    }
    for path in [token_path(ACME), tenant_path(ACME, "/oauth/introspect")] {
        for (client, secret) in [(SVC, wrong[0]), ("unknown", wrong[1]), (SVC, wrong[1])] {
            let answer = app.post(&path, &form(client, secret)).await;
            let words = "Client authentication failed too often; try again later";
            answer.assert_refused(429, "invalid_client", words);
            assert!((1..=60).contains(&answer.header("retry-after").parse::<u32>().unwrap()));
            assert_eq!(answer.header("www-authenticate"), "");
        }
    }
    app.token(ACME).await;
    app.post(&token_path(GLOBEX), &form(SVC, wrong[1])).await.assert_unauthenticated();
    app.pass(60);
    app.post(&token_path(ACME), &form(SVC, wrong[1])).await.assert_unauthenticated();
}
