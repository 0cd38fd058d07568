//! Texts that no output may contain: every secret that a test configures, and everything that looks like a
//! credential.

use std::sync::{Arc, Mutex};

/// The beginning of every token: `{"` in base64url.
const JWT: &str = "eyJ";
const CREDENTIALS: [&str; 2] = ["Basic ", "Bearer "];

/// A folder and all programs that run in it share the canaries.
#[derive(Clone, Default)]
pub(crate) struct Canaries(Arc<Mutex<Vec<String>>>);

impl Canaries {
    pub(crate) fn add(&self, secret: &str) {
        self.0.lock().unwrap().push(secret.to_owned());
    }

    /// Adds the secrets in a file: every `value: …`, and the lines of a private key.
    pub(crate) fn add_all_of(&self, file: &str) {
        if file.contains("PRIVATE KEY") {
            file.lines().filter(|line| !line.starts_with('-')).for_each(|line| self.add(line));
        }
        for line in file.lines().filter(|line| !line.trim_start().starts_with('#')) {
            for (at, found) in line.match_indices("value:") {
                let rest = line[at + found.len()..].trim_start().trim_start_matches(['"', '\'']);
                let secret = rest.split([' ', '}', ',', '"', '\'']).next().unwrap_or_default();
                // The documented password is also a common word in paths and names.
                if secret == "admin" {
                    continue;
                }
                assert!(secret.len() >= 8, "a secret must be distinguishable from words: {line}");
                self.add(secret);
            }
        }
    }

    #[track_caller]
    pub(crate) fn assert_absent(&self, written: &str) {
        let secrets = self.0.lock().unwrap();
        for secret in secrets.iter().map(String::as_str).chain(CREDENTIALS) {
            let line = written.lines().find(|line| line.contains(secret));
            assert!(line.is_none(), "a secret was written: {secret:?} in {line:?}");
        }
        let line = written.lines().find(|line| begins_a_word(line, JWT));
        assert!(line.is_none(), "a token was written in {line:?}");
    }
}

/// Whether the text is at the beginning of a word. Within a random word, the same letters may occur by
/// chance.
fn begins_a_word(line: &str, start: &str) -> bool {
    let is_inside = |at: usize| {
        line[..at].ends_with(|before: char| before.is_ascii_alphanumeric() || "-_".contains(before))
    };
    line.match_indices(start).any(|(at, _)| !is_inside(at))
}

#[test]
fn written_secret_is_found() {
    let canaries = Canaries::default();
    canaries.add_all_of("client_secret: { value: hunter2-canary }\n# { value: x }\n  value: 'quoted-canary'");
    canaries.add_all_of("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYD\n-----END PRIVATE KEY-----\n");
    canaries.assert_absent("a line that has none");
    for written in [
        "a hunter2-canary",
        "a quoted-canary",
        "key MC4CAQAwBQYD",
        "token eyJhbGci",
        "Authorization: Basic YTpi",
    ] {
        let found = std::panic::catch_unwind(|| canaries.assert_absent(written));
        assert!(found.is_err(), "{written}");
    }
}
