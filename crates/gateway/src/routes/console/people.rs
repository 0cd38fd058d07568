//! The people of a tenant (its accounts): a list in pages with a search, and a form for a new person.

use accounts::AccountId;
use actix_web::HttpResponse;
use administration::administrator::AccountFilter;
use administration::documents::{AccountView, NewAccount};
use administration::edit::{EditError, FieldError};
use administration::kinds::Permission;
use pages::console::{Block, Choice, Field, HtmlForm, Input};
use pages::{Meaning, Value};
use serde_json::json;

use super::created::{self, idempotent};
use super::form::FormFields;
use super::person_page::link_blocks;
use super::shown::{List, RefusedForm, named, outcome, status, success, table, time};
use super::tenants::ROWS;
use super::visit::ConsoleVisit;
use crate::page::PageResult;

/// In the order of creation, or the results of a search.
pub(super) async fn list(visit: &ConsoleVisit<'_>) -> PageResult {
    let (tenant, search, cursor) = (visit.tenant(), visit.parameter("search"), visit.parameter("cursor"));
    let filter = AccountFilter { search: search.as_deref(), ..AccountFilter::default() };
    let found =
        visit.administrator().of(&visit.caller, &tenant).accounts(filter, cursor.as_deref(), ROWS).await;
    let texts = visit.texts();
    let (of, labels) = (&texts.people, &texts.labels);
    let list = List {
        title: texts.frame.people,
        path: "/people",
        search: of.search,
        new: of.new,
        none: (of.none, of.none_text),
        unreadable: of.unreadable,
    };
    let row = |view: &AccountView| {
        let url = visit.person(&view.account_id);
        let settings = &view.settings;
        let identifiers = settings.email.iter().chain(&settings.username).cloned().collect();
        vec![
            named(Some(name(view)), &view.account_id, url),
            Value::Codes(identifiers),
            status(&texts.shared, &view.status),
            Value::Text(settings.groups.join(", ")),
            time(view.updated_at),
        ]
    };
    let headings = [labels.name, of.identifiers, labels.status, of.groups, labels.changed];
    list.show(visit, found, |people| table(texts.frame.people, headings, people.iter().map(row)))
}

/// The name of a person, else an identifier, else the id.
pub(super) fn name(view: &AccountView) -> &str {
    let name = view.settings.claims.name.as_deref().filter(|name| !name.is_empty());
    name.unwrap_or_else(|| identifier(view))
}

/// What the person signs in with, else the id.
pub(super) fn identifier(view: &AccountView) -> &str {
    let settings = &view.settings;
    settings.email.as_deref().or(settings.username.as_deref()).unwrap_or(&view.account_id)
}

pub(super) async fn new(visit: &ConsoleVisit<'_>) -> PageResult {
    visit.require_here(Permission::Accounts)?;
    Ok(form(visit, &FormFields::read(b"invites=yes"), &RefusedForm::default()))
}

/// Creates the account, and with it the link to set a password. Sending the form again shows the same
/// link.
pub(super) async fn create(visit: &ConsoleVisit<'_>, fields: &FormFields) -> PageResult {
    visit.require_here(Permission::Accounts)?;
    let (tenant, of) = (visit.tenant(), &visit.texts().people);
    let mut document = json!({ "groups": fields.lines("groups") });
    for member in ["email", "username"] {
        if let Some(value) = fields.given(member) {
            document[member] = value.into();
        }
    }
    if let Some(name) = fields.given("name") {
        document["claims"] = json!({ "name": name });
    }
    let (is_invited, is_mailed) = (invites(fields, "yes"), invites(fields, "mail"));
    let created = match NewAccount::read(document.clone()) {
        _ if document["email"].is_null() && document["username"].is_null() => Err(no_identifier(visit)),
        Ok(new) => {
            let caller = idempotent(visit, fields, &json!([document, is_invited, is_mailed]));
            let within = visit.administrator().of(&caller, &tenant);
            if is_invited { within.invite_account(new).await } else { within.create_account(new).await }
        }
        Err(errors) => Err(EditError::Invalid(errors)),
    };
    let view = match outcome(created)? {
        Ok(created) => created.value,
        Err(refused) => return Ok(form(visit, fields, &refused)),
    };
    let mut blocks = vec![success((of.created)(name(&view)))];
    blocks.extend(view.password_link.as_ref().map(|link| link_blocks(of, link)).into_iter().flatten());
    if is_mailed && let Ok(account) = AccountId::parse(&view.account_id) {
        let within = visit.administrator().of(&visit.caller, &tenant);
        blocks.push(match outcome(within.invite(&account).await)? {
            Ok(()) => success(of.invited),
            Err(refused) => refused.alert(),
        });
    }
    blocks.push(created::way_on(of.open, visit.person(&view.account_id)));
    Ok(visit.show(visit.texts().frame.people, name(&view), blocks))
}

/// Whether the administrator chose this way to invite the person.
fn invites(fields: &FormFields, way: &str) -> bool {
    fields.values("invites").any(|value| value == way)
}

/// In the words of the form.
pub(super) fn no_identifier(visit: &ConsoleVisit<'_>) -> EditError {
    EditError::Invalid(vec![FieldError::at("/email", visit.texts().people.no_identifier)])
}

fn form(visit: &ConsoleVisit<'_>, fields: &FormFields, refused: &RefusedForm) -> HttpResponse {
    let of = &visit.texts().people;
    let mut inputs = inputs(visit, |name| fields.text(name).to_owned(), refused);
    // A link needs a sign-in page.
    if visit.row.as_ref().is_some_and(|tenant| tenant.strategies.oidc) {
        let choice = |value, label, text| Choice::new(value, label, text, invites(fields, value));
        let mut choices = vec![choice("yes", of.make_link, of.link_text)];
        if visit.administrator().sends_mail() {
            choices.push(choice("mail", of.invite, of.invite_text));
        }
        inputs.push(Field::new("invites", of.invitation, Input::Any(choices)));
    }
    let form = HtmlForm::button(visit.path("/people/new"), &visit.form_token(), of.create);
    let form = form.meaning(Meaning::Info).with(inputs).sending("request", created::request_key(fields));
    visit.show(visit.texts().frame.people, of.new, refused.above([Block::Form(form)]))
}

/// The fields of a new person and of a change.
pub(super) fn inputs(
    visit: &ConsoleVisit<'_>,
    value: impl Fn(&str) -> String,
    refused: &RefusedForm,
) -> Vec<Field> {
    let (of, labels) = (&visit.texts().people, &visit.texts().labels);
    let text = |name: &'static str, label: &str| Field::text(name, label, &value(name)).optional();
    let groups = Field::new("groups", of.groups, Input::Lines(value("groups")));
    vec![
        refused.at("/claims/name", text("name", labels.name)),
        refused.at("/email", text("email", of.email)),
        refused.at("/username", text("username", of.username).hint(of.username_hint)),
        refused.at("/groups", groups.hint(of.groups_hint)),
    ]
}
