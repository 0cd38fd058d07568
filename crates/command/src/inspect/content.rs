//! The content of a token, a certificate or an API key.

use administration::documents::ApiKeyView;
use keys::ObjectMembers;
use registry::{CertificateFacts, SubjectKind};
use serde::{Serialize, Serializer};
use values::Timestamp;

use super::times::instant;

/// The claims that are times (RFC 7519 §4.1, OpenID Connect Core §2).
pub(super) const TIMES: [&str; 5] = ["exp", "nbf", "iat", "auth_time", "updated_at"];

/// The content of a token, a certificate or an API key.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Content {
    Jwt {
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "object")]
        header: Option<ObjectMembers>,
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "object")]
        claims: Option<ObjectMembers>,
        #[serde(skip_serializing_if = "Option::is_none")]
        lifetime: Option<TokenSpan>,
    },
    Certificate {
        #[serde(skip_serializing_if = "Option::is_none")]
        certificate: Option<CertificateFacts>,
        /// The further certificates of the file, after the client's own.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        chain: Vec<ChainLink>,
    },
    ApiKey {
        /// Empty for a key without a brand.
        brand: String,
        id: String,
        /// The key at its tenant.
        #[serde(skip_serializing_if = "Option::is_none")]
        api_key: Option<ApiKeyView>,
    },
    Opaque {
        /// The key of the tenant that encrypted it.
        key: String,
    },
}

/// From `iat` to `exp`, in seconds.
#[derive(Debug, Serialize)]
pub(super) struct TokenSpan {
    issued_at: String,
    expires_at: String,
    pub(super) seconds: u64,
    /// Zero after expiry.
    pub(super) seconds_left: u64,
}

impl TokenSpan {
    pub(super) fn new(claims: &ObjectMembers, now: Timestamp) -> Option<Self> {
        let time = |name| claims.iter().find(|(claim, _)| claim == name)?.1.as_u64();
        let (iat, exp) = (time("iat")?, time("exp")?);
        Some(Self {
            issued_at: Timestamp::from_seconds(iat).to_rfc3339(),
            expires_at: Timestamp::from_seconds(exp).to_rfc3339(),
            seconds: exp.saturating_sub(iat),
            seconds_left: exp.saturating_sub(now.seconds()),
        })
    }
}

impl Content {
    /// Why the content is not verified.
    pub(super) const fn doubt(&self) -> &'static str {
        match self {
            Self::Jwt { .. } => "the signature was not checked, so anybody could have written this.",
            Self::Certificate { .. } => {
                "the chain was not checked, so anybody could have created this. Pass --client-ca."
            }
            Self::Opaque { .. } => "no server was asked. Pass --client TENANT CLIENT.",
            Self::ApiKey { .. } => "no tenant was asked about this key. Pass --tenant.",
        }
    }
}

/// A certificate between the client's certificate and an authority.
#[derive(Debug, Serialize)]
pub(super) struct ChainLink {
    subject_dn: String,
    issuer_dn: String,
    not_after: String,
}

impl ChainLink {
    pub(super) fn from_der(der: &[u8]) -> Self {
        let facts = CertificateFacts::read(der);
        let (subject_dn, issuer_dn, not_after) = match facts {
            Some(facts) => (facts.subject, facts.issuer, facts.validity.not_after.to_rfc3339()),
            None => ("not an X.509 certificate".to_owned(), String::new(), String::new()),
        };
        Self { subject_dn, issuer_dn, not_after }
    }

    pub(super) fn row(&self) -> Vec<String> {
        let Self { subject_dn, issuer_dn, not_after } = self;
        vec![subject_dn.clone(), format!("issued by {issuer_dn}, valid until {not_after}")]
    }
}

/// The values of a certificate. Each has the name of the member that registers it, so that both can be
/// copied.
pub(super) fn rows_of_certificate(facts: &CertificateFacts, now: Timestamp) -> Vec<Vec<String>> {
    let CertificateFacts { subject, issuer, thumbprint, public_key, validity, .. } = facts;
    let mut rows = vec![(SubjectKind::Dn.member(), subject.clone())];
    rows.extend(facts.alternative_names.iter().map(|name| (name.kind, name.value.clone())));
    rows.extend([
        ("issuer", issuer.clone()),
        ("x5t#S256", thumbprint.to_string()),
        ("public key", public_key.clone()),
        ("not before", instant(validity.not_before, now)),
        ("not after", instant(validity.not_after, now)),
    ]);
    rows.extend(facts.key_usage.as_ref().map(|usage| ("key usage", usage.join(", "))));
    let purposes = facts.extended_key_usage.as_ref();
    rows.extend(purposes.map(|purposes| ("extended key usage", purposes.join(", "))));
    named(rows)
}

fn named(rows: Vec<(&'static str, String)>) -> Vec<Vec<String>> {
    let shown = |text: String| if text.is_empty() { "(none)".to_owned() } else { text };
    rows.into_iter().map(|(name, value)| vec![name.to_owned(), shown(value)]).collect()
}

/// The parts of the key's text, and its row at the tenant.
pub(super) fn rows_of_api_key(
    brand: &str,
    id: &str,
    row: Option<&ApiKeyView>,
    now: Timestamp,
) -> Vec<Vec<String>> {
    let list = |texts: &Option<Vec<String>>| texts.iter().flatten().cloned().collect::<Vec<_>>().join(" ");
    let mut rows = vec![("brand", brand.to_owned()), ("id", id.to_owned())];
    if let Some(ApiKeyView { client_id, status, revoked_at, settings, .. }) = row {
        let at = |at: Option<administration::documents::Instant>| {
            at.map_or_else(String::new, |at| instant(at.0, now))
        };
        let status = match revoked_at.filter(|_| status == "revoked") {
            Some(revoked_at) => format!("revoked at {}", at(Some(revoked_at))),
            None => status.clone(),
        };
        rows.extend([
            ("client", client_id.clone()),
            ("name", settings.name.clone().unwrap_or_default()),
            ("status", status),
            ("ends", at(settings.expires_at)),
            ("scopes", list(&settings.scopes)),
            ("audiences", list(&settings.audiences)),
        ]);
    }
    named(rows)
}

/// The members in the order of the token.
fn object<S: Serializer>(members: &Option<ObjectMembers>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(members.iter().flatten().map(|(name, value)| (name, value)))
}
