//! The three parts of a token in compact form, decoded (RFC 7515 §7.1).

use base64::Engine as _;

use crate::base64url::BASE64URL;
use crate::observer::Observer;
use crate::unique_members::UniqueMembers;
use crate::{Check, TokenError};

/// The longest token. Our tokens are much shorter; it bounds the work for others.
pub(crate) const LONGEST_TOKEN: usize = 16 * 1024;

pub(crate) struct Parts<'a> {
    pub(crate) header: String,
    pub(crate) claims: String,
    /// What the signature is over.
    pub(crate) signed: &'a str,
    pub(crate) signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    pub(crate) fn split(token: &'a str, observer: &mut impl Observer) -> Result<Self, TokenError> {
        observer.check(
            Check::Length,
            (token.len() <= LONGEST_TOKEN).then_some(()).ok_or(TokenError::Malformed),
        )?;
        let (signed, signature) =
            observer.check(Check::Parts, split_signature(token).ok_or(TokenError::Malformed))?;
        observer.check(Check::Encoding, Self::decode(signed, signature).ok_or(TokenError::Malformed))
    }

    /// Header and claims as objects with unique names.
    pub(crate) fn members(
        &self,
        observer: &mut impl Observer,
    ) -> Result<(UniqueMembers<'_>, UniqueMembers<'_>), TokenError> {
        let header = observer.check(Check::HeaderObject, UniqueMembers::parse(&self.header))?;
        let claims = observer.check(Check::ClaimsObject, UniqueMembers::parse(&self.claims))?;
        Ok((header, claims))
    }

    fn decode(signed: &'a str, signature: &str) -> Option<Self> {
        let (header, claims) = signed.split_once('.')?;
        let decode = |part: &str| BASE64URL.decode(part).ok();
        let text = |part| String::from_utf8(decode(part)?).ok();
        Some(Self { signature: decode(signature)?, header: text(header)?, claims: text(claims)?, signed })
    }
}

/// The text before the last dot, which has exactly one dot, and the text after it.
fn split_signature(token: &str) -> Option<(&str, &str)> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (_, claims) = signed.split_once('.')?;
    (!claims.contains('.')).then_some((signed, signature))
}
