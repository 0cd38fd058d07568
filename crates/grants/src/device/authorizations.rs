//! The service of device authorizations and its store: starts an authorization, finds it by the
//! user code, writes the decision, and answers the device's polls.

use std::sync::Arc;

use accounts::BrowserHistory;
use async_trait::async_trait;
use protocol::{GrantType, TokenResponse, UserCode};
use registry::{Client, SenderKeys};
use secrets::{CallerAddress, KeyedDigest, LeakyBuckets, Pepper, SharedCounts, random_bytes};
use sessions::SignedIn;
use tenancy::{Stored, TenantId};
use values::{Lifetime, Secret, Timestamp};

use super::DeviceCode;
use super::code::{POLL_INTERVAL, Polls};
use crate::device_code::{self, DeviceAuthorizationResponse, DeviceCodeError};
use crate::one_time::OneTimeTexts;
use crate::redemption::{self, Issue};
use crate::{
    Engine, GrantError, Granted, Grantee, OneTime, OneTimeContent as _, OneTimeStore, OneTimeUse, Signed,
    grant_check,
};

/// The maximum number of undecided codes for one client and one address.
const MOST_WAITING: u32 = 20;
/// The maximum number of codes for one client within [`SPAN`], the lifetime of a code. Anyone can
/// request codes in the name of a public client, and each row is kept for a day.
const OF_CLIENT: u32 = 2_000;
/// Seconds. Within this time the server accepts a limited number of wrong user codes (RFC 8628
/// §5.1): from one browser, from all browsers at one address where nobody is signed in, and from
/// one person. There are 20^8 codes, so guessing is hopeless.
const SPAN: Lifetime = Lifetime::from_seconds(600);
const OF_BROWSER: u32 = 10;
const OF_SOURCE: u32 = 50;
const OF_PERSON: u32 = 10;
/// Bytes for one user code. They are too few once in 10^21 draws.
const DRAWN: usize = 64;

#[async_trait]
pub trait DeviceCodeStore: OneTimeStore<DeviceCode> {
    /// Finds a valid, undecided code by its user code. Returns `None` if two devices have the same
    /// user code.
    async fn find_device_by_user_code(
        &self,
        tenant: &TenantId,
        user_digest: &[u8; 32],
        now: Timestamp,
    ) -> Stored<Option<OneTime<DeviceCode>>>;
}

#[derive(Clone)]
pub struct DeviceAuthorizations(Arc<CodeParts>);

struct CodeParts {
    store: Arc<dyn DeviceCodeStore>,
    texts: OneTimeTexts<DeviceCode>,
    user_digests: KeyedDigest,
    clients: LeakyBuckets,
    browsers: LeakyBuckets,
    sources: LeakyBuckets,
    people: LeakyBuckets,
    polls: Polls,
}

/// The result of looking up a user code.
#[derive(Debug)]
pub enum TypedCode {
    Found(Box<OneTime<DeviceCode>>),
    /// The code is unknown, expired, or already decided.
    Unknown,
    /// Too many wrong codes from this browser, address or person.
    TooMany,
}

impl DeviceAuthorizations {
    /// Codes are never cached, because only the store knows which use is the first.
    #[must_use]
    pub fn new(store: Arc<dyn DeviceCodeStore>, pepper: &Pepper, counts: &SharedCounts) -> Self {
        let buckets = |most, of| LeakyBuckets::new(most, SPAN).shared(counts.limit("device", of));
        Self(Arc::new(CodeParts {
            store,
            texts: OneTimeTexts::new(pepper),
            user_digests: KeyedDigest::for_purpose(pepper.expose(), "latchkey user code 1"),
            clients: buckets(OF_CLIENT, "client"),
            browsers: buckets(OF_BROWSER, "browser"),
            sources: buckets(OF_SOURCE, "source"),
            people: buckets(OF_PERSON, "person"),
            polls: Polls::default(),
        }))
    }

