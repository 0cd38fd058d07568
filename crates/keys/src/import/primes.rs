//! The primes of an RSA key and the numbers that follow from them, of a key that has its modulus and its
//! exponents alone (NIST SP 800-56B revision 2 appendix C.2). It happens once for each such key and never for
//! a message, so its timing reveals nothing to a caller, and plain arithmetic is fast enough: some
//! milliseconds. aws-lc-rs checks what is found.

use std::cmp::Ordering;

use zeroize::Zeroizing;

/// The five numbers that an RSA key may leave out (RFC 7518 §6.3.2), with the most significant byte first.
pub(super) struct Primes {
    pub(super) p: Zeroizing<Vec<u8>>,
    pub(super) q: Zeroizing<Vec<u8>>,
    pub(super) dp: Zeroizing<Vec<u8>>,
    pub(super) dq: Zeroizing<Vec<u8>>,
    pub(super) qi: Zeroizing<Vec<u8>>,
}

/// Bytes of the longest public exponent; aws-lc-rs takes no more than 33 bits.
const LONGEST_EXPONENT: usize = 5;

impl Primes {
    /// The primes of these three numbers, if they are those of a key.
    pub(super) fn of(n: &[u8], e: &[u8], d: &[u8]) -> Option<Self> {
        let [n, e, d] = [n, e, d].map(Number::from_bytes);
        let one = Number::from(1);
        if e.bits() > 8 * LONGEST_EXPONENT || d <= one || d >= n {
            return None;
        }
        let multiple = d.times(&e).minus(&one)?;
        let common = n.minus(&one)?.greatest_common_divisor(multiple.clone())?;
        let (m, r) = multiple.times(&common).divided_by(&n)?;
        let (sum, rest) = n.minus(&r)?.divided_by(&m.plus(&one))?;
        if !rest.is_zero() {
            return None;
        }
        let sum = sum.plus(&one);
        let square = sum.times(&sum).minus(&n.times(&Number::from(4)))?;
        let difference = square.root();
        let [p, q] = [sum.plus(&difference), sum.minus(&difference)?].map(|twice| twice.shifted(1));
        if p.times(&q) != n || q <= one {
            return None;
        }
        let modulo_before = |prime: &Number| Some(d.divided_by(&prime.minus(&one)?)?.1.to_bytes());
        Some(Self {
            dp: modulo_before(&p)?,
            dq: modulo_before(&q)?,
            qi: q.inverse(&p)?.to_bytes(),
            p: p.to_bytes(),
            q: q.to_bytes(),
        })
    }
}

/// A natural number of 32 bits a limb, the least significant first and the last not
/// zero. Its memory is wiped.
#[derive(Clone, PartialEq, Eq)]
struct Number(Zeroizing<Vec<u32>>);

impl Number {
    /// Limbs are given with their number, so that no copy is left where a vector has grown.
    fn of(limbs: impl ExactSizeIterator<Item = u32>) -> Self {
        // A remainder that is doubled before it is reduced has one limb more for a moment.
        let mut all = Zeroizing::new(Vec::with_capacity(limbs.len() + 1));
        all.extend(limbs);
        Self(all).trimmed()
    }

