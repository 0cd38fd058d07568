//! Tests codes, defaults and shapes with the documented request and small changes to it.

use protocol::ClientAuthenticationMethod as Method;
use serde_json::{Value, json};

use administration::documents::application::{Application, ApplicationId, ApplicationState};
use tenancy::{Issuer, TenantId};
use testkit::fixtures::with_token_lifetime;

use super::super::request::ApplicationRequest;
use super::super::{Spelling, view};
use super::*;

fn tenant() -> Tenant {
    use tenancy::{ResourceServer, Strategies};
    let server = |audience: &str, scopes: &str| ResourceServer {
        audience: audience.to_owned(),
        scopes: Scope::parse(scopes).unwrap(),
        ..ResourceServer::default()
    };
    Tenant {
        name: "Acme".to_owned(),
        issuer_aliases: vec![Issuer::parse("thunder").unwrap()],
        strategies: Strategies { oauth2: true, oidc: false },
        resource_servers: vec![
            server("your-api", "api:read api:write"),
            server("https://api.example.com", "api:read"),
            server("https://other.example.com", "other"),
        ],
        ..Tenant::new(TenantId::parse("acme").unwrap(), Issuer::parse("https://auth.example.com").unwrap())
    }
}

/// The request in Thunder's documentation.
fn documented() -> Value {
    json!({
        "name": "Backend Service",
        "description": "Backend service using client credentials grant type",
        "auth_flow_id": "auth_flow_config_basic",
        "inbound_auth_config": [{ "type": "oauth2", "config": {
            "client_id": "backend_service_client",
            "client_secret": "backend_service_secret",
            "redirect_uris": ["https://localhost:3000"],
            "grant_types": ["client_credentials"],
            "token_endpoint_auth_method": "client_secret_basic",
            "pkce_required": false,
            "public_client": false,
            "scopes": ["api:read", "api:write"],
            "token": { "issuer": "thunder", "access_token": { "validity_period": 3600 } },
        } }],
    })
}

/// Changes members of the documented request. `null` removes a member.
fn with(top: Value, config: Value) -> Value {
    let mut request = documented();
    let change = |target: &mut Value, changes: Value| {
        for (name, value) in changes.as_object().unwrap() {
            target[name] = value.clone();
        }
    };
    change(&mut request["inbound_auth_config"][0]["config"], config);
    change(&mut request, top);
    request
}

fn judged(request: &Value) -> Result<Option<Client>, ThunderError> {
    judge_request(&ApplicationRequest::parse(&serde_json::to_vec(request).unwrap())?)
}

fn judge_request(request: &ApplicationRequest) -> Result<Option<Client>, ThunderError> {
    let (tenant, client_id) = (tenant(), random_id());
    let context = ApplicationContext { tenant: &tenant, before: None, client: None, client_id: &client_id };
    judge(&request.document, request.secret.as_ref(), context)
}

/// The generated id of a client without a requested id.
fn random_id() -> ClientId {
    ClientId::parse("random").unwrap()
}

// [registration RFC 7591 §2]: Metadata has the registered names. `/applications` accepts the RFC's spelling
//   and camel case
#[test]
fn documented_request_creates_a_client() {
    let registration = judged(&documented()).unwrap().unwrap();
    assert_eq!(
        registration,
        with_token_lifetime(
            Client {
                authentication_method: Method::ClientSecret,
                grant_types: vec![GrantType::ClientCredentials],
                resources: vec!["your-api".to_owned(), "https://api.example.com".to_owned()],
                scope: Scope::parse("api:read api:write").unwrap(),
                issuer: Some(Issuer::parse("thunder").unwrap()),
                ..Client::new(tenant().id, ClientId::parse("backend_service_client").unwrap())
            },
            3600
        )
    );
}

fn of_code_flow(redirect_uris: Value) -> Value {
    json!({ "grant_types": ["authorization_code"], "redirect_uris": redirect_uris })
}

