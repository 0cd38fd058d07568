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
pub use inspection::{DatabaseCheck, inspect};
pub use options::PostgresOptions;
pub(crate) use options::{Role, place};
pub(crate) use pools::schema_of;
pub(crate) use pools::{PostgresPools, Primary};
pub use pools::{Urls, migrate, open, open_read_only};
pub use schema::MIGRATOR;
pub(crate) use schema::connect;
pub(crate) use url::parse;
pub use url::{UrlFault, check_url};
