//! Codes that let the holder do one thing with one account: set a password, confirm an address, or restore an
//! address. Nothing is stored: a code contains the account, the state of its sign-in and a digest of its
//! permissions and identifiers, protected with a key that only the server has. So a code becomes invalid when
//! it was used, when the password, the permissions or the address change, or when the person is signed out
//! everywhere.
//!
//! A long code is a part of a link. A short code is typed where the person began, and only works with the
//! random value of that page. It has 40 bits, so the caller limits the tries.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use protocol::ScopeToken;
use secrets::{KeyedDigest, Pepper};
use subtle::ConstantTimeEq as _;
use tenancy::TenantId;
use values::{Lifetime, Secret, Timestamp};

use crate::{Account, AccountId, AccountStatus, EmailAddress};

/// The maximum length of a code in characters. Real codes have about half of it.
const LONGEST: usize = 1_024;
/// Digits of a short code: letters and digits that people do not confuse.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DIGITS_OF_SHORT: usize = 8;

pub struct AccountCodes(KeyedDigest);

/// What a code is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodePurpose {
    /// Set a password. An administrator passes the link on.
    Password,
    /// As [`Self::Password`], but mailed to a person who has forgotten the password.
    Recovery,
    /// As [`Self::Password`], but mailed to a person who has no password yet.
    Invitation,
    /// Confirm this address, which the code was mailed to.
    Verification(EmailAddress),
    /// Restore this address, which the code was mailed to.
    Undo(EmailAddress),
}

/// The content of a code of this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountCode {
    account: AccountId,
    purpose: CodePurpose,
    expires_at: Timestamp,
    valid_from: Timestamp,
    password_changed_at: Option<Timestamp>,
    state: [u8; 16],
}

impl CodePurpose {
    /// How long a code can be used.
    #[must_use]
    pub const fn lifetime(&self) -> Lifetime {
        Lifetime::from_seconds(match self {
            Self::Password => 86_400,
            Self::Recovery | Self::Verification(_) => 30 * 60,
            Self::Invitation => 7 * 86_400,
            Self::Undo(_) => 72 * 3_600,
        })
    }

    /// The address that the account gets. `None` for a code that sets a password.
    #[must_use]
    pub const fn address(&self) -> Option<&EmailAddress> {
        match self {
            Self::Password | Self::Recovery | Self::Invitation => None,
            Self::Verification(address) | Self::Undo(address) => Some(address),
        }
    }

    const fn letter(&self) -> &'static str {
        match self {
            Self::Password => "",
            Self::Recovery => "r",
            Self::Invitation => "i",
            Self::Verification(_) => "v",
            Self::Undo(_) => "u",
        }
    }

    fn parse(letter: &str, address: Option<&str>) -> Option<Self> {
        let address =
            || EmailAddress::parse(std::str::from_utf8(&BASE64URL.decode(address?).ok()?).ok()?).ok();
        Some(match letter {
            "" => Self::Password,
            "r" => Self::Recovery,
            "i" => Self::Invitation,
            "v" => Self::Verification(address()?),
            "u" => Self::Undo(address()?),
            _ => return None,
        })
    }
}

impl AccountCodes {
    #[must_use]
    pub fn new(pepper: &Pepper) -> Self {
        Self(KeyedDigest::for_purpose(pepper.expose(), "latchkey password link 2"))
    }

    /// A code for the current state of the account, and its expiry.
    #[must_use]
    pub fn make(&self, account: &Account, purpose: CodePurpose, now: Timestamp) -> (Secret, Timestamp) {
        let code = AccountCode::of(account, purpose, now);
        let text = code.text();
        let proof = BASE64URL.encode(self.proof(&account.tenant, &[&text]));
        (Secret::new(format!("{text}.{proof}")), code.expires_at)
    }

    /// The short code for a page with this random value.
    #[must_use]
    pub fn make_short(&self, account: &Account, purpose: CodePurpose, page: &str, now: Timestamp) -> String {
        let code = AccountCode::of(account, purpose, now);
        self.short(&account.tenant, &code, page)
    }

