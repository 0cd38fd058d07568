//! `GET …/refusals`: the latest refused requests of a tenant, with reasons and advice.

use actix_web::http::StatusCode;
use administration::audit::refusals::Refusal;
use administration::documents::{Page, RefusalView};
use administration::kinds::Permission::Audit;
use administration::store::RefusalQuery;
use registry::ClientId;
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use super::endpoint::at;
use crate::explain::advice_on;
use crate::openapi::HttpMethod::Get;
use crate::openapi::{NameInPath, Operation};
use crate::respond::ResponseDocument;

const FILTERS: [NameInPath; 4] = [
    ("client", "Only requests with this client id, authenticated or not", "billing"),
    ("reason", "Only refusals with this reason", "wrong_secret"),
    ("request_id", "Only the request whose response had this x-request-id", "5f0a1c9d3be27a41"),
    ("since", "From this time on, RFC 3339; an empty value counts as absent", "2030-01-01T00:00:00Z"),
];

pub(crate) fn endpoints() -> Vec<Operation> {
    vec![
        FILTERS
            .iter()
            .fold(at(Get, "/api/v1/tenant/{id}/refusals", Audit, list), |list, (name, what, _)| {
                list.query("string", name, what)
            })
            .named("list_refusals", "List a tenant's most recent refused requests.")
            .naming(&FILTERS)
            .paging("MTg5MzQ4NDgwMAo1ZjBhMWM5ZDNiZTI3YTQx")
            .answer::<Page<RefusalView>>(
                "200",
                "A page, newest first, of the last 1 000; at most a few seconds late",
            ),
    ]
}

async fn list(request: AdminRequest<TenantId>) -> Answer {
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    let (query, cursor) = request.query(|query| {
        let page = query.paging();
        let wanted = RefusalQuery {
            client: query.parsed("client", ClientId::parse),
            reason: query.text("reason"),
            request_id: query.text("request_id"),
            since: query.instant("since"),
            before: None,
            limit: page.limit,
        };
        (wanted, page.cursor)
    })?;
    let Page { items, next_cursor, unreadable } =
        administrator.of(caller, tenant).refusals(query, cursor.as_deref()).await?;
    let page = Page { items: items.into_iter().map(view).collect(), next_cursor, unreadable };
    ResponseDocument::from_status(StatusCode::OK).body(&page)
}

fn view(refusal: Refusal) -> RefusalView {
    let client = refusal.client.as_ref().map_or("CLIENT", ClientId::as_str);
    let (detail, fix) = advice_on(&refusal.reason, &refusal.tenant, client);
    RefusalView::new(refusal, detail, fix)
}
