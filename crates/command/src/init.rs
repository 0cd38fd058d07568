//! `latchkey init`: creates settings for a first start, with one tenant and a generated secret. No file is
//! overwritten.

use std::path::Path;
use std::process::ExitCode;
use values::ShellCommand;

use secrets::GeneratedSecret;
use zeroize::Zeroizing;

use crate::new_files;
use crate::process::print;

/// The settings, with comments.
const CONFIG: &str = include_str!("init/config.yaml");
/// The file with the secret, next to the settings.
const SECRET: &str = "example-service.secret";

/// Writes both files, or neither.
pub(crate) fn run(config: &Path) -> anyhow::Result<ExitCode> {
    let secret = config.with_file_name(SECRET);
    new_files::refuse_existing([config, &secret], " with --config")?;
    let generated = GeneratedSecret::generate().secret;
    let text = Zeroizing::new(format!("{}\n", generated.expose()));
    new_files::create((&secret, &text, 0o600), (config, CONFIG, 0o644))?;
    let serve = match config.to_str() {
        Some("config.yaml") => "latchkey".to_owned(),
        _ => ShellCommand::new("latchkey --config=FILE", &[("FILE", &config.display().to_string())])
            .to_string(),
    };
    print(&format!(
        "Wrote {} and {}.\n\n\
         Start the server:\n\n  \
         {serve}\n\n\
         Fetch a token from another terminal:\n\n  \
         curl http://localhost:3000/api/v1/tenant/example/oauth/token -d grant_type=client_credentials \\\n    \
         -d client_id=example-service --data-urlencode client_secret=\"$({})\"\n\n\
         The API is described at http://localhost:3000/docs.\n",
        config.display(),
        secret.display(),
        ShellCommand::new("cat FILE", &[("FILE", &secret.display().to_string())])
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn secret_file_is_private_and_secrets_differ() {
        let secrets = [(); 2].map(|()| {
            let folder = tempfile::tempdir().unwrap();
            run(&folder.path().join("config.yaml")).unwrap();
            let secret = folder.path().join(SECRET);
            assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
            fs::read_to_string(&secret).unwrap()
        });
        assert!(secrets.iter().all(|secret| GeneratedSecret::is_well_formed(secret.trim_end())));
        assert_ne!(secrets[0], secrets[1]);
        assert!(CONFIG.contains(&format!("{{ file: {SECRET} }}")));
    }
}
