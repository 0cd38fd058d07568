//! The steps of a tenant's life: suspend, resume, and delete in two steps, the first of which can be cancelled.

use protocol::Timestamp;
use tenancy::{Tenant, TenantId, TenantStatus};

use super::{Edit, EditContext, declared};
use crate::{Change, ChangeKind, EditError, ManagedBy, Permission, RowChange, TenantState, TenantView};

/// A step of a tenant's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantStep {
    /// It stops serving. Its keys stay published until the last of its tokens has expired.
    Suspend,
    /// It serves again, unless another reason keeps it from serving.
    Resume,
    /// All tokens that it has issued until now are revoked, those of its administrators too. It goes on issuing tokens.
    RevokeTokens,
    /// The first step of its deletion: it stops serving, and is deleted when its time of grace is over.
    ScheduleDeletion,
    /// Cancels the first step.
    CancelDeletion,
    /// The second step, which destroys secrets and keys; the id stays reserved. An administrator who does not want to wait takes both.
    Delete,
}

/// A repeated step changes nothing, and does not move the time of a deletion; a deleted tenant is not found.
pub(crate) fn step(context: EditContext<'_>, step: TenantStep) -> Result<Edit, EditError> {
    context.by.require_everywhere(Permission::Tenants)?;
    let state = context.facts.tenant()?;
    let (id, lifecycle) = (&state.tenant.id, state.lifecycle);
    if step != TenantStep::RevokeTokens {
        context.require_match(|| TenantView::of(state, &context.policy.public_url))?;
    }
    let kind = match step {
        TenantStep::RevokeTokens => return Ok(Edit::of(Change::Tokens(id.clone(), None))),
        TenantStep::Suspend => {
            require_not_platform(state)?;
            ChangeKind::Suspended
        }
        TenantStep::Resume => ChangeKind::Resumed,
        TenantStep::ScheduleDeletion => {
            require_deletable(state)?;
            ChangeKind::DeletionScheduled { due_at: context.now + context.policy.deletion_grace }
        }
        TenantStep::CancelDeletion => ChangeKind::DeletionCancelled,
        TenantStep::Delete => {
            require_deletable(state)?;
            if lifecycle.deletion_due_at.is_none() {
                let message = format!("tenant {id} is deleted in two steps; take the first one before");
                return Err(EditError::Conflict(message));
            }
            ChangeKind::Deleted
        }
    };
    if lifecycle.is_after(kind) {
        return Ok(Edit::default());
    }
    let serves = lifecycle.after(kind, ManagedBy::Api, context.now).is_some_and(|after| after.serves());
    let status = if serves { TenantStatus::Active } else { stopped(context, state) };
    let after = Tenant { status, ..state.tenant.clone() };
    Ok(Edit::of(Change::Tenant(RowChange::of(kind, Some(&state.tenant), after))))
}

/// Whether its grace period is over. A tenant that was declared again since then is not deleted.
pub(crate) fn is_due(state: &TenantState, now: Timestamp) -> bool {
    let lifecycle = &state.lifecycle;
    lifecycle.deleted_at.is_none()
        && lifecycle.deletion_due_at.is_some_and(|due_at| due_at <= now)
        && require_deletable(state).is_ok()
}

/// Without it no administrator could sign in, not even to resume it.
fn require_not_platform(state: &TenantState) -> Result<(), EditError> {
    if state.tenant.id.as_str() == TenantId::PLATFORM {
        return Err(EditError::Conflict("tenant platform is Latchkey's own and goes on serving".to_owned()));
    }
    Ok(())
}

fn require_deletable(state: &TenantState) -> Result<(), EditError> {
    require_not_platform(state)?;
    if state.lifecycle.is_config_managed() {
        return Err(declared("tenant", &state.tenant.id, "take it out there first"));
    }
    Ok(())
}

