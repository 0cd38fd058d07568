//! The signing keys of a tenant: their lives, the verifiers that have each, and what can be done.

use administration::{KeyCommand, KeyStatusView, KeyView, VerifierView};
use pages::console::{Block, Field, Form};
use pages::{Column, Fact, Meaning, Table, Value};

use super::form::Fields;
use super::shown::{outcome, status, time, time_or};
use super::visit::{Visit, unseen};
use crate::page_error::PageResult;

pub(super) async fn page(visit: &Visit<'_>) -> PageResult {
    shown(visit, None).await
}

/// Rotates the keys, in order or in an emergency.
pub(super) async fn act(visit: &Visit<'_>, fields: &Fields) -> PageResult {
    let tenant = visit.tenant();
    let command = match fields.text("act") {
        "rotate" => KeyCommand::Rotate,
        "emergency" if !visit.session.is_proven_for_danger(visit.now()) => {
            let text = "Sign in again for this: your sign-in is older than 15 minutes.".to_owned();
            return shown(visit, Some((Meaning::Danger, text))).await;
        }
        "emergency" if fields.text("confirm") != tenant.as_str() => {
            let text = "Type the id of the tenant to take all keys away.".to_owned();
            return shown(visit, Some((Meaning::Danger, text))).await;
        }
        "emergency" => KeyCommand::RotateInEmergency,
        _ => return shown(visit, None).await,
    };
    let done = visit.administrator().command_keys(&visit.caller, &tenant, command).await;
    let notice = match outcome(done)? {
        Ok(changed) => {
            let broken: Vec<_> = changed.value.breaks.iter().map(|broken| broken.kid.clone()).collect();
            let text = if broken.is_empty() {
                "A new key is announced. It signs when verifiers can know it.".to_owned()
            } else {
                format!("A new key signs. Tokens that {} signed are refused.", broken.join(", "))
            };
            (Meaning::Success, text)
        }
        Err(refused) => (Meaning::Danger, refused.message.unwrap_or_default()),
    };
    shown(visit, Some(notice)).await
}

async fn shown(visit: &Visit<'_>, notice: Option<(Meaning, String)>) -> PageResult {
    let (administrator, tenant) = (visit.administrator(), visit.tenant());
    let read = administrator.keys_with_status(&visit.caller, &tenant).await;
    let (keys, state, breaks) = read.map_err(unseen)?;
    let breaks = breaks.into_iter().map(|broken| broken.kid).collect::<Vec<_>>();
    let mut blocks: Vec<_> = notice.map(|(meaning, text)| Block::Alert(meaning, text)).into_iter().collect();
    let due = time_or(state.due_at, "none");
    blocks.push(Block::Facts(vec![Fact { label: "Next automatic step", value: due }]));
    blocks.extend(
        state.unopened.iter().map(|key| {
            Block::Note(Meaning::Danger, format!("{} cannot be opened: {}", key.kid, key.problem))
        }),
    );
    blocks.push(Block::Table(lives(&keys)));
    blocks.push(Block::Table(verifiers(&state)));
    let (token, action) = (visit.form_token(), visit.path("/keys"));
    let button = |act: &str, label: &str| Form::button(action.clone(), &token, label).sending("act", act);
    let confirm = Field::text("confirm", "Id of the tenant", "");
    let confirm = confirm.hint("Type it to go on. All keys but the new one are gone at once.");
    blocks.push(Block::Form(button("rotate", "Rotate now").meaning(Meaning::Info)));
    blocks.push(Block::Heading("Emergency"));
    blocks.push(Block::Note(
        Meaning::Danger,
        format!("Tokens that {} signed are refused at once.", breaks.join(", ")),
    ));
    let emergency = button("emergency", "Take all keys away").meaning(Meaning::Danger);
    blocks.push(Block::Form(emergency.with(vec![confirm])));
    Ok(visit.show("Signing keys", "Signing keys", blocks))
}

/// The life of each key, from its announcement to its removal.
fn lives(keys: &[KeyView]) -> Table {
    let row = |key: &KeyView| {
        vec![
            Value::Code(key.kid.clone()),
            Value::Text(key.algorithm.clone()),
            status(&key.state),
            time(key.announced_at),
            time(key.active_from),
            time_or(key.retiring_from, "-"),
            time_or(key.removed_at, "-"),
        ]
    };
    let columns = ["Key", "Algorithm", "State", "Published", "Signs from", "Retires", "Removed"];
    Table {
        caption: "Keys".to_owned(),
        columns: columns.map(Column::of).to_vec(),
        rows: keys.iter().map(row).collect(),
    }
}

/// The verifiers that poll, and which key each has.
fn verifiers(state: &KeyStatusView) -> Table {
    let row = |view: &VerifierView| {
        let newest = if view.has_announced { "yes" } else { "not yet" };
        vec![
            Value::Text(view.verifier.clone()),
            time(view.last_fetch_at),
            Value::Code(view.newest_kid.clone()),
            Value::Text(newest.to_owned()),
        ]
    };
    Table {
        caption: "Verifiers".to_owned(),
        columns: ["Verifier", "Last fetch", "Newest key", "Has the newest"].map(Column::of).to_vec(),
        rows: state.verifiers.iter().map(row).collect(),
    }
}
