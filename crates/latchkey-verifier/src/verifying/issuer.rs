//! One trusted issuer with its keys.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use url::Url;

use crate::key_set::{KeySet, LARGEST_SET};
use crate::verifying::cache_control::CacheControl;
use crate::verifying::cached::{Cached, CachedValue, Unavailable};
use crate::verifying::clock::{Clock, Moment};
use crate::verifying::feed::Feed;
use crate::verifying::http::FetchClient;
use crate::verifying::metadata::{self, Metadata};
use crate::verifying::observer::{Document, Fetched, Observer};
use crate::verifying::schedule::UseDuration;

/// The freshness without `max-age`.
const DEFAULT_FRESH: Duration = Duration::from_secs(5 * 60);
const LONGEST_FRESH: Duration = Duration::from_secs(60 * 60);
/// The time without `stale-while-revalidate`.
const DEFAULT_REVALIDATE: Duration = Duration::from_secs(60);
/// After so long metadata is fetched again, with the keys.
const METADATA_FRESH: Duration = Duration::from_secs(60 * 60);

/// The state that all issuers of a verifier share.
pub(crate) struct VerifierState {
    /// None if nothing is fetched.
    pub(crate) http: Option<FetchClient>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) times: KeyDurations,
    pub(crate) revocations: Revocations,
    pub(crate) observer: Arc<dyn Observer>,
}

/// How long keys are used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyDurations {
    /// The least time for which a key set is fresh.
    pub(crate) least_fresh: Duration,
    /// The least time between fetches for unknown keys.
    pub(crate) cool_down: Duration,
    /// How long a key set is used after it was fresh, while fetches fail.
    pub(crate) max_stale: Duration,
}

/// How a verifier handles revocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocations {
    /// Accepts tokens until they expire.
    Off,
    /// Polls the feed of each issuer that has one, and accepts tokens when it cannot be fetched.
    Preferred,
    /// Accepts no token unless the feed was fetched within this time; the answer is 503 then.
    Within(Duration),
}

/// The place of its keys.
#[derive(Debug)]
pub(crate) enum KeyOrigin {
    /// The place that its metadata names.
    Metadata(Url),
    Jwks(Url),
    /// They are not fetched.
    Fixed,
}

/// The place of an issuer's feed.
#[derive(Debug)]
pub(crate) enum FeedSource {
    /// The place that its metadata names, if any.
    Metadata,
    At(Url),
    /// It has none.
    None,
}

pub(crate) struct IssuerState {
    pub(crate) name: Box<str>,
    pub(crate) tenant: Option<Box<str>>,
    source: KeyOrigin,
    keys: Arc<Cached<KeySet>>,
    pub(crate) feed_source: FeedSource,
    pub(crate) feed: Arc<Cached<Feed>>,
    /// The metadata with the time of its request.
    pub(crate) metadata: ArcSwapOption<(Metadata, Moment)>,
}

/// Whether a caller waits for a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    Yes,
    Never,
}

impl VerifierState {
    /// Tells the observer of this fetch.
    pub(crate) async fn observed<T>(
        &self,
        issuer: &str,
        document: Document,
        fetch: impl Future<Output = Option<T>>,
    ) -> Option<T> {
        let begun = self.clock.now();
        let fetched = fetch.await;
        let (took, succeeded) = (self.clock.now().since(begun), fetched.is_some());
        self.observer.fetched(&Fetched { issuer, document, took, succeeded });
        fetched
    }
}

impl KeyDurations {
    /// How long an answer is used after its request. `drawn` is from 0 to 255, so that instances that began
    /// together do not fetch together.
    fn freshness(&self, at: Moment, cache: CacheControl, drawn: u8) -> UseDuration {
        let max_age = cache.max_age.unwrap_or(DEFAULT_FRESH).min(LONGEST_FRESH).max(self.least_fresh);
        let fresh = max_age - max_age / 10 * u32::from(drawn) / 255;
        let revalidate = cache.revalidate.unwrap_or(DEFAULT_REVALIDATE).min(LONGEST_FRESH);
        UseDuration { at, fresh, revalidate, stale: self.max_stale }
    }
}

