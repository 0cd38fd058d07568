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
const NO_SUCH_HASH: &str = "an imported hash must be argon2id with this server's parameters";
const IMPORTABLE: &str = "import `$argon2id$v=19$m=19456,t=2,p=1$…`; hashes in other formats, including \
    Latchkey's own, work only in the store that created them";

pub(crate) fn check_secret(secret: &DeclaredPassword, at: &Location, findings: &mut Findings) {
    match secret {
        DeclaredPassword::Value(value) => {
            if let Some(why) = unfit(value.expose(), MAX_SECRET_LENGTH) {
                let hint = "use up to 1024 bytes of UTF-8 without control characters";
                findings.error(at.clone(), format!("the secret {why}"), hint);
            }
            if SAMPLE_SECRETS.contains(&value.expose()) {
                let problem = "this is a well-known sample secret, and a listener or `server.public_url` is \
                    not on loopback";
                let hint =
                    "choose another secret, or use listeners on 127.0.0.1 and a localhost `public_url`";
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
        true => format!("the file {path} has several lines, but a secret cannot contain a newline"),
        false => {
            format!(
                "the file {path} ends with more than one newline, and Latchkey removes only the last newline"
            )
        }
    };
    findings.error(at, problem, "put only the secret in the file, with at most one newline at the end");
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
        let problem = "an imported hash has its own salt, so it must be the client's only chosen secret";
        let hint = "remove the other secrets, or give all of them as `env`, `file` or `value`";
        findings.error(at.key("client_secrets"), problem, hint);
    }
}
