//! Signatures that were verified before: a repeated token costs a hash and no signature. All other checks are
//! made each time.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};

use crate::Thumbprint;

/// With this number, callers on several threads rarely contend for one lock.
const SHARDS: usize = 16;

/// SHA-256 of a key and a whole token, whose claims name the issuer.
pub(crate) type SignedToken = [u8; 32];

/// A limited number of verified tokens, in the memory of the process.
pub(crate) struct Remembered {
    /// The most tokens of one generation of a shard.
    most: usize,
    shards: [Mutex<TokenGenerations>; SHARDS],
}

/// A full generation replaces the previous one. So about half of the tokens, the latest ones, are always
/// known, and no search for the oldest one is needed.
#[derive(Default)]
struct TokenGenerations {
    present: HashSet<SignedToken>,
    before: HashSet<SignedToken>,
}

impl Remembered {
    /// Remembers so many tokens; none if `most` is 0.
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.div_ceil(2 * SHARDS), shards: Default::default() }
    }

    /// The digest for this token and the key that verifies its signature. `None` if nothing is remembered.
    pub(crate) fn signed_token(&self, key: Thumbprint, token: &str) -> Option<SignedToken> {
        if self.most == 0 {
            return None;
        }
        let mut digest = Context::new(&SHA256);
        digest.update(&key.into_bytes());
        digest.update(token.as_bytes());
        digest.finish().as_ref().try_into().ok()
    }

    /// Whether the signature was verified.
    pub(crate) fn has(&self, token: &SignedToken) -> bool {
        let mut shard = self.shard(token).lock().unwrap_or_else(PoisonError::into_inner);
        if shard.present.contains(token) {
            return true;
        }
        let was_before = shard.before.contains(token);
        if was_before {
            shard.add(*token, self.most);
        }
        was_before
    }

    /// Remembers a token whose signature was verified.
    pub(crate) fn add(&self, token: SignedToken) {
        self.shard(&token).lock().unwrap_or_else(PoisonError::into_inner).add(token, self.most);
    }

    fn shard(&self, token: &SignedToken) -> &Mutex<TokenGenerations> {
        &self.shards[usize::from(token[0]) % SHARDS]
    }
}

impl TokenGenerations {
    fn add(&mut self, token: SignedToken, most: usize) {
        if self.present.len() >= most {
            self.before = std::mem::take(&mut self.present);
        }
        self.present.insert(token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Thumbprint = Thumbprint::new([1; 32]);

    fn has(remembered: &Remembered, token: &str) -> bool {
        remembered.signed_token(KEY, token).is_some_and(|token| remembered.has(&token))
    }

    fn add(remembered: &Remembered, token: &str) {
        remembered.add(remembered.signed_token(KEY, token).unwrap());
    }

    #[test]
    fn a_token_is_remembered_with_its_key() {
        let remembered = Remembered::new(100);
        add(&remembered, "a.b.c");
        assert!(has(&remembered, "a.b.c") && !has(&remembered, "a.b.d"));
        let other = remembered.signed_token(Thumbprint::new([2; 32]), "a.b.c").unwrap();
        assert!(!remembered.has(&other), "another key with the same `kid`");
        assert_eq!(Remembered::new(0).signed_token(KEY, "a.b.c"), None);
    }

    #[test]
    fn token_flood_keeps_memory_bounded_and_used_tokens_known() {
        const MOST: usize = 3_200;
        let remembered = Remembered::new(MOST);
        add(&remembered, "in use");
        add(&remembered, "unused");
        for number in 0..100_000 {
            add(&remembered, &number.to_string());
            // The token is used once for every hundred other tokens.
            assert!(number % 100 != 0 || has(&remembered, "in use"), "{number}");
        }
        assert!(!has(&remembered, "unused"));
        let held = |shard: &Mutex<TokenGenerations>| {
            let shard = shard.lock().unwrap();
            shard.present.len() + shard.before.len()
        };
        let held: usize = remembered.shards.iter().map(held).sum();
        assert!((MOST / 2..=MOST).contains(&held), "{held}");
    }
}
