//! Creates an additional secret or one that replaces all others, changes when a secret expires, and revokes
//! secrets. Even the last live secret may end.

use protocol::Credential;
use registry::{Client, ClientId, ClientSecret, SecretId};
use secrets::GeneratedSecret;
use values::{Lifetime, Timestamp};

use super::{Edit, EditContext, Edited, SecretMaterial, invalid, privilege};
use crate::administrator::secret_writer::SecretPlace;
use crate::edit::EditError;
use crate::kinds;
use crate::kinds::Change;
use crate::kinds::change::{SecretChange, SecretChangeKind, SecretForm};
use crate::kinds::state::{ManagedBy, SecretState};
use crate::rules::limits::TenantLimit;

/// How long the previous secrets stay valid if a rotation does not say.
pub(crate) const GRACE: Lifetime = Lifetime::from_seconds(86_400);

/// When the new secret and the others expire.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ends {
    /// When the new secret expires. `None`: never.
    pub(crate) expires_at: Option<Timestamp>,
    /// How long the other secrets stay valid. `None` if this is not a rotation.
    pub(crate) grace: Option<Lifetime>,
}

/// Creates an additional secret. In a rotation all others expire. The limit does not refuse a rotation,
/// because the others will expire. But while a rotation has left more secrets than the limit, the next
/// rotation must wait or revoke the previous secrets immediately.
pub(crate) fn create(
    context: EditContext<'_>,
    client: &ClientId,
    secret: &SecretMaterial,
    ends: Ends,
) -> Edited {
    create_into(context, client, secret, ends, None)
}

