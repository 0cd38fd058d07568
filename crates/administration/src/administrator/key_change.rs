//! Changes of a tenant's keys.
//!
//! The publication time of a key is the moment of the decision, so nothing slow may run between the decision
//! and its commit. Generating a key takes seconds, so the change is decided again afterwards.

use values::Lifetime;

use super::commit_with_retry::Decision;
use super::key_material::KeyMaterial;
use super::load::Needs;
use super::{Created, InTenant};
use crate::documents;
use crate::edit::{EditContext, Edited, key_edit::KeyDecision};
use crate::store::TenantKeys;

impl InTenant<'_> {
    /// Decides and commits until a commit succeeds. Returns the keys as they are after the commit.
    pub(super) async fn change_keys(
        &self,
        operation: Option<&str>,
        imported: Option<KeyMaterial>,
        mut decide: impl FnMut(EditContext<'_>) -> Edited<KeyDecision> + Send,
    ) -> Edited<Created<documents::KeysChanged>> {
        let idempotency = operation.and_then(|operation| self.idempotency(operation));
        let thumbprint = imported.as_ref().map(|material| material.thumbprint().to_owned());
        let needs = Needs { keys: true, imported: thumbprint, ..Needs::default() };
        let decide = |context: EditContext<'_>, prepared: &mut Option<KeyMaterial>| {
            let (state, decision) = (context.facts.keys()?, decide(context)?);
            let mut made = None;
            if let Some(announced) = decision.plan.announce {
                made = prepared
                    .as_ref()
                    .and_then(|material| material.record(announced, state.tenant.signing.kid));
                if made.is_none() {
                    return Ok(Decision::Prepare(Box::pin(self.prepare_key(
                        self.tenant,
                        announced,
                        prepared.take(),
                    ))));
                }
            }
            let (edit, records) = decision.edit(state, made, context.now);
            // A revocation that has effect in the past is never too late.
            let valid_for = (!decision.cuts).then(|| margin(state));
            let value = documents::KeysChanged {
                items: documents::KeyView::all(&records, context.now),
                breaks: decision.breaks.into_iter().map(documents::BrokenTokensView::from).collect(),
            };
            Ok(Decision::Commit { edit, value, valid_for })
        };
        self.commit_prepared(needs, idempotency, imported, decide, |value, _| Ok(value)).await
    }
}

/// How old a decision may be when it is written. A key is published for a window before it signs. Verifiers
/// may use the whole window except the skew, which allows for clocks that differ. So the difference of the
/// clocks and the duration of a commit share the skew. One exception has no bound: if a commit is abandoned,
/// its last statement may still reach the database later.
fn margin(state: &TenantKeys) -> Lifetime {
    const LEAST: Lifetime = Lifetime::from_seconds(1);
    const MOST: Lifetime = Lifetime::from_seconds(10);
    state.tenant.signing.skew.clamp(LEAST, MOST)
}
