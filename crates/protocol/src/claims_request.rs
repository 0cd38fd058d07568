//! The parameter `claims` (OpenID Connect Core §5.5): claims that a client requests individually.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// Bytes.
const LONGEST: usize = 4 * 1_024;

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "ClaimPlaces")]
pub struct ClaimsRequest {
    pub userinfo: BTreeMap<String, RequestedClaim>,
    pub id_token: BTreeMap<String, RequestedClaim>,
}

/// If a member is missing or null, the claim is voluntary and may have any value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct RequestedClaim {
    /// "Essential" in OpenID Connect Core §5.5.1: the client's service depends on the claim.
    #[serde(default)]
    pub essential: bool,
    value: Option<Value>,
    values: Option<Vec<Value>>,
}

/// The JSON of the parameter. Unknown members are ignored.
#[derive(Deserialize)]
struct ClaimPlaces {
    userinfo: Option<BTreeMap<String, Option<RequestedClaim>>>,
    id_token: Option<BTreeMap<String, Option<RequestedClaim>>>,
}

impl ClaimsRequest {
    /// `None` if the text is too long, or does not have the form of OpenID Connect Core §5.5.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let request: Self = serde_json::from_str(text).ok()?;
        let names_people = request.subjects().all(Value::is_string);
        names_people.then_some(request)
    }

    /// Whether the client accepts this person as the signed-in person. Returns true if the request
    /// names no person, and false if it names two different persons.
    #[must_use]
    pub fn expects(&self, sub: &str) -> bool {
        self.subjects().all(|expected| expected == sub)
    }

    /// The authentication context classes, one of which the client demands. `None` if the client
    /// accepts any.
    #[must_use]
    pub fn demanded_acr(&self) -> Option<Vec<&str>> {
        let acr = self.id_token.get("acr").filter(|acr| acr.essential)?;
        let values: Vec<_> = acr.accepted().filter_map(Value::as_str).collect();
        (!values.is_empty()).then_some(values)
    }

    fn subjects(&self) -> impl Iterator<Item = &Value> {
        let places = [&self.id_token, &self.userinfo];
        places.into_iter().filter_map(|claims| claims.get("sub")?.value.as_ref())
    }
}

impl RequestedClaim {
    fn accepted(&self) -> impl Iterator<Item = &Value> {
        self.value.iter().chain(self.values.iter().flatten())
    }
}

impl From<ClaimPlaces> for ClaimsRequest {
    fn from(places: ClaimPlaces) -> Self {
        let claims = |place: Option<BTreeMap<String, Option<RequestedClaim>>>| {
            let claims = place.unwrap_or_default().into_iter();
            claims.map(|(name, claim)| (name, claim.unwrap_or_default())).collect()
        };
        Self { userinfo: claims(places.userinfo), id_token: claims(places.id_token) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [core Core §5.5]: `claims`: claims for userinfo and for the ID token, voluntary and essential
    #[test]
    fn claims_are_read_for_userinfo_and_id_token() {
        let text = r#"{"userinfo":{"name":{"essential":true},"email":null,"https://a.example/x":{}},
                       "id_token":{"auth_time":{"essential":true},"acr":{"values":["a","b"]}},"other":1}"#;
        let request = ClaimsRequest::parse(text).unwrap();
        assert!(request.userinfo["name"].essential && !request.userinfo["email"].essential);
        assert_eq!((request.userinfo.len(), request.id_token.len()), (3, 2));
        assert_eq!(request.demanded_acr(), None, "a wish");
        for empty in ["{}", r#"{"userinfo":null}"#, r#"{"id_token":{}}"#] {
            assert_eq!(ClaimsRequest::parse(empty), Some(ClaimsRequest::default()), "{empty}");
        }
    }

    #[test]
    fn essential_acr_and_expected_sub_are_read() {
        for (acr, expected) in [
            (r#"{"essential":true,"values":["a","b"]}"#, Some(vec!["a", "b"])),
            (r#"{"essential":true,"value":"a"}"#, Some(vec!["a"])),
            (r#"{"essential":true}"#, None),
            (r#"{"essential":false,"value":"a"}"#, None),
            ("null", None),
        ] {
            let request = ClaimsRequest::parse(&format!(r#"{{"id_token":{{"acr":{acr}}}}}"#)).unwrap();
            assert_eq!(request.demanded_acr(), expected, "{acr}");
        }
        let of = |text: &str| ClaimsRequest::parse(text).unwrap();
        assert!(of("{}").expects("usr_a"));
        let one = of(r#"{"id_token":{"sub":{"value":"usr_a"}}}"#);
        assert!(one.expects("usr_a") && !one.expects("usr_b"));
        let two = of(r#"{"id_token":{"sub":{"value":"usr_a"}},"userinfo":{"sub":{"value":"usr_b"}}}"#);
        assert!(!two.expects("usr_a") && !two.expects("usr_b"));
    }

    #[test]
    fn malformed_claims_requests_are_refused() {
        let long = format!(r#"{{"userinfo":{{"{}":null}}}}"#, "a".repeat(LONGEST));
        let deep = format!(r#"{{"userinfo":{{"a":{{"value":{}1{}}}}}}}"#, "[".repeat(200), "]".repeat(200));
        let bad = r#"a [] null {"userinfo":[]} {"userinfo":{"name":true}} {"userinfo":{"name":{"essential":"yes"}}}
            {"id_token":{"acr":{"values":"a"}}} {"id_token":{"sub":{"value":1}}}"#;
        for bad in bad.split_whitespace().chain(["", &long, &deep]) {
            assert_eq!(ClaimsRequest::parse(bad), None, "{bad}");
        }
    }
}
