//! The checks of a client's assertion (`private_key_jwt`, RFC 7523 §3), and the reason of each refusal.
//! `client_assertion.rs` runs the checks.

use keys::TokenError;

use super::MALFORMED;

checks! {
    /// A check of an assertion. A text that is not a JWT at all has the reason for malformed credentials.
    AssertionCheck {
        Form: "form",
            "one JWT of at most 16 KiB: three parts of base64url, header and claims with unique names; \
                `alg`, `kid`, `typ` and `sub` are strings",
            "send the assertion unchanged and only once, as client_assertion"
            => MALFORMED;
        Header: "header",
            "no jku, jwk, x5u, crit or b64",
            "remove these members; the client's registration contains the key"
            => MALFORMED;
        Algorithm: "alg",
            "RS256, RS384, RS512, PS256, ES256, ES384 or EdDSA",
            "sign with a private key and one of these algorithms; a client secret cannot sign an assertion"
            => MALFORMED;
        Type: "typ",
            "JWT or client-authentication+jwt, or no `typ`",
            "set \"typ\":\"JWT\", or omit `typ`"
            => MALFORMED;
        Subject: "sub",
            "the client's id, and the same as `client_id` if the request has one",
            "set `sub` to the client's id (RFC 7523 section 3)"
            => MALFORMED;
        Key: "kid",
            "a key of the client with this `alg`, and with this `kid` if there is one",
            "register the public key for the client, or use the `kid` from the registration"
            => ("assertion_key_unknown",
                "The client has no key with this kid and algorithm.",
                "Compare the header of the assertion with `jwks` or `jwks_uri` of the client {tenant}/{client}.");
        Signature: "signature",
            "signed with a key of the client",
            "sign with the private key that matches the client's public key, or register the new key"
            => ("assertion_signature_invalid",
                "None of the client's keys signed the assertion.",
                "Sign with a key from `jwks` or `jwks_uri` of the client {tenant}/{client}, or register the new key.");
        Claims: "claims",
            "`iss`, `sub` and `jti` are strings, `aud` is a string or a list, `exp`, `nbf` and `iat` are \
                numbers of seconds",
            "set iss, sub, aud, exp and jti (RFC 7523 section 3)"
            => ("assertion_malformed",
                "The JWT does not have the claims of an assertion.",
                "Send iss, sub, aud, exp and jti (RFC 7523 section 3): aud as a string or a list, exp as a number.");
        Issuer: "iss",
            "the client's id, the same as `sub`",
            "set `iss` to the client's id as well"
            => ("assertion_of_another_client",
                "iss or sub of the assertion is not the client's id.",
                "Set both to {client}.");
        Audience: "aud",
            "the tenant's issuer, or its token endpoint unless assertions.audience is issuer",
            "set `aud` to the issuer as a string, exactly as in the tenant's metadata"
            => ("assertion_for_another_audience",
                "The tenant does not accept the aud of the assertion. It accepts its issuer, and its token \
                    endpoint unless assertions.audience is issuer.",
                "Set aud to the issuer of the tenant {tenant}, exactly as in its metadata.");
        Expiry: "exp",
            "not more than 60 seconds ago",
            "create a new assertion for each request; if it is new, correct the client's clock"
            => ("assertion_expired",
                "The assertion has expired.",
                "Create a new assertion for each request; if it is new, correct the clocks of both machines.");
        Begin: "nbf",
            "`nbf` and `iat`, if present, are at most 60 seconds in the future",
            "omit `nbf`; if `nbf` is right, correct the client's clock"
            => ("assertion_not_yet_valid",
                "The assertion is not valid yet.",
                "Omit nbf; if nbf is right, correct the clocks of both machines.");
        Lifetime: "lifetime",
            "at most one hour and 60 seconds from `iat` to `exp`, or the tenant's assertions.max_lifetime",
            "set `exp` one minute ahead, and `iat` to the current time"
            => ("assertion_lives_too_long",
                "The assertion is valid for longer than the tenant's assertions.max_lifetime allows.",
                "Set exp one minute ahead, and iat to the current time.");
        /// The record of a use before a restore may be lost.
        Restore: "restore",
            "`iat` is later than the tenant's last restore or import; an assertion without `iat` counts as \
                one hour old",
            "create a new assertion for each request, with the current time in `iat`"
            => ("assertion_before_restore",
                "The assertion may be older than the tenant's last restore, so the server cannot tell \
                    whether it was used before.",
                "Create a new assertion, with the current time in iat.");
        Identifier: "jti",
            "a string that is not empty",
            "set `jti` to a new random string in each assertion"
            => ("assertion_not_identified",
                "The assertion has no jti.",
                "Set jti to a new random string each time.");
        Replay: "replay",
            "`jti` was not used before",
            "create a new assertion for each request"
            => ("assertion_replayed", "The assertion was already used.");
    } beside {
        /// The client's `jwks_uri` cannot be fetched, and no previous key set is known.
        KeySet as Key: "publish the client's key set where the server can fetch it"
            => ("assertion_keys_unavailable",
                "The server cannot fetch the key set at jwks_uri, and has no earlier copy.",
                "The server log says why. Compare `jwks_uri` of the client {tenant}/{client} with `server.outbound`.");
    }
}

impl AssertionCheck {
    /// The check that fails if a JWT cannot be parsed as an assertion.
    pub(crate) const fn of_form(error: TokenError) -> Self {
        match error {
            TokenError::HeaderNotAllowed => Self::Header,
            TokenError::AlgorithmNotAllowed => Self::Algorithm,
            TokenError::WrongTyp => Self::Type,
            _ => Self::Form,
        }
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
