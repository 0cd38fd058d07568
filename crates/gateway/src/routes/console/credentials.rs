//! The credentials of an application: one row for each secret and API key, the live ones first, and the
//! forms that create, replace and revoke them.

mod rows;

use administration::administrator::CredentialsReading;
use administration::documents::ClientView;
use administration::edit::{EditError, FieldError};
use administration::{documents, edit};
use pages::console::{Block, Choice, Entry, Field, HtmlForm, Input};
use pages::{ConsoleTexts, CredentialsTexts, Meaning};
use registry::{ApiKey, ClientId, SecretId};
use serde_json::json;
use values::{Lifetime, ShellCommand};

use self::rows::Rows;
use super::application::head;
use super::applications::token_endpoint;
use super::created::{idempotent, request_key, snippet_blocks, value_blocks, way_on};
use super::form::FormFields;
use super::shown::{RefusedForm, danger, declared_at, empty, outcome, pager, success, unreadable};
use super::visit::{ConsoleVisit, unseen};
use crate::page::PageResult;

/// API keys per page. Each has two forms.
const KEYS: u32 = 10;
const DAY: Lifetime = Lifetime::from_seconds(86_400);

/// What happened before the page is shown.
#[derive(Default)]
struct Before<'f> {
    notice: Option<Block>,
    /// The form that was refused, with its action.
    refused: Option<(&'f FormFields, RefusedForm)>,
}

pub(super) async fn page(visit: &ConsoleVisit<'_>) -> PageResult {
    shown(visit, Before::default()).await
}

/// Creates, replaces or revokes a credential.
pub(super) async fn act(visit: &ConsoleVisit<'_>, fields: &FormFields) -> PageResult {
    let (administrator, tenant, client) = (visit.administrator(), visit.tenant(), visit.client()?);
    let name = || fields.given("name").map(str::to_owned);
    let grace = || fields.text("grace").parse().ok().map(Lifetime::from_seconds);
    let key = || Some((client.clone(), fields.text("key").parse().ok()?));
    let sent = ["act", "key", "grace", "name", "scope", "days", "owner", "labels"];
    let document = json!(sent.map(|name| fields.values(name).collect::<Vec<_>>()));
    let caller = idempotent(visit, fields, &document);
    let unknown = || EditError::NotFound("credential");
    let (texts, created) = (visit.texts(), &visit.texts().created);
    let made = match fields.text("act") {
        "create-secret" if grace().is_some() => {
            let settings = documents::RotateSettings {
                name: name(),
                grace: grace(),
                ..documents::RotateSettings::default()
            };
            let made = administrator.of(&caller, &tenant).rotate_secret(&client, settings).await;
            made.map(|made| made.value.client_secret.clone().map(|secret| (created.client_secret, secret)))
        }
        "create-secret" => {
            let settings =
                documents::NewSecretSettings { name: name(), ..documents::NewSecretSettings::default() };
            let made = administrator.of(&caller, &tenant).create_secret(&client, settings).await;
            made.map(|made| Some((created.client_secret, made.value.client_secret.clone())))
        }
        "revoke-secret" => {
            let secret = SecretId::new(fields.text("secret"));
            let step = edit::secret::Step::Revoke;
            administrator.of(&visit.caller, &tenant).step_secret(&client, &secret, step).await.map(|_| None)
        }
        "create-key" => match key_settings(visit, fields) {
            Ok(settings) => {
                let made = administrator.of(&caller, &tenant).create_api_key(&client, settings).await;
                made.map(|made| Some((created.api_key, made.value.api_key.clone())))
            }
            Err(refused) => Err(refused),
        },
        "rotate-key" => match key() {
            Some(key) => {
                let settings = documents::RotateApiKeySettings { grace: grace() };
                let made = administrator.of(&caller, &tenant).rotate_api_key(&key, settings).await;
                made.map(|made| Some((created.api_key, made.value.api_key.clone())))
            }
            None => Err(unknown()),
        },
        "revoke-key" => match key() {
            Some(key) => {
                let of_tenant = administrator.of(&visit.caller, &tenant);
                of_tenant.step::<ApiKey>(&key, edit::api_key::Step::Revoke).await.map(|_| None)
            }
            None => Err(unknown()),
        },
        _ => return page(visit).await,
    };
    match outcome(made)? {
        Ok(Some((name, secret))) => {
            let mut blocks = value_blocks(created, name, &secret);
            blocks.push(way_on(created.copied, visit.application(client.as_str(), "/credentials")));
            if name == created.client_secret {
                blocks.extend(snippet_blocks(created, &token_endpoint(visit), client.as_str()));
            }
            Ok(visit.show(texts.frame.applications, client.as_str(), blocks))
        }
        Ok(None) => {
            let notice = Some(success(texts.credentials.revoked));
            shown(visit, Before { notice, ..Before::default() }).await
        }
        Err(refused) => {
            let notice = refused.message.clone().map(danger);
            shown(visit, Before { notice, refused: Some((fields, refused)) }).await
        }
    }
}

