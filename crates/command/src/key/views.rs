//! Signing keys as people see them.

use administration::documents;
use administration::documents::KeyView;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::output::{DocumentTable, details, readable, table};

/// A signing key with its public half.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeyDocument {
    #[serde(flatten)]
    pub(crate) key: KeyView,
    #[serde(flatten)]
    pub(crate) public: documents::PublicKeyView,
}

const COLUMNS: DocumentTable = DocumentTable {
    none: "No keys. The first token creates one.",
    columns: "kid, algorithm, state, announced_at, active_from as SIGNS FROM or never, \
              retiring_from as SIGNS UNTIL or -, removed_at as PUBLISHED UNTIL or -",
};

pub(super) fn rows(keys: &[KeyView]) -> String {
    let row = |key: &KeyView| {
        let mut row = json!(key);
        if key.destroyed {
            row["state"] = json!(format!("{}, destroyed", key.state));
        }
        let has_signed = key.state != "removed" || key.retiring_from.is_some();
        row["active_from"] = json!(has_signed.then(|| readable(key.active_from.0)));
        row["retiring_from"] = json!(key.retiring_from.map(|at| readable(at.0)));
        row
    };
    COLUMNS.table(&keys.iter().map(row).collect::<Vec<_>>())
}

/// Lists all keys, and says when and why the next key begins to sign.
pub(super) fn rotated(keys: &[KeyView]) -> String {
    let mut text = rows(keys);
    let announced = keys.iter().filter(|key| key.state == "announced");
    if let Some(KeyView { kid, active_from, .. }) = announced.min_by_key(|key| (key.active_from.0, &key.kid))
    {
        text.push_str(&format!(
            "\n{kid} will sign from {}. Until then it is only published: for the duration of `signing.publish_before`, and \
                 until cached key sets with a longer `jwks_max_age` have expired.\n",
            readable(active_from.0)
        ));
    }
    text
}

pub(super) fn shown(shown: &KeyDocument) -> String {
    format!("{}\n{}\n", details(&shown.key), shown.public.pem.trim_end())
}

pub(super) fn status(status: &documents::KeyStatusView) -> String {
    let documents::KeyStatusView { signing, announced, seen_by_all, due_at, unopened, verifiers } = status;
    let mut text = match signing {
        Some(key) => {
            format!("{} signs ({}, since {}).\n", key.kid, key.algorithm, readable(key.active_from.0))
        }
        None => "No key signs yet. The first token creates one.\n".to_owned(),
    };
    if let Some(KeyView { kid, active_from, .. }) = announced {
        text.push_str(&format!("{kid} is announced and will sign from {}.\n", readable(active_from.0)));
    }
    text.push_str(match seen_by_all {
        Some(true) => "All verifiers that poll have fetched the announced key, so it can safely sign.\n",
        Some(false) => "Some verifiers that poll have not fetched the announced key yet.\n",
        None if announced.is_some() => "Latchkey does not know whether all verifiers have the announced key, so it does not wait for them.\n",
        None => "",
    });
    for documents::UnopenedKeyView { kid, problem } in unopened {
        text.push_str(&format!("cannot open {kid}: {problem}.\n"));
    }
    if let Some(due_at) = due_at {
        text.push_str(&format!("Next automatic step: {}.\n", readable(due_at.0)));
    }
    let row = |verifier: &documents::VerifierView| {
        let documents::VerifierView { verifier, last_fetch_at, newest_kid, has_announced } = verifier;
        let has = match announced {
            Some(_) if *has_announced => "yes",
            Some(_) => "no",
            None => "-",
        };
        vec![verifier.clone(), readable(last_fetch_at.0), newest_kid.clone(), has.to_owned()]
    };
    let head = ["VERIFIER", "LAST FETCH", "NEWEST KEY", "HAS ANNOUNCED KEY"];
    let none = "No verifier has fetched the keys recently. A fetch can take ten seconds to appear here.";
    text + "\n" + &table(none, &head, verifiers.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use values::Timestamp;

    use super::*;

    fn key(number: u64, state: &str, from: u64, ends: [Option<u64>; 2]) -> KeyView {
        let at = |day: u64| Timestamp::from_seconds(day * 86_400).into();
        let [retiring_from, removed_at] = ends.map(|end| end.map(at));
        KeyView {
            kid: format!("oauth2-key-{number}"),
            algorithm: "ES256".to_owned(),
            state: state.to_owned(),
            thumbprint: String::new(),
            announced_at: at(0),
            active_from: at(from),
            retiring_from,
            removed_at,
            destroyed: number == 1,
        }
    }

    #[test]
    fn key_removed_before_signing_never_signs() {
        let removed = [key(1, "removed", 1, [Some(2), Some(2)]), key(2, "removed", 9, [None, Some(2)])];
        insta::assert_snapshot!(rotated(&removed), @r"
        KID           ALGORITHM  STATE               ANNOUNCED             SIGNS FROM            SIGNS UNTIL           PUBLISHED UNTIL
        oauth2-key-1  ES256      removed, destroyed  1970-01-01 00:00 UTC  1970-01-02 00:00 UTC  1970-01-03 00:00 UTC  1970-01-03 00:00 UTC
        oauth2-key-2  ES256      removed             1970-01-01 00:00 UTC  never                 -                     1970-01-03 00:00 UTC
        ");
    }

    #[test]
    fn rotation_shows_when_the_next_key_signs() {
        let keys = [key(3, "active", 1, [Some(9), Some(10)]), key(4, "announced", 9, [None, None])];
        let text = rotated(&keys);
        assert!(text.starts_with(&rows(&keys)), "{text}");
        assert!(text.contains("\noauth2-key-4 will sign from 1970-01-10 00:00 UTC."), "{text}");
        assert!(text.contains("`signing.publish_before`"), "{text}");
    }
}
