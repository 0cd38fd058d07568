//! A sign-in in progress. Nothing is stored: the page contains the sealed request, bound to its tenant and
//! browser. So each tab can finish its own sign-in, and requests of strangers do not use storage.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use keys::Aead;
use secrets::{KeyedDigest, Pepper};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::SessionId;

/// How long a page may be open before the form is sent.
const LIFETIME: Lifetime = Lifetime::from_seconds(86_400);
/// The maximum difference between the clocks of replicas.
const SKEW: Lifetime = Lifetime::from_seconds(60);
/// The version of the sealed form, which is authenticated.
const HEAD: [u8; 1] = [2];
/// The maximum length of the sealed text in characters.
const LONGEST: usize = 16 * 1_024;

/// The state that a page passes to the next request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// The parameters of the authorization request as the client sent them.
    pub parameters: String,
    /// When the request arrived.
    pub started: Timestamp,
    pub step: FlowStep,
    /// Whether the page has asked the person to allow cookies.
    pub asks_for_cookies: bool,
}

/// What a page asks the person to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowStep {
    SignIn,
    /// Continue with the account of a session, or choose another account.
    SelectAccount {
        session: SessionId,
        /// The identifier that the person has typed so far. May be empty.
        typed: String,
    },
    /// Consent to the client's request.
    Consent {
        session: SessionId,
        /// The client's name as the page showed it.
        client_name: String,
    },
    SignOut(SessionId),
    /// Connect a device. The flow's parameters are the code of the device, except on the first page.
    Device(DeviceStep),
    /// A page of the person's own account.
    Account(PersonRequest),
    /// Reset a forgotten password. The flow's parameters are those of the request to continue, if there is
    /// one.
    Recovery(RecoveryStep),
}

/// What a page asks a person who has forgotten the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryStep {
    /// Type an identifier.
    Ask,
    /// Type the code that was mailed, if the identifier has an account.
    Code {
        identifier: String,
        /// The random value that binds the code to this page.
        page: String,
    },
}

/// What an account page asks the person to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonRequest {
    /// Sign in before the page is shown.
    SignIn,
    /// End a session or a consent, or change the password, in this session.
    Manage(SessionId),
    /// Set another password, in this session.
    Password(SessionId),
    /// Set a password with a link.
    Link,
    /// Type another email address, in this session.
    Email(SessionId),
    /// Type the code that was mailed to this address, in this session.
    Address {
        session: SessionId,
        address: String,
        /// The random value that binds the code to this page.
        page: String,
    },
    /// Confirm an address with a link.
    AddressLink,
    /// Restore an address with a link.
    UndoLink,
}

/// What a page asks the person who connects a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceStep {
    /// Type the code.
    Code,
    /// Sign in before the decision.
    SignIn,
    /// Decide, in this session.
    Confirm(SessionId),
}

/// Why a form is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// The form is not of this server, tenant or browser.
    #[error("the form was not created for this browser and tenant")]
    Foreign,
    /// The page was open for longer than a day. The caller can start its request again.
    #[error("the form is older than a day")]
    Expired(Box<Flow>),
    /// The form is of this server and tenant, but the browser did not send the cookie that the form is bound
    /// to. The caller can start its request again.
    #[error("the browser sent no cookie")]
    NoCookies(Box<Flow>),
}

pub struct Flows {
    aead: Aead,
    digests: KeyedDigest,
}

/// The sealed content: a flow, and a digest of the browser's cookie value.
#[derive(Serialize, Deserialize)]
struct Bound {
    browser: [u8; 32],
    flow: Flow,
}

impl Flows {
    /// Derives the key from the pepper, so that all replicas can open the same flows.
    #[must_use]
    pub fn new(pepper: &Pepper) -> Self {
        let digests = KeyedDigest::for_purpose(pepper.expose(), "latchkey flow 1");
        Self { aead: Aead::new(&digests.of([b"key".as_slice()])), digests }
    }

    /// The text of a hidden form field, for the browser with this cookie value. `None` if the parameters are
    /// too long for a form.
    #[must_use]
    pub fn seal(&self, tenant: &TenantId, browser: &str, flow: &Flow) -> Option<String> {
        let bound = Bound { browser: self.digest(browser), flow: flow.clone() };
        let plaintext = serde_json::to_vec(&bound).ok()?;
        let sealed = self.aead.seal(&HEAD, &context(tenant), &plaintext).ok()?;
        Some(BASE64URL.encode(sealed)).filter(|text| text.len() <= LONGEST)
    }

