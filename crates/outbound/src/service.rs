//! The key services and secret stores, and which of them this program contains. Each is a cargo feature,
//! because its library is large.

#[derive(Clone, Copy, Debug, derive_more::Display, PartialEq, Eq)]
pub enum KeyService {
    #[display("AWS KMS")]
    AwsKms,
    #[display("AWS Secrets Manager")]
    AwsSecrets,
    /// HashiCorp Vault: its transit engine for keys, its KV engine for secrets.
    #[display("HashiCorp Vault")]
    Vault,
}

impl KeyService {
    #[must_use]
    pub const fn is_built_in(self) -> bool {
        match self {
            Self::AwsKms => cfg!(feature = "aws-kms"),
            Self::AwsSecrets => cfg!(feature = "aws-secrets"),
            Self::Vault => cfg!(feature = "vault"),
        }
    }

    /// The cargo feature that adds the service to a program.
    #[must_use]
    pub const fn feature(self) -> &'static str {
        match self {
            Self::AwsKms => "aws-kms",
            Self::AwsSecrets => "aws-secrets",
            Self::Vault => "vault",
        }
    }
}

/// The hint for a part of the program that is a cargo feature and is not built in.
#[must_use]
pub fn build_hint(feature: &str) -> String {
    format!("build Latchkey with the feature `{feature}`: `cargo build --release --features {feature}`")
}

#[cfg(test)]
mod tests {
    use super::KeyService;

    #[test]
    fn tests_run_with_every_key_service() {
        for service in [KeyService::AwsKms, KeyService::AwsSecrets, KeyService::Vault] {
            assert!(service.is_built_in(), "{service:?}: its tests were left out");
        }
    }
}
