//! The rules for secrets and passwords, wherever they come from.

use std::path::Path;

use administration::declaration::DeclaredSecret;
use administration::rules::unfit;
use registry::DeclaredPassword;
use secrets::{MAX_SECRET_LENGTH, salt_of};
use values::Secret;

use super::super::findings::{Findings, Location};

/// The secret of the sample client in the repository's config.yaml.
pub const SAMPLE_SECRET: &str = "your-client-secret";

/// Secrets and passwords in public documents, which protect nothing.
pub const SAMPLE_SECRETS: [&str; 9] = [
    SAMPLE_SECRET,
    "acme-sample-secret",
    "acme-web-sample-secret",
    "acme-sample-password",
    "YOUR_CLIENT_SECRET",
    "gX1fBat3bV",
    "backend_service_secret",
    "super_secret_value",
    "admin",
];
const NO_SUCH_HASH: &str = "an imported hash must be argon2id with the parameters of this server";
const IMPORTABLE: &str = "import `$argon2id$v=19$m=19456,t=2,p=1$…`; other formats, ours included, hold in the store they come from only";

pub(crate) fn check_secret(secret: &DeclaredPassword, at: &Location, findings: &mut Findings) {
    match secret {
        DeclaredPassword::Value(value) => {
            if let Some(why) = unfit(value.expose(), MAX_SECRET_LENGTH) {
                let hint = "any UTF-8 without control characters will do, up to 1024 bytes";
                findings.error(at.clone(), format!("the secret {why}"), hint);
            }
            if SAMPLE_SECRETS.contains(&value.expose()) {
                let problem = "this is a sample secret that everyone knows, while a listener or server.public_url is beyond loopback";
                let hint = "choose another secret, or start with listeners on 127.0.0.1 and a public_url of localhost";
                findings.exposed(at.clone(), problem, hint);
            }
        }
        DeclaredPassword::Hash(phc) if salt_of(phc).is_none() => {
            findings.error(at.key("hash"), NO_SUCH_HASH, IMPORTABLE);
        }
        DeclaredPassword::Hash(_) => {}
    }
}

/// Refuses a further newline in the text of a file. The last newline was already removed.
pub(crate) fn refuse_newline(text: &Secret, path: &Path, at: Location, findings: &mut Findings) {
    let path = path.display();
    let problem = match text.expose().trim_end_matches(['\r', '\n']).contains('\n') {
        true => format!("the file {path} has several lines, and a secret has no newline in it"),
        false => {
            format!("the file {path} ends with more than one newline, and only the last one is left out")
        }
    };
    findings.error(at, problem, "write the secret alone into it, with one newline at its end or none");
}

/// An imported hash must be the client's only chosen secret.
pub(super) fn check_imported(secrets: &[DeclaredSecret], at: &Location, findings: &mut Findings) {
    // A generated secret is recognized by its form and compared by HMAC, so it does not count as chosen. A
    // secret store may return a chosen secret at any time, so its secrets count.
    let chosen = secrets.iter().filter(|secret| match &secret.password {
        DeclaredPassword::Value(value) => secret.stored.is_some() || !value.expose().starts_with("lk_"),
        DeclaredPassword::Hash(_) => true,
    });
    let imported = secrets.iter().any(|secret| matches!(secret.password, DeclaredPassword::Hash(_)));
    if imported && chosen.count() > 1 {
        let problem = "an imported hash has a salt of its own, so it must be the client's only chosen secret";
        let hint = "leave the others out, or give all of them as `env`, `file` or `value`";
        findings.error(at.key("client_secrets"), problem, hint);
    }
}
