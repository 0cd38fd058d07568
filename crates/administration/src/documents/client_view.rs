//! Clients as interfaces show them.

use registry::TrustRules;
use serde::{Deserialize, Serialize};
use tenancy::Tenant;
use values::{Timestamp, skip_serializing_none};

use super::schema::{self, JsonSchema};
use super::{ClientSettings, CreatedSecret, FieldErrorView, Instant};
use crate::administrator::EditPolicy;
use crate::kinds;
use crate::kinds::TenantState;
use crate::rules::{Offer, check_patterns, overlaps_of};

/// What the view of a row depends on in addition to the row.
#[derive(Clone, Copy)]
pub struct ViewContext<'a> {
    pub(crate) policy: &'a EditPolicy,
    pub(crate) now: Timestamp,
}

impl<'a> ViewContext<'a> {
    /// The audiences and scopes that a tenant offers its clients.
    pub(crate) fn offer(self, tenant: &'a Tenant) -> Offer<'a> {
        Offer::of_tenant(tenant, &self.policy.urls)
    }
}

/// A client with its current state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientView {
    /// Its id.
    pub client_id: String,
    /// Whether it can authenticate. A `retired` client was declared in a file and no longer is.
    #[schemars(example = &"active", extend("enum" = ["active", "suspended", "retired"]))]
    pub status: String,
    /// Whether the operator's files or requests to this API manage it.
    #[schemars(example = &"api", extend("enum" = schema::MANAGED_BY))]
    pub managed_by: String,
    /// When it was created.
    pub created_at: Instant,
    /// When its row last changed.
    pub updated_at: Instant,
    /// How many of its secrets are valid now.
    pub live_secrets: u32,
    /// The state of its rotation schedule. Absent without `rotate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<RotationProgressView>,
    /// Settings that have no effect, or not the intended effect. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<FieldErrorView>,
    /// All else.
    #[serde(flatten)]
    pub settings: ClientSettings,
}

/// The state of a rotation schedule.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RotationProgressView {
    /// When Latchkey checks the schedule next. If it has not checked the schedule yet, it does so within
    /// seconds.
    pub due_at: Option<Instant>,
    /// When the last rotation failed, if none has succeeded since.
    pub failed_at: Option<Instant>,
    /// Why it failed.
    pub failure: Option<String>,
}

/// A new client with its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreatedClient {
    /// The client.
    #[serde(flatten)]
    pub client: ClientView,
    /// Its first secret. Only this response contains a generated value. Absent for a method without a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<CreatedSecret>,
}

impl ClientView {
    #[must_use]
    pub fn new(state: &kinds::client::State, now: Timestamp) -> Self {
        let kinds::client::State { client, lifecycle, secrets, rotation } = state;
        let live = secrets.iter().filter(|row| row.secret.is_live(now)).count();
        Self {
            client_id: client.id.to_string(),
            status: lifecycle.status().to_owned(),
            managed_by: lifecycle.managed_by.as_str().to_owned(),
            created_at: lifecycle.created_at.into(),
            updated_at: lifecycle.updated_at.into(),
            live_secrets: u32::try_from(live).unwrap_or(u32::MAX),
            rotation: client.rotation.as_ref().map(|_| RotationProgressView {
                due_at: rotation.due_at.map(Instant::from),
                failed_at: rotation.failed_at.map(Instant::from),
                failure: rotation.failure.clone(),
            }),
            warnings: Vec::new(),
            settings: ClientSettings::from(client),
        }
    }

    /// The view of a client's rows, with the warnings of the rules.
    pub(crate) fn judged(offer: &Offer<'_>, state: &kinds::client::State, now: Timestamp) -> Self {
        let view = Self::new(state, now);
        let mut warnings = offer.client_effects(&view.client_id, &view.settings);
        warnings.extend(check_patterns(&TrustRules::default(), &state.client.federated));
        Self { warnings: warnings.into_iter().map(FieldErrorView::from).collect(), ..view }
    }

    /// The same view after a change. It also has warnings about rules of other clients, which the change has
    /// loaded.
    pub(crate) fn changed(context: ViewContext<'_>, state: &TenantState, row: &kinds::client::State) -> Self {
        let mut view = Self::judged(&context.offer(&state.tenant), row, context.now);
        let own = (&row.client.id, &row.client.federated);
        let overlaps = overlaps_of(&state.tenant, own, &state.trust_rules);
        view.warnings.extend(overlaps.into_iter().map(FieldErrorView::from));
        view
    }
}
