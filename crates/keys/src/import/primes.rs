//! Computes the primes of an RSA key, and the numbers derived from them, from the modulus and the exponents
//! (NIST SP 800-56B revision 2, appendix C.2). This happens once for each imported key and never for a
//! message, so its duration reveals nothing to a caller. aws-lc-rs checks the result.

use crypto_bigint::{BoxedUint, CheckedSub as _, Gcd as _, NonZero};
use zeroize::Zeroizing;

use super::kind::without_zeros;

/// The five numbers that an RSA key may omit (RFC 7518 §6.3.2), big-endian.
pub(super) struct Primes {
    pub(super) p: Zeroizing<Vec<u8>>,
    pub(super) q: Zeroizing<Vec<u8>>,
    pub(super) dp: Zeroizing<Vec<u8>>,
    pub(super) dq: Zeroizing<Vec<u8>>,
    pub(super) qi: Zeroizing<Vec<u8>>,
}

/// A number that is zeroized on drop. All numbers of a key have enough room for the product of the two
/// longest.
#[derive(Clone)]
struct Number(Zeroizing<BoxedUint>);

/// The maximum length of a public exponent in bits. aws-lc-rs accepts at most 33.
const LONGEST_EXPONENT: u32 = 40;

impl Primes {
    /// `None` if the three numbers do not belong to an RSA key.
    pub(super) fn new(n: &[u8], e: &[u8], d: &[u8]) -> Option<Self> {
        let [n, e, d] = [n, e, d].map(without_zeros);
        let bits = u32::try_from(n.len()).ok()?.checked_mul(16)?.checked_add(2 * LONGEST_EXPONENT)?;
        let number = |bytes| BoxedUint::from_be_slice(bytes, bits).map(Number::new).ok();
        let (n, e, d) = (number(n)?, number(e)?, number(d)?);
        let one = number(&[1])?;
        if e.0.bits_vartime() > LONGEST_EXPONENT || *d.0 <= *one.0 || *d.0 >= *n.0 {
            return None;
        }
        let multiple = d.times(&e)?.minus(&one)?;
        let common = Number::new(n.minus(&one)?.0.gcd_vartime(&multiple.0));
        let (m, r) = multiple.times(&common)?.divided_by(&n)?;
        let (sum, rest) = n.minus(&r)?.divided_by(&m.plus(&one))?;
        if rest.0.is_zero().to_bool() {
            let sum = sum.plus(&one);
            let square = sum.times(&sum)?.minus(&n.times(&number(&[4])?)?)?;
            let difference = Number::new(square.0.floor_sqrt_vartime());
            let [p, q] = [sum.plus(&difference), sum.minus(&difference)?].map(Number::half);
            if *p.times(&q)?.0 == *n.0 && *q.0 > *one.0 {
                let modulo_before = |prime: &Number| Some(d.divided_by(&prime.minus(&one)?)?.1.to_bytes());
                let modulus = NonZero::new((*p.0).clone()).into_option()?;
                return Some(Self {
                    dp: modulo_before(&p)?,
                    dq: modulo_before(&q)?,
                    qi: Number::new(q.0.invert_mod(&modulus).into_option()?).to_bytes(),
                    p: p.to_bytes(),
                    q: q.to_bytes(),
                });
            }
        }
        None
    }
}

impl Number {
    fn new(number: BoxedUint) -> Self {
        Self(Zeroizing::new(number))
    }

    fn plus(&self, other: &Self) -> Self {
        Self::new(self.0.wrapping_add(&*other.0))
    }

    fn minus(&self, other: &Self) -> Option<Self> {
        self.0.checked_sub(&*other.0).into_option().map(Self::new)
    }

    fn times(&self, other: &Self) -> Option<Self> {
        self.0.checked_mul(&*other.0).into_option().map(Self::new)
    }

    /// Quotient and remainder. `None` if the divisor is zero.
    fn divided_by(&self, divisor: &Self) -> Option<(Self, Self)> {
        let divisor = NonZero::new((*divisor.0).clone()).into_option()?;
        let (quotient, rest) = self.0.div_rem_vartime(&divisor);
        Some((Self::new(quotient), Self::new(rest)))
    }

    fn half(self) -> Self {
        Self::new(self.0.wrapping_shr_vartime(1))
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_be_bytes_trimmed_vartime().into_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primes_of_a_small_key_are_found() {
        // The example of the original RSA paper: p = 47, q = 59, e = 17, d = 157.
        let [n, d] = [2_773_u16, 157].map(u16::to_be_bytes);
        let primes = Primes::new(&n, &[17], &d).unwrap();
        let found = [&primes.p, &primes.q, &primes.dp, &primes.dq, &primes.qi].map(|number| number.to_vec());
        assert_eq!(found, [59, 47, 157 % 58, 157 % 46, 54].map(|number| vec![number]));
    }

    #[test]
    fn numbers_of_no_key_have_no_primes() {
        let numbers: [&[u8]; 6] = [&[], &[0], &[1], &[2], &[255; 4], &[255; 16]];
        for n in numbers {
            for e in numbers {
                for d in numbers {
                    let Some(primes) = Primes::new(n, e, d) else { continue };
                    let number = |bytes| Number::new(BoxedUint::from_be_slice(bytes, 512).unwrap());
                    let product = number(&primes.p).times(&number(&primes.q)).unwrap();
                    assert!(*product.0 == *number(n).0, "{n:?} {e:?} {d:?}");
                }
            }
        }
    }
}
