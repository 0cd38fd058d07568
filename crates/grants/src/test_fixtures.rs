//! A tenant and a client for the table tests of this crate.

use protocol::{Audience, GrantType, Scope, SubjectType};
use registry::{Client, ClientId};
use secrets::Pepper;
use sessions::SignedIn;
use tenancy::{Issuer, ResourceServer, Strategies, Tenant, TenantId};
use values::{Lifetime, Timestamp};
use zeroize::Zeroizing;

use crate::{
    AccessTokenClaims, AuthorizationCode, GrantId, Granted, OneTime, OneTimeKey, RefreshFamily, Subjects,
};

/// Tenant `acme` with an orders API that owns `read` and `write`, and a reports API that owns `report`.
pub(crate) fn acme() -> Tenant {
    let server = |audience: &str, scopes: &str, clients: &[&str]| ResourceServer {
        audience: audience.to_owned(),
        scopes: Scope::parse(scopes).unwrap(),
        introspection_clients: clients.iter().map(|client| (*client).to_owned()).collect(),
        ..ResourceServer::default()
    };
    Tenant {
        name: "Acme".to_owned(),
        issuer_aliases: vec![Issuer::parse("thunder").unwrap()],
        strategies: Strategies { oauth2: true, oidc: false },
        resource_servers: vec![
            server("https://orders.example", "read write", &["gatekeeper"]),
            server("https://reports.example", "report", &[]),
        ],
        ..Tenant::new(TenantId::parse("acme").unwrap(), Issuer::parse("https://acme.example").unwrap())
    }
}

/// A client of `acme` with all scopes and one more that no resource server owns.
pub(crate) fn client(id: &str) -> Client {
    Client {
        resources: vec!["https://orders.example".to_owned(), "https://reports.example".to_owned()],
        scope: Scope::parse("read write report anywhere").unwrap(),
        ..Client::new(TenantId::parse("acme").unwrap(), ClientId::parse(id).unwrap())
    }
}

/// The claims of a token of a client of `acme`, valid from second 1000 on.
pub(crate) fn claims(client: &str, jti: &str) -> AccessTokenClaims<'static> {
    let (since, until) = (Timestamp::from_seconds(1000), Timestamp::from_seconds(4600));
    let (iss, aud) = ("https://acme.example", Audience::One("api".into()));
    AccessTokenClaims::of_client(iss, client.to_owned(), aud, since, until, jti.to_owned())
}

/// A person of `acme`.
pub(crate) const ADA: &str = "usr_aaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A client of `acme` that signs people in.
pub(crate) fn web_client(id: &str) -> Client {
    let mut client = Client {
        grant_types: vec![GrantType::AuthorizationCode],
        scope: Scope::parse("openid profile email read latchkey:clients").unwrap(),
        ..client(id)
    };
    client.code_flow.redirect_uris =
        ["https://app.example/cb", "http://127.0.0.1/cb"].map(str::to_owned).to_vec();
    client
}

/// A client of `acme` that signs people in, has pairwise subjects and this redirect URI.
pub(crate) fn pairwise_client(id: &str, redirect_uri: &str) -> Client {
    let mut client = web_client(id);
    client.code_flow.redirect_uris = vec![redirect_uri.to_owned()];
    client.code_flow.subject_type = Some(SubjectType::Pairwise);
    client
}

/// The names of people. The keys are the same each time.
pub(crate) fn subjects() -> Subjects {
    Subjects::new(&Pepper::from_bytes(Zeroizing::new([1; 32])))
}

/// A session of Ada that began then.
pub(crate) fn signed_in_at(seconds: u64) -> SignedIn {
    let (tenant, account) = (TenantId::parse("acme").unwrap(), ADA.parse().unwrap());
    SignedIn::for_tests(tenant, account, Timestamp::from_seconds(seconds))
}

/// A code of Ada, who signed in at second 900, for this client.
pub(crate) fn code_of(client: &Client, granted: Granted) -> OneTime<AuthorizationCode> {
    let at = Timestamp::from_seconds(1_000);
    let content = AuthorizationCode {
        account: ADA.parse().unwrap(),
        session_slot: 1,
        session: "AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap(),
        redirect_uri: "https://app.example/cb".to_owned(),
        code_challenge: None,
        granted: Granted { auth_time: 900, ..granted },
        created_at: at,
    };
    OneTime::new(&client.tenant, &client.id, OneTimeKey { slot: 1, digest: [1; 32] }, content, at)
}

/// A family of refresh tokens of Ada, who signed in at second 900, for this client.
pub(crate) fn family_of(client: &Client, granted: Granted) -> RefreshFamily {
    let at = Timestamp::from_seconds(1_000);
    RefreshFamily {
        tenant: client.tenant.clone(),
        slot: 1,
        id: GrantId::from_bytes([7; 16]),
        client: client.id.clone(),
        account: ADA.parse().unwrap(),
        session: Some("AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap()),
        session_slot: None,
        secret_digest: [1; 32],
        generation: 0,
        rotated_at: at,
        dpop_key: None,
        certificate: None,
        credential: None,
        granted: Granted { auth_time: 900, ..granted },
        created_at: at,
        idle_until: at + Lifetime::from_seconds(86_400),
        expires_at: at + Lifetime::from_seconds(86_400),
        ended_at: None,
    }
}
