//! `/api/v1/admin/tenants…`: create, list, change and delete tenants, with the platform's
//! permission `latchkey:tenants`.

use actix_web::http::StatusCode;
use administration::documents;
use administration::documents::TenantView;
use administration::edit::{FieldError, TenantStep};
use administration::kinds::Permission::Tenants;
use registry::Client;
use serde_json::{Value, json};
use tenancy::{Tenant, TenantId};

use super::admin_request::AdminRequest;
use super::endpoint::at;
use super::row::{AdminRow, change, look_at, step, take_step};
use super::{Answer, secrets};
use crate::openapi::HttpMethod::{Delete, Get, Post};
use crate::openapi::{Operation, merged, whole};
use crate::request::{BodyBounds, JSON};
use crate::respond::{ResponseDocument, created};

pub(crate) fn endpoints() -> Vec<Operation> {
    vec![
        at(Get, "/api/v1/admin/tenants", Tenants, list)
            .named("list_tenants", "List tenants.")
            .query("string", "search", "Words; each must match the beginning of a word in the tenant's id or name")
            .paging("Cm5vcnRo")
            .answer::<documents::Page<TenantView>>(
                "200",
                "A page in the order of ids, without deleted tenants",
            )
            .answer_example(|| json!({ "items": [Tenant::example()] })),
        at(Post, "/api/v1/admin/tenants", Tenants, create)
            .named("create_tenant", "Create a tenant.")
            .idempotent()
            .body::<documents::NewTenant>(JSON, None)
            .answer::<documents::CreatedTenant>(
                "201",
                "The tenant, and its first client with its secret if you requested one; Location and ETag",
            )
            .error("409", "The id or the issuer is taken or reserved")
            .request_example(|| {
                json!({
                    "id": "northwind",
                    "name": "Northwind",
                    "resource_servers": { "orders": { "scopes": ["orders:read", "orders:write"] } },
                    "api_keys": { "max_lifetime": 31_536_000, "default_lifetime": 7_776_000 },
                    "client": { "client_id": "billing", "audiences": ["orders"], "scopes": ["orders:read"] },
                })
            })
            .answer_example(|| {
                merged(
                    Tenant::example(),
                    json!({
                        "client": merged(Client::example(), json!({ "secret": secrets::created_example() })),
                    }),
                )
            }),
        look_at::<Tenant>("/api/v1/admin/tenants/{id}").named("get_tenant", "Get a tenant."),
        change::<Tenant>("/api/v1/admin/tenants/{id}")
            .named("patch_tenant", "Change a tenant.")
            .request_example(|| json!({ "name": "Northwind Traders", "access_token": { "lifetime": 1800 } }))
            .answer_example(|| merged(Tenant::example(), json!({ "name": "Northwind Traders" }))),
        at(Delete, "/api/v1/admin/tenants/{id}", Tenants, delete)
            .named("delete_tenant", "Delete a tenant in two steps.")
            .query("boolean", "final", "The second step, which you cannot undo")
            .if_match("tenant")
            .answer::<TenantView>(
                "202",
                "First step: the tenant stops serving, and is deleted at deletion_due_at unless you restore it",
            )
            .empty_answer("204", "Second step: secrets and keys are destroyed, and the id stays reserved")
            .error("409", "config.yaml declares the tenant, or the second step came before the first"),
        step::<Tenant>("/api/v1/admin/tenants/{id}/suspend", TenantStep::Suspend)
            .named("suspend_tenant", "Suspend a tenant.")
            .answer::<TenantView>(
                "200",
                "The tenant with its new state; its key set stays available until its last token has expired",
            ),
        step::<Tenant>("/api/v1/admin/tenants/{id}/resume", TenantStep::Resume)
            .named("resume_tenant", "Resume a suspended tenant."),
        at(
            Post,
            "/api/v1/admin/tenants/{id}/tokens/revoke",
            Tenants,
            take_step::<Tenant>(TenantStep::RevokeTokens),
        )
        .named("revoke_tenant_tokens", "Revoke all tokens that a tenant has issued until now.")
        .answer::<TenantView>("200", "The tenant, unchanged; its next tokens are valid"),
        step::<Tenant>("/api/v1/admin/tenants/{id}/restore", TenantStep::CancelDeletion)
            .named("restore_tenant", "Cancel the first step of a deletion.")
            .answer::<TenantView>("200", "The tenant with its new state, with its clients, secrets and keys"),
    ]
}

async fn list(request: AdminRequest<()>) -> Answer {
    let (search, page) = request.query(|query| (query.text("search"), query.paging()))?;
    let AdminRequest { administrator, caller, .. } = &request;
    let (search, cursor) = (search.as_deref(), page.cursor.as_deref());
    ResponseDocument::from_status(StatusCode::OK)
        .body(&administrator.tenants(caller, search, cursor, page.limit).await?)
}

async fn create(mut request: AdminRequest<()>) -> Answer {
    let new = request.creation_within(BodyBounds::TENANT, documents::NewTenant::read).await?;
    let AdminRequest { administrator, caller, .. } = &request;
    let made = administrator.create_tenant(caller, new).await?;
    let tenant = &made.value.tenant;
    created(tenant, &format!("/api/v1/admin/tenants/{}", tenant.id), &made)
}

async fn delete(request: AdminRequest<TenantId>) -> Answer {
    let is_final = request.query(|query| query.flag("final"))?;
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    if is_final {
        administrator.of(caller, tenant).step::<Tenant>(&(), TenantStep::Delete).await?;
        return Ok(ResponseDocument::from_status(StatusCode::NO_CONTENT).empty());
    }
    let view = administrator.of(caller, tenant).step::<Tenant>(&(), TenantStep::ScheduleDeletion).await?;
    ResponseDocument::from_status(StatusCode::ACCEPTED)
        .tagged(&documents::EntityTag::from_document(&view))
        .body(&view)
}

impl AdminRow for Tenant {
    const READ: fn(Value) -> Result<Self::Settings, Vec<FieldError>> = documents::TenantSettings::read;
    const BODY: BodyBounds = BodyBounds::TENANT;
    type Settings = documents::TenantSettings;

    fn example() -> Value {
        whole::<TenantView>(json!({
            "id": "northwind",
            "status": "active",
            "managed_by": "api",
            "created_at": "2030-01-31T08:00:00Z",
            "updated_at": "2030-01-31T08:00:00Z",
            "jwks_uri": "http://localhost:3000/api/v1/tenant/northwind/.well-known/jwks.json",
            "token_endpoint": "http://localhost:3000/api/v1/tenant/northwind/oauth/token",
            "name": "Northwind",
            "issuer": "http://localhost:3000/api/v1/tenant/northwind",
            "strategies": { "oauth2": { "enabled": true }, "oidc": { "enabled": false } },
            "signing": { "rotate_every": 7_776_000 },
            "branding": { "support_url": "https://northwind.example/help" },
            "resource_servers": { "orders": { "scopes": ["orders:read", "orders:write"] } },
        }))
    }
}
