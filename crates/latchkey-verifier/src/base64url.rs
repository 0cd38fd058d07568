//! base64url without padding (RFC 7515 §2), for tokens, by vector instructions if the processor has them. A
//! vector register may leave a part of its input on the stack, so secrets are decoded by other code.

use std::sync::LazyLock;

use base64::engine::Simd;
use base64::engine::general_purpose::NO_PAD;

/// Encodes and decodes.
pub static BASE64URL: LazyLock<Simd> = LazyLock::new(|| Simd::url_safe(NO_PAD));
