//! The page that tries a token request: what the token endpoint would answer the application, and why.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use administration::documents;
use administration::documents::ClientView;
use pages::console::{Block, Field, HtmlForm, Input};
use pages::{Badge, ConsoleTexts, Meaning, Value};
use protocol::GrantType;

use super::application::{find, head};
use super::applications::has_keys;
use super::form::FormFields;
use super::shown::{danger, success, table};
use super::visit::ConsoleVisit;
use crate::explain::{ExplainedRequest, PresentedParts, explain as explained};
use crate::page::{PageError, PageResult};
use crate::request::ServerFailure;
use crate::respond::Problem;

/// Shows the form for explaining a request.
pub(super) async fn try_it(visit: &ConsoleVisit<'_>) -> PageResult {
    let application = find(visit).await?;
    let block = if application.settings.grant_types.contains(&GrantType::ClientCredentials.to_string()) {
        Block::Form(explain_form(visit, &application, &FormFields::read(b"")))
    } else {
        Block::Text(visit.texts().attempt.of_people.to_owned())
    };
    Ok(attempt_page(visit, &application, vec![block]))
}

/// Explains the response of the token endpoint. Signs and changes nothing. The form asks for no
/// secret.
pub(super) async fn explain(visit: &ConsoleVisit<'_>, fields: &FormFields) -> PageResult {
    let (tenant, client, application) = (visit.tenant(), visit.client()?, find(visit).await?);
    let settings = documents::ExplainSettings {
        token_endpoint_auth_method: method(&application),
        scope: fields.given("scope").map(str::to_owned),
        resource: fields.words("resource"),
        ..documents::ExplainSettings::default()
    };
    let request = ExplainedRequest {
        services: &visit.request.services.tokens,
        tenant: &tenant,
        client: &client,
        settings: &settings,
        source: visit.request.raw.source(),
        now: visit.now(),
        public_url: visit.administrator().public_url(),
        is_by_key: false,
    };
    let presented = PresentedParts { secret: None, assertion: None, dpop_proof: None, access_token: None };
    let view = explained(&request, presented).await.map_err(unexplained)?;
    let forms = vec![explain_form(visit, &application, fields)];
    let mut blocks = verdict(visit.texts(), &view);
    blocks.insert(1, Block::fold(visit.texts().attempt.change, false, forms, Vec::new()));
    Ok(attempt_page(visit, &application, blocks))
}

fn attempt_page(visit: &ConsoleVisit<'_>, application: &ClientView, blocks: Vec<Block>) -> HttpResponse {
    visit.show_under(head(visit, application, visit.texts().frame.attempt), blocks)
}

/// The cause is in the log. 429 cannot occur, because the form contains no secret.
fn unexplained(problem: Problem) -> PageError {
    let is_passing = problem.status == StatusCode::SERVICE_UNAVAILABLE;
    if is_passing { ServerFailure::Unavailable.into() } else { ServerFailure::Internal.into() }
}

fn explain_form(visit: &ConsoleVisit<'_>, view: &ClientView, fields: &FormFields) -> HtmlForm {
    let action = visit.application(&view.client_id, "/try");
    let texts = &visit.texts().attempt;
    let scope = Input::Lines(fields.text("scope").to_owned());
    let inputs = vec![
        Field::new("scope", visit.texts().labels.scopes, scope).hint(texts.scopes_hint),
        Field::text("resource", texts.resources, fields.text("resource"))
            .optional()
            .hint(texts.resources_hint),
    ];
    let form = HtmlForm::button(action, &visit.form_token(), texts.explain).meaning(Meaning::Info);
    form.with(inputs)
}

/// How the application authenticates. `None` for a secret.
fn method(ClientView { settings, live_secrets, .. }: &ClientView) -> Option<String> {
    match &*settings.token_endpoint_auth_method {
        "any" if *live_secrets == 0 && has_keys(settings) => Some("private_key_jwt".to_owned()),
        "any" => None,
        method => Some(method.to_owned()),
    }
}

/// The result first, then the failed checks, then the others.
fn verdict(texts: &ConsoleTexts, view: &documents::ExplanationView) -> Vec<Block> {
    let (of, result) = (&texts.attempt, &view.result);
    let verdict = match &result.error {
        None => success((of.issued)(&result.status.to_string())),
        Some(error) => {
            let why = result.error_description.as_deref().unwrap_or_default();
            danger((of.refused)(&format!("{} {error}", result.status), why))
        }
    };
    let row = |check: &&documents::ExplainedCheck| {
        let meaning = match &*check.result {
            "passed" => Meaning::Success,
            "refused" => Meaning::Danger,
            _ => Meaning::Neutral,
        };
        let text = (of.results)(&check.result).unwrap_or(&check.result).to_owned();
        vec![
            (of.check_names)(&check.name)
                .map_or_else(|| Value::English(check.name.clone()), |name| Value::Text(name.to_owned())),
            Value::Badge(Badge { meaning, text }),
            Value::English(check.detail.clone()),
            Value::English(check.fix.clone().unwrap_or_default()),
        ]
    };
    let mut checks: Vec<_> = view.checks.iter().chain(&view.credential.checks).collect();
    checks.sort_by_key(|check| check.result != "refused");
    let headings = [of.check, of.result, of.detail, texts.labels.what_to_do];
    let checks = table(of.checks, headings, checks.iter().map(row));
    let pretty = |token: &documents::ExplainedToken| {
        documents::as_answer(|| serde_json::to_string_pretty(&token.claims)).ok()
    };
    let claims = view.token.as_ref().and_then(pretty);
    let claims = claims.map(|claims| Block::Code(of.claims.to_owned(), claims));
    [verdict, checks].into_iter().chain(claims).collect()
}
