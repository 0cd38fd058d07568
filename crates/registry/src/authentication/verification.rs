//! The cost of checking a presented secret, and the stored hashes to compare it with.
//!
//! The cost depends only on the presented text, not on whether the client exists, its status or its secrets.

use protocol::CredentialReason;
use values::{Secret, Timestamp};

use crate::methods::secret;
use crate::{Client, ClientSecret, SecretId};
use secrets::{GeneratedSecret, PasswordSalt, PresentedSecret, SecretHash, is_fit_secret, salt_of};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// One token hash, compared with all valid generated secrets.
    Digest,
    /// One password hash, compared with all valid chosen secrets.
    SlowHash,
    /// One dummy password hash, because no client can have such a secret.
    DummySlowHash,
    /// One dummy password hash, because the text is a published sample.
    SampleSecret,
}

/// The client's valid secrets. Empty for a client that does not exist or may not authenticate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidates<'a> {
    secrets: &'a [ClientSecret],
    now: Timestamp,
}

/// Why the presented secret matches no valid secret, and the expired or revoked secret that it matches, if
/// any.
pub(crate) type Mismatch = (&'static CredentialReason, Option<SecretId>);

impl Work {
    pub(crate) fn due_for(secret: &Secret, samples: &[&str]) -> Self {
        if GeneratedSecret::is_well_formed(secret.expose()) {
            Self::Digest
        } else if samples.contains(&secret.expose()) {
            Self::SampleSecret
        } else if is_fit_secret(secret.expose()) {
            Self::SlowHash
        } else {
            Self::DummySlowHash
        }
    }
}

impl<'a> Candidates<'a> {
    pub(crate) fn new(client: Option<&'a Client>, now: Timestamp) -> Self {
        Self { secrets: client.map_or(&[], |client| &client.secrets), now }
    }

    /// The valid chosen secrets with their hashes.
    pub(crate) fn passwords(self) -> impl Iterator<Item = (&'a SecretId, &'a str)> {
        self.live().filter_map(|secret| match &secret.hash {
            SecretHash::Password(phc) => Some((&secret.id, phc.as_str())),
            SecretHash::Token(_) => None,
        })
    }

    /// The common salt of the valid chosen secrets. Without such secrets, the salt of an expired secret, so
    /// that the log can name it, or a dummy salt.
    pub(crate) fn salt(self) -> PasswordSalt {
        let live = self.passwords().find_map(|(_, phc)| salt_of(phc));
        let ended = || {
            self.secrets.iter().find_map(|secret| match &secret.hash {
                SecretHash::Password(phc) => salt_of(phc),
                SecretHash::Token(_) => None,
            })
        };
        live.or_else(ended).unwrap_or_else(PasswordSalt::dummy)
    }

    /// Finds the valid secret with the presented hash. Always compares all secrets, and at least one dummy,
    /// so that the duration reveals nothing.
    ///
    /// # Errors
    /// Why no secret matches.
    pub(crate) fn matching(self, presented: &PresentedSecret<'_>) -> Result<&'a SecretId, Mismatch> {
        let dummy = SecretHash::token([0; 32]).is_of(presented);
        let mut found = None;
        for secret in self.live() {
            if secret.hash.is_of(presented) {
                found = Some(&secret.id);
            }
        }
        // A hash of only zeros must never authenticate, although no known text has this hash.
        found.filter(|_| !dummy).ok_or_else(|| self.mismatch(presented))
    }

    /// Also compares the expired and revoked secrets.
    fn mismatch(self, presented: &PresentedSecret<'_>) -> Mismatch {
        let mut found = (secret::WRONG, None);
        for ended in self.secrets.iter().filter(|secret| !secret.is_live(self.now)) {
            if ended.hash.is_of(presented) {
                let reason = if ended.revoked_at.is_some() { secret::REVOKED } else { secret::EXPIRED };
                found = (reason, Some(ended.id.clone()));
            }
        }
        found
    }

    fn live(self) -> impl Iterator<Item = &'a ClientSecret> {
        self.secrets.iter().filter(move |secret| secret.is_live(self.now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrets::hash_password;

    fn secret(id: &str, hash: SecretHash, expires_at: Option<u64>, revoked_at: Option<u64>) -> ClientSecret {
        ClientSecret {
            id: SecretId::new(id),
            hash,
            hint: String::new(),
            created_at: Timestamp::from_seconds(0),
            expires_at: expires_at.map(Timestamp::from_seconds),
            revoked_at: revoked_at.map(Timestamp::from_seconds),
        }
    }

    fn check(secrets: &[ClientSecret], presented: &SecretHash, now: u64) -> String {
        let candidates = Candidates { secrets, now: Timestamp::from_seconds(now) };
        match candidates.matching(&presented.clone().into()) {
            Ok(id) => id.to_string(),
            Err((reason, ended)) => format!("{} {ended:?}", reason.code),
        }
    }

    #[test]
    fn secret_text_determines_digest_or_slow_hash() {
        let generated = GeneratedSecret::from_bytes(&[1; 32]).secret;
        assert_eq!(Work::due_for(&generated, &["sample"]), Work::Digest);
        let unknown_checksum = format!("{}0", &generated.expose()[..51]);
        for (text, work) in [
            ("your-client-secret", Work::SlowHash),
            (unknown_checksum.as_str(), Work::SlowHash),
            ("lk_", Work::SlowHash),
            ("sample", Work::SampleSecret),
            ("Sample", Work::SlowHash),
            ("", Work::DummySlowHash),
            ("a\tb", Work::DummySlowHash),
            (&"a".repeat(1024), Work::SlowHash),
            (&"a".repeat(1025), Work::DummySlowHash),
        ] {
            assert_eq!(Work::due_for(&Secret::new(text.to_owned()), &["other", "sample"]), work, "{text:?}");
        }
    }

    #[test]
    fn only_live_secrets_match() {
        let hash = SecretHash::token;
        let secrets = [
            secret("for-ever", hash([1; 32]), None, None),
            secret("expiring", hash([2; 32]), Some(100), None),
            secret("revoked", hash([3; 32]), None, Some(50)),
        ];
        for (byte, now, expected) in [
            (1, 0, "for-ever"),
            (1, 1_000, "for-ever"),
            (2, 99, "expiring"),
            (2, 100, r#"expired_secret Some(SecretId("expiring"))"#),
            (3, 49, r#"revoked_secret Some(SecretId("revoked"))"#),
            (3, 50, r#"revoked_secret Some(SecretId("revoked"))"#),
            (4, 0, "wrong_secret None"),
        ] {
            assert_eq!(check(&secrets, &hash([byte; 32]), now), expected, "{byte} at {now}");
        }
        assert_eq!(check(&[], &hash([0; 32]), 0), "wrong_secret None");
    }

    #[test]
    fn passwords_share_one_salt_or_a_dummy() {
        let salt = PasswordSalt::generate();
        let hash = |text: &str| hash_password(&Secret::new(text.to_owned()), &salt).unwrap();
        let secrets = [
            secret("generated", SecretHash::token([1; 32]), None, None),
            secret("expired", SecretHash::Password("$argon2id$unreadable".to_owned()), None, None),
            secret("old", hash("old secret"), None, None),
            secret("new", hash("new secret"), None, None),
        ];
        let candidates = Candidates { secrets: &secrets, now: Timestamp::from_seconds(1) };
        assert_eq!(candidates.salt(), salt);
        assert_eq!(candidates.passwords().count(), 3);
        assert_eq!(check(&secrets, &hash("old secret"), 1), "old");
        assert_eq!(check(&secrets, &hash("new secret"), 1), "new");
        assert_eq!(check(&secrets, &hash("no secret"), 1), "wrong_secret None");
        let later = Timestamp::from_seconds(60);
        let ended = [secret("ended", hash("old secret"), Some(50), None)];
        let candidates = Candidates { secrets: &ended, now: later };
        assert_eq!((candidates.salt(), candidates.passwords().count()), (salt.clone(), 0));
        assert_eq!(check(&ended, &hash("old secret"), 60), r#"expired_secret Some(SecretId("ended"))"#);
        assert_eq!(Candidates::new(None, Timestamp::from_seconds(1)).salt(), PasswordSalt::dummy());
    }
}
