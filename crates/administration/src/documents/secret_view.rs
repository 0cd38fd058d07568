//! Builds the view of a secret from its row and its known uses, and says whether it is still in use.

use protocol::SigningAlgorithm;
use registry::{ClientSecret, SecretId, UseOutcome};
use values::{Lifetime, Timestamp};

use super::{Instant, RegisteredCredential, SecretView, UsedFrom};
use crate::kinds::change::SecretForm;
use crate::kinds::state::{ManagedBy, SecretState};
use crate::store::SecretUsage;

impl SecretView {
    /// The view of one of a client's secrets. `all` are the client's secrets, and `usage` has the uses of all
    /// of them.
    #[must_use]
    pub fn new(state: &SecretState, all: &[SecretState], usage: &[SecretUsage], now: Timestamp) -> Self {
        let SecretState { secret, managed_by, name, fingerprint, .. } = state;
        let used_from = UsedFrom::new(&secret.id, usage);
        let [last_used_at, presented_after_end_at] = UsedFrom::last(&used_from);
        Self {
            id: secret.id.to_string(),
            name: name.clone(),
            hint: secret.hint.clone(),
            fingerprint: fingerprint.clone(),
            form: form(state).to_owned(),
            status: status(secret, now).to_owned(),
            managed_by: managed_by.as_str().to_owned(),
            created_at: secret.created_at.into(),
            expires_at: secret.expires_at.map(Instant),
            revoked_at: secret.revoked_at.map(Instant),
            last_used_at,
            presented_after_end_at,
            addresses: u32::try_from(used_from.len()).unwrap_or(u32::MAX),
            used_from,
            safe_to_delete: is_safe_to_delete(secret, all, usage, now),
        }
    }
}

impl UsedFrom {
    /// One attempt to use a credential.
    #[must_use]
    pub fn presented(address: String, outcome: UseOutcome, at: Timestamp) -> Self {
        let of = |which| (which == outcome).then_some(Instant(at));
        let [last_used_at, presented_after_end_at] = [UseOutcome::Accepted, UseOutcome::Refused].map(of);
        Self { address, last_used_at, presented_after_end_at }
    }

    /// The uses of one secret, the most recent first.
    pub(crate) fn new<'u>(secret: &SecretId, usage: impl IntoIterator<Item = &'u SecretUsage>) -> Vec<Self> {
        let mut uses: Vec<_> = of(secret, usage).cloned().collect();
        uses.sort_by(|left, right| {
            right.presented_at().cmp(&left.presented_at()).then_with(|| left.address.cmp(&right.address))
        });
        uses
    }

    /// When somebody last presented the credential from this address, with any outcome.
    pub(crate) fn presented_at(&self) -> Option<Timestamp> {
        self.last_used_at.max(self.presented_after_end_at).map(|at| at.0)
    }

    /// The last attempt after the credential ended, with its address.
    #[must_use]
    pub fn after_end(uses: &[Self]) -> Option<(Instant, &str)> {
        let refused =
            uses.iter().filter_map(|used| Some((used.presented_after_end_at?, used.address.as_str())));
        refused.max_by_key(|(at, _)| *at)
    }

    /// When the credential was last used, and when somebody last presented it after it had ended.
    pub(super) fn last(uses: &[Self]) -> [Option<Instant>; 2] {
        let used = uses.iter().filter_map(|used| used.last_used_at).max();
        [used, Self::after_end(uses).map(|(at, _)| at)]
    }
}

impl RegisteredCredential {
    #[must_use]
    pub fn new(secret: &ClientSecret, now: Timestamp) -> Self {
        Self {
            kind: "client_secret".to_owned(),
            id: secret.id.to_string(),
            status: status(secret, now).to_owned(),
            expires_at: secret.expires_at.map(Instant),
            revoked_at: secret.revoked_at.map(Instant),
        }
    }

    /// A key with which the client signs assertions. It is valid while it is registered.
    #[must_use]
    pub fn of_key(kid: &str, algorithm: SigningAlgorithm) -> Self {
        let id = if kid.is_empty() { format!("{algorithm} without kid") } else { kid.to_owned() };
        let (kind, status) = ("public_key".to_owned(), "live".to_owned());
        Self { kind, id, status, expires_at: None, revoked_at: None }
    }
}

/// How long a caller may pause before its secret counts as unused.
const QUIET: Lifetime = Lifetime::from_seconds(86_400);

/// Whether deleting the secret breaks no caller. The secret must be unused for a day. In addition it has
/// ended, or it is at least a day old and another live secret was used in that day. If no other secret was
/// used, the silence proves nothing: the caller may run once a week.
fn is_safe_to_delete(
    secret: &ClientSecret,
    all: &[SecretState],
    usage: &[SecretUsage],
    now: Timestamp,
) -> bool {
    let is_quiet = |since: Timestamp| since + QUIET <= now;
    if !of(&secret.id, usage).filter_map(UsedFrom::presented_at).all(is_quiet) {
        return false;
    }
    let others =
        all.iter().map(|row| &row.secret).filter(|other| other.id != secret.id && other.is_live(now));
    let mut others_used = others.flat_map(|other| of(&other.id, usage)).filter_map(|used| used.last_used_at);
    !secret.is_live(now) || is_quiet(secret.created_at) && others_used.any(|at| !is_quiet(at.0))
}

fn of<'u>(
    secret: &SecretId,
    usage: impl IntoIterator<Item = &'u SecretUsage>,
) -> impl Iterator<Item = &'u UsedFrom> {
    usage.into_iter().filter(move |used| used.secret == *secret).map(|used| &used.from)
}

