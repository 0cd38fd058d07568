//! The form that changes an application: one form for each group of settings, then a page with the
//! differences, which saves them as a merge patch.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use administration::administrator::Caller;
use administration::documents::{ClientSettings, ClientView, EntityTag, Shape, merge_patch, read_json};
use administration::edit::{EditError, FieldError};
use administration::rules::{FieldErrors, check_client};
use pages::console::{Block, Choice, Field, HtmlForm, Input};
use pages::{ConsoleTexts, Fact, Meaning};
use protocol::{ClientAuthenticationMethod, GrantType, SubjectType};
use registry::{ClaimPlace, Client, ClientPurpose, IntrospectionRight};
use serde_json::{Value, json};
use tenancy::{Rotation, TokenFormat, UserinfoTokens};
use values::Lifetime;

use super::application::{self, find, head};
use super::form::FormFields;
use super::shown::{RefusedForm, declared_at, outcome, success, table};
use super::uri_rules::uris_field;
use super::visit::ConsoleVisit;
use crate::page::PageResult;

/// Groups with their settings, which are JSON pointers without the first slash.
const GROUPS: [(&str, &str); 5] = [
    ("general", "name description contacts purpose"),
    (
        "access",
        "audiences scopes resources grant_types introspection access_token_lifetime access_token/format \
            access_token/reuse token/issuer claims",
    ),
    (
        "people",
        "redirect_uris post_logout_redirect_uris first_party require_pkce require_par popup \
            claims_in_id_token groups/claim groups/in backchannel_logout_uri backchannel_logout_session_required userinfo \
            subject_type sector_identifier_uri default_max_age",
    ),
    ("refresh", "refresh_token/rotation refresh_token/grace refresh_token/idle refresh_token/absolute"),
    (
        "authentication",
        "token_endpoint_auth_method jwks_uri jwks federated rotate tls_client_auth_subject_dn \
            tls_client_auth_san_dns tls_client_auth_san_uri tls_client_auth_san_ip \
            tls_client_auth_san_email dpop_bound_access_tokens tls_client_certificate_bound_access_tokens",
    ),
];

pub(super) async fn page(visit: &ConsoleVisit<'_>) -> PageResult {
    let view = find(visit).await?;
    show(visit, &view, &json!(view.settings), None, &RefusedForm::default()).await
}

/// Shows the differences, or saves them if the application is still as the person saw it.
pub(super) async fn act(visit: &ConsoleVisit<'_>, sent: &FormFields) -> PageResult {
    let view = find(visit).await?;
    let (stored, of) = (json!(view.settings), &visit.texts().edit);
    let mut refused = RefusedForm::default();
    let patch = match read(visit, &stored, sent)? {
        Ok(patch) => patch,
        Err(errors) => {
            refused = RefusedForm::from_error(EditError::Invalid(errors))?;
            return show(visit, &view, &stored, Some(sent), &refused).await;
        }
    };
    let after = merge_patch(stored.clone(), patch.clone());
    let tag = EntityTag::from_document(&view).to_string();
    let rows = differences(visit.texts(), &stored, &after);
    if tag != sent.text("tag") {
        refused.message = Some(of.changed_meanwhile.to_owned());
    } else if rows.is_empty() {
        refused.message = Some(of.no_changes.to_owned());
    } else if sent.text("act") == "save" {
        let (caller, client) = (Caller { if_match: Some(tag), ..visit.caller.clone() }, visit.client()?);
        let saved = visit.administrator().of(&caller, &visit.tenant()).patch::<Client>(&client, patch).await;
        match outcome(saved)? {
            Ok(_) => return application::shown(visit, Some(success(of.saved)), "").await,
            Err(errors) => refused = errors,
        }
    } else if sent.text("act") != "again" {
        return Ok(review(visit, &view, [tag, patch.to_string()], rows));
    }
    show(visit, &view, &after, None, &refused).await
}

