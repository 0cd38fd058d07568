//! A page that explains a pasted token. `latchkey inspect --page` serves it on the reader's machine, and the
//! token is sent only to that program.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::HOST;
use actix_web::web::{Bytes, Data, PayloadConfig, block, get, post};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use pages::console::{Block, Field, HtmlForm, Input};
use pages::{Asset, Column, Meaning, Table, Value};
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::options::BaseUrl;
use crate::page::{Opener, OwnOrigin, judge_form, judge_navigation, passive, respond};
use crate::routes::console::plain_page;

/// More bytes than a token, or a response with one, has.
const LONGEST: usize = 64 * 1024;

/// The explanation of a token.
#[derive(Clone, Debug)]
pub struct TokenExplanation {
    /// Whether the token is accepted. None if that is unknown.
    pub is_accepted: Option<bool>,
    /// The verdict, and what it rests on.
    pub summary: Vec<String>,
    /// The checks and the claims, each part under its name.
    pub sections: Vec<(String, Vec<Vec<String>>)>,
}

type Explain = dyn Fn(&str) -> Result<TokenExplanation, String> + Send + Sync;
/// Explains a token, or returns the reason why it cannot.
pub type ExplainToken = Arc<Explain>;

/// Serves the page at this address until the program must end.
///
/// # Errors
/// When the address cannot be served.
pub async fn serve_token_page(listener: TcpListener, explain: ExplainToken) -> io::Result<()> {
    let public_url = BaseUrl(format!("http://{}", listener.local_addr()?));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(public_url.clone()))
            .app_data(Data::from(Arc::clone(&explain)))
            .app_data(PayloadConfig::new(LONGEST))
            .route("/", get().to(show))
            .route("/", post().to(judge))
            .route("/assets/{hash}/{file}", get().to(asset))
    });
    server.workers(1).listen(listener)?.run().await
}

async fn show(request: HttpRequest, public_url: Data<BaseUrl>) -> HttpResponse {
    if !is_called_by_its_address(&request, &public_url) || judge_navigation(request.headers()).is_err() {
        return HttpResponse::NotFound().finish();
    }
    page(&public_url, Vec::new())
}

async fn judge(
    request: HttpRequest,
    public_url: Data<BaseUrl>,
    explain: Data<Explain>,
    body: Bytes,
) -> HttpResponse {
    let is_own = judge_form(request.headers(), &OwnOrigin::from_public_url(&public_url.0)).is_ok();
    if !is_called_by_its_address(&request, &public_url) || !is_own {
        return HttpResponse::NotFound().finish();
    }
    let sent = form_urlencoded::parse(&body).find(|(name, _)| name == "token");
    let token = Zeroizing::new(sent.map(|(_, token)| token.into_owned()).unwrap_or_default());
    let explained = block(move || explain(&token)).await;
    let blocks = match explained {
        Ok(Ok(explanation)) => explanation.blocks(),
        Ok(Err(why)) => vec![Block::Alert(Meaning::Danger, why)],
        Err(_) => vec![Block::Alert(Meaning::Danger, "The program is ending.".to_owned())],
    };
    page(&public_url, blocks)
}

/// If a DNS name led here, the page of another site could read this one.
fn is_called_by_its_address(request: &HttpRequest, public_url: &BaseUrl) -> bool {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    host.is_some_and(|host| public_url.0.strip_prefix("http://") == Some(host))
}

async fn asset(request: HttpRequest) -> HttpResponse {
    match request.match_info().get("file").and_then(Asset::named) {
        Some(asset) => passive(&mut HttpResponse::Ok()).content_type(asset.media_type()).body(asset.text()),
        None => HttpResponse::NotFound().finish(),
    }
}

fn page(public_url: &BaseUrl, found: Vec<Block>) -> HttpResponse {
    let field = Field::new("token", "Token", Input::Lines(String::new())).hint(
        "A token, a response with one, an assertion or a proof. It goes to the program on this machine only.",
    );
    let form = HtmlForm::button("/".to_owned(), "", "Explain").meaning(Meaning::Info).with(vec![field]);
    let blocks = found.into_iter().chain([Block::Form(form)]).collect();
    let page = plain_page(public_url, "Latchkey".to_owned(), "Why a token is accepted or refused", blocks);
    respond(StatusCode::OK, &page, Opener::Severed)
}

impl TokenExplanation {
    fn blocks(self) -> Vec<Block> {
        let meaning = match self.is_accepted {
            Some(true) => Meaning::Success,
            Some(false) => Meaning::Danger,
            None => Meaning::Warning,
        };
        let mut summary = self.summary.into_iter();
        let verdict = summary.next().map(|verdict| Block::Alert(meaning, verdict));
        let tables = self.sections.into_iter().filter(|(_, rows)| !rows.is_empty()).map(|(caption, rows)| {
            let width = rows.iter().map(Vec::len).max().unwrap_or_default();
            let names = if width == 3 { &["Result", "Check", "Found"][..] } else { &["Name", "Value"] };
            let cells = |row: Vec<String>| row.into_iter().map(Value::Text).collect();
            let columns = names.iter().map(|name| Column::from_heading(name)).collect();
            Block::Table(Table { caption, columns, rows: rows.into_iter().map(cells).collect() })
        });
        verdict.into_iter().chain(summary.map(Block::Text)).chain(tables).collect()
    }
}
