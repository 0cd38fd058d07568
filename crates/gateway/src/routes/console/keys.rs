//! The signing keys of a tenant: their lives, the verifiers that have each, and the possible actions.

use administration::{Instant, KeyCommand, KeyStatusView, KeyView, VerifierView};
use pages::console::{Block, Field, HtmlForm};
use pages::{Column, Fact, Meaning, Table, TimeLine, TimeLineRow, TimeSpan, Value};

use super::form::FormFields;
use super::shown::{danger, empty, outcome, status, success, table, time, time_or};
use super::visit::{ConsoleVisit, Danger, unseen};
use crate::page::PageResult;

pub(super) async fn page(visit: &ConsoleVisit<'_>) -> PageResult {
    shown(visit, None).await
}

/// Rotates the keys, in order or in an emergency.
pub(super) async fn act(visit: &ConsoleVisit<'_>, fields: &FormFields) -> PageResult {
    let tenant = visit.tenant();
    let command = match fields.text("act") {
        "rotate" => KeyCommand::Rotate,
        "emergency" => match visit.check_danger(fields, tenant.as_str()) {
            Ok(()) => KeyCommand::RotateInEmergency,
            Err(Danger::Unproven) => return Ok(visit.ask_again("Signing keys")),
            Err(Danger::Unnamed(text)) => return shown(visit, Some(danger(text))).await,
        },
        _ => return shown(visit, None).await,
    };
    let done = visit.administrator().of(&visit.caller, &tenant).command_keys(command).await;
    let notice = match outcome(done)? {
        Ok(changed) => {
            let broken: Vec<_> = changed.value.breaks.iter().map(|broken| broken.kid.clone()).collect();
            let text = if broken.is_empty() {
                "A new key is announced. It signs when verifiers can know it.".to_owned()
            } else {
                format!("A new key signs. Tokens that {} signed are refused.", broken.join(", "))
            };
            success(text)
        }
        Err(refused) => refused.alert(),
    };
    shown(visit, Some(notice)).await
}

async fn shown(visit: &ConsoleVisit<'_>, notice: Option<Block>) -> PageResult {
    let (administrator, tenant) = (visit.administrator(), visit.tenant());
    let read = administrator.of(&visit.caller, &tenant).keys_with_status().await;
    let (keys, state, breaks) = read.map_err(unseen)?;
    let breaks = breaks.into_iter().map(|broken| broken.kid).collect::<Vec<_>>();
    let mut blocks = Vec::from_iter(notice);
    let due = time_or(state.due_at, "none");
    blocks.push(Block::Facts(vec![Fact { label: "Next automatic step", value: due }]));
    blocks.extend(
        state.unopened.iter().map(|key| {
            Block::Note(Meaning::Danger, format!("{} cannot be opened: {}", key.kid, key.problem))
        }),
    );
    if keys.is_empty() {
        blocks.push(empty("No keys", "The first token of the tenant makes the first key.", None));
    } else {
        blocks.push(Block::TimeLine(time_line(visit, &keys)));
        blocks.push(Block::Table(lives(&keys, &state)));
    }
    blocks.push(verifiers(&state));
    let (token, action) = (visit.form_token(), visit.path("/keys"));
    let button = |act: &str, label: &str| HtmlForm::button(action.clone(), &token, label).sending("act", act);
    let confirm = Field::text("confirm", "Id of the tenant", "");
    let confirm = confirm.hint("Type it to go on. All keys but the new one are gone at once.");
    blocks.push(Block::Form(button("rotate", "Rotate now").meaning(Meaning::Info)));
    blocks.push(Block::Heading("Emergency"));
    if !breaks.is_empty() {
        let text = format!("Tokens that {} signed are refused at once.", breaks.join(", "));
        blocks.push(Block::Note(Meaning::Danger, text));
    }
    let emergency = button("emergency", "Take all keys away").meaning(Meaning::Danger);
    blocks.push(Block::Form(emergency.with(vec![confirm])));
    Ok(visit.show("Signing keys", "Signing keys", blocks))
}

/// The keys that are not removed, or the last removed ones.
fn time_line(visit: &ConsoleVisit<'_>, keys: &[KeyView]) -> TimeLine {
    let span = |from: Option<Instant>, to: Option<Instant>| {
        Some(TimeSpan { from: from?.0.seconds(), to: to.map(|at| at.0.seconds()) })
    };
    let row = |key: &KeyView| {
        let end = key.retiring_from.or(key.removed_at);
        // A key may be removed before it has signed.
        let signs_from = Some(key.active_from).filter(|from| key.removed_at.is_none_or(|end| from.0 < end.0));
        TimeLineRow {
            label: key.kid.clone(),
            spans: [
                span(Some(key.announced_at), signs_from.or(key.removed_at)),
                span(signs_from, end),
                span(key.retiring_from, key.removed_at),
            ],
        }
    };
    let first = keys.len().saturating_sub(TimeLine::MOST);
    TimeLine {
        id: "lives".to_owned(),
        title: "The lives of the keys".to_owned(),
        summary: "A key is published before it signs, and stays published after it until the last token that it signed has expired."
            .to_owned(),
        legend: ["Published", "Signs", "Verifies only"],
        now_label: "Now",
        now: visit.now().seconds(),
        rows: keys[first..].iter().map(row).collect(),
    }
}

/// The life of each key, from its announcement to its removal, and the verifiers that have it. A verifier
/// that has fetched a key has the earlier ones, too.
fn lives(keys: &[KeyView], state: &KeyStatusView) -> Table {
    let number = |kid: &str| keys.iter().position(|key| key.kid == kid);
    let having = |kid: &str| {
        let fetched = state.verifiers.iter().filter(|view| number(&view.newest_kid) >= number(kid));
        fetched.count() as u64
    };
    let row = |key: &KeyView| {
        vec![
            Value::Code(key.kid.clone()),
            Value::Text(key.algorithm.clone()),
            status(&key.state),
            time(key.announced_at),
            time(key.active_from),
            time_or(key.retiring_from, "-"),
            time_or(key.removed_at, "-"),
            Value::Number(having(&key.kid)),
        ]
    };
    let columns = ["Key", "Algorithm", "State", "Published", "Signs from", "Retires", "Removed"];
    let verifiers = Column::of_numbers("Verifiers that have it");
    Table {
        caption: "Keys".to_owned(),
        columns: columns.into_iter().map(Column::from_heading).chain([verifiers]).collect(),
        rows: keys.iter().map(row).collect(),
    }
}

/// The verifiers that poll, and which key each has.
fn verifiers(state: &KeyStatusView) -> Block {
    let row = |view: &VerifierView| {
        let newest = if view.has_announced { "yes" } else { "not yet" };
        vec![
            Value::Text(view.verifier.clone()),
            time(view.last_fetch_at),
            Value::Code(view.newest_kid.clone()),
            Value::Text(newest.to_owned()),
        ]
    };
    let headings = ["Verifier", "Last fetch", "Newest key", "Has the newest"];
    table("Verifiers", headings, state.verifiers.iter().map(row))
}