    /// Opens the content of a form. `browser` is the cookie value, or `None` if the browser sent no cookie.
    ///
    /// # Errors
    /// [`FlowError`].
    pub fn open(
        &self,
        tenant: &TenantId,
        browser: Option<&str>,
        text: &str,
        now: Timestamp,
    ) -> Result<Flow, FlowError> {
        if text.len() > LONGEST {
            return Err(FlowError::Foreign);
        }
        let sealed = BASE64URL.decode(text).map_err(|_| FlowError::Foreign)?;
        let rest = sealed.strip_prefix(&HEAD).ok_or(FlowError::Foreign)?;
        let opened = self.aead.open(&HEAD, &context(tenant), rest).map_err(|_| FlowError::Foreign)?;
        let Bound { browser: own, flow } = serde_json::from_slice(&opened).map_err(|_| FlowError::Foreign)?;
        let Some(browser) = browser else { return Err(FlowError::NoCookies(Box::new(flow))) };
        if !bool::from(self.digest(browser).ct_eq(&own)) {
            return Err(FlowError::Foreign);
        }
        let is_fresh = flow.started <= now + SKEW && now < flow.started + LIFETIME;
        if is_fresh { Ok(flow) } else { Err(FlowError::Expired(Box::new(flow))) }
    }

    fn digest(&self, browser: &str) -> [u8; 32] {
        self.digests.of([b"browser".as_slice(), browser.as_bytes()])
    }
}

fn context(tenant: &TenantId) -> Vec<u8> {
    [b"flow2".as_slice(), tenant.as_str().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

    fn flow() -> Flow {
        let parameters = "client_id=web&state=ä".to_owned();
        Flow { parameters, started: NOW, step: FlowStep::SignIn, asks_for_cookies: false }
    }

    #[test]
    fn flow_is_bound_to_its_browser_and_tenant() {
        let pepper = Pepper::generate();
        let (one, replica) = (Flows::new(&pepper), Flows::new(&pepper));
        let [acme, globex] = ["acme", "globex"].map(|id| TenantId::parse(id).unwrap());
        let text = one.seal(&acme, "browser", &flow()).unwrap();
        assert!(!text.contains("client_id"));
        assert_eq!(replica.open(&acme, Some("browser"), &text, NOW), Ok(flow()));
        for (tenant, browser) in [(&globex, "browser"), (&acme, "another"), (&acme, "")] {
            assert_eq!(replica.open(tenant, Some(browser), &text, NOW), Err(FlowError::Foreign));
        }
        assert_eq!(
            Flows::new(&Pepper::generate()).open(&acme, Some("browser"), &text, NOW),
            Err(FlowError::Foreign)
        );
        let expired = || Err(FlowError::Expired(Box::new(flow())));
        for (seconds, expected) in [(86_399, Ok(flow())), (86_400, expired())] {
            let at = NOW + Lifetime::from_seconds(seconds);
            assert_eq!(one.open(&acme, Some("browser"), &text, at), expected);
        }
        let before = NOW.saturating_sub(Lifetime::from_seconds(61));
        assert_eq!(one.open(&acme, Some("browser"), &text, before), expired());
    }

    #[test]
    fn flow_without_cookies_restarts_at_its_tenant() {
        let pepper = Pepper::generate();
        let flows = Flows::new(&pepper);
        let [acme, globex] = ["acme", "globex"].map(|id| TenantId::parse(id).unwrap());
        let text = flows.seal(&acme, "browser", &flow()).unwrap();
        let late = NOW + Lifetime::from_seconds(86_400);
        for at in [NOW, late] {
            assert_eq!(flows.open(&acme, None, &text, at), Err(FlowError::NoCookies(Box::new(flow()))));
            assert_eq!(flows.open(&globex, None, &text, at), Err(FlowError::Foreign));
            assert_eq!(Flows::new(&Pepper::generate()).open(&acme, None, &text, at), Err(FlowError::Foreign));
        }
    }

    // [attacks #9]
    #[test]
    fn altered_flow_is_refused() {
        let flows = Flows::new(&Pepper::generate());
        let acme = TenantId::parse("acme").unwrap();
        let text = flows.seal(&acme, "browser", &flow()).unwrap();
        for at in 0..text.len() {
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            let altered = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            for browser in [Some("browser"), None] {
                assert_eq!(flows.open(&acme, browser, &altered, NOW), Err(FlowError::Foreign), "{at}");
            }
        }
        for bad in ["", "AQ", &text[..20], &"A".repeat(20_000)] {
            assert_eq!(flows.open(&acme, Some("browser"), bad, NOW), Err(FlowError::Foreign));
        }
        let long = Flow { parameters: "a".repeat(13_000), ..flow() };
        assert_eq!(flows.seal(&acme, "browser", &long), None);
    }
}