/// A tenant that does not serve already issues nothing that would need its keys longer.
fn stopped(context: EditContext<'_>, state: &TenantState) -> TenantStatus {
    let until = || state.tokens_until(context.now, context.policy.l1_lifetime);
    match state.tenant.status {
        TenantStatus::Active => TenantStatus::Suspended { keys_published_until: until() },
        stopped @ TenantStatus::Suspended { .. } => stopped,
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_states::{NOW, ask, at, described, facts, operator, state};
    use super::*;

    const STEPS: [TenantStep; 5] = [
        TenantStep::Suspend,
        TenantStep::Resume,
        TenantStep::ScheduleDeletion,
        TenantStep::CancelDeletion,
        TenantStep::Delete,
    ];

    /// What suspending, resuming, and the three steps of a deletion do.
    fn check(id: &str, change: impl Fn(&mut TenantState), expected: [&str; 5]) {
        let mut state = state(id);
        change(&mut state);
        let facts = facts(state);
        let found = STEPS.map(|of| described(ask(&operator(), |context| step(context.on(&facts), of))));
        assert_eq!(found, expected);
    }

    const DUE: &str = "tenant due 1604800";

    #[test]
    fn each_transition_happens_once() {
        check("t", |_| {}, ["tenant suspended", "", DUE, "", "conflict"]);
        check("t", |t| t.lifecycle.suspended_at = Some(NOW), ["", "tenant resumed", DUE, "", "conflict"]);
        check(
            "t",
            |t| t.lifecycle.deletion_due_at = Some(at(9)),
            ["tenant suspended", "", "", "tenant deletion_cancelled", "tenant deleted"],
        );
        let none = "there is no tenant of this id";
        check("t", |t| t.lifecycle.deleted_at = Some(NOW), [none; 5]);
    }

    #[test]
    fn a_declared_tenant_is_suspended_but_not_deleted_before_it_is_retired() {
        let declared = |t: &mut TenantState| t.lifecycle.managed_by = ManagedBy::Config;
        check("t", declared, ["tenant suspended", "", "conflict", "", "conflict"]);
        let retired = |t: &mut TenantState| {
            declared(t);
            t.lifecycle.retired_at = Some(NOW);
        };
        check("t", retired, ["tenant suspended", "", DUE, "", "conflict"]);
    }

    #[test]
    fn the_platform_s_own_tenant_goes_on_serving() {
        check("platform", |_| {}, ["conflict", "", "conflict", "", "conflict"]);
    }

    fn status_after(of: TenantStep, change: impl Fn(&mut TenantState)) -> TenantStatus {
        let mut state = state("t");
        change(&mut state);
        let edit = ask(&operator(), |context| step(context.on(&facts(state)), of)).unwrap();
        let Change::Tenant(row) = &edit.changes[0] else { panic!("{edit:?}") };
        row.after.status
    }

    #[test]
    fn keys_stay_published_until_the_last_token_has_expired() {
        let until = |keys_published_until| TenantStatus::Suspended { keys_published_until };
        assert_eq!(status_after(TenantStep::Suspend, |_| {}), until(at(3610)));
        assert_eq!(
            status_after(TenantStep::Suspend, |t| t.previous_tokens_until = Some(at(9999))),
            until(at(9999))
        );
        // It stopped serving before, and has issued nothing since.
        let stopped = |t: &mut TenantState| {
            t.tenant.status = until(at(5));
            t.lifecycle.suspended_at = Some(NOW);
        };
        assert_eq!(status_after(TenantStep::ScheduleDeletion, stopped), until(at(5)));
        // Resuming lets it serve only where nothing else stands in the way.
        assert_eq!(status_after(TenantStep::Resume, stopped), TenantStatus::Active);
        let deleting = |t: &mut TenantState| {
            stopped(t);
            t.lifecycle.deletion_due_at = Some(at(9));
        };
        assert_eq!(status_after(TenantStep::Resume, deleting), until(at(5)));
        assert_eq!(status_after(TenantStep::CancelDeletion, deleting), until(at(5)));
    }

    #[test]
    fn a_deletion_is_due_at_its_time_unless_it_was_cancelled() {
        let check = |change: &dyn Fn(&mut TenantState), expected| {
            let mut state = state("t");
            state.lifecycle.deletion_due_at = Some(NOW);
            change(&mut state);
            assert_eq!(is_due(&state, NOW), expected);
        };
        check(&|_| {}, true);
        check(&|t| t.lifecycle.deletion_due_at = Some(at(1)), false);
        check(&|t| t.lifecycle.deletion_due_at = None, false);
        check(&|t| t.lifecycle.deleted_at = Some(NOW), false);
        check(&|t| t.lifecycle.managed_by = ManagedBy::Config, false);
    }
}