/// Like [`create`]. If a rotation writes the secret `into` a secret store, [`end_others`] lets the others
/// expire later.
pub(crate) fn create_into(
    context: EditContext<'_>,
    client: &ClientId,
    secret: &SecretMaterial,
    Ends { expires_at, grace }: Ends,
    into: Option<&SecretPlace>,
) -> Edited {
    let (state, row) = privilege::client_to_change(context, client)?;
    let (client, now) = (&row.client, context.now);
    privilege::require_secret(context, &state.tenant, client)?;
    let (id, method) = (&client.id, client.authentication_method);
    if !method.allows(Some(Credential::Secret)) {
        let message = format!("client {id} authenticates with {method} and does not use a secret");
        return Err(EditError::Conflict(message));
    }
    if expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(invalid(
            "/expires_at",
            "this time is in the past; a new secret must be valid for some time",
        ));
    }
    let TenantLimit { most, name } = TenantLimit::of_live_secrets(&state.tenant, context.policy.live_secrets);
    let count = live(row, now).count() as u64;
    match grace {
        None if count >= most => {
            // A rotation may exceed the limit by one secret. The next rotation is then refused.
            let or_rotate = if count > most { "" } else { ", or rotate" };
            return Err(EditError::Conflict(format!(
                "client {id} has {count} live secrets, and {name} allows {most} at the same time; revoke \
                    one, let one expire{or_rotate}"
            )));
        }
        Some(grace) if grace.seconds() > 0 && count > most => {
            return Err(EditError::Conflict(format!(
                "client {id} has {count} live secrets from earlier rotations, more than {most} ({name}); \
                    wait until they expire, revoke one, or rotate with grace 0"
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

/// The callers of the client can now find the new secret in the secret store, so the others may expire.
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

/// The changes that let secrets expire after a grace period.
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

/// Replaces all secrets by this one. If this secret is live already, it stays unchanged.
pub(super) fn replace_all(row: &kinds::client::State, secret: &SecretMaterial, now: Timestamp) -> Edit {
    let is_same = |old: &&SecretState| old.secret.hash.matches(&secret.hash);
    let kept = live(row, now).find(is_same).map(|kept| &kept.secret.id);
    let add = || add(&row.client, &row.secrets, secret, None, now);
    let mut edit = if kept.is_some() { Edit::default() } else { add() };
    for old in live(row, now).filter(|old| Some(&old.secret.id) != kept) {
        edit.changes.push(of_secret(&row.client, &old.secret.id, SecretChangeKind::Revoked));
    }
    edit
}

/// The change that adds a secret with the next number.
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

pub(super) fn of_secret(client: &Client, secret: &SecretId, kind: SecretChangeKind) -> Change {
    let change = SecretChange { id: secret.clone(), kind, in_store: None };
    Change::Secret(client.tenant.clone(), client.id.clone(), change)
}

fn live(row: &kinds::client::State, now: Timestamp) -> impl Iterator<Item = &SecretState> {
    row.secrets.iter().filter(move |row| row.secret.is_live(now))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Changes the expiry. `None`: never expires. A later expiry needs the same privilege as a new secret.
    Expire(Option<Timestamp>),
    Revoke,
}

/// Repeating a step changes nothing. A secret that has ended cannot be restored, because a thief may have
/// found it since.
pub(crate) fn step(context: EditContext<'_>, client: &ClientId, secret: &SecretId, step: Step) -> Edited {
    let (state, owner) = privilege::client(context, client)?;
    let row = owner.secrets.iter().find(|row| row.secret.id == *secret);
    let row = &row.ok_or(EditError::NotFound("secret"))?.secret;
    let kind = match step {
        Step::Revoke if row.revoked_at.is_some() => return Ok(Edit::default()),
        Step::Revoke => SecretChangeKind::Revoked,
        Step::Expire(_) if !row.is_live(context.now) => {
            return Err(EditError::Conflict(format!(
                "secret {secret} has already expired; create a new secret"
            )));
        }
        Step::Expire(Some(end)) if end <= context.now => {
            return Err(invalid(
                "/expires_at",
                "this time is in the past; to end the secret immediately, revoke it",
            ));
        }
        Step::Expire(end) if end == row.expires_at => return Ok(Edit::default()),
        Step::Expire(after) => {
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

        /// `secrets` lists each secret with its expiry or `revoked`. `made` and `rotated` are the results of
        /// creating one more secret and of rotating. The limit is 3.
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
                    let ends = Ends { expires_at: None, grace };
                    described(create(context.on(&facts), svc, &material(), ends)).replace("svc/", "")
                })
            });
            assert_eq!(found, [made, rotated], "{secrets:?} {grace:?}");
        }

        #[test]
        fn new_secret_gets_the_next_number() {
            for (secrets, made) in [
                (&[][..], "s1 added until never"),
                (&[("s7", "revoked"), ("s2", "revoked")], "s8 added until never"),
                (&[("odd", "revoked")], "s1 added until never"),
            ] {
                check(secrets, None, made, made);
            }
        }

        #[test]
        fn rotation_shortens_the_expiry_of_other_secrets() {
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
        fn limit_refuses_another_secret_but_not_rotation() {
            let three = [("s1", ""), ("s2", ""), ("s3", "60")];
            let rotated = "s4 added until never, s1 from never to 86400, s2 from never to 86400";
            check(&three, None, "conflict", rotated);
            // Expired and revoked secrets do not count.
            let two = [("s1", ""), ("s2", "revoked"), ("s3", "0"), ("s4", "")];
            let rotated = "s5 added until never, s1 from never to 86400, s4 from never to 86400";
            check(&two, None, "s5 added until never", rotated);
            // The previous rotation has left more secrets than the limit.
            let four = [("s1", "60"), ("s2", "60"), ("s3", "60"), ("s4", "")];
            check(&four, None, "conflict", "conflict");
            let revoked = "s5 added until never, s1 revoked, s2 revoked, s3 revoked, s4 revoked";
            check(&four, Some(0), "conflict", revoked);
        }

        #[test]
        fn refusal_suggests_rotation_only_if_allowed() {
            for (count, advised) in [(3, true), (4, false)] {
                let secrets: Vec<_> = (1..=count).map(|number| secret(&format!("s{number}"))).collect();
                let facts = facts(with(state("t"), |t| t.clients[0].secrets = secrets));
                let svc = &client_id("svc");
                let [refused, rotated] = ask(&operator(), |context| {
                    [None, Some(GRACE)].map(|grace| {
                        create(context.on(&facts), svc, &material(), Ends { expires_at: None, grace })
                    })
                });
                let Err(EditError::Conflict(message)) = refused else { panic!("{refused:?}") };
                assert_eq!(message.contains("rotate"), advised, "{message}");
                assert_eq!(rotated.is_ok(), advised, "{rotated:?}");
            }
        }

        #[test]
        fn new_secret_must_not_be_expired() {
            let facts = facts(state("t"));
            let svc = &client_id("svc");
            for (expires_at, fits) in [(Some(NOW), false), (Some(at(1)), true), (None, true)] {
                for grace in [None, Some(GRACE)] {
                    let ends = Ends { expires_at, grace };
                    let made = ask(&operator(), |context| create(context.on(&facts), svc, &material(), ends));
                    assert_eq!(made.is_ok(), fits);
                }
            }
        }

        #[test]
        fn client_with_another_auth_method_gets_no_secret() {
            let method = protocol::ClientAuthenticationMethod::PrivateKeyJwt;
            let facts = facts(with(state("t"), |t| t.clients[0].client.authentication_method = method));
            let (svc, ends) = (&client_id("svc"), Ends::default());
            let made = ask(&operator(), |context| create(context.on(&facts), svc, &material(), ends));
            assert_eq!(described(made), "conflict");
        }
    }

    mod steps {
        use super::super::*;
        use crate::edit::test_states::*;
        use crate::kinds::state::{ManagedBy, SecretState};

        fn check(change: impl Fn(&mut SecretState), end: Option<u64>, moved: &str, revoked: &str) {
            let facts = facts(with(state("t"), |t| change(&mut t.clients[0].secrets[0])));
            let (svc, id) = (&client_id("svc"), SecretId::new("s1"));
            let found = ask(&operator(), |context| {
                [Step::Expire(end.map(at)), Step::Revoke]
                    .map(|of| described(step(context.on(&facts), svc, &id, of)))
            });
            assert_eq!(found, [moved, revoked]);
        }

        #[test]
        fn only_live_secrets_can_change_their_expiry() {
            let ends = |seconds| move |row: &mut SecretState| row.secret.expires_at = Some(at(seconds));
            check(|_| {}, Some(60), "svc/s1 from never to 60", "svc/s1 revoked");
            check(ends(60), None, "svc/s1 from 60 to never", "svc/s1 revoked");
            check(ends(60), Some(60), "", "svc/s1 revoked");
            check(|_| {}, None, "", "svc/s1 revoked");
            check(|_| {}, Some(0), "/expires_at", "svc/s1 revoked");
            check(ends(0), Some(60), "conflict", "svc/s1 revoked");
            check(|row| row.secret.revoked_at = Some(NOW), Some(60), "conflict", "");
            // The same applies to a declared secret.
            let declared = |row: &mut SecretState| row.managed_by = ManagedBy::Config;
            check(declared, Some(60), "svc/s1 from never to 60", "svc/s1 revoked");
            check(|row| row.secret.id = SecretId::new("s2"), None, NONE, NONE);
        }

        const NONE: &str = "no secret has this id";
    }
}