    /// `source` is the address of the device. Returns `None` if the client has too many codes from
    /// that address or in total.
    ///
    /// # Errors If the store fails.
    pub async fn begin(
        &self,
        client: &Client,
        granted: Granted,
        source: &CallerAddress,
        verification_uri: String,
        now: Timestamp,
    ) -> Stored<Option<DeviceAuthorizationResponse>> {
        let tenant = &client.tenant;
        let Some(of_client) = self.0.clients.begin(tenant, &client.id, now) else { return Ok(None) };
        let user_code = draw_user_code();
        let content = DeviceCode {
            user_digest: user_digest(&self.0.user_digests, tenant, &user_code),
            granted,
            requested_from: source.to_string(),
            created_at: now,
            decided_at: None,
            account: None,
        };
        let (device_code, record) = self.0.texts.generate(tenant, &client.id, content, now);
        let is_added = self.0.store.add(tenant, &record, MOST_WAITING, now).await;
        // A request over the limit of its address does not count against the client's limit.
        if !matches!(is_added, Ok(true)) {
            of_client.forgive();
        }
        Ok(is_added?.then(|| DeviceAuthorizationResponse {
            device_code,
            user_code: user_code.to_string(),
            verification_uri,
            expires_in: DeviceCode::LIFETIME.seconds(),
            interval: POLL_INTERVAL.seconds(),
        }))
    }

    /// Finds the device by the user code. A text that cannot be a code counts as a wrong code and
    /// costs no read. A person who has signed in with this browser before is not affected by wrong
    /// codes from other people at the address.
    ///
    /// # Errors If the store fails.
    pub async fn find(
        &self,
        tenant: &TenantId,
        typed: &str,
        browser: &str,
        source: &CallerAddress,
        history: &BrowserHistory,
        now: Timestamp,
    ) -> Stored<TypedCode> {
        let shared = match history.accounts.first() {
            // Counts the account instead of the browser, because a person can use any number of
            // browsers.
            Some((account, _)) => self.0.people.begin(tenant, account, now),
            None => self.0.sources.begin(tenant, source, now),
        };
        let Some(shared) = shared else { return Ok(TypedCode::TooMany) };
        let Some(of_browser) = self.0.browsers.begin(tenant, browser, now) else {
            shared.forgive();
            return Ok(TypedCode::TooMany);
        };
        let Some(code) = UserCode::parse(typed) else { return Ok(TypedCode::Unknown) };
        let digest = user_digest(&self.0.user_digests, tenant, &code);
        let found = self.0.store.find_device_by_user_code(tenant, &digest, now).await;
        // Drops a row of another tenant, which only a defective store returns.
        let found = found.map(|found| found.filter(|found| found.tenant == *tenant));
        if !matches!(found, Ok(None)) {
            shared.forgive();
            of_browser.forgive();
        }
        Ok(found?.map_or(TypedCode::Unknown, |found| TypedCode::Found(Box::new(found))))
    }

    /// Writes the person's decision: the account if the person allows the device, or a refusal.
    /// Returns false if there is an earlier decision or the code has expired.
    ///
    /// # Errors If the store fails.
    pub async fn decide(
        &self,
        code: &OneTime<DeviceCode>,
        allowed_by: Option<&SignedIn>,
        now: Timestamp,
    ) -> Stored<bool> {
        let allowed =
            allowed_by.map(|signed_in| (signed_in.account().clone(), code.granted.clone().by(signed_in)));
        self.0.store.note(&code.tenant, &code.key, &allowed, now).await
    }

    pub(crate) async fn redeem(
        &self,
        engine: &Engine,
        grantee: &Grantee<'_>,
        text: &Secret,
        sender: &SenderKeys,
        issue @ Issue { now, credential, .. }: Issue,
    ) -> Result<Signed<TokenResponse>, GrantError> {
        let Grantee { tenant, client } = grantee;
        let cnf = grant_check::check(GrantType::DeviceCode, grantee, sender)?;
        let found = self.poll(&tenant.id, text, now).await?.filter(|code| code.tenant == tenant.id);
        let facts = engine.facts_to_issue(tenant).await?;
        let found = found.filter(|code| !facts.revoke_grant(code.client.as_str(), None, code.created_at));
        let key = device_code::decide(found.as_ref(), &client.id, now)?.key;
        let id = self.0.texts.grant(&tenant.id, text);
        let family = redemption::begin_family(engine, grantee, id, sender, credential, now);
        let used = OneTimeUse { key, client: client.id.clone(), proof: (), family };
        let code = self.0.store.use_up(&tenant.id, &used, now).await?;
        self.0.polls.forget(&tenant.id, &key.digest);
        let code = code.ok_or(DeviceCodeError::Code)?;
        let signed = redemption::tokens(engine, grantee, &code, id, used.family, cnf, issue).await?;
        Ok(signed.ok_or(DeviceCodeError::Code)?)
    }

