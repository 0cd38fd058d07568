//! Tests the caches with a store that counts its calls, fails and delays answers.

#![expect(clippy::unwrap_used, reason = "a helper that fails here has failed the test")]

mod accounts;
mod bad_stores;
mod followed;
mod freshness;
mod invalidation;
mod outage;
mod racing_readers;
mod single_flight;
mod test_env;
