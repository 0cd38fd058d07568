//! Entity tags: a digest of the document that shows a row. All replicas give a row the same tag (RFC 9110
//! §8.8.3).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::Value;

/// A strong entity tag, without its quotes.
#[derive(Clone, Debug, derive_more::Display, PartialEq, Eq)]
#[display("\"{_0}\"")]
pub struct EntityTag(String);

impl EntityTag {
    #[must_use]
    pub fn from_document(document: &impl Serialize) -> Self {
        let mut text = serde_json::to_vec(document).expect("documents are plain JSON");
        // Using a credential does not change its row.
        if let Ok(Value::Object(mut members)) = serde_json::from_slice(&text)
            && members.remove("used_from").is_some()
        {
            for of_uses in ["last_used_at", "presented_after_end_at"] {
                members.remove(of_uses);
            }
            text = Value::Object(members).to_string().into_bytes();
        }
        Self(URL_SAFE_NO_PAD.encode(&digest(&SHA256, &text).as_ref()[..16]))
    }

    /// Whether the value of `If-Match` contains the tag: the value is `*`, or a list of quoted tags. Weak
    /// tags never match (RFC 9110 §13.1.1).
    #[must_use]
    pub fn matches(&self, if_match: &str) -> bool {
        if_match.split(',').map(str::trim).any(|tag| {
            tag == "*" || tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) == Some(&self.0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_matches_itself_alone_or_in_list() {
        let tag = EntityTag::from_document(&"a");
        let other = EntityTag::from_document(&"b");
        for (if_match, expected) in [
            (tag.to_string(), true),
            ("*".to_owned(), true),
            (format!("{other}, {tag}"), true),
            (other.to_string(), false),
            (format!("W/{tag}"), false),
            (tag.0.clone(), false),
            (String::new(), false),
        ] {
            assert_eq!(tag.matches(&if_match), expected, "{if_match}");
        }
    }
}
