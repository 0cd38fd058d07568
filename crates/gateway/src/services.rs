//! The domain, as the routes see it.

use std::sync::Arc;

use accounts::SignIns;
use administration::{Administrator, Clock, LeakReports, RefusalBuffer, RequestRows, UsageCounts};
use grants::{Authorizations, DeviceAuthorizations, Engine};
use keys::{JwksFetches, KeyRingCache};
use registry::{Authenticator, ClientId, DpopProofs, Users};
use secrets::ClientAddress;
use sessions::{Flows, KnownBrowsers, Sessions};
use tenancy::{TenantId, TenantResolver};

use crate::{CertificateSources, HealthReport, ReportBudget, WriteBudget};

/// What the routes call.
#[derive(Clone)]
pub struct Services {
    /// Which tenant, which client, and may it have this token?
    pub tokens: TokenServices,
    /// Who is this person?
    pub sign_ins: Arc<SignIns>,
    /// What is known of a person, and which pictures does a tenant show?
    pub rows: RequestRows,
    /// Who is signed in, in which browser?
    pub sessions: Sessions,
    /// What does a page carry from one request to the next?
    pub flows: Arc<Flows>,
    /// Who has signed in with a browser before?
    pub known_browsers: Arc<KnownBrowsers>,
    /// May this client sign this person in?
    pub authorizations: Authorizations,
    /// May this device use this person's account?
    pub devices: DeviceAuthorizations,
    /// A tenant's public keys.
    pub keys: Arc<KeyRingCache>,
    /// What has happened, and how often?
    pub usage: Arc<UsageCounts>,
    /// Which credentials were found where they should not be?
    pub leaks: Arc<LeakReports>,
    /// How often may an address still report some?
    pub report_budget: Arc<ReportBudget>,
    /// What was refused, and why?
    pub refusals: Arc<RefusalBuffer>,
    /// Who has fetched them.
    pub jwks_fetches: Arc<JwksFetches<ClientAddress>>,
    /// May this be changed, and what becomes of it?
    pub administrator: Arc<Administrator>,
    /// How many writes may its administrators still ask for?
    pub writes: Arc<WriteBudget>,
    /// Which person is signing in?
    pub users: Arc<Users>,
    /// What time is it? Rules take `now` as an argument; this is where the gateway gets it, once a request.
    pub clock: Clock,
    /// Where do the operator's files declare this tenant, or this client of it?
    pub declared_at: DeclaredAt,
    /// How are the parts doing that no route calls?
    pub health_report: Arc<dyn HealthReport>,
}

/// Finds the file and line that declare a tenant or a client. It reads the file, so it runs on a thread that may wait.
pub type DeclaredAt = Arc<dyn Fn(&TenantId, Option<&ClientId>) -> Option<String> + Send + Sync>;

/// What the token endpoint decides with: an explanation of its answers uses the same.
#[derive(Clone)]
pub struct TokenServices {
    /// Which tenant is this request for?
    pub tenants: TenantResolver,
    /// Which client is calling?
    pub authenticator: Arc<Authenticator>,
    /// Which key does it prove to hold?
    pub dpop: Arc<DpopProofs>,
    /// May it have this token?
    pub engine: Engine,
    /// Which chains of certificates do the listeners accept?
    pub certificate_sources: CertificateSources,
}
