//! The steps of a client's life: suspend, resume, delete.

use registry::{Client, ClientId, ClientStatus};
use tenancy::TenantId;

use super::client_patch::{find, find_to_change, shortened};
use super::{Edit, EditContext, declared};
use crate::{Change, ChangeKind, ClientView, EditError, RowChange};

/// A step of a client's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientStep {
    /// It no longer authenticates: it fails as an unknown client does.
    Suspend,
    /// It authenticates again.
    Resume,
    /// All tokens that it was issued until now are revoked. Nothing else of it changes, and it goes on getting tokens.
    RevokeTokens,
    /// It is deleted with its secrets; the row keeps its id from being used again.
    Delete,
}

/// A repeated step changes nothing, but a deleted client is not found. Each manager of clients may end what a client may do, so suspending
/// and revoking take no privilege over the client.
pub(crate) fn step(
    context: EditContext<'_>,
    names: (&TenantId, &ClientId),
    step: ClientStep,
) -> Result<Edit, EditError> {
    let takes_privilege = matches!(step, ClientStep::Resume | ClientStep::Delete);
    let (state, row) = if takes_privilege { find_to_change(context, names) } else { find(context, names) }?;
    if step != ClientStep::RevokeTokens {
        context.require_match(|| ClientView::of(row, context.now))?;
    }
    let (kind, status) = match step {
        ClientStep::RevokeTokens => {
            return Ok(Edit::of(Change::Tokens(names.0.clone(), Some(names.1.clone()))));
        }
        ClientStep::Suspend => (ChangeKind::Suspended, ClientStatus::Suspended),
        ClientStep::Resume => (ChangeKind::Resumed, ClientStatus::Active),
        ClientStep::Delete if row.lifecycle.is_config_managed() => {
            return Err(declared("client", &row.client.id, "take it out there first"));
        }
        ClientStep::Delete => (ChangeKind::Deleted, ClientStatus::Suspended),
    };
    if row.lifecycle.is_after(kind) {
        return Ok(Edit::default());
    }
    let after = Client { status, ..row.client.clone() };
    let mut edit = Edit::of(Change::Client(RowChange::of(kind, Some(&row.client), after)));
    if step == ClientStep::Delete {
        edit.tenant_metadata.extend(shortened(context, state, &row.client, None));
    }
    Ok(edit)
}

#[cfg(test)]
mod tests {
    use super::super::test_states::{
        NOW, ask, at, client_id, described, facts, operator, set_token_lifetime, state, tenant_id,
    };
    use super::*;
    use crate::{ClientState, ManagedBy};

    /// What suspending, resuming and deleting do.
    fn check(change: impl Fn(&mut ClientState), expected: [&str; 3]) {
        let mut state = state("t");
        change(&mut state.clients[0]);
        let facts = facts(state);
        let names = (&tenant_id("t"), &client_id("svc"));
        let found = ask(&operator(), |context| {
            [ClientStep::Suspend, ClientStep::Resume, ClientStep::Delete]
                .map(|of| described(step(context.on(&facts), names, of)))
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
        let edit =
            ask(&operator(), |context| step(context.on(&facts(state)), names, ClientStep::Delete)).unwrap();
        assert_eq!(edit.tenant_metadata[0].previous_tokens_until, Some(at(9010)));
    }
}