// [oauth RFC 6749 §4.4]: Only confidential clients use the client credentials grant
// [registration RFC 7591 §2 c]: A grant that redirects needs `redirect_uris`, and each is an absolute URI
//   without a fragment (RFC 6749 §3.1.2)
// [registration RFC 7591 §2 d]: An unknown value is refused or replaced, and never stored: `grant_types`,
//   `response_types`, `token_endpoint_auth_method`
// [registration RFC 7591 §2 e]: `jwks` and `jwks_uri` of a client, one of them, at the admin API and in
//   files. `/applications` checks the form of a certificate and stores it without using it | departs
#[test]
fn each_error_has_its_code() {
    let top = |changes: Value| with(changes, json!({}));
    let config = |changes: Value| with(json!({}), changes);
    let longest = "x".repeat(256);
    let reserved = [json!(["latchkey:clients"]), json!(["api:read", "latchkey:anything"])];
    for (request, code) in [
        (config(json!({ "client_id": "a\nb" })), "APP-1003"),
        (config(json!({ "client_id": longest })), "APP-1003"),
        (top(json!({ "name": null })), "APP-1004"),
        (top(json!({ "name": "  " })), "APP-1004"),
        (top(json!({ "name": longest })), "APP-1004"),
        (top(json!({ "url": "not a url" })), "APP-1005"),
        (top(json!({ "url": "javascript:alert(1)" })), "APP-1005"),
        (top(json!({ "logo_url": "//host" })), "APP-1006"),
        (top(json!({ "auth_flow_id": "a\u{0}" })), "APP-1007"),
        (top(json!({ "registration_flow_id": "a\u{0}" })), "APP-1008"),
        (top(json!({ "inbound_auth_config": [{ "type": "saml", "config": {} }] })), "APP-1009"),
        (top(json!({ "inbound_auth_config": [{ "type": "oauth2" }] })), "APP-1009"),
        (config(json!({ "grant_types": ["password"] })), "APP-1010"),
        (config(json!({ "grant_types": ["implicit"] })), "APP-1010"),
        (config(json!({ "grant_types": ["client_credentials", "x"] })), "APP-1010"),
        (config(json!({ "response_types": ["token"] })), "APP-1011"),
        (config(json!({ "redirect_uris": ["/relative"] })), "APP-1012"),
        (config(json!({ "redirect_uris": ["https://a/#b"] })), "APP-1012"),
        (config(of_code_flow(json!(["http://a.example/"]))), "APP-1012"),
        (config(of_code_flow(json!(["https://a.example/", "com.example.app:/cb"]))), "APP-1012"),
        (config(json!({ "token_endpoint_auth_method": "client_secret_jwt" })), "APP-1013"),
        (config(json!({ "token_endpoint_auth_method": "private_key_jwt" })), "APP-1013"),
        (top(json!({ "certificate": { "type": "PEM" } })), "APP-1014"),
        (top(json!({ "certificate": { "type": "JWKS", "value": "x" } })), "APP-1015"),
        (top(json!({ "certificate": { "type": "JWKS_URI", "value": "x" } })), "APP-1016"),
        (top(json!({ "certificate": { "type": "JWKS_URI", "value": "http://a/b" } })), "APP-1022"),
        (top(json!({ "inbound_auth_config": "x" })), "APP-1018"),
        (config(json!({ "scopes": "api:read" })), "APP-1018"),
        (config(json!({ "public_client": true })), "APP-1023"),
        (config(json!({ "public_client": null, "token_endpoint_auth_method": "none" })), "APP-1023"),
        (config(json!({ "token_endpoint_auth_method": "none" })), "APP-1023"),
        (config(json!({ "scopes": ["a b"] })), "APP-1024"),
        (config(json!({ "scopes": reserved[0] })), "APP-1024"),
        (config(json!({ "scopes": reserved[1] })), "APP-1024"),
        (config(json!({ "client_secret": "a\nb" })), "APP-1024"),
        (config(json!({ "client_secret": "x".repeat(1025) })), "APP-1024"),
        (config(json!({ "token": { "issuer": "https://globex.example" } })), "APP-1024"),
        (
            config(json!({ "token": { "access_token": { "validity_period": 4_000_000_000_u64 } } })),
            "APP-1024",
        ),
        (config(json!({ "grant_types": null, "redirect_uris": null })), "APP-1024"),
    ] {
        let error = judged(&request).expect_err(&request.to_string());
        assert_eq!(error.body.code.0, code, "{error} for {request}");
        assert!(!error.body.description.contains("backend_service_secret"));
    }
}

