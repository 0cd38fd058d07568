//! The domain, as the routes see it.

use std::sync::Arc;

use administration::{Administrator, Clock};
use grants::Engine;
use keys::{KeyRings, KeySightings};
use registry::{Authenticator, Users};
use tenancy::TenantResolver;

use crate::{Vitals, WriteBudget};

/// What the routes call.
#[derive(Clone)]
pub struct Services {
    /// Which tenant is this request for?
    pub tenants: TenantResolver,
    /// Which client is calling?
    pub authenticator: Arc<Authenticator>,
    /// May it have this token?
    pub engine: Engine,
    /// A tenant's public keys.
    pub keys: Arc<KeyRings>,
    /// Who has fetched them.
    pub sightings: Arc<KeySightings>,
    /// May this be changed, and what becomes of it?
    pub administrator: Arc<Administrator>,
    /// How many writes may its administrators still ask for?
    pub writes: Arc<WriteBudget>,
    /// Which person is signing in?
    pub users: Arc<Users>,
    /// What time is it? Rules take `now` as an argument; this is where the gateway gets it, once a request.
    pub clock: Clock,
    /// How are the parts doing that no route calls?
    pub vitals: Arc<dyn Vitals>,
}
