//! Pushed authorization requests (RFC 9126): the parameters of a request, stored until a code is issued for
//! them.

use protocol::{AuthorizationRequest, ClientAuthenticationMethod, Form};
use registry::{Client, ClientId};
use secrets::ClientAddress;
use tenancy::{StoreError, TenantId};
use values::{Lifetime, Timestamp};

use crate::{Allowed, OneTime, OneTimeContent};

/// Within which time the browser must come.
const OPENED_WITHIN: Lifetime = Lifetime::from_seconds(60);
/// How long an opened page may stay open, and so how much longer the row is kept.
const PAGE_OPEN: Lifetime = Lifetime::from_seconds(3_600);
/// The longest request.
const LONGEST: usize = 16 * 1_024;
/// How many requests of a client may wait for their browsers.
const MOST_WAITING: u32 = 2_000;
/// The waiting requests that one address may have pushed for a client that does not authenticate: anyone can
/// push in its name.
const MOST_WAITING_OF_SOURCE: u32 = 20;
/// The waiting requests that one IPv6 site may have pushed. One caller often has all addresses of a site.
const MOST_WAITING_OF_SITE: u32 = 200;

/// A pushed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedRequest {
    /// The parameters that the authorization endpoint reads, as the body of a form. Empty after the use.
    pub parameters: String,
    /// The address that pushed it, by [`ClientAddress::key`]. None if an earlier version of the program wrote
    /// the row.
    pub pushed_from: Option<String>,
    /// When its page was opened first.
    pub opened_at: Option<Timestamp>,
}

/// When a request is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushedUse {
    /// A browser comes from the client.
    Opened,
    /// A form comes from a page that was opened in time.
    Continued,
}

/// Reasons to refuse a request.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// It is longer than 16 KiB.
    #[error("The request is longer than 16384 bytes")]
    TooLong,
    /// The client has as many as a client may have.
    #[error("The client has too many pushed requests that wait for their browsers")]
    TooMany,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Valid means that the page can be opened. An open page uses the request until the row ends.
impl OneTimeContent for PushedRequest {
    const PURPOSE: &'static str = "latchkey pushed request 1";
    const LIFETIME: Lifetime = OPENED_WITHIN;
    const KEPT: Lifetime = Lifetime::from_seconds(OPENED_WITHIN.seconds() + PAGE_OPEN.seconds());

    type Limit = MostWaiting;
    /// Its page was opened. Rows without this note end soon after the time in which the page could be opened.
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
    /// A request that was sent from this address.
    pub(crate) fn new(parameters: &str, source: &ClientAddress) -> Result<Self, PushError> {
        if parameters.len() > LONGEST {
            return Err(PushError::TooLong);
        }
        // Unused parameters are not stored.
        let sent = Form::parse(parameters.as_bytes()).map_err(|_| PushError::TooLong)?;
        let parameters = sent.only(&AuthorizationRequest::PARAMETERS);
        Ok(Self { parameters, pushed_from: Some(source.key()), opened_at: None })
    }

    /// Seconds within which the browser must come.
    #[must_use]
    pub const fn expires_in() -> u64 {
        OPENED_WITHIN.seconds()
    }
}

impl OneTime<PushedRequest> {
    /// Whether it is this client's, and can be used like this now.
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

/// How many requests may wait for their browsers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MostWaiting {
    /// The waiting requests of one client.
    pub of_client: u32,
    /// The waiting requests of one address for one client.
    pub of_source: u32,
    /// The waiting requests of one IPv6 site for one client.
    pub of_site: u32,
}

impl MostWaiting {
    /// The limits of this client.
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
    fn a_request_is_its_clients_for_a_minute_and_an_open_page_lasts_longer() {
        use PushedUse::{Continued, Opened};
        let (web, globex) = (web_client("web"), TenantId::parse("globex").unwrap());
        let texts = OneTimeTexts::new(&Pepper::from_bytes(Zeroizing::new([1; 32])));
        let content = PushedRequest::new("a=b", &ClientAddress::new(None)).unwrap();
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
    fn a_request_has_a_greatest_length() {
        let new = |length| {
            let sent = format!("state=s&a={}", "a".repeat(length - 10));
            PushedRequest::new(&sent, &ClientAddress::new(None))
        };
        assert_eq!(new(LONGEST).unwrap().parameters, "state=s", "an unknown parameter is not kept");
        assert!(matches!(new(LONGEST + 1), Err(PushError::TooLong)));
    }
}
