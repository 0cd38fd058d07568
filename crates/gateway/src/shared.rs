//! What all listeners share.

use std::sync::Arc;

use actix_web::web::Data;

use crate::connection::{ConnectionSlots, Refusals};
use crate::metrics::WorkerMetrics;
use crate::readiness::Readiness;
use crate::routes::KnownIssuers;
use crate::{CertificateSources, Options, Services};

/// What all listeners share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) services: Data<Services>,
    pub(crate) metrics: Data<WorkerMetrics>,
    pub(crate) readiness: Data<Readiness>,
    pub(crate) known_issuers: Data<KnownIssuers>,
    pub(crate) slots: Arc<ConnectionSlots>,
    pub(crate) refusals: Arc<Refusals>,
}

impl Shared {
    pub(crate) fn new(options: &Options, services: &Services) -> Self {
        let slots = Arc::new(ConnectionSlots::new(options.connections));
        let refusals = Arc::<Refusals>::default();
        let mut services = services.clone();
        services.tokens.certificate_sources = CertificateSources::served(&options.listeners);
        Self {
            services: Data::new(services),
            metrics: Data::new(WorkerMetrics::new(Arc::clone(&slots), Arc::clone(&refusals))),
            readiness: Data::new(Readiness::default()),
            known_issuers: Data::new(KnownIssuers::default()),
            slots,
            refusals,
        }
    }
}
