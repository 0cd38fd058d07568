//! JSON merge patch: a member changes if the patch names it, null removes a member, and all others stay (RFC
//! 7396 §2).

use protocol::StaticClaims;
use serde_json::{Map, Value};

/// Applies a patch. The number of a claim, which may be held as an object, is replaced as a whole.
#[must_use]
pub fn merge_patch(target: Value, patch: Value) -> Value {
    let is_number = [&target, &patch].into_iter().any(|value| StaticClaims::characters(value).is_some());
    let Value::Object(patch) = patch else { return patch };
    let mut merged = match target {
        Value::Object(members) if !is_number => members,
        _ => Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            merged.remove(&name);
        } else {
            let before = merged.remove(&name).unwrap_or(Value::Null);
            merged.insert(name, merge_patch(before, value));
        }
    }
    Value::Object(merged)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The cases of RFC 7396, appendix A.
    #[test]
    fn merge_patch_follows_rfc_7396() {
        for (target, patch, merged) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!({"a":"b"}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!({"c":{"from":"x"}}), json!({"c":{"number":"1e3"}}), json!({"c":{"number":"1e3"}})),
            (json!({"c":{"number":"1e3"}}), json!({"c":{"from":"x"}}), json!({"c":{"from":"x"}})),
        ] {
            assert_eq!(merge_patch(target, patch), merged);
        }
    }
}