// [registration RFC 7591 §2 b]: A client without a named grant is registered for `authorization_code`, one
//   without a named method for `client_secret_basic`. `/applications` does so; a client from the file or the
//   admin API has `client_credentials` and `any` by default | departs
#[test]
fn defaults_match_the_thunder_api() {
    let config = |changes: Value| judged(&with(json!({}), changes)).unwrap().unwrap();
    assert_eq!(config(json!({ "grant_types": null })).grant_types, [GrantType::AuthorizationCode]);
    assert_eq!(
        config(json!({ "token_endpoint_auth_method": null })).authentication_method,
        Method::ClientSecret
    );
    assert_eq!(config(json!({ "client_id": null })).id, random_id());
    assert_eq!(config(json!({ "client_id": "" })).id, random_id());
    let plain = config(json!({ "token": null, "scopes": null }));
    let mut short = tenant();
    short.access_token.lifetime = Lifetime::from_seconds(7);
    assert_eq!(plain.token_lifetime(&short), Lifetime::from_seconds(7));
    assert_eq!((plain.issuer, plain.resources), (None, Vec::new()));
    let own = config(json!({ "token": { "issuer": "https://auth.example.com" } }));
    assert_eq!(own.issuer, None, "the tenant's own issuer is no exception to it");
    assert_eq!(judged(&with(json!({ "inbound_auth_config": null }), json!({}))).unwrap(), None);
    let public = json!({
        "client_secret": null, "public_client": true, "token_endpoint_auth_method": null,
        "grant_types": ["authorization_code"],
    });
    assert_eq!(config(public).authentication_method, Method::None);
}

/// The response in Thunder's documentation, unchanged.
const DOCUMENTED_ANSWER: &str = r#"{"id":"550e8400-e29b-41d4-a716-446655440000","name":"Backend Service","description":"Backend service using client credentials grant type","client_id":"backend_service_client","client_secret":"backend_service_secret","auth_flow_id":"auth_flow_config_basic","inbound_auth_config":[{"type":"oauth2","config":{"client_id":"backend_service_client","client_secret":"backend_service_secret","grant_types":["client_credentials"],"token_endpoint_auth_method":"client_secret_basic","scopes":["api:read","api:write"]}}]}"#;

// [registration RFC 7591 §2]
#[test]
fn response_matches_the_documentation_in_both_spellings() {
    for (spelling, expected) in [
        (Spelling::Snake, DOCUMENTED_ANSWER.to_owned()),
        (
            Spelling::Camel,
            DOCUMENTED_ANSWER
                .replace("client_id", "clientId")
                .replace("client_secret\"", "clientSecret\"")
                .replace("auth_flow_id", "authFlowId")
                .replace("inbound_auth_config", "inboundAuthConfig")
                .replace("grant_types", "grantTypes")
                .replace("token_endpoint_auth_method", "tokenEndpointAuthMethod"),
        ),
    ] {
        let request = ApplicationRequest::parse(&spelling.to_json(&documented()).unwrap()).unwrap();
        let client = judge_request(&request).unwrap().unwrap();
        let application = Application {
            tenant: tenant().id,
            id: ApplicationId::parse("550e8400-e29b-41d4-a716-446655440000").unwrap(),
            name: request.document.name.clone(),
            client: Some(client.id.clone()),
            document: json!(request.document),
            created_at: values::Timestamp::from_seconds(0),
        };
        let state = ApplicationState { application, client: Some(client), secret: request.secret };
        let answer =
            |state: &ApplicationState| request.spelling.to_json(&view::application(state).unwrap()).unwrap();
        assert_eq!(String::from_utf8(answer(&state)).unwrap(), expected);
        let state = ApplicationState { secret: None, ..state };
        let without = String::from_utf8(answer(&state)).unwrap();
        assert!(
            !without.contains("client_secret\"")
                && !without.contains("clientSecret")
                && !without.contains("backend_service_secret"),
            "{without}"
        );
    }
}

#[test]
fn put_keeps_members_missing_from_responses() {
    let before = ApplicationRequest::parse(&serde_json::to_vec(&documented()).unwrap()).unwrap().document;
    let round_trip: Value = serde_json::from_str(DOCUMENTED_ANSWER).unwrap();
    let after = ApplicationRequest::parse(&serde_json::to_vec(&round_trip).unwrap()).unwrap().document;
    assert_eq!(after.clone().keeping_unseen(&before, None), before);
    // The client has been changed through another API in the meantime.
    let moved = json!(["https://moved.example/"]);
    let client = judged(&with(json!({}), of_code_flow(moved.clone()))).unwrap().unwrap();
    let kept = after.keeping_unseen(&before, Some(&client));
    assert_eq!(json!(kept.oauth().unwrap().redirect_uris), moved);
}
