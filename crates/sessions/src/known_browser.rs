//! The accounts that have signed in with a browser, as a sealed cookie for each host. The cookie gives no
//! access. It lets the person sign in with the usual browser even if strangers have used up the attempts at
//! the account.

use accounts::{AccountId, BrowserHistory, BrowserId};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use keys::Aead;
use secrets::{KeyedDigest, Pepper, random_bytes};
use serde::{Deserialize, Serialize};
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

/// How long an account knows a browser, and how long the browser keeps the cookie.
const LIFETIME: Lifetime = Lifetime::from_seconds(180 * 86_400);
/// The maximum number of accounts in the cookie, because browsers refuse cookies of more than 4096
/// characters.
const MOST: usize = 20;
/// The version of the sealed form, which is authenticated.
const HEAD: [u8; 1] = [1];
const CONTEXT: &[u8] = b"known browser 1";
/// The maximum length of the cookie value in characters.
const LONGEST: usize = 4_000;

pub struct KnownBrowsers(Aead);

/// The accounts that have signed in with a browser, latest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownBrowser {
    /// Distinguishes this browser from other browsers of the same accounts. Set at the first sign-in.
    id: Option<BrowserId>,
    accounts: Vec<(TenantId, AccountId, Timestamp)>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum SealedText {
    Identified {
        id: String,
        accounts: Vec<(String, AccountId, u64)>,
    },
    /// The form of the previous version.
    Unidentified(Vec<(String, AccountId, u64)>),
}

impl KnownBrowsers {
    pub const LIFETIME: Lifetime = LIFETIME;

    /// Derives the key from the pepper, so that all replicas can read the cookie.
    #[must_use]
    pub fn new(pepper: &Pepper) -> Self {
        let key = KeyedDigest::for_purpose(pepper.expose(), "latchkey known browser 1");
        Self(Aead::new(&key.of([b"key".as_slice()])))
    }

    /// The content of a cookie that this server has sealed. Empty for any other text.
    #[must_use]
    pub fn open(&self, cookie: &str, now: Timestamp) -> KnownBrowser {
        let mut known = self.read(cookie).unwrap_or_default();
        known.accounts.retain(|(_, _, at)| now < *at + LIFETIME);
        known
    }

    fn read(&self, cookie: &str) -> Option<KnownBrowser> {
        let sealed = Some(cookie).filter(|cookie| cookie.len() <= LONGEST)?;
        let sealed = BASE64URL.decode(sealed).ok()?;
        let opened = self.0.open(&HEAD, CONTEXT, sealed.strip_prefix(&HEAD)?).ok()?;
        let (id, rows) = match serde_json::from_slice(&opened).ok()? {
            SealedText::Identified { id, accounts } => {
                (Some(BASE64URL.decode(id).ok()?.try_into().ok()?), accounts)
            }
            SealedText::Unidentified(accounts) => (None, accounts),
        };
        let row = |(tenant, account, at): (String, _, _)| {
            Some((TenantId::parse(&tenant).ok()?, account, Timestamp::from_seconds(at)))
        };
        let accounts = rows.into_iter().map(row).collect::<Option<_>>()?;
        Some(KnownBrowser { id, accounts })
    }

    /// The value of the cookie. `None` only if sealing fails.
    #[must_use]
    pub fn seal(&self, known: &KnownBrowser) -> Option<String> {
        let row = |(tenant, account, at): &(TenantId, AccountId, Timestamp)| {
            (tenant.to_string(), account.clone(), at.seconds())
        };
        let accounts = known.accounts.iter().map(row).collect();
        let sealed = match known.id {
            Some(id) => SealedText::Identified { id: BASE64URL.encode(id), accounts },
            None => SealedText::Unidentified(accounts),
        };
        let plaintext = serde_json::to_vec(&sealed).ok()?;
        let sealed = self.0.seal(&HEAD, CONTEXT, &plaintext).ok()?;
        Some(BASE64URL.encode(sealed)).filter(|text| text.len() <= LONGEST)
    }
}

impl KnownBrowser {
    /// The accounts of this tenant that have signed in with the browser. Browsers with a cookie of the
    /// previous version share one id until the next sign-in.
    #[must_use]
    pub fn history_at(&self, tenant: &TenantId) -> BrowserHistory {
        let own = self.accounts.iter().filter(|(of, _, _)| of == tenant);
        let accounts = own.map(|(_, account, at)| (account.clone(), *at)).collect();
        BrowserHistory { browser: self.id.unwrap_or_default(), accounts }
    }

