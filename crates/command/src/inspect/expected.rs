//! The expected values of a token: from the options, and from the tenant or the JWKS document.

use std::path::Path;

use administration::documents;
use administration::documents::KeyView;
use anyhow::{Context as _, anyhow};
use keys::{
    CheckOutcome, Expectations, Inspection, InvalidKeySet, JwtKind, KeyAlgorithm, KeyId, KeyRecord,
    PublicKeys, inspect,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tenancy::{AccessTokenPolicy, TenantId};
use values::{Lifetime, Timestamp};

use super::arguments::InspectArguments;
use super::checks::CheckStatus;
use super::offline::{Expects, OfflineApi};
use crate::admin_client::{AdminApi, ApiRequest};
use crate::key::KeyDocument;
use crate::paths::{client_path, keys_path};
use crate::runner::Runner;
use crate::tenant;
use grants::AccessTokenClaims;
use registry::ClientId;
use settings::files;

/// The expected values, and the keys as text.
pub(super) struct ExpectedToken {
    pub(super) now: Timestamp,
    pub(super) leeway: Lifetime,
    /// Accepted issuers. `None` accepts any issuer.
    pub(super) issuers: Option<Vec<String>>,
    pub(super) typ: String,
    pub(super) audience: Option<String>,
    /// Where keys and issuers come from.
    pub(super) source: Option<String>,
    pub(super) keys: Option<PublicKeys>,
    /// Each known key as text, including removed keys: `oauth2-key-2 (RS256, signs now)`.
    pub(super) known: Vec<String>,
    /// Keys that are not usable.
    pub(super) left_out: Vec<String>,
    /// Whether the token is revoked according to the tenant's server, with the reason. Failed means revoked.
    pub(super) revocation: (CheckStatus, String),
    /// Further notes, such as that the tenant is suspended.
    pub(super) notes: Vec<String>,
    /// Whether the claims must be those of an access token of Latchkey.
    is_own: bool,
    /// The key set with which an API verifies offline.
    key_set: Option<String>,
    skew: Lifetime,
}

/// The claims that every API requires of an access token (RFC 9068 §2.2).
#[derive(Deserialize)]
#[expect(dead_code, reason = "only read, to name the one that is missing")]
struct RequiredClaims {
    sub: String,
    client_id: String,
    jti: String,
    scope: Option<String>,
}

impl ExpectedToken {
    pub(super) fn load(
        config: &Path,
        arguments: &InspectArguments,
        token: &str,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let InspectArguments { jwks, tenant, issuer, audience, typ, leeway, .. } = arguments;
        let mut expected = Self {
            now,
            leeway: *leeway,
            issuers: None,
            typ: AccessTokenPolicy::default().typ,
            audience: audience.clone(),
            source: None,
            keys: None,
            known: Vec::new(),
            left_out: Vec::new(),
            revocation: (CheckStatus::NotChecked, "pass --tenant".to_owned()),
            notes: Vec::new(),
            is_own: false,
            key_set: None,
            skew: Lifetime::from_seconds(0),
        };
        if let Some(file) = jwks {
            let is_of_client = is_assertion(arguments, token);
            let read = if is_of_client { PublicKeys::read_of_client } else { PublicKeys::read };
            expected.read_jwks(file, read)?;
        }
        if let Some(tenant) = tenant {
            expected.load_tenant(config, arguments, tenant, token)?;
        }
        if let Some(issuer) = issuer {
            expected.issuers = Some(vec![issuer.clone()]);
        }
        if let Some(typ) = typ {
            expected.typ.clone_from(typ);
        }
        Ok(expected)
    }

    /// Verifies the token against these expectations. Also returns whether its sender may use it. An access
    /// token with a key set is checked as an API would check it, all other tokens as the server would.
    pub(super) fn judge(&self, token: &str) -> anyhow::Result<(Inspection, CheckOutcome)> {
        let mut inspection = self.inspect(token);
        let Some(key_set) = self.key_set_of_api() else {
            let bound = confirmation(&inspection);
            return Ok((inspection, bound));
        };
        let expects = Expects {
            issuer: self.issuers.as_ref().and_then(|all| all.first()).map(String::as_str),
            audience: self.audience.as_deref(),
            now: self.now,
            leeway: self.leeway,
        };
        let api = OfflineApi::new(key_set, &expects, inspection.claims.as_ref())?;
        let bound = api.judge(token, &mut inspection)?;
        Ok((inspection, bound))
    }

    /// The key set of an API, if an access token is expected.
    fn key_set_of_api(&self) -> Option<&str> {
        self.key_set.as_deref().filter(|_| JwtKind::from_typ(Some(&self.typ)) == JwtKind::AccessToken)
    }

    /// Whether the claims must be those of an access token.
    pub(super) fn requires_claims(&self) -> bool {
        self.is_own || self.key_set_of_api().is_some()
    }

    /// Inspects with the server's own verification.
    fn inspect(&self, token: &str) -> Inspection {
        let policy = AccessTokenPolicy { typ: self.typ.clone(), ..AccessTokenPolicy::default() };
        let is_issuer = |iss: &str| self.issuers.as_ref().is_none_or(|all| all.iter().any(|one| one == iss));
        let expectations = Expectations {
            is_issuer: &is_issuer,
            accepts_typ: &|typ| policy.accepts_typ(typ, self.now),
            audience: self.audience.as_deref(),
            skew: self.skew,
        };
        let (keys, now, leeway) = (self.keys.as_ref(), self.now, self.leeway);
        if self.is_own {
            inspect::<AccessTokenClaims<'static>>(token, keys, now, leeway, &expectations)
        } else if self.requires_claims() {
            inspect::<RequiredClaims>(token, keys, now, leeway, &expectations)
        } else {
            inspect::<Value>(token, keys, now, leeway, &expectations)
        }
    }

    fn read_jwks(
        &mut self,
        file: &Path,
        read: fn(&str) -> Result<PublicKeys, InvalidKeySet>,
    ) -> anyhow::Result<()> {
        let name = file.display();
        let bytes = files::read_public(file).with_context(|| format!("--jwks: cannot read {name}"))?;
        let text = str::from_utf8(&bytes).map_err(|_| anyhow!("--jwks: {name} is not UTF-8"))?;
        let keys = read(text).with_context(|| format!("--jwks: cannot use {name}"))?;
        self.known = keys.iter().map(|(kid, algorithm)| format!("{kid} ({algorithm})")).collect();
        self.left_out = keys.left_out.iter().map(ToString::to_string).collect();
        self.source = Some(format!("the keys of {name}"));
        self.keys = Some(keys);
        self.key_set = Some(text.to_owned());
        Ok(())
    }

    /// Loads the tenant over the admin API: from a server, or from the store, which is opened read-only.
    fn load_tenant(
        &mut self,
        config: &Path,
        arguments: &InspectArguments,
        tenant: &TenantId,
        token: &str,
    ) -> anyhow::Result<()> {
        Runner { config, arguments: &arguments.admin }.run(async |admin| {
            self.ask(admin, tenant).await?;
            self.revocation = revocation(admin, tenant, token).await;
            Ok(())
        })
    }

    async fn ask(&mut self, admin: &AdminApi, tenant: &TenantId) -> anyhow::Result<()> {
        let documents::TenantView { settings, status, .. } =
            admin.send(ApiRequest::get(tenant::path(tenant))).await?;
        self.issuers = Some(settings.issuer.into_iter().chain(settings.issuer_aliases).collect());
        self.typ = settings.access_token.typ;
        self.skew = settings.signing.skew;
        self.is_own = true;
        self.source = Some(format!("the keys of tenant {tenant}"));
        if status != "active" {
            self.notes.push(format!("tenant {tenant} is {status}, so the server refuses all its tokens"));
        }
        let path = keys_path(tenant);
        let keys: documents::Page<KeyView> = admin.send(ApiRequest::get(path.clone())).await?;
        let all: documents::KeyStatusView = admin.send(ApiRequest::get(format!("{path}/status"))).await?;
        let signs = all.signing.map(|key| key.kid);
        let (mut documents, mut records) = (Vec::new(), Vec::new());
        for key in keys.items {
            self.known.push(format!("{} ({})", key.kid, words(&key, signs.as_deref())));
            if key.state == "removed" {
                continue;
            }
            match admin.send::<KeyDocument>(ApiRequest::get(format!("{path}/{}", key.kid))).await {
                Ok(document) => documents.push(document.public.jwk),
                Err(error) => self.left_out.push(format!("{}: {error:#}", key.kid)),
            }
            records.extend(record(&key));
        }
        let keys = PublicKeys::read(&json!({ "keys": documents }).to_string())?;
        self.left_out.extend(keys.left_out.iter().map(ToString::to_string));
        self.keys = Some(keys.with_records(records));
        Ok(())
    }
}

/// Whether the sender of a token may use it without a proof.
fn confirmation(inspection: &Inspection) -> CheckOutcome {
    let is_bound = inspection.claims.iter().flatten().any(|(name, _)| name == "cnf");
    match inspection.verdict() {
        Err(_) => CheckOutcome::NotReached,
        Ok(()) if is_bound => CheckOutcome::NotChecked,
        Ok(()) => CheckOutcome::Passed,
    }
}

/// Asks what has revoked the token. If the administrator may not see clients, the result is unknown.
async fn revocation(admin: &AdminApi, tenant: &TenantId, token: &str) -> (CheckStatus, String) {
    let Some(client) = client_of(token) else {
        return (CheckStatus::NotChecked, "the token has no client ID".to_owned());
    };
    let body = documents::Wiped::new(json!({ "access_token": token }));
    let request = ApiRequest::question(format!("{}/explain", client_path(tenant, &client)), &*body);
    let explained: documents::ExplanationView = match admin.send(request).await {
        Ok(explained) => explained,
        Err(error) => return (CheckStatus::NotChecked, format!("cannot ask the server: {error}")),
    };
    let check = explained.access_token.into_iter().find(|check| check.name == "revoked");
    match check {
        Some(check) if check.result == "refused" => (CheckStatus::Failed, check.detail),
        Some(check) if check.result == "passed" => (CheckStatus::Passed, check.detail),
        _ => (CheckStatus::NotChecked, "an earlier check refuses the token".to_owned()),
    }
}

/// The unverified content of a token: header, claims, and the kind that its type names.
pub(super) fn unverified(token: &str) -> Inspection {
    let any =
        Expectations { is_issuer: &|_| true, accepts_typ: &|_| false, audience: None, skew: keys::LEEWAY };
    inspect::<Value>(token, None, Timestamp::from_seconds(0), keys::LEEWAY, &any)
}

/// The unverified content of an assertion or a proof. A proof with a private key in `jwk` is refused, and the
/// key is not shown.
pub(super) fn presented(token: &str) -> Inspection {
    const PUBLIC: [&str; 11] = ["kty", "crv", "x", "y", "n", "e", "alg", "use", "key_ops", "kid", "ext"];
    let mut inspection = unverified(token);
    let key = inspection.header.iter_mut().flatten().find(|(name, _)| name == "jwk");
    if let Some((_, Value::Object(members))) = key {
        members.retain(|name, _| PUBLIC.contains(&name.as_str()));
    }
    inspection
}

/// The unverified `client_id`, if it is a valid client id.
fn client_of(token: &str) -> Option<String> {
    let claims = unverified(token).claims?;
    let (_, client) = claims.iter().find(|(name, _)| name == "client_id")?;
    client.as_str().filter(|client| ClientId::parse(client).is_ok()).map(str::to_owned)
}

fn words(key: &KeyView, signs: Option<&str>) -> String {
    let at =
        |instant: Option<administration::documents::Instant>| instant.map(String::from).unwrap_or_default();
    let algorithm = &key.algorithm;
    match key.state.as_str() {
        _ if signs == Some(&key.kid) => format!("{algorithm}, signs now"),
        "announced" => format!("{algorithm}, signs from {}", at(Some(key.active_from))),
        "removed" => format!("{algorithm}, removed at {}", at(key.removed_at)),
        state => format!("{algorithm}, {state}"),
    }
}

/// The times of a key in the form of the key ring.
fn record(key: &KeyView) -> Option<KeyRecord> {
    Some(KeyRecord {
        // The keys of a set differ in their names.
        id: KeyId::stored(0, Some(&key.kid))?,
        algorithm: KeyAlgorithm::Signing(key.algorithm.parse().ok()?),
        sealed_private_key: Vec::new(),
        thumbprint: key.thumbprint.clone(),
        public_jwk: None,
        announced_at: key.announced_at.0,
        active_from: key.active_from.0,
        retiring_from: key.retiring_from.map(|at| at.0),
        removed_at: key.removed_at.map(|at| at.0),
        shown: keys::ShownTimes::default(),
    })
}

/// Whether the options, or else the type of the token, say that it is the assertion of a client.
pub(super) fn is_assertion(arguments: &InspectArguments, token: &str) -> bool {
    let InspectArguments { client, tenant, typ, .. } = arguments;
    let is_named = || tenant.is_none() && typ.is_none() && unverified(token).kind == JwtKind::ClientAssertion;
    !client.is_empty() || is_named()
}
