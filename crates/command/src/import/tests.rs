//! Tests the rules that translate a realm into a tenant, as tables of one-line cases.

use administration::documents::Wiped;
use serde_json::{Value, json};

use super::password_hash::hash;
use super::plan::ImportPlan;
use super::realm::Realm;
use super::shape::{DIGEST, PARAMETERS, example};

fn plan(realm: Value, tenant: Option<&str>) -> anyhow::Result<ImportPlan> {
    let tenant = tenant.map(|tenant| tenant.parse().unwrap());
    ImportPlan::new(Realm::from_json(Wiped::new(realm)).unwrap(), tenant, None)
}

/// The plan for a realm with only this client, which has a redirect URI unless it names another one.
fn plan_of(client: &Value) -> ImportPlan {
    let mut whole =
        json!({ "clientId": "web", "secret": "chosen", "redirectUris": ["https://web.example/cb"] });
    whole.as_object_mut().unwrap().extend(client.as_object().unwrap().clone());
    plan(json!({ "realm": "acme", "clients": [whole] }), None).unwrap()
}

/// A client with this attribute.
fn attribute(name: &str, value: impl Into<Value>) -> Value {
    json!({ "attributes": { name: value.into() } })
}

/// A client that signs with the key in this attribute.
fn with_key(name: &str, value: &str) -> Value {
    json!({ "clientAuthenticatorType": "client-jwt", "attributes": { name: value } })
}

/// Whether something with this name is left out for a reason that contains these words.
fn is_left_out(plan: &ImportPlan, why: &str, what: &str) -> bool {
    let document = plan.document();
    let reasons = document["left_out"].as_array().unwrap();
    let fits = |reason: &&Value| reason["why"].as_str().unwrap().contains(why);
    reasons.iter().filter(fits).any(|reason| reason["what"].as_array().unwrap().contains(&json!(what)))
}

#[test]
fn client_settings_are_translated() {
    const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
    const OUT: &str = "post.logout.redirect.uris";
    let device = json!({ "standardFlowEnabled": false, "redirectUris": [], "attributes": { "oauth2.device.authorization.grant.enabled": "true" } });
    let service = json!({ "standardFlowEnabled": false, "serviceAccountsEnabled": true });
    let scoped = json!({ "defaultClientScopes": ["email"], "optionalClientScopes": ["a"] });
    let two = attribute(OUT, "https://a.example/##https://b.example/");
    let rooted = json!({ "rootUrl": "https://web.example/", "redirectUris": ["/a", "/a"] });
    for (client, member, expected) in [
        (json!({}), "grant_types", json!(["authorization_code", "refresh_token"])),
        (json!({}), "scopes", json!(["openid", "address", "email", "offline_access", "phone", "profile"])),
        (json!({}), "client_secret", json!("chosen")),
        (json!({}), "require_pkce", json!(false)),
        (json!({}), "first_party", json!(true)),
        (json!({ "consentRequired": true }), "first_party", json!(false)),
        (attribute("pkce.code.challenge.method", "S256"), "require_pkce", json!(true)),
        (json!({ "publicClient": true }), "require_pkce", json!(true)),
        (json!({ "publicClient": true }), "token_endpoint_auth_method", json!("none")),
        (json!({ "publicClient": true }), "client_secret", Value::Null),
        (json!({ "secret": "**********" }), "client_secret", Value::Null),
        (json!({ "secret": "${vault.web}" }), "client_secret", Value::Null),
        (attribute("use.refresh.tokens", "false"), "grant_types", json!(["authorization_code"])),
        (service.clone(), "grant_types", json!(["client_credentials"])),
        (service, "scopes", json!([])),
        (device.clone(), "grant_types", json!([DEVICE, "refresh_token"])),
        (scoped, "scopes", json!(["openid", "email", "a"])),
        (json!({ "defaultClientScopes": ["a"] }), "audiences", json!(["acme-api"])),
        (attribute("access.token.lifespan", "90"), "access_token_lifetime", json!(90)),
        (attribute("access.token.lifespan", "-1"), "access_token_lifetime", Value::Null),
        (attribute(OUT, "+"), "post_logout_redirect_uris", json!(["https://web.example/cb"])),
        (two, "post_logout_redirect_uris", json!(["https://a.example/", "https://b.example/"])),
        (rooted, "redirect_uris", json!(["https://web.example/a"])),
        (attribute("dpop.bound.access.tokens", true), "dpop_bound_access_tokens", json!(true)),
        (with_key("jwks.url", "https://k.example/"), "jwks_uri", json!("https://k.example/")),
        (with_key("jwks.string", "{\"keys\":[]}"), "jwks", json!({ "keys": [] })),
        (with_key("jwks.string", "{}"), "token_endpoint_auth_method", json!("private_key_jwt")),
        (
            json!({ "name": "${client_web}", "description": "For customers" }),
            "description",
            json!("For customers"),
        ),
        (json!({ "name": "${client_web}" }), "name", Value::Null),
    ] {
        assert_eq!(plan_of(&client).clients[0].document[member], expected, "{client} {member}");
    }
}

