//! Receives invalidations of other replicas and subscribes again after a connection failure. Messages that
//! are sent in between are lost, so a row is fresh for at most ten seconds in any case.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use administration::kinds::Invalidation;
use futures_util::StreamExt as _;
use redis::aio::PubSub;
use redis::{RedisError, RedisResult, Value};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::RedisCache;
use super::message::Message;
use super::probe::EMPTY_MESSAGE;
use super::trouble::is_answer;

/// The time limit for a subscription or a ping.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a silent connection is checked with a ping.
const PING_EVERY: Duration = Duration::from_secs(1);

/// Runs until `on_invalidation` returns `false` (no cache is in use), or until the Redis cache is dropped.
pub(crate) async fn listen(
    redis: Weak<RedisCache>,
    on_invalidation: impl Fn(&[Invalidation]) -> bool + Send,
) {
    loop {
        let Some(strong) = redis.upgrade() else { return };
        let subscription =
            timeout(PATIENCE, strong.connection.connector.subscribe(&strong.names.channel())).await;
        if let Ok(subscription) = &subscription {
            strong.heard(subscription.as_ref().err());
        }
        let pause = strong.connection.connector.timing.probe_every;
        drop(strong);
        if let Ok(Ok(messages)) = subscription
            && !follow(&redis, messages, &on_invalidation).await
        {
            return;
        }
        sleep(pause).await;
    }
}

impl RedisCache {
    /// Logs a refusal by Redis once. An unreachable Redis is not logged here but as an outage.
    fn heard(&self, error: Option<&RedisError>) {
        let refusal = error.filter(|error| is_answer(error.kind()));
        if error.is_some() && refusal.is_none() {
            return;
        }
        match (self.is_deaf.swap(refusal.is_some(), Ordering::Relaxed), refusal) {
            (false, Some(error)) => tracing::warn!(
                %error, channel = self.names.channel(),
                "Redis refuses the subscription: changes of other replicas count after cache.l1_lifetime; give the account the channel"
            ),
            (true, None) => tracing::info!("Redis accepts the subscription again"),
            (true, Some(_)) | (false, None) => {}
        }
    }
}

/// Returns `false` if no cache is in use any more.
async fn follow(
    redis: &Weak<RedisCache>,
    messages: PubSub,
    on_invalidation: &(impl Fn(&[Invalidation]) -> bool + Send),
) -> bool {
    let (mut sink, mut messages) = messages.split();
    let mut pings = interval(PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = messages.next() => {
                let Some(message) = message else { return true };
                let Some(redis) = redis.upgrade() else { return false };
                if !on_message(&redis, message.get_payload_bytes(), on_invalidation) {
                    return false;
                }
            }
            _ = pings.tick() => {
                if redis.strong_count() == 0 || !on_invalidation(&[]) {
                    return false;
                }
                let answer: Result<RedisResult<Value>, _> = timeout(PATIENCE, sink.ping()).await;
                if !matches!(answer, Ok(Ok(_))) {
                    return true;
                }
            }
        }
    }
}

fn on_message(
    redis: &Arc<RedisCache>,
    payload: &[u8],
    on_invalidation: &impl Fn(&[Invalidation]) -> bool,
) -> bool {
    if payload == EMPTY_MESSAGE {
        return true;
    }
    let counters = &redis.connection.counters;
    match Message::open(&redis.sealer, &redis.names.channel(), payload) {
        // This replica has already applied its own changes.
        Some(message) if message.sender == redis.sender => true,
        Some(message) => {
            counters.received.count();
            on_invalidation(&message.changes)
        }
        None => {
            counters.rejected_messages.count();
            true
        }
    }
}
