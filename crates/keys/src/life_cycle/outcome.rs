//! The result of planning: the plan, and the tokens that a removal invalidates.

use values::Timestamp;

use super::happened::shown_of;
use super::key_sequence::KeySequence;
use super::plan::{BrokenTokens, KeyPlan, KeyTimes};
use crate::{KeyRecord, KeyStage};

impl KeySequence<'_> {
    /// The tokens that become invalid when this key is removed.
    pub(super) fn broken_by_removal(&self, key: &KeyRecord) -> Option<BrokenTokens> {
        let last = match key.state(self.now) {
            // The key may already be active on a replica with a fast clock.
            KeyStage::Announced if key.active_from > self.now + self.policy.skew => return None,
            KeyStage::Announced | KeyStage::Active => self.now + self.policy.skew,
            // A revocation moves the stored time back if the key had just signed. A replica that has not read
            // the change yet, or that has a fast clock, signs for a little longer.
            KeyStage::Retiring => KeyTimes::from_key(key).as_shown().retiring_from? + self.policy.skew,
            KeyStage::Removed => return None,
        };
        // The previous token lifetime is only known from the expiry of its last token and from how long the
        // key is kept. A replica with a fast clock may have issued that token.
        let previous = self.policy.previous_tokens_until.map(|until| until + self.policy.skew);
        let earlier = previous.min(key.removed_at);
        let until = earlier.unwrap_or(last).max(last + self.policy.longest_token);
        (until > self.now).then_some(BrokenTokens { key: key.id, until })
    }

    pub(super) fn into_plan(self) -> KeyPlan {
        let changed = |key: &KeyRecord| {
            let row = self.records.keys.iter().find(|row| row.id == key.id)?;
            let times = KeyTimes::from_key(key);
            let shown = shown_of(row, &times, self.now);
            (times != KeyTimes::from_key(row)).then_some(KeyTimes { shown, ..times })
        };
        let times = self.keys.iter().filter_map(changed).collect();
        let gone = |key: &KeyRecord| key.removed_at.map(|removed| removed + self.policy.propagation_delay());
        let destroyed = |key: &&KeyRecord| gone(key).is_some_and(|gone| gone <= self.now);
        let whole = |key: &&KeyRecord| self.policy.concerns(key) && !key.sealed_private_key.is_empty();
        let destroy = self.records.keys.iter().filter(whole).filter(destroyed).map(|key| key.id).collect();
        let rows = self.records.keys.iter().filter(whole);
        // The modified copy of a live key, or the row of any other key.
        let current = rows.map(|row| self.keys.iter().find(|key| key.id == row.id).unwrap_or(row));
        let destruction = current.filter_map(gone).filter(|gone| *gone > self.now).min();
        let due_at = self.succession().into_iter().chain(destruction).min();
        let due_at = due_at.map(|due| due.max(self.now)).filter(|due| due.seconds() < u64::MAX);
        KeyPlan { announce: self.announced, times, destroy, due_at }
    }

    /// When the last key of the sequence must have a successor.
    fn succession(&self) -> Option<Timestamp> {
        let waiting = self.waiting();
        let last = waiting.last().copied().or_else(|| self.signing())?;
        Some(self.policy.succession_of(last))
    }
}
