//! A strict parser for parameters, salt and digest in PHC string format.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;

/// The accepted length of a salt in bytes.
const SALT: std::ops::RangeInclusive<usize> = 1..=64;
/// The accepted length of a digest in bytes. Too many passwords would match a shorter digest.
const DIGEST: std::ops::RangeInclusive<usize> = 16..=64;

/// The part after the name and the version.
pub(super) struct Phc<'a> {
    parameters: &'a str,
    pub(super) salt: Vec<u8>,
    pub(super) digest: Vec<u8>,
}

impl<'a> Phc<'a> {
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split('$');
        let (parameters, salt, digest) = (parts.next()?, decoded(parts.next()?)?, decoded(parts.next()?)?);
        let fits = parts.next().is_none() && SALT.contains(&salt.len()) && DIGEST.contains(&digest.len());
        fits.then_some(Self { parameters, salt, digest })
    }

    /// The parameters with exactly these names in this order. `None` otherwise.
    pub(super) fn numbers<const N: usize>(&self, names: [&str; N]) -> Option<[u32; N]> {
        let mut given = self.parameters.split(',');
        let mut numbers = [0; N];
        for (name, number) in names.into_iter().zip(&mut numbers) {
            *number = decimal(given.next()?.strip_prefix(name)?.strip_prefix('=')?)?;
        }
        given.next().is_none().then_some(numbers)
    }

    /// The rounds of PBKDF2: `i=600000`, optionally with the length of the digest, or only the number.
    pub(super) fn rounds(&self) -> Option<u32> {
        if let Some(rounds) = decimal(self.parameters) {
            return Some(rounds);
        }
        if let Some([rounds]) = self.numbers(["i"]) {
            return Some(rounds);
        }
        let [rounds, length] = self.numbers(["i", "l"])?;
        (usize::try_from(length) == Ok(self.digest.len())).then_some(rounds)
    }
}

/// A decimal number without sign and leading zeros.
fn decimal(text: &str) -> Option<u32> {
    let is_plain = text == "0" || !text.starts_with('0');
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (is_plain && digits).then(|| text.parse().ok())?
}

/// Base64 without padding. passlib writes `.` instead of `+`.
fn decoded(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.replace('.', "+")).ok()
}
