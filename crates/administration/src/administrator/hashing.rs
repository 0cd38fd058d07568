//! Turns declared secrets into rows. Generated secrets and hashes take no time. Chosen secrets are collected
//! and hashed by one thread for each core; each thread takes 19 MiB.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{available_parallelism, scope};

use accounts::{AccountId, AccountPasswords, normalised_password};
use registry::{ClientSecret, DeclaredPassword};
use secrets::{
    GeneratedSecret, OutOfMemory, PasswordSalt, Pepper, SecretHash, UnknownHashFormat, hash_password,
    hash_token,
};
use values::{Secret, Timestamp};

use crate::declaration::Declaration;
use crate::declaration::outcome::ReconcileError;
use crate::declaration::plan::{PlannedPassword, PlannedSecret};
use crate::edit::NewSecret;
use crate::kinds::state::{ManagedBy, SecretState};
use crate::store::NewPassword;

/// Finished rows, and secrets that still have to be hashed.
pub(crate) struct Prepared {
    pub(crate) rows: Vec<NewSecret>,
    pub(crate) slow: Vec<SlowHash>,
}

/// A chosen secret that is still to be hashed. It contains a copy of the secret for the hashing thread, and
/// wipes the copy.
pub(crate) struct SlowHash {
    planned: PlannedSecret,
    secret: Secret,
    salt: PasswordSalt,
    now: Timestamp,
}

pub(crate) fn prepare(
    pepper: &Pepper,
    declaration: &Declaration,
    planned: &[PlannedSecret],
    now: Timestamp,
) -> Result<Prepared, UnknownHashFormat> {
    let mut prepared = Prepared { rows: Vec::new(), slow: Vec::new() };
    let mut salts = HashMap::new();
    for planned in planned {
        let (client, at) = planned.place;
        let declared = &declaration.tenants[&planned.tenant].clients[client].secrets[at];
        let previous = declared.stored.as_ref().and_then(|stored| stored.previous.as_ref());
        let secret = match (&declared.password, previous.filter(|_| planned.is_previous)) {
            (_, Some(previous)) => previous,
            (DeclaredPassword::Value(secret), None) => secret,
            (DeclaredPassword::Hash(phc), None) => {
                prepared.rows.push(row(planned, phc.parse()?, None, now));
                continue;
            }
        };
        if GeneratedSecret::is_well_formed(secret.expose()) {
            let hash = hash_token(pepper, &planned.tenant, &planned.client, secret);
            prepared.rows.push(row(planned, hash, Some(secret), now));
        } else {
            let fresh = || planned.salt.clone().unwrap_or_else(PasswordSalt::generate);
            let salt = salts.entry((&planned.tenant, &planned.client)).or_insert_with(fresh).clone();
            let secret = Secret::new(secret.expose().to_owned());
            prepared.slow.push(SlowHash { planned: planned.clone(), secret, salt, now });
        }
    }
    Ok(prepared)
}

/// Increments `done` for each hash, for the progress report.
pub(crate) fn hash_slow(slow: Vec<SlowHash>, done: &AtomicUsize) -> Result<Vec<NewSecret>, OutOfMemory> {
    let threads = available_parallelism().map_or(1, NonZeroUsize::get);
    let share = slow.len().div_ceil(threads).max(1);
    scope(|scope| {
        let running: Vec<_> =
            slow.chunks(share).map(|share| scope.spawn(|| hash_share(share, done))).collect();
        let mut rows = Vec::with_capacity(slow.len());
        for thread in running {
            rows.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok(rows)
    })
}

fn hash_share(share: &[SlowHash], done: &AtomicUsize) -> Result<Vec<NewSecret>, OutOfMemory> {
    let hashed = |SlowHash { planned, secret, salt, now }: &SlowHash| {
        let hash = hash_password(secret, salt)?;
        done.fetch_add(1, Ordering::Relaxed);
        Ok(row(planned, hash, None, *now))
    };
    share.iter().map(hashed).collect()
}

/// Hashes the declared passwords one after another, because files declare few accounts.
pub(crate) fn hash_passwords(
    pepper: &Pepper,
    declared: Vec<(AccountId, Option<DeclaredPassword>, PlannedPassword)>,
) -> Result<Vec<NewPassword>, ReconcileError> {
    let passwords = AccountPasswords::new(pepper);
    let hashed = declared.into_iter().map(|(account, declared, planned)| {
        let PlannedPassword { tenant, digest: declared_digest, .. } = planned;
        let hash = match declared {
            None => None,
            Some(DeclaredPassword::Hash(phc)) => Some(phc.parse()?),
            Some(DeclaredPassword::Value(value)) => {
                let value = normalised_password(value).ok_or(UnknownHashFormat)?;
                Some(hash_password(&value, &PasswordSalt::generate())?)
            }
        };
        let bound = |hash| passwords.bind(&tenant, &account, &hash).ok_or(UnknownHashFormat);
        let password = hash.map(bound).transpose()?;
        Ok(NewPassword { tenant, account, password, is_own: false, declared_digest })
    });
    hashed.collect()
}

/// The row of a secret. The row of a generated secret includes the hint by which people recognize the secret.
fn row(planned: &PlannedSecret, hash: SecretHash, generated: Option<&Secret>, now: Timestamp) -> NewSecret {
    let PlannedSecret { tenant, client, id, digest, expires_at, .. } = planned.clone();
    let hint = generated.map(|secret| GeneratedSecret::hint(secret.expose()).to_owned()).unwrap_or_default();
    let fingerprint = generated.and_then(|secret| GeneratedSecret::fingerprint(secret.expose()));
    let secret = ClientSecret { id, hash, hint, created_at: now, expires_at, revoked_at: None };
    let row =
        SecretState { declared_digest: digest, fingerprint, ..SecretState::new(secret, ManagedBy::Config) };
    ((tenant, client), row)
}
