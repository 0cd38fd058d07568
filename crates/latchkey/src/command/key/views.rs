//! Signing keys as people see them.

use administration::{KeyStatusView, KeyView, UnopenedKeyView, VerifierView};
use protocol::Timestamp;

use crate::admin_client::KeyDocument;
use crate::command::output::{details, table};

pub(super) fn rows(keys: &[KeyView]) -> String {
    let row = |key: &KeyView| {
        vec![
            key.kid.clone(),
            key.algorithm.clone(),
            if key.destroyed { format!("{}, destroyed", key.state) } else { key.state.clone() },
            key.announced_at.to_rfc3339(),
            key.active_from.to_rfc3339(),
            or_dash(key.retiring_from),
            or_dash(key.removed_at),
        ]
    };
    let head = ["KID", "ALGORITHM", "STATE", "ANNOUNCED", "SIGNS FROM", "SIGNS UNTIL", "PUBLISHED UNTIL"];
    table("No keys: one is made when it is first needed.", &head, keys.iter().map(row).collect())
}

pub(super) fn shown(shown: &KeyDocument) -> String {
    let key = details(&serde_json::to_value(&shown.key).expect("documents are plain JSON"));
    format!("{key}\n{}\n", shown.public.pem.trim_end())
}

pub(super) fn status(status: &KeyStatusView) -> String {
    let KeyStatusView { signing, announced, seen_by_all, due_at, unopened, verifiers } = status;
    let mut text = match signing {
        Some(key) => {
            format!("{} signs ({}, since {}).\n", key.kid, key.algorithm, key.active_from.to_rfc3339())
        }
        None => "No key signs: one is made when it is first needed.\n".to_owned(),
    };
    if let Some(key) = announced {
        text.push_str(&format!(
            "{} is announced and signs from {} on.\n",
            key.kid,
            key.active_from.to_rfc3339()
        ));
    }
    match seen_by_all {
        Some(true) => text.push_str("All verifiers that poll have fetched it: it is safe for it to sign.\n"),
        Some(false) => text.push_str("Not all verifiers that poll have fetched it yet.\n"),
        None if announced.is_some() => {
            text.push_str("Whether verifiers lack it is not known, so it waits for none.\n");
        }
        None => {}
    }
    for UnopenedKeyView { kid, problem } in unopened {
        text.push_str(&format!("{kid} cannot be opened: {problem}.\n"));
    }
    if let Some(due_at) = due_at {
        text.push_str(&format!("The keys are looked at next at {}.\n", due_at.to_rfc3339()));
    }
    let row = |verifier: &VerifierView| {
        let VerifierView { verifier, last_fetch_at, newest_kid, has_announced } = verifier;
        let has = match announced {
            Some(_) if *has_announced => "yes",
            Some(_) => "no",
            None => "-",
        };
        vec![verifier.clone(), last_fetch_at.to_rfc3339(), newest_kid.clone(), has.to_owned()]
    };
    let head = ["VERIFIER", "LAST FETCH", "NEWEST KEY", "HAS ANNOUNCED"];
    text.push('\n');
    text.push_str(&table(
        "No verifier has fetched the keys of late.",
        &head,
        verifiers.iter().map(row).collect(),
    ));
    text
}

fn or_dash(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), Timestamp::to_rfc3339)
}
