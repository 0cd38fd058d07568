//! `GET /` of a server that only its own machine can reach: shows what runs and the next steps.
//! Other servers have no such page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use pages::{Common, FrontPage, Link};
use values::is_of_this_machine;

use crate::Options;
use crate::options::{BaseUrl, ListenerOptions};
use crate::page::{ACCOUNT_PATH, Opener, common, respond};
use crate::snippets::curl_line;

/// The listener and the public URL must both be on loopback, without a proxy.
pub(crate) fn is_served(listener: &ListenerOptions, public_url: &str) -> bool {
    let is_reached_directly = listener.address.ip().is_loopback() && listener.trusted_proxies.is_none();
    listener.surface.public && is_reached_directly && is_of_this_machine(public_url)
}

pub(super) async fn page(
    options: Data<Options>,
    public_url: Data<BaseUrl>,
    listener: Data<ListenerOptions>,
) -> HttpResponse {
    let base = public_url.path();
    let common = Common { nonce: String::new(), ..common(&public_url) };
    let texts = common.texts();
    let way = |name: &str, path: &str| Link { name: name.to_owned(), url: format!("{base}{path}") };
    let mut places = vec![way(texts.front_api, "/docs"), way(texts.front_errors, "/docs/errors")];
    if listener.surface.operator_console {
        places.insert(0, way(texts.front_console, "/console"));
    }
    if options.caught_mail.is_some() {
        places.insert(0, way(texts.caught_mail, "/dev/mail"));
    }
    if options.default_tenant.is_some() {
        places.insert(0, way(texts.front_account, ACCOUNT_PATH));
    }
    let page = FrontPage {
        common,
        version: env!("CARGO_PKG_VERSION"),
        public_url: public_url.0.clone(),
        command: command(&public_url.0, options.default_tenant.as_deref()),
        places,
    };
    respond(StatusCode::OK, &page, Opener::Severed)
}

/// A command with placeholders for the client.
fn command(public_url: &str, default_tenant: Option<&str>) -> String {
    let path = match default_tenant {
        Some(_) => "/oauth/token",
        None => "/api/v1/tenant/TENANT/oauth/token",
    };
    curl_line(&format!("{public_url}{path}"), "CLIENT_ID")
}
