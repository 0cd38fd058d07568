//! The checks of a DPoP proof (RFC 9449 §4.3), and the reason of each refusal. `dpop/proof.rs` runs the
//! checks.

use latchkey_verifier::ProofError;
use protocol::{ErrorCode, ErrorResponse, RefusalReason};

checks! {
    DpopCheck {
        Form: "form",
            "one JWT of at most 8 KiB: three parts of base64url, header and claims with unique names",
            "send the proof unchanged and only once, in the header DPoP"
            => ("dpop_proof_malformed", "The DPoP proof is not a JWT with the claims of a proof.");
        Type: "typ",
            "dpop+jwt",
            "create the proof with \"typ\":\"dpop+jwt\" (RFC 9449 section 4.2)"
            => ("dpop_proof_of_another_type", "The `typ` of the DPoP proof is wrong.");
        Header: "header",
            "no jku, x5u, x5c, x5t, x5t#S256, crit or b64",
            "remove these members; the key is in `jwk`"
            => ("dpop_proof_header_not_allowed", "The header of the DPoP proof contains a member that is not allowed.");
        Algorithm: "alg",
            "RS256, RS384, RS512, PS256, ES256, ES384 or EdDSA",
            "sign with a private key and one of these algorithms"
            => ("dpop_proof_algorithm_not_allowed", "The algorithm of the DPoP proof is not allowed.");
        Key: "jwk",
            "the public key for `alg`; RSA from 2048 to 4096 bits; no private member",
            "put only the public key into `jwk`: `kty` with `n` and `e`, or with `crv`, `x` and, for EC, `y`"
            => ("dpop_proof_key_not_usable",
                "The key in the DPoP proof is not a public key for its algorithm, or its size is not allowed.");
        Claims: "claims",
            "`jti`, `htm` and `htu` are strings that are not empty, `iat` is a number of seconds",
            "set all four claims (RFC 9449 section 4.2)"
            => ("dpop_proof_malformed", "The DPoP proof is not a JWT with the claims of a proof.");
        Method: "htm",
            "the method of the request",
            "create the proof for the method of the request"
            => ("dpop_proof_for_another_method", "The DPoP proof is for another HTTP method.");
        Uri: "htu",
            "the URL of the request without query and fragment",
            "create the proof for the URL of the request; behind a proxy, clients see server.public_url"
            => ("dpop_proof_for_another_uri", "The DPoP proof is for another URI.");
        Nonce: "nonce",
            "the server's nonce, if the tenant requires a nonce",
            "repeat the request with the nonce from the header DPoP-Nonce"
            => ("dpop_nonce_needed", "The DPoP proof has no nonce from the server, or the nonce is too old.");
        Time: "iat",
            "at most 60 seconds from now",
            "create a new proof for each request; if it is new, correct the client's clock"
            => ("dpop_proof_of_another_time", "The DPoP proof was not created within a minute of now.");
        /// The record of a use before a restore may be lost.
        Restore: "restore",
            "`iat` is later than the tenant's last restore or import",
            "create a new proof for each request, with the current time in `iat`"
            => ("dpop_proof_before_restore",
                "The DPoP proof is older than the tenant's last restore, so the server cannot tell whether \
                    it was used before.");
        Token: "ath",
            "the SHA-256 of the access token in base64url",
            "create the proof for the token that you send"
            => ("dpop_proof_for_another_token", "The DPoP proof is for another access token.");
        Signature: "signature",
            "signed with the key in `jwk`",
            "sign with the private key that matches `jwk`"
            => ("dpop_proof_signature_invalid", "The key in the DPoP proof did not sign it.");
        Replay: "jti",
            "not used before",
            "set `jti` to a new random string in each proof"
            => ("dpop_proof_replayed", "The DPoP proof was already used.");
    } beside {
        Missing as Form: "send a proof in the header DPoP"
            => ("dpop_proof_missing",
                "The token must be bound to the key of a DPoP proof, but the request has no proof.");
        Repeated as Form: "send one proof" => ("dpop_proof_repeated", "The request has several DPoP proofs.");
    }
}

impl DpopCheck {
    /// The description for the response.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Missing => "The request must have a DPoP proof in the header DPoP",
            Self::Nonce => "The DPoP proof must contain the nonce from the header DPoP-Nonce",
            _ => "The DPoP proof is not accepted",
        }
    }

    /// The error code for the response (RFC 9449 §5, §8).
    #[must_use]
    pub const fn error_code(self) -> ErrorCode {
        match self {
            Self::Nonce => ErrorCode::UseDpopNonce,
            _ => ErrorCode::InvalidDpopProof,
        }
    }
}

impl From<DpopCheck> for ErrorResponse {
    fn from(failed: DpopCheck) -> Self {
        Self::new(failed.error_code(), RefusalReason::Credential(failed.reason()), failed.description())
    }
}

impl From<ProofError> for DpopCheck {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::OtherType => Self::Type,
            ProofError::HeaderNotAllowed => Self::Header,
            ProofError::AlgorithmNotAllowed => Self::Algorithm,
            ProofError::KeyNotUsable => Self::Key,
            ProofError::SignatureInvalid => Self::Signature,
            _ => Self::Form,
        }
    }
}
