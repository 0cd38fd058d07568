//! One shared value as it is sealed: whose it is, when it was read, and under which of the tenant's epochs.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rows::Row;
use super::sealer::{Purpose, Sealer};
use crate::Freshness;

/// What was found in Redis, and for how long it still counts.
pub(crate) struct Entry<V> {
    pub(crate) value: Option<Arc<V>>,
    pub(crate) remaining: Duration,
}

#[derive(Serialize, Deserialize)]
struct Form<F> {
    name: String,
    epoch: String,
    /// Milliseconds since 1970. It is inside the seal, so that an old value which somebody puts back is worth nothing; and the reader
    /// says for how long it counts, so that replicas with other settings keep their own.
    read_at: u64,
    row: Option<F>,
}

/// Seals a value for its name.
pub(crate) fn seal<R: Row>(
    sealer: &Sealer,
    name: &str,
    epoch: &str,
    read_at: Duration,
    value: Option<&R>,
) -> Option<Vec<u8>> {
    let read_at = u64::try_from(read_at.as_millis()).ok()?;
    let form = Form { name: name.to_owned(), epoch: epoch.to_owned(), read_at, row: value.map(Row::to_form) };
    sealer.seal(Purpose::Value, name, serde_json::to_vec(&form).ok()?)
}

/// What was sealed under this name, if it is authentic. Nothing remains of what has expired or was read under another epoch.
pub(crate) fn open<R: Row>(
    sealer: &Sealer,
    name: &str,
    epoch: &str,
    freshness: Freshness,
    now: Duration,
    sealed: &[u8],
) -> Option<Entry<R>> {
    let plaintext = sealer.open(Purpose::Value, name, sealed)?;
    let form: Form<R::Form> = serde_json::from_slice(&plaintext).ok()?;
    if form.name != name {
        return None;
    }
    let value = match form.row {
        Some(row) => Some(Arc::new(R::from_form(row)?)),
        None => None,
    };
    let lifetime = freshness.of(value.as_ref());
    // A writer whose clock is ahead gains no more than a value ever has.
    let left = Duration::from_millis(form.read_at).saturating_add(lifetime).saturating_sub(now).min(lifetime);
    let remaining = if form.epoch == epoch { left } else { Duration::ZERO };
    Some(Entry { value, remaining })
}

#[cfg(test)]
mod tests {
    use keys::KeyRecords;
    use registry::Pepper;
    use zeroize::Zeroizing;

    use super::*;

    const READ: Duration = Duration::from_secs(1_767_225_600);

    fn remaining(fresh: u64, value: Option<&KeyRecords>, epoch: &str, now: Duration) -> Duration {
        let sealer = Sealer::new(&Pepper::from_bytes(Zeroizing::new([1; 32])));
        let sealed = seal(&sealer, "name", "epoch", READ, value).unwrap();
        open::<KeyRecords>(&sealer, "name", epoch, Freshness::new(Duration::from_secs(fresh)), now, &sealed)
            .unwrap()
            .remaining
    }

    #[test]
    fn a_value_counts_for_ten_seconds_after_it_was_read_and_an_absence_for_one() {
        let keys = KeyRecords { next: keys::KeyId::numbered(1), keys: Vec::new() };
        let after = |seconds| READ + Duration::from_secs(seconds);
        for (seconds, present, absent) in [(0, 10, 1), (1, 9, 0), (9, 1, 0), (10, 0, 0), (1000, 0, 0)] {
            assert_eq!(remaining(10, Some(&keys), "epoch", after(seconds)), Duration::from_secs(present));
            assert_eq!(remaining(10, None, "epoch", after(seconds)), Duration::from_secs(absent));
        }
        let behind = READ - Duration::from_secs(60);
        assert_eq!(remaining(10, Some(&keys), "epoch", behind), Duration::from_secs(10), "clock behind");
        assert_eq!(remaining(10, Some(&keys), "another", READ), Duration::ZERO);
        // Whatever the writer's setting, the reader's own counts.
        assert_eq!(remaining(2, Some(&keys), "epoch", after(1)), Duration::from_secs(1));
        assert_eq!(remaining(2, Some(&keys), "epoch", after(2)), Duration::ZERO);
    }
}
