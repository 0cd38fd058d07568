//! The rules over secrets and passwords, wherever they were found.

use secrets::is_importable;

use super::{
    super::{
        findings::{Findings, Location},
        resolved::{ResolvedClient, SecretText},
    },
    text::{LONGEST_SECRET, unfit},
};

/// The secret of the sample client in the repository's config.yaml.
pub(crate) const SAMPLE_SECRET: &str = "your-client-secret";

/// Secrets and passwords that stand in public documents, those of the documented examples among them, and so are none.
pub(crate) const SAMPLE_SECRETS: [&str; 7] = [
    SAMPLE_SECRET,
    "acme-sample-secret",
    "YOUR_CLIENT_SECRET",
    "gX1fBat3bV",
    "backend_service_secret",
    "super_secret_value",
    "admin",
];
const NO_SUCH_HASH: &str = "an imported hash must be argon2id with the parameters of this server";
const IMPORTABLE: &str = "import `$argon2id$v=19$m=19456,t=2,p=1$…`; other formats, ours included, hold in the store they come from only";

/// One secret or password, wherever it was found.
pub(crate) fn check_secret(secret: &SecretText, at: &Location, findings: &mut Findings) {
    match secret {
        SecretText::Value(value) => {
            if let Some(why) = unfit(value.expose(), LONGEST_SECRET) {
                let hint = "any UTF-8 without control characters will do, up to 1024 bytes";
                findings.error(at.clone(), format!("the secret {why}"), hint);
            }
            if SAMPLE_SECRETS.contains(&value.expose()) {
                let problem = "this is a sample secret that everyone knows, while a listener or server.public_url is beyond loopback";
                let hint = "choose another secret, or start with listeners on 127.0.0.1 and a public_url of localhost";
                findings.exposed(at.clone(), problem, hint);
            }
        }
        SecretText::Hash(hash) if !is_importable(hash.expose()) => {
            findings.error(at.key("hash"), NO_SUCH_HASH, IMPORTABLE);
        }
        SecretText::Hash(_) => {}
    }
}

/// An imported hash stands alone among the secrets that people chose.
pub(super) fn check_imported(client: &ResolvedClient, at: &Location, findings: &mut Findings) {
    // A generated secret is recognised by its form and compared by HMAC; it is not a chosen one.
    let chosen = client.secrets.iter().filter(|secret| match &secret.secret {
        SecretText::Value(value) => !value.expose().starts_with("lk_"),
        SecretText::Hash(_) => true,
    });
    let imported = client.secrets.iter().any(|secret| matches!(secret.secret, SecretText::Hash(_)));
    if imported && chosen.count() > 1 {
        let problem = "an imported hash has a salt of its own, so it must be the client's only chosen secret";
        let hint = "leave the others out, or give all of them as `env`, `file` or `value`";
        findings.error(at.key("client_secrets"), problem, hint);
    }
}