    /// The content of a code. `None` if this server did not create the code for this tenant. Does not read
    /// the store.
    #[must_use]
    pub fn read(&self, tenant: &TenantId, code: &str) -> Option<AccountCode> {
        let (text, proof) = Some(code).filter(|code| code.len() <= LONGEST)?.rsplit_once('.')?;
        let proof = BASE64URL.decode(proof).ok()?;
        if !bool::from(self.proof(tenant, &[text]).as_slice().ct_eq(&proof)) {
            return None;
        }
        AccountCode::parse(text)
    }

    /// The content of a short code that was made at `made_at` for the page with this random value, if the
    /// account still has the same state.
    #[must_use]
    pub fn read_short(
        &self,
        account: &Account,
        purpose: CodePurpose,
        page: &str,
        made_at: Timestamp,
        typed: &str,
    ) -> Option<AccountCode> {
        let code = AccountCode::of(account, purpose, made_at);
        let expected = self.short(&account.tenant, &code, page);
        bool::from(expected.as_bytes().ct_eq(digits_of(typed).as_bytes())).then_some(code)
    }

    fn short(&self, tenant: &TenantId, code: &AccountCode, page: &str) -> String {
        let proof = self.proof(tenant, &[&code.text(), page]);
        let bits = proof.iter().take(5).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let digit = |at: usize| {
            let digit = bits >> (5 * (DIGITS_OF_SHORT - 1 - at)) & 31;
            usize::try_from(digit)
                .ok()
                .and_then(|digit| DIGITS.get(digit))
                .map_or('0', |digit| char::from(*digit))
        };
        (0..DIGITS_OF_SHORT).map(digit).collect()
    }

    fn proof(&self, tenant: &TenantId, texts: &[&str]) -> [u8; 32] {
        self.0.of([tenant.as_str()].iter().chain(texts).map(|text| text.as_bytes()))
    }
}

impl AccountCode {
    fn of(account: &Account, purpose: CodePurpose, now: Timestamp) -> Self {
        Self {
            account: account.id.clone(),
            expires_at: now + purpose.lifetime(),
            valid_from: account.valid_from,
            password_changed_at: account.password_changed_at,
            state: digest_of(account, &purpose),
            purpose,
        }
    }

    fn text(&self) -> String {
        let Self { account, purpose, expires_at, valid_from, password_changed_at, state } = self;
        let changed = password_changed_at.map(|at| at.seconds().to_string()).unwrap_or_default();
        let (letter, expires, valid_from) = (purpose.letter(), expires_at.seconds(), valid_from.seconds());
        let state = BASE64URL.encode(state);
        let text = format!("{account}.{letter}{expires}.{valid_from}.{changed}.{state}");
        match purpose.address() {
            Some(address) => format!("{text}.{}", BASE64URL.encode(address.as_str())),
            None => text,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let account = parts.next()?.parse().ok()?;
        let expires = parts.next()?;
        let (letter, expires) = expires.split_at(
            expires.len() - expires.trim_start_matches(|letter: char| letter.is_ascii_lowercase()).len(),
        );
        let instant = |seconds: &str| seconds.parse().ok().map(Timestamp::from_seconds);
        let (expires_at, valid_from, changed) = (instant(expires)?, instant(parts.next()?)?, parts.next()?);
        let password_changed_at = if changed.is_empty() { None } else { Some(instant(changed)?) };
        let state = BASE64URL.decode(parts.next()?).ok()?.try_into().ok()?;
        let purpose = CodePurpose::parse(letter, parts.next())?;
        Some(Self { account, purpose, expires_at, valid_from, password_changed_at, state })
    }

    #[must_use]
    pub const fn account(&self) -> &AccountId {
        &self.account
    }

    #[must_use]
    pub const fn purpose(&self) -> &CodePurpose {
        &self.purpose
    }

    /// Whether the code can be used now, given the current state of the account. It cannot be used in the
    /// same second as a change of the account: a second change in that second would not change the times, so
    /// the code could be used twice.
    #[must_use]
    pub fn fits(&self, account: &Account, now: Timestamp) -> bool {
        let is_as_it_was = match &self.purpose {
            // Whoever took over the account can change its state, and must not keep the person from this.
            CodePurpose::Undo(address) => account.email_address() != Some(address),
            purpose => {
                self.valid_from == account.valid_from
                    && self.password_changed_at == account.password_changed_at
                    && self.state == digest_of(account, purpose)
                    && account.valid_from <= now
            }
        };
        is_as_it_was
            && self.account == account.id
            && account.status == AccountStatus::Active
            && now < self.expires_at
    }
}

/// Half of a SHA-256, to keep links short. Identifiers count only in codes that are mailed to one of them.
fn digest_of(account: &Account, purpose: &CodePurpose) -> [u8; 16] {
    let mut names: Vec<_> =
        account.permissions.iter().map(|token: &ScopeToken| token.as_str().to_owned()).collect();
    names.sort_unstable();
    if *purpose != CodePurpose::Password {
        let held = |held: &crate::AccountIdentifier| {
            format!("\0{}\0{}", held.identifier, held.verified_at.is_some())
        };
        names.extend(account.identifiers.iter().map(held));
    }
    let mut half = [0; 16];
    half.copy_from_slice(&digest(&SHA256, names.join(" ").as_bytes()).as_ref()[..16]);
    half
}

/// The digits of a typed short code. Ignores case, spaces and hyphens, and reads the letters that look like
/// digits as digits.
fn digits_of(typed: &str) -> String {
    let typed =
        typed.chars().filter(|character| !matches!(character, ' ' | '-' | '\t')).take(DIGITS_OF_SHORT + 1);
    let digit = |character: char| match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    typed.map(digit).collect()
}

#[cfg(test)]
mod tests {
    use protocol::Scope;

