//! The checks of another issuer's assertion by the rules of a client (RFC 7523 §2.2), and the reason of each
//! refusal. `federated_assertion.rs` runs the checks. For form, header and `typ` the checks of any assertion
//! apply.

use keys::TokenError;

use crate::ClientAuthenticationError;

checks! {
    /// A check of another issuer's assertion. If all rules refuse, the reported check is that of the rule
    /// that passes the most checks.
    FederationCheck {
        Issuer: "iss",
            "exactly the issuer of one of the client's rules; for an SVID, the trust domain of `sub`",
            "add a rule for this issuer to the client, or present an assertion from an issuer that has a rule"
            => ("issuer_not_trusted",
                "None of the client's rules is for the issuer of the assertion.",
                "Add the issuer to `federated` of the client {tenant}/{client}, exactly as in `iss`.");
        Algorithm: "alg",
            "an algorithm that the tenant pins for the issuer, or any asymmetric algorithm",
            "if the issuer does use this algorithm, add it in the tenant's trusted_issuers"
            => ("issuer_algorithm_not_allowed",
                "The algorithm of the assertion is not among those pinned for its issuer.",
                "Compare the issuer's `algorithms` in `trusted_issuers` of the tenant {tenant} with the header.");
        Key: "kid",
            "a key of the issuer with this `alg`, and with this `kid` if there is one",
            "check the key set that the issuer publishes; a rebuilt cluster has new keys"
            => ("issuer_key_unknown",
                "The issuer has no key with this kid and algorithm.",
                "Compare the header with the issuer's key set; the server does not fetch a set that is \
                    written in `trusted_issuers` of {tenant}.");
        Signature: "signature",
            "signed with a key of the issuer",
            "present the assertion exactly as the platform issued it"
            => ("issuer_signature_invalid",
                "No key of the issuer signed the assertion.",
                "Present it exactly as the platform issued it. A key with this kid may belong to another issuer.");
        Claims: "claims",
            "`sub` is a string, `aud` is a string or a list, `exp`, `nbf` and `iat` are numbers of seconds",
            "request a token with sub, aud and exp from the platform"
            => ("issuer_assertion_malformed",
                "The JWT does not have the claims of an assertion.",
                "Request a token with sub, aud and exp from the platform (RFC 7523 section 3).");
        Subject: "sub",
            "the subject of the rule; `*` matches any text without `:` and `/`",
            "put this subject, or a matching pattern, into the rule"
            => ("subject_not_trusted",
                "None of the client's rules for this issuer matches the subject of the assertion.",
                "Compare `sub` with `subject` in the rules of {tenant}/{client}: `*` matches any text \
                    without `:` and `/`.");
        Audience: "aud",
            "the audience of the rule, or the tenant's issuer if the rule names none; an SVID can have no \
                other audience",
            "request the token for this audience from the platform"
            => ("assertion_for_another_service",
                "aud of the assertion is not the rule's audience or the tenant's issuer.",
                "Request the token for that audience from the platform, or set `audience` in the rule of \
                    {tenant}/{client}.");
        Expiry: "exp",
            "not more than 60 seconds ago",
            "read the token again for each request: the platform replaces it"
            => ("issuer_assertion_expired",
                "The assertion has expired.",
                "Read it again for each request: the platform replaces it.");
        Begin: "nbf",
            "`nbf` and `iat`, if present, are at most 60 seconds in the future",
            "compare the clocks of the platform and of this server"
            => ("issuer_assertion_not_yet_valid",
                "The assertion is not valid yet.",
                "Compare the clocks of the platform and of this server.");
        Age: "age",
            "issued at most the rule's `max_age` ago; without `iat`, `exp` is at most `max_age` ahead",
            "request a newer token, or increase max_age in the rule"
            => ("assertion_too_old",
                "The assertion was issued longer ago than the rule allows.",
                "Request a newer assertion, or increase `max_age` in the rule of {tenant}/{client}.");
        Conditions: "claims of the rule",
            "each claim that the rule names has the value in the rule",
            "compare each claim with the rule"
            => ("claim_not_trusted",
                "A claim of the assertion does not have the value in the rule.",
                "Run `latchkey inspect --client=TENANT --client=CLIENT FILE` to see which claim.");
        /// The claims that the client's tokens copy from the assertion.
        Copied: "copied claims",
            "each claim that the client's tokens copy is present, and all claims together take at most 1 KiB",
            "remove the claim from the client's `claims`, or have the platform include it"
            => ("copied_claim_missing",
                "A claim that the client's tokens copy is missing, is an object, or makes the claims too long.",
                "Compare `claims` of the client {tenant}/{client} with the assertion.");
        /// The record of a use before a restore may be lost.
        Restore: "restore",
            "if the rule says `once`, `iat` is later than the tenant's last restore or import; an assertion \
                without `iat` counts as `max_age` old",
            "request a new token for each request"
            => ("issuer_assertion_before_restore",
                "The assertion may be older than the tenant's last restore. Its rule says `once`, and the \
                    server cannot tell whether it was used before.",
                "Request a new assertion.");
        Replay: "replay",
            "if the rule says `once`, the assertion was not used before",
            "request a new token for each request, or remove `once`"
            => ("issuer_assertion_replayed", "The assertion was already used, and its rule says `once`.");
    } beside {
        /// The issuer's key set cannot be fetched, and no previous key set is known.
        KeySet as Key: "let the server fetch the issuer's keys, or give the keys in a file"
            => ("issuer_keys_unavailable",
                "The server cannot fetch the issuer's keys, and has no earlier copy.",
                "The server log says why. If a cluster does not publish its keys, put them as `jwks` into \
                    `trusted_issuers` of {tenant}.");
        /// Several clients of the tenant have a matching rule, and the request has no `client_id`.
        Client as Subject: "send client_id: rules of several clients match"
            => ("several_clients_match",
                "Rules of several clients of the tenant match the assertion, and the request has no client_id.",
                "Send client_id, or use narrower subjects.");
    }
}

impl FederationCheck {
    #[must_use]
    pub fn has_refused(error: &ClientAuthenticationError) -> bool {
        matches!(error, ClientAuthenticationError::Refused { reason, .. } if Self::REASONS.contains(reason))
    }

    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        let all = Self::ALL.iter().chain(&[Self::KeySet, Self::Client]);
        all.copied().find(|check| check.reason().code == code)
    }

    /// Returns the check that runs later.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        let place = |check: Self| Self::ALL.iter().position(|one| *one == check);
        if place(other) > place(self) { other } else { self }
    }

    /// The check that fails if the signature of a parsed JWT cannot be verified.
    pub(crate) const fn of_signature(error: TokenError) -> Self {
        match error {
            TokenError::UnknownKey => Self::Key,
            TokenError::SignatureInvalid => Self::Signature,
            _ => Self::Claims,
        }
    }
}