/// Without chosen scopes, the key has all scopes of the application.
fn key_settings(
    visit: &ConsoleVisit<'_>,
    fields: &FormFields,
) -> Result<documents::ApiKeySettings, EditError> {
    let given = |name| fields.given(name).map(str::to_owned);
    let scopes: Vec<_> = fields.values("scope").map(str::to_owned).collect();
    let wrong = || FieldError::at("/expires_at", visit.texts().credentials.days_wrong);
    let days = fields.given("days").map(|text| text.parse::<u32>().map_err(|_| vec![wrong()])).transpose();
    let end = |days: u32| documents::Instant(visit.now() + Lifetime::from_seconds(u64::from(days) * 86_400));
    Ok(documents::ApiKeySettings {
        name: given("name"),
        labels: fields.words("labels"),
        owner: given("owner"),
        scopes: (!scopes.is_empty()).then_some(scopes),
        expires_at: days.map_err(EditError::Invalid)?.map(end),
        ..documents::ApiKeySettings::default()
    })
}

async fn shown(visit: &ConsoleVisit<'_>, before: Before<'_>) -> PageResult {
    let (administrator, tenant, client) = (visit.administrator(), visit.tenant(), visit.client()?);
    let cursor = visit.parameter("cursor");
    let read =
        administrator.of(&visit.caller, &tenant).read_credentials(&client, cursor.as_deref(), KEYS).await;
    let CredentialsReading { client: view, secrets, api_keys } = read.map_err(unseen)?;
    let declared = match secrets.iter().find(|secret| secret.managed_by != "api") {
        Some(secret) => Some(declared_at(visit, &secret.managed_by, Some(client.clone())).await),
        None => None,
    };
    let texts = visit.texts();
    let of = &texts.credentials;
    let forms = Forms::new(visit, &client);
    let has_keys = visit.row.as_ref().is_some_and(|tenant| tenant.api_keys.is_some());
    let refused = before.refused.as_ref();
    let mut new = Vec::new();
    if view.managed_by == "api" {
        new.push(forms.create_secret(refused));
    }
    if has_keys {
        new.push(forms.create_key(&view, refused));
    }
    let is_open = refused.is_some_and(|(fields, _)| fields.text("act").starts_with("create-"));
    let mut blocks = Vec::from_iter(before.notice);
    if !new.is_empty() {
        blocks.push(Block::primary_fold(of.new, is_open, new));
    }
    blocks.extend(schedule(of, &view).into_iter().map(|(meaning, text)| Block::Note(meaning, text)));
    let rows = Rows { forms: &forms, declared: declared.as_ref(), now: visit.now() };
    let secrets = secrets.iter().map(|secret| (secret.status == "live", rows.secret(secret)));
    let keys = api_keys.items.iter().map(|key| (key.status == "live", rows.key(key)));
    blocks.extend(listed(of, secrets.chain(keys)));
    blocks.extend(unreadable(of.unreadable, &api_keys));
    let next = api_keys.next_cursor.as_deref();
    let url = visit.application(client.as_str(), "/credentials");
    blocks.extend(pager(visit, &url, None, next).map(Block::Pager));
    if !has_keys {
        let command = "latchkey tenant set TENANT api_keys.max_lifetime=365d api_keys.default_lifetime=90d";
        let command = ShellCommand::new(command, &[("TENANT", tenant.as_str())]).to_string();
        blocks.extend([Block::Heading(of.api_keys), Block::Text(of.no_api_keys.to_owned())]);
        blocks.push(Block::Code(texts.entry.command.to_owned(), command));
    }
    Ok(visit.show_under(head(visit, &view, texts.frame.credentials), blocks))
}

