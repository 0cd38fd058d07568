//! The code of a link with which a person can set a password once within a day. Nothing is stored: the code
//! contains the account, the state of its password and a digest of its permissions, protected with a key that
//! only the server has. So the code becomes invalid when the password or the permissions change, or when the
//! person is signed out everywhere.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use protocol::ScopeToken;
use secrets::{KeyedDigest, Pepper};
use subtle::ConstantTimeEq as _;
use tenancy::TenantId;
use values::{Lifetime, Secret, Timestamp};

use crate::{Account, AccountId, AccountStatus};

/// How long a link can be used.
const LIFETIME: Lifetime = Lifetime::from_seconds(86_400);
/// The maximum length of a code in characters. Real codes have about a third of it.
const LONGEST: usize = 512;

pub struct PasswordLinks(KeyedDigest);

/// The content of a code of this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordLink {
    account: AccountId,
    expires_at: Timestamp,
    valid_from: Timestamp,
    password_changed_at: Option<Timestamp>,
    permissions: [u8; 16],
}

impl PasswordLinks {
    #[must_use]
    pub fn new(pepper: &Pepper) -> Self {
        Self(KeyedDigest::for_purpose(pepper.expose(), "latchkey password link 2"))
    }

    /// A code for the current state of the account, and its expiry.
    #[must_use]
    pub fn make(&self, account: &Account, now: Timestamp) -> (Secret, Timestamp) {
        let expires_at = now + LIFETIME;
        let changed = account.password_changed_at.map(|at| at.seconds().to_string()).unwrap_or_default();
        let (expires, valid_from) = (expires_at.seconds(), account.valid_from.seconds());
        let permissions = BASE64URL.encode(digest_of_permissions(account));
        let named = format!("{}.{expires}.{valid_from}.{changed}.{permissions}", account.id);
        let proof = BASE64URL.encode(self.proof(&account.tenant, &named));
        (Secret::new(format!("{named}.{proof}")), expires_at)
    }

    /// The content of a code. `None` if this server did not create the code for this tenant. Does not read
    /// the store.
    #[must_use]
    pub fn read(&self, tenant: &TenantId, code: &str) -> Option<PasswordLink> {
        let (named, proof) = Some(code).filter(|code| code.len() <= LONGEST)?.rsplit_once('.')?;
        let proof = BASE64URL.decode(proof).ok()?;
        if !bool::from(self.proof(tenant, named).as_slice().ct_eq(&proof)) {
            return None;
        }
        let mut parts = named.split('.');
        let account = parts.next()?.parse().ok()?;
        let mut instant = || {
            let seconds = parts.next()?;
            Some(Some(seconds).filter(|seconds| !seconds.is_empty())?.parse().map(Timestamp::from_seconds))
        };
        let [expires_at, valid_from, changed] = [instant(), instant(), instant()];
        let (expires_at, valid_from) = (expires_at?.ok()?, valid_from?.ok()?);
        let password_changed_at = changed.transpose().ok()?;
        let permissions = BASE64URL.decode(parts.next()?).ok()?.try_into().ok()?;
        Some(PasswordLink { account, expires_at, valid_from, password_changed_at, permissions })
    }

    fn proof(&self, tenant: &TenantId, named: &str) -> [u8; 32] {
        self.0.of([tenant.as_str().as_bytes(), named.as_bytes()])
    }
}

impl PasswordLink {
    /// The account whose password the link sets.
    #[must_use]
    pub const fn account(&self) -> &AccountId {
        &self.account
    }

    /// Whether the link can be used now, given the current state of the account. It cannot be used in the
    /// same second as a change of the account: a second change in that second would not change the times, so
    /// the link could be used twice.
    #[must_use]
    pub fn fits(&self, account: &Account, now: Timestamp) -> bool {
        let is_as_it_was = self.account == account.id
            && self.valid_from == account.valid_from
            && self.password_changed_at == account.password_changed_at
            && self.permissions == digest_of_permissions(account);
        is_as_it_was
            && account.status == AccountStatus::Active
            && account.valid_from <= now
            && now < self.expires_at
    }
}

