//! A page that explains a pasted token. `latchkey inspect --page` serves it on the reader's
//! machine, so that the token is sent only to that program.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::HOST;
use actix_web::web::{Bytes, Data, PayloadConfig, block, get, post};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use pages::console::{Block, Field, HtmlForm, Input};
use pages::{Asset, Column, ConsoleTexts, Language, Meaning, Table, Value};
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::options::BaseUrl;
use crate::page::{Opener, OwnOrigin, judge_form, judge_navigation, passive, respond};
use crate::routes::console::plain_page;

/// Bytes. More than any token, or any response with a token.
const LONGEST: usize = 64 * 1024;

#[derive(Clone, Debug)]
pub struct TokenExplanation {
    /// `None` if unknown.
    pub is_accepted: Option<bool>,
    /// The result, and what it is based on.
    pub summary: Vec<String>,
    /// The name of each section, and its rows.
    pub sections: Vec<(String, Vec<Vec<String>>)>,
}

type Explain = dyn Fn(&str) -> Result<TokenExplanation, String> + Send + Sync;
/// Returns an error text if it cannot explain the token.
pub type ExplainToken = Arc<Explain>;

/// # Errors If the address cannot be served.
pub async fn serve_token_page(listener: TcpListener, explain: ExplainToken) -> io::Result<()> {
    let public_url = BaseUrl(format!("http://{}", listener.local_addr()?), Language::English);
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
    let texts = &public_url.1.texts().console;
    let blocks = match explained {
        Ok(Ok(explanation)) => explanation.blocks(texts),
        Ok(Err(why)) => vec![Block::Alert(Meaning::Danger, why)],
        Err(_) => vec![Block::Alert(Meaning::Danger, texts.token.ending.to_owned())],
    };
    page(&public_url, blocks)
}

/// Against DNS rebinding: a page of another site could otherwise read this one through a host name
/// that points here.
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
    let texts = &public_url.1.texts().console;
    let of = &texts.token;
    let field = Field::new("token", of.token, Input::Lines(String::new())).hint(of.hint);
    let form =
        HtmlForm::button("/".to_owned(), "", texts.attempt.explain).meaning(Meaning::Info).with(vec![field]);
    let blocks = found.into_iter().chain([Block::Form(form)]).collect();
    let page = plain_page(public_url, "Latchkey".to_owned(), of.title, blocks);
    respond(StatusCode::OK, &page, Opener::Severed)
}

impl TokenExplanation {
    fn blocks(self, texts: &ConsoleTexts) -> Vec<Block> {
        let meaning = match self.is_accepted {
            Some(true) => Meaning::Success,
            Some(false) => Meaning::Danger,
            None => Meaning::Warning,
        };
        let mut summary = self.summary.into_iter();
        let verdict = summary.next().map(|verdict| Block::Alert(meaning, verdict));
        let tables = self.sections.into_iter().filter(|(_, rows)| !rows.is_empty()).map(|(caption, rows)| {
            let width = rows.iter().map(Vec::len).max().unwrap_or_default();
            let names = if width == 3 {
                vec![texts.attempt.result, texts.attempt.check, texts.token.found]
            } else {
                vec![texts.labels.name, texts.token.value]
            };
            let cells = |row: Vec<String>| row.into_iter().map(Value::Text).collect();
            let columns = names.into_iter().map(Column::from_heading).collect();
            Block::Table(Table { caption, columns, rows: rows.into_iter().map(cells).collect() })
        });
        verdict.into_iter().chain(summary.map(Block::Text)).chain(tables).collect()
    }
}