    use super::*;
    use crate::{AccountIdentifier, Identifier};

    const AT: fn(u64) -> Timestamp = Timestamp::from_seconds;

    fn account() -> Account {
        let tenant = TenantId::parse("acme").unwrap();
        Account::new(tenant, AccountId::from_bytes([1; 16]), AT(1_000))
    }

    #[test]
    fn code_is_tamper_proof_and_bound_to_tenant() {
        let pepper = Pepper::generate();
        let (links, replica) = (AccountCodes::new(&pepper), AccountCodes::new(&pepper));
        let changed = Account { password_changed_at: Some(AT(900)), ..account() };
        for account in [account(), changed] {
            let (code, expires_at) = links.make(&account, CodePurpose::Password, AT(2_000));
            assert_eq!(expires_at, AT(2_000 + 86_400));
            let (code, acme) = (code.expose(), &account.tenant);
            let read = replica.read(acme, code).unwrap();
            assert!(read.account() == &account.id && read.fits(&account, AT(2_000)));
            assert_eq!(links.read(&TenantId::parse("globex").unwrap(), code), None);
            assert_eq!(AccountCodes::new(&Pepper::generate()).read(acme, code), None);
            for at in 0..code.len() {
                let other = if code.as_bytes()[at] == b'1' { "2" } else { "1" };
                let altered = format!("{}{other}{}", &code[..at], &code[at + 1..]);
                assert_eq!(links.read(acme, &altered), None, "{altered}");
                assert_eq!(links.read(acme, &code[..at]), None, "{at}");
            }
            for bad in ["", ".", "....", &format!("{code}."), &"a.".repeat(600), "\u{e9}.\u{e9}"] {
                assert_eq!(links.read(acme, bad), None, "{bad}");
            }
        }
    }

    // [third 1]
    #[test]
    fn link_expires_after_one_day_or_account_change() {
        let links = AccountCodes::new(&Pepper::generate());
        let granted = Scope::parse("latchkey:keys").unwrap();
        for made in [account(), Account { password_changed_at: Some(AT(999)), ..account() }] {
            let (code, _) = links.make(&made, CodePurpose::Password, AT(2_000));
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
            let (code, _) = links.make(&early, CodePurpose::Password, AT(2_000));
            let link = links.read(&early.tenant, code.expose()).unwrap();
            assert_eq!([2_000, 2_001].map(|now| link.fits(&early, AT(now))), [false, true]);
        }
    }

