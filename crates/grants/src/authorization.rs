//! May this client sign this person in? The rules of the authorization endpoint (RFC 6749 §4.1.1,
//! OpenID Connect Core §3.1.2) in the order in which they are applied, and the service that applies
//! them. In reading order:

mod address;
mod granted;
mod next;
mod requested;

mod code;
mod pushed;
mod store;

mod authorizations;
mod issuing;
mod pushing;

pub use address::{AddressError, check_address, check_client};
pub use authorizations::{AuthorizationStore, Authorizations};
pub(crate) use code::kept;
pub use code::{AuthorizationCode, CodeProof};
pub use granted::Granted;
pub use issuing::RequestedCode;
pub use next::{NamedAccount, Next, NextContext, next};
pub use pushed::{MostWaiting, PushError, PushedRequest, PushedUse};
pub(crate) use requested::check_permissions;
pub use requested::check_request;
pub use store::{CodeNotIssued, CodeWrite, Consent, ConsentedResources, RefreshFamilyStore};
