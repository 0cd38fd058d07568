//! Clients. Their administration needs `latchkey:clients`, of the platform or of the tenant.

use std::collections::BTreeSet;

use async_trait::async_trait;
use protocol::CanonicalResource;
use registry::{Client, ClientId};
use serde_json::{Value, json};
use tenancy::TenantId;

use super::cursor::{Cursor, Paging};
use super::idempotency::IdempotencyScope;
use super::load::{Scope, TenantAlone, UnreadableRow};
use super::resource::{Patch, Resource, TakeStep};
use super::{Administrator, Caller, Created, EditPolicy};
use crate::edit::{self, ClientStep, EditContext, Edited, Facts, SecretMaterial};
use crate::{
    AdministrationStore, AuditCursor, AuditQuery, ClientQuery, ClientState, ClientView, CreatedClient,
    CreatedSecret, EditError, LiveCredentials, NewClient, Page, Permission, RelatedClients, RowLifecycle,
    SecretView, TenantState, ViewContext,
};

/// The records that are read at a time to find the makers of credentials.
const MAKER_RECORDS: u32 = 500;

impl Administrator {
    /// Registers a client.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn create_client(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        new: NewClient,
    ) -> Edited<Created<CreatedClient>> {
        caller.authority.require_in(tenant, Permission::Clients)?;
        let row = self.prepare_client(tenant, &new, "").await?;
        let (settings, client) = (json!(new.settings), (tenant, &row.id));
        let idempotency = IdempotencyScope::new(caller, tenant, "create client");
        let decide = |context: EditContext<'_>| edit::client::create(context, &row);
        let context = self.view_context(caller);
        let answer = |after: &TenantState| created(context, after, &row.id, row.secret.as_ref());
        self.edit::<Client, _>(caller, client, &settings, idempotency, decide, answer).await
    }

    /// A page of a tenant's clients.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn clients(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        search: Option<&str>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<ClientView>, EditError> {
        caller.authority.require_in(tenant, Permission::Clients)?;
        let page = Paging::new(cursor, limit)?;
        let search = search.filter(|search| !search.is_empty()).map(str::to_owned);
        let query = ClientQuery { search, after: page.after.clone(), limit: page.rows() };
        let facts = self.load(tenant, &TenantAlone).await?;
        let offer = self.view_context(caller).offer(&facts.tenant()?.tenant);
        let rows = self.store.list_clients(tenant, &query).await?;
        Ok(page.readable(
            rows,
            |row| row.client.id.clone(),
            |row| ClientView::judged(&offer, &row, caller.now),
        ))
    }

    /// The refusal with the makers of the credentials, as far as the audit knows them.
    pub(super) async fn with_makers(
        &self,
        tenant: &TenantId,
        mut found: Box<LiveCredentials>,
    ) -> Edited<EditError> {
        for action in ["secret.added", "client."] {
            let mut before = None;
            loop {
                let (tenant, subject) = (Some(tenant.clone()), Some(found.client.to_string()));
                let (action, limit) = (Some(action.to_owned()), MAKER_RECORDS);
                let query = AuditQuery { tenant, action, subject, before, limit, ..AuditQuery::default() };
                let records = self.store.list_audit(&query).await?;
                let is_open = records.iter().fold(true, |_, (_, record)| found.note(record));
                before = records.last().map(|(position, record)| AuditCursor::new(*position, record));
                if !is_open || (records.len() as u64) < u64::from(MAKER_RECORDS) {
                    break;
                }
            }
        }
        Ok(EditError::LiveCredentials(found))
    }

    /// A client's rows, for an administrator of the tenant's clients.
    pub(super) async fn client_state(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Edited<ClientState> {
        Client::authorize(&caller.authority, tenant)?;
        let facts = self.load(tenant, &*Client::scope(&self.policy, tenant, client, None)).await?;
        Ok(facts.client(client)?.1.clone())
    }
}

/// The tenant, with its clients that are about these names, as [`RelatedClients`].
struct ClientNames {
    ids: Vec<String>,
    listed: Vec<String>,
    /// Whether the rules of other clients are compared with those of the document.
    compares_rules: bool,
}

/// The clients whose rules are compared with those of a changed one. `latchkey check --rows` compares all.
const COMPARED: u32 = 1_000;

#[async_trait]
impl Scope for ClientNames {
    async fn load(&self, store: &dyn AdministrationStore, tenant: &TenantId) -> Edited<Facts> {
        let [ids, listed] = [&self.ids, &self.listed].map(|names| {
            let spellings = names.iter().flat_map(|name| CanonicalResource::new(name).spellings());
            names.iter().cloned().chain(spellings).collect::<BTreeSet<_>>()
        });
        let [ids, listed] = [&ids, &listed].map(|names| Vec::from_iter(names.iter().map(String::as_str)));
        let related = RelatedClients { ids: &ids, listed: &listed };
        let mut state = store.load_with_related_clients(tenant, related).await?;
        if let Some(state) = state.as_mut().filter(|_| self.compares_rules) {
            state.trust_rules = store.list_trust_rules(tenant, COMPARED).await?;
        }
        Ok(Facts { state, ..Facts::default() })
    }
}

impl Cursor for ClientId {
    fn text(&self) -> String {
        self.to_string()
    }

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

impl Resource for Client {
    const PERMISSION: Permission = Permission::Clients;
    const PATCH: Patch<ClientId> = edit::client::patch;
    const STEP: TakeStep<ClientId, ClientStep> = edit::client::step;
    type Id = ClientId;
    type View = ClientView;
    type Step = ClientStep;

    fn scope(_: &EditPolicy, _: &TenantId, client: &ClientId, edit: Option<&Value>) -> Box<dyn Scope> {
        let own = || client.to_string();
        let mut ids = edit.map(edit::client::client_names).unwrap_or_default();
        ids.push(own());
        let has_rules = |edit: &Value| edit["federated"].as_array().is_some_and(|rules| !rules.is_empty());
        let compares_rules = edit.is_some_and(has_rules);
        Box::new(ClientNames { ids, listed: edit.map(|_| own()).into_iter().collect(), compares_rules })
    }

    fn unreadable(client: &ClientId, step: ClientStep) -> Option<UnreadableRow> {
        (step == ClientStep::Delete).then(|| UnreadableRow::Client(client.clone()))
    }

    fn lifecycle<'a>(state: &'a TenantState, client: &ClientId) -> Option<&'a RowLifecycle> {
        Some(&state.client(client).ok()?.lifecycle)
    }

    fn view(context: ViewContext<'_>, state: &TenantState, client: &ClientId) -> Edited<ClientView> {
        Ok(ClientView::changed(context, state, state.client(client)?))
    }
}

/// A client with the secret that it was created with.
pub(super) fn created(
    context: ViewContext<'_>,
    state: &TenantState,
    client: &ClientId,
    secret: Option<&SecretMaterial>,
) -> Edited<CreatedClient> {
    let row = state.client(client)?;
    let shown = row.secrets.first().zip(secret).map(|(made, secret)| CreatedSecret {
        client_secret: secret.value.expose().to_owned(),
        secret: SecretView::new(made, &row.secrets, &[], context.now),
    });
    Ok(CreatedClient { client: ClientView::changed(context, state, row), secret: shown })
}
