//! The way of every change to a tenant's keys: load them, decide, make the key that is needed, commit on the revision that was decided
//! upon, tell the caches. Where somebody else was faster, all of it again, but for the key.

use keys::KeyRecords;
use protocol::Timestamp;
use tenancy::TenantId;

use super::Administrator;
use super::carry_out::{ATTEMPTS, pause};
use super::key_material::{KeyMaterial, KeyOrigin};
use crate::edit::{Context, Edit, KeyDecision, KeyEdit};
use crate::{Authority, EditError, KeySighting, KeyState};

/// What is decided upon.
pub(super) struct KeyFacts {
    pub(super) state: KeyState,
    /// Who fetches the keys, where the policy asks for it.
    pub(super) sightings: Vec<KeySighting>,
}

impl Administrator {
    /// Decides and writes, as often as it takes; says what was decided in the end, and the keys as they are then.
    pub(super) async fn change_keys(
        &self,
        (by, tenant, now): (&Authority, &TenantId, Timestamp),
        mut material: Option<KeyMaterial>,
        mut decide: impl FnMut(Context<'_>, &KeyFacts) -> Result<KeyDecision, EditError> + Send,
    ) -> Result<(KeyDecision, KeyRecords), EditError> {
        let mut attempt = 0;
        while attempt < ATTEMPTS {
            pause(attempt).await;
            let turn = self.turns.take(tenant).await;
            let facts = self.load_keys(tenant).await?;
            let decision = decide(self.context(by, now), &facts)?;
            if decision.is_settled(&facts.state) {
                return Ok((decision, facts.state.records));
            }
            let mut made = None;
            if let Some(announced) = decision.plan.announce {
                let made_as = KeyOrigin::Made(announced.spec());
                let origin = if decision.imports { KeyOrigin::Brought } else { made_as };
                match material.as_mut().filter(|material| material.origin() == origin) {
                    Some(material) => made = Some(self.seal_key(tenant, announced, material).await?),
                    None => {
                        // It may take long, and others have their turn meanwhile.
                        drop(turn);
                        material = Some(self.make_key(announced.spec()).await?);
                        attempt += 1;
                        continue;
                    }
                }
            }
            let KeyEdit { changes, keys, records } = decision.edit(&facts.state, made, now);
            let edit = Edit { changes, keys, ..Edit::default() };
            let rests_on = vec![(tenant.clone(), facts.state.revision)];
            if self.write(by, rests_on, edit, None, now).await? {
                return Ok((decision, records));
            }
            attempt += 1;
        }
        Err(EditError::Contended)
    }

    /// A tenant that is not deleted, with its keys.
    pub(super) async fn load_keys(&self, tenant: &TenantId) -> Result<KeyFacts, EditError> {
        let state = self.store.load_keys(tenant).await?;
        let state = state.filter(|state| state.standing.deleted_at.is_none());
        let state = state.ok_or(EditError::NotFound("tenant"))?;
        let sightings = match state.tenant.signing.hold_activation {
            Some(_) => self.store.key_sightings(tenant).await?,
            None => Vec::new(),
        };
        Ok(KeyFacts { state, sightings })
    }
}
