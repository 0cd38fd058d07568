//! Advice for a tenant's administrators, with the facts behind it, one page of applications at a time.

use administration::{AdviceList, AdviceView, EditError};
use pages::console::Block;
use pages::{Meaning, Value};

use super::overview::{heading, tabs};
use super::shown::{empty, link, outcome, pager, table};
use super::visit::{ConsoleVisit, VisitedPlace};
use crate::page::PageResult;

/// The number of applications that one page covers.
const APPLICATIONS: u32 = 50;

/// The rules whose subject is a client with its secret or API key.
const OF_CREDENTIALS: [&str; 4] = ["old_secret", "endless_secret", "ends_soon", "ended_credential_presented"];

pub(super) async fn page(visit: &ConsoleVisit<'_>) -> PageResult {
    let (tenant, cursor) = (visit.tenant(), visit.parameter("cursor"));
    let found =
        visit.administrator().of(&visit.caller, &tenant).advice(cursor.as_deref(), APPLICATIONS).await;
    let blocks = match found {
        // The tenant of the platform's own applications begins with the first of them.
        Err(EditError::NotFound(_)) if visit.place == VisitedPlace::Platform => vec![none()],
        found => match outcome(found)? {
            Ok(list) => shown(visit, &list),
            Err(refused) => vec![refused.alert()],
        },
    };
    Ok(visit.show_part("Overview", heading(visit), tabs(visit, "Advice"), blocks))
}

fn shown(visit: &ConsoleVisit<'_>, list: &AdviceList) -> Vec<Block> {
    let mut blocks = Vec::new();
    if list.is_too_early_for_usage {
        let text = "Usage was counted for less than 30 days: nothing is said of what is not used.";
        blocks.push(Block::Note(Meaning::Info, text.to_owned()));
    }
    if list.items.is_empty() {
        blocks.push(none());
    } else {
        blocks.push(advice(visit, &list.items));
    }
    let url = visit.path("/advice");
    blocks.extend(pager(&url, None, list.next_cursor.as_deref()).map(Block::Pager));
    blocks
}

fn none() -> Block {
    empty("No advice", "Nothing needs attention here.", None)
}

fn advice(visit: &ConsoleVisit<'_>, items: &[AdviceView]) -> Block {
    let row = |advice: &AdviceView| {
        let about = match &*advice.subject {
            "" => Value::Text("the tenant".to_owned()),
            subject if OF_CREDENTIALS.contains(&&*advice.rule) => {
                let (client, _) = subject.rsplit_once('/').unwrap_or((subject, ""));
                link(subject, visit.application(client, "/credentials"))
            }
            client => link(client, visit.application(client, "")),
        };
        vec![
            about,
            Value::Text(advice.rule.replace('_', " ")),
            Value::Text(advice.evidence.clone()),
            Value::Text(advice.action.clone()),
        ]
    };
    table("Advice", ["About", "Rule", "Why", "What to do"], items.iter().map(row))
}