#[test]
fn unsupported_client_settings_are_named_with_the_reason() {
    for (client, why, what) in [
        (json!({ "redirectUris": ["https://web.example/*"] }), "wildcard", "web https://web.example/*"),
        (json!({ "redirectUris": ["https://web.example/*"] }), "authorization_code", "web"),
        (
            json!({ "redirectUris": ["http://web.example/cb"] }),
            "redirect URIs: http is allowed only for 127.0.0.1, [::1] and localhost",
            "web http://web.example/cb",
        ),
        (json!({ "implicitFlowEnabled": true }), "implicit", "web implicitFlowEnabled"),
        (json!({ "directAccessGrantsEnabled": true }), "password grant", "web directAccessGrantsEnabled"),
        (json!({ "webOrigins": ["+", "*"] }), "web origins", "web webOrigins (2)"),
        (json!({ "publicClient": true, "serviceAccountsEnabled": true }), "public clients", "web"),
        (
            json!({ "protocolMappers": [{ "protocolMapper": "oidc-usermodel-attribute-mapper" }] }),
            "mappers",
            "web (1)",
        ),
        (
            json!({ "authorizationSettings": { "resources": [] } }),
            "authorization services",
            "web authorizationSettings",
        ),
        (json!({ "protocol": "saml" }), "SAML", "web"),
        (json!({ "bearerOnly": true }), "bearer-only", "web"),
        (json!({ "enabled": false }), "disabled", "web"),
        (json!({ "clientId": "account-console" }), "Keycloak's own clients", "account-console"),
        (
            json!({ "clientAuthenticatorType": "client-x509" }),
            "another authentication method",
            "web (client-x509)",
        ),
        (json!({ "clientAuthenticatorType": "client-jwt" }), "not a JWK set", "web"),
        (json!({ "clientAuthenticatorType": "client-secret-jwt" }), "client_secret_jwt", "web"),
        (
            attribute("backchannel.logout.url", "http://web.example/out"),
            "back-channel",
            "web http://web.example/out",
        ),
        (attribute("acr.loa.map", "{}"), "other attributes", "web acr.loa.map"),
        (
            json!({ "authenticationFlowBindingOverrides": { "browser": "x" } }),
            "other settings of clients",
            "web authenticationFlowBindingOverrides",
        ),
        (json!({ "description": "a\nb" }), "descriptions", "web"),
    ] {
        let plan = plan_of(&client);
        assert!(is_left_out(&plan, why, what), "{client}: {}", plan.lines());
    }
}

