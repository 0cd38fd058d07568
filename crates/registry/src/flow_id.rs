//! The identifier of a sign-in that consists of two calls. It contains its time and a digest, so nothing is
//! stored, and the second call can go to another replica. It is a custom UUID (RFC 9562 §5.8).

use subtle::ConstantTimeEq as _;
use uuid::Uuid;
use values::{Lifetime, Timestamp};

use secrets::{KeyedDigest, Pepper, random_bytes};

/// The maximum time between the calls.
const LIFETIME: Lifetime = Lifetime::from_seconds(600);
/// The maximum difference between the clocks of replicas.
const SKEW: Lifetime = Lifetime::from_seconds(60);

pub(crate) struct FlowIds(KeyedDigest);

impl FlowIds {
    /// Derives the key from the pepper, which all replicas share.
    pub(crate) fn new(pepper: &Pepper) -> Self {
        Self(KeyedDigest::for_purpose(pepper.expose(), "latchkey sign-in flow 1"))
    }

    pub(crate) fn generate(&self, now: Timestamp) -> String {
        self.of(now, &random_bytes::<4>()).to_string()
    }

    /// Whether this server issued the identifier and it has not expired.
    pub(crate) fn admits(&self, text: &str, now: Timestamp) -> bool {
        let Ok(id) = Uuid::try_parse(text) else { return false };
        let bytes = id.as_bytes();
        let mut seconds = [0; 4];
        let mut random = [0; 4];
        seconds.copy_from_slice(&bytes[..4]);
        random.copy_from_slice(&bytes[4..8]);
        let begun = Timestamp::from_seconds(u32::from_be_bytes(seconds).into());
        let is_ours: bool = self.of(begun, &random).as_bytes().ct_eq(bytes).into();
        is_ours && begun <= now + SKEW && now < begun + LIFETIME
    }

    /// Four bytes of time, four random bytes, and a digest of both, with the version and variant of a UUID.
    fn of(&self, begun: Timestamp, random: &[u8; 4]) -> Uuid {
        let seconds = u32::try_from(begun.seconds()).unwrap_or(u32::MAX).to_be_bytes();
        let mut random = *random;
        random[2] = random[2] & 0x0F | 0x80;
        let digest = self.0.of([seconds.as_slice(), random.as_slice()]);
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&seconds);
        bytes[4..8].copy_from_slice(&random);
        bytes[8..].copy_from_slice(&digest[..8]);
        bytes[8] = bytes[8] & 0x3F | 0x80;
        Uuid::from_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

    #[test]
    fn flow_id_is_valid_for_ten_minutes() {
        let replicas = [(); 2].map(|()| FlowIds::new(&Pepper::from_bytes(Zeroizing::new([7; 32]))));
        let id = replicas[0].generate(NOW);
        assert_ne!(id, replicas[0].generate(NOW));
        for (seconds, expected) in [(0, true), (599, true), (600, false), (10_000, false)] {
            let later = NOW + Lifetime::from_seconds(seconds);
            assert_eq!(replicas[1].admits(&id, later), expected, "{seconds}");
        }
        let earlier = Timestamp::from_seconds(NOW.seconds() - 61);
        assert!(!replicas[0].admits(&id, earlier));
    }

    #[test]
    fn foreign_and_forged_flow_ids_are_refused() {
        let ours = FlowIds::new(&Pepper::from_bytes(Zeroizing::new([7; 32])));
        let others = FlowIds::new(&Pepper::from_bytes(Zeroizing::new([8; 32])));
        for text in ["", "x", "550e8400-e29b-41d4-a716-446655440000", &others.generate(NOW)] {
            assert!(!ours.admits(text, NOW), "{text}");
        }
        let mut id = ours.generate(NOW).into_bytes();
        for at in 0..id.len() {
            let before = id[at];
            id[at] = if before == b'0' { b'1' } else { b'0' };
            let forged = String::from_utf8(id.clone()).unwrap();
            assert!(before == b'-' || !ours.admits(&forged, NOW), "{forged}");
            id[at] = before;
        }
    }
}
