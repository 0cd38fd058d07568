//! A client stops authenticating, authenticates again, and is deleted.

use registry::{Client, ClientId, ClientStatus};
use tenancy::TenantId;

use super::client_patch::{look, look_to_end, shortened};
use super::{Edit, EditContext, Facts};
use crate::{Change, ChangeKind, ClientState, EditError, RowChange};

/// It fails as an unknown client does.
pub(crate) fn suspend(
    context: EditContext<'_>,
    facts: &Facts,
    names: (&TenantId, &ClientId),
    if_match: Option<&str>,
) -> Result<Edit, EditError> {
    let (_, row) = look_to_end(context, facts, names, if_match)?;
    if row.lifecycle.suspended_at.is_some() {
        return Ok(Edit::default());
    }
    Ok(transition(row, ChangeKind::Suspended, ClientStatus::Suspended))
}

/// It may authenticate again.
pub(crate) fn resume(
    context: EditContext<'_>,
    facts: &Facts,
    names: (&TenantId, &ClientId),
    if_match: Option<&str>,
) -> Result<Edit, EditError> {
    let (_, row) = look(context, facts, names, if_match)?;
    if row.lifecycle.suspended_at.is_none() {
        return Ok(Edit::default());
    }
    Ok(transition(row, ChangeKind::Resumed, ClientStatus::Active))
}

/// It is gone, with its secrets; the row keeps its id from being used again.
pub(crate) fn delete(
    context: EditContext<'_>,
    facts: &Facts,
    names: (&TenantId, &ClientId),
    if_match: Option<&str>,
) -> Result<Edit, EditError> {
    let (state, row) = look(context, facts, names, if_match)?;
    if row.lifecycle.is_config_managed() {
        let id = &row.client.id;
        let message = format!("client {id} is declared in the operator's files; take it out there first");
        return Err(EditError::Conflict(message));
    }
    let mut edit = transition(row, ChangeKind::Deleted, ClientStatus::Suspended);
    edit.tenant_metadata.extend(shortened(context, state, &row.client, None));
    Ok(edit)
}

fn transition(row: &ClientState, kind: ChangeKind, status: ClientStatus) -> Edit {
    let after = Client { status, ..row.client.clone() };
    let before = Some(Box::new(row.client.clone()));
    Edit::of(Change::Client(RowChange { kind, before, after: Box::new(after) }))
}

#[cfg(test)]
mod tests {
    use super::super::test_states::{
        NOW, ask, at, client_id, described, facts, operator, set_token_lifetime, state, tenant_id,
    };
    use super::*;
    use crate::ManagedBy;

    /// What suspending, resuming and deleting do.
    fn check(change: impl Fn(&mut ClientState), expected: [&str; 3]) {
        let mut state = state("t");
        change(&mut state.clients[0]);
        let facts = facts(state);
        let names = (&tenant_id("t"), &client_id("svc"));
        let found = ask(&operator(), |context| {
            [
                described(suspend(context, &facts, names, None)),
                described(resume(context, &facts, names, None)),
                described(delete(context, &facts, names, None)),
            ]
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn each_transition_happens_once_and_a_declared_client_is_not_deleted() {
        check(|_| {}, ["svc suspended", "", "svc deleted"]);
        check(|c| c.lifecycle.suspended_at = Some(NOW), ["", "svc resumed", "svc deleted"]);
        check(|c| c.lifecycle.deleted_at = Some(NOW), ["there is no client of this id"; 3]);
        let declared = |c: &mut ClientState| c.lifecycle.managed_by = ManagedBy::Config;
        check(declared, ["svc suspended", "", "conflict"]);
        let retired = |c: &mut ClientState| {
            declared(c);
            c.lifecycle.retired_at = Some(NOW);
        };
        check(retired, ["svc suspended", "", "svc deleted"]);
    }

    #[test]
    fn the_tokens_of_a_deleted_client_are_remembered() {
        let mut state = state("t");
        set_token_lifetime(&mut state.clients[0].client, 9000);
        let names = (&tenant_id("t"), &client_id("svc"));
        let edit = ask(&operator(), |context| delete(context, &facts(state), names, None)).unwrap();
        assert_eq!(edit.tenant_metadata[0].previous_tokens_until, Some(at(9010)));
    }
}
