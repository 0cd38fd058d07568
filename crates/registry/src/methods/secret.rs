//! The reasons why a client secret is refused (`client_secret_basic` and `client_secret_post`, RFC 6749
//! §2.3.1). `verification.rs` decides.

reasons! {
    WRONG: "wrong_secret",
        "The secret is none of the client's.",
        "Compare tenant, client id and secret at the caller, or run `latchkey secret rotate TENANT CLIENT`.";
    EXPIRED: "expired_secret",
        "The secret was the client's and has expired.",
        "Run `latchkey secret rotate TENANT CLIENT`, and give the caller the new one.";
    REVOKED: "revoked_secret",
        "The secret was the client's and was revoked.",
        "Run `latchkey secret add TENANT CLIENT`, and give the caller the new one.";
    /// The secret is a published sample, and the server is reachable from outside.
    SAMPLE: "sample_secret",
        "The secret is a published sample, which proves nothing on this server.",
        "Run `latchkey secret rotate TENANT CLIENT`, and give the caller the new one.";
}