fn review(
    visit: &ConsoleVisit<'_>,
    view: &ClientView,
    [tag, patch]: [String; 2],
    rows: Vec<Vec<pages::Value>>,
) -> HttpResponse {
    let of = &visit.texts().edit;
    let button = |act: &str, label: &str| {
        HtmlForm::button(visit.application(&view.client_id, "/edit"), &visit.form_token(), label)
            .sending("act", act)
            .sending("tag", tag.as_str())
            .sending("patch", patch.as_str())
    };
    let blocks = vec![
        Block::Heading(of.review),
        Block::Text(of.review_text.to_owned()),
        table(of.changes, [of.setting, of.before, of.after], rows.into_iter()),
        Block::Form(button("save", of.save).meaning(Meaning::Info)),
        Block::Form(button("again", of.again)),
    ];
    visit.show_under(head(visit, view, of.title), blocks)
}

/// The forms, with the values of `sent` in its group and of `settings` in the others.
async fn show(
    visit: &ConsoleVisit<'_>,
    view: &ClientView,
    settings: &Value,
    sent: Option<&FormFields>,
    refused: &RefusedForm,
) -> PageResult {
    let of = &visit.texts().edit;
    let mut blocks = refused.above([Block::Heading(of.title)]);
    if view.managed_by != "api" {
        let value = declared_at(visit, &view.managed_by, Some(visit.client()?)).await;
        blocks.push(Block::Text(of.of_files.to_owned()));
        blocks.push(Block::Facts(vec![Fact { label: visit.texts().labels.managed_by, value }]));
        return Ok(visit.show_under(head(visit, view, of.title), blocks));
    }
    let action = visit.application(&view.client_id, "/edit");
    for (group, names) in GROUPS {
        let sent = sent.filter(|sent| sent.text("group") == group);
        let field = |name| field(visit.texts(), name, settings, sent, refused);
        let fields: Vec<_> = names.split(' ').map(field).collect();
        let is_open = group == "general" || fields.iter().any(|field| !field.error.is_empty());
        let form = HtmlForm::button(action.clone(), &visit.form_token(), of.review).with(fields);
        let form = form.meaning(Meaning::Info).sending("group", group);
        let forms = vec![form.sending("tag", EntityTag::from_document(view).to_string())];
        blocks.push(Block::fold((of.groups)(group).unwrap_or(group), is_open, forms, Vec::new()));
    }
    Ok(visit.show_under(head(visit, view, of.title), blocks))
}

fn at<'v>(settings: &'v Value, name: &str) -> &'v Value {
    settings.pointer(&format!("/{name}")).unwrap_or(&Value::Null)
}