#[test]
fn unsupported_parts_of_a_realm_are_named() {
    let realm = json!({
        "realm": "acme", "identityProviders": [{}], "roles": { "realm": [] }, "groups": [{}, {}], "privateKey": "x", "smtpServer": {},
        "bruteForceProtected": true, "internationalizationEnabled": false, "brandNew": { "a": 1 },
        "users": [
            { "username": "ada", "realmRoles": ["user"], "credentials": [{ "type": "otp" }] },
            { "username": "bob", "enabled": false },
            { "username": "service-account-web", "serviceAccountClientId": "web" },
            { "username": "Carol Smith" },
        ],
        "clientScopes": [{ "name": "roles" }, { "name": "unused" }, { "name": "carrier", "attributes": { "include.in.token.scope": "false" } }],
    });
    let plan = plan(realm, None).unwrap();
    for (why, what) in [
        ("identity providers", "identityProviders"),
        ("roles are not supported", "roles"),
        ("groups", "groups (2)"),
        ("signing keys", "privateKey"),
        ("other settings of the realm", "bruteForceProtected"),
        ("other settings of the realm", "brandNew"),
        ("second factors", "ada (otp)"),
        ("attributes of people", "realmRoles of 1"),
        ("disabled users", "bob"),
        ("service accounts", "service-account-web"),
        ("neither", "Carol Smith"),
        ("Keycloak's own client scopes", "roles"),
        ("no imported client uses", "unused"),
        ("not a valid OAuth scope", "carrier"),
    ] {
        assert!(is_left_out(&plan, why, what), "{what}: {}", plan.lines());
    }
    for silent in ["smtpServer", "internationalizationEnabled"] {
        assert!(!plan.lines().contains(silent), "{silent} says nothing");
    }
}

#[test]
fn client_scopes_become_scopes_of_their_audience() {
    let mapper = |name: &str, audience: &str| json!({ "protocolMapper": "oidc-audience-mapper", "config": { name: audience } });
    let scope = |name: &str, mapper: Value| json!({ "name": name, "description": "Read it", "protocolMappers": [mapper] });
    let realm = json!({
        "realm": "acme",
        "clientScopes": [
            scope("orders:read", mapper("included.client.audience", "orders")),
            scope("bills:read", mapper("included.custom.audience", "https://bills.example")),
            scope("web:read", mapper("included.client.audience", "web")),
        ],
        "clients": [
            { "clientId": "orders", "bearerOnly": true },
            { "clientId": "web", "serviceAccountsEnabled": true, "optionalClientScopes": ["orders:read", "bills:read", "web:read", "plain"] },
            { "clientId": "batch", "serviceAccountsEnabled": true, "optionalClientScopes": [], "protocolMappers": [mapper("included.custom.audience", "batch-api")] },
        ],
    });
    let plan = plan(realm, None).unwrap();
    let expected = json!({
        "acme-api": { "scopes": { "web:read": "Read it", "plain": "" } },
        "https://bills.example": { "scopes": { "bills:read": "Read it" } },
        "orders": { "scopes": { "orders:read": "Read it" } },
    });
    assert_eq!(plan.settings["resource_servers"], expected);
    let audiences: Vec<_> = plan.clients.iter().map(|client| client.document["audiences"].clone()).collect();
    assert_eq!(audiences, [json!(["acme-api", "https://bills.example", "orders"]), json!(["batch-api"])]);
    assert!(is_left_out(&plan, "cannot be a client ID", "web:read web"), "{}", plan.lines());
}

// Without this check, the server refuses the whole tenant because of one such audience or scope.
#[test]
fn invalid_audiences_and_scopes_are_named() {
    let api = |id: String| json!({ "clientId": id, "bearerOnly": true });
    let scopes: Vec<_> = (0..130).map(|number| format!("s{number:03}")).collect();
    let realm = json!({ "realm": "acme", "clients": [
        api("a\nb".to_owned()), api("x".repeat(300)), api("urn:latchkey:x".to_owned()),
        api("https://api.example".to_owned()), api("https://API.example/".to_owned()),
        { "clientId": "svc", "serviceAccountsEnabled": true, "optionalClientScopes": scopes },
    ] });
    let plan = plan(realm, None).unwrap();
    let servers = plan.settings["resource_servers"].as_object().unwrap();
    assert_eq!(servers.keys().collect::<Vec<_>>(), ["acme-api", "https://api.example"]);
    assert_eq!(servers["acme-api"]["scopes"].as_array().unwrap().len(), 100);
    assert_eq!(plan.clients[0].document["scopes"].as_array().unwrap().len(), 100);
    let named = format!("a bearer-only client: {}", "x".repeat(40));
    assert!(
        is_left_out(&plan, "not valid names", &named) && is_left_out(&plan, "above the limit of 100", "s129")
    );
}