impl IssuerState {
    pub(crate) fn new(
        name: &str,
        tenant: Option<&str>,
        source: KeyOrigin,
        keys: Arc<Cached<KeySet>>,
        feed_source: FeedSource,
    ) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            tenant: tenant.map(Into::into),
            source,
            keys,
            feed_source,
            feed: Cached::new(),
            metadata: ArcSwapOption::empty(),
        })
    }

    /// The keys to verify with. None is searched.
    pub(crate) async fn keys(
        self: &Arc<Self>,
        environment: &Arc<VerifierState>,
        waits: Waits,
    ) -> Result<Arc<CachedValue<KeySet>>, Unavailable> {
        let fetch = || Arc::clone(self).fetch_keys(Arc::clone(environment));
        match waits {
            Waits::Yes => self.keys.get(&environment.clock, fetch).await,
            Waits::Never => self.keys.get_now(&environment.clock, fetch),
        }
    }

    /// The keys with the one of this `kid`, if the issuer has it. For an unknown `kid`, one fetch runs within
    /// the cool-down, because any caller can send any `kid`.
    pub(crate) async fn keys_with(
        self: &Arc<Self>,
        kid: Option<&str>,
        environment: &Arc<VerifierState>,
        waits: Waits,
    ) -> Result<Arc<CachedValue<KeySet>>, Unavailable> {
        let held = self.keys(environment, waits).await?;
        let is_there = kid.is_none_or(|kid| held.value.key(kid).is_some());
        if is_there || matches!(self.source, KeyOrigin::Fixed) {
            return Ok(held);
        }
        let cool_down = environment.times.cool_down;
        let fetch = || Arc::clone(self).fetch_keys(Arc::clone(environment));
        let later = match waits {
            Waits::Yes => self.keys.later_than(&held, cool_down, &environment.clock, fetch).await?,
            Waits::Never => self.keys.later_than_now(cool_down, &environment.clock, fetch)?,
        };
        Ok(later.unwrap_or(held))
    }

    /// Whether anything of it is fetched.
    pub(crate) const fn fetches(&self) -> bool {
        !matches!(self.source, KeyOrigin::Fixed) || matches!(self.feed_source, FeedSource::At(_))
    }

    /// Whether there are keys that may be used.
    pub(crate) fn is_ready(&self, now: Moment) -> bool {
        self.keys.held().is_some_and(|held| held.freshness.is_usable(now))
    }

    async fn fetch_keys(self: Arc<Self>, environment: Arc<VerifierState>) -> Option<CachedValue<KeySet>> {
        environment.observed(&self.name, Document::KeySet, self.fetch_key_set(&environment)).await
    }

    async fn fetch_key_set(&self, environment: &VerifierState) -> Option<CachedValue<KeySet>> {
        let at = environment.clock.now();
        let url = self.jwks_uri(environment).await?;
        let held = self.keys.held();
        let etag = held.as_ref().and_then(|held| held.etag.as_deref());
        let answer = environment.http.as_ref()?.get(
            &url,
            "application/jwk-set+json, application/json",
            etag,
            LARGEST_SET,
        );
        let answer = answer.await.map_err(|error| self.failed("key set", &error)).ok()?;
        let value = match answer.body {
            None => Arc::clone(&held?.value),
            Some(json) => {
                let set = KeySet::read(&json).map_err(|error| self.failed("key set", &error)).ok()?;
                for (number, why) in set.left_out() {
                    tracing::warn!(issuer = %self.name, number, %why, "a key of the issuer cannot be used");
                }
                if set.is_empty() {
                    self.failed("key set", &"no key of it can be used");
                    return None;
                }
                Arc::new(set)
            }
        };
        tracing::debug!(issuer = %self.name, keys = value.kids().count(), "fetched the key set");
        let freshness = environment.times.freshness(at, answer.cache, drawn());
        Some(CachedValue { value, freshness, etag: answer.etag })
    }

    async fn jwks_uri(&self, environment: &VerifierState) -> Option<Url> {
        match &self.source {
            KeyOrigin::Jwks(url) => Some(url.clone()),
            KeyOrigin::Fixed => None,
            KeyOrigin::Metadata(_) => Some(self.metadata(environment).await?.0.jwks_uri.clone()),
        }
    }

    pub(crate) async fn metadata(&self, environment: &VerifierState) -> Option<Arc<(Metadata, Moment)>> {
        let KeyOrigin::Metadata(issuer) = &self.source else { return None };
        let now = environment.clock.now();
        let held = self.metadata.load_full();
        if held.as_ref().is_some_and(|held| now.since(held.1) < METADATA_FRESH) {
            return held;
        }
        let fetching = self.fetch_metadata(issuer, environment);
        let fetched = environment.observed(&self.name, Document::Metadata, fetching).await;
        let fetched = fetched.map(|found| Arc::new((found, now)));
        if fetched.is_some() {
            self.metadata.store(fetched.clone());
        }
        fetched.or(held)
    }

    async fn fetch_metadata(&self, issuer: &Url, environment: &VerifierState) -> Option<Metadata> {
        for place in Metadata::places(issuer) {
            let answer =
                environment.http.as_ref()?.get(&place, "application/json", None, metadata::LARGEST).await;
            let json = match answer {
                Ok(answer) => answer.body.unwrap_or_default(),
                Err(error) => {
                    self.failed("metadata", &error);
                    continue;
                }
            };
            match Metadata::read(&json, &self.name) {
                Ok(metadata) => return Some(metadata),
                Err(error) => self.failed("metadata", &error),
            }
        }
        None
    }

    pub(crate) fn failed(&self, what: &str, error: &dyn std::fmt::Display) {
        tracing::warn!(issuer = %self.name, %error, "the {what} of the issuer cannot be fetched");
    }
}

/// A random number. No secret depends on it.
fn drawn() -> u8 {
    let mut byte = [0];
    let _ = aws_lc_rs::rand::fill(&mut byte);
    byte[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_freshness_follows_max_age_within_bounds() {
        let at = Moment { monotonic: Duration::ZERO, unix: Duration::ZERO };
        let seconds = Duration::from_secs;
        let times =
            KeyDurations { least_fresh: seconds(30), cool_down: seconds(10), max_stale: seconds(3_600) };
        for (max_age, drawn, fresh) in [
            (None, 0, 300),
            (Some(0), 0, 30),
            (Some(100), 0, 100),
            (Some(100), 255, 90),
            (Some(1_000_000), 0, 3_600),
            (Some(u64::MAX), 255, 3_240),
        ] {
            let cache = CacheControl { max_age: max_age.map(seconds), revalidate: Some(seconds(7)) };
            let found = times.freshness(at, cache, drawn);
            assert_eq!((found.fresh, found.revalidate), (seconds(fresh), seconds(7)), "{max_age:?}");
        }
    }
}
