//! A sign-in in progress. Nothing of it is stored: the page contains the sealed request, bound to its tenant
//! and browser. So any tab can finish its own sign-in, and requests of strangers write nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use keys::Aead;
use secrets::{KeyedDigest, Pepper};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::SessionId;

/// How long a page may be open before it is sent.
const LIFETIME: Lifetime = Lifetime::from_seconds(86_400);
/// The difference between the clocks of replicas.
const SKEW: Lifetime = Lifetime::from_seconds(60);
/// The version of the form, which is authenticated with the rest.
const HEAD: [u8; 1] = [2];
/// The longest sealed text, in characters.
const LONGEST: usize = 16 * 1_024;

/// The state that a page passes from one request to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// The parameters of the authorization request, as they were sent.
    pub parameters: String,
    /// When the request came.
    pub started: Timestamp,
    /// The request of the page.
    pub step: FlowStep,
    /// Whether its page has asked the person to allow cookies.
    pub asks_for_cookies: bool,
}

/// The request of a page to the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowStep {
    /// To sign in.
    SignIn,
    /// To continue with the account of a session, or with another one.
    SelectAccount {
        /// The session.
        session: SessionId,
        /// The identifier that the person has typed. Empty if the person has typed nothing.
        typed: String,
    },
    /// To consent to the client's request.
    Consent {
        /// The session.
        session: SessionId,
        /// The name of the client on the page.
        client_name: String,
    },
    /// To sign out of this session.
    SignOut(SessionId),
    /// To connect a device. The parameters of all pages but the first are the code of the device.
    Device(DeviceStep),
    /// To end a session or consent of the account.
    Account(PersonRequest),
}

/// The request of an account page to the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonRequest {
    /// To sign in before it is shown.
    SignIn,
    /// To end a session or consent, or to change the password, in this session.
    Manage(SessionId),
    /// To set another password, in this session.
    Password(SessionId),
    /// To set a password by a link.
    Link,
}

/// The request of a page to the person who connects a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceStep {
    /// To type the code.
    Code,
    /// To sign in before the decision.
    SignIn,
    /// To decide, in this session.
    Confirm(SessionId),
}

/// Reasons to refuse a form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// It is none of this server, tenant and browser.
    #[error("the form was not made for this browser and tenant")]
    Foreign,
    /// The page was open for longer than a day. Its request can begin again.
    #[error("the form is older than a day")]
    Expired(Box<Flow>),
    /// The form belongs to this server and tenant, and the browser has not sent the cookie that it is bound
    /// to. Its request can begin again.
    #[error("the browser has sent no cookie")]
    NoCookies(Box<Flow>),
}

/// Seals and opens flows.
pub struct Flows {
    aead: Aead,
    digests: KeyedDigest,
}

/// The sealed content: a flow, and the digest of the browser's value.
#[derive(Serialize, Deserialize)]
struct Bound {
    browser: [u8; 32],
    flow: Flow,
}

impl Flows {
    /// Derives its key from the pepper, so all replicas open the same flows.
    #[must_use]
    pub fn new(pepper: &Pepper) -> Self {
        let digests = KeyedDigest::for_purpose(pepper.expose(), "latchkey flow 1");
        Self { aead: Aead::new(&digests.of([b"key".as_slice()])), digests }
    }

    /// The text of a hidden field, for the browser that has this value. `None` if the parameters are too long
    /// for a form.
    #[must_use]
    pub fn seal(&self, tenant: &TenantId, browser: &str, flow: &Flow) -> Option<String> {
        let bound = Bound { browser: self.digest(browser), flow: flow.clone() };
        let plaintext = serde_json::to_vec(&bound).ok()?;
        let sealed = self.aead.seal(&HEAD, &context(tenant), &plaintext).ok()?;
        Some(BASE64URL.encode(sealed)).filter(|text| text.len() <= LONGEST)
    }

    /// Opens the content that was sealed for this tenant and browser. A request without the browser's cookie
    /// has no value.
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
    fn a_flow_goes_on_in_its_browser_and_tenant_at_any_replica_for_a_day() {
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
    fn a_flow_that_comes_without_a_cookie_begins_again_at_its_own_tenant() {
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
    fn an_altered_flow_is_foreign() {
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