    fn trimmed(mut self) -> Self {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        let limb = |bytes: &[u8]| bytes.iter().fold(0, |limb, byte| limb << 8 | u32::from(*byte));
        Self::of(bytes.rchunks(4).map(limb))
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(4 * self.0.len()));
        self.0.iter().rev().for_each(|limb| bytes.extend(limb.to_be_bytes()));
        bytes
    }

    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    fn limb(&self, at: usize) -> u32 {
        self.0.get(at).copied().unwrap_or_default()
    }

    fn bits(&self) -> usize {
        self.0.last().map_or(0, |last| self.0.len() * 32 - last.leading_zeros() as usize)
    }

    fn bit(&self, at: usize) -> u32 {
        self.limb(at / 32) >> (at % 32) & 1
    }

    /// Without its last bits.
    fn shifted(&self, bits: usize) -> Self {
        let (limbs, bits) = (bits / 32, bits % 32);
        let two = |at: usize| u64::from(self.limb(at + 1)) << 32 | u64::from(self.limb(at));
        Self::of((limbs..self.0.len().max(limbs)).map(|at| (two(at) >> bits) as u32))
    }

    fn plus(&self, other: &Self) -> Self {
        let mut carry = 0;
        Self::of((0..self.0.len().max(other.0.len()) + 1).map(|at| {
            carry += u64::from(self.limb(at)) + u64::from(other.limb(at));
            let limb = carry as u32;
            carry >>= 32;
            limb
        }))
    }

    fn minus(&self, other: &Self) -> Option<Self> {
        let mut difference = self.clone();
        (self >= other).then(|| difference.subtract(other))?;
        Some(difference.trimmed())
    }

    /// Takes away a number that is not greater.
    fn subtract(&mut self, other: &Self) {
        let mut borrow = 0;
        for (at, limb) in self.0.iter_mut().enumerate() {
            borrow += i64::from(*limb) - i64::from(other.limb(at));
            *limb = borrow as u32;
            borrow >>= 32;
        }
    }

    fn times(&self, other: &Self) -> Self {
        let mut product = Self(Zeroizing::new(vec![0; self.0.len() + other.0.len()]));
        for (start, factor) in self.0.iter().enumerate() {
            let mut carry = 0;
            for at in 0..=other.0.len() {
                let limb = &mut product.0[start + at];
                carry += u64::from(*factor) * u64::from(other.limb(at)) + u64::from(*limb);
                *limb = carry as u32;
                carry >>= 32;
            }
        }
        product.trimmed()
    }

    /// Quotient and remainder, bit by bit; none for a division by zero.
    fn divided_by(&self, divisor: &Self) -> Option<(Self, Self)> {
        let bits = (self.bits() + 1).saturating_sub(divisor.bits());
        let mut quotient = Self(Zeroizing::new(vec![0; bits.div_ceil(32)]));
        let mut rest = (!divisor.is_zero()).then(|| self.shifted(bits))?;
        for at in (0..bits).rev() {
            rest.append(self.bit(at));
            if rest >= *divisor {
                rest.subtract(divisor);
                rest = rest.trimmed();
                quotient.0[at / 32] |= 1 << (at % 32);
            }
        }
        Some((quotient.trimmed(), rest))
    }

    /// Appends one bit.
    fn append(&mut self, mut bit: u32) {
        for limb in self.0.iter_mut() {
            let next = *limb >> 31;
            *limb = *limb << 1 | bit;
            bit = next;
        }
        if bit != 0 {
            self.0.push(bit);
        }
    }

    fn greatest_common_divisor(self, other: Self) -> Option<Self> {
        let (mut greater, mut less) = (self, other);
        while !less.is_zero() {
            let (_, rest) = greater.divided_by(&less)?;
            (greater, less) = (less, rest);
        }
        Some(greater)
    }

    /// The number whose square this is, or the next below it, by Newton's method from above.
    fn root(&self) -> Self {
        let mut root = Self::from(1);
        (0..=self.bits() / 2).for_each(|_| root.append(0));
        while let Some((quotient, _)) = self.divided_by(&root) {
            let next = root.plus(&quotient).shifted(1);
            if next >= root {
                break;
            }
            root = next;
        }
        root
    }

    /// What gives 1 times this number, modulo another one.
    fn inverse(&self, modulus: &Self) -> Option<Self> {
        let (mut greater, mut less) = (modulus.clone(), self.divided_by(modulus)?.1);
        let (mut before, mut factor) = (Self::from(0), Self::from(1));
        while !less.is_zero() {
            let (quotient, rest) = greater.divided_by(&less)?;
            let taken = quotient.times(&factor).divided_by(modulus)?.1;
            let next = before.plus(modulus).minus(&taken)?.divided_by(modulus)?.1;
            (before, factor) = (factor, next);
            (greater, less) = (less, rest);
        }
        (greater == Self::from(1)).then_some(before)
    }
}

impl From<u32> for Number {
    fn from(number: u32) -> Self {
        Self::of([number].into_iter())
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let length = self.0.len().cmp(&other.0.len());
        length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(value: u128) -> Number {
        Number::from_bytes(&value.to_be_bytes())
    }

    #[test]
    fn the_primes_of_a_small_key_are_found() {
        // The example of the original paper on RSA: p = 47, q = 59, e = 17, d = 157.
        let [n, d] = [2_773_u16, 157].map(u16::to_be_bytes);
        let primes = Primes::of(&n, &[17], &d).unwrap();
        let found = [&primes.p, &primes.q, &primes.dp, &primes.dq, &primes.qi].map(|number| number[3]);
        assert_eq!(found, [59, 47, 157 % 58, 157 % 46, 54]);
    }

    #[test]
    fn numbers_of_no_key_have_no_primes() {
        let numbers: [&[u8]; 6] = [&[], &[0], &[1], &[2], &[255; 4], &[255; 16]];
        for n in numbers {
            for e in numbers {
                for d in numbers {
                    let Some(primes) = Primes::of(n, e, d) else { continue };
                    let [p, q] = [primes.p, primes.q].map(|prime| Number::from_bytes(&prime));
                    assert!(p.times(&q) == Number::from_bytes(n), "{n:?} {e:?} {d:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn arithmetic_is_that_of_the_machine(a: u128, b: u128, c: u64, shift in 0..140_usize) {
            let b = b >> (c % 128);
            let [a, b] = [a / 2, b / 2];
            prop_assert!(number(a).plus(&number(b)) == number(a + b));
            prop_assert!(number(a).minus(&number(b)) == a.checked_sub(b).map(number));
            let halves = number(a >> 64).times(&number(u128::from(c)));
            prop_assert!(halves == number((a >> 64) * u128::from(c)));
            let divided = number(a).divided_by(&number(b));
            prop_assert!(divided == a.checked_div(b).map(|quotient| (number(quotient), number(a % b))));
            prop_assert!(number(a).root() == number(a.isqrt()));
            let shifted = if shift < 128 { a >> shift } else { 0 };
            prop_assert!(number(a).shifted(shift) == number(shifted));
            prop_assert!(number(a).cmp(&number(b)) == a.cmp(&b));
        }

        #[test]
        fn a_product_divided_by_a_factor_is_the_other(
            a in proptest::collection::vec(any::<u8>(), 0..64),
            b in proptest::collection::vec(1_u8.., 1..64),
        ) {
            let [a, b] = [a, b].map(|bytes| Number::from_bytes(&bytes));
            prop_assert!(a.times(&b).divided_by(&b) == Some((a.clone(), Number::from(0))));
            prop_assert!(a.times(&a).root() == a);
            if let Some(inverse) = a.inverse(&b).filter(|_| b > Number::from(1)) {
                prop_assert!(a.times(&inverse).divided_by(&b).unwrap().1 == Number::from(1));
            }
        }
    }
}
