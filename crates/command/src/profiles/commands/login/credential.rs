//! Reads a client's secret, private key, or certificate with its key for `latchkey login`.

use std::path::Path;

use anyhow::bail;
use settings::Environment;
use zeroize::Zeroizing;

use super::arguments::LoginArguments;
use crate::process::{ask_secret, secret_input};

/// Reads the text from the file, the variable, the terminal or the command in the arguments.
pub(super) fn read(
    arguments: &LoginArguments,
    environment: &Environment,
) -> anyhow::Result<Zeroizing<String>> {
    if let Some(file) = &arguments.key {
        return secret_input::read(file, &format!("--key {}", file.display()), "key");
    }
    if let Some(certificate) = &arguments.certificate {
        return with_key(certificate, arguments.certificate_key.as_deref());
    }
    if let Some(command) = &arguments.client_secret_command {
        return Ok(Zeroizing::new(command.clone()));
    }
    let text = match (&arguments.client_secret_file, &arguments.client_secret_env) {
        (Some(file), _) => {
            let named = format!("--client-secret-file {}", file.display());
            secret_input::read(file, &named, "secret")?
        }
        (None, Some(name)) => match environment.text(name) {
            Some(secret) => Zeroizing::new(secret.to_owned()),
            None => bail!("--client-secret-env: the environment variable {name} is not set"),
        },
        (None, None) => ask_secret(
            &format!("Secret of {}: ", arguments.client_id),
            "Pass --client-secret-file, --client-secret-env or --client-secret-command",
        )?,
    };
    let secret = Zeroizing::new(text.trim().to_owned());
    if secret.is_empty() {
        bail!("the secret is empty");
    }
    Ok(secret)
}

fn with_key(certificate: &Path, key: Option<&Path>) -> anyhow::Result<Zeroizing<String>> {
    let mut text =
        secret_input::read(certificate, &format!("--certificate {}", certificate.display()), "certificate")?;
    if let Some(key) = key {
        let key_text = secret_input::read(key, &format!("--certificate-key {}", key.display()), "key")?;
        text = Zeroizing::new([text.as_str(), "\n", key_text.as_str()].concat());
    }
    Ok(text)
}
