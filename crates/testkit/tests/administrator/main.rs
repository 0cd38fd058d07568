//! The one door behind all doors over the store in memory: what its rules decide is written whole, once, and told.

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
