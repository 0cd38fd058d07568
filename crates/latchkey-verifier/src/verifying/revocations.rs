//! When the revocation feed of an issuer is fetched, and which tokens are accepted without it.

use std::sync::Arc;
use std::time::Duration;

use crate::algorithm::Algorithms;
use crate::verifying::cached::{CachedValue, Unavailable};
use crate::verifying::feed::{self, Feed};
use crate::verifying::issuer::{FeedSource, IssuerState, Revocations, VerifierState, Waits};
use crate::verifying::observer::Document;
use crate::verifying::schedule::UseDuration;

/// The freshness without `max-age`.
const DEFAULT_FRESH: Duration = Duration::from_secs(10);
const LEAST_FRESH: Duration = Duration::from_secs(1);
/// Revocations are never taken back, so an old feed is better than none.
const USED_WHEN_PREFERRED: Duration = Duration::from_secs(24 * 60 * 60);

impl IssuerState {
    /// The feed to check a token with. None if tokens are accepted without one.
    pub(crate) async fn feed(
        self: &Arc<Self>,
        environment: &Arc<VerifierState>,
        waits: Waits,
    ) -> Result<Option<Arc<CachedValue<Feed>>>, Unavailable> {
        let is_required = match environment.revocations {
            Revocations::Off => return Ok(None),
            Revocations::Preferred => false,
            Revocations::Within(_) => true,
        };
        if !is_required && !self.may_have_feed() {
            return Ok(None);
        }
        let fetch = || Arc::clone(self).fetch_feed(Arc::clone(environment));
        // If no feed is required, no request waits for one that could not be fetched.
        let waits = if is_required || !self.feed.is_failing() { waits } else { Waits::Never };
        let held = match waits {
            Waits::Yes => self.feed.get(&environment.clock, fetch).await,
            Waits::Never => self.feed.get_now(&environment.clock, fetch),
        };
        if is_required { held.map(Some) } else { Ok(held.ok()) }
    }

    fn may_have_feed(&self) -> bool {
        match &self.feed_source {
            FeedSource::At(_) => true,
            FeedSource::None => false,
            FeedSource::Metadata => {
                self.metadata.load().as_ref().is_none_or(|held| held.0.revocations_uri.is_some())
            }
        }
    }

    async fn fetch_feed(self: Arc<Self>, environment: Arc<VerifierState>) -> Option<CachedValue<Feed>> {
        environment.observed(&self.name, Document::Revocations, self.fetch_signed_feed(&environment)).await
    }

    async fn fetch_signed_feed(
        self: &Arc<Self>,
        environment: &Arc<VerifierState>,
    ) -> Option<CachedValue<Feed>> {
        let at = environment.clock.now();
        let url = match &self.feed_source {
            FeedSource::At(url) => url.clone(),
            FeedSource::None => return None,
            FeedSource::Metadata => self.metadata(environment).await?.0.revocations_uri.clone()?,
        };
        let held = self.feed.held();
        let etag = held.as_ref().and_then(|held| held.etag.as_deref());
        let http = environment.http.as_ref()?;
        let answer = http.get(&url, "application/jwt", etag, feed::LARGEST).await;
        let answer = answer.map_err(|error| self.failed("revocation feed", &error)).ok()?;
        let now = environment.clock.now().unix.as_secs();
        let value = match (answer.body, held) {
            (Some(jws), held) => {
                let kid = Feed::kid(&jws);
                let keys = self.keys_with(kid.as_deref(), environment, Waits::Yes).await.ok()?;
                let feed = Feed::read(jws.trim_ascii_end(), &self.name, &keys.value, Algorithms::ALL, now);
                let feed = feed.map_err(|error| self.failed("revocation feed", &error)).ok()?;
                // An intermediate cache may still return an older one.
                if held.is_some_and(|held| held.value.iat > feed.iat) {
                    self.failed("revocation feed", &"it is older than the one before");
                    return None;
                }
                Arc::new(feed)
            }
            (None, Some(held)) if held.value.exp > now => Arc::clone(&held.value),
            (None, _) => return None,
        };
        let fresh = answer.cache.max_age.unwrap_or(DEFAULT_FRESH).max(LEAST_FRESH);
        let valid = Duration::from_secs(value.exp.saturating_sub(now));
        let (usable, stale) = match environment.revocations {
            Revocations::Within(age) => (age.min(valid), Duration::ZERO),
            _ => (valid, USED_WHEN_PREFERRED),
        };
        let fresh = fresh.min(usable);
        let freshness = UseDuration { at, fresh, revalidate: usable.saturating_sub(fresh), stale };
        Some(CachedValue { value, freshness, etag: answer.etag })
    }
}
