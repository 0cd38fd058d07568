//! The reasons why an API key is refused. `api_keys.rs` and the authenticator decide.

reasons! {
    /// The checksum is wrong.
    MALFORMED: "malformed_api_key",
        "The text has the form of an API key, but its checksum is wrong.",
        "Copy the full key again.";
    UNKNOWN: "unknown_api_key",
        "The tenant has no such API key.",
        "Check which tenant the caller uses, or run `latchkey api-key list TENANT CLIENT`.";
    /// The tenant has a key with this name, but its text is different.
    WRONG: "wrong_api_key",
        "The tenant has an API key with this id, but the secret part differs.",
        "Copy the key again, or run `latchkey api-key rotate TENANT CLIENT ID`.";
    EXPIRED: "expired_api_key",
        "The API key has expired.",
        "Run `latchkey api-key add TENANT CLIENT`, and give the caller the new key.";
    REVOKED: "revoked_api_key",
        "The API key was revoked.",
        "Run `latchkey api-key add TENANT CLIENT`, and give the caller the new key.";
    /// The request names a different client than that of the key.
    OTHER_CLIENT: "api_key_of_other_client",
        "The API key belongs to a different client than the one in the request.",
        "Remove client_id at the caller, or send the client_id of the key's client.";
    NOTHING_LEFT: "api_key_without_audience",
        "The client no longer has an audience of the API key.",
        "Run `latchkey client set TENANT CLIENT audiences=LIST`, or create another key.";
    NOT_OFFERED: "api_keys_not_offered",
        "The tenant does not offer API keys.",
        "Run `latchkey tenant set TENANT api_keys.max_lifetime=365d`.";
    /// API keys work only for the client credentials grant and as tokens.
    NOT_HERE: "api_key_not_accepted",
        "You can use API keys only for the client credentials grant, and as tokens.",
        "Authenticate with another credential of the client.";
}

pub(crate) fn has_ended(reason: &protocol::CredentialReason) -> bool {
    [EXPIRED, REVOKED].contains(&reason)
}
