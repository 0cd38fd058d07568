//! Creates a secret, as a further one or as a replacement of all others, and takes the steps of its life: its
//! end moves, or it is revoked. The last live secret may end, too.

use protocol::Credential;
use registry::{Client, ClientId, ClientSecret, SecretId};
use secrets::GeneratedSecret;
use values::{Lifetime, Timestamp};

use super::{Edit, EditContext, Edited, SecretMaterial, invalid, privilege};
use crate::limits::TenantLimit;
use crate::{
    Change, ClientState, EditError, ManagedBy, SecretChange, SecretChangeKind, SecretForm, SecretPlace,
    SecretState,
};

/// How long the old secrets stay live if a rotation does not say.
pub(crate) const GRACE: Lifetime = Lifetime::from_seconds(86_400);

/// The end of a new secret, and the end of the others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SecretEnds {
    /// When the new secret ends. Without it, the secret is valid until it is revoked.
    pub(crate) expires_at: Option<Timestamp>,
    /// How long the others stay live, if this is a rotation.
    pub(crate) grace: Option<Lifetime>,
}

/// Creates one more secret. A rotation gives all others an end. The limit does not refuse a rotation, because
/// the others end by themselves. But while a rotation has left more secrets than the limit, the next one
/// waits, or ends the old ones at once.
pub(crate) fn create(
    context: EditContext<'_>,
    client: &ClientId,
    secret: &SecretMaterial,
    ends: SecretEnds,
) -> Edited {
    create_into(context, client, secret, ends, None)
}

/// Does the same as [`create`]. A rotation that writes the secret `into` a secret store gives the others
/// their end later, by [`end_others`].
pub(crate) fn create_into(
    context: EditContext<'_>,
    client: &ClientId,
    secret: &SecretMaterial,
    SecretEnds { expires_at, grace }: SecretEnds,
    into: Option<&SecretPlace>,
) -> Edited {
    let (state, row) = privilege::client_to_change(context, client)?;
    let (client, now) = (&row.client, context.now);
    privilege::require_secret(context, &state.tenant, client)?;
    let (id, method) = (&client.id, client.authentication_method);
    if !method.allows(Some(Credential::Secret)) {
        let message = format!("client {id} authenticates by {method} and has no use for a secret");
        return Err(EditError::Conflict(message));
    }
    if expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(invalid("/expires_at", "this is past; a new secret must count for a while"));
    }
    let TenantLimit { most, name } = TenantLimit::of_live_secrets(&state.tenant, context.policy.live_secrets);
    let count = live(row, now).count() as u64;
    match grace {
        None if count >= most => {
            // A rotation creates one more than the limit, and the next one is refused.
            let or_rotate = if count > most { "" } else { ", or rotate" };
            return Err(EditError::Conflict(format!(
                "client {id} has {count} live secrets, and {most} may count at once ({name}); revoke one, let one expire{or_rotate}"
            )));
        }
        Some(grace) if grace.seconds() > 0 && count > most => {
            return Err(EditError::Conflict(format!(
                "client {id} has {count} live secrets of earlier rotations, more than {most} ({name}); wait until they end, revoke one, or rotate with grace 0"
            )));
        }
        _ => {}
    }
    let mut edit = add(client, &row.secrets, secret, expires_at, now);
    let Some(grace) = grace.filter(|_| into.is_none()) else {
        if let [Change::Secret(_, _, added)] = &mut edit.changes[..] {
            added.in_store = into.map(ToString::to_string);
        }
        return Ok(edit);
    };
    edit.changes.extend(endings(client, live(row, now), grace, now));
    Ok(edit)
}

/// The callers of the client can find the new secret of a rotation now, so the others get their end.
pub(crate) fn end_others(
    context: EditContext<'_>,
    client: &ClientId,
    new: &SecretId,
    grace: Lifetime,
) -> Edited {
    let (_, row) = privilege::client_to_change(context, client)?;
    let before = row.secrets.iter().take_while(|row| row.secret.id != *new);
    let live = before.filter(|row| row.secret.is_live(context.now));
    Ok(Edit { changes: endings(&row.client, live, grace, context.now), ..Edit::default() })
}

/// The changes that give secrets their end after a grace period.
fn endings<'a>(
    client: &Client,
    secrets: impl Iterator<Item = &'a SecretState>,
    grace: Lifetime,
    now: Timestamp,
) -> Vec<Change> {
    let end = now + grace;
    let mut changes = Vec::new();
    for old in secrets {
        let before = old.secret.expires_at;
        let kind = if end <= now {
            SecretChangeKind::Revoked
        } else if before.is_none_or(|before| end < before) {
            SecretChangeKind::Rescheduled { before, after: Some(end) }
        } else {
            continue;
        };
        changes.push(of_secret(client, &old.secret.id, kind));
    }
    changes
}

