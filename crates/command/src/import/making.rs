//! Creates the rows of a planned import through the API, whose rules decide. Refused rows are reported by
//! name.

use std::fmt::Write as _;

use administration::documents;
use administration::documents::ImportResult;
use anyhow::Context as _;
use serde::Serialize;
use tenancy::TenantId;

use super::clients::PlannedRegistration;
use super::plan::ImportPlan;
use crate::account_import::next_call;
use crate::admin_client::{AdminApi, AdminApiError, ApiProblem, ApiRequest};
use crate::paths::{accounts_path, client_path, clients_path};
use crate::tenant;
use values::printable;

/// The rows that were created, and the rows that the server refused.
#[derive(Default, Serialize)]
pub(super) struct CreatedRows {
    tenant: bool,
    clients: Vec<String>,
    people: usize,
    /// Clients and people that already existed.
    existing: usize,
    refused: Vec<RefusedRow>,
    new_secrets: Vec<MadeCredential>,
}

#[derive(Serialize)]
struct RefusedRow {
    what: String,
    why: String,
}

/// A secret is only shown once.
#[derive(Serialize)]
struct MadeCredential {
    client_id: String,
    client_secret: String,
}

/// Whether the API has a document at this path, of a tenant or a client.
pub(super) async fn exists(admin: &AdminApi, path: String) -> anyhow::Result<bool> {
    admin.exists(path).await.or_else(|error| match error.downcast_ref() {
        Some(AdminApiError::NoStore(_)) => Ok(false),
        _ => Err(error),
    })
}

/// The error for a tenant that exists and was not created by this import.
pub(super) fn taken(tenant: &TenantId) -> AdminApiError {
    let detail = format!(
        "tenant {tenant} already exists, so nothing was changed. Import into another tenant with --tenant ID, or continue an \
             import that stopped with --resume"
    );
    AdminApiError::Refused(ApiProblem { status: 409, detail, ..ApiProblem::default() })
}

impl CreatedRows {
    /// Whether the server refused nothing.
    pub(super) fn is_whole(&self) -> bool {
        self.refused.is_empty()
    }

    /// Creates the tenant with its resource servers, unless it exists.
    pub(super) async fn of_tenant(admin: &AdminApi, plan: &ImportPlan, exists: bool) -> anyhow::Result<Self> {
        if !exists {
            let request = ApiRequest::post(tenant::TENANTS.to_owned(), &plan.settings);
            admin.send::<documents::CreatedTenant>(request).await?;
        }
        Ok(Self { tenant: !exists, ..Self::default() })
    }

    /// Creates the clients and the people.
    pub(super) async fn add_rest(
        &mut self,
        admin: &AdminApi,
        plan: &ImportPlan,
        exists: bool,
    ) -> anyhow::Result<()> {
        for PlannedRegistration { id, document, .. } in &plan.clients {
            if exists && self::exists(admin, client_path(&plan.tenant, id)).await? {
                self.existing += 1;
                continue;
            }
            let request = ApiRequest::post(clients_path(&plan.tenant), &**document);
            match admin.send::<documents::CreatedClient>(request).await {
                Ok(created) => {
                    let secret = created.secret.filter(|_| !document["client_secret"].is_string());
                    let secret = secret.map(|secret| secret.client_secret);
                    let new =
                        secret.map(|client_secret| MadeCredential { client_id: id.clone(), client_secret });
                    self.new_secrets.extend(new);
                    self.clients.push(id.clone());
                }
                Err(error) => self.refuse(id, error)?,
            }
        }
        self.import(admin, plan, exists).await
    }

    /// A refused client does not stop the import of the others.
    fn refuse(&mut self, client: &str, error: anyhow::Error) -> anyhow::Result<()> {
        match error.downcast_ref() {
            Some(AdminApiError::Refused(problem)) if matches!(problem.status, 400 | 409 | 413 | 422) => {
                self.refused.push(RefusedRow { what: format!("client {client}"), why: error.to_string() });
                Ok(())
            }
            _ => Err(error.context(format!("cannot create client {client}"))),
        }
    }

    async fn import(&mut self, admin: &AdminApi, plan: &ImportPlan, resumed: bool) -> anyhow::Result<()> {
        let (mut lines, mut names) = (plan.people.lines.as_slice(), plan.people.names.iter());
        while let Some((call, count)) = next_call(&mut lines).context("cannot read the people")? {
            let request = ApiRequest::lines(format!("{}/import", accounts_path(&plan.tenant)), call);
            let results = admin.send_lines::<documents::ImportedLine>(request).await;
            let results =
                results.with_context(|| format!("cannot import people after the first {}", self.people))?;
            for (result, name) in results.into_iter().zip(names.by_ref().take(count as usize)) {
                let why = match result.result {
                    ImportResult::Created => {
                        self.people += 1;
                        continue;
                    }
                    ImportResult::Exists if resumed => {
                        self.existing += 1;
                        continue;
                    }
                    ImportResult::Exists => {
                        "another person has the same user name or email address".to_owned()
                    }
                    ImportResult::Refused => {
                        let details = result.errors.iter().map(|error| error.detail.as_str());
                        details.collect::<Vec<_>>().join("; ")
                    }
                };
                self.refused.push(RefusedRow { what: format!("person {name}"), why });
            }
        }
        Ok(())
    }

    pub(super) fn lines(&self, tenant: &TenantId) -> String {
        let Self { tenant: is_new, clients, people, existing, refused, new_secrets } = self;
        let (clients, state) = (clients.len(), if *is_new { "created" } else { "unchanged" });
        let mut text = format!("Tenant {tenant} {state}. Created {clients} clients and {people} accounts.");
        let _ = match existing {
            0 => writeln!(text),
            existing => writeln!(text, " Already there: {existing}."),
        };
        for RefusedRow { what, why } in refused {
            let _ = writeln!(text, "refused: {}: {}", printable(what), printable(why));
        }
        if !new_secrets.is_empty() {
            text.push_str("\nNew secrets, shown only once:\n");
        }
        for MadeCredential { client_id, client_secret } in new_secrets {
            let _ = writeln!(text, "{}  {client_secret}", printable(client_id));
        }
        text
    }
}
