//! The serialized form of every shared row. A change of a text in this file needs another `entry::FORMAT`.

use std::fmt::Debug;
use std::num::NonZeroU32;

use keys::{KeyId, KeyRecord, KeyRecords};
use protocol::{ClientAuthenticationMethod, GrantType, Lifetime, SigningAlgorithm};
use registry::{Client, ClientKeys, ClientSecret, ClientStatus, CodeFlow, IntrospectionRight};
use secrets::SecretHash;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tenancy::{
    AccessTokenPolicy, PreviousTyp, ResourceServer, SigningPolicy, Strategies, Tenant, TenantLimits,
    TenantStatus, TokenFormat,
};
use testkit::fixtures::{self, NOW};

#[track_caller]
fn check<R: Serialize + DeserializeOwned + Debug + PartialEq>(row: &R, expected: &[&str]) {
    let text = serde_json::to_string(row).unwrap();
    assert_eq!(text, expected.concat());
    assert_eq!(serde_json::from_str::<R>(&text).unwrap(), *row);
}

#[test]
fn a_tenant_has_this_form() {
    let seconds = Lifetime::from_seconds;
    let tenant = Tenant {
        name: "Acme".to_owned(),
        issuer: fixtures::issuer("https://auth.example.com"),
        issuer_aliases: vec![fixtures::issuer("thunder")],
        status: TenantStatus::Suspended { keys_published_until: NOW },
        strategies: Strategies { oauth2: true, oidc: false },
        stale_if_error: seconds(0),
        signing: SigningPolicy {
            algorithm: SigningAlgorithm::EdDSA,
            rotate_every: seconds(1),
            publish_before: seconds(2),
            jwks_max_age: seconds(3),
            jwks_stale: seconds(4),
            skew: seconds(5),
            rsa_bits: 3072,
            hold_activation: Some(seconds(6)),
        },
        access_token: AccessTokenPolicy {
            lifetime: Lifetime::LONGEST,
            format: TokenFormat::Opaque,
            typ: "JWT".to_owned(),
            require_sender_constraint: true,
            require_dpop_nonce: false,
            previous_typs: vec![PreviousTyp { typ: "at+jwt".to_owned(), accepted_until: NOW }],
        },
        resource_servers: vec![ResourceServer {
            audience: "a".to_owned(),
            scopes: fixtures::scope("b c"),
            introspection_clients: vec!["d".to_owned()],
        }],
        assertions: tenancy::AssertionPolicy { issuer_only: true, max_lifetime: Lifetime::from_seconds(61) },
        refresh_token: tenancy::RefreshTokenPolicy::default(),
        subject: protocol::SubjectType::Pairwise,
        branding: tenancy::Branding {
            logo: Some(tenancy::Logo::stored("digest".to_owned())),
            terms_url: Some("https://a.example".to_owned()),
            ..tenancy::Branding::default()
        },
        limits: TenantLimits {
            failed_attempts: "7/h".parse().ok(),
            clients: NonZeroU32::new(2),
            ..TenantLimits::default()
        },
        ..fixtures::tenant("acme")
    };
    let now = NOW.seconds().to_string();
    check(
        &tenant,
        &[
            r#"{"id":"acme","name":"Acme","issuer":"https://auth.example.com","issuer_aliases":["thunder"],"#,
            r#""status":{"Suspended":{"keys_published_until":"#,
            &now,
            r#"}},"strategies":{"oauth2":true,"oidc":false},"stale_if_error":0,"#,
            r#""signing":{"algorithm":"EdDSA","rotate_every":1,"publish_before":2,"jwks_max_age":3,"jwks_stale":4,"#,
            r#""skew":5,"rsa_bits":3072,"hold_activation":6},"#,
            r#""access_token":{"lifetime":3155760000,"format":"opaque","typ":"JWT","#,
            r#""require_sender_constraint":true,"require_dpop_nonce":false,"#,
            r#""previous_typs":[{"typ":"at+jwt","accepted_until":"#,
            &now,
            r#"}]},"assertions":{"issuer_only":true,"max_lifetime":61},"#,
            r#""refresh_token":{"rotation":"public","grace":30,"idle":2592000,"absolute":15552000},"#,
            r#""sign_in":{"session":{"idle":28800,"absolute":86400,"remember":2592000}},"#,
            r#""subject":"pairwise","#,
            r##""branding":{"primary":"#1f5fbf","background":"#ffffff","corners":"round","font":"system","##,
            r#""logo":"digest","logo_dark":null,"#,
            r#""support_url":null,"terms_url":"https://a.example","privacy_url":null},"#,
            r#""resource_servers":[{"audience":"a","scopes":"b c","introspection_clients":["d"]}],"#,
            r#""limits":{"failed_attempts":"7/h","clients":2}}"#,
        ],
    );
    let active = fixtures::tenant("acme");
    let text = serde_json::to_string(&active).unwrap();
    assert_eq!(serde_json::from_str::<Tenant>(&text).unwrap(), active);
}

