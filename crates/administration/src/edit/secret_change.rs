//! A secret's end moves, or comes at once. The last live one may go, too: who asks for it means it.

use protocol::Timestamp;
use registry::{ClientId, SecretId};
use tenancy::TenantId;

use super::client_patch::look_to_end;
use super::{Edit, EditContext, Facts, invalid, privilege};
use crate::{Change, ClientState, EditError, SecretChange, SecretChangeKind, SecretState, TenantState};

/// Its end moves: to be later, it takes what a new secret takes. A secret that has ended does not come back: a thief that found it meanwhile must not come back with it.
pub(crate) fn expire(
    context: EditContext<'_>,
    facts: &Facts,
    names: (&TenantId, &ClientId),
    secret: &SecretId,
    expires_at: Option<Timestamp>,
) -> Result<Edit, EditError> {
    let (state, client, row) = find(context, facts, names, secret)?;
    if !row.secret.is_live(context.now) {
        return Err(EditError::Conflict(format!("secret {secret} has ended already; make a new one")));
    }
    if expires_at.is_some_and(|expires_at| expires_at <= context.now) {
        return Err(invalid("/expires_at", "this is past; revoke the secret to end it at once"));
    }
    let before = row.secret.expires_at;
    if before == expires_at {
        return Ok(Edit::default());
    }
    let is_earlier = expires_at.is_some_and(|end| before.is_none_or(|before| end < before));
    if !is_earlier {
        privilege::require_secret(context, &state.tenant, &client.client)?;
    }
    Ok(change(names, secret, SecretChangeKind::Rescheduled { before, after: expires_at }))
}

/// It ends at once; once more changes nothing.
pub(crate) fn revoke(
    context: EditContext<'_>,
    facts: &Facts,
    names: (&TenantId, &ClientId),
    secret: &SecretId,
) -> Result<Edit, EditError> {
    let (_, _, row) = find(context, facts, names, secret)?;
    if row.secret.revoked_at.is_some() {
        return Ok(Edit::default());
    }
    Ok(change(names, secret, SecretChangeKind::Revoked))
}

fn find<'a>(
    context: EditContext<'_>,
    facts: &'a Facts,
    names: (&TenantId, &ClientId),
    secret: &SecretId,
) -> Result<(&'a TenantState, &'a ClientState, &'a SecretState), EditError> {
    let (state, client) = look_to_end(context, facts, names, None)?;
    let row = client.secrets.iter().find(|row| row.secret.id == *secret);
    Ok((state, client, row.ok_or(EditError::NotFound("secret"))?))
}

fn change((tenant, client): (&TenantId, &ClientId), secret: &SecretId, kind: SecretChangeKind) -> Edit {
    let change = SecretChange { id: secret.clone(), kind };
    Edit::of(Change::Secret(tenant.clone(), client.clone(), change))
}

#[cfg(test)]
mod tests {
    use super::super::test_states::{NOW, ask, at, client_id, described, facts, operator, state, tenant_id};
    use super::*;
    use crate::ManagedBy;

    /// What moving the end does, and what revoking does.
    fn check(change: impl Fn(&mut SecretState), end: Option<u64>, moved: &str, revoked: &str) {
        let mut state = state("t");
        change(&mut state.clients[0].secrets[0]);
        let facts = facts(state);
        let names = (&tenant_id("t"), &client_id("svc"));
        let id = SecretId::new("s1");
        let found = ask(&operator(), |context| {
            [
                described(expire(context, &facts, names, &id, end.map(at))),
                described(revoke(context, &facts, names, &id)),
            ]
        });
        assert_eq!(found, [moved, revoked]);
    }

    #[test]
    fn an_end_moves_within_the_future_and_an_ended_secret_stays_ended() {
        let ends = |seconds| move |row: &mut SecretState| row.secret.expires_at = Some(at(seconds));
        check(|_| {}, Some(60), "svc/s1 from never to 60", "svc/s1 revoked");
        check(ends(60), None, "svc/s1 from 60 to never", "svc/s1 revoked");
        check(ends(60), Some(60), "", "svc/s1 revoked");
        check(|_| {}, None, "", "svc/s1 revoked");
        check(|_| {}, Some(0), "/expires_at", "svc/s1 revoked");
        check(ends(0), Some(60), "conflict", "svc/s1 revoked");
        check(|row| row.secret.revoked_at = Some(NOW), Some(60), "conflict", "");
        // A declared one is no exception.
        check(
            |row| row.managed_by = ManagedBy::Config,
            Some(60),
            "svc/s1 from never to 60",
            "svc/s1 revoked",
        );
        check(|row| row.secret.id = SecretId::new("s2"), None, NONE, NONE);
    }

    const NONE: &str = "there is no secret of this id";
}
