//! The identifier of a request, unique across all processes: a hexadecimal number of 64 bits, which
//! starts at a random value and increases by one for each request.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::header::HeaderValue;

/// 16 hexadecimal digits.
#[derive(Clone, Copy)]
pub(crate) struct RequestId([u8; 16]);

impl RequestId {
    pub(crate) fn next() -> Self {
        static FIRST: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Self::from_number(FIRST.wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    fn from_number(number: u64) -> Self {
        let mut digits = [0; 16];
        for (place, digit) in digits.iter_mut().rev().enumerate() {
            *digit = b"0123456789abcdef"[(number >> (4 * place) & 0xf) as usize];
        }
        Self(digits)
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("-")
    }

    pub(crate) fn to_header(self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).unwrap_or_else(|_| HeaderValue::from_static("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_id_has_sixteen_hexadecimal_digits() {
        for number in [0, 1, 0xab, 0x0123_4567_89ab_cdef, u64::MAX] {
            let id = RequestId::from_number(number);
            assert_eq!(id.as_str(), format!("{number:016x}"));
            assert_eq!(id.to_header(), id.as_str());
        }
    }
}
