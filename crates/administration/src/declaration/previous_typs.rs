//! The previous `typ` values that a tenant still accepts after it got a new one (RFC 8725 §3.11).

use tenancy::PreviousTyp;
use values::{Lifetime, Timestamp};

use crate::kinds::TenantState;

/// The previous values that are still accepted, and the current value if it is replaced. Each value is
/// accepted until the last token with it has expired.
pub(crate) fn after_change(
    state: &TenantState,
    typ: &str,
    now: Timestamp,
    l1_lifetime: Lifetime,
) -> Vec<PreviousTyp> {
    let before = &state.tenant.access_token;
    let kept = |previous: &&PreviousTyp| now < previous.accepted_until && previous.typ != typ;
    let mut previous_typs: Vec<_> = before.previous_typs.iter().filter(kept).cloned().collect();
    if before.typ != typ {
        previous_typs.retain(|previous| previous.typ != before.typ);
        previous_typs.push(PreviousTyp {
            typ: before.typ.clone(),
            accepted_until: state.tokens_until(now, l1_lifetime),
        });
    }
    previous_typs
}
