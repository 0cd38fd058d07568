//! Which `typ` values of the past a tenant still accepts once it has a new one (RFC 8725 §3.11).

use protocol::{Lifetime, Timestamp};
use tenancy::PreviousTyp;

use crate::TenantState;

/// Those that are not over, and the present one if it is replaced: until the last token that bears it has expired.
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
