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
            "the issuer of a rule of the client, exactly; of an SVID the trust domain of `sub`",
            "add a rule for this issuer to the client, or present an assertion of an issuer that one names"
            => ("issuer_not_trusted",
                "No rule of the client is for the issuer of the assertion.",
                "Add the issuer to `federated` of the client {tenant}/{client}, exactly as `iss` has it.");
        Algorithm: "alg",
            "an algorithm that the tenant pins for the issuer, or any of an asymmetric key",
            "name the algorithm in trusted_issuers of the tenant, if the issuer does sign with it"
            => ("issuer_algorithm_not_allowed",
                "The algorithm of the assertion is not among those pinned for its issuer.",
                "Compare `algorithms` of the issuer in `trusted_issuers` of the tenant {tenant} with the header.");
        Key: "kid",
            "a key of the issuer with this `kid`, or without one, and with this `alg`",
            "compare the key set that the issuer publishes; a cluster that was made anew has new keys"
            => ("issuer_key_unknown",
                "The issuer has no key of this kid and algorithm.",
                "Compare the header with the issuer's key set; a set in `trusted_issuers` of {tenant} is not fetched.");
        Signature: "signature",
            "made by a key of the issuer",
            "present the assertion as the platform gave it"
            => ("issuer_signature_invalid",
                "No key of the issuer signed the assertion.",
                "Present it as the platform gave it. A key with this kid may be of another issuer.");
        Claims: "claims",
            "`sub` is a text, `aud` is a text or a list, `exp`, `nbf` and `iat` are numbers of seconds",
            "ask the platform for a token with sub, aud and exp"
            => ("issuer_assertion_malformed",
                "The JWT does not have the claims of an assertion.",
                "Ask the platform for a token with sub, aud and exp (RFC 7523 section 3).");
        Subject: "sub",
            "as the subject of the rule; `*` stands for no `:` and no `/`",
            "write this subject, or a pattern of it, into the rule"
            => ("subject_not_trusted",
                "No rule of the client for this issuer has the subject of the assertion.",
                "Compare `sub` with `subject` of the rules of {tenant}/{client}: `*` stands for no `:` and no `/`.");
        Audience: "aud",
            "the audience of the rule, or the tenant's issuer where it names none; of an SVID alone",
            "request the token for this audience from the platform"
            => ("assertion_for_another_service",
                "aud of the assertion is not the audience of the rule, or the issuer of the tenant.",
                "Request the token for that audience from the platform, or write `audience` into the rule of {tenant}/{client}.");
        Expiry: "exp",
            "at most 60 seconds ago",
            "read the token anew for each request: the platform replaces it"
            => ("issuer_assertion_expired",
                "The assertion has expired.",
                "Read it anew for each request: the platform replaces it.");
        Begin: "nbf",
            "`nbf` and `iat`, where it has them, at most 60 seconds ahead",
            "compare the clocks of the platform and of this server"
            => ("issuer_assertion_not_yet_valid",
                "The assertion is not valid yet.",
                "Compare the clocks of the platform and of this server.");
        Age: "age",
            "issued at most `max_age` of the rule ago; without `iat`, `exp` is at most that far ahead",
            "request a newer token, or write a greater max_age into the rule"
            => ("assertion_too_old",
                "The assertion was issued longer ago than the rule allows.",
                "Request a newer one, or write a greater `max_age` into the rule of {tenant}/{client}.");
        Conditions: "claims of the rule",
            "each claim that the rule names has the value that it names",
            "compare each claim with the rule"
            => ("claim_not_trusted",
                "A claim of the assertion is not what the rule says.",
                "Run `latchkey inspect --client=TENANT --client=CLIENT FILE` to see which one.");
        /// The claims that the client's tokens copy from the assertion.
        Copied: "copied claims",
            "each claim that tokens of the client copy is there, and with the others at most 1 KiB",
            "leave the claim out of `claims` of the client, or have the platform say it"
            => ("copied_claim_missing",
                "A claim that the client's tokens copy is missing, is an object, or makes the claims too long.",
                "Compare `claims` of the client {tenant}/{client} with the assertion.");
        /// The record of a use before a restore may be lost.
        Restore: "restore",
            "where the rule says `once`, `iat` is later than the last restore or import of the tenant; without `iat`, that is `max_age` ago",
            "request a new token for each request"
            => ("issuer_assertion_before_restore",
                "The assertion may have been issued before the tenant was restored, its rule says `once`, and its use may have been forgotten.",
                "Request a new one.");
        Replay: "replay",
            "the assertion was not used before, where the rule says `once`",
            "request a new token for each request, or leave `once` out"
            => ("issuer_assertion_replayed", "The assertion was used before, and its rule says `once`.");
    } beside {
        /// The issuer's key set cannot be fetched, and no previous key set is known.
        KeySet as Key: "let the server fetch the keys of the issuer, or give them as a file"
            => ("issuer_keys_unavailable",
                "The keys of the issuer cannot be fetched, and no earlier ones are known.",
                "See the log of the server for why. A cluster that hides its keys has them as `jwks` in `trusted_issuers` of {tenant}.");
        /// Several clients of the tenant have a matching rule, and the request has no `client_id`.
        Client as Subject: "send client_id: rules of several clients match"
            => ("several_clients_match",
                "Rules of several clients of the tenant match the assertion, and the request has no client_id.",
                "Send client_id, or write narrower subjects.");
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