/// Replaces all secrets by this one. Sending a live secret again changes nothing of it.
pub(super) fn replace_all(row: &ClientState, secret: &SecretMaterial, now: Timestamp) -> Edit {
    let is_same = |old: &&SecretState| old.secret.hash.matches(&secret.hash);
    let kept = live(row, now).find(is_same).map(|kept| &kept.secret.id);
    let add = || add(&row.client, &row.secrets, secret, None, now);
    let mut edit = if kept.is_some() { Edit::default() } else { add() };
    for old in live(row, now).filter(|old| Some(&old.secret.id) != kept) {
        edit.changes.push(of_secret(&row.client, &old.secret.id, SecretChangeKind::Revoked));
    }
    edit
}

/// The change that adds a secret after the client's other ones.
pub(super) fn add(
    client: &Client,
    rows: &[SecretState],
    secret: &SecretMaterial,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Edit {
    let number = |id: &SecretId| id.as_str().strip_prefix('s')?.parse::<u64>().ok();
    let highest = rows.iter().filter_map(|row| number(&row.secret.id)).max().unwrap_or(0);
    let id = SecretId::new(&format!("s{}", highest.saturating_add(1)));
    let SecretMaterial { hash, hint, name, value } = secret;
    let (hash, hint, form) = (hash.clone(), hint.clone(), SecretForm::from_hash(hash));
    let (name, fingerprint) = (name.clone(), GeneratedSecret::fingerprint(value.expose()));
    let mut edit = Edit::from_change(of_secret(client, &id, SecretChangeKind::Added { form, expires_at }));
    let secret = ClientSecret { id, hash, hint, created_at: now, expires_at, revoked_at: None };
    let row = SecretState { name, fingerprint, ..SecretState::new(secret, ManagedBy::Api) };
    edit.secrets.push(((client.tenant.clone(), client.id.clone()), row));
    edit
}

/// The change of a client's secret.
pub(super) fn of_secret(client: &Client, secret: &SecretId, kind: SecretChangeKind) -> Change {
    let change = SecretChange { id: secret.clone(), kind, in_store: None };
    Change::Secret(client.tenant.clone(), client.id.clone(), change)
}

fn live(row: &ClientState, now: Timestamp) -> impl Iterator<Item = &SecretState> {
    row.secrets.iter().filter(move |row| row.secret.is_live(now))
}

/// A step of a secret's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretStep {
    /// Its end moves. Without an end it is valid until it is revoked. A later end needs the privilege for a
    /// new secret.
    Expire(Option<Timestamp>),
    /// It is revoked at once.
    Revoke,
}

/// A step that was taken before changes nothing. A secret that has ended stays ended, because a thief may
/// have found it since.
pub(crate) fn step(
    context: EditContext<'_>,
    client: &ClientId,
    secret: &SecretId,
    step: SecretStep,
) -> Edited {
    let (state, owner) = privilege::client(context, client)?;
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
    Ok(Edit::from_change(of_secret(&owner.client, secret, kind)))
}

#[cfg(test)]
mod tests {
    mod creation {
        use super::super::*;
        use crate::edit::test_states::*;

        /// The secrets, each with its end or `revoked`, and what creating one more and rotating do. The limit
        /// is 3.
        fn check(secrets: &[(&str, &str)], grace: Option<u64>, made: &str, rotated: &str) {
            let row = |(id, end): &(&str, &str)| {
                with(secret(id), |row| match *end {
                    "" => {}
                    "revoked" => row.secret.revoked_at = Some(NOW),
                    end => row.secret.expires_at = Some(at(end.parse().unwrap())),
                })
            };
            let rows: Vec<_> = secrets.iter().map(row).collect();
            let facts = facts(with(state("t"), |t| t.clients[0].secrets = rows));
            let svc = &client_id("svc");
            let rotation = grace.map_or(GRACE, Lifetime::from_seconds);
            let found = ask(&operator(), |context| {
                [None, Some(rotation)].map(|grace| {
                    let ends = SecretEnds { expires_at: None, grace };
                    described(create(context.on(&facts), svc, &material(), ends)).replace("svc/", "")
                })
            });
            assert_eq!(found, [made, rotated], "{secrets:?} {grace:?}");
        }

        #[test]
        fn a_secret_takes_the_number_after_the_highest() {
            for (secrets, made) in [
                (&[][..], "s1 added until never"),
                (&[("s7", "revoked"), ("s2", "revoked")], "s8 added until never"),
                (&[("odd", "revoked")], "s1 added until never"),
            ] {
                check(secrets, None, made, made);
            }
        }

