//! Scopes as people see them: what the tenant says of each, or else what is known of it in their language.

use pages::{Language, ScopeLine};
use tenancy::Tenant;

/// The scopes that a client asks for, or may use, at these APIs.
pub(super) fn scope_lines<S: Into<String>>(
    tenant: &Tenant,
    apis: &[String],
    names: impl Iterator<Item = S>,
    language: Language,
) -> Vec<ScopeLine> {
    let line = |name: S| {
        let line = ScopeLine::of(name.into(), language);
        let said = Vec::from_iter(tenant.descriptions_of(&line.name, apis)).join("; ");
        if said.is_empty() { line } else { ScopeLine { description: said, ..line } }
    };
    names.map(line).collect()
}
