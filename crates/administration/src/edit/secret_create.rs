//! Creates a secret: one more, or one in place of all others.

use protocol::{Lifetime, Timestamp};
use registry::{ClientId, ClientSecret, SecretId};
use tenancy::TenantId;

use super::client_patch::find_to_change;
use super::{Edit, EditContext, Facts, SecretMaterial, invalid, privilege};
use crate::limits::Limit;
use crate::{
    Change, ClientState, EditError, ManagedBy, NewSecret, NewSecretSettings, RotateSettings, SecretChange,
    SecretChangeKind, SecretState,
};

/// For how long the old secrets are live where the request does not say.
const GRACE: Lifetime = Lifetime::from_seconds(86_400);

/// One more.
pub(crate) fn create(
    context: EditContext<'_>,
    facts: &Facts,
    names: (&TenantId, &ClientId),
    secret: &SecretMaterial,
    settings: &NewSecretSettings,
) -> Result<(Edit, SecretState), EditError> {
    let expires_at = settings.expires_at.map(Timestamp::from);
    let (row, Limit { most, name }) = check_new(context, facts, names, expires_at)?;
    let live = count(row, context.now);
    if live >= most {
        return Err(EditError::Conflict(format!(
            "client {} has {live} live secrets, and {most} may count at once ({name}); revoke one, let one expire, or rotate",
            row.client.id
        )));
    }
    Ok(add(row, secret, expires_at, context.now))
}

/// One more, and an end to all others. The limit does not stand in its way, because what it leaves ends by itself; but while a
/// rotation has left more than the limit, the next one waits or ends the old ones at once.
pub(crate) fn rotate(
    context: EditContext<'_>,
    facts: &Facts,
    names: (&TenantId, &ClientId),
    secret: &SecretMaterial,
    settings: &RotateSettings,
) -> Result<(Edit, SecretState), EditError> {
    let expires_at = settings.expires_at.map(Timestamp::from);
    let (row, Limit { most, name }) = check_new(context, facts, names, expires_at)?;
    let grace = settings.grace.unwrap_or(GRACE);
    let live_secrets = count(row, context.now);
    if grace.seconds() > 0 && live_secrets > most {
        return Err(EditError::Conflict(format!(
            "client {} has {live_secrets} live secrets of earlier rotations, more than {most} ({name}); wait until they end, revoke one, or rotate with grace 0",
            row.client.id
        )));
    }
    let (mut edit, made) = add(row, secret, expires_at, context.now);
    let end = context.now + grace;
    for old in live(row, context.now) {
        let before = old.secret.expires_at;
        let kind = if grace.seconds() == 0 {
            SecretChangeKind::Revoked
        } else if before.is_none_or(|before| end < before) {
            SecretChangeKind::Rescheduled { before, after: Some(end) }
        } else {
            continue;
        };
        edit.changes.push(of(row, &old.secret.id, kind));
    }
    Ok((edit, made))
}

/// This one, and none of the others. Sending the one that is live already changes nothing of it.
pub(super) fn replace_all(row: &ClientState, secret: &SecretMaterial, now: Timestamp) -> Edit {
    let is_same = |old: &&SecretState| old.secret.hash.matches(&secret.hash);
    let kept = live(row, now).find(is_same).map(|kept| &kept.secret.id);
    let mut edit = if kept.is_some() { Edit::default() } else { add(row, secret, None, now).0 };
    for old in live(row, now).filter(|old| Some(&old.secret.id) != kept) {
        edit.changes.push(of(row, &old.secret.id, SecretChangeKind::Revoked));
    }
    edit
}

/// What writes a secret after those that the client has.
pub(super) fn add(
    row: &ClientState,
    secret: &SecretMaterial,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> (Edit, SecretState) {
    let (tenant, client) = (&row.client.tenant, &row.client.id);
    let number = |id: &SecretId| id.as_str().strip_prefix('s')?.parse::<u64>().ok();
    let highest = row.secrets.iter().filter_map(|row| number(&row.secret.id)).max().unwrap_or(0);
    let id = SecretId::new(&format!("s{}", highest.saturating_add(1)));
    let SecretMaterial { hash, hint, form } = secret.clone();
    let kind = SecretChangeKind::Added { form, expires_at };
    let mut edit = Edit::of(of(row, &id, kind));
    let secret = ClientSecret { id, hash, hint, created_at: now, expires_at, revoked_at: None };
    edit.secrets.push(NewSecret {
        tenant: tenant.clone(),
        client: client.clone(),
        secret: secret.clone(),
        declared_digest: None,
    });
    let made = SecretState {
        secret,
        managed_by: ManagedBy::Api,
        revoked_by: None,
        declared_digest: None,
        declared_expires_at: None,
    };
    (edit, made)
}

fn check_new<'a>(
    context: EditContext<'_>,
    facts: &'a Facts,
    names: (&TenantId, &ClientId),
    expires_at: Option<Timestamp>,
) -> Result<(&'a ClientState, Limit), EditError> {
    let (state, row) = find_to_change(context, facts, names)?;
    privilege::require_secret(context, &state.tenant, &row.client)?;
    let method = row.client.authentication_method;
    if !method.allows_secret() {
        let message =
            format!("client {} authenticates by {method} and has no use for a secret", row.client.id);
        return Err(EditError::Conflict(message));
    }
    if expires_at.is_some_and(|expires_at| expires_at <= context.now) {
        return Err(invalid("/expires_at", "this is past; a new secret must count for a while"));
    }
    Ok((row, Limit::of_live_secrets(&state.tenant, context.policy.live_secrets)))
}

