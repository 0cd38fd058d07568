//! The request of a sign-in: an application to begin with, or a flow to go on with, and the user's inputs.

use std::collections::BTreeMap;
use std::fmt;

use protocol::{Secret, steps};
use schemars::JsonSchema;
use secrets::MAX_SECRET_LENGTH;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use crate::thunder::{Spelling, ThunderError, code};

/// A sign-in: with `applicationId` and `flowType` to begin, with `flowId` to go on. Other members are ignored.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FlowRequest {
    /// One of `admin.applications` in the operator's settings.
    #[serde(default)]
    #[schemars(example = &"550e8400-e29b-41d4-a716-446655440000")]
    application_id: Option<String>,
    /// Always `AUTHENTICATION`.
    #[serde(default)]
    #[schemars(example = &"AUTHENTICATION")]
    flow_type: Option<String>,
    /// Of the answer before.
    #[serde(default)]
    flow_id: Option<String>,
    /// The name of `flowId` in the current generation.
    #[serde(default)]
    execution_id: Option<String>,
    /// `username`, `password` and `requested_permissions`.
    #[serde(default)]
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    inputs: Option<Inputs>,
}

/// The first or a later request of a flow.
pub(super) enum Opening<'a> {
    /// The flow begins at this application.
    Begins(&'a str),
    /// The flow with this identifier goes on.
    GoesOn(&'a str),
}

/// All inputs.
pub(super) struct Credentials {
    pub(super) username: String,
    pub(super) password: Secret,
    /// Separated by spaces.
    pub(super) requested: String,
}

/// The user's inputs. Some callers send a list where others send one text.
#[derive(Default)]
struct Inputs {
    username: Option<String>,
    password: Option<Secret>,
    requested: String,
}

impl FlowRequest {
    pub(super) fn parse(body: &[u8]) -> Result<Self, ThunderError> {
        // The parser's message could repeat an input. It would also read a list as the members in their order.
        let object = if body.trim_ascii_start().starts_with(b"{") { body } else { &[] };
        serde_json::from_slice(object).map_err(|_| {
            ThunderError::new(
                code::INVALID_PAYLOAD,
                "The request body must be a JSON object with applicationId, flowType and inputs",
            )
        })
    }

    /// The current generation names the flow `executionId`.
    pub(super) fn spelling(&self) -> Spelling {
        if self.execution_id.is_some() { Spelling::Camel } else { Spelling::Snake }
    }

    /// Whether this is the first request of a flow. The caller's generation is unknown then.
    pub(super) fn is_first(&self) -> bool {
        self.flow().is_none()
    }

    pub(super) fn opening(&self) -> Result<Opening<'_>, ThunderError> {
        if let Some(flow) = self.flow() {
            return Ok(Opening::GoesOn(flow));
        }
        let application = self.application_id.as_deref().filter(|id| !id.is_empty());
        let application = application.ok_or_else(invalid_application)?;
        match self.flow_type.as_deref().unwrap_or_default() {
            "AUTHENTICATION" => Ok(Opening::Begins(application)),
            "REGISTRATION" => Err(ThunderError::new(
                code::REGISTRATION_NOT_ALLOWED,
                "Nobody can register here; the operator declares who may sign in",
            )),
            "RECOVERY" => Err(ThunderError::new(
                code::RECOVERY_NOT_ALLOWED,
                "Nothing can be recovered here; the operator declares who may sign in",
            )),
            _ => Err(ThunderError::new(code::INVALID_FLOW_TYPE, "flowType must be AUTHENTICATION")),
        }
    }

    /// The inputs, or the names of the missing ones. An empty text counts as missing.
    pub(super) fn credentials(self) -> Result<Credentials, Vec<&'static str>> {
        let Inputs { username, password, requested } = self.inputs.unwrap_or_default();
        match (username, password) {
            (Some(username), Some(password)) => Ok(Credentials { username, password, requested }),
            (username, password) => {
                let inputs = [("username", username.is_none()), ("password", password.is_none())];
                Err(inputs.into_iter().filter_map(|(name, missing)| missing.then_some(name)).collect())
            }
        }
    }

    fn flow(&self) -> Option<&str> {
        let flow = self.execution_id.as_deref().or(self.flow_id.as_deref());
        flow.filter(|flow| !flow.is_empty())
    }
}

pub(super) fn invalid_application() -> ThunderError {
    ThunderError::new(
        code::UNKNOWN_APPLICATION,
        "applicationId must be one of admin.applications in the operator's settings",
    )
}

pub(super) fn invalid_flow() -> ThunderError {
    ThunderError::new(code::UNKNOWN_FLOW, "No such sign-in is under way; begin again with applicationId")
}

impl<'de> Deserialize<'de> for Inputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InputsVisitor)
    }
}

struct InputsVisitor;