#[test]
fn client_id_cannot_be_the_audience_of_scopes() {
    let client =
        |id: &str| json!({ "clientId": id, "serviceAccountsEnabled": true, "defaultClientScopes": ["read"] });
    let realm = json!({ "realm": "acme", "clients": [client("acme-api")] });
    let read = || Realm::from_json(Wiped::new(realm.clone())).unwrap();
    let refused = ImportPlan::new(read(), None, None).map(|plan| plan.tenant).unwrap_err().to_string();
    assert!(refused.contains("acme-api") && refused.contains("--audience"), "{refused}");
    let plan = ImportPlan::new(read(), None, Some("https://api.example".to_owned())).unwrap();
    assert_eq!(plan.clients[0].document["audiences"], json!(["https://api.example"]));
}

#[test]
fn tenant_id_comes_from_realm_or_option() {
    for (realm, tenant, expected) in [
        ("acme", None, Some("acme")),
        ("Acme_Prod.EU 1", None, Some("acme-prod-eu-1")),
        ("acme", Some("globex"), Some("globex")),
        ("Größe", Some("size"), Some("size")),
        ("Größe", None, None),
        ("_acme", None, None),
        ("", None, None),
    ] {
        let realm = json!({ "realm": realm, "displayName": "Acme Inc", "accessTokenLifespan": 300 });
        match (plan(realm.clone(), tenant), expected) {
            (Ok(plan), Some(expected)) => {
                assert_eq!(
                    (&plan.settings["id"], &plan.settings["name"]),
                    (&json!(expected), &json!("Acme Inc"))
                );
                assert_eq!(plan.settings["access_token"]["lifetime"], 300);
            }
            (Err(error), None) => assert!(error.to_string().contains("--tenant"), "{error}"),
            (plan, _) => panic!("{realm}: {:?}", plan.map(|plan| plan.tenant)),
        }
    }
}

#[test]
fn supported_hashes_are_converted_and_others_named() {
    let (salt, digest) = ("c2FsdHNhbHRzYWx0c2E=", "ZGlnZXN0ZGlnZXN0ZGlnZXN0ZGlnZXN0ZGlnZXN0ZGk=");
    let new = |rounds: u32, algorithm: &str, more: Value| {
        let data = json!({ "hashIterations": rounds, "algorithm": algorithm, "additionalParameters": more });
        json!({ "type": "password", "secretData": json!({ "value": digest, "salt": salt }).to_string(), "credentialData": data.to_string() })
    };
    let argon2 = json!({ "hashLength": ["32"], "memory": ["7168"], "type": ["id"], "version": ["1.3"], "parallelism": ["1"] });
    let old = json!({ "hashedSaltedValue": digest, "salt": salt, "hashIterations": 20000, "algorithm": "pbkdf2-sha256" });
    for (credential, expected) in [
        (new(27_500, "pbkdf2-sha256", json!({})), Ok("$pbkdf2-sha256$i=27500$")),
        (new(210_000, "pbkdf2-sha512", json!({})), Ok("$pbkdf2-sha512$i=210000$")),
        (new(5, "argon2", argon2), Ok("$argon2id$v=19$m=7168,t=5,p=1$")),
        (old, Ok("$pbkdf2-sha256$i=20000$")),
        (new(20_000, "pbkdf2", json!({})), Err("hash function pbkdf2 is not supported")),
        (new(5, "bcrypt", json!({})), Err("hash function bcrypt is not supported")),
        (new(2_000_000, "pbkdf2-sha256", json!({})), Err("is too expensive to check")),
        (json!({ "type": "password", "value": "hunter2" }), Err("not hashed")),
        (json!({ "type": "password" }), Err("unknown format")),
        (json!({ "secretData": "{", "credentialData": "{" }), Err("unknown format")),
    ] {
        let found = hash(&serde_json::from_value(credential.clone()).unwrap());
        match (&found, expected) {
            (Ok(hash), Ok(begin)) => {
                let rest = [salt, digest].map(|text| text.trim_end_matches('=')).join("$");
                assert_eq!(hash.as_str(), format!("{begin}{rest}"));
            }
            (Err(why), Err(words)) => assert!(why.contains(words), "{why}"),
            _ => panic!("{credential}: {found:?}"),
        }
    }
}

