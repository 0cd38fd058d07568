//! The code for PostgreSQL, which several replicas can share.
//!
//! Two barriers separate tenants. The primary key of a tenant's row begins with the tenant's id, and every
//! query of such rows names the tenant. In addition, row level security hides rows of other tenants from the
//! roles of queries.

mod change_feed;
mod hosts;
mod inspection;
mod options;
mod pooler;
mod pools;
mod proofs;
mod schema;
mod url;

pub(crate) use change_feed::PostgresChangeFeed;
pub use inspection::{DatabaseCheck, inspect};
pub use options::PostgresOptions;
pub(crate) use options::{Role, place};
pub(crate) use pools::schema_of;
pub(crate) use pools::{PostgresPools, Primary};
pub use pools::{Urls, migrate, open, open_read_only};
pub use proofs::{Missing, Proven, prove};
pub use schema::MIGRATOR;
pub(crate) use schema::connect;
pub(crate) use url::parse;
pub use url::{UrlFault, check_url};
