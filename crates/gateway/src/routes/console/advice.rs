//! Advice for a tenant's administrators and the facts behind it. Each page covers a part of the
//! applications.

use administration::documents::{AdviceList, AdviceView};
use administration::edit::EditError;
use pages::console::Block;
use pages::{Meaning, Value};

use super::shown::{empty, outcome, pager, table};
use super::visit::{ConsoleVisit, VisitedPlace};
use crate::page::PageResult;

/// Applications per page.
const APPLICATIONS: u32 = 50;

/// The rules whose subject contains a client and its secret or API key.
const OF_CREDENTIALS: [&str; 4] = ["old_secret", "endless_secret", "ends_soon", "ended_credential_presented"];

pub(super) async fn page(visit: &ConsoleVisit<'_>) -> PageResult {
    let (tenant, cursor) = (visit.tenant(), visit.parameter("cursor"));
    let found =
        visit.administrator().of(&visit.caller, &tenant).advice(cursor.as_deref(), APPLICATIONS).await;
    let blocks = match found {
        // The tenant `platform` has no advice before its first application exists.
        Err(EditError::NotFound(_)) if visit.place == VisitedPlace::Platform => vec![none(visit)],
        found => match outcome(found)? {
            Ok(list) => shown(visit, &list),
            Err(refused) => vec![refused.alert()],
        },
    };
    let frame = &visit.texts().frame;
    Ok(visit.show(frame.advice, frame.advice, blocks))
}

fn shown(visit: &ConsoleVisit<'_>, list: &AdviceList) -> Vec<Block> {
    let mut blocks = Vec::new();
    if list.is_too_early_for_usage {
        blocks.push(Block::Note(Meaning::Info, visit.texts().advice.too_early.to_owned()));
    }
    if list.items.is_empty() {
        blocks.push(none(visit));
    } else {
        blocks.push(advice(visit, &list.items));
    }
    let url = visit.path("/advice");
    blocks.extend(pager(visit, &url, None, list.next_cursor.as_deref()).map(Block::Pager));
    blocks
}

fn none(visit: &ConsoleVisit<'_>) -> Block {
    let texts = &visit.texts().advice;
    empty(texts.none, texts.none_text, None)
}

fn advice(visit: &ConsoleVisit<'_>, items: &[AdviceView]) -> Block {
    let (texts, labels) = (&visit.texts().advice, &visit.texts().labels);
    let row = |advice: &AdviceView| {
        let about = match &*advice.subject {
            "" => Value::Text(texts.this_tenant.to_owned()),
            subject if OF_CREDENTIALS.contains(&&*advice.rule) => {
                let (client, _) = subject.rsplit_once('/').unwrap_or((subject, ""));
                visit.application_link(&visit.tenant(), subject, visit.application(client, "/credentials"))
            }
            client => visit.application_link(&visit.tenant(), client, visit.application(client, "")),
        };
        vec![
            about,
            Value::English(advice.rule.replace('_', " ")),
            Value::English(advice.evidence.clone()),
            Value::English(advice.action.clone()),
        ]
    };
    let headings = [texts.about, texts.rule, labels.explanation, labels.what_to_do];
    table(visit.texts().frame.advice, headings, items.iter().map(row))
}
