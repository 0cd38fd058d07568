//! Tests the serialized form of every shared row. If a file in `forms` must change, `entry::FORMAT` must
//! change too.

use std::collections::BTreeMap;
use std::fmt::Debug;

use keys::{KeyId, KeyRecord, KeyRecords};
use protocol::{GrantType, SubjectType};
use registry::{
    ApiKey, ClaimPlace, Client, ClientPurpose, ClientSecret, ClientStatus, CodeFlow, GroupsClaim,
    IntrospectionRight,
};
use secrets::SecretHash;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tenancy::{
    AccessTokenPolicy, Branding, Logo, PreviousTyp, ResourceServer, Tenant, TenantLimits, TenantStatus,
    TokenFormat, UserinfoTokens,
};
use testkit::fixtures::{self, NOW};
use values::Lifetime;

/// The files in `forms` are pretty-printed for their readers; real rows are written without whitespace.
#[track_caller]
fn check<R: Serialize + DeserializeOwned + Debug + PartialEq>(row: &R, expected: &str) {
    assert_eq!(serde_json::to_string_pretty(row).unwrap(), expected.trim_end());
    assert_is_read_back(row);
}

#[track_caller]
fn assert_is_read_back<R: Serialize + DeserializeOwned + Debug + PartialEq>(row: &R) {
    let text = serde_json::to_string(row).unwrap();
    assert_eq!(serde_json::from_str::<R>(&text).unwrap(), *row);
}

#[test]
fn serialized_tenant_is_unchanged() {
    let full = fixtures::tenant_with_settings();
    let (lifetime, format) = (Lifetime::LONGEST, TokenFormat::Opaque);
    let previous_typs = vec![PreviousTyp { typ: "JWT".to_owned(), accepted_until: NOW }];
    let tenant = Tenant {
        issuer_aliases: vec![fixtures::issuer("thunder")],
        status: TenantStatus::Suspended { keys_published_until: NOW },
        access_token: AccessTokenPolicy { lifetime, format, previous_typs, ..full.access_token.clone() },
        resource_servers: vec![ResourceServer {
            audience: "a".to_owned(),
            scopes: fixtures::scope("b c"),
            scope_descriptions: BTreeMap::from([("b".to_owned(), "B".to_owned())]),
            introspection_clients: vec!["d".to_owned()],
            token_format: Some(format),
        }],
        branding: Branding { logo: Some(Logo::stored("digest".to_owned())), ..full.branding.clone() },
        limits: TenantLimits { failed_attempts: "7/h".parse().ok(), ..full.limits },
        ..full
    };
    check(&tenant, include_str!("forms/tenant.json"));
    assert_is_read_back(&fixtures::tenant("acme"));
}

#[test]
fn serialized_client_is_unchanged() {
    let full = fixtures::client_with_settings();
    let chosen = ClientSecret {
        hash: SecretHash::Password("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAA".to_owned()),
        hint: String::new(),
        expires_at: Some(NOW),
        revoked_at: Some(NOW),
        ..fixtures::secret("two")
    };
    let client = Client {
        id: fixtures::client_id("a:b {é}"),
        description: None,
        purpose: Some(ClientPurpose::ServiceAccount),
        claims: fixtures::claims(r#"{"service":"bills"}"#),
        status: ClientStatus::Suspended,
        grant_types: GrantType::ALL.to_vec(),
        resources: vec!["https://api.example.com".to_owned()],
        introspection: IntrospectionRight::Audience,
        code_flow: CodeFlow {
            first_party: true,
            require_par: true,
            subject_type: Some(SubjectType::Pairwise),
            userinfo: Some(UserinfoTokens::Separate),
            groups: GroupsClaim { claim: "roles".to_owned(), places: vec![ClaimPlace::AccessToken] },
            ..full.code_flow.clone()
        },
        secrets: vec![chosen],
        ..full
    };
    check(&client, include_str!("forms/client.json"));
    assert_is_read_back(&fixtures::client(&fixtures::tenant("acme"), "svc"));
}

#[test]
fn serialized_api_key_is_unchanged() {
    let svc = fixtures::client(&fixtures::tenant("acme"), "svc");
    let plain = fixtures::api_key(&svc, "4fT9xQ2bV7mK");
    let key = ApiKey {
        labels: vec!["a".to_owned(), "é".to_owned()],
        owner: Some("cus_1".to_owned()),
        scope: fixtures::scope("b c"),
        audiences: vec!["d".to_owned()],
        revoked_at: Some(NOW),
        replaced_by: Some(plain.id.clone()),
        ..plain.clone()
    };
    check(&key, include_str!("forms/api_key.json"));
    assert_is_read_back(&plain);
}

#[test]
fn serialized_keys_are_unchanged() {
    let retired = KeyRecord {
        sealed_private_key: vec![0, 1, 255, 4],
        retiring_from: Some(NOW),
        removed_at: Some(NOW),
        ..fixtures::key(1)
    };
    let id = KeyId::stored(2, Some("NzbLsXh8uDCcd-6M")).unwrap();
    let keys = vec![retired, KeyRecord { id, ..fixtures::key(2) }];
    let copies_kept = Lifetime::from_seconds(360);
    check(&KeyRecords { next: KeyId::numbered(3), copies_kept, keys }, include_str!("forms/keys.json"));
}
