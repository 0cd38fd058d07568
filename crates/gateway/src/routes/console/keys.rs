//! The signing keys of a tenant: time line, the verifiers that have fetched each key, and actions.

use administration::documents;
use administration::documents::KeyView;
use administration::edit::KeyCommand;
use pages::console::{Block, HtmlForm};
use pages::{Column, ConsoleTexts, Fact, KeysTexts, Meaning, Table, TimeLine, TimeLineRow, TimeSpan, Value};

use super::form::FormFields;
use super::shown::{confirmed, empty, outcome, status, success, table, time, time_or};
use super::visit::{ConsoleVisit, Danger, unseen};
use crate::page::PageResult;

pub(super) async fn page(visit: &ConsoleVisit<'_>) -> PageResult {
    shown(visit, None, "").await
}

/// Rotates the keys, as a planned or an emergency rotation.
pub(super) async fn act(visit: &ConsoleVisit<'_>, fields: &FormFields) -> PageResult {
    let (texts, tenant) = (&visit.texts().keys, visit.tenant());
    let command = match fields.text("act") {
        "rotate" => KeyCommand::Rotate,
        "emergency" => match visit.check_danger(fields, tenant.as_str()) {
            Ok(()) => KeyCommand::RotateInEmergency,
            Err(Danger::Unproven) => return Ok(visit.ask_again(visit.texts().frame.keys)),
            Err(Danger::Unnamed(text)) => return shown(visit, None, &text).await,
        },
        _ => return page(visit).await,
    };
    let done = visit.administrator().of(&visit.caller, &tenant).command_keys(command).await;
    let notice = match outcome(done)? {
        Ok(changed) => {
            let broken: Vec<_> = changed.value.breaks.iter().map(|broken| broken.kid.clone()).collect();
            let text = if broken.is_empty() {
                texts.announced.to_owned()
            } else {
                (texts.replaced)(&broken.join(", "))
            };
            success(text)
        }
        Err(refused) => refused.alert(),
    };
    shown(visit, Some(notice), "").await
}

/// `unnamed` is the error if the typed name does not confirm an emergency rotation.
async fn shown(visit: &ConsoleVisit<'_>, notice: Option<Block>, unnamed: &str) -> PageResult {
    let (administrator, tenant) = (visit.administrator(), visit.tenant());
    let read = administrator.of(&visit.caller, &tenant).keys_with_status().await;
    let (keys, state, breaks) = read.map_err(unseen)?;
    let breaks = breaks.into_iter().map(|broken| broken.kid).collect::<Vec<_>>();
    let texts = visit.texts();
    let of = &texts.keys;
    let mut blocks = Vec::from_iter(notice);
    let due = time_or(state.due_at, texts.shared.none);
    blocks.push(Block::Facts(vec![Fact { label: of.next_step, value: due }]));
    let unopened = state.unopened.iter();
    blocks.extend(unopened.map(|key| Block::Note(Meaning::Danger, (of.unopened)(&key.kid, &key.problem))));
    if keys.is_empty() {
        blocks.push(empty(of.none, of.none_text, None));
    } else {
        blocks.push(Block::TimeLine(time_line(visit, &keys)));
        blocks.push(Block::Table(lives(texts, &keys, &state)));
    }
    blocks.extend((!state.verifiers.is_empty()).then(|| verifiers(of, &state)));
    let (token, action) = (visit.form_token(), visit.path("/keys"));
    let button = |act: &str, label: &str| HtmlForm::button(action.clone(), &token, label).sending("act", act);
    blocks.push(Block::Form(button("rotate", of.rotate).meaning(Meaning::Info)));
    let mut emergency = button("emergency", of.replace_all).meaning(Meaning::Danger);
    if !breaks.is_empty() {
        emergency = emergency.asking((of.emergency_breaks)(&breaks.join(", ")), of.replace_all_now);
    }
    blocks.push(confirmed(of.emergency, emergency, texts.labels.tenant_id, of.replace_all_hint, unnamed));
    Ok(visit.show(texts.frame.keys, texts.frame.keys, blocks))
}

/// At most [`TimeLine::MOST`] keys, the newest ones.
fn time_line(visit: &ConsoleVisit<'_>, keys: &[KeyView]) -> TimeLine {
    let texts = &visit.texts().keys;
    let span = |from: Option<documents::Instant>, to: Option<documents::Instant>| {
        Some(TimeSpan { from: from?.0.seconds(), to: to.map(|at| at.0.seconds()) })
    };
    let row = |key: &KeyView| {
        let end = key.retiring_from.or(key.removed_at);
        // A key may be removed before it has signed anything.
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
        title: texts.line.to_owned(),
        summary: texts.line_text.to_owned(),
        legend: [texts.published, texts.signing, texts.verifying],
        now_label: texts.now,
        now: visit.now().seconds(),
        rows: keys[first..].iter().map(row).collect(),
    }
}

/// The dates of each key, and how many verifiers have fetched it. A verifier that has fetched a key
/// also has the earlier keys.
fn lives(texts: &ConsoleTexts, keys: &[KeyView], state: &documents::KeyStatusView) -> Table {
    let of = &texts.keys;
    let number = |kid: &str| keys.iter().position(|key| key.kid == kid);
    let having = |kid: &str| {
        let fetched = state.verifiers.iter().filter(|view| number(&view.newest_kid) >= number(kid));
        fetched.count() as u64
    };
    let row = |key: &KeyView| {
        vec![
            Value::Code(key.kid.clone()),
            Value::Text(key.algorithm.clone()),
            status(&texts.shared, &key.state),
            time(key.announced_at),
            time(key.active_from),
            time_or(key.retiring_from, "-"),
            time_or(key.removed_at, "-"),
            Value::Number(having(&key.kid)),
        ]
    };
    let columns =
        [of.key, of.algorithm, texts.labels.status, of.published, of.signs_from, of.retires, of.removed];
    let verifiers = Column::of_numbers(of.having);
    Table {
        caption: of.keys.to_owned(),
        columns: columns.into_iter().map(Column::from_heading).chain([verifiers]).collect(),
        rows: keys.iter().map(row).collect(),
    }
}

/// The verifiers that poll the key set, and whether each has the newest key.
fn verifiers(texts: &KeysTexts, state: &documents::KeyStatusView) -> Block {
    let row = |view: &documents::VerifierView| {
        let newest = if view.has_announced { texts.yes } else { texts.not_yet };
        vec![
            Value::Text(view.verifier.clone()),
            time(view.last_fetch_at),
            Value::Code(view.newest_kid.clone()),
            Value::Text(newest.to_owned()),
        ]
    };
    let headings = [texts.verifier, texts.last_fetch, texts.newest, texts.has_newest];
    table(texts.verifiers, headings, state.verifiers.iter().map(row))
}