    fn mailed() -> Account {
        let identifier = Identifier::parse("ada@example.com").unwrap();
        let held = AccountIdentifier { identifier, verified_at: None };
        Account { identifiers: vec![held], password_changed_at: Some(AT(900)), ..account() }
    }

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    #[test]
    fn mailed_code_expires_when_address_changes() {
        let codes = AccountCodes::new(&Pepper::generate());
        let new = || address("new@example.com");
        let of = |purpose: CodePurpose, change: &dyn Fn(&mut Account), now| {
            let (code, _) = codes.make(&mailed(), purpose, AT(2_000));
            let mut account = mailed();
            change(&mut account);
            codes.read(&account.tenant, code.expose()).unwrap().fits(&account, AT(now))
        };
        let moved = |account: &mut Account| {
            account.identifiers[0].identifier = Identifier::parse("b@example.com").unwrap();
        };
        let verified = |account: &mut Account| account.identifiers[0].verified_at = Some(AT(1));
        let signed_out = |account: &mut Account| account.valid_from = AT(1_999);
        for (purpose, lifetime) in [
            (CodePurpose::Recovery, 1_800),
            (CodePurpose::Invitation, 7 * 86_400),
            (CodePurpose::Verification(new()), 1_800),
        ] {
            assert!(of(purpose.clone(), &|_| {}, 2_000 + lifetime - 1), "{purpose:?}");
            assert!(!of(purpose.clone(), &|_| {}, 2_000 + lifetime), "{purpose:?}");
            for change in [&moved as &dyn Fn(&mut Account), &verified, &signed_out] {
                assert!(!of(purpose.clone(), change, 2_001), "{purpose:?}");
            }
        }
        let undo = || CodePurpose::Undo(address("ada@example.com"));
        assert!(!of(undo(), &|_| {}, 2_001), "the account still has the address");
        let taken = |account: &mut Account| (moved(account), signed_out(account)).0;
        assert!(of(undo(), &taken, 2_000 + 72 * 3_600 - 1));
        assert!(!of(undo(), &taken, 2_000 + 72 * 3_600));
        let suspended = |account: &mut Account| {
            moved(account);
            account.status = AccountStatus::Suspended;
        };
        assert!(!of(undo(), &suspended, 2_001));
    }

    #[test]
    fn short_code_is_bound_to_page_state_and_purpose() {
        let codes = AccountCodes::new(&Pepper::generate());
        let account = mailed();
        let code = codes.make_short(&account, CodePurpose::Recovery, "page", AT(2_000));
        assert!(code.len() == 8 && code.bytes().all(|digit| DIGITS.contains(&digit)), "{code}");
        let read = |account: &Account, purpose, page, at, typed: &str| {
            codes.read_short(account, purpose, page, AT(at), typed)
        };
        let spaced = format!(" {}-{} ", &code[..4].to_lowercase(), &code[4..]);
        for typed in [code.as_str(), &spaced] {
            let content = read(&account, CodePurpose::Recovery, "page", 2_000, typed).unwrap();
            assert!(content.fits(&account, AT(2_000)) && *content.purpose() == CodePurpose::Recovery);
        }
        let other = Account { id: AccountId::from_bytes([2; 16]), ..account.clone() };
        let changed = Account { password_changed_at: Some(AT(901)), ..account.clone() };
        for (account, purpose, page, at, typed) in [
            (&other, CodePurpose::Recovery, "page", 2_000, code.as_str()),
            (&changed, CodePurpose::Recovery, "page", 2_000, &code),
            (&account, CodePurpose::Invitation, "page", 2_000, &code),
            (&account, CodePurpose::Recovery, "other", 2_000, &code),
            (&account, CodePurpose::Recovery, "page", 2_001, &code),
            (&account, CodePurpose::Recovery, "page", 2_000, &code[..7]),
            (&account, CodePurpose::Recovery, "page", 2_000, ""),
            (&account, CodePurpose::Recovery, "page", 2_000, &format!("{code}0")),
        ] {
            assert_eq!(read(account, purpose, page, at, typed), None);
        }
        let globex = Account { tenant: TenantId::parse("globex").unwrap(), ..account };
        assert_eq!(read(&globex, CodePurpose::Recovery, "page", 2_000, &code), None);
        assert_eq!(digits_of("oil0-1 zZ"), "01101ZZ");
    }
}
