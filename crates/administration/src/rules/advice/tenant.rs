//! Advice on a tenant as a whole.

use values::ShellCommand;

use super::{Advice, Known, advice};

/// Warns if the tenant has nine tenths of the clients that it may have.
pub(super) fn near_limit(known: &Known<'_>) -> Vec<Advice> {
    let Some(most) = known.most_clients else { return Vec::new() };
    let count = known.state.client_count;
    if count.saturating_mul(10) < most.saturating_mul(9) {
        return Vec::new();
    }
    let evidence = format!("The tenant has {count} of {most} clients.");
    let values =
        [("TENANT", known.state.tenant.id.as_str()), ("COUNT", &*most.saturating_mul(2).to_string())];
    let action = ShellCommand::new("latchkey tenant set TENANT limits.clients=COUNT", &values).to_string();
    vec![advice("near_limit", "", evidence, action)]
}