    /// Adds a sign-in of the account. If there are too many accounts, the oldest is dropped.
    pub fn remember(&mut self, tenant: &TenantId, account: &AccountId, now: Timestamp) {
        self.id.get_or_insert_with(|| *random_bytes());
        self.accounts.retain(|(of, known, _)| of != tenant || known != account);
        self.accounts.insert(0, (tenant.clone(), account.clone(), now));
        self.accounts.truncate(MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

    fn known_browsers() -> KnownBrowsers {
        KnownBrowsers::new(&Pepper::generate())
    }

    fn accounts_of(known: &KnownBrowser, tenant: &TenantId) -> Vec<AccountId> {
        known.history_at(tenant).accounts.into_iter().map(|(account, _)| account).collect()
    }

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    #[test]
    fn account_is_known_at_its_tenant_for_180_days() {
        let (of, acme, globex) = (known_browsers(), tenant("acme"), tenant("globex"));
        let [ada, bob] = [1, 2].map(|number| AccountId::from_bytes([number; 16]));
        let mut known = KnownBrowser::default();
        known.remember(&acme, &ada, NOW);
        known.remember(&globex, &bob, NOW);
        let cookie = of.seal(&known).unwrap();
        assert!(!cookie.contains("acme"));
        let opened = of.open(&cookie, NOW);
        assert_eq!(opened.history_at(&acme).accounts, [(ada.clone(), NOW)]);
        assert_eq!(accounts_of(&opened, &globex), [bob]);
        assert_eq!(accounts_of(&opened, &tenant("acm")), []);
        let last = Timestamp::from_seconds(NOW.seconds() + LIFETIME.seconds() - 1);
        assert_eq!(accounts_of(&of.open(&cookie, last), &acme), [ada]);
        assert_eq!(accounts_of(&of.open(&cookie, NOW + LIFETIME), &acme), []);
    }

    #[test]
    fn each_browser_keeps_its_own_identifier() {
        let (of, acme, ada) = (known_browsers(), tenant("acme"), AccountId::from_bytes([1; 16]));
        let id = |known: &KnownBrowser| known.history_at(&acme).browser;
        let again = |known: &KnownBrowser| {
            let mut known = of.open(&of.seal(known).unwrap(), NOW);
            known.remember(&acme, &ada, NOW);
            known
        };
        let [one, other] = [(); 2].map(|()| again(&KnownBrowser::default()));
        assert_ne!(id(&one), id(&other));
        assert_eq!(id(&again(&one)), id(&one));
        // A cookie of the previous version.
        let before = KnownBrowser { id: None, accounts: one.accounts.clone() };
        let opened = of.open(&of.seal(&before).unwrap(), NOW);
        assert_eq!((id(&opened), accounts_of(&opened, &acme)), ([0; 16], vec![ada.clone()]));
        assert_ne!(id(&again(&before)), [0; 16]);
    }

    #[test]
    fn altered_or_foreign_cookie_is_ignored() {
        let (of, mut known) = (known_browsers(), KnownBrowser::default());
        known.remember(&tenant("acme"), &AccountId::from_bytes([1; 16]), NOW);
        let cookie = of.seal(&known).unwrap();
        let mut bytes = BASE64URL.decode(&cookie).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert_eq!(of.open(&BASE64URL.encode(&bytes), NOW), KnownBrowser::default(), "{at}");
            bytes[at] ^= 1;
        }
        assert_eq!(known_browsers().open(&cookie, NOW), KnownBrowser::default(), "another pepper");
        for bad in ["", "AQ", "?", &"A".repeat(LONGEST + 1)] {
            assert_eq!(of.open(bad, NOW), KnownBrowser::default());
        }
    }

    #[test]
    fn cookie_holds_twenty_accounts_and_drops_oldest() {
        let (of, mut known) = (known_browsers(), KnownBrowser::default());
        for number in 0..30 {
            known.remember(&tenant(&"a".repeat(63)), &AccountId::from_bytes([number; 16]), NOW);
        }
        known.remember(&tenant(&"a".repeat(63)), &AccountId::from_bytes([15; 16]), NOW);
        let opened = accounts_of(&of.open(&of.seal(&known).unwrap(), NOW), &tenant(&"a".repeat(63)));
        let kept = std::iter::once(15).chain((10..30).rev().filter(|number| *number != 15));
        assert_eq!(opened, kept.map(|number| AccountId::from_bytes([number; 16])).collect::<Vec<_>>());
    }
}
