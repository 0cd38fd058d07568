//! The platform's rows in PostgreSQL: the store traits of the domain crates over one database that several replicas share.
//!
//! Two walls stand between tenants. A row that belongs to a tenant has the tenant's id in its primary key, and every query of such
//! rows names it; and the roles under which queries run see no row of a tenant that was not entered (row level security). In
//! reading order:

mod options;

mod database;
mod ended_secrets;
mod error;
mod schema;

mod read;
mod transaction;

mod client_store;
mod signing_key_row;
mod signing_key_store;
mod tenant_store;

mod applications;
mod audit_log;
mod generations;
mod idempotent_answers;
mod key_schedule;
mod sealed_items;
mod tenant_list;
mod tenant_rows;
mod usage_log;

mod commit;

mod change_feed;

pub use change_feed::ChangeFeed;
pub use database::PostgresDatabase;
pub use error::OpenError;
pub use options::PostgresOptions;
pub use schema::MIGRATOR;
