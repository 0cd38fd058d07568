//! Commands for a tenant's keys, which `keys::life_cycle` implements. They also apply to an inactive tenant,
//! because its keys are still published.

use keys::life_cycle::{self, KeyCommandError, KeyPlan, KeyPolicy};
use keys::{ImportedKey, KeyStage, Kid};
use values::Timestamp;

use super::key_advance::seen_before_it_begins;
use super::key_edit::KeyDecision;
use super::{EditContext, Edited, invalid};
use crate::edit::EditError;
use crate::store::TenantKeys;

/// A command adds a key only if the tenant has fewer keys than this. All keys are published, fetched,
/// unsealed and kept in memory. The scheduler may add more keys, and an emergency rotation removes the
/// others.
const MOST_KEYS: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyCommand {
    /// The next key signs as soon as verifiers can know it.
    Rotate,
    /// A new key signs immediately, and all other keys are removed immediately, also those of opaque tokens.
    RotateInEmergency,
    /// This key is removed immediately.
    Revoke(Kid),
}

/// Decides the effects of the command, and which tokens it breaks.
pub(crate) fn command(
    context: EditContext<'_>,
    state: &TenantKeys,
    command: KeyCommand,
) -> Edited<KeyDecision> {
    let (policy, records, now) = (context.key_policy(state), &state.records, context.now);
    let decision: KeyDecision = match command {
        KeyCommand::Rotate => {
            where_there_is_room(life_cycle::rotate_now(records, &policy, now), state, now)?.into()
        }
        KeyCommand::RotateInEmergency => life_cycle::rotate_in_emergency(records, &policy, now).into(),
        KeyCommand::Revoke(kid) => {
            let key = records.find(kid).ok_or(EditError::NotFound("key"))?;
            life_cycle::revoke(records, &policy, key.id, now).map_err(refused)?.into()
        }
    };
    let plan = seen_before_it_begins(context, state, &policy, decision.plan);
    Ok(KeyDecision { plan, ..decision })
}

/// Announces an imported key as the next one. A key that another tenant has or had is refused. The error does
/// not name the other tenant.
pub(crate) fn import(
    context: EditContext<'_>,
    state: &TenantKeys,
    imported: &ImportedKey,
    is_taken: bool,
) -> Edited<KeyDecision> {
    let policy = context.key_policy(state);
    let plan = life_cycle::import(&state.records, &policy, imported, context.now).map_err(refused)?;
    if is_taken {
        let detail = "another tenant has, or had, this key; every tenant needs its own keys";
        return Err(invalid("/key", detail));
    }
    let plan = where_there_is_room(plan, state, context.now)?;
    let plan = seen_before_it_begins(context, state, &policy, plan);
    Ok(KeyDecision { imports: true, ..plan.into() })
}

fn where_there_is_room(plan: KeyPlan, state: &TenantKeys, now: Timestamp) -> Edited<KeyPlan> {
    let live = state.records.keys.iter().filter(|key| key.state(now) != KeyStage::Removed).count();
    if plan.announce.is_some() && live >= MOST_KEYS {
        let message = "keys that are not removed: revoke one, or wait until one expires";
        return Err(EditError::Conflict(format!("the tenant has {MOST_KEYS} {message}")));
    }
    Ok(plan)
}

impl EditContext<'_> {
    /// The effective key policy: the current settings, and previous settings that still have an effect.
    pub(crate) fn key_policy(&self, state: &TenantKeys) -> KeyPolicy {
        KeyPolicy::new(&state.tenant.signing, state.longest_token, self.policy.l1_lifetime).with_previous(
            state.previous_tokens_until,
            state.previous_jwks,
            self.now,
        )
    }
}

