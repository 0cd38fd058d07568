//! The key that a token or a feed names, among those of its issuer.

use crate::TokenError;
use crate::check::{Check, CheckObserver, ensure};
use crate::jws::Header;
use crate::key_set::{KeySet, PublicKey};

/// Finds the key by its identifier among this issuer's; it verifies with its own algorithm, and the token's
/// `alg` must be that one (RFC 8725 §3.1).
pub(crate) fn check_key<'k>(
    header: &Header<'_>,
    keys: &'k KeySet,
    observer: &mut impl CheckObserver,
) -> Result<&'k PublicKey, TokenError> {
    let key = header.kid.and_then(|kid| keys.key(kid)).ok_or(TokenError::UnknownKey);
    let key = observer.check(Check::Key, key)?;
    let is_own = ensure(key.algorithm == header.algorithm, TokenError::AlgorithmNotAllowed);
    observer.check(Check::KeyAlgorithm, is_own)?;
    Ok(key)
}
