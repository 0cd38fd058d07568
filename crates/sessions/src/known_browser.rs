//! The accounts that have signed in with a browser: the sealed value of one cookie a host. It opens nothing. It keeps strangers who use up the
//! attempts at an account from stopping the person in the usual browser.

use accounts::AccountId;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use keys::Aead;
use protocol::{Lifetime, Timestamp};
use secrets::{KeyedDigest, Pepper};
use tenancy::TenantId;

/// How long a browser is known for an account, and how long it keeps the cookie.
const LIFETIME: Lifetime = Lifetime::from_seconds(180 * 86_400);
/// So many accounts are remembered: browsers keep no cookie of more than 4096 characters.
const MOST: usize = 20;
/// The version of the form, which is authenticated with the rest.
const HEAD: [u8; 1] = [1];
const CONTEXT: &[u8] = b"known browser 1";
/// The longest value.
const LONGEST: usize = 4_000;

/// Seals and opens the cookies of known browsers.
pub struct KnownBrowsers(Aead);

/// Which accounts have signed in with a browser, the latest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownBrowser(Vec<(TenantId, AccountId, Timestamp)>);

impl KnownBrowsers {
    /// How long a browser keeps the cookie.
    pub const LIFETIME: Lifetime = LIFETIME;

    /// With a key of its own, which follows from the pepper: a browser is known to all replicas.
    #[must_use]
    pub fn new(pepper: &Pepper) -> Self {
        let key = KeyedDigest::for_purpose(pepper.expose(), "latchkey known browser 1");
        Self(Aead::new(&key.of([b"key".as_slice()])))
    }

    /// What a cookie says that this server has sealed. Any other text says nothing.
    #[must_use]
    pub fn open(&self, cookie: &str, now: Timestamp) -> KnownBrowser {
        let mut known = self.read(cookie).unwrap_or_default();
        known.0.retain(|(_, _, at)| now < *at + LIFETIME);
        known
    }

    fn read(&self, cookie: &str) -> Option<KnownBrowser> {
        let sealed = Some(cookie).filter(|cookie| cookie.len() <= LONGEST)?;
        let sealed = BASE64URL.decode(sealed).ok()?;
        let opened = self.0.open(&HEAD, CONTEXT, sealed.strip_prefix(&HEAD)?).ok()?;
        let rows: Vec<(String, AccountId, u64)> = serde_json::from_slice(&opened).ok()?;
        let row = |(tenant, account, at): (String, _, _)| {
            Some((TenantId::parse(&tenant).ok()?, account, Timestamp::from_seconds(at)))
        };
        rows.into_iter().map(row).collect::<Option<_>>().map(KnownBrowser)
    }

    /// The value of the cookie; `None` only where it cannot be sealed.
    #[must_use]
    pub fn seal(&self, known: &KnownBrowser) -> Option<String> {
        let row = |(tenant, account, at): &(TenantId, AccountId, Timestamp)| {
            (tenant.to_string(), account.clone(), at.seconds())
        };
        let plaintext = serde_json::to_vec(&known.0.iter().map(row).collect::<Vec<_>>()).ok()?;
        let sealed = self.0.seal(&HEAD, CONTEXT, &plaintext).ok()?;
        Some(BASE64URL.encode(sealed)).filter(|text| text.len() <= LONGEST)
    }
}

impl KnownBrowser {
    /// The accounts of this tenant that have signed in with the browser.
    #[must_use]
    pub fn accounts_of(&self, tenant: &TenantId) -> Vec<AccountId> {
        let own = self.0.iter().filter(|(of, _, _)| of == tenant);
        own.map(|(_, account, _)| account.clone()).collect()
    }

    /// The account has signed in now. The oldest of too many is forgotten.
    pub fn remember(&mut self, tenant: &TenantId, account: &AccountId, now: Timestamp) {
        self.0.retain(|(of, known, _)| of != tenant || known != account);
        self.0.insert(0, (tenant.clone(), account.clone(), now));
        self.0.truncate(MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

    fn known_browsers() -> KnownBrowsers {
        KnownBrowsers::new(&Pepper::generate())
    }

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    #[test]
    fn an_account_is_known_at_its_tenant_for_180_days() {
        let (of, acme, globex) = (known_browsers(), tenant("acme"), tenant("globex"));
        let [ada, bob] = [1, 2].map(|number| AccountId::from_bytes([number; 16]));
        let mut known = KnownBrowser::default();
        known.remember(&acme, &ada, NOW);
        known.remember(&globex, &bob, NOW);
        let cookie = of.seal(&known).unwrap();
        assert!(!cookie.contains("acme"));
        let opened = of.open(&cookie, NOW);
        assert_eq!((opened.accounts_of(&acme), opened.accounts_of(&globex)), (vec![ada.clone()], vec![bob]));
        assert_eq!(opened.accounts_of(&tenant("acm")), []);
        let last = Timestamp::from_seconds(NOW.seconds() + LIFETIME.seconds() - 1);
        assert_eq!(of.open(&cookie, last).accounts_of(&acme), [ada]);
        assert_eq!(of.open(&cookie, NOW + LIFETIME).accounts_of(&acme), []);
    }

    #[test]
    fn what_this_server_has_not_sealed_says_nothing() {
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
    fn twenty_accounts_with_the_longest_names_fit_and_the_oldest_give_way() {
        let (of, mut known) = (known_browsers(), KnownBrowser::default());
        for number in 0..30 {
            known.remember(&tenant(&"a".repeat(63)), &AccountId::from_bytes([number; 16]), NOW);
        }
        known.remember(&tenant(&"a".repeat(63)), &AccountId::from_bytes([15; 16]), NOW);
        let opened = of.open(&of.seal(&known).unwrap(), NOW).accounts_of(&tenant(&"a".repeat(63)));
        let kept = std::iter::once(15).chain((10..30).rev().filter(|number| *number != 15));
        assert_eq!(opened, kept.map(|number| AccountId::from_bytes([number; 16])).collect::<Vec<_>>());
    }
}
