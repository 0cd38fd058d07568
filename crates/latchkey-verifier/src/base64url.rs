//! base64url without padding (RFC 7515 §2), for tokens, by vector instructions where the processor has them.
//! A vector register may leave a piece of what it read on the stack, so secrets are decoded without.

use std::sync::LazyLock;

use base64::engine::Simd;
use base64::engine::general_purpose::NO_PAD;

/// Encodes and decodes.
pub static BASE64URL: LazyLock<Simd> = LazyLock::new(|| Simd::url_safe(NO_PAD));
