//! The caches before a store in memory that counts its calls, fails and holds answers back.

mod freshness;
mod house;
mod invalidation;
mod outage;
mod single_flight;