/// How people enter a setting.
enum Control {
    Switch,
    /// One of these values. Without a value, the setting has its default.
    One(Vec<&'static str>),
    Any(Vec<&'static str>),
    Text,
    Lines,
    Uris,
    Json,
}

impl Control {
    fn of(name: &str) -> Self {
        static SHAPE: LazyLock<Shape> = LazyLock::new(Shape::new::<ClientSettings>);
        let or_default = |names: &[&'static str]| Self::One([&[""], names].concat());
        match name {
            "purpose" => return or_default(&ClientPurpose::NAMES),
            "subject_type" => return or_default(&SubjectType::NAMES),
            "access_token/format" => return or_default(&TokenFormat::NAMES),
            "userinfo" => return or_default(&UserinfoTokens::NAMES),
            "refresh_token/rotation" => return or_default(&Rotation::NAMED.map(|(name, _)| name)),
            "introspection" => return Self::One(IntrospectionRight::NAMES.to_vec()),
            "token_endpoint_auth_method" => return Self::One(ClientAuthenticationMethod::NAMES.to_vec()),
            "grant_types" => return Self::Any(GrantType::ALL.map(GrantType::as_str).to_vec()),
            "groups/in" => return Self::Any(ClaimPlace::NAMES.to_vec()),
            "redirect_uris" | "post_logout_redirect_uris" => return Self::Uris,
            _ => {}
        }
        match name.split('/').try_fold(&*SHAPE, |shape, member| shape.member(member)) {
            Some(Shape::Switch) => Self::Switch,
            Some(Shape::Text | Shape::Span) => Self::Text,
            Some(Shape::List(items)) if **items == Shape::Text => Self::Lines,
            _ => Self::Json,
        }
    }

    /// The value as people enter it: a list has a line for each item.
    fn text(&self, value: &Value) -> String {
        match (self, value) {
            (_, Value::Null | Value::Bool(false)) => String::new(),
            (_, Value::String(text)) => text.clone(),
            (Self::Text, value) => Lifetime::from_seconds(value.as_u64().unwrap_or_default()).to_string(),
            (Self::Lines | Self::Uris | Self::Any(_), value) => {
                let items = value.as_array().into_iter().flatten().filter_map(Value::as_str);
                items.collect::<Vec<_>>().join("\n")
            }
            (_, value) if *value == json!([]) || *value == json!({}) => String::new(),
            (_, value) => serde_json::to_string_pretty(value).unwrap_or_default(),
        }
    }

    /// The value that a form has for the setting. `None` if it is not JSON.
    fn read(&self, name: &str, sent: &FormFields) -> Option<Value> {
        Some(match (self, sent.given(name)) {
            (Self::Switch, given) => json!(given.is_some()),
            (Self::Any(_), _) => json!(sent.values(name).collect::<Vec<_>>()),
            (Self::Lines | Self::Uris, _) => json!(sent.lines(name)),
            (Self::Json, Some(text)) => read_json(text.as_bytes()).ok()?,
            (_, given) => json!(given),
        })
    }
}

/// The merge patch that the form asks for, if it keeps the rules that need no other rows.
fn read(
    visit: &ConsoleVisit<'_>,
    stored: &Value,
    sent: &FormFields,
) -> PageResult<Result<Value, Vec<FieldError>>> {
    if let Some(patch) = sent.given("patch") {
        return Ok(read_json(patch.as_bytes()));
    }
    let (mut document, mut errors) = (stored.clone(), Vec::new());
    let names = GROUPS.into_iter().find(|(group, _)| *group == sent.text("group")).map(|(_, names)| names);
    for name in names.into_iter().flat_map(|names| names.split(' ')) {
        let pointer = format!("/{name}");
        match (Control::of(name).read(name, sent), document.pointer_mut(&pointer)) {
            (Some(value), Some(place)) => *place = value,
            _ => errors.push(FieldError::at(pointer, visit.texts().new_application.not_json)),
        }
    }
    let read = if errors.is_empty() { ClientSettings::read(document) } else { Err(errors) };
    let settings = match read {
        Ok(settings) => settings,
        Err(errors) => return Ok(Err(errors)),
    };
    let mut errors = FieldErrors::default();
    check_client(&mut errors, visit.tenant_row()?, &visit.client()?, &settings);
    let (errors, _) = errors.into_parts();
    let patch = || difference(stored, &json!(settings)).unwrap_or_else(|| json!({}));
    Ok(if errors.is_empty() { Ok(patch()) } else { Err(errors) })
}

fn field(
    texts: &ConsoleTexts,
    name: &'static str,
    settings: &Value,
    sent: Option<&FormFields>,
    refused: &RefusedForm,
) -> Field {
    let (of, control) = (&texts.edit, Control::of(name));
    let label = (of.label)(name).unwrap_or(name);
    let stored = control.text(at(settings, name));
    let text = sent.map_or(&*stored, |sent| sent.text(name)).to_owned();
    let held: Vec<_> = sent.map_or_else(|| stored.lines().collect(), |sent| sent.values(name).collect());
    let choices = |all: Vec<&str>| {
        let choice = |value: &str| {
            let label = (of.choice)(&format!("{name}={value}")).unwrap_or(value);
            Choice::new(value, label, "", held.contains(&value) || text == value)
        };
        all.into_iter().map(choice).collect()
    };
    let field = match control {
        Control::Switch => Field::new(name, label, Input::Any(choices(vec!["true"]))),
        Control::One(all) => Field::new(name, label, Input::One(choices(all))),
        Control::Any(all) => Field::new(name, label, Input::Any(choices(all))),
        Control::Text => Field::text(name, label, &text).optional(),
        Control::Lines | Control::Json => Field::new(name, label, Input::Lines(text)),
        Control::Uris => {
            let is_public = settings["token_endpoint_auth_method"] == "none";
            uris_field(texts, name, text, is_public)
        }
    };
    let field = match (of.hint)(name) {
        Some(hint) => field.hint(hint),
        None => field,
    };
    refused.at(&format!("/{name}"), field)
}

/// The merge patch that changes `before` to `after`.
fn difference(before: &Value, after: &Value) -> Option<Value> {
    if before == after {
        return None;
    }
    let (Value::Object(old), Value::Object(new)) = (before, after) else { return Some(after.clone()) };
    let changed = |(name, value): (&String, &Value)| {
        Some((name.clone(), difference(old.get(name).unwrap_or(&Value::Null), value)?))
    };
    let removed = old.keys().filter(|name| !new.contains_key(*name)).map(|name| (name.clone(), Value::Null));
    Some(Value::Object(new.iter().filter_map(changed).chain(removed).collect()))
}

/// A row for each changed setting: its name, and its values before and after.
fn differences(texts: &ConsoleTexts, before: &Value, after: &Value) -> Vec<Vec<pages::Value>> {
    let cell = |name: &str, value: &Value| match Control::of(name).text(value) {
        text if text.is_empty() => pages::Value::Text(texts.shared.none.to_owned()),
        text => pages::Value::Codes(text.lines().map(str::to_owned).collect()),
    };
    let names = GROUPS.into_iter().flat_map(|(_, names)| names.split(' '));
    let changed = names.filter(|name| at(before, name) != at(after, name));
    let row = |name: &str| {
        let label = pages::Value::Text((texts.edit.label)(name).unwrap_or(name).to_owned());
        vec![label, cell(name, at(before, name)), cell(name, at(after, name))]
    };
    changed.map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_has_every_setting_with_a_label() {
        let texts = &pages::Language::English.texts().console.edit;
        let listed: Vec<_> = GROUPS.into_iter().flat_map(|(_, names)| names.split(' ')).collect();
        for (member, value) in json!(ClientSettings::default()).as_object().unwrap() {
            let found = listed.iter().filter(|name| name.split('/').next() == Some(member)).count();
            let expected = match value {
                Value::Object(inner)
                    if ["access_token", "token", "refresh_token", "groups"].contains(&&**member) =>
                {
                    inner.len()
                }
                _ => 1,
            };
            assert_eq!(found, expected, "{member}");
        }
        for name in listed {
            assert!((texts.label)(name).is_some(), "{name}");
        }
        for (group, _) in GROUPS {
            assert!((texts.groups)(group).is_some(), "{group}");
        }
    }

    #[test]
    fn difference_is_the_smallest_patch() {
        for (before, after, expected) in [
            (json!({ "a": 1 }), json!({ "a": 1 }), None),
            (json!({ "a": 1, "b": [1] }), json!({ "a": 1, "b": [2] }), Some(json!({ "b": [2] }))),
            (
                json!({ "a": { "b": 1, "c": 2 } }),
                json!({ "a": { "b": 1 } }),
                Some(json!({ "a": { "c": null } })),
            ),
            (json!({ "a": null }), json!({ "a": { "b": 1 } }), Some(json!({ "a": { "b": 1 } }))),
        ] {
            assert_eq!(difference(&before, &after), expected, "{before} {after}");
            if let Some(patch) = expected {
                assert_eq!(merge_patch(before, patch), after);
            }
        }
    }
}
