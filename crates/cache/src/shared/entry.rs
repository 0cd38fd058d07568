//! One shared value as it is sealed: whose it is, when it was read, when it expires, and under which of the tenant's epochs.

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
    /// Milliseconds since 1970, both. They are inside the seal, so that an old value which somebody puts back is worth nothing.
    read_at: u64,
    /// For as long as the writer would use it; a reader whose own setting is shorter counts from the reading.
    expires_at: u64,
    row: Option<F>,
}

/// Seals a value for its name, to expire when this replica would read it anew.
pub(crate) fn seal<R: Row>(
    sealer: &Sealer,
    name: &str,
    epoch: &str,
    freshness: Freshness,
    read_at: Duration,
    value: Option<&R>,
) -> Option<Vec<u8>> {
    let milliseconds = |time: Duration| u64::try_from(time.as_millis()).ok();
    let form = Form {
        name: name.to_owned(),
        epoch: epoch.to_owned(),
        read_at: milliseconds(read_at)?,
        expires_at: milliseconds(read_at.saturating_add(freshness.of(value)))?,
        row: value.map(Row::to_form),
    };
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
    let [read_at, expires_at] = [form.read_at, form.expires_at].map(Duration::from_millis);
    let left = read_at.saturating_add(lifetime).min(expires_at).saturating_sub(now).min(lifetime);
    let remaining = if form.epoch == epoch { left } else { Duration::ZERO };
    Some(Entry { value, remaining })
}

#[cfg(test)]
mod tests {
    use keys::KeyRecords;
    use secrets::Pepper;
    use zeroize::Zeroizing;

    use super::*;

    const READ: Duration = Duration::from_secs(1_767_225_600);

    fn span(seconds: u64) -> Freshness {
        Freshness::new(Duration::from_secs(seconds))
    }

    /// Of a value that one replica wrote and another reads, whose entries are fresh for so many seconds each.
    fn remaining(fresh: [u64; 2], value: Option<&KeyRecords>, epoch: &str, now: Duration) -> Duration {
        let sealer = Sealer::new(&Pepper::from_bytes(Zeroizing::new([1; 32])));
        let [writer, reader] = fresh.map(span);
        let sealed = seal(&sealer, "name", "epoch", writer, READ, value).unwrap();
        open::<KeyRecords>(&sealer, "name", epoch, reader, now, &sealed).unwrap().remaining
    }

    #[test]
    fn a_value_counts_for_ten_seconds_after_it_was_read_and_an_absence_for_one() {
        let keys = KeyRecords { next: keys::KeyId::numbered(1), keys: Vec::new() };
        let after = |seconds| READ + Duration::from_secs(seconds);
        for (seconds, present, absent) in [(0, 10, 1), (1, 9, 0), (9, 1, 0), (10, 0, 0), (1000, 0, 0)] {
            assert_eq!(
                remaining([10; 2], Some(&keys), "epoch", after(seconds)),
                Duration::from_secs(present)
            );
            assert_eq!(remaining([10; 2], None, "epoch", after(seconds)), Duration::from_secs(absent));
        }
        let behind = READ - Duration::from_secs(60);
        assert_eq!(remaining([10; 2], Some(&keys), "epoch", behind), Duration::from_secs(10), "clock behind");
        assert_eq!(remaining([10; 2], Some(&keys), "another", READ), Duration::ZERO);
    }

    #[test]
    fn of_two_replicas_with_other_settings_the_shorter_one_counts() {
        let keys = KeyRecords { next: keys::KeyId::numbered(1), keys: Vec::new() };
        for fresh in [[10, 2], [2, 10]] {
            for (seconds, left) in [(0, 2), (1, 1), (2, 0), (5, 0)] {
                let now = READ + Duration::from_secs(seconds);
                assert_eq!(
                    remaining(fresh, Some(&keys), "epoch", now),
                    Duration::from_secs(left),
                    "{fresh:?} after {seconds} s"
                );
            }
        }
    }
}