impl<'de> Visitor<'de> for InputsVisitor {
    type Value = Inputs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("inputs by their names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Inputs, A::Error> {
        let mut inputs = Inputs::default();
        let (mut snake, mut camel) = (None, None);
        let typed = |text: &String| !text.is_empty();
        while let Some(name) = map.next_key::<String>()? {
            steps::note(name.len());
            match name.as_str() {
                "username" => inputs.username = map.next_value_seed(Input::Whole)?.filter(typed),
                "password" => {
                    inputs.password = map.next_value_seed(Input::Whole)?.filter(typed).map(Secret::new);
                }
                "requested_permissions" => snake = map.next_value_seed(Input::Whole)?,
                "requestedPermissions" => camel = map.next_value_seed(Input::Whole)?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        inputs.requested = snake.or(camel).unwrap_or_default();
        Ok(inputs)
    }
}

/// A text, or a list of texts, joined by spaces. Anything else counts as absent.
#[derive(Clone, Copy)]
enum Input {
    Whole,
    Item,
}

impl<'de> DeserializeSeed<'de> for Input {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<String>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Input {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an input")
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<String>, E> {
        steps::note(text.len());
        Ok(Some(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Option<String>, A::Error> {
        // No valid password is longer, so that none is copied as the text grows.
        let mut joined = Zeroizing::new(String::with_capacity(MAX_SECRET_LENGTH));
        let (mut is_first, mut is_text) = (true, matches!(self, Self::Whole));
        while let Some(item) = sequence.next_element_seed(Self::Item)? {
            steps::note(1 + item.as_ref().map_or(0, String::len));
            is_text &= item.is_some();
            if !std::mem::take(&mut is_first) {
                joined.push(' ');
            }
            joined.push_str(&Zeroizing::new(item.unwrap_or_default()));
        }
        Ok(is_text.then(|| std::mem::take(&mut *joined)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<String>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            steps::note(1);
        }
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Option<String>, E> {
        Ok(None)
    }
}

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_never_printed() {
        let body = r#"{"inputs":{"username":"canary-name","password":"canary-word"}}"#;
        let request = FlowRequest::parse(body.as_bytes()).unwrap();
        assert!(!format!("{request:?}").contains("canary"));
    }

    #[test]
    fn the_missing_inputs_are_named() {
        for (inputs, missing) in [
            ("{}", vec!["username", "password"]),
            (r#"{"username":"a"}"#, vec!["password"]),
            (r#"{"username":"","password":"b"}"#, vec!["username"]),
            (r#"{"username":5,"password":"b"}"#, vec!["username"]),
        ] {
            let request = FlowRequest::parse(format!("{{\"inputs\":{inputs}}}").as_bytes()).unwrap();
            assert_eq!(request.credentials().err(), Some(missing), "{inputs}");
        }
    }

    #[test]
    fn only_texts_and_lists_of_texts_are_inputs_and_the_last_one_counts() {
        for (inputs, password) in [
            (r#""password":["a","b"]"#, Some("a b")),
            (r#""password":["a",7]"#, None),
            (r#""password":[["a"]]"#, None),
            (r#""password":{"a":"b"}"#, None),
            (r#""password":null"#, None),
            (r#""password":1.5,"other":[{"a":[true]}]"#, None),
            (r#""password":"a","password":"b""#, Some("b")),
            (r#""password":"a","password":-1"#, None),
        ] {
            let request = FlowRequest::parse(format!("{{\"inputs\":{{{inputs}}}}}").as_bytes()).unwrap();
            let found = request.inputs.unwrap_or_default().password;
            assert_eq!(found.as_ref().map(Secret::expose), password, "{inputs}");
        }
    }

    #[test]
    fn the_work_is_linear_and_the_memory_near_the_input() {
        for (open, item, close) in [
            (r#"{"inputs":{"requested_permissions":["#, r#""","#, "]}}"),
            (r#"{"inputs":{"requested_permissions":["#, r#"{"a":0},"#, "]}}"),
            (r#"{"inputs":{"other":["#, "0,", "]}}"),
            (r#"{"inputs":{"#, r#""a":[0],"#, "}}"),
            (r#"{"other":["#, "[],", "]}"),
            (r#"{"#, r#""a":{"a":0},"#, "}"),
        ] {
            let bodies = [32, 64].map(|kib: usize| {
                let items = item.repeat((kib * 1024 - open.len() - close.len()) / item.len());
                format!("{open}{}{close}", items.trim_end_matches(','))
            });
            if open.contains("inputs") {
                steps::assert_linear("sign-in", bodies.each_ref().map(String::as_bytes), |body| {
                    drop(FlowRequest::parse(body));
                });
            }
            for body in bodies {
                let allocated =
                    allocation_counter::measure(|| drop(FlowRequest::parse(body.as_bytes()).unwrap()));
                assert!(
                    allocated.bytes_total <= 16 * body.len() as u64,
                    "{allocated:?} for {}: {item}",
                    body.len()
                );
            }
        }
    }

    #[test]
    fn permissions_come_as_a_text_or_a_list() {
        for requested in [r#""system other""#, r#"["system","other"]"#] {
            let body = format!(
                r#"{{"inputs":{{"username":"a","password":"b","requested_permissions":{requested}}}}}"#
            );
            let request = FlowRequest::parse(body.as_bytes()).unwrap();
            assert_eq!(request.credentials().ok().unwrap().requested, "system other");
        }
    }

    #[test]
    fn a_sign_in_leaves_no_password_in_memory() {
        for (before, after, tag) in [
            (r#"{"inputs":{"username":"a","password":""#, r#""}}"#, 'U'),
            (r#"{"inputs":{"password":["a",""#, r#""]}}"#, 'V'),
            (r#"{"inputs":{"password":""#, r#"","username":7,"#, 'W'),
            (r#"{"inputs":{"password":[""#, r#"",{}]},"flowType":1}"#, 'X'),
            (r#"{"inputs":{"password":""#, r#"","password":"b"}}"#, 'Y'),
        ] {
            let mut body = Zeroizing::new(String::with_capacity(1024));
            body.push_str(before);
            body.push_str(&Zeroizing::new(testkit::canary(tag)));
            body.push_str(after);
            let _ = FlowRequest::parse(body.as_bytes()).map(FlowRequest::credentials);
        }
        let found = testkit::leftovers();
        assert!(!found.iter().any(|tag| "UVWXY".contains(*tag)), "{found:?}");
    }
}
