//! A plan, and what is drifted, as JSON documents for programs: changes in the words of the audit.

use serde::Serialize;
use serde_json::Value;

use crate::{Actor, AuditRecord, Change, Conflict, Deviation, Drift, Effect, Plan};

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanView {
    /// What changes, in the order in which it is shown.
    pub changes: Vec<ChangeView>,
    /// Who gains or loses which scope.
    pub effects: Vec<EffectView>,
    /// What leaves which tenant out.
    pub conflicts: Vec<ConflictView>,
}

/// Why a tenant is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConflictView {
    /// Which tenant.
    pub tenant: String,
    /// In words.
    pub detail: String,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeView {
    /// As in the audit, such as `client.changed`.
    pub action: String,
    /// Whose row.
    pub tenant: String,
    /// Which row.
    pub subject: String,
    /// `{"field": {"before": …, "after": …}}`.
    pub detail: Value,
}

/// What it means for a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EffectView {
    /// Whose client.
    pub tenant: String,
    /// Which.
    pub client: String,
    /// What it could not be granted until now.
    pub gains: Vec<String>,
    /// What it can no longer be granted.
    pub loses: Vec<String>,
}

/// How store and declaration differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DriftView {
    /// What applying would change.
    pub plan: PlanView,
    /// Changes that other interfaces made to declared rows, which applying leaves alone.
    pub left_alone: Vec<DeviationView>,
}

/// The change that another interface made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviationView {
    /// Whose row.
    pub tenant: String,
    /// Which row.
    pub subject: String,
    /// In words.
    pub detail: String,
}

impl From<&Plan> for PlanView {
    fn from(plan: &Plan) -> Self {
        Self {
            changes: plan.changes.iter().map(ChangeView::from).collect(),
            effects: plan.effects.iter().map(EffectView::from).collect(),
            conflicts: plan.conflicts.iter().map(ConflictView::from).collect(),
        }
    }
}

impl From<&Conflict> for ConflictView {
    fn from(conflict: &Conflict) -> Self {
        Self { tenant: conflict.tenant().to_string(), detail: conflict.to_string() }
    }
}

impl From<&Change> for ChangeView {
    fn from(change: &Change) -> Self {
        let no_actor = Actor { name: String::new(), source: None };
        let at = protocol::Timestamp::from_seconds(0);
        let AuditRecord { action, tenant, subject, detail, .. } = AuditRecord::of(change, &no_actor, at);
        Self { action, tenant: tenant.to_string(), subject, detail }
    }
}

impl From<&Effect> for EffectView {
    fn from(effect: &Effect) -> Self {
        let Effect { tenant, client, gains, loses } = effect;
        let words = |scope: &protocol::Scope| scope.iter().map(|token| token.as_str().to_owned()).collect();
        Self {
            tenant: tenant.to_string(),
            client: client.to_string(),
            gains: words(gains),
            loses: words(loses),
        }
    }
}

impl From<&Drift> for DriftView {
    fn from(drift: &Drift) -> Self {
        let view = |deviation: &Deviation| DeviationView {
            tenant: deviation.tenant.to_string(),
            subject: deviation.subject(),
            detail: deviation.kind.to_string(),
        };
        Self { plan: PlanView::from(&drift.plan), left_alone: drift.left_alone.iter().map(view).collect() }
    }
}
