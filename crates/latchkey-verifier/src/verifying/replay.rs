//! Accepts each DPoP proof once (RFC 9449 §11.1). The guard of a verifier knows the proofs of this process.
//! Several processes of one API share a guard that implements the trait.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

/// It cannot be known whether a proof was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it cannot be known whether the DPoP proof was used before")]
pub struct GuardUnavailable;

/// The answer of a guard: whether this is the first use.
pub type FirstUse<'a> = Pin<Box<dyn Future<Output = Result<bool, GuardUnavailable>> + Send + 'a>>;

/// Knows the proofs that were used.
pub trait ReplayGuard: Send + Sync {
    /// Records the use of a proof of this issuer's tokens. Returns whether it is the first one. The proof is
    /// refused anyway from the second `expires_at` on, so it may be forgotten then. Only one of two
    /// concurrent calls is the first.
    fn first_use<'a>(&'a self, issuer: &'a str, proof: [u8; 32], expires_at: u64, now: u64) -> FirstUse<'a>;
}

/// Remembers proofs in memory: a limited number of one issuer, and ten times as many in all, so that one
/// tenant cannot use up the memory.
pub(crate) struct MemoryGuard {
    of_issuer: usize,
    used: Mutex<UsedProofs>,
}

#[derive(Default)]
struct UsedProofs {
    count: usize,
    issuers: HashMap<Box<str>, Proofs>,
}

/// The proofs by the half minute in which they expire, so that they are forgotten together.
#[derive(Default)]
struct Proofs {
    count: usize,
    slots: BTreeMap<u64, HashSet<[u8; 32]>>,
}

const SLOT: u64 = 30;
/// The most issuers with a share: there is room for this number of full shares.
const SHARES: usize = 10;

impl MemoryGuard {
    pub(crate) fn new(of_issuer: usize) -> Self {
        Self { of_issuer, used: Mutex::default() }
    }

    fn record(
        &self,
        issuer: &str,
        proof: [u8; 32],
        expires_at: u64,
        now: u64,
    ) -> Result<bool, GuardUnavailable> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let used = &mut *used;
        if used.count >= self.of_issuer.saturating_mul(SHARES) {
            used.issuers.retain(|_, proofs| {
                used.count -= proofs.forget(now);
                proofs.count > 0
            });
        }
        let is_full = used.count >= self.of_issuer.saturating_mul(SHARES);
        if !used.issuers.contains_key(issuer) {
            used.issuers.insert(issuer.into(), Proofs::default());
        }
        let Some(proofs) = used.issuers.get_mut(issuer) else { return Err(GuardUnavailable) };
        used.count -= proofs.forget(now);
        if proofs.slots.values().any(|slot| slot.contains(&proof)) {
            return Ok(false);
        }
        if is_full || proofs.count >= self.of_issuer {
            return Err(GuardUnavailable);
        }
        proofs.slots.entry(expires_at / SLOT).or_default().insert(proof);
        proofs.count += 1;
        used.count += 1;
        Ok(true)
    }
}

impl Proofs {
    /// Forgets what has expired. Returns how many that were.
    fn forget(&mut self, now: u64) -> usize {
        let kept = self.slots.split_off(&(now / SLOT));
        let forgotten = self.slots.values().map(HashSet::len).sum();
        self.slots = kept;
        self.count -= forgotten;
        forgotten
    }
}

impl ReplayGuard for MemoryGuard {
    fn first_use<'a>(&'a self, issuer: &'a str, proof: [u8; 32], expires_at: u64, now: u64) -> FirstUse<'a> {
        Box::pin(std::future::ready(self.record(issuer, proof, expires_at, now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_used_once_until_it_expires() {
        let guard = MemoryGuard::new(10);
        assert_eq!(guard.record("a", [1; 32], 160, 100), Ok(true));
        for now in [100, 130, 159] {
            assert_eq!(guard.record("a", [1; 32], 160, now), Ok(false), "{now}");
        }
        assert_eq!(guard.record("b", [1; 32], 160, 159), Ok(true), "of another issuer");
        assert_eq!(guard.record("a", [1; 32], 260, 200), Ok(true), "forgotten");
    }

    #[test]
    fn one_issuer_cannot_exhaust_the_guard() {
        let guard = MemoryGuard::new(10);
        let id = |number: u8| [number; 32];
        for number in 0..10 {
            assert_eq!(guard.record("a", id(number), 160, 100), Ok(true));
        }
        assert_eq!(guard.record("a", id(10), 160, 100), Err(GuardUnavailable));
        assert_eq!(guard.record("a", id(9), 160, 100), Ok(false), "what is known is still refused");
        assert_eq!(guard.record("b", id(10), 160, 100), Ok(true));
        for issuer in 0..20 {
            for number in 0..10 {
                let _ = guard.record(&issuer.to_string(), id(number), 160, 100);
            }
        }
        assert_eq!(guard.used.lock().unwrap().count, 100);
        assert_eq!(guard.record("z", id(1), 160, 100), Err(GuardUnavailable));
        assert_eq!(guard.record("z", id(1), 300, 200), Ok(true));
        assert_eq!(guard.used.lock().unwrap().count, 1);
    }
}
