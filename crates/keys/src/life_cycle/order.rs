//! Puts the sequence in order: decides which keys are added or dropped, and how long each is published.

use values::Timestamp;

use super::happened::shown_of_new;
use super::key_sequence::{KeySequence, is_revoked};
use super::plan::Announcement;
use crate::{KeyAlgorithm, KeyId, KeyRecord, KeyStage};

impl KeySequence<'_> {
    /// Drops keys that are no longer needed, publishes announced keys for the required time, and makes each
    /// key retire when the next becomes active.
    pub(super) fn set_in_order(&mut self) {
        let (in_effect_before, wanted) = (self.in_effect_before(), self.policy.algorithm);
        let near = |key: &&KeyRecord| key.active_from < in_effect_before;
        if self.signing().is_some() || self.waiting().first().is_some_and(near) {
            let unwanted = |key: &&KeyRecord| key.algorithm != wanted && !near(key);
            let unwanted: Vec<_> = self.waiting().into_iter().filter(unwanted).map(|key| key.id).collect();
            for id in unwanted {
                self.remove(id, self.now);
            }
        }
        let least = self.policy.least_publication();
        for key in self.keys.iter_mut().filter(|key| key.active_from >= in_effect_before && !is_revoked(key))
        {
            key.active_from = key.active_from.max(key.announced_at + least);
        }
        self.link();
    }

    /// Makes sure that a key signs, from `at` on if a new key is necessary, and that the last key gets a
    /// successor in time.
    pub(super) fn continue_from(&mut self, at: Timestamp) {
        if self.signing().is_none() {
            self.end_before(at);
            match self.waiting().first().map(|key| key.id) {
                // The next opaque token creates its first key, as the first one of the tenant did.
                None if self.policy.algorithm == KeyAlgorithm::OpaqueTokens => return,
                None => self.append(self.policy.algorithm, at, at),
                // For the first key of a replica with a fast clock this changes nothing, because the key was
                // announced and activated at the same time.
                Some(id) => {
                    self.begin(id, at);
                    // A key signs now, so keys of another algorithm than the policy's can be dropped.
                    self.set_in_order();
                }
            }
        }
        if self.announced.is_some() || !self.waiting().is_empty() {
            return;
        }
        let Some(signing) = self.signing() else { return };
        if signing.algorithm != self.policy.algorithm {
            self.append(self.policy.algorithm, self.now, self.now + self.policy.publish_before);
        } else if self.policy.succession_of(signing) <= self.now {
            let turn = signing.active_from + self.policy.rotate_every;
            self.append(signing.algorithm, self.now, turn.max(self.now + self.policy.publish_before));
        }
    }

    pub(super) fn append(
        &mut self,
        algorithm: KeyAlgorithm,
        announced_at: Timestamp,
        active_from: Timestamp,
    ) {
        let last = self.waiting().last().map(|key| key.active_from);
        let active_from = last.map_or(active_from, |last| last.max(active_from));
        let (id, rsa_size) = (self.records.next, self.policy.rsa_size);
        let shown = shown_of_new(announced_at, active_from, self.now);
        self.announced = Some(Announcement { id, algorithm, rsa_size, announced_at, active_from, shown });
        self.keys.push(KeyRecord {
            id,
            algorithm,
            sealed_private_key: Vec::new(),
            thumbprint: String::new(),
            public_jwk: None,
            announced_at,
            active_from,
            retiring_from: None,
            removed_at: None,
            shown,
        });
        self.link();
    }

    /// Removes a key. A key that has signed is revoked; any other key never becomes active.
    pub(super) fn remove(&mut self, id: KeyId, at: Timestamp) {
        let Some(key) = self.keys.iter_mut().find(|key| key.id == id) else { return };
        let at = at.max(key.announced_at);
        // Also for a key that has already retired: equal times mark it as revoked.
        key.retiring_from = (key.active_from <= at).then_some(at);
        key.removed_at = Some(at);
    }

    /// Moves the activation of an announced key to `at`, and that of later keys to `at` or later.
    pub(super) fn begin(&mut self, id: KeyId, at: Timestamp) {
        let behind: Vec<_> = self.waiting().iter().map(|key| key.id).skip_while(|key| *key != id).collect();
        for key in self.keys.iter_mut().filter(|key| behind.contains(&key.id)) {
            let at = at.max(key.announced_at);
            key.active_from = if key.id == id { at } else { key.active_from.max(at) };
        }
        self.link();
    }

    /// If a key takes over at the time `turn`, moves its activation back to the time of the revocation.
    /// Otherwise the revoked key would still sign on a slow clock.
    pub(super) fn bring_forward(&mut self, turn: Option<Timestamp>) {
        let revoked_from = self.revoked_from();
        let signing =
            self.signing().filter(|key| Some(key.active_from) == turn && key.active_from > revoked_from);
        let Some((id, begins)) = signing.map(|key| (key.id, revoked_from.max(key.announced_at))) else {
            return;
        };
        self.keys.iter_mut().filter(|key| key.id == id).for_each(|key| key.active_from = begins);
        self.end_before(begins);
    }

    /// Makes retired keys end before a key that becomes active at `at`. On a slow clock a retired key may
    /// still be active, so both would be active at the same time.
    fn end_before(&mut self, at: Timestamp) {
        let now = self.now;
        let retired = |key: &&mut KeyRecord| !is_revoked(key) && key.state(now) == KeyStage::Retiring;
        for key in self.keys.iter_mut().filter(retired) {
            key.retiring_from = key.retiring_from.map(|retiring| retiring.min(at.max(key.active_from)));
        }
    }

    fn link(&mut self) {
        let signing = self.signing().map(|key| key.id);
        let sequence: Vec<_> = signing.into_iter().chain(self.waiting().iter().map(|key| key.id)).collect();
        let begins: Vec<_> =
            sequence.iter().filter_map(|id| self.find(*id)).map(|key| key.active_from).collect();
        let (now, in_effect_before, retention) = (self.now, self.in_effect_before(), self.policy.retention());
        for key in self.keys.iter_mut().filter(|key| !is_revoked(key) && key.state(now) != KeyStage::Removed)
        {
            match sequence.iter().position(|id| *id == key.id) {
                Some(place) => key.retiring_from = begins.get(place + 1).copied(),
                // Another replica or an older version added the second active key. Some replicas may sign
                // with it until they see this change.
                None => key.retiring_from = key.retiring_from.or(Some(in_effect_before)),
            }
            let until = key.retiring_from.map(|retiring| retiring + retention);
            // Never earlier than already planned, even if the policy has become shorter.
            let promised =
                self.records.keys.iter().find(|row| row.id == key.id).and_then(|row| row.removed_at);
            key.removed_at = until.map(|until| promised.map_or(until, |promised| promised.max(until)));
        }
    }
}
