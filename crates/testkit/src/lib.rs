//! Code that tests of the outer crates share: simple data, a store on SQLite that can fail or wait on demand,
//! and tests of the behaviour that every store must have. In reading order:

pub mod fixtures;
pub mod requests;

mod at_once;
mod calls;
mod fault_injection;
mod free_port;
mod leftovers;
mod pg_bouncer;
mod random;
mod servers;
mod store;

pub mod store_contract;

pub use at_once::at_once;
pub use calls::Calls;
pub use fault_injection::{Failure, Held};
pub use free_port::free_port;
pub use leftovers::{canary, leftovers};
pub use pg_bouncer::PgBouncer;
pub use random::Random;
pub use servers::{RedisServer, server_variable};
pub use store::{Link, Standby, TestStore};