        #[test]
        fn rotating_gives_all_others_an_end_and_none_a_later_one() {
            for (secrets, grace, made, ended) in [
                (&[("s1", "")][..], None, "s2 added until never", "s1 from never to 86400"),
                (&[("s1", ""), ("s2", "60")], Some(100), "s3 added until never", "s1 from never to 100"),
                (
                    &[("s1", "900"), ("s2", "revoked")],
                    Some(100),
                    "s3 added until never",
                    "s1 from 900 to 100",
                ),
                (&[("s1", "")], Some(0), "s2 added until never", "s1 revoked"),
            ] {
                check(secrets, grace, made, &format!("{made}, {ended}"));
            }
        }

        #[test]
        fn the_limit_refuses_one_more_secret_but_not_a_rotation() {
            let three = [("s1", ""), ("s2", ""), ("s3", "60")];
            let rotated = "s4 added until never, s1 from never to 86400, s2 from never to 86400";
            check(&three, None, "conflict", rotated);
            // Ended secrets do not count.
            let two = [("s1", ""), ("s2", "revoked"), ("s3", "0"), ("s4", "")];
            let rotated = "s5 added until never, s1 from never to 86400, s4 from never to 86400";
            check(&two, None, "s5 added until never", rotated);
            // The rotation before has left more than the limit.
            let four = [("s1", "60"), ("s2", "60"), ("s3", "60"), ("s4", "")];
            check(&four, None, "conflict", "conflict");
            let revoked = "s5 added until never, s1 revoked, s2 revoked, s3 revoked, s4 revoked";
            check(&four, Some(0), "conflict", revoked);
        }

        #[test]
        fn a_refusal_advises_a_rotation_only_where_one_is_allowed() {
            for (count, advised) in [(3, true), (4, false)] {
                let secrets: Vec<_> = (1..=count).map(|number| secret(&format!("s{number}"))).collect();
                let facts = facts(with(state("t"), |t| t.clients[0].secrets = secrets));
                let svc = &client_id("svc");
                let [refused, rotated] = ask(&operator(), |context| {
                    [None, Some(GRACE)].map(|grace| {
                        create(context.on(&facts), svc, &material(), SecretEnds { expires_at: None, grace })
                    })
                });
                let Err(EditError::Conflict(message)) = refused else { panic!("{refused:?}") };
                assert_eq!(message.contains("rotate"), advised, "{message}");
                assert_eq!(rotated.is_ok(), advised, "{rotated:?}");
            }
        }

        #[test]
        fn a_new_secret_counts_for_a_while() {
            let facts = facts(state("t"));
            let svc = &client_id("svc");
            for (expires_at, fits) in [(Some(NOW), false), (Some(at(1)), true), (None, true)] {
                for grace in [None, Some(GRACE)] {
                    let ends = SecretEnds { expires_at, grace };
                    let made = ask(&operator(), |context| create(context.on(&facts), svc, &material(), ends));
                    assert_eq!(made.is_ok(), fits);
                }
            }
        }

        #[test]
        fn a_client_that_proves_itself_otherwise_gets_no_secret() {
            let method = protocol::ClientAuthenticationMethod::PrivateKeyJwt;
            let facts = facts(with(state("t"), |t| t.clients[0].client.authentication_method = method));
            let (svc, ends) = (&client_id("svc"), SecretEnds::default());
            let made = ask(&operator(), |context| create(context.on(&facts), svc, &material(), ends));
            assert_eq!(described(made), "conflict");
        }
    }

    mod steps {
        use super::super::*;
        use crate::edit::test_states::*;
        use crate::{ManagedBy, SecretState};

        /// Checks what moving the end does, and what revoking does.
        fn check(change: impl Fn(&mut SecretState), end: Option<u64>, moved: &str, revoked: &str) {
            let facts = facts(with(state("t"), |t| change(&mut t.clients[0].secrets[0])));
            let (svc, id) = (&client_id("svc"), SecretId::new("s1"));
            let found = ask(&operator(), |context| {
                [SecretStep::Expire(end.map(at)), SecretStep::Revoke]
                    .map(|of| described(step(context.on(&facts), svc, &id, of)))
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
            // A declared secret is no exception.
            let declared = |row: &mut SecretState| row.managed_by = ManagedBy::Config;
            check(declared, Some(60), "svc/s1 from never to 60", "svc/s1 revoked");
            check(|row| row.secret.id = SecretId::new("s2"), None, NONE, NONE);
        }

        const NONE: &str = "there is no secret of this id";
    }
}
