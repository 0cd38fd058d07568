//! Reads JSON from outside. Limits keep the memory for a text close to its length. A strict reader refuses
//! duplicate members, because one reader may use the first of two members and another reader the last (RFC
//! 8259 §4). The numbers of static claims keep their exact characters, which tokens repeat.

use std::cell::{Cell, RefCell};
use std::fmt;

use protocol::{StaticClaims, steps};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::field_errors::BoundedErrors;
use super::{Pointer, Wiped};
use crate::edit::FieldError;

/// A text can need far more memory than its length: an empty list takes two bytes to send and ten times as
/// many in memory, and an object with a member takes hundreds.
const MOST_VALUES: usize = 4096;
const MOST_OBJECTS: usize = 256;
const LONGEST_NAME: usize = 256;

/// Reads a text, and refuses duplicate members.
///
/// # Errors
/// The errors of the text, at most [`super::MOST_FIELD_ERRORS`]. Errors name places and members, and repeat
/// no value.
pub fn read_json(text: &[u8]) -> Result<Value, Vec<FieldError>> {
    Reader { is_strict: true, ..Reader::default() }.read(text).map(Wiped::take)
}

/// Reads a text that this program or its administrator wrote, without limits. `at` is the place of the text
/// in a document.
///
/// # Errors
/// If the text is not JSON.
pub fn read_own_json(at: Pointer<'_>, text: &[u8]) -> Result<Wiped, serde_json::Error> {
    let reader = Reader { is_own: true, ..Reader::default() };
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Node { at, reader: &reader }.deserialize(&mut deserializer)?;
    deserializer.end().map(|()| value)
}

thread_local! {
    static IS_ANSWER: Cell<bool> = const { Cell::new(false) };
}

/// Writes JSON for other programs. Within this program the number of a claim may be written as `{ "number":
/// "1e3" }`.
pub fn as_answer<T>(write: impl FnOnce() -> T) -> T {
    /// Resets the flag even if `write` panics, because the thread handles other requests afterwards.
    struct Ended;
    impl Drop for Ended {
        fn drop(&mut self) {
            IS_ANSWER.set(false);
        }
    }
    let _ended = Ended;
    IS_ANSWER.set(true);
    write()
}

/// Writes the static claims of a document.
pub(super) fn claims<S: Serializer>(claims: &Map<String, Value>, serializer: S) -> Result<S::Ok, S::Error> {
    if IS_ANSWER.get() {
        StaticClaims::write_members(claims, serializer)
    } else {
        claims.serialize(serializer)
    }
}

/// Reads a text. The last of duplicate members counts, and names may have any length.
///
/// # Errors
/// The errors of [`read_json`].
pub fn read_lenient_json(text: &[u8]) -> Result<Wiped, Vec<FieldError>> {
    Reader::default().read(text)
}

/// Any value, within the limits of [`read_lenient_json`].
impl<'de> Deserialize<'de> for Wiped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Node { at: Pointer::Root, reader: &Reader::default() }.deserialize(deserializer)
    }
}

#[derive(Default)]
struct Reader {
    is_strict: bool,
    is_own: bool,
    field_errors: RefCell<BoundedErrors>,
    values: Cell<usize>,
    objects: Cell<usize>,
    has_stopped: Cell<bool>,
}

impl Reader {
    fn read(self, text: &[u8]) -> Result<Wiped, Vec<FieldError>> {
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let root = Node { at: Pointer::Root, reader: &self };
        let read = root.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
        match read {
            // The error names a place and the expected value, and repeats nothing of the text.
            Err(error) if !self.has_stopped.get() => {
                Err(vec![FieldError::at("", format!("not JSON: {error}"))])
            }
            read => {
                self.field_errors.into_inner().into_result()?;
                Ok(read.unwrap_or_default())
            }
        }
    }

    fn stop<E: serde::de::Error>(&self) -> E {
        self.has_stopped.set(true);
        E::custom("refused")
    }

    fn refuse<E: serde::de::Error>(&self, at: &Pointer<'_>, detail: String) -> E {
        self.field_errors.borrow_mut().add(at, detail);
        self.stop()
    }

    fn count<E: serde::de::Error>(&self, counted: &Cell<usize>, most: usize, what: &str) -> Result<(), E> {
        counted.set(counted.get() + 1);
        if counted.get() > most && !self.is_own {
            return Err(self.refuse(&Pointer::Root, format!("the body can contain at most {most} {what}")));
        }
        Ok(())
    }
}

impl Pointer<'_> {
    /// Whether this is a static claim of a tenant or client, or an item of such a claim. Claims of
    /// `federated` are not: they are compared only.
    fn is_static_claim(&self) -> bool {
        let claim = if let Self::Item(list, _) = self { list } else { self };
        let Self::Member(Self::Member(owner, "claims"), _) = claim else { return false };
        !matches!(owner, Self::Item(Self::Member(_, "federated"), _))
    }
}

