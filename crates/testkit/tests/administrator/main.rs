//! Tests the administrator with a store: it commits each decision atomically and once, and publishes the
//! invalidations.

#![expect(clippy::unwrap_used, reason = "a helper that fails here has failed the test")]

mod applications;
mod clients;
mod contention;
mod keys;
mod keys_in_time;
mod mailed_codes;
mod secret_rotations;
mod test_env;
