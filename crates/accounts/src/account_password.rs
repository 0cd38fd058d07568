//! The stored form of a password: argon2id of the password, and then HMAC-SHA-256 of the result and the
//! account with the tenant's key, which only the server has. So nobody can check guesses against a stolen
//! database, and a row that is copied to another account matches nothing. An imported account has the hash of
//! another system until its person signs in.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use derive_more::Display;
use secrets::{DigestKeys, ForeignHash, KeyedDigest, PasswordSalt, Pepper, SecretHash, salt_and_digest};
use subtle::ConstantTimeEq as _;
use tenancy::TenantId;
use values::{DeserializeFromStr, SerializeDisplay};

use crate::AccountId;

const PURPOSE: &str = "account password";
/// The version of the form, and the parameters of argon2id: 19 MiB, two passes, one lane.
const PREFIX: &str = "p2$m=19456,t=2,p=1$";
/// The form of earlier versions, with a common key of all tenants.
const EARLIER_PREFIX: &str = "p1$m=19456,t=2,p=1$";

/// The stored form of an account's password. Must not be logged.
#[derive(Clone, derive_more::Debug, Display, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
#[debug("AccountPassword([redacted])")]
pub struct AccountPassword(HashForm);

#[derive(Clone, Display, PartialEq, Eq)]
enum HashForm {
    #[display("{}{salt}${}", if *is_earlier { EARLIER_PREFIX } else { PREFIX }, BASE64.encode(digest))]
    Bound {
        salt: PasswordSalt,
        digest: [u8; 32],
        is_earlier: bool,
    },
    Foreign(ForeignHash),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a stored password of a known format")]
pub struct UnknownPasswordFormat;

pub struct AccountPasswords {
    tenants: DigestKeys,
    /// The key of forms from earlier versions.
    earlier: KeyedDigest,
}

impl AccountPasswords {
    #[must_use]
    pub fn new(pepper: &Pepper) -> Self {
        let earlier = KeyedDigest::for_purpose(pepper.expose(), "latchkey account password 1");
        Self { tenants: pepper.tenants.clone(), earlier }
    }

    /// The stored form of an argon2id hash for this account. The hash may be computed or imported. `None` for
    /// a hash with other parameters.
    #[must_use]
    pub fn bind(&self, tenant: &TenantId, account: &AccountId, hash: &SecretHash) -> Option<AccountPassword> {
        let (salt, digest) = self.digest(tenant, account, hash, false)?;
        Some(AccountPassword(HashForm::Bound { salt, digest, is_earlier: false }))
    }

    fn digest(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        hash: &SecretHash,
        is_earlier: bool,
    ) -> Option<(PasswordSalt, [u8; 32])> {
        let SecretHash::Password(phc) = hash else { return None };
        let (salt, raw) = salt_and_digest(phc)?;
        let account = account.as_str().as_bytes();
        let digest = if is_earlier {
            self.earlier.of([raw.as_slice(), tenant.as_str().as_bytes(), account])
        } else {
            self.tenants.digest(tenant, PURPOSE, [raw.as_slice(), account])
        };
        Some((salt, digest))
    }

    /// Whether the stored form was made from this hash for this account. The comparison takes constant time.
    /// A hash of another system never matches.
    #[must_use]
    pub fn matches(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        stored: &AccountPassword,
        hash: &SecretHash,
    ) -> bool {
        let HashForm::Bound { digest, is_earlier, .. } = &stored.0 else { return false };
        let presented = self.digest(tenant, account, hash, *is_earlier);
        presented.is_some_and(|(_, presented)| presented.ct_eq(digest).into())
    }
}

impl AccountPassword {
    /// The salt to hash a presented password with. `None` for a hash of another system.
    #[must_use]
    pub const fn salt(&self) -> Option<&PasswordSalt> {
        match &self.0 {
            HashForm::Bound { salt, .. } => Some(salt),
            HashForm::Foreign(_) => None,
        }
    }

    /// The hash of another system, which is replaced when the person signs in.
    #[must_use]
    pub const fn foreign(&self) -> Option<&ForeignHash> {
        match &self.0 {
            HashForm::Bound { .. } => None,
            HashForm::Foreign(hash) => Some(hash),
        }
    }
}

impl From<ForeignHash> for AccountPassword {
    fn from(hash: ForeignHash) -> Self {
        Self(HashForm::Foreign(hash))
    }
}

impl FromStr for AccountPassword {
    type Err = UnknownPasswordFormat;

    fn from_str(text: &str) -> Result<Self, UnknownPasswordFormat> {
        if text.starts_with('$') {
            return text.parse::<ForeignHash>().map(Self::from).map_err(|_| UnknownPasswordFormat);
        }
        let current = text.strip_prefix(PREFIX);
        let rest = current.or_else(|| text.strip_prefix(EARLIER_PREFIX)).ok_or(UnknownPasswordFormat)?;
        let (salt, digest) = rest.split_once('$').ok_or(UnknownPasswordFormat)?;
        let digest = BASE64.decode(digest).map_err(|_| UnknownPasswordFormat)?;
        let digest = digest.try_into().map_err(|_| UnknownPasswordFormat)?;
        let salt = salt.parse().map_err(|_| UnknownPasswordFormat)?;
        Ok(Self(HashForm::Bound { salt, digest, is_earlier: current.is_none() }))
    }
}

#[cfg(test)]
mod tests {
    use secrets::hash_password;
    use values::Secret;
    use zeroize::Zeroizing;