fn status(secret: &ClientSecret, now: Timestamp) -> &'static str {
    if secret.is_live(now) {
        "live"
    } else if secret.revoked_at.is_some() {
        "revoked"
    } else {
        "expired"
    }
}

/// Only an imported hash has no keyed digest of its value.
fn form(state: &SecretState) -> &'static str {
    match &state.secret.hash {
        _ if state.managed_by == ManagedBy::Config && state.declared_digest.is_none() => "imported",
        hash => SecretForm::from_hash(hash).as_str(),
    }
}

#[cfg(test)]
mod tests {
    use secrets::SecretHash;

    use super::*;
    use crate::edit::test_states::{self, NOW, client_id, tenant_id, with};
    const DAY: u64 = 86_400;

    const fn ago(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(1_000_000 - seconds)
    }

    fn secret(id: &str) -> SecretState {
        with(test_states::secret(id), |row| row.secret.created_at = ago(9 * DAY))
    }

    fn presented(id: &str, address: &str, outcome: UseOutcome, at: Timestamp) -> SecretUsage {
        SecretUsage {
            tenant: tenant_id("t"),
            client: client_id("c"),
            secret: SecretId::new(id),
            from: UsedFrom::presented(address.to_owned(), outcome, at),
        }
    }

    fn check(change: impl Fn(&mut [SecretState]), usage: &[(&str, UseOutcome, u64)], expected: bool) {
        let all = with([secret("s1"), secret("s2")], |all| change(all));
        let usage =
            usage.iter().map(|(id, outcome, ago_s)| presented(id, "192.0.2.1", *outcome, ago(*ago_s)));
        let usage: Vec<_> = usage.collect();
        let view = SecretView::new(&all[0], &all, &usage, NOW);
        assert_eq!(view.safe_to_delete, expected, "{usage:?}");
    }

    #[test]
    fn unused_secret_is_safe_to_delete() {
        let nothing = |_: &mut [SecretState]| {};
        let used = |id, ago| (id, UseOutcome::Accepted, ago);
        let refused = |id, ago| (id, UseOutcome::Refused, ago);
        // Another secret is in use, and this one was not used for a day, or never.
        check(nothing, &[used("s2", 60)], true);
        check(nothing, &[used("s1", DAY), used("s2", 60)], true);
        check(nothing, &[used("s1", DAY - 1), used("s2", 60)], false);
        // No secret was used recently: perhaps the client only pauses. A refused attempt does not count as a
        // use.
        check(nothing, &[], false);
        check(nothing, &[used("s1", 2 * DAY)], false);
        check(nothing, &[used("s1", 3 * DAY), used("s2", DAY)], false);
        check(nothing, &[refused("s2", 60)], false);
        // The other secret is revoked, so the client needs this one.
        check(|all| all[1].secret.revoked_at = Some(ago(1)), &[used("s2", 60)], false);
        check(|all| all[1].secret.expires_at = Some(NOW), &[used("s2", 60)], false);
        // The secret is new: the caller may not have begun to use it.
        check(|all| all[0].secret.created_at = ago(DAY - 1), &[used("s2", 60)], false);
        // The secret has ended, and nobody has presented it for a day.
        let ended = |all: &mut [SecretState]| all[0].secret.expires_at = Some(ago(3 * DAY));
        check(ended, &[], true);
        check(ended, &[refused("s1", DAY), used("s1", 3 * DAY + 1)], true);
        check(ended, &[refused("s1", DAY - 1), used("s1", 3 * DAY + 1)], false);
        // The caller used the secret up to its end, and may try again.
        check(|all| all[0].secret.revoked_at = Some(NOW), &[used("s1", 1)], false);
        check(|all| all[0].secret.expires_at = Some(NOW), &[refused("s1", 0)], false);
        check(
            |all| all[0].secret.expires_at = Some(NOW + Lifetime::from_seconds(1)),
            &[used("s1", 0)],
            false,
        );
    }

    #[test]
    fn view_has_form_status_and_latest_addresses_first() {
        let mut all = [secret("s1")];
        let (used, refused) = (UseOutcome::Accepted, UseOutcome::Refused);
        let usage = [
            presented("s1", "a", used, ago(9)),
            presented("s1", "b", used, ago(2)),
            presented("s2", "c", used, ago(1)),
        ];
        let view = SecretView::new(&all[0], &all, &usage, NOW);
        let from: Vec<_> = view.used_from.iter().map(|used| used.address.as_str()).collect();
        assert_eq!((from, view.addresses), (vec!["b", "a"], 2));
        assert_eq!(view.last_used_at.map(|at| at.0), Some(ago(2)));
        assert_eq!((view.form.as_str(), view.status.as_str()), ("generated", "live"));
        all[0].secret.hash = SecretHash::Password("$argon2id$".to_owned());
        all[0].secret.expires_at = Some(NOW);
        let view = SecretView::new(&all[0], &all, &usage, NOW);
        assert_eq!((view.form.as_str(), view.status.as_str()), ("chosen", "expired"));
        assert_eq!(view.presented_after_end_at, None);
        all[0].secret.revoked_at = Some(ago(1));
        let attempts = [presented("s1", "a", refused, ago(1)), presented("s1", "d", refused, ago(5))];
        let usage = [&usage[..], &attempts].concat();
        let view = SecretView::new(&all[0], &all, &usage, NOW);
        let times = [view.last_used_at, view.presented_after_end_at].map(|at| at.map(|at| at.0));
        assert_eq!(times, [Some(ago(2)), Some(ago(1))]);
        all[0].managed_by = ManagedBy::Config;
        all[0].secret.revoked_at = Some(NOW);
        let view = SecretView::new(&all[0], &all, &usage, NOW);
        assert_eq!((view.form.as_str(), view.status.as_str()), ("imported", "revoked"));
    }
}
