//! The checks of a client certificate (`tls_client_auth` and `self_signed_tls_client_auth`, RFC 8705 §2), and
//! the reason of each refusal. `client_certificate.rs` runs the checks.

use protocol::ChainError;

reasons! {
    NOT_TRUSTED: "certificate_not_trusted",
        "No chain leads from the certificate to an authority in `client_ca`, or it is not for TLS clients.",
        "Add the authority to `client_ca` of the tenant {tenant} or of the listener, send the certificates between, or leave extendedKeyUsage out.";
    EXPIRED: "certificate_expired",
        "The certificate, or one of its chain, has expired.",
        "Renew it; if it is new, set the clocks of both machines.";
    NOT_YET_VALID: "certificate_not_yet_valid",
        "The certificate, or one of its chain, is not valid yet.",
        "Wait, or set the clocks of both machines.";
}

checks! {
    CertificateCheck {
        Form: "form",
            "an X.509 certificate in PEM or DER",
            "give a certificate as `openssl x509` reads it; a request (CSR) or a key is none"
            => ("certificate_malformed",
                "The certificate is no X.509 certificate of version 3.",
                "Present a certificate in DER or PEM, as openssl x509 reads it.");
        Dates: "dates",
            "the instant lies between `notBefore` and `notAfter`",
            "renew the certificate; if it is new, set the clock of this machine"
            => EXPIRED;
        Usage: "extended_key_usage",
            "no `extendedKeyUsage`, or one with clientAuth",
            "let the authority issue it with the purpose clientAuth, or without `extendedKeyUsage`"
            => NOT_TRUSTED;
        Chain: "chain",
            "a valid chain to an authority in `client_ca`; a self-signed certificate needs none",
            "compare the authority in `client_ca` with the issuer: a signature does not verify, or a certificate breaks RFC 5280. \
             Authorities need `basicConstraints` with cA"
            => NOT_TRUSTED;
        Registration: "registration",
            "the subject, or the key, that is registered for the client",
            "compare it with the client"
            => ("certificate_of_another_subject",
                "The certificate has another subject than the client's.",
                "Compare it with the tls_client_auth_… of the client {tenant}/{client}.");
    } beside {
        NotYetValid as Dates: "wait until it is valid, or set the clock of this machine" => NOT_YET_VALID;
        UnknownIssuer as Chain:
            "add the authority to `client_ca`, or put the certificates between into the file, after the client's own. \
             A self-signed certificate needs the method self_signed_tls_client_auth"
            => NOT_TRUSTED;
        NoAuthorities as Chain: "name the authorities in `client_ca`" => NOT_TRUSTED;
        ChainExpired as Chain: "renew the certificate of the chain that has expired" => EXPIRED;
        ChainNotYetValid as Chain:
            "wait until all certificates of the chain are valid, or set the clocks"
            => NOT_YET_VALID;
        /// The registered subject is a SPIFFE ID, but the certificate is not an X509-SVID.
        Svid as Registration: "let the trust domain issue it: a leaf with one URI and the key usage digitalSignature"
            => ("certificate_no_svid",
                "The certificate has the SPIFFE ID of the client, and is no X509-SVID.",
                "Present what the SPIFFE Workload API gives: a leaf with one URI and digitalSignature.");
        /// Neither the certificate nor its key is registered for the client.
        Key as Registration: "compare it with the client"
            => ("certificate_not_registered",
                "Neither the certificate nor its key is one of the client's.",
                "Register its key in `jwks` of the client {tenant}/{client}, or replace `x5c` there.");
        /// The client's `jwks_uri` cannot be fetched, and no previous key set is known.
        KeySet as Registration: "compare it with the client"
            => ("certificate_keys_unavailable",
                "The key set at jwks_uri cannot be fetched, and no earlier one is known.",
                "See the log of the server for why. Compare `jwks_uri` of the client {tenant}/{client} with `server.outbound`.");
    }
}

impl From<ChainError> for CertificateCheck {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::NoAuthorities => Self::NoAuthorities,
            ChainError::UnknownIssuer => Self::UnknownIssuer,
            ChainError::Expired => Self::ChainExpired,
            ChainError::NotYetValid => Self::ChainNotYetValid,
            ChainError::OtherUsage => Self::Usage,
            ChainError::Invalid => Self::Chain,
        }
    }
}
