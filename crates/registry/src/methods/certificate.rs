//! The checks of a client certificate (`tls_client_auth` and `self_signed_tls_client_auth`, RFC 8705 §2), and
//! the reason of each refusal. `client_certificate.rs` runs the checks.

use protocol::ChainError;

reasons! {
    NOT_TRUSTED: "certificate_not_trusted",
        "No chain leads from the certificate to an authority in `client_ca`, or the certificate is not for \
            TLS clients.",
        "Add the authority to `client_ca` of the tenant {tenant} or of the listener, send the intermediate \
            certificates, or omit extendedKeyUsage.";
    EXPIRED: "certificate_expired",
        "The certificate, or a certificate in its chain, has expired.",
        "Renew it; if it is new, correct the clocks of both machines.";
    NOT_YET_VALID: "certificate_not_yet_valid",
        "The certificate, or a certificate in its chain, is not valid yet.",
        "Wait, or correct the clocks of both machines.";
}

checks! {
    CertificateCheck {
        Form: "form",
            "an X.509 certificate in PEM or DER",
            "give a certificate that `openssl x509` can read, not a request (CSR) or a key"
            => ("certificate_malformed",
                "The certificate is not an X.509 certificate of version 3.",
                "Present a certificate in DER or PEM that openssl x509 can read.");
        Dates: "dates",
            "the time is between `notBefore` and `notAfter`",
            "renew the certificate; if it is new, correct the clock of this machine"
            => EXPIRED;
        Usage: "extended_key_usage",
            "no `extendedKeyUsage`, or one with clientAuth",
            "have the authority issue it with the purpose clientAuth, or without `extendedKeyUsage`"
            => NOT_TRUSTED;
        Chain: "chain",
            "a valid chain to an authority in `client_ca`; a self-signed certificate needs no chain",
            "compare the authority in `client_ca` with the issuer: a signature does not verify, or a \
                certificate violates RFC 5280. Authorities need `basicConstraints` with cA"
            => NOT_TRUSTED;
        Registration: "registration",
            "the subject, or the key, that is registered for the client",
            "compare it with the client's registration"
            => ("certificate_of_another_subject",
                "The certificate's subject differs from the client's registered subject.",
                "Compare it with the tls_client_auth_… of the client {tenant}/{client}.");
    } beside {
        NotYetValid as Dates: "wait until it is valid, or correct the clock of this machine" => NOT_YET_VALID;
        UnknownIssuer as Chain:
            "add the authority to `client_ca`, or append the intermediate certificates to the file, after \
                the client's own. A self-signed certificate needs the method self_signed_tls_client_auth"
            => NOT_TRUSTED;
        NoAuthorities as Chain: "list the authorities in `client_ca`" => NOT_TRUSTED;
        ChainExpired as Chain: "renew the certificate in the chain that has expired" => EXPIRED;
        ChainNotYetValid as Chain:
            "wait until all certificates in the chain are valid, or correct the clocks"
            => NOT_YET_VALID;
        /// The registered subject is a SPIFFE ID, but the certificate is not an X509-SVID.
        Svid as Registration: "have the trust domain issue it: a leaf with one URI and the key usage digitalSignature"
            => ("certificate_no_svid",
                "The certificate has the client's SPIFFE ID but is not an X509-SVID.",
                "Present the certificate from the SPIFFE Workload API: a leaf with one URI and digitalSignature.");
        /// Neither the certificate nor its key is registered for the client.
        Key as Registration: "compare it with the client's registration"
            => ("certificate_not_registered",
                "Neither the certificate nor its key belongs to the client.",
                "Register its key in `jwks` of the client {tenant}/{client}, or replace `x5c` there.");
        /// The client's `jwks_uri` cannot be fetched, and no previous key set is known.
        KeySet as Registration: "compare it with the client's registration"
            => ("certificate_keys_unavailable",
                "The server cannot fetch the key set at jwks_uri, and has no earlier copy.",
                "The server log says why. Compare `jwks_uri` of the client {tenant}/{client} with `server.outbound`.");
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