/// The live credentials, then the others, which are folded.
fn listed(texts: &CredentialsTexts, rows: impl Iterator<Item = (bool, Entry)>) -> Vec<Block> {
    let (live, ended): (Vec<_>, Vec<_>) = rows.partition(|(is_live, _)| *is_live);
    let entries = |rows: Vec<(bool, Entry)>| rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>();
    let mut blocks = vec![if live.is_empty() {
        empty(texts.no_credentials, texts.no_credentials_text, None)
    } else {
        Block::Entries(entries(live))
    }];
    if !ended.is_empty() {
        let summary = (texts.ended)(&ended.len().to_string());
        blocks.push(Block::fold(&summary, false, Vec::new(), entries(ended)));
    }
    blocks
}

/// When the secrets rotate automatically, and the last error if that failed.
fn schedule(
    texts: &CredentialsTexts,
    ClientView { settings, rotation, .. }: &ClientView,
) -> Vec<(Meaning, String)> {
    let Some(rotate) = &settings.rotate else { return Vec::new() };
    let text = (texts.schedule)(&rotate.every.to_string(), &rotate.into);
    let failed =
        rotation.as_ref().and_then(|rotation| rotation.failed_at.as_ref().zip(rotation.failure.as_ref()));
    let failed = failed.map(|(at, why)| (Meaning::Danger, (texts.schedule_failed)(&at.0.to_rfc3339(), why)));
    [(Meaning::Info, text)].into_iter().chain(failed).collect()
}

struct Forms {
    texts: &'static ConsoleTexts,
    action: String,
    token: String,
}

