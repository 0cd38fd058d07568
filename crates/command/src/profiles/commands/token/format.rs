//! The forms in which a token is printed.

use clap::ValueEnum;
use serde_json::json;
use values::{Timestamp, shell_word};

use crate::profiles::CachedToken;

/// A form of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PrintFormat {
    /// Token only.
    Raw,
    /// HTTP authorization header.
    Header,
    /// Configuration line for `curl -K -`.
    Curl,
    /// JSON document with token, type, scope and expiry.
    Json,
    /// Line for `eval` that sets ACCESS_TOKEN.
    Env,
    /// Credential for kubectl (exec credential plugin).
    ExecCredential,
    /// git credential protocol, for https URLs of the profile's resources and origins.
    Git,
}

/// A shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Shell {
    /// sh, bash, zsh, dash and similar shells.
    Sh,
    /// fish.
    Fish,
    /// PowerShell.
    Powershell,
}

/// Formats the token. A raw token ends with a newline only at a terminal, so that a file contains only the
/// token.
pub(super) fn text(token: &CachedToken, format: PrintFormat, shell: Shell, to_terminal: bool) -> String {
    let CachedToken { access_token, token_type, scope, expires_at, .. } = token;
    match format {
        PrintFormat::Raw if to_terminal => format!("{access_token}\n"),
        PrintFormat::Raw | PrintFormat::ExecCredential | PrintFormat::Git => access_token.clone(),
        PrintFormat::Header => format!("Authorization: {token_type} {access_token}\n"),
        PrintFormat::Curl => {
            let escaped = access_token.replace('\\', r"\\").replace('"', "\\\"");
            format!("header = \"Authorization: {token_type} {escaped}\"\n")
        }
        PrintFormat::Json => {
            let expires_at = Timestamp::from_seconds(*expires_at).to_rfc3339();
            let document = json!({
                "access_token": access_token, "token_type": token_type, "scope": scope, "expires_at": expires_at
            });
            format!("{document:#}\n")
        }
        PrintFormat::Env => variable(access_token, shell),
    }
}

fn variable(token: &str, shell: Shell) -> String {
    match shell {
        Shell::Sh => format!("export ACCESS_TOKEN={}\n", shell_word(token)),
        Shell::Fish => format!("set -gx ACCESS_TOKEN {}\n", shell_word(token)),
        Shell::Powershell => format!("$Env:ACCESS_TOKEN = '{}'\n", token.replace('\'', "''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(format: PrintFormat, shell: Shell) -> String {
        let document = json!({
            "access_token": r#"a'b"c\d"#, "token_type": "Bearer", "scope": "x y", "issued_at": 0,
            "expires_at": 1_800_000_000, "profile": "default"
        });
        text(&serde_json::from_value(document).unwrap(), format, shell, false)
    }

    #[test]
    fn each_format_quotes_for_its_reader() {
        for (format, shell, expected) in [
            (PrintFormat::Raw, Shell::Sh, r#"a'b"c\d"#),
            (PrintFormat::Header, Shell::Sh, "Authorization: Bearer a'b\"c\\d\n"),
            (PrintFormat::Curl, Shell::Sh, "header = \"Authorization: Bearer a'b\\\"c\\\\d\"\n"),
            (PrintFormat::Env, Shell::Sh, "export ACCESS_TOKEN='a'\\''b\"c'\\\\'d'\n"),
            (PrintFormat::Env, Shell::Fish, "set -gx ACCESS_TOKEN 'a'\\''b\"c'\\\\'d'\n"),
            (PrintFormat::Env, Shell::Powershell, "$Env:ACCESS_TOKEN = 'a''b\"c\\d'\n"),
        ] {
            assert_eq!(printed(format, shell), expected, "{format:?}");
        }
        let document: serde_json::Value =
            serde_json::from_str(&printed(PrintFormat::Json, Shell::Sh)).unwrap();
        assert_eq!(document["expires_at"], "2027-01-15T08:00:00Z");
    }
}
