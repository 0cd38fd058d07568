//! The reasons why a client secret is refused (`client_secret_basic` and `client_secret_post`, RFC 6749
//! §2.3.1). `verification.rs` decides.

reasons! {
    WRONG: "wrong_secret",
        "The client does not have this secret.",
        "Compare the tenant, client id and secret that the caller uses, or run `latchkey secret rotate TENANT CLIENT`.";
    EXPIRED: "expired_secret",
        "The secret belongs to the client but has expired.",
        "Run `latchkey secret rotate TENANT CLIENT`, and give the caller the new secret.";
    REVOKED: "revoked_secret",
        "The secret belongs to the client but was revoked.",
        "Run `latchkey secret add TENANT CLIENT`, and give the caller the new secret.";
    /// The secret is a published sample, and the server is reachable from outside.
    SAMPLE: "sample_secret",
        "The secret is a published sample secret, which this server does not accept.",
        "Run `latchkey secret rotate TENANT CLIENT`, and give the caller the new secret.";
}