type Refused<'r> = Option<&'r (&'r FormFields, RefusedForm)>;

impl Forms {
    fn new(visit: &ConsoleVisit<'_>, client: &ClientId) -> Self {
        let action = visit.application(client.as_str(), "/credentials");
        Self { texts: visit.texts(), action, token: visit.form_token() }
    }

    fn button(&self, act: &str, label: &str) -> HtmlForm {
        HtmlForm::button(self.action.clone(), &self.token, label).sending("act", act)
    }

    /// A form for a new credential. If it was refused, it has the sent values and the errors.
    fn creation<'r>(
        &self,
        act: &str,
        label: &str,
        refused: Refused<'r>,
        inputs: impl FnOnce(&dyn Fn(&str) -> &'r str, &dyn Fn(&str, Field) -> Field) -> Vec<Field>,
    ) -> HtmlForm {
        let refused = refused.filter(|(fields, _)| fields.text("act") == act);
        let sent = |name: &str| refused.map_or("", |(fields, _)| fields.text(name));
        let checked = |at: &str, field| match refused {
            Some((_, refused)) => refused.at(at, field),
            None => field,
        };
        let button = self.button(act, label).meaning(Meaning::Info).with(inputs(&sent, &checked));
        button.sending("request", request_key(&FormFields::read(b"")))
    }

    fn create_secret(&self, refused: Refused<'_>) -> HtmlForm {
        let (of, labels) = (&self.texts.credentials, &self.texts.labels);
        self.creation("create-secret", of.add_secret, refused, |sent, checked| {
            let name = Field::text("name", labels.name, sent("name")).optional().hint(of.secret_name_hint);
            vec![checked("/name", name), self.graces(of.previous_secrets, Some(of.keep))]
        })
    }

    fn create_key(&self, view: &ClientView, refused: Refused<'_>) -> HtmlForm {
        let (of, labels) = (&self.texts.credentials, &self.texts.labels);
        self.creation("create-key", of.create_key, refused, |sent, checked| {
            let text = |name, label: &str| Field::text(name, label, sent(name)).optional();
            let scopes = view.settings.scopes.iter().filter(|scope| !scope.starts_with("latchkey:"));
            let scopes = Input::Any(scopes.map(|scope| Choice::new(scope, scope, "", false)).collect());
            vec![
                checked("/name", Field::text("name", labels.name, sent("name")).hint(of.key_name_hint)),
                checked("/scopes", Field::new("scope", labels.scopes, scopes).hint(of.key_scopes_hint)),
                checked("/expires_at", text("days", of.days).hint(of.days_hint)),
                checked("/owner", text("owner", of.owner).hint(of.owner_hint)),
                checked("/labels", text("labels", of.labels).hint(of.labels_hint)),
            ]
        })
    }

    /// How long the previous credentials stay valid, in seconds. `keep` is the choice that changes nothing.
    fn graces(&self, label: &str, keep: Option<&str>) -> Field {
        let of = &self.texts.credentials;
        let graces = [("0", of.no_grace), ("3600", of.hour), ("86400", of.day), ("604800", of.week)];
        let chosen = if keep.is_some() { "" } else { "3600" };
        let choices = keep.map(|text| ("", text)).into_iter().chain(graces);
        let choices = choices.map(|(seconds, label)| Choice::new(seconds, label, "", seconds == chosen));
        Field::new("grace", label, Input::One(choices.collect()))
    }

    fn revoke(&self, act: &str, (name, id): (&'static str, &str), label: String, safety: &str) -> HtmlForm {
        let of = &self.texts.credentials;
        let form = self.button(act, &label).meaning(Meaning::Danger).sending(name, id);
        form.asking((of.revoke_question)(safety), of.revoke_now)
    }
}

#[cfg(test)]
mod tests {
    use administration::administrator::rotation_progress::RotationProgress;
    use administration::kinds;
    use administration::kinds::state::{ManagedBy, RowLifecycle};
    use registry::{Client, SecretRotation};
    use tenancy::TenantId;
    use values::Timestamp;

    use super::*;

    #[test]
    fn a_schedule_is_shown_with_its_last_failure() {
        let texts = &pages::Language::English.texts().console.credentials;
        let now = Timestamp::from_seconds(0);
        let client = Client::new(TenantId::parse("acme").unwrap(), ClientId::parse("svc").unwrap());
        let mut state =
            kinds::client::State::new(client, RowLifecycle::fresh(ManagedBy::Api, now), Vec::new());
        assert_eq!(schedule(texts, &ClientView::new(&state, now)), []);
        let (every, grace) = (Lifetime::from_seconds(86_400), Lifetime::from_seconds(60));
        state.client.rotation = Some(SecretRotation { every, into: "vault:a#b".to_owned(), grace });
        let shown =
            "Latchkey writes a new secret to vault:a#b every 1d and sets an expiry for the previous secrets.";
        assert_eq!(schedule(texts, &ClientView::new(&state, now)), [(Meaning::Info, shown.to_owned())]);
        let failure = Some("no answer".to_owned());
        state.rotation = RotationProgress { failed_at: Some(now), failure, ..RotationProgress::default() };
        let shown = "The last rotation failed at 1970-01-01T00:00:00Z: no answer";
        assert_eq!(schedule(texts, &ClientView::new(&state, now))[1], (Meaning::Danger, shown.to_owned()));
    }
}
