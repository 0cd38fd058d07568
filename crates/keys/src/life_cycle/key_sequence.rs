//! The sequence of a tenant's live keys: the signing key and its successors.

use values::Timestamp;

use super::plan::Announcement;
use super::policy::{KeyPolicy, before};
use crate::key_record::begun_last;
use crate::{KeyId, KeyRecord, KeyRecords, KeyStage};

/// A copy of the rows' times that planning modifies.
pub(super) struct KeySequence<'a> {
    pub(super) records: &'a KeyRecords,
    pub(super) policy: &'a KeyPolicy,
    pub(super) now: Timestamp,
    /// The keys that are not removed, without their private keys.
    pub(super) keys: Vec<KeyRecord>,
    pub(super) announced: Option<Announcement>,
}

impl<'a> KeySequence<'a> {
    pub(super) fn new(records: &'a KeyRecords, policy: &'a KeyPolicy, now: Timestamp) -> Self {
        let own = records.keys.iter().filter(|key| policy.concerns(key));
        let live = own.filter(|key| key.state(now) != KeyStage::Removed && !is_revoked(key));
        let keys = live.map(|key| KeyRecord { sealed_private_key: Vec::new(), ..key.clone() }).collect();
        Self { records, policy, now, keys, announced: None }
    }

    /// The time of a revocation, and of the activation of a revoked key's replacement. It is in the past on
    /// every clock, so that no replica continues to use a stolen key until its slow clock reaches the time.
    pub(super) fn revoked_from(&self) -> Timestamp {
        before(self.now, self.policy.skew)
    }

    pub(super) fn signing(&self) -> Option<&KeyRecord> {
        begun_last(self.living(), Some(self.policy.algorithm), self.now)
            .or_else(|| begun_last(self.living(), None, self.now))
    }

    /// The announced keys in the order of their activation.
    pub(super) fn waiting(&self) -> Vec<&KeyRecord> {
        let mut waiting: Vec<_> =
            self.living().filter(|key| key.state(self.now) == KeyStage::Announced).collect();
        waiting.sort_by_key(|key| (key.active_from, key.id));
        waiting
    }

    pub(super) fn find(&self, id: KeyId) -> Option<&KeyRecord> {
        self.living().find(|key| key.id == id)
    }

    /// The keys that are neither removed nor revoked by a command.
    pub(super) fn living(&self) -> impl Iterator<Item = &KeyRecord> + Clone {
        self.keys.iter().filter(|key| !is_revoked(key) && key.state(self.now) != KeyStage::Removed)
    }

    /// Times before this count as past, because replicas may already act on them.
    pub(super) fn in_effect_before(&self) -> Timestamp {
        self.now + self.policy.propagation_delay()
    }
}

/// Whether a command revoked the key. A key that retires normally stays published for a while after its last
/// signature.
pub(crate) fn is_revoked(key: &KeyRecord) -> bool {
    key.removed_at.is_some_and(|removed| key.retiring_from.is_none_or(|retiring| retiring >= removed))
}
