//! The console: pages for the operations of the admin API. Each page calls
//! [`Administrator`](administration::administrator::Administrator) with the permissions of the session's
//! owner, which are derived again for each request. A page that the owner may not see is 404. In reading
//! order:

mod form;
mod holder;
pub(crate) mod paths;
mod visit;

mod frame;
mod shown;

mod sign_in;

mod advice;
mod overview;
mod tenants;

mod application_kind;
mod applications;
mod created;

mod api_access;
mod new_application;
mod uri_rules;

mod application;
mod attempt;
mod credentials;
mod edit_application;

mod people;
mod person;
mod person_forms;
mod person_page;

mod audit;
mod keys;

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;

pub(crate) use self::frame::plain_page;
pub(crate) use self::paths::path_of;
pub(crate) use self::sign_in::enter_from_account;

use self::form::FormFields;
use self::visit::{ConsoleVisit, VisitedPlace, to_sign_in};
use crate::page::{PageRequest, PageResult, with_pages};
use crate::routes::public_route::{PublicRoute, get, post};

/// One type for all handlers of pages.
type ServePage = Rc<dyn Fn(PageRequest) -> LocalBoxFuture<'static, PageResult>>;

pub(super) fn routes() -> Vec<PublicRoute> {
    vec![
        look("/console/sign-in", plain(sign_in::page)),
        look("/console/link", plain(sign_in::link)).post(with_pages(served(plain(sign_in::exchange)))),
        look("/console/t/{id}/sign-in", plain(sign_in::page)),
        look("/console/t/{id}/link", plain(sign_in::link)).post(with_pages(served(plain(sign_in::exchange)))),
        post("/console/account", with_pages(served(plain(sign_in::by_account)))),
        post("/console/t/{id}/account", with_pages(served(plain(sign_in::by_account)))),
        act("/console/sign-out", sign_in::sign_out),
        act("/console/t/{id}/sign-out", sign_in::sign_out),
        look("/console", shows(overview::of_platform)),
        look("/console/advice", shows(advice::page)),
        look("/console/tenants", shows(tenants::list)),
        both("/console/tenants/new", tenants::new, tenants::create),
        look("/console/audit", shows(audit::page)),
        look("/console/audit/export", shows(audit::export)),
        both("/console/t/{id}", overview::of_tenant, overview::step),
        look("/console/t/{id}/advice", shows(advice::page)),
        look("/console/t/{id}/applications", shows(applications::list)),
        both("/console/t/{id}/applications/new", new_application::new, new_application::create),
        both("/console/t/{id}/applications/{client}", application::page, application::step),
        both("/console/t/{id}/applications/{client}/edit", edit_application::page, edit_application::act),
        both("/console/t/{id}/applications/{client}/try", attempt::try_it, attempt::explain),
        both("/console/t/{id}/applications/{client}/credentials", credentials::page, credentials::act),
        look("/console/t/{id}/people", shows(people::list)),
        both("/console/t/{id}/people/new", people::new, people::create),
        both("/console/t/{id}/people/{account}", person::page, person::step),
        both("/console/t/{id}/keys", keys::page, keys::act),
        look("/console/t/{id}/audit", shows(audit::page)),
        look("/console/t/{id}/audit/export", shows(audit::export)),
    ]
}

fn look(pattern: &'static str, serve: ServePage) -> PublicRoute {
    get(pattern, with_pages(served(serve)))
}

fn act(
    pattern: &'static str,
    handler: impl AsyncFn(&ConsoleVisit<'_>, &FormFields) -> PageResult + Copy + 'static,
) -> PublicRoute {
    post(pattern, with_pages(served(acts(handler))))
}

fn both(
    pattern: &'static str,
    page: impl AsyncFn(&ConsoleVisit<'_>) -> PageResult + Copy + 'static,
    form: impl AsyncFn(&ConsoleVisit<'_>, &FormFields) -> PageResult + Copy + 'static,
) -> PublicRoute {
    look(pattern, shows(page)).post(with_pages(served(acts(form))))
}

fn served(serve: ServePage) -> impl Fn(PageRequest) -> LocalBoxFuture<'static, PageResult> + Clone {
    move |request| serve(request)
}

/// A page without a session.
fn plain(handler: impl AsyncFn(PageRequest) -> PageResult + Copy + 'static) -> ServePage {
    Rc::new(move |request| Box::pin(async move { handler(request).await }))
}

/// A page that requires a session. Without one it redirects to the sign-in page.
fn shows(handler: impl AsyncFn(&ConsoleVisit<'_>) -> PageResult + Copy + 'static) -> ServePage {
    Rc::new(move |request| {
        Box::pin(async move {
            let place = VisitedPlace::from_request(&request).await?;
            match ConsoleVisit::from_request(&request, &place).await? {
                Some(visit) => handler(&visit).await,
                None => Ok(to_sign_in(&request, &place)),
            }
        })
    })
}

/// A form on a page that requires a session.
fn acts(handler: impl AsyncFn(&ConsoleVisit<'_>, &FormFields) -> PageResult + Copy + 'static) -> ServePage {
    Rc::new(move |mut request| {
        Box::pin(async move {
            let place = VisitedPlace::from_request(&request).await?;
            let fields = FormFields::read(&request.raw.form().await?);
            let Some(visit) = ConsoleVisit::from_request(&request, &place).await? else {
                return Ok(to_sign_in(&request, &place));
            };
            visit.check_form(&fields).await?;
            handler(&visit, &fields).await
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = include_str!("../../tests/api/snapshots/api__console_access__console_routes.snap");

    #[test]
    fn permission_table_lists_each_console_route() {
        for PublicRoute { pattern, methods, to_handlers } in routes() {
            let both: &[&str] = if to_handlers.len() > 1 { &["GET", "POST"] } else { &[methods] };
            for method in both {
                let method = if method.contains("GET") { "GET" } else { "POST" };
                assert!(
                    TABLE.contains(&format!("\n{method} {pattern} ")),
                    "{method} {pattern} is not in the table"
                );
            }
        }
    }
}
