//! Advice on secrets and API keys that are old, never expire, expire soon, or were used after they expired or
//! were revoked.

use values::Timestamp;

use super::{Advice, Known, NEAR, OLD, SPAN, action, advice};
use crate::documents::{Instant, UsedFrom};
use crate::kinds;
use crate::kinds::state::SecretState;

/// Live secrets that are older than 180 days.
pub(super) fn old(known: &Known<'_>) -> Vec<Advice> {
    of_live(known, "old_secret", |row, secret| {
        let since = secret.secret.created_at;
        let evidence = format!("It was created at {}, more than 180 days ago.", since.to_rfc3339());
        known.has_been_for(OLD, since).then(|| (evidence, renewed(known, row, secret)))
    })
}

/// Live secrets that never expire, of clients without scheduled rotation.
pub(super) fn endless(known: &Known<'_>) -> Vec<Advice> {
    of_live(known, "endless_secret", |row, secret| {
        let rotate = known.command("latchkey secret rotate TENANT CLIENT --expires=180d", &row.client.id, "");
        let in_file = format!("Set `expires` of {} to an instant.", place(known, row));
        let evidence = "It does not expire until an administrator revokes it.".to_owned();
        let is_endless = secret.secret.expires_at.is_none() && row.client.rotation.is_none();
        is_endless.then(|| (evidence, action(secret.managed_by, rotate, in_file)))
    })
}

/// Secrets and API keys in use that expire within 14 days, if the client has no other credential that stays
/// valid.
pub(super) fn ending_soon(known: &Known<'_>) -> Vec<Advice> {
    let mut found = of_live(known, "ends_soon", |row, secret| {
        let ends = secret.secret.expires_at?;
        let lives_on = |other: &SecretState| {
            other.secret.is_live(known.now) && other.secret.expires_at.is_none_or(|at| at > known.now + NEAR)
        };
        let is_used = known
            .uses(&row.client)
            .any(|used| used.secret == secret.secret.id && known.is_recent_use(&used.from));
        let is_near = ends <= known.now + NEAR && is_used && !row.secrets.iter().any(lives_on);
        is_near.then(|| (until(ends), renewed(known, row, secret)))
    });
    let keys = known.ended_keys.iter().filter(|row| row.key.is_live(known.now));
    let in_use = |row: &&kinds::api_key::State| {
        let is_used = row.used_from.iter().any(|used| known.is_recent_use(used));
        row.key.replaced_by.is_none() && row.key.expires_at <= known.now + NEAR && is_used
    };
    found.extend(keys.filter(in_use).map(|row| {
        let key = &row.key;
        let action =
            known.command("latchkey api-key rotate TENANT CLIENT VALUE", &key.client, key.id.as_str());
        advice("ends_soon", format!("{}/{}", key.client, key.id), until(key.expires_at), action)
    }));
    found
}

/// Clients whose secret could not be replaced on its schedule.
pub(super) fn rotation_fails(known: &Known<'_>) -> Vec<Advice> {
    let fails = known.clients().filter(|row| row.client.rotation.is_some()).filter_map(|row| {
        let (at, why) = row.rotation.failed_at.zip(row.rotation.failure.as_ref())?;
        let evidence = format!("The last attempt, at {}, failed: {why}.", at.to_rfc3339());
        let action = known.command("latchkey client show TENANT CLIENT", &row.client.id, "");
        Some(advice("rotation_fails", row.client.id.to_string(), evidence, action))
    });
    fails.collect()
}

/// Secrets and API keys that somebody presented in the last 30 days although they had expired or were
/// revoked.
pub(super) fn presented_after_end(known: &Known<'_>) -> Vec<Advice> {
    let judge = |subject: String, end: Option<Timestamp>, uses: &[UsedFrom], action: String| {
        let end = end.filter(|end| *end <= known.now)?;
        let (Instant(at), address) = UsedFrom::after_end(uses)?;
        let evidence = format!(
            "It expired at {}, and a caller at {address} presented it at {}.",
            end.to_rfc3339(),
            at.to_rfc3339()
        );
        (!known.has_been_for(SPAN, at))
            .then(|| advice("ended_credential_presented", subject, evidence, action))
    };
    let secrets = known.clients().flat_map(|row| row.secrets.iter().map(move |secret| (row, &secret.secret)));
    let secrets = secrets.filter_map(|(row, secret)| {
        let (uses, client) = (UsedFrom::new(&secret.id, known.uses(&row.client)), &row.client.id);
        let action = known.command("latchkey secret list TENANT CLIENT", client, "");
        judge(format!("{client}/{}", secret.id), secret.ends_at(), &uses, action)
    });
    let keys = known.ended_keys.iter().filter_map(|kinds::api_key::State { key, used_from, .. }| {
        let action = known.command("latchkey api-key show TENANT CLIENT VALUE", &key.client, key.id.as_str());
        judge(format!("{}/{}", key.client, key.id), Some(key.ends_at()), used_from, action)
    });
    secrets.chain(keys).collect()
}

/// Applies a rule to each live secret of a client that may authenticate. The rule returns the evidence and
/// what to do.
fn of_live(
    known: &Known<'_>,
    rule: &'static str,
    judge: impl Fn(&kinds::client::State, &SecretState) -> Option<(String, String)>,
) -> Vec<Advice> {
    let live = known.clients().flat_map(|row| {
        row.secrets.iter().filter(|secret| secret.secret.is_live(known.now)).map(move |secret| (row, secret))
    });
    let judged = live.filter_map(|(row, secret)| {
        let (evidence, action) = judge(row, secret)?;
        Some(advice(rule, format!("{}/{}", row.client.id, secret.secret.id), evidence, action))
    });
    judged.collect()
}

fn renewed(known: &Known<'_>, row: &kinds::client::State, secret: &SecretState) -> String {
    let rotate = known.command("latchkey secret rotate TENANT CLIENT", &row.client.id, "");
    action(secret.managed_by, rotate, format!("Give {} another value.", place(known, row)))
}

/// The path in the configuration file that declares the secrets of a client.
fn place(known: &Known<'_>, row: &kinds::client::State) -> String {
    format!("tenants.{}.clients.{}.client_secret", known.state.tenant.id, row.client.id)
}

fn until(ends: Timestamp) -> String {
    format!("It is in use and expires at {}.", ends.to_rfc3339())
}
