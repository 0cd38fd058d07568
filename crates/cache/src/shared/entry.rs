//! Sealed values that replicas share. Each contains its format, the time of its reading, its expiry and the
//! tenant's epoch, and is bound to its name.

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::sealer::{SealPurpose, Sealer};
use crate::Freshness;

/// The format of shared rows, which are serialized domain types. Increment it with every change of these
/// types, because replicas of two versions must not read each other's rows. A test checks it.
const FORMAT: u32 = 24;

pub(crate) trait SharedRow: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<R: Serialize + DeserializeOwned + Send + Sync + 'static> SharedRow for R {}

/// A value from Redis and its remaining freshness.
pub(crate) struct SharedEntry<V> {
    pub(crate) value: Option<Arc<V>>,
    pub(crate) remaining: Duration,
}

#[derive(Serialize, Deserialize)]
struct EntryForm<R> {
    format: u32,
    name: String,
    epoch: String,
    /// Milliseconds since 1970, like `expires_at`. Both are sealed, so an attacker who writes back an old
    /// value gains nothing.
    read_at: u64,
    /// When the writer stops using the value. A reader with a shorter freshness counts from `read_at`.
    expires_at: u64,
    row: Option<R>,
}

/// Seals a value for its name. It expires when this replica would read the row again.
pub(crate) fn seal<R: SharedRow>(
    sealer: &Sealer,
    name: &str,
    epoch: &str,
    freshness: Freshness,
    read_at: Duration,
    value: Option<&R>,
) -> Option<Vec<u8>> {
    let milliseconds = |time: Duration| u64::try_from(time.as_millis()).ok();
    let form = EntryForm {
        format: FORMAT,
        name: name.to_owned(),
        epoch: epoch.to_owned(),
        read_at: milliseconds(read_at)?,
        expires_at: milliseconds(read_at.saturating_add(freshness.of(value)))?,
        row: value,
    };
    sealer.seal(SealPurpose::Value, name, &serde_json::to_vec(&form).ok()?)
}

/// Unseals the value of this name. Returns `None` if the value is not authentic or has another format. The
/// remaining time is zero if the value has expired or was read in another epoch.
pub(crate) fn open<R: SharedRow>(
    sealer: &Sealer,
    name: &str,
    epoch: &str,
    freshness: Freshness,
    now: Duration,
    sealed: &[u8],
) -> Option<SharedEntry<R>> {
    let plaintext = sealer.open(SealPurpose::Value, name, sealed)?;
    let form: EntryForm<R> = serde_json::from_slice(&plaintext).ok()?;
    if form.name != name || form.format != FORMAT {
        return None;
    }
    let value = form.row.map(Arc::new);
    let lifetime = freshness.of(value.as_ref());
    // Limits the lifetime if the writer's clock is fast.
    let [read_at, expires_at] = [form.read_at, form.expires_at].map(Duration::from_millis);
    let left = read_at.saturating_add(lifetime).min(expires_at).saturating_sub(now).min(lifetime);
    let remaining = if form.epoch == epoch { left } else { Duration::ZERO };
    Some(SharedEntry { value, remaining })
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

    /// The remaining seconds of a value that one replica wrote and another reads. `fresh` are their freshness
    /// settings in seconds.
    fn remaining(fresh: [u64; 2], value: Option<&KeyRecords>, epoch: &str, now: Duration) -> u64 {
        let sealer = Sealer::new(&Pepper::from_bytes(Zeroizing::new([1; 32])));
        let [writer, reader] = fresh.map(span);
        let sealed = seal(&sealer, "name", "epoch", writer, READ, value).unwrap();
        let opened = open::<KeyRecords>(&sealer, "name", epoch, reader, now, &sealed).unwrap();
        assert_eq!(opened.remaining.subsec_nanos(), 0);
        opened.remaining.as_secs()
    }

    fn no_keys() -> KeyRecords {
        let copies_kept = values::Lifetime::from_seconds(360);
        KeyRecords { next: keys::KeyId::numbered(1), copies_kept, keys: Vec::new() }
    }

    #[test]
    fn values_live_ten_seconds_and_absences_one() {
        let keys = no_keys();
        let after = |seconds| READ + Duration::from_secs(seconds);
        for (seconds, present, absent) in [(0, 10, 1), (1, 9, 0), (9, 1, 0), (10, 0, 0), (1000, 0, 0)] {
            assert_eq!(remaining([10; 2], Some(&keys), "epoch", after(seconds)), present);
            assert_eq!(remaining([10; 2], None, "epoch", after(seconds)), absent);
        }
        let behind = READ - Duration::from_secs(60);
        assert_eq!(remaining([10; 2], Some(&keys), "epoch", behind), 10, "clock behind");
        assert_eq!(remaining([10; 2], Some(&keys), "another", READ), 0);
    }

    #[test]
    fn shorter_of_two_freshness_settings_wins() {
        let keys = no_keys();
        for fresh in [[10, 2], [2, 10]] {
            for (seconds, left) in [(0, 2), (1, 1), (2, 0), (5, 0)] {
                let now = READ + Duration::from_secs(seconds);
                let found = remaining(fresh, Some(&keys), "epoch", now);
                assert_eq!(found, left, "{fresh:?} after {seconds} s");
            }
        }
    }

    fn opened(text: &str) -> bool {
        let sealer = Sealer::new(&Pepper::from_bytes(Zeroizing::new([1; 32])));
        let sealed = sealer.seal(SealPurpose::Value, "name", text.as_bytes()).unwrap();
        open::<KeyRecords>(&sealer, "name", "epoch", span(10), READ, &sealed).is_some()
    }

    #[test]
    fn value_of_another_format_is_ignored() {
        let value = |head: &str, row: &str| {
            format!(r#"{{{head}"name":"name","epoch":"epoch","read_at":1,"expires_at":2,"row":{row}}}"#)
        };
        let own = format!(r#""format":{FORMAT},"#);
        let newer = format!(r#""format":{},"#, FORMAT + 1);
        let text = format!(r#""format":"{FORMAT}","#);
        for row in [r#"{"next":1,"copies_kept":360,"keys":[]}"#, "null"] {
            assert!(opened(&value(&own, row)), "{row}");
            for head in ["", r#""format":4,"#, &newer, &text, r#""format":null,"#] {
                assert!(!opened(&value(head, row)), "{head} {row}");
            }
        }
        assert!(!opened(&value(&own, r#"{"next":1,"copies_kept":360,"keys":[{}]}"#)));
    }
}
