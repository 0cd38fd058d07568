//! Tenants with their issuers, previous `typ` values and search terms.

use serde_json::{Value, json};
use tenancy::Tenant;

use super::lifecycle::with_lifecycle;
use super::{Decided, DecidedTenant, seconds, span};
use crate::{Change, ChangeKind, CommitRequest, search_terms};

/// What a commit does to tenants.
#[derive(Debug)]
pub struct TenantRows {
    /// Their own rows.
    pub rows: Vec<Value>,
    /// Tenants whose issuers and previous `typ` values are written again.
    pub rewritten: Vec<Value>,
    /// The issuers of added and rewritten tenants, after all old ones are deleted: two tenants can exchange issuers.
    pub issuers: Vec<Value>,
    /// The same for previous `typ` values.
    pub former_typs: Vec<Value>,
    /// Deleted and renamed tenants, whose search terms are deleted.
    pub outdated_terms: Vec<Value>,
    /// The search terms of added and renamed tenants.
    pub search_terms: Vec<Value>,
    /// Tenants whose secrets, keys, applications and answers to idempotency keys are deleted, and whose clients and resource servers
    /// are marked as deleted.
    pub deleted: Vec<Value>,
}

impl TenantRows {
    pub(super) fn of(request: &CommitRequest, decided: &Decided) -> Self {
        let changes = || {
            request.changes.iter().filter_map(|change| match change {
                Change::Tenant(row) => Some(row),
                _ => None,
            })
        };
        let (mut written, mut rewritten, mut renamed) = (Vec::new(), Vec::new(), Vec::new());
        let mut deleted: Vec<Value> = Vec::new();
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
        let outdated_terms = deleted.iter().cloned().chain(renamed.into_iter().map(tenant_key)).collect();
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

/// The search terms of a tenant, for a store that adds them to rows that were written without.
#[must_use]
pub fn search_term_rows_of(tenant_id: &str, name: &str) -> Vec<Value> {
    let terms = search_terms(&format!("{tenant_id} {name}"));
    terms.into_iter().map(|word| json!({ "tenant_id": tenant_id, "word": word })).collect()
}

fn tenant_key(tenant: &Tenant) -> Value {
    json!({ "tenant_id": tenant.id.as_str() })
}

fn tenant_row(row: &DecidedTenant) -> Value {
    let tenant = &row.tenant;
    let (signing, access_token) = (&tenant.signing, &tenant.access_token);
    let fields = json!({
        "tenant_id": tenant.id.as_str(),
        "name": tenant.name,
        "revision": row.revision,
        "keys_published_until": row.keys_published_until.map(seconds),
        "oauth2_enabled": tenant.strategies.oauth2,
        "oidc_enabled": tenant.strategies.oidc,
        "stale_if_error": span(tenant.stale_if_error),
        "signing_algorithm": signing.algorithm.as_str(),
        "rotate_every": span(signing.rotate_every),
        "publish_before": span(signing.publish_before),
        "jwks_max_age": span(signing.jwks_max_age),
        "jwks_stale": span(signing.jwks_stale),
        "skew": span(signing.skew),
        "rsa_bits": signing.rsa_bits,
        "hold_activation": signing.hold_activation.map(span),
        "access_token_lifetime": span(access_token.lifetime),
        "access_token_format": access_token.format.as_str(),
        "access_token_typ": access_token.typ,
        "limits": json!(tenant.limits).to_string(),
    });
    with_lifecycle(&row.lifecycle, fields)
}

fn issuer_rows(tenant: &Tenant) -> impl Iterator<Item = Value> {
    let issuers = std::iter::once(&tenant.issuer).chain(&tenant.issuer_aliases).enumerate();
    issuers.map(|(position, issuer)| {
        json!({ "tenant_id": tenant.id.as_str(), "position": position, "issuer": issuer.as_str() })
    })
}

fn previous_typ_rows(tenant: &Tenant) -> impl Iterator<Item = Value> {
    tenant.access_token.previous_typs.iter().map(|previous| {
        let accepted_until = seconds(previous.accepted_until);
        json!({ "tenant_id": tenant.id.as_str(), "typ": previous.typ, "accepted_until": accepted_until })
    })
}

fn search_term_rows(tenant: &Tenant) -> Vec<Value> {
    search_term_rows_of(tenant.id.as_str(), &tenant.name)
}