    /// Returns the code if it exists. Reads nothing if the device polls too often.
    async fn poll(
        &self,
        tenant: &TenantId,
        text: &Secret,
        now: Timestamp,
    ) -> Result<Option<OneTime<DeviceCode>>, GrantError> {
        let Some(key) = self.0.texts.key(tenant, text.expose()) else { return Ok(None) };
        if self.0.polls.is_too_early(tenant, &key.digest, now) {
            return Err(DeviceCodeError::SlowDown.into());
        }
        let found = self.0.store.find(tenant, &key).await?;
        if let Some(found) = &found {
            self.0.polls.note(tenant, found.key.digest, found.valid_until, now);
        }
        Ok(found)
    }
}

fn draw_user_code() -> UserCode {
    loop {
        if let Some(code) = UserCode::from_random(random_bytes::<DRAWN>().as_slice()) {
            return code;
        }
    }
}

/// The stored digest of a user code.
fn user_digest(digests: &KeyedDigest, tenant: &TenantId, code: &UserCode) -> [u8; 32] {
    digests.of([tenant.as_str().as_bytes(), code.letters()])
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Mutex;

    use tenancy::StoreError;
    use zeroize::Zeroizing;

    use super::*;
    use crate::OneTimeKey;
    use crate::test_fixtures::web_client;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    /// Adds each record, or returns the given result.
    #[derive(Default)]
    struct Store(Mutex<Option<Stored<bool>>>);

    #[async_trait]
    impl OneTimeStore<DeviceCode> for Store {
        async fn add(&self, _: &TenantId, _: &OneTime<DeviceCode>, _: u32, _: Timestamp) -> Stored<bool> {
            self.0.lock().unwrap().take().unwrap_or(Ok(true))
        }

        async fn find(&self, _: &TenantId, _: &OneTimeKey) -> Stored<Option<OneTime<DeviceCode>>> {
            unreachable!()
        }

        async fn note(
            &self,
            _: &TenantId,
            _: &OneTimeKey,
            _: &Option<(accounts::AccountId, Granted)>,
            _: Timestamp,
        ) -> Stored<bool> {
            unreachable!()
        }

        async fn use_up(
            &self,
            _: &TenantId,
            _: &OneTimeUse<DeviceCode>,
            _: Timestamp,
        ) -> Stored<Option<OneTime<DeviceCode>>> {
            unreachable!()
        }
    }

    #[async_trait]
    impl DeviceCodeStore for Store {
        async fn find_device_by_user_code(
            &self,
            _: &TenantId,
            _: &[u8; 32],
            _: Timestamp,
        ) -> Stored<Option<OneTime<DeviceCode>>> {
            unreachable!()
        }
    }

    // [shared 2.14]: Device codes were limited for each address alone: n addresses filled the store with 20 n
    //   rows of a client every ten minutes | fixed | A client gets 2 000 codes at once and 2 000 in ten
    //   minutes from all addresses; requests that an address may not make take nothing of it
    #[tokio::test]
    async fn device_codes_are_limited_per_client_and_tenant() {
        let store = Arc::new(Store::default());
        let devices = DeviceAuthorizations::new(
            store.clone(),
            &Pepper::from_bytes(Zeroizing::new([1; 32])),
            &SharedCounts::default(),
        );
        let begins = async |client: &Client, number: u32, after| {
            let source = CallerAddress::new(Some(Ipv4Addr::from_bits(number).into()));
            let now = NOW + Lifetime::from_seconds(after);
            devices.begin(client, Granted::default(), &source, String::new(), now).await
        };
        let (web, another) = (web_client("web"), web_client("another"));
        let of_globex = Client { tenant: TenantId::parse("globex").unwrap(), ..web.clone() };
        for number in 0..OF_CLIENT {
            assert!(begins(&web, number, 0).await.unwrap().is_some(), "{number}");
            for refused in [Ok(false), Err(StoreError::unavailable("no store"))] {
                *store.0.lock().unwrap() = Some(refused);
                assert!(!matches!(begins(&another, number, 0).await, Ok(Some(_))));
            }
        }
        assert!(begins(&web, OF_CLIENT, 0).await.unwrap().is_none());
        assert!(begins(&another, 0, 0).await.unwrap().is_some());
        assert!(begins(&of_globex, 0, 0).await.unwrap().is_some());
        assert!(begins(&web, 0, 1).await.unwrap().is_some(), "three more in a second");
    }
}
