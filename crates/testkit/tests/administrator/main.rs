//! The administrator over the in-memory store: it commits each decision atomically and once, and publishes the invalidations.

#![expect(clippy::unwrap_used, reason = "a helper that fails here has failed the test")]

mod applications;
mod audit;
mod clients;
mod contention;
mod first_admin;
mod idempotency;
mod isolation;
mod keys;
mod keys_in_time;
mod secrets;
mod tenants;
mod test_env;
