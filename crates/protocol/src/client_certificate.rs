//! A client certificate whose private key the client has proven to have, either to this server's
//! TLS or to a trusted proxy (RFC 8705).

use values::Timestamp;

use crate::Thumbprint;

/// The validity of a certificate, including both ends (RFC 5280 §4.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    pub not_before: Timestamp,
    pub not_after: Timestamp,
}

/// The handshake has proven that the client has the private key. Nothing else in the certificate is
/// verified.
#[derive(Clone, PartialEq, Eq, derive_more::Debug)]
#[debug("ClientCertificate {{ chain: {chain:?}, .. }}")]
pub struct ClientCertificate {
    pub der: Vec<u8>,
    /// The other certificates of the handshake, in DER, from which a chain to an authority can be
    /// built.
    pub presented_with: Vec<Vec<u8>>,
    /// The thumbprint of the DER: the value of `x5t#S256` (RFC 8705 §3.1).
    pub thumbprint: Thumbprint,
    /// The validity of the whole chain to an authority of the listener or of the tenant, or the
    /// reason why there is no such chain.
    pub chain: Result<Validity, ChainError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainError {
    /// The listener has no authorities for client certificates.
    NoAuthorities,
    /// No authority of the listener issued the certificate, either directly or through the
    /// intermediate certificates that the client sent.
    UnknownIssuer,
    Expired,
    /// A certificate of the chain is not valid yet.
    NotYetValid,
    /// A certificate of the chain is not allowed for TLS client authentication (`extKeyUsage`).
    OtherUsage,
    /// The signature of a certificate in the chain does not verify, or a certificate breaks a rule
    /// of RFC 5280.
    Invalid,
}

impl Validity {
    #[must_use]
    pub fn contains(self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self {
            not_before: self.not_before.max(other.not_before),
            not_after: self.not_after.min(other.not_after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validity(from: u64, until: u64) -> Validity {
        Validity { not_before: Timestamp::from_seconds(from), not_after: Timestamp::from_seconds(until) }
    }

    #[test]
    fn validity_includes_both_ends() {
        for (now, expected) in [(9, false), (10, true), (20, true), (21, false)] {
            assert_eq!(validity(10, 20).contains(Timestamp::from_seconds(now)), expected, "{now}");
        }
    }

    #[test]
    fn chain_is_valid_only_while_all_certificates_are() {
        assert_eq!(validity(10, 20).intersection(validity(15, 30)), validity(15, 20));
        let disjoint = validity(10, 20).intersection(validity(25, 30));
        assert!((0..40).all(|now| !disjoint.contains(Timestamp::from_seconds(now))));
    }
}
