//! Scopes for people, with the tenant's description, or a description in the person's language for
//! standard scopes.

use pages::{Language, ScopeLine};
use tenancy::Tenant;

pub(super) fn scope_lines<S: Into<String>>(
    tenant: &Tenant,
    apis: &[String],
    names: impl Iterator<Item = S>,
    language: Language,
) -> Vec<ScopeLine> {
    let line = |name: S| {
        let line = ScopeLine::new(name.into(), language);
        let said = Vec::from_iter(tenant.descriptions_of(&line.name, apis)).join("; ");
        if said.is_empty() { line } else { ScopeLine { description: said, ..line } }
    };
    names.map(line).collect()
}