#[test]
fn people_keep_their_names_and_identifiers() {
    for (user, expected) in [
        (
            json!({ "id": "7", "username": "ada", "email": "Ada@example.com", "emailVerified": true, "firstName": "Ada", "lastName": "Lovelace" }),
            json!({ "email": "Ada@example.com", "email_verified": true, "username": "ada", "external_id": "7", "password_hash": null,
                "claims": { "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace" } }),
        ),
        // A user name that is an email address becomes an email address. Nothing says whether it was
        // verified.
        (
            json!({ "username": "bob@example.com", "emailVerified": true }),
            json!({ "email": "bob@example.com", "email_verified": false, "username": null, "external_id": null, "password_hash": null, "claims": {} }),
        ),
        (
            json!({ "username": "carol smith", "email": "carol@example.com" }),
            json!({ "email": "carol@example.com", "email_verified": false, "username": null, "external_id": null, "password_hash": null, "claims": {} }),
        ),
    ] {
        let plan = plan(json!({ "realm": "acme", "users": [user] }), None).unwrap();
        let line: Value = serde_json::from_slice(&plan.people.lines).unwrap();
        assert_eq!(line, expected);
    }
}

#[test]
fn line_breaks_in_names_are_escaped() {
    let client = json!({ "clientId": "web\nsvc\u{1b}[2J", "implicitFlowEnabled": true });
    let lines = plan_of(&client).lines();
    assert!(!lines.contains('\u{1b}') && !lines.contains("\nsvc"), "{lines}");
}

#[test]
fn plan_contains_no_secret() {
    let realm = json!({
        "realm": "acme", "privateKey": "canary-1",
        "clients": [{ "clientId": "web", "secret": "canary-2", "attributes": { "saml.signing.private.key": "canary-3" } }],
        "users": [{ "username": "ada", "credentials": [{ "value": "canary-4" }, { "type": "otp", "secretData": "canary-5" }] }],
    });
    let plan = plan(realm, None).unwrap();
    let shown = format!("{} {}", plan.lines(), plan.document());
    assert!(!shown.contains("canary"), "{shown}");
}

/// A realm with every member that is read, and with another client, scope and person, which an unreadable
/// member must not affect.
fn whole_realm() -> Value {
    let mut realm = example(Realm::SHAPE);
    for (at, value) in [
        ("/clients/0/protocol", json!("openid-connect")),
        ("/clients/0/clientAuthenticatorType", json!("client-secret")),
        ("/clients/0/redirectUris", json!(["https://web.example/cb"])),
        ("/clients/0/bearerOnly", json!(false)),
        ("/clients/0/publicClient", json!(false)),
        ("/clientScopes/0/protocol", json!("openid-connect")),
        ("/users/0/credentials/0/type", json!("password")),
        ("/users/0/credentials/0/credentialData", json!(example(PARAMETERS).to_string())),
        ("/users/0/credentials/0/secretData", json!(example(DIGEST).to_string())),
    ] {
        *realm.pointer_mut(at).unwrap() = value;
    }
    realm["users"][0].as_object_mut().unwrap().remove("serviceAccountClientId");
    for (list, kept) in [
        (
            "clients",
            json!({ "clientId": "kept", "secret": "chosen", "serviceAccountsEnabled": true, "optionalClientScopes": ["read"] }),
        ),
        ("clientScopes", json!({ "name": "read" })),
        ("users", json!({ "username": "kept" })),
    ] {
        realm[list].as_array_mut().unwrap().push(kept);
    }
    realm
}