fn refused(refused: KeyCommandError) -> EditError {
    match refused {
        KeyCommandError::Unknown(_) => EditError::NotFound("key"),
        KeyCommandError::OtherAlgorithm { .. } => invalid("/algorithm", refused.to_string()),
        KeyCommandError::Removed(_)
        | KeyCommandError::NotAnnounced(_)
        | KeyCommandError::TooLate(_)
        | KeyCommandError::Overtakes(_)
        | KeyCommandError::AlreadyThere(_) => EditError::Conflict(refused.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use keys::{KeyRecord, PrivateKeyDocument};
    use protocol::SigningAlgorithm;
    use zeroize::Zeroizing;

    use super::super::test_keys::{id, in_context, key_state, span, write};
    use super::super::test_states::{NOW, at, with};
    use super::*;

    type Command = fn(EditContext<'_>, &TenantKeys) -> Result<KeyDecision, EditError>;

    fn error_text(error: EditError) -> String {
        match error {
            EditError::Invalid(errors) => errors[0].pointer.clone(),
            EditError::Conflict(_) => "conflict".to_owned(),
            error => error.to_string(),
        }
    }

    fn command(state: &mut TenantKeys, seconds: u64, command: Command) -> String {
        match in_context(seconds, |context| command(context, state)) {
            Ok(decision) => write(state, &decision, seconds),
            Err(error) => error_text(error),
        }
    }

    const ROTATE: Command = |context, state| super::command(context, state, KeyCommand::Rotate);
    const EMERGENCY: Command = |context, state| super::command(context, state, KeyCommand::RotateInEmergency);
    const REVOKE_1: Command = |context, state| revoke(context, state, 1);
    const REVOKE_2: Command = |context, state| revoke(context, state, 2);
    const IMPORT: Command = |context, state| import_named(context, state, "own");

    fn revoke(context: EditContext<'_>, state: &TenantKeys, number: u32) -> Result<KeyDecision, EditError> {
        super::command(context, state, KeyCommand::Revoke(Kid::Numbered(number)))
    }

    fn import_named(
        context: EditContext<'_>,
        state: &TenantKeys,
        name: &str,
    ) -> Result<KeyDecision, EditError> {
        import(context, state, &key(SigningAlgorithm::ES256, name), false)
    }

    #[test]
    fn each_command_describes_its_effect_on_each_key() {
        let check = |commands: &[(u64, Command)], expected: &str| {
            let mut state = key_state();
            write(&mut state, &in_context(0, |context| ROTATE(context, &key_state())).unwrap(), 0);
            let described: Vec<_> = commands.iter().map(|(at, run)| command(&mut state, *at, *run)).collect();
            assert_eq!(described.last().unwrap(), expected);
        };
        check(&[(50, ROTATE)], "2 announced for 1050, 1 0/-/- -> 0/1050/4740, due 4771");
        check(&[(50, ROTATE), (60, ROTATE)], "due 4771");
        check(&[(50, EMERGENCY)], "2 announced for 50, 1 revoked 50, due 61");
        check(&[(50, REVOKE_1)], "2 announced for 50, 1 revoked 50, due 61");
        check(&[(50, ROTATE), (90, REVOKE_1)], "1 revoked 90, 2 1050/-/- -> 90/-/-, due 101");
        let taken = "1 0/1050/4740 -> 0/-/-, 2 revoked 60, due 81";
        check(&[(50, ROTATE), (60, REVOKE_2)], taken);
        check(&[(50, REVOKE_2)], "no key has this id");
        check(&[(50, EMERGENCY), (60, REVOKE_1)], "conflict");
    }

    fn key(algorithm: SigningAlgorithm, thumbprint: &str) -> ImportedKey {
        let pkcs8 = PrivateKeyDocument::from(Zeroizing::default());
        ImportedKey { algorithm, pkcs8, thumbprint: thumbprint.to_owned(), public_jwk: String::new() }
    }

    #[test]
    fn key_is_imported_once_with_the_tenants_algorithm() {
        const OTHER: Command =
            |context, state| import(context, state, &key(SigningAlgorithm::EdDSA, "own"), false);
        const AGAIN: Command =
            |context, state| import_named(context, state, &state.records.keys[0].thumbprint);
        const TAKEN: Command =
            |context, state| import(context, state, &key(SigningAlgorithm::ES256, "taken"), true);
        let mut state = key_state();
        assert_eq!(command(&mut state, 0, OTHER), "/algorithm");
        assert_eq!(command(&mut state, 0, IMPORT), "1 imported for 0, due 9000");
        assert_eq!(command(&mut state, 9, TAKEN), "/key");
        assert_eq!(command(&mut state, 9, AGAIN), "conflict");
        let next = "2 imported for 1009, 1 0/-/- -> 0/1009/4699, due 4730";
        assert_eq!(command(&mut state, 9, IMPORT), next);
        assert_eq!(command(&mut state, 20_000, AGAIN), "conflict", "not even when it is gone");
    }

    // [limits #29]: keys of a tenant that are not removed | 20 | 409, except in an emergency
    #[test]
    fn key_limit_does_not_block_emergency_rotation() {
        const IMPORT: Command =
            |context, state| import_named(context, state, &state.records.next.to_string());
        let live = |state: &TenantKeys, seconds| {
            let live = |key: &&KeyRecord| key.state(at(seconds)) != KeyStage::Removed;
            state.records.keys.iter().filter(live).count()
        };
        let mut state = key_state();
        let refused = (0..400).find(|seconds| command(&mut state, *seconds, IMPORT) == "conflict");
        assert_eq!((refused, live(&state, 400)), (Some(20), MOST_KEYS));

        let mut state = key_state();
        command(&mut state, 0, ROTATE);
        while live(&state, 50) < MOST_KEYS {
            let (retiring_from, removed_at) = (Some(NOW), Some(at(9000)));
            let signing = state.records.keys[0].clone();
            let old = KeyRecord { id: state.records.next, retiring_from, removed_at, ..signing };
            state.records.next = id(old.id.number() + 1);
            state.records.keys.push(old);
        }
        for full in [ROTATE, IMPORT] {
            assert_eq!(command(&mut state.clone(), 50, full), "conflict");
        }
        for room in [ROTATE, IMPORT] {
            assert_ne!(command(&mut state.clone(), 9000, room), "conflict", "when they have gone");
        }
        let described = command(&mut state, 50, EMERGENCY);
        assert!(described.starts_with("21 announced for 50, 1 revoked 50"), "{described}");
        assert_eq!(live(&state, 50), 1);
    }

    #[test]
    fn commanded_key_is_reviewed_before_activation() {
        for (command_, verb) in [(ROTATE, "announced"), (IMPORT, "imported")] {
            let mut state = key_state();
            command(&mut state, 0, ROTATE);
            state.tenant.signing.hold_activation = Some(span(600));
            let described = format!("2 {verb} for 1009, 1 0/-/- -> 0/1009/4699, due 973");
            assert_eq!(command(&mut state, 9, command_), described, "36 seconds before it begins");
            assert_eq!(command(&mut state, 20, ROTATE), "due 973");
            assert_eq!(command(&mut state, 973, ROTATE), "due 4730", "it has been looked at");
        }
        // Revoking another key does not move the date of the preview.
        let mut state = key_state();
        command(&mut state, 0, ROTATE);
        state.tenant.signing.hold_activation = Some(span(600));
        command(&mut state, 0, ROTATE);
        command(&mut state, 1100, ROTATE);
        assert_eq!(command(&mut state, 2060, REVOKE_1), "1 revoked 2060, due 2064");
    }

    #[test]
    fn key_that_prevents_another_from_signing_is_refused() {
        const ANOTHER: Command = |context, state| import_named(context, state, "another");
        let mut state = key_state();
        command(&mut state, 0, ROTATE);
        command(&mut state, 9, IMPORT);
        assert_eq!(command(&mut state, 9, ANOTHER), "conflict");
        let described = "3 imported for 1010, 2 1009/-/- -> 1009/1010/4700, due 4730";
        assert_eq!(command(&mut state, 10, ANOTHER), described, "a second of signing each");
    }

    #[test]
    fn key_policy_includes_previous_policies() {
        let window = |change: fn(&mut TenantKeys)| {
            let state = with(key_state(), change);
            let policy = in_context(0, |context| context.key_policy(&state));
            (policy.longest_token.seconds(), policy.window().seconds(), policy.publish_before.seconds())
        };
        assert_eq!(window(|_| {}), (3600, 141, 1000));
        assert_eq!(window(|state| state.longest_token = span(5)).0, 5);
        assert_eq!(window(|state| state.previous_tokens_until = Some(at(9000))).0, 9000);
        let copies = |state: &mut TenantKeys| state.previous_jwks = Some((span(250), at(300)));
        assert_eq!(window(copies), (3600, 281, 1140));
        let over = |state: &mut TenantKeys| state.previous_jwks = Some((span(250), NOW));
        assert_eq!(window(over), (3600, 141, 1000));
    }
}
