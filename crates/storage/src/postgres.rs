//! The code that only PostgreSQL needs: one database that several replicas share.
//!
//! Two barriers are between tenants. A tenant's row has the tenant's id in its primary key, and every query
//! of such rows names the tenant. And the roles of queries see no row of a tenant that was not entered (row
//! level security).

mod change_feed;
mod hosts;
mod inspection;
mod options;
mod pooler;
mod pools;
mod schema;
mod url;

pub(crate) use change_feed::PostgresChangeFeed;
pub(crate) use hosts::Primary;
pub use inspection::{Inspection, inspect};
pub use options::PostgresOptions;
pub(crate) use options::Role;
pub(crate) use pools::PostgresPools;
pub(crate) use pools::schema_of;
pub use pools::{Urls, migrate, open, open_read_only};
pub use schema::MIGRATOR;
pub(crate) use schema::connect;
pub use url::{UrlFault, check_url};
pub(crate) use url::{parse, place};
