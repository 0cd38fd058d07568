//! Tenants. Their administration needs `latchkey:tenants` of the platform.

use serde_json::{Value, json};
use tenancy::{Tenant, TenantId};
use values::Timestamp;

use super::clients::created;
use super::cursor::{Cursor, Paging};
use super::load::Needs;
use super::resource::Resource;
use super::{Administrator, Caller, Created, InTenant};
use crate::documents::TenantView;
use crate::edit::{EditContext, Edited, TenantStep};
use crate::kinds::state::RowLifecycle;
use crate::kinds::{Permission, TenantState};
use crate::store::Listed;
use crate::store::query::{TenantCursor, TenantQuery, search_terms};
use crate::{documents, edit};

/// The most tenants that one call deletes. The next call deletes more.
const DELETIONS: u32 = 100;

/// The most secrets that one transaction deletes, so that no commit waits long for it.
const PRUNED_AT_ONCE: u32 = 1_000;

impl Administrator {
    /// Creates a tenant, and its first client if the document has one.
    pub async fn create_tenant(
        &self,
        caller: &Caller,
        new: documents::NewTenant,
    ) -> Edited<Created<documents::CreatedTenant>> {
        caller.authority.require_everywhere(Permission::Tenants)?;
        let documents::NewTenant { id, client, settings } = new;
        let id = edit::tenant::new_tenant_id(&id)?;
        let first = match &client {
            Some(client) => Some(self.prepare_client(&id, client, "/client").await?),
            None => None,
        };
        let document = json!(settings);
        let (within, platform) = (self.of(caller, &id), TenantId::platform());
        let idempotency = self.of(caller, &platform).idempotency("create tenant");
        let decide =
            |context: edit::EditContext<'_>| edit::tenant::create(context, &settings, first.as_ref());
        let context = within.view_context();
        let answer = |after: &TenantState| {
            let client = first
                .as_ref()
                .map(|new| created(context, after, &new.id, new.secret.as_ref()))
                .transpose()?;
            Ok(documents::CreatedTenant { tenant: TenantView::new(after, &self.policy), client })
        };
        within.edit::<Tenant, _>(&(), &document, idempotency, decide, answer).await
    }

    /// A page of tenants. `cursor` is the `next_cursor` of the page before.
    pub async fn tenants(
        &self,
        caller: &Caller,
        search: Option<&str>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Edited<documents::Page<TenantView>> {
        caller.authority.require_everywhere(Permission::Tenants)?;
        let page = Paging::new(cursor, limit)?;
        let terms = search.map(search_terms).unwrap_or_default();
        let query = TenantQuery { terms, after: page.after.clone(), limit: page.rows() };
        let rows = self.store.list_tenants(&query).await?;
        let listed = |row: (TenantCursor, TenantState)| match row.1.tenant.is_unreadable {
            true => Listed::Unreadable(row),
            false => Listed::Read(row),
        };
        let rows = rows.into_iter().map(listed).collect();
        Ok(page.readable(
            rows,
            |(place, _)| place.clone(),
            |(_, state)| TenantView::new(&state, &self.policy),
        ))
    }

    /// Deletes all tenants whose grace period is over. Returns how many.
    pub async fn delete_due_tenants(&self, now: Timestamp) -> Edited<usize> {
        let (caller, mut deleted) = (Caller::itself(now), 0);
        for tenant in self.store.find_due_deletions(now, DELETIONS).await? {
            let mut due = false;
            let decide = |context: edit::EditContext<'_>| {
                // An administrator may just have cancelled the deletion.
                due = context.facts.state.as_ref().is_some_and(|state| edit::tenant::is_due(state, now));
                if due { edit::tenant::step(context, TenantStep::Delete) } else { Ok(edit::Edit::default()) }
            };
            self.of(&caller, &tenant).commit_with_retry(Needs::whole(), None, decide, |_| Ok(())).await?;
            deleted += usize::from(due);
        }
        Ok(deleted)
    }

    /// Deletes client secrets of all tenants that expired or were revoked long ago. Returns how many.
    pub async fn prune_ended_secrets(&self, now: Timestamp) -> Edited<u64> {
        let mut pruned = 0;
        loop {
            let now_pruned = self.store.prune_ended_secrets(now, PRUNED_AT_ONCE).await?;
            pruned += now_pruned;
            if now_pruned < u64::from(PRUNED_AT_ONCE) {
                return Ok(pruned);
            }
        }
    }
}

/// A line feed separates word and tenant. A word of a search contains no control characters.
impl Cursor for TenantCursor {
    fn text(&self) -> String {
        format!("{}\n{}", self.word, self.tenant)
    }

    fn name(&self) -> String {
        self.tenant.to_string()
    }

    fn parse(text: &str) -> Option<Self> {
        let (word, tenant) = text.split_once('\n')?;
        let fits = !word.contains(char::is_control);
        fits.then_some(Self { word: word.to_owned(), tenant: TenantId::parse(tenant).ok()? })
    }
}

impl Resource for Tenant {
    const PERMISSION: Permission = Permission::Tenants;
    /// `InTenant` names the tenant already.
    type Id = ();
    type View = TenantView;
    type Step = TenantStep;
    const PATCH: fn(EditContext<'_>, &(), &Value) -> Edited =
        |context, (), patch| edit::tenant::patch(context, patch);
    const TAKE_STEP: fn(EditContext<'_>, &(), TenantStep) -> Edited =
        |context, (), step| edit::tenant::step(context, step);

    fn authorize(within: &InTenant<'_>) -> Edited<()> {
        within.caller.authority.require_everywhere(Permission::Tenants)
    }

    fn needs(within: &InTenant<'_>, (): &(), edit: Option<&Value>) -> Needs {
        match edit {
            None => Needs::default(),
            Some(Value::Null) => Needs::whole(),
            Some(patch) => Needs {
                issuers: edit::tenant::patched_issuers(within.tenant, within.public_url(), patch),
                above: edit::tenant::patched_path(within.tenant, within.public_url(), patch),
                ..Needs::whole()
            },
        }
    }

    fn lifecycle<'a>(state: &'a TenantState, (): &()) -> Option<&'a RowLifecycle> {
        Some(&state.lifecycle)
    }

    fn view(context: documents::ViewContext<'_>, state: &TenantState, (): &()) -> Edited<TenantView> {
        Ok(TenantView::new(state, context.policy))
    }
}