/// Half of a SHA-256, to keep the link short.
fn digest_of_permissions(account: &Account) -> [u8; 16] {
    let mut names: Vec<_> = account.permissions.iter().map(ScopeToken::as_str).collect();
    names.sort_unstable();
    let mut half = [0; 16];
    half.copy_from_slice(&digest(&SHA256, names.join(" ").as_bytes()).as_ref()[..16]);
    half
}

#[cfg(test)]
mod tests {
    use protocol::Scope;

    use super::*;

    const AT: fn(u64) -> Timestamp = Timestamp::from_seconds;

    fn account() -> Account {
        let tenant = TenantId::parse("acme").unwrap();
        Account::new(tenant, AccountId::from_bytes([1; 16]), AT(1_000))
    }

    #[test]
    fn code_is_tamper_proof_and_bound_to_tenant() {
        let pepper = Pepper::generate();
        let (links, replica) = (PasswordLinks::new(&pepper), PasswordLinks::new(&pepper));
        let changed = Account { password_changed_at: Some(AT(900)), ..account() };
        for account in [account(), changed] {
            let (code, expires_at) = links.make(&account, AT(2_000));
            assert_eq!(expires_at, AT(2_000 + 86_400));
            let (code, acme) = (code.expose(), &account.tenant);
            let read = replica.read(acme, code).unwrap();
            assert!(read.account() == &account.id && read.fits(&account, AT(2_000)));
            assert_eq!(links.read(&TenantId::parse("globex").unwrap(), code), None);
            assert_eq!(PasswordLinks::new(&Pepper::generate()).read(acme, code), None);
            for at in 0..code.len() {
                let other = if code.as_bytes()[at] == b'1' { "2" } else { "1" };
                let altered = format!("{}{other}{}", &code[..at], &code[at + 1..]);
                assert_eq!(links.read(acme, &altered), None, "{altered}");
                assert_eq!(links.read(acme, &code[..at]), None, "{at}");
            }
            for bad in ["", ".", "....", &format!("{code}."), &"a.".repeat(300), "\u{e9}.\u{e9}"] {
                assert_eq!(links.read(acme, bad), None, "{bad}");
            }
        }
    }

    // [third 1]
    #[test]
    fn link_expires_after_one_day_or_account_change() {
        let links = PasswordLinks::new(&Pepper::generate());
        let granted = Scope::parse("latchkey:keys").unwrap();
        for made in [account(), Account { password_changed_at: Some(AT(999)), ..account() }] {
            let (code, _) = links.make(&made, AT(2_000));
            let link = links.read(&made.tenant, code.expose()).unwrap();
            for (change, now, expected) in [
                (made.clone(), 2_000, true),
                (made.clone(), 2_000 + 86_399, true),
                (made.clone(), 2_000 + 86_400, false),
                (Account { password_changed_at: Some(AT(2_001)), ..made.clone() }, 2_001, false),
                (Account { valid_from: AT(2_002), ..made.clone() }, 2_002, false),
                (Account { status: AccountStatus::Suspended, ..made.clone() }, 2_001, false),
                (Account { id: AccountId::from_bytes([2; 16]), ..made.clone() }, 2_001, false),
                (Account { permissions: granted.clone(), ..made.clone() }, 2_001, false),
            ] {
                assert_eq!(link.fits(&change, AT(now)), expected, "{now} {change:?}");
            }
            let early = Account { valid_from: AT(2_001), ..made };
            let (code, _) = links.make(&early, AT(2_000));
            let link = links.read(&early.tenant, code.expose()).unwrap();
            assert_eq!([2_000, 2_001].map(|now| link.fits(&early, AT(now))), [false, true]);
        }
    }
}
