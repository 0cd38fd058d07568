//! The steps of a secret's life: its end moves, or comes at once. The last live secret may end, too.

use protocol::Timestamp;
use registry::{ClientId, SecretId};
use tenancy::TenantId;

use super::client_patch::find;
use super::{Edit, EditContext, invalid, privilege};
use crate::{Change, EditError, SecretChange, SecretChangeKind};

/// A step of a secret's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretStep {
    /// Its end moves; without an end it lives until it is revoked. A later end takes what a new secret takes.
    Expire(Option<Timestamp>),
    /// It ends at once.
    Revoke,
}

/// A step that was taken before changes nothing. A secret that has ended does not live again, because a thief may have found it since.
pub(crate) fn step(
    context: EditContext<'_>,
    (tenant, client): (&TenantId, &ClientId),
    secret: &SecretId,
    step: SecretStep,
) -> Result<Edit, EditError> {
    let (state, owner) = find(context, (tenant, client))?;
    let row = owner.secrets.iter().find(|row| row.secret.id == *secret);
    let row = &row.ok_or(EditError::NotFound("secret"))?.secret;
    let kind = match step {
        SecretStep::Revoke if row.revoked_at.is_some() => return Ok(Edit::default()),
        SecretStep::Revoke => SecretChangeKind::Revoked,
        SecretStep::Expire(_) if !row.is_live(context.now) => {
            return Err(EditError::Conflict(format!("secret {secret} has ended already; make a new one")));
        }
        SecretStep::Expire(Some(end)) if end <= context.now => {
            return Err(invalid("/expires_at", "this is past; revoke the secret to end it at once"));
        }
        SecretStep::Expire(end) if end == row.expires_at => return Ok(Edit::default()),
        SecretStep::Expire(after) => {
            let before = row.expires_at;
            let is_earlier = after.is_some_and(|end| before.is_none_or(|before| end < before));
            if !is_earlier {
                privilege::require_secret(context, &state.tenant, &owner.client)?;
            }
            SecretChangeKind::Rescheduled { before, after }
        }
    };
    let change = SecretChange { id: secret.clone(), kind };
    Ok(Edit::of(Change::Secret(tenant.clone(), client.clone(), change)))
}

#[cfg(test)]
mod tests {
    use super::super::test_states::{NOW, ask, at, client_id, described, facts, operator, state, tenant_id};
    use super::*;
    use crate::{ManagedBy, SecretState};

    /// What moving the end does, and what revoking does.
    fn check(change: impl Fn(&mut SecretState), end: Option<u64>, moved: &str, revoked: &str) {
        let mut state = state("t");
        change(&mut state.clients[0].secrets[0]);
        let facts = facts(state);
        let names = (&tenant_id("t"), &client_id("svc"));
        let id = SecretId::new("s1");
        let found = ask(&operator(), |context| {
            [
                described(step(context.on(&facts), names, &id, SecretStep::Expire(end.map(at)))),
                described(step(context.on(&facts), names, &id, SecretStep::Revoke)),
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
