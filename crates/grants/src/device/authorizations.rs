//! The service of device authorizations: begins one, finds it by the typed code, writes the decision, and
//! answers the device's polls.

use std::sync::Arc;

use accounts::BrowserHistory;
use protocol::{DeviceAuthorizationResponse, Lifetime, Secret, Timestamp, UserCode};
use registry::{Client, ClientId};
use secrets::{ClientAddress, KeyedDigest, LeakyBuckets, Pepper};
use sessions::SignedIn;
use tenancy::{Stored, TenantId};

use super::code::{draw_user_code, user_digest};
use super::polls::Polls;
use super::{DEVICE_CODE_LIFETIME, DeviceCode, DeviceCodeStore, POLL_INTERVAL};
use crate::authorization::NewCode;
use crate::{CodeKey, GrantId, Granted, NewFamily};

/// The undecided codes that a client may have from one address.
const MOST_WAITING: u32 = 20;
/// The limits of wrong codes in this time (RFC 8628 §5.1): of a browser; of all browsers at one address
/// without a signed-in person; and of a person, in all browsers of that person. There are 20^8 codes, so an
/// address and each of its accounts can try few of them.
const SPAN: Lifetime = Lifetime::from_seconds(600);
const OF_BROWSER: u32 = 10;
const OF_SOURCE: u32 = 50;
const OF_PERSON: u32 = 10;

/// The device authorizations of all tenants.
#[derive(Clone)]
pub struct DeviceAuthorizations(Arc<Parts>);

struct Parts {
    store: Arc<dyn DeviceCodeStore>,
    digests: KeyedDigest,
    user_digests: KeyedDigest,
    browsers: LeakyBuckets,
    sources: LeakyBuckets,
    people: LeakyBuckets,
    polls: Polls,
}

/// The result of a typed code.
#[derive(Debug)]
pub enum TypedCode {
    /// A device waits for a decision.
    Found(Box<DeviceCode>),
    /// No device has it, or it has expired, or a person has decided before.
    Unknown,
    /// Too many wrong codes were typed in this browser, or at this address.
    TooMany,
}

/// The answer to a device's poll.
pub(crate) enum Polled {
    /// It polls too often, and nothing was read.
    TooEarly,
    /// The code, or nothing if the code is unknown.
    Code(Option<Box<DeviceCode>>),
}

impl DeviceAuthorizations {
    /// Creates the service. Codes are never cached: the store alone knows which use is the first.
    #[must_use]
    pub fn new(store: Arc<dyn DeviceCodeStore>, pepper: &Pepper) -> Self {
        Self(Arc::new(Parts {
            store,
            digests: KeyedDigest::for_purpose(pepper.expose(), "latchkey device code 1"),
            user_digests: KeyedDigest::for_purpose(pepper.expose(), "latchkey user code 1"),
            browsers: LeakyBuckets::new(OF_BROWSER, SPAN),
            sources: LeakyBuckets::new(OF_SOURCE, SPAN),
            people: LeakyBuckets::new(OF_PERSON, SPAN),
            polls: Polls::default(),
        }))
    }

    /// Begins an authorization for a device at this address. Returns `None` if its client has too many there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin(
        &self,
        client: &Client,
        granted: Granted,
        source: &ClientAddress,
        verification_uri: String,
        now: Timestamp,
    ) -> Stored<Option<DeviceAuthorizationResponse>> {
        let tenant = &client.tenant;
        let new = NewCode::generate(&self.0.digests, tenant, DEVICE_CODE_LIFETIME, now);
        let user_code = draw_user_code();
        let code = DeviceCode {
            tenant: tenant.clone(),
            slot: new.key.slot,
            digest: new.key.digest,
            user_digest: user_digest(&self.0.user_digests, tenant, &user_code),
            client: client.id.clone(),
            granted,
            requested_from: source.to_string(),
            created_at: now,
            valid_until: new.valid_until,
            expires_at: new.expires_at,
            decided_at: None,
            account: None,
            redeemed_at: None,
        };
        let is_written = self.0.store.write_device_code(tenant, &code, MOST_WAITING).await?;
        Ok(is_written.then(|| DeviceAuthorizationResponse {
            device_code: new.text,
            user_code: user_code.to_string(),
            verification_uri,
            expires_in: DEVICE_CODE_LIFETIME.seconds(),
            interval: POLL_INTERVAL.seconds(),
        }))
    }

    /// Finds the device by the code that a person has typed in this browser. A text that is no code costs no
    /// read, and counts as a wrong code. The wrong codes of strangers at an address do not stop a person who
    /// has signed in with this browser before.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(
        &self,
        tenant: &TenantId,
        typed: &str,
        (browser, source): (&str, &ClientAddress),
        history: &BrowserHistory,
        now: Timestamp,
    ) -> Stored<TypedCode> {
        let shared = match history.accounts.first() {
            // The account is counted, because one person can use any number of browsers.
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
        // A row of another tenant, which only a broken store returns, is dropped.
        let found = found.map(|found| found.filter(|found| found.tenant == *tenant));
        if !matches!(found, Ok(None)) {
            shared.forgive();
            of_browser.forgive();
        }
        Ok(found?.map_or(TypedCode::Unknown, |found| TypedCode::Found(Box::new(found))))
    }

    /// Writes the person's decision: the account that allows it, or a refusal. Returns whether it counts,
    /// which demands that it is the first one and in time.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn decide(
        &self,
        code: &DeviceCode,
        allowed_by: Option<&SignedIn>,
        now: Timestamp,
    ) -> Stored<bool> {
        let granted = allowed_by.map(|signed_in| (signed_in.account(), code.granted.clone().by(signed_in)));
        let allowed = granted.as_ref().map(|(account, granted)| (*account, granted));
        self.0.store.decide_on_device(&code.tenant, &code.key(), allowed, now).await
    }

    /// Answers a poll.
    pub(crate) async fn poll(
        &self,
        tenant: &TenantId,
        device_code: &Secret,
        now: Timestamp,
    ) -> Stored<Polled> {
        let Some(key) = CodeKey::new(&self.0.digests, tenant, device_code.expose()) else {
            return Ok(Polled::Code(None));
        };
        if self.0.polls.is_too_early(tenant, &key.digest, now) {
            return Ok(Polled::TooEarly);
        }
        let found = self.0.store.find_device_code(tenant, &key).await?;
        if let Some(found) = &found {
            self.0.polls.note(tenant, found.digest, found.valid_until, now);
        }
        Ok(Polled::Code(found.map(Box::new)))
    }

    /// The identifier of the grant of a code. Only a party that has the code, or a token for it, can know it.
    pub(crate) fn grant_of(&self, tenant: &TenantId, code: &Secret) -> GrantId {
        GrantId::of_code(&self.0.digests, tenant, code)
    }

    /// Uses a code up that was allowed, and begins its family.
    pub(crate) async fn redeem(
        &self,
        code: &DeviceCode,
        by: (&ClientId, Option<&NewFamily>),
        now: Timestamp,
    ) -> Stored<Option<DeviceCode>> {
        let redeemed = self.0.store.redeem_device_code(&code.tenant, &code.key(), by, now).await?;
        self.0.polls.forget(&code.tenant, &code.digest);
        Ok(redeemed)
    }
}
