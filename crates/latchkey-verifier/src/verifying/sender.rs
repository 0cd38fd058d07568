//! May the sender of this request use the token? It must have proven each key that the token is bound to (RFC
//! 9449 §7, RFC 8705 §3).

use crate::check::ensure;
use crate::verifying::confirmation::Confirmation;
use crate::verifying::refusal::Scheme;
use crate::{SenderError, Thumbprint};

/// The keys that the sender has proven to hold.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ProvenKeys {
    pub(crate) dpop: Option<Thumbprint>,
    pub(crate) certificate: Option<Thumbprint>,
}

impl Confirmation {
    /// Checks that the keys are those of the token, and the scheme fits them.
    pub(crate) fn check(&self, scheme: Scheme, sender: &ProvenKeys) -> Result<(), SenderError> {
        match (scheme, self.jkt) {
            // RFC 9449 §7.2: a token that is bound to a DPoP key is never accepted as a bearer token.
            (Scheme::Bearer, Some(_)) => return Err(SenderError::NeedsDpopProof),
            (Scheme::Dpop, None) => return Err(SenderError::NotDpopBound),
            (Scheme::Dpop, Some(jkt)) => ensure(sender.dpop == Some(jkt), SenderError::OtherKey)?,
            (Scheme::Bearer, None) => {}
        }
        // RFC 8705 §3: another certificate is refused with 401 and `invalid_token`.
        let is_own = self.certificate.is_none() || sender.certificate == self.certificate;
        ensure(is_own, SenderError::OtherCertificate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bound_token_needs_proof_of_each_key() {
        use Scheme::{Bearer, Dpop};
        let [one, other] = [Some(Thumbprint::new([1; 32])), Some(Thumbprint::new([2; 32]))];
        for (jkt, certificate, scheme, dpop, of_connection, expected) in [
            (None, None, Bearer, None, None, Ok(())),
            (None, None, Bearer, None, other, Ok(())),
            (None, None, Dpop, one, None, Err(SenderError::NotDpopBound)),
            (one, None, Bearer, None, None, Err(SenderError::NeedsDpopProof)),
            (one, None, Bearer, one, None, Err(SenderError::NeedsDpopProof)),
            (one, None, Dpop, one, None, Ok(())),
            (one, None, Dpop, other, None, Err(SenderError::OtherKey)),
            (one, None, Dpop, None, None, Err(SenderError::OtherKey)),
            (None, one, Bearer, None, one, Ok(())),
            (None, one, Bearer, None, other, Err(SenderError::OtherCertificate)),
            (None, one, Bearer, None, None, Err(SenderError::OtherCertificate)),
            (one, one, Dpop, one, None, Err(SenderError::OtherCertificate)),
            (one, one, Dpop, one, one, Ok(())),
        ] {
            let sender = ProvenKeys { dpop, certificate: of_connection };
            let found = Confirmation { jkt, certificate }.check(scheme, &sender);
            assert_eq!(found, expected, "{jkt:?} {certificate:?} {scheme:?} {sender:?}");
        }
    }
}
