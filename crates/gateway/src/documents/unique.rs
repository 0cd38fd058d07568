//! JSON whose members are each there once. A reader that takes the first of two and one that takes the last would see two requests
//! in one (RFC 8259 §4).

use std::cell::RefCell;
use std::fmt;

use administration::Fault;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Reads a text.
pub(super) fn parse(text: &[u8]) -> Result<Value, Vec<Fault>> {
    let faults = RefCell::default();
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let root = Node { pointer: String::new(), faults: &faults };
    let read = root.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    match read {
        // Its words name a place and what was expected there, and repeat nothing of the text.
        Err(error) => Err(vec![Fault::at("", format!("not JSON: {error}"))]),
        Ok(value) => {
            let faults = faults.into_inner();
            if faults.is_empty() { Ok(value) } else { Err(faults) }
        }
    }
}

/// The pointer of a member (RFC 6901 §3).
pub(super) fn member(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// A value, and where it stands.
struct Node<'a> {
    pointer: String,
    faults: &'a RefCell<Vec<Fault>>,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            let pointer = member(&self.pointer, &values.len().to_string());
            let Some(value) = sequence.next_element_seed(Node { pointer, faults: self.faults })? else {
                return Ok(Value::Array(values));
            };
            values.push(value);
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let pointer = member(&self.pointer, &name);
            if members.contains_key(&name) {
                self.faults.borrow_mut().push(Fault::at(pointer.as_str(), "is there more than once"));
            }
            let value = map.next_value_seed(Node { pointer, faults: self.faults })?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_json_is_read_as_the_library_reads_it() {
        for text in [
            r#"{"a":[1,-1,1.5,true,null,"x\u0000",{"b":{}}],"c":"é"}"#,
            "[]",
            " null ",
            "18446744073709551615",
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        }
    }

    #[test]
    fn a_repeated_member_is_a_fault_at_its_place() {
        for (text, pointers) in [
            (r#"{"a":1,"a":1}"#, vec!["/a"]),
            (r#"{"a":1,"\u0061":2}"#, vec!["/a"]),
            (r#"{"x":[{"a/b":1,"a/b":2}],"x~":1,"x~":1}"#, vec!["/x/0/a~1b", "/x~0"]),
        ] {
            let faults = parse(text.as_bytes()).unwrap_err();
            let found: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
            assert_eq!(found, pointers, "{text}");
        }
    }

    #[test]
    fn what_is_not_json_says_where_and_repeats_nothing() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for text in [
            "{",
            "{}x",
            r#"{"client_secret":"hunter2"#,
            r#"{"hunter2"}"#,
            "hunter2",
            "",
            "{\"a\":1e999}",
            &deep,
        ] {
            let faults = parse(text.as_bytes()).unwrap_err();
            assert_eq!((faults.len(), faults[0].pointer.as_str()), (1, ""), "{text}");
            assert!(faults[0].detail.starts_with("not JSON: "), "{text}");
            assert!(!faults[0].detail.contains("hunter2"), "{text}");
        }
    }
}
