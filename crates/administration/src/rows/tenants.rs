//! Tenants, with what they are found by: issuers, former `typ` values, words.

use serde::Serialize;
use tenancy::Tenant;

use super::{Decided, DecidedTenant, LifecycleRow, seconds, span};
use crate::{Change, ChangeKind, CommitRequest, search_terms};

/// What a commit does to tenants.
#[derive(Debug)]
pub struct TenantRows<'a> {
    /// Their own rows.
    pub rows: Vec<TenantRow<'a>>,
    /// Whose issuers and former `typ` values are written anew.
    pub rewritten: Vec<TenantKey<'a>>,
    /// The new issuers of those that are added or rewritten, once all old ones are given up: two tenants can change places.
    pub issuers: Vec<IssuerRow<'a>>,
    /// The same for former `typ` values.
    pub former_typs: Vec<PreviousTypRow<'a>>,
    /// Whose words are removed: deleted and renamed ones.
    pub outdated_terms: Vec<TenantKey<'a>>,
    /// The words of those that are added or renamed.
    pub search_terms: Vec<SearchTermRow<'a>>,
    /// Who loses secrets, keys, applications and answers to idempotency keys, and whose clients and resource servers are marked as
    /// deleted.
    pub deleted: Vec<TenantKey<'a>>,
}

/// Which tenant.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TenantKey<'a> {
    /// Its id.
    pub tenant_id: &'a str,
}

/// A tenant's row.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct TenantRow<'a> {
    pub tenant_id: &'a str,
    pub name: &'a str,
    #[serde(flatten)]
    pub lifecycle: LifecycleRow,
    pub revision: i64,
    pub keys_published_until: Option<i64>,
    pub oauth2_enabled: bool,
    pub oidc_enabled: bool,
    pub stale_if_error: i64,
    pub signing_algorithm: &'a str,
    pub rotate_every: i64,
    pub publish_before: i64,
    pub jwks_max_age: i64,
    pub jwks_stale: i64,
    pub skew: i64,
    pub rsa_bits: u32,
    pub hold_activation: Option<i64>,
    pub access_token_lifetime: i64,
    pub access_token_format: &'a str,
    pub access_token_typ: &'a str,
}

/// A row of `tenant_issuers`.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct IssuerRow<'a> {
    pub tenant_id: &'a str,
    pub position: usize,
    pub issuer: &'a str,
}

/// A row of `tenant_former_typs`.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct PreviousTypRow<'a> {
    pub tenant_id: &'a str,
    pub typ: &'a str,
    pub accepted_until: i64,
}

/// A row of `tenant_words`.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct SearchTermRow<'a> {
    pub word: String,
    pub tenant_id: &'a str,
}

impl<'a> TenantRows<'a> {
    pub(super) fn of(request: &'a CommitRequest, decided: &'a Decided) -> Self {
        let changes = || {
            request.changes.iter().filter_map(|change| match change {
                Change::Tenant(row) => Some(row),
                _ => None,
            })
        };
        let (mut written, mut rewritten, mut renamed) = (Vec::new(), Vec::new(), Vec::new());
        let mut deleted: Vec<TenantKey<'a>> = Vec::new();
        for change in changes() {
            let after: &Tenant = &change.after;
            match change.kind {
                ChangeKind::Added => written.push(after),
                ChangeKind::Changed | ChangeKind::Restored => {
                    written.push(after);
                    rewritten.push(tenant_key(after));
                    if change.before.as_ref().is_none_or(|before| before.name != after.name) {
                        renamed.push(after);
                    }
                }
                ChangeKind::Deleted => deleted.push(tenant_key(after)),
                _ => {}
            }
        }
        let added = changes().filter(|change| change.kind == ChangeKind::Added).map(|change| &*change.after);
        let search_terms = added.chain(renamed.iter().copied()).flat_map(search_term_rows).collect();
        let outdated_terms = deleted.iter().copied().chain(renamed.into_iter().map(tenant_key)).collect();
        Self {
            issuers: written.iter().copied().flat_map(issuer_rows).collect(),
            former_typs: written.iter().copied().flat_map(previous_typ_rows).collect(),
            rows: decided.tenants.values().map(tenant_row).collect(),
            rewritten,
            outdated_terms,
            search_terms,
            deleted,
        }
    }
}

/// The words that a tenant is found by, for a store that has to make them for rows that were written without.
#[must_use]
pub fn search_term_rows_of<'a>(tenant_id: &'a str, name: &str) -> Vec<SearchTermRow<'a>> {
    let search_terms = search_terms(&format!("{tenant_id} {name}"));
    search_terms.into_iter().map(|word| SearchTermRow { word, tenant_id }).collect()
}

fn tenant_key(tenant: &Tenant) -> TenantKey<'_> {
    TenantKey { tenant_id: tenant.id.as_str() }
}

fn tenant_row(row: &DecidedTenant) -> TenantRow<'_> {
    let tenant = &row.tenant;
    let (signing, access_token) = (&tenant.signing, &tenant.access_token);
    TenantRow {
        tenant_id: tenant.id.as_str(),
        name: &tenant.name,
        lifecycle: row.lifecycle.into(),
        revision: i64::try_from(row.revision).unwrap_or(i64::MAX),
        keys_published_until: row.keys_published_until.map(seconds),
        oauth2_enabled: tenant.strategies.oauth2,
        oidc_enabled: tenant.strategies.oidc,
        stale_if_error: span(tenant.stale_if_error),
        signing_algorithm: signing.algorithm.as_str(),
        rotate_every: span(signing.rotate_every),
        publish_before: span(signing.publish_before),
        jwks_max_age: span(signing.jwks_max_age),
        jwks_stale: span(signing.jwks_stale),
        skew: span(signing.skew),
        rsa_bits: signing.rsa_bits,
        hold_activation: signing.hold_activation.map(span),
        access_token_lifetime: span(access_token.lifetime),
        access_token_format: access_token.format.as_str(),
        access_token_typ: &access_token.typ,
    }
}

fn issuer_rows(tenant: &Tenant) -> impl Iterator<Item = IssuerRow<'_>> {
    let issuers = std::iter::once(&tenant.issuer).chain(&tenant.issuer_aliases).enumerate();
    issuers.map(|(position, issuer)| IssuerRow {
        tenant_id: tenant.id.as_str(),
        position,
        issuer: issuer.as_str(),
    })
}

fn previous_typ_rows(tenant: &Tenant) -> impl Iterator<Item = PreviousTypRow<'_>> {
    tenant.access_token.previous_typs.iter().map(|previous| PreviousTypRow {
        tenant_id: tenant.id.as_str(),
        typ: &previous.typ,
        accepted_until: seconds(previous.accepted_until),
    })
}

fn search_term_rows(tenant: &Tenant) -> Vec<SearchTermRow<'_>> {
    search_term_rows_of(tenant.id.as_str(), &tenant.name)
}