/// The pointers of all places below this one, except those within the second item of a list.
fn places(value: &Value, at: &str) -> Vec<String> {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.first().map(|item| ("0".to_owned(), item)).into_iter().collect(),
        _ => Vec::new(),
    };
    let below = members.into_iter().map(|(name, value)| (format!("{at}/{name}"), value));
    below.flat_map(|(at, value)| [vec![at.clone()], places(value, &at)].concat()).collect()
}

/// The document without the value at the pointer, and with values of all other kinds at the pointer.
fn variants(whole: &Value, at: &str) -> Vec<(Option<Value>, Value)> {
    let others = [
        json!(null),
        json!(""),
        json!("7"),
        json!("true"),
        json!("canary"),
        json!(7),
        json!(-1.5),
        json!(1e300),
        json!(false),
        json!([]),
        json!([{ "canary": [] }]),
        json!({}),
        json!({ "a": { "b": "canary" } }),
    ];
    let (parent, name) = at.rsplit_once('/').unwrap();
    let mut without = whole.clone();
    match without.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.remove(name)),
        parent => drop(parent.as_array_mut().unwrap().remove(0)),
    }
    let with = |other: Value| {
        let mut whole = whole.clone();
        *whole.pointer_mut(at).unwrap() = other.clone();
        (Some(other), whole)
    };
    std::iter::once((None, without)).chain(others.into_iter().map(with)).collect()
}

/// The path in the form of the plan: `clients[0].name`.
fn path(at: &str) -> String {
    at[1..].replace("/0", "[0]").replace('/', ".")
}

// A single null, or a text instead of a number, must not stop the import.
#[test]
fn members_of_wrong_type_do_not_stop_the_import() {
    let whole = whole_realm();
    let kept = |plan: &ImportPlan| {
        let client = plan.clients.iter().find(|client| client.id == "kept");
        let is_person = plan.people.names.iter().any(|name| name == "kept");
        (client.map(|client| (*client.document).clone()), is_person)
    };
    let before = plan(whole.clone(), Some("initech")).unwrap();
    assert_eq!((before.clients.len(), before.people.names.len(), before.people.with_hash), (2, 2, 0));
    let all = places(&whole, "");
    assert!(all.len() > 60, "{all:?}");
    for at in &all {
        let is_scalar = !matches!(whole.pointer(at).unwrap(), Value::Object(_) | Value::Array(_));
        for (other, realm) in variants(&whole, at) {
            let plan = plan(realm, Some("initech")).unwrap_or_else(|why| panic!("{at} {other:?}: {why}"));
            let (client, is_person) = kept(&plan);
            assert!(at == "/clients" || client == kept(&before).0, "{at} {other:?}");
            assert!(at == "/users" || is_person, "{at} {other:?}");
            let is_list = matches!(other, Some(Value::Object(_) | Value::Array(_)));
            if is_scalar && is_list {
                assert!(
                    is_left_out(&plan, "unexpected format", &path(at)),
                    "{at} {other:?}: {}",
                    plan.lines()
                );
                assert!(!plan.lines().contains("canary"), "{at}: {}", plan.lines());
            }
        }
    }
    for (member, shape) in [("credentialData", PARAMETERS), ("secretData", DIGEST)] {
        let inner = example(shape);
        for at in places(&inner, "") {
            for (_, inner) in variants(&inner, &at) {
                let mut realm = whole.clone();
                realm["users"][0]["credentials"][0][member] = json!(inner.to_string());
                let plan = plan(realm, Some("initech")).unwrap();
                assert_eq!(plan.people.names.len(), 2, "{at}");
            }
        }
    }
}
