//! Signing keys as people see them.

use administration::{KeyStatusView, KeyView, PublicKeyView, UnopenedKeyView, VerifierView};
use serde::{Deserialize, Serialize};

use crate::command::output::{Columns, details, table};

/// A signing key with its public half.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeyDocument {
    #[serde(flatten)]
    pub(crate) key: KeyView,
    #[serde(flatten)]
    pub(crate) public: PublicKeyView,
}

const COLUMNS: Columns = Columns {
    none: "No keys: one is made when it is first needed.",
    columns: &[
        ("KID", "kid", ""),
        ("ALGORITHM", "algorithm", ""),
        ("STATE", "state", ""),
        ("ANNOUNCED", "announced_at", ""),
        ("SIGNS FROM", "active_from", ""),
        ("SIGNS UNTIL", "retiring_from", "-"),
        ("PUBLISHED UNTIL", "removed_at", "-"),
    ],
};

pub(super) fn rows(keys: &[KeyView]) -> String {
    let mut keys = keys.to_vec();
    for key in keys.iter_mut().filter(|key| key.destroyed) {
        key.state.push_str(", destroyed");
    }
    COLUMNS.table(&keys)
}

pub(super) fn shown(shown: &KeyDocument) -> String {
    format!("{}\n{}\n", details(&shown.key), shown.public.pem.trim_end())
}

pub(super) fn status(status: &KeyStatusView) -> String {
    let KeyStatusView { signing, announced, seen_by_all, due_at, unopened, verifiers } = status;
    let mut text = match signing {
        Some(key) => {
            format!("{} signs ({}, since {}).\n", key.kid, key.algorithm, key.active_from.0.to_rfc3339())
        }
        None => "No key signs: one is made when it is first needed.\n".to_owned(),
    };
    if let Some(KeyView { kid, active_from, .. }) = announced {
        text.push_str(&format!("{kid} is announced and signs from {} on.\n", active_from.0.to_rfc3339()));
    }
    text.push_str(match seen_by_all {
        Some(true) => "All verifiers that poll have fetched it: it is safe for it to sign.\n",
        Some(false) => "Not all verifiers that poll have fetched it yet.\n",
        None if announced.is_some() => "Whether verifiers lack it is not known, so it waits for none.\n",
        None => "",
    });
    for UnopenedKeyView { kid, problem } in unopened {
        text.push_str(&format!("{kid} cannot be opened: {problem}.\n"));
    }
    if let Some(due_at) = due_at {
        text.push_str(&format!("Next automatic step: {}.\n", due_at.0.to_rfc3339()));
    }
    let row = |verifier: &VerifierView| {
        let VerifierView { verifier, last_fetch_at, newest_kid, has_announced } = verifier;
        let has = match announced {
            Some(_) if *has_announced => "yes",
            Some(_) => "no",
            None => "-",
        };
        vec![verifier.clone(), last_fetch_at.0.to_rfc3339(), newest_kid.clone(), has.to_owned()]
    };
    let head = ["VERIFIER", "LAST FETCH", "NEWEST KEY", "HAS ANNOUNCED"];
    let none = "No verifier has fetched the keys lately; a fetch may take ten seconds to appear here.";
    text + "\n" + &table(none, &head, verifiers.iter().map(row).collect())
}
