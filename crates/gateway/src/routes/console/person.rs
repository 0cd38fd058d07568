//! What an administrator does on the page of one person.

use accounts::{Account, AccountId};
use administration::edit::account::Step;
use administration::edit::{EditError, SignInEnd};
use pages::console::Block;
use pages::{Link, Meaning};
use registry::ClientId;
use serde_json::json;

use super::form::FormFields;
use super::people::{identifier, name, no_identifier};
use super::person_page::{Answered, account, link_blocks, mail_blocks, shown};
use super::shown::{danger, outcome, success};
use super::visit::{ConsoleVisit, Danger, unseen};
use crate::page::PageResult;

pub(super) async fn page(visit: &ConsoleVisit<'_>) -> PageResult {
    shown(visit, Answered::default()).await
}

pub(super) async fn step(visit: &ConsoleVisit<'_>, fields: &FormFields) -> PageResult {
    let (tenant, account, of) = (visit.tenant(), account(visit)?, &visit.texts().people);
    let within = visit.administrator().of(&visit.caller, &tenant);
    let ended = |text| move |()| vec![success(text)];
    let taken = |text| move |_| vec![success(text)];
    let done = match fields.text("step") {
        "suspend" => within.step::<Account>(&account, Step::Suspend).await.map(taken(of.suspended)),
        "resume" => within.step::<Account>(&account, Step::Resume).await.map(taken(of.resumed)),
        "unlock" => within.step::<Account>(&account, Step::Unlock).await.map(taken(of.unlocked)),
        "link" => within.make_password_link(&account).await.map(|link| link_blocks(of, &link).to_vec()),
        "invite" => within.invite(&account).await.map(ended(of.invited)),
        "mail" => within.mail_of(&account).await.map(|mail| mail_blocks(visit, &mail)),
        "end-sessions" => within.end_sign_ins(&account, &SignInEnd::All).await.map(ended(of.sessions_ended)),
        "end-session" => match fields.text("session").parse() {
            Ok(session) => {
                let end = SignInEnd::Session(session);
                within.end_sign_ins(&account, &end).await.map(ended(of.session_ended))
            }
            Err(_) => Err(EditError::NotFound("session")),
        },
        "remove-consent" => match ClientId::parse(fields.text("client")) {
            Ok(client) => {
                let end = SignInEnd::Consent(client);
                within.end_sign_ins(&account, &end).await.map(ended(of.consent_removed))
            }
            Err(_) => Err(EditError::NotFound("consent")),
        },
        "edit" => return edit(visit, &account, fields).await,
        "delete" => return delete(visit, &account, fields).await,
        _ => return page(visit).await,
    };
    match outcome(done)? {
        Ok(blocks) => shown(visit, Answered::with(blocks)).await,
        Err(refused) => shown(visit, Answered::with(vec![refused.alert()])).await,
    }
}

/// Refused if the account has changed since the form was shown.
async fn edit(visit: &ConsoleVisit<'_>, account: &AccountId, fields: &FormFields) -> PageResult {
    let (tenant, of) = (visit.tenant(), &visit.texts().people);
    let email = fields.given("email");
    let mut patch = json!({
        "claims": { "name": fields.given("name") },
        "email": email,
        // A new address is not verified.
        "email_verified": email.is_some() && email == fields.given("verified"),
        "username": fields.given("username"),
        "groups": fields.lines("groups"),
    });
    if fields.given("grants").is_some() {
        patch["permissions"] = fields.values("permission").collect();
    }
    let mut caller = visit.caller.clone();
    caller.if_match = Some(fields.text("tag").to_owned());
    let edited = if email.is_none() && fields.given("username").is_none() {
        Err(no_identifier(visit))
    } else {
        visit.administrator().of(&caller, &tenant).patch_account(account, &patch).await
    };
    let edited = edited.map_err(|error| match error {
        EditError::Stale => EditError::Conflict(of.changed_meanwhile.to_owned()),
        error => error,
    });
    match outcome(edited)? {
        Ok(view) => {
            let mut blocks = vec![success(of.saved)];
            if let Some(link) = &view.password_link {
                blocks.push(Block::Note(Meaning::Warning, of.password_removed.to_owned()));
                blocks.extend(link_blocks(of, link));
            }
            shown(visit, Answered::with(blocks)).await
        }
        Err(refused) => {
            let alert = danger(refused.message.clone().unwrap_or_default());
            let blocks = vec![alert];
            shown(visit, Answered { blocks, refused: Some((fields, refused)), ..Answered::default() }).await
        }
    }
}

async fn delete(visit: &ConsoleVisit<'_>, account: &AccountId, fields: &FormFields) -> PageResult {
    let (tenant, texts) = (visit.tenant(), visit.texts());
    let (of, people) = (&texts.people, texts.frame.people);
    let within = visit.administrator().of(&visit.caller, &tenant);
    let view = within.look::<Account>(account).await.map_err(unseen)?;
    match visit.check_danger(fields, identifier(&view)) {
        Ok(()) => {}
        Err(Danger::Unproven) => return Ok(visit.ask_again(people)),
        Err(Danger::Unnamed(unnamed)) => {
            return shown(visit, Answered { unnamed, ..Answered::default() }).await;
        }
    }
    match outcome(within.step::<Account>(account, Step::Delete).await)? {
        Ok(_) => {
            let way = Link { name: of.all.to_owned(), url: visit.path("/people") };
            let blocks = vec![success((of.deleted)(name(&view))), Block::Links(vec![way])];
            Ok(visit.show(people, name(&view), blocks))
        }
        Err(refused) => shown(visit, Answered::with(vec![refused.alert()])).await,
    }
}
