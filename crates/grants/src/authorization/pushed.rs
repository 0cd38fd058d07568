//! Pushed authorization requests (RFC 9126). The server stores the parameters until it issues a
//! code for the request.

use protocol::{AuthorizationRequest, ClientAuthenticationMethod, Form};
use registry::{Client, ClientId};
use secrets::CallerAddress;
use tenancy::{StoreError, TenantId};
use values::{Lifetime, Timestamp};

use crate::{Allowed, OneTime, OneTimeContent};

/// The browser has to open the request within this time.
const OPENED_WITHIN: Lifetime = Lifetime::from_seconds(60);
/// How long an open page can use the request. The row is kept for this time in addition.
const PAGE_OPEN: Lifetime = Lifetime::from_seconds(3_600);
/// Bytes.
const LONGEST: usize = 16 * 1_024;
/// The maximum number of requests of one client that no browser has opened yet.
const MOST_WAITING: u32 = 2_000;
/// The maximum for one address and one public client. Anyone can push requests in the name of a
/// public client.
const MOST_WAITING_OF_SOURCE: u32 = 20;
/// The maximum for one IPv6 site, because one caller often owns all addresses of a site.
const MOST_WAITING_OF_SITE: u32 = 200;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedRequest {
    /// The parameters of the authorization endpoint, encoded as a form. Cleared when the request is
    /// used.
    pub parameters: String,
    /// The sender's address, as [`ClientAddress::key`]. `None` in rows of an older program.
    pub pushed_from: Option<String>,
    /// `None` until a browser opens the request.
    pub opened_at: Option<Timestamp>,
}

/// Which kind of access looks a pushed request up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushedUse {
    /// The browser opens the request URI.
    Opened,
    /// The person submits a form of a page that was opened in time.
    Continued,
}

#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// Longer than 16 KiB.
    #[error("The request is longer than 16384 bytes")]
    TooLong,
    /// Too many requests of this client wait for a browser.
    #[error("The client has too many pushed requests that no browser has used yet")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// `LIFETIME` limits when a browser can open the request. An open page can use the request until
/// the row expires.
impl OneTimeContent for PushedRequest {
    const PURPOSE: &'static str = "latchkey pushed request 1";
    const LIFETIME: Lifetime = OPENED_WITHIN;
    const KEPT: Lifetime = Lifetime::from_seconds(OPENED_WITHIN.seconds() + PAGE_OPEN.seconds());

    type Limit = MostWaiting;
    /// Notes that a browser opened the request. Rows without the note are deleted soon after
    /// `LIFETIME`.
    type Note = ();
    type Proof = ();

    fn is_proven_by(&self, (): &()) -> bool {
        true
    }

    fn allowed(&self) -> Option<Allowed<'_>> {
        None
    }
}

impl PushedRequest {
    pub(crate) fn new(parameters: &str, source: &CallerAddress) -> Result<Self, PushError> {
        if parameters.len() > LONGEST {
            return Err(PushError::TooLong);
        }
        // Drops parameters that the authorization endpoint does not read.
        let sent = Form::parse(parameters.as_bytes()).map_err(|_| PushError::TooLong)?;
        let parameters = sent.only(&AuthorizationRequest::PARAMETERS);
        Ok(Self { parameters, pushed_from: Some(source.key()), opened_at: None })
    }

    /// Seconds until the browser must have opened the request.
    #[must_use]
    pub const fn expires_in() -> u64 {
        OPENED_WITHIN.seconds()
    }
}

impl OneTime<PushedRequest> {
    /// Whether the request belongs to this client and can be used in this way now.
    pub(crate) fn serves(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        used: PushedUse,
        now: Timestamp,
    ) -> bool {
        let until = match used {
            PushedUse::Opened => self.valid_until,
            PushedUse::Continued => self.expires_at,
        };
        self.tenant == *tenant && self.client == *client && self.used_at.is_none() && now < until
    }
}

/// Limits of the requests that no browser has opened yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MostWaiting {
    pub of_client: u32,
    /// Per client and address.
    pub of_source: u32,
    /// Per client and IPv6 site.
    pub of_site: u32,
}

impl MostWaiting {
    pub(crate) fn from_client(client: &Client) -> Self {
        let (of_source, of_site) = match client.authentication_method {
            ClientAuthenticationMethod::None => (MOST_WAITING_OF_SOURCE, MOST_WAITING_OF_SITE),
            _ => (MOST_WAITING, MOST_WAITING),
        };
        Self { of_client: MOST_WAITING, of_source, of_site }
    }
}

#[cfg(test)]
mod tests {
    use secrets::Pepper;
    use zeroize::Zeroizing;

    use super::*;
    use crate::one_time::OneTimeTexts;
    use crate::test_fixtures::web_client;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    #[test]
    fn pushed_request_expires_after_a_minute_unless_opened() {
        use PushedUse::{Continued, Opened};
        let (web, globex) = (web_client("web"), TenantId::parse("globex").unwrap());
        let texts = OneTimeTexts::new(&Pepper::from_bytes(Zeroizing::new([1; 32])));
        let content = PushedRequest::new("a=b", &CallerAddress::new(None)).unwrap();
        let (_, pushed) = texts.generate(&web.tenant, &web.id, content, NOW);
        let serves =
            |used, after| pushed.serves(&web.tenant, &web.id, used, NOW + Lifetime::from_seconds(after));
        for (used, after, expected) in
            [(Opened, 59, true), (Opened, 60, false), (Continued, 3_659, true), (Continued, 3_660, false)]
        {
            assert_eq!(serves(used, after), expected, "{used:?} {after}");
        }
        assert!(!pushed.serves(&globex, &web.id, Opened, NOW));
        assert!(!pushed.serves(&web.tenant, &web_client("other").id, Opened, NOW));
        let used = OneTime { used_at: Some(NOW), ..pushed.clone() };
        assert!(!used.serves(&web.tenant, &web.id, Opened, NOW));
    }

    #[test]
    fn too_long_request_is_refused() {
        let new = |length| {
            let sent = format!("state=s&a={}", "a".repeat(length - 10));
            PushedRequest::new(&sent, &CallerAddress::new(None))
        };
        assert_eq!(new(LONGEST).unwrap().parameters, "state=s", "an unknown parameter is not kept");
        assert!(matches!(new(LONGEST + 1), Err(PushError::TooLong)));
    }
}