fn of(row: &ClientState, secret: &SecretId, kind: SecretChangeKind) -> Change {
    let change = SecretChange { id: secret.clone(), kind };
    Change::Secret(row.client.tenant.clone(), row.client.id.clone(), change)
}

fn count(row: &ClientState, now: Timestamp) -> u64 {
    live(row, now).count() as u64
}

fn live(row: &ClientState, now: Timestamp) -> impl Iterator<Item = &SecretState> {
    row.secrets.iter().filter(move |row| row.secret.is_live(now))
}

#[cfg(test)]
mod tests {
    use super::super::test_states::{
        NOW, ask, at, client_id, described, facts, material, operator, secret, state, tenant_id,
    };
    use super::*;
    use crate::Instant;

    /// Which secrets there are, each with its end or `revoked`; what making one more and rotating do. The limit is 3.
    fn check(secrets: &[(&str, &str)], grace: Option<u64>, made: &str, rotated: &str) {
        let mut state = state("t");
        let row = |(id, end): &(&str, &str)| {
            let mut row = secret(id);
            match *end {
                "" => {}
                "revoked" => row.secret.revoked_at = Some(NOW),
                end => row.secret.expires_at = Some(at(end.parse().unwrap())),
            }
            row
        };
        state.clients[0].secrets = secrets.iter().map(row).collect();
        let facts = facts(state);
        let names = (&tenant_id("t"), &client_id("svc"));
        let (new, rotation) = (
            NewSecretSettings::default(),
            RotateSettings { grace: grace.map(Lifetime::from_seconds), ..RotateSettings::default() },
        );
        let found = ask(&operator(), |context| {
            let created = create(context, &facts, names, &material(), &new).map(|(edit, _)| edit);
            let rotated = rotate(context, &facts, names, &material(), &rotation).map(|(edit, _)| edit);
            [described(created), described(rotated)].map(|described| described.replace("svc/", ""))
        });
        assert_eq!(found, [made, rotated], "{secrets:?} {grace:?}");
    }

    #[test]
    fn a_secret_takes_the_number_after_the_highest() {
        check(&[], None, "s1 added until never", "s1 added until never");
        check(&[("s7", "revoked"), ("s2", "revoked")], None, "s8 added until never", "s8 added until never");
        check(&[("odd", "revoked")], None, "s1 added until never", "s1 added until never");
    }

    #[test]
    fn rotating_gives_all_others_an_end_and_none_a_later_one() {
        check(&[("s1", "")], None, "s2 added until never", "s2 added until never, s1 from never to 86400");
        check(
            &[("s1", ""), ("s2", "60")],
            Some(100),
            "s3 added until never",
            "s3 added until never, s1 from never to 100",
        );
        check(
            &[("s1", "900"), ("s2", "revoked")],
            Some(100),
            "s3 added until never",
            "s3 added until never, s1 from 900 to 100",
        );
        check(&[("s1", "")], Some(0), "s2 added until never", "s2 added until never, s1 revoked");
    }

    #[test]
    fn the_limit_refuses_one_more_secret_but_not_a_rotation() {
        let three = [("s1", ""), ("s2", ""), ("s3", "60")];
        let rotated = "s4 added until never, s1 from never to 86400, s2 from never to 86400";
        check(&three, None, "conflict", rotated);
        // What does not count any more does not count.
        let two = [("s1", ""), ("s2", "revoked"), ("s3", "0"), ("s4", "")];
        check(
            &two,
            None,
            "s5 added until never",
            "s5 added until never, s1 from never to 86400, s4 from never to 86400",
        );
        // The rotation before has left more than the limit.
        let four = [("s1", "60"), ("s2", "60"), ("s3", "60"), ("s4", "")];
        check(&four, None, "conflict", "conflict");
        let revoked = "s5 added until never, s1 revoked, s2 revoked, s3 revoked, s4 revoked";
        check(&four, Some(0), "conflict", revoked);
    }

    #[test]
    fn a_new_secret_counts_for_a_while() {
        let facts = facts(state("t"));
        let names = (&tenant_id("t"), &client_id("svc"));
        for (expires_at, fits) in [(Some(NOW), false), (Some(at(1)), true), (None, true)] {
            let expires_at = expires_at.map(Instant);
            let (new, rotation) =
                (NewSecretSettings { expires_at }, RotateSettings { grace: None, expires_at });
            ask(&operator(), |context| {
                assert_eq!(create(context, &facts, names, &material(), &new).is_ok(), fits);
                assert_eq!(rotate(context, &facts, names, &material(), &rotation).is_ok(), fits);
            });
        }
    }

    #[test]
    fn a_client_that_proves_itself_otherwise_gets_no_secret() {
        let mut state = state("t");
        state.clients[0].client.authentication_method = protocol::ClientAuthenticationMethod::PrivateKeyJwt;
        let names = (&tenant_id("t"), &client_id("svc"));
        let made = ask(&operator(), |context| {
            create(context, &facts(state), names, &material(), &NewSecretSettings::default())
        });
        assert_eq!(described(made.map(|(edit, _)| edit)), "conflict");
    }
}
