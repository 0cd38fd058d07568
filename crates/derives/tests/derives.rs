//! Tests the JSON that the derives write and read.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use derives::{DeserializeFromStr, SerializeDisplay, skip_serializing_none};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A number with `#` in front of it.
#[derive(Debug, PartialEq, SerializeDisplay, DeserializeFromStr)]
pub(crate) struct Signed(u8);

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl FromStr for Signed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_prefix('#').and_then(|number| number.parse().ok());
        number.map(Self).ok_or_else(|| format!("{text} has no sign"))
    }
}

#[skip_serializing_none]
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Document<'a> {
    /// A comment, with a comma: and a colon.
    #[serde(rename = "first", skip_deserializing)]
    pub(crate) one: Option<u8>,
    maps: Option<BTreeMap<String, Option<u8>>>,
    map: BTreeMap<String, Option<u8>>,
    text: std::borrow::Cow<'a, str>,
    list: Vec<Option<u8>>,
    r#type: Option<&'a str>,
}

#[test]
fn only_none_members_are_omitted() {
    let empty = serde_json::to_value(Document::default()).unwrap();
    assert_eq!(empty, json!({"map": {}, "text": "", "list": []}));
    let none = BTreeMap::from([("a".to_owned(), None)]);
    let whole = Document {
        one: Some(1),
        maps: Some(none.clone()),
        map: none,
        text: "t".into(),
        list: vec![None],
        r#type: Some("x"),
    };
    let expected = json!({"first": 1, "maps": {"a": null}, "map": {"a": null}, "text": "t", "list": [null], "type": "x"});
    assert_eq!(serde_json::to_value(&whole).unwrap(), expected);
    let text = expected.to_string();
    assert_eq!(serde_json::from_str::<Document<'_>>(&text).unwrap(), Document { one: None, ..whole });
}

#[test]
fn type_is_serialized_as_its_display_text() {
    assert_eq!(serde_json::to_value(Signed(7)).unwrap(), json!("#7"));
    assert_eq!(serde_json::from_value::<Signed>(json!("#7")).unwrap(), Signed(7));
    for (document, error) in [
        ("\"7\"", "7 has no sign at line 1 column 3"),
        ("7", "invalid type: integer `7`, expected a string at line 1 column 1"),
    ] {
        assert_eq!(serde_json::from_str::<Signed>(document).unwrap_err().to_string(), error);
    }
}