#[test]
fn a_client_has_this_form() {
    let phc = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAA";
    let chosen = ClientSecret {
        hash: SecretHash::Password(phc.to_owned()),
        hint: String::new(),
        expires_at: Some(NOW),
        revoked_at: Some(NOW),
        ..fixtures::secret("two")
    };
    let plain = fixtures::client(&fixtures::tenant("acme"), "svc");
    let client = Client {
        id: fixtures::client_id("a:b {é}"),
        name: "Name".to_owned(),
        status: ClientStatus::Suspended,
        authentication_method: ClientAuthenticationMethod::ClientSecret,
        grant_types: GrantType::ALL.to_vec(),
        audiences: vec!["x".to_owned()],
        resources: vec!["https://api.example.com".to_owned()],
        scope: fixtures::scope(""),
        access_token_lifetime: Some(Lifetime::from_seconds(2)),
        issuer: Some(fixtures::issuer("thunder")),
        introspection: IntrospectionRight::Audience,
        dpop_bound_access_tokens: true,
        keys: Some(ClientKeys::from(r#"{"keys":[]}"#.to_owned())),
        jwks_uri: Some("https://a.example/jwks".to_owned()),
        certificate_subject: Some("subject_dn:CN=a, O=b".parse().unwrap()),
        code_flow: CodeFlow {
            redirect_uris: vec!["https://a.example/cb".to_owned()],
            first_party: true,
            require_par: true,
            subject_type: Some(protocol::SubjectType::Pairwise),
            ..CodeFlow::default()
        },
        secrets: vec![chosen],
        ..plain.clone()
    };
    let (now, created_at) = (NOW.seconds(), client.secrets[0].created_at.seconds());
    check(
        &client,
        &[
            r#"{"tenant":"acme","id":"a:b {é}","name":"Name","contacts":[],"status":"suspended","#,
            r#""authentication_method":"client_secret_basic","grant_types":["client_credentials","#,
            r#""authorization_code","refresh_token","urn:ietf:params:oauth:grant-type:device_code","#,
            r#""urn:ietf:params:oauth:grant-type:token-exchange","urn:ietf:params:oauth:grant-type:jwt-bearer"],"#,
            r#""audiences":["x"],"resources":["https://api.example.com"],"scope":"","access_token_lifetime":2,"#,
            r#""issuer":"thunder","introspection":"audience","dpop_bound_access_tokens":true,"#,
            r#""tls_client_certificate_bound_access_tokens":false,"keys":"{\"keys\":[]}","jwks_uri":"https://a.example/jwks","#,
            r#""certificate_subject":"subject_dn:CN=a, O=b","#,
            r#""code_flow":{"redirect_uris":["https://a.example/cb"],"post_logout_redirect_uris":[],"#,
            r#""first_party":true,"require_pkce":true,"require_par":true,"subject_type":"pairwise"},"#,
            r#""secrets":[{"id":"two","hash":""#,
            phc,
            &format!(r#"","hint":"","created_at":{created_at},"expires_at":{now},"revoked_at":{now}}}]}}"#),
        ],
    );
    let text = serde_json::to_string(&plain).unwrap();
    assert_eq!(serde_json::from_str::<Client>(&text).unwrap(), plain);
}

#[test]
fn keys_have_this_form() {
    let retired = KeyRecord {
        sealed_private_key: vec![0, 1, 255, 4],
        thumbprint: "t".to_owned(),
        announced_at: NOW,
        active_from: NOW,
        retiring_from: Some(NOW),
        removed_at: Some(NOW),
        ..fixtures::key(1)
    };
    let (now, algorithm) = (NOW.seconds(), retired.algorithm);
    check(
        &KeyRecords { next: KeyId::numbered(3), keys: vec![retired] },
        &[
            r#"{"next":3,"keys":[{"id":1,"algorithm":""#,
            algorithm.as_str(),
            r#"","sealed_private_key":"AAH/BA","thumbprint":"t","#,
            &format!(
                r#""announced_at":{now},"active_from":{now},"retiring_from":{now},"removed_at":{now}}}]}}"#
            ),
        ],
    );
}