    use super::*;

    fn pepper(byte: u8) -> AccountPasswords {
        AccountPasswords::new(&Pepper::from_bytes(Zeroizing::new([byte; 32])))
    }

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    fn hash(text: &str, salt: &PasswordSalt) -> SecretHash {
        hash_password(&Secret::new(text.to_owned()), salt).unwrap()
    }

    // [passwords §3.1.1.2 c]: Passwords are stored under a slow, salted hash, and with a key that is kept
    //   elsewhere
    // [attacks #34]: A stolen database, and passwords that are cut | argon2id under the pepper, bound to
    //   tenant and account; each byte counts, up to the longest password
    #[test]
    fn stored_password_is_bound_to_tenant_account_and_pepper() {
        let (passwords, account) = (pepper(1), AccountId::from_bytes([1; 16]));
        let (salt, acme) = (PasswordSalt::generate(), tenant("acme"));
        let right = hash("correct horse battery staple", &salt);
        let stored = passwords.bind(&acme, &account, &right).unwrap();
        assert!(passwords.matches(&acme, &account, &stored, &right));
        let again = hash("correct horse battery staple", stored.salt().unwrap());
        assert!(passwords.matches(&acme, &account, &stored, &again));
        for wrong in [
            hash("correct horse battery stapl", &salt),
            hash("correct horse battery staple", &PasswordSalt::generate()),
            SecretHash::token([0; 32]),
            SecretHash::Password("$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAA".to_owned()),
        ] {
            assert!(!passwords.matches(&acme, &account, &stored, &wrong));
        }
        assert!(!passwords.matches(&tenant("globex"), &account, &stored, &right));
        assert!(!passwords.matches(&acme, &AccountId::from_bytes([2; 16]), &stored, &right));
        assert!(!pepper(2).matches(&acme, &account, &stored, &right));
    }

    #[test]
    fn password_of_earlier_format_still_matches() {
        let (passwords, account) = (pepper(1), AccountId::from_bytes([1; 16]));
        let right = hash("correct horse battery staple", &PasswordSalt::generate());
        let (salt, digest) = passwords.digest(&tenant("acme"), &account, &right, true).unwrap();
        let text = format!("p1$m=19456,t=2,p=1${salt}${}", BASE64.encode(digest));
        let stored: AccountPassword = text.parse().unwrap();
        assert_eq!(stored.to_string(), text);
        assert!(passwords.matches(&tenant("acme"), &account, &stored, &right));
        assert!(!passwords.matches(&tenant("globex"), &account, &stored, &right));
        assert!(!pepper(2).matches(&tenant("acme"), &account, &stored, &right));
        assert_ne!(passwords.bind(&tenant("acme"), &account, &right), Some(stored));
    }

    #[test]
    fn stored_password_round_trips_and_debug_is_redacted() {
        let (account, salt) = (AccountId::from_bytes([1; 16]), PasswordSalt::generate());
        let hash = hash("correct horse battery staple", &salt);
        let stored = pepper(1).bind(&tenant("acme"), &account, &hash).unwrap();
        let text = stored.to_string();
        // The stored form does not contain the result of argon2id.
        let SecretHash::Password(phc) = &hash else { panic!("a password hash") };
        assert!(!text.contains(phc.rsplit('$').next().unwrap()));
        assert_eq!(text.parse(), Ok(stored.clone()));
        assert_eq!(format!("{stored:?}"), "AccountPassword([redacted])");
        for bad in [
            String::new(),
            text.replace("p2$", "p3$"),
            text.replace("t=2", "t=3"),
            text[..text.len() - 1].to_owned(),
            format!("{text}A"),
            "$5$rounds=5000$salt$hash".to_owned(),
            phc.replace("m=19456", "m=999999"),
        ] {
            assert_eq!(bad.parse::<AccountPassword>(), Err(UnknownPasswordFormat), "{bad}");
        }
    }

    #[test]
    fn imported_hash_is_kept_and_never_matches_directly() {
        let (account, salt) = (AccountId::from_bytes([1; 16]), PasswordSalt::generate());
        let hash = hash("correct horse battery staple", &salt);
        let SecretHash::Password(phc) = &hash else { panic!("a password hash") };
        let stored: AccountPassword = phc.parse().unwrap();
        assert_eq!((stored.to_string(), stored.salt()), (phc.clone(), None));
        assert_eq!(stored.foreign().map(ToString::to_string).as_ref(), Some(phc));
        assert_eq!(format!("{stored:?}"), "AccountPassword([redacted])");
        let passwords = pepper(1);
        assert!(!passwords.matches(&tenant("acme"), &account, &stored, &hash));
        assert_eq!(passwords.bind(&tenant("acme"), &account, &hash).unwrap().foreign(), None);
    }
}
