//! The checks of a client's assertion (`private_key_jwt`, RFC 7523 §3), and the reason of each refusal.
//! `client_assertion.rs` runs the checks.

use keys::TokenError;

use super::MALFORMED;

checks! {
    /// A check of an assertion. A text that is not a JWT at all has the reason for malformed credentials.
    AssertionCheck {
        Form: "form",
            "one JWT of at most 16 KiB: three parts of base64url, header and claims with unique names; `alg`, `kid`, `typ` and `sub` are texts",
            "send the assertion as the library made it, once, as client_assertion"
            => MALFORMED;
        Header: "header",
            "none of jku, jwk, x5u, crit, b64",
            "leave these members out; the key is registered at the client"
            => MALFORMED;
        Algorithm: "alg",
            "RS256, RS384, RS512, PS256, ES256, ES384 or EdDSA",
            "sign with a private key by one of these algorithms; a client secret signs no assertion"
            => MALFORMED;
        Type: "typ",
            "JWT or client-authentication+jwt, or no `typ`",
            "write \"typ\":\"JWT\", or leave `typ` out"
            => MALFORMED;
        Subject: "sub",
            "the client's id, and the `client_id` of the request where it has one",
            "write the client's id into `sub` (RFC 7523 section 3)"
            => MALFORMED;
        Key: "kid",
            "a key of the client with this `kid`, or without one, and with this `alg`",
            "register the public key at the client, or write the `kid` that it has there"
            => ("assertion_key_unknown",
                "The client has no key of this kid and algorithm.",
                "Compare the header of the assertion with `jwks` or `jwks_uri` of the client {tenant}/{client}.");
        Signature: "signature",
            "made by a key of the client",
            "sign with the private key whose public key the client has, or register the new one"
            => ("assertion_signature_invalid",
                "None of the client's keys signed the assertion.",
                "Sign with a key of `jwks` or `jwks_uri` of the client {tenant}/{client}, or register the new one.");
        Claims: "claims",
            "`iss`, `sub` and `jti` are texts, `aud` is a text or a list, `exp`, `nbf` and `iat` are numbers of seconds",
            "write iss, sub, aud, exp and jti (RFC 7523 section 3)"
            => ("assertion_malformed",
                "The JWT does not have the claims of an assertion.",
                "Send iss, sub, aud, exp and jti (RFC 7523 section 3): aud as a text or a list, exp as a number.");
        Issuer: "iss",
            "the client's id, as in `sub`",
            "write the client's id into `iss`, too"
            => ("assertion_of_another_client",
                "iss or sub of the assertion is not the client.",
                "Write {client} into both.");
        Audience: "aud",
            "the tenant's issuer, or its token endpoint unless assertions.audience is issuer",
            "write the issuer into `aud`, exactly as in the tenant's metadata, as a text"
            => ("assertion_for_another_audience",
                "aud of the assertion is not what the tenant accepts: its issuer, or its token endpoint unless assertions.audience is issuer.",
                "Write the issuer of the tenant {tenant} into it, exactly as in its metadata.");
        Expiry: "exp",
            "at most 60 seconds ago",
            "make an assertion for each request; if it is new, set the clock of the client"
            => ("assertion_expired",
                "The assertion has expired.",
                "Make one for each request; if it is new, set the clocks of both machines.");
        Begin: "nbf",
            "`nbf` and `iat`, where it has them, at most 60 seconds ahead",
            "leave `nbf` out; if it is right, set the clock of the client"
            => ("assertion_not_yet_valid",
                "The assertion is not valid yet.",
                "Leave nbf out; if it is right, set the clocks of both machines.");
        Lifetime: "lifetime",
            "from `iat` to `exp` at most an hour and 60 seconds, or what assertions.max_lifetime of the tenant says",
            "write an `exp` that is a minute away, and the time of now into `iat`"
            => ("assertion_lives_too_long",
                "The assertion is valid for longer than assertions.max_lifetime of the tenant.",
                "Write an exp that is a minute away, and the time of now into iat.");
        /// The record of a use before a restore may be lost.
        Restore: "restore",
            "`iat` is later than the last restore or import of the tenant; without `iat`, that is an hour ago",
            "make a new assertion for each request, with the time of now in `iat`"
            => ("assertion_before_restore",
                "The assertion may have been made before the tenant was restored, and its use may have been forgotten.",
                "Make a new assertion, with the time of now in iat.");
        Identifier: "jti",
            "a text that is not empty",
            "write a new random text into `jti` of each assertion"
            => ("assertion_not_identified",
                "The assertion has no jti.",
                "Write a new random text into jti each time.");
        Replay: "replay",
            "`jti` was not used before",
            "make a new assertion for each request"
            => ("assertion_replayed", "The assertion was used before.");
    } beside {
        /// The client's `jwks_uri` cannot be fetched, and no previous key set is known.
        KeySet as Key: "publish the key set of the client where the server can fetch it"
            => ("assertion_keys_unavailable",
                "The key set at jwks_uri cannot be fetched, and no earlier one is known.",
                "See the log of the server for why. Compare `jwks_uri` of the client {tenant}/{client} with `server.outbound`.");
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