struct Node<'a> {
    at: Pointer<'a>,
    reader: &'a Reader,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Wiped;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Wiped, D::Error> {
        steps::note(1);
        self.reader.count(&self.reader.values, MOST_VALUES, "values")?;
        if !self.at.is_static_claim() || !(self.reader.is_strict || self.reader.is_own) {
            return deserializer.deserialize_any(self);
        }
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        match StaticClaims::number(raw) {
            Some(number) => Ok(Wiped::new(number)),
            None => serde_json::Deserializer::from_str(raw).deserialize_any(self).map_err(D::Error::custom),
        }
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Wiped;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Wiped, E> {
        Ok(Wiped::default())
    }

    fn visit_bool<E>(self, value: bool) -> Result<Wiped, E> {
        Ok(Wiped::new(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Wiped, E> {
        Ok(Wiped::new(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Wiped, E> {
        Ok(Wiped::new(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Wiped, E> {
        Ok(Wiped::new(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Wiped, E> {
        steps::note(value.len());
        Ok(Wiped::new(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Wiped, A::Error> {
        let mut list = Wiped::new(Value::Array(Vec::new()));
        if let Value::Array(values) = &mut *list {
            loop {
                let node = Node { at: Pointer::Item(&self.at, values.len()), reader: self.reader };
                let Some(value) = sequence.next_element_seed(node)? else { break };
                values.push(value.take());
            }
        }
        Ok(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Wiped, A::Error> {
        let reader = self.reader;
        reader.count(&reader.objects, MOST_OBJECTS, "objects")?;
        let mut object = Wiped::new(Value::Object(Map::new()));
        if let Value::Object(members) = &mut *object {
            while let Some(name) = map.next_key::<String>()? {
                steps::note(name.len());
                steps::note_lookup(members.len());
                if reader.is_strict && name.len() > LONGEST_NAME {
                    let message = format!("a member name here is longer than {LONGEST_NAME} bytes");
                    return Err(reader.refuse(&self.at, message));
                }
                let at = Pointer::Member(&self.at, &name);
                if reader.is_strict && members.contains_key(&name) {
                    reader.field_errors.borrow_mut().add(&at, "appears more than once");
                    if reader.field_errors.borrow().is_full() {
                        return Err(reader.stop());
                    }
                }
                let value = map.next_value_seed(Node { at, reader })?;
                drop(members.insert(name, value.take()).map(Wiped::new));
            }
        }
        Ok(object)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_is_read_like_serde_json() {
        let nested = r#"{"a":[1,-1,1.5,true,null,"x\u0000",{"b":{}}],"c":"é"}"#;
        for text in [nested, "[]", " null ", "18446744073709551615"] {
            assert_eq!(read_json(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        }
    }

    #[test]
    fn repeated_member_is_an_error_with_pointer() {
        for (text, pointers) in [
            (r#"{"a":1,"a":1}"#, vec!["/a"]),
            (r#"{"a":1,"\u0061":2}"#, vec!["/a"]),
            (r#"{"x":[{"a/b":1,"a/b":2}],"x~":1,"x~":1}"#, vec!["/x/0/a~1b", "/x~0"]),
        ] {
            let field_errors = read_json(text.as_bytes()).unwrap_err();
            let found: Vec<_> = field_errors.iter().map(|error| error.pointer.as_str()).collect();
            assert_eq!(found, pointers, "{text}");
            let lenient = read_lenient_json(text.as_bytes()).unwrap();
            assert_eq!(*lenient, serde_json::from_str::<Value>(text).unwrap());
        }
    }

    #[test]
    fn invalid_json_error_contains_no_input() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let with_secret = [r#"{"client_secret":"hunter2"#, r#"{"hunter2"}"#, "hunter2"];
        for text in ["{", "{}x", "", "{\"a\":1e999}", &deep].into_iter().chain(with_secret) {
            let field_errors = read_json(text.as_bytes()).unwrap_err();
            assert_eq!((field_errors.len(), field_errors[0].pointer.as_str()), (1, ""), "{text}");
            assert!(field_errors[0].detail.starts_with("not JSON: "), "{text}");
            assert!(!field_errors[0].detail.contains("hunter2"), "{text}");
        }
    }

    // [limits #11]: errors that an answer lists | 32 | the others are left out
    // [found 13]
    #[test]
    fn the_number_of_reported_errors_is_limited() {
        let many = format!(r#"{{"a":0{}}}"#, r#","a":0"#.repeat(10_000));
        assert_eq!(read_json(many.as_bytes()).unwrap_err().len(), super::super::MOST_FIELD_ERRORS);
        let name = "k".repeat(LONGEST_NAME);
        let (open, close) = (format!(r#"{{"{name}":"#).repeat(100), "}".repeat(100));
        let deep = format!(r#"{open}{{"a":0{}}}{close}"#, r#","a":0"#.repeat(50));
        let field_errors = read_json(deep.as_bytes()).unwrap_err();
        let described: usize = field_errors.iter().map(|error| error.pointer.len()).sum();
        assert_eq!(field_errors.len(), 1);
        assert!(described < 64 * 1024, "{described} bytes");
    }

    // [found 13]
    #[test]
    fn documents_with_too_many_values_are_refused() {
        let list = |item: &str, count: usize| format!("[{}]", vec![item; count].join(","));
        let name = "k".repeat(LONGEST_NAME);
        let long = "/a: a member name here is longer than 256 bytes";
        for (text, message) in [
            (list("0", MOST_VALUES - 1), None),
            (list("0", MOST_VALUES), Some(": the body can contain at most 4096 values")),
            (list("[]", MOST_VALUES), Some(": the body can contain at most 4096 values")),
            (list("{}", MOST_OBJECTS), None),
            (list("{}", MOST_OBJECTS + 1), Some(": the body can contain at most 256 objects")),
            (format!(r#"{{"{name}":0}}"#), None),
            (format!(r#"{{"a":{{"{name}k":0}}}}"#), Some(long)),
        ] {
            let found = read_json(text.as_bytes()).err().map(|field_errors| field_errors[0].to_string());
            assert_eq!(found.as_deref(), message);
            let is_long_name = text.contains(&name);
            assert_eq!(read_lenient_json(text.as_bytes()).is_ok(), message.is_none() || is_long_name);
        }
    }

    // [found 13]: A JSON body of 64 KiB took 142 MiB of memory and gave an answer of 962 KB | fixed |
    //   Pointers are built for errors only, and an answer lists few of them; steps and allocation are counted
    //   as for the other parsers
    // [limits #10]
    #[test]
    fn time_and_memory_are_linear_in_the_input() {
        const SIZES: [usize; 2] = [32 * 1024, 64 * 1024];
        let filled = |open: &str, item: fn(usize) -> String, close: &str, size: usize| {
            let mut text = open.to_owned();
            for number in 0.. {
                let item = item(number);
                if text.len() + item.len() + close.len() >= size {
                    break;
                }
                text += &item;
            }
            text.pop();
            text + close
        };
        type Shape = (fn(usize) -> String, fn(usize) -> String, &'static str);
        let shapes: [Shape; 9] = [
            (|_| "[".to_owned(), |_| "0,".to_owned(), "]"),
            (|_| "[".to_owned(), |_| "[],".to_owned(), "]"),
            (|_| "[".to_owned(), |_| r#"{"":0},"#.to_owned(), "]"),
            (|_| "[".to_owned(), |_| r#""0123456789abc","#.to_owned(), "]"),
            (|_| "{".to_owned(), |_| r#""a":0,"#.to_owned(), "}"),
            (|_| "{".to_owned(), |number| format!(r#""{number:x}":0,"#), "}"),
            (|_| "{".to_owned(), |number| format!(r#""{number:013}":0,"#), "}"),
            // The name around a list of duplicate members. Such a text once took 142 MiB.
            (|size| format!(r#"{{"{}":[{{"#, "k".repeat(size / 2)), |_| r#""a":0,"#.to_owned(), "}]}"),
            (
                |size| format!(r#"{}{{"#, format!(r#"{{"{}":"#, "k".repeat(250)).repeat(size / 1024)),
                |_| r#""a":0,"#.to_owned(),
                "}",
            ),
        ];
        for (open, item, close) in shapes {
            let texts = SIZES.map(|size| filled(&open(size), item, close, size));
            for read in [|text: &[u8]| drop(read_json(text)), |text: &[u8]| drop(read_lenient_json(text))] {
                let [small, large] =
                    texts.each_ref().map(|text| allocation_counter::measure(|| read(text.as_bytes())));
                let shape = &texts[0][..60];
                steps::assert_linear("JSON", texts.each_ref().map(String::as_bytes), read);
                let is_linear = large.bytes_total * 10 <= small.bytes_total * 22;
                assert!(is_linear, "{small:?}, then {large:?}: {shape}");
                for (text, allocated) in texts.iter().zip([small, large]) {
                    let most = 16 * text.len() as u64;
                    assert!(allocated.bytes_total <= most, "{allocated:?} for {most}: {shape}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_like_serde_json_or_refused(scraps in proptest::collection::vec(
            prop_oneof![
                Just("{"), Just("}"), Just("["), Just("]"), Just(","), Just(":"), Just("\"a\""), Just("\"\""),
                Just("\"a\":"), Just("\"b\":"), Just("1"), Just("-1e9"), Just("null"), Just("true"), Just("\"\\u00e9\""),
                Just(" "), Just("\\"), Just("\u{e9}"),
            ],
            0..24,
        )) {
            let text = scraps.concat();
            let foreign = serde_json::from_str::<Value>(&text);
            match (read_json(text.as_bytes()), read_lenient_json(text.as_bytes())) {
                (Ok(value), _) => prop_assert_eq!(value, foreign.unwrap()),
                (Err(field_errors), Ok(value)) => {
                    prop_assert!(field_errors.iter().all(|error| error.detail == "appears more than once"));
                    prop_assert_eq!(&*value, &foreign.unwrap());
                }
                (Err(_), Err(_)) => prop_assert!(foreign.is_err()),
            }
        }
    }
}
