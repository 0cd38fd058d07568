//! A request to the admin API: method, path and body.

use administration::documents::Wiped;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde::Serialize;
use serde_json::Value;
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

use super::error::AdminApiError;

/// The unreserved characters (RFC 3986 §2.3) are not escaped in paths.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(crate) struct ApiRequest {
    pub(super) method: Method,
    /// The path with the query.
    pub(super) path: String,
    /// May contain a secret.
    pub(super) body: Option<Wiped>,
    /// Lines of JSON instead of a document.
    pub(super) lines: Option<Zeroizing<Vec<u8>>>,
    /// Whether the request changes nothing, so that a read-only store can answer it.
    pub(super) only_reads: bool,
    /// Whether the client also authenticates in the request, if its credential is known here.
    pub(super) authenticates: bool,
}

impl ApiRequest {
    const fn new(method: Method, path: String) -> Self {
        Self { method, path, body: None, lines: None, only_reads: false, authenticates: false }
    }

    pub(crate) fn get(path: String) -> Self {
        Self { only_reads: true, ..Self::new(Method::GET, path) }
    }

    pub(crate) const fn delete(path: String) -> Self {
        Self::new(Method::DELETE, path)
    }

    pub(crate) fn patch(path: String, merge_patch: Value) -> Self {
        Self { body: Some(Wiped::new(merge_patch)), ..Self::new(Method::PATCH, path) }
    }

    /// `()` means no body. Members that are null are left out: null is the default, and a tenant's
    /// administrator must not even name members that only others may set.
    pub(crate) fn post(path: String, body: &impl Serialize) -> Self {
        let mut body = Wiped::new(serde_json::to_value(body).expect("documents are plain JSON"));
        drop_nulls(&mut body);
        Self { body: (!body.is_null()).then_some(body), ..Self::new(Method::POST, path) }
    }

    /// A request without a document, in which the client also authenticates.
    pub(crate) fn authenticated(path: String) -> Self {
        Self { authenticates: true, ..Self::post(path, &()) }
    }

    /// A request whose body is lines of JSON.
    pub(crate) fn lines(path: String, lines: Zeroizing<Vec<u8>>) -> Self {
        Self { lines: Some(lines), ..Self::new(Method::POST, path) }
    }

    /// A request that reads, with its parameters as a document.
    pub(crate) fn question(path: String, body: &impl Serialize) -> Self {
        Self { only_reads: true, ..Self::post(path, body) }
    }

    /// Refuses a path with an empty name, which no row can have. Over HTTP it also refuses the names `.` and
    /// `..`: URLs drop these segments (RFC 3986 §5.2.4), so the request would change another row.
    pub(super) fn check_path(&self, over_http: bool) -> Result<(), AdminApiError> {
        let path = self.path.split('?').next().unwrap_or_default();
        let mut collection = "";
        for segment in path.split('/').skip(1) {
            if segment.is_empty() || (over_http && matches!(segment, "." | "..")) {
                let row = collection.trim_end_matches('s');
                return Err(AdminApiError::NotFound(format!("no {row} has this id")));
            }
            collection = segment;
        }
        Ok(())
    }
}

/// Escapes a name as one segment of a path.
pub(crate) fn segment(name: &str) -> String {
    utf8_percent_encode(name, UNRESERVED).to_string()
}

/// A path with those parameters that have a value.
pub(crate) fn with_query(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    let given = parameters.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    format!("{path}?{}", Serializer::new(String::new()).extend_pairs(given).finish())
}

fn drop_nulls(value: &mut Value) {
    if let Value::Object(members) = value {
        members.retain(|_, member| !member.is_null());
        members.values_mut().for_each(drop_nulls);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn path_segments_are_escaped() {
        for (name, expected) in
            [("svc", "svc"), ("a/b", "a%2Fb"), ("a b?c#d", "a%20b%3Fc%23d"), ("é", "%C3%A9"), ("..a", "..a")]
        {
            assert_eq!(segment(name), expected, "{name}");
            let request = ApiRequest::get(format!("/clients/{}/secrets", segment(name)));
            assert!(request.check_path(true).is_ok(), "{name}");
        }
        for (name, in_process) in [("..", true), (".", true), ("", false)] {
            for (path, what) in
                [(format!("/clients/{name}?a=.."), "client"), (format!("/c/a/secrets/{name}"), "secret")]
            {
                let request = ApiRequest::get(path);
                let refused = request.check_path(true).unwrap_err();
                assert_eq!(refused.to_string(), format!("no {what} has this id"));
                assert_eq!(request.check_path(false).is_ok(), in_process, "{name}");
            }
        }
    }

    #[test]
    fn nulls_and_empty_parameters_are_omitted() {
        let request = ApiRequest::post(String::new(), &json!({"a": null, "b": {"c": null, "d": [null]}}));
        assert_eq!(**request.body.as_ref().unwrap(), json!({"b": {"d": [null]}}));
        assert!(ApiRequest::post(String::new(), &()).body.is_none());
        let query = with_query("/x", &[("a", Some("b c&d".to_owned())), ("e", None)]);
        assert_eq!(query, "/x?a=b+c%26d");
    }
}
