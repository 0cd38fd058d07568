//! What a loaded key costs: bytes of resident memory for each ring of one key that has signed, its key set
//! built, and how long keys take to make. `memory_per_key RINGS` prints a line for each algorithm; the
//! cryptographic library allocates by itself, so the process is measured, not the allocator.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::time::Instant;

use keys::{KeyId, KeyRecord, KeyRecords, KeyRing, KeySpec, PrivateKeyDocument, RsaSize, SigningKey};
use protocol::SigningAlgorithm;
use values::{Lifetime, Timestamp};

/// Where it runs, a page of memory has so many bytes.
const PAGE: u64 = 4096;
/// Times differ by much, since primes are found by trial.
const MADE: u32 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let rings: u32 = std::env::args().nth(1).ok_or("usage: memory_per_key RINGS")?.parse()?;
    // Nothing is given back, or what comes next would find its memory there.
    let mut kept = Vec::new();
    for (algorithm, rsa_size) in [
        (SigningAlgorithm::RS256, RsaSize::Bits2048),
        (SigningAlgorithm::RS256, RsaSize::Bits3072),
        (SigningAlgorithm::RS256, RsaSize::Bits4096),
        (SigningAlgorithm::ES256, RsaSize::Bits2048),
        (SigningAlgorithm::ES384, RsaSize::Bits2048),
        (SigningAlgorithm::EdDSA, RsaSize::Bits2048),
    ] {
        let spec = KeySpec { algorithm, rsa_size };
        let began = Instant::now();
        for _ in 0..MADE {
            PrivateKeyDocument::from_spec(spec)?;
        }
        let took = began.elapsed() / MADE;
        let document = PrivateKeyDocument::from_spec(spec)?;
        ring(algorithm, &document)?;
        let before = resident()?;
        for _ in 0..rings {
            kept.push(ring(algorithm, &document)?);
        }
        let bytes = resident()?.saturating_sub(before) / u64::from(rings);
        let kind = spec.rsa().map_or(String::new(), |size| format!("-{}", size.bits()));
        println!("{algorithm}{kind} bytes_per_ring={bytes} generation={took:?}");
    }
    drop(kept);
    Ok(())
}

fn ring(algorithm: SigningAlgorithm, document: &PrivateKeyDocument) -> Result<KeyRing, Box<dyn Error>> {
    let (id, now) = (KeyId::numbered(1), Timestamp::from_seconds(1));
    let key = Arc::new(SigningKey::parse(id, algorithm, document.expose())?);
    key.sign("at+jwt", &"claims")?;
    let record = KeyRecord {
        id,
        algorithm,
        sealed_private_key: document.expose().to_vec(),
        thumbprint: key.thumbprint.clone(),
        public_jwk: None,
        announced_at: now,
        active_from: now,
        retiring_from: None,
        removed_at: None,
        shown: keys::ShownTimes::default(),
    };
    let records =
        KeyRecords { next: KeyId::numbered(2), copies_kept: Lifetime::from_seconds(360), keys: vec![record] };
    let ring = KeyRing::new(Arc::new(records), vec![key]);
    drop(ring.jwk_set(now));
    Ok(ring)
}

/// The second figure of proc(5) statm.
fn resident() -> Result<u64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = text.split(' ').nth(1).ok_or("empty /proc/self/statm")?.parse()?;
    Ok(pages * PAGE)
}
