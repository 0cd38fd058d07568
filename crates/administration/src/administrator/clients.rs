//! Clients. Their administration needs `latchkey:clients`, of the platform or of the tenant.

use std::collections::BTreeSet;

use protocol::CanonicalResource;
use registry::{Client, ClientId};
use serde_json::{Value, json};

use super::cursor::{Cursor, Paging};
use super::load::{Needs, UnreadableRow};
use super::resource::{Patch, Resource, TakeStep};
use super::{Created, InTenant};
use crate::edit::{self, ClientStep, EditContext, Edited, SecretMaterial};
use crate::{
    AuditCursor, AuditQuery, ClientQuery, ClientState, ClientView, CreatedClient, CreatedSecret, EditError,
    LiveCredentials, NewClient, Page, Permission, RowLifecycle, SecretView, TenantState, ViewContext,
};

/// How many records are read at a time to find who created the credentials.
const MAKER_RECORDS: u32 = 500;

impl InTenant<'_> {
    pub async fn create_client(&self, new: NewClient) -> Edited<Created<CreatedClient>> {
        self.require(Permission::Clients)?;
        let row = self.prepare_client(self.tenant, &new, "").await?;
        let settings = json!(new.settings);
        let idempotency = self.idempotency("create client");
        let decide = |context: EditContext<'_>| edit::client::create(context, &row);
        let context = self.view_context();
        let answer = |after: &TenantState| created(context, after, &row.id, row.secret.as_ref());
        self.edit::<Client, _>(&row.id, &settings, idempotency, decide, answer).await
    }

    pub async fn clients(
        &self,
        search: Option<&str>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<ClientView>, EditError> {
        let Self { caller, tenant, .. } = *self;
        self.require(Permission::Clients)?;
        let page = Paging::new(cursor, limit)?;
        let search = search.filter(|search| !search.is_empty()).map(str::to_owned);
        let query = ClientQuery { search, after: page.after.clone(), limit: page.rows() };
        let facts = self.load(tenant, &Needs::default()).await?;
        let offer = self.view_context().offer(&facts.tenant()?.tenant);
        let rows = self.store.list_clients(tenant, &query).await?;
        Ok(page.readable(
            rows,
            |row| row.client.id.clone(),
            |row| ClientView::judged(&offer, &row, caller.now),
        ))
    }

    /// Adds who created each credential to the refusal, if the audit has a record.
    pub(super) async fn with_makers(&self, mut found: Box<LiveCredentials>) -> Edited<EditError> {
        for action in ["secret.added", "client."] {
            let mut before = None;
            loop {
                let (tenant, subject) = (Some(self.tenant.clone()), Some(found.client.to_string()));
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
    pub(super) async fn client_state(&self, client: &ClientId) -> Edited<ClientState> {
        Client::authorize(self)?;
        let facts = self.load(self.tenant, &Client::needs(self, client, None)).await?;
        Ok(facts.client(client)?.1.clone())
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

    fn needs(_: &InTenant<'_>, client: &ClientId, edit: Option<&Value>) -> Needs {
        let own = Needs::client(client).clients;
        let names = edit.map(edit::client::client_names).unwrap_or_default();
        let listed = edit.map(|_| spelled(own.clone())).unwrap_or_default();
        let clients = spelled([names, own].concat());
        let has_rules = |edit: &Value| edit["federated"].as_array().is_some_and(|rules| !rules.is_empty());
        let compares_rules = edit.is_some_and(has_rules);
        Needs { clients, listed, compares_rules, ..Needs::default() }
    }

    fn unreadable(client: &ClientId, step: ClientStep) -> Option<Needs> {
        (step == ClientStep::Delete).then(|| UnreadableRow::Client(client.clone()).into())
    }

    fn lifecycle<'a>(state: &'a TenantState, client: &ClientId) -> Option<&'a RowLifecycle> {
        Some(&state.client(client).ok()?.lifecycle)
    }

    fn view(context: ViewContext<'_>, state: &TenantState, client: &ClientId) -> Edited<ClientView> {
        Ok(ClientView::changed(context, state, state.client(client)?))
    }
}

fn spelled(names: Vec<String>) -> Vec<String> {
    let spellings: Vec<_> = names.iter().flat_map(|name| CanonicalResource::new(name).spellings()).collect();
    names.into_iter().chain(spellings).collect::<BTreeSet<_>>().into_iter().collect()
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
