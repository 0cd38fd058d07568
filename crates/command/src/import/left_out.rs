//! The parts of a realm that are left out, by name, grouped by reason.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use administration::documents::Wiped;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use values::printable;

/// The most names that are printed for one reason. The JSON document has all of them.
const SHOWN: usize = 20;

/// Everything that is left out, grouped by reason. Reasons are in the order of their first name.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub(super) struct Omissions(Vec<OmissionReason>);

#[derive(Serialize)]
struct OmissionReason {
    why: Cow<'static, str>,
    what: Vec<String>,
}

/// Unknown members by name. Only the size of each is kept, because it may contain keys and passwords.
pub(super) type Others = BTreeMap<String, EntryCount>;

/// The number of entries of a member. Zero if it is null, false or empty.
pub(super) struct EntryCount(pub(super) usize);

impl<'de> Deserialize<'de> for EntryCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Wiped::new(Value::deserialize(deserializer)?);
        Ok(Self(match &*value {
            Value::Null | Value::Bool(false) => 0,
            Value::Bool(true) | Value::Number(_) => 1,
            Value::String(text) => usize::from(!text.is_empty()),
            Value::Array(items) => items.len(),
            Value::Object(members) => members.len(),
        }))
    }
}

impl Omissions {
    pub(super) fn add(&mut self, why: impl Into<Cow<'static, str>>, what: impl Into<String>) {
        let (why, what) = (why.into(), what.into());
        match self.0.iter_mut().find(|reason| reason.why == why) {
            Some(reason) => reason.what.push(what),
            None => self.0.push(OmissionReason { why, what: vec![what] }),
        }
    }

    /// Adds the members with a value, each under its reason. Members without a known reason are added under
    /// `rest`, unless they have no meaning outside Keycloak.
    pub(super) fn add_members(
        &mut self,
        owner: &str,
        others: &Others,
        reasons: &[(&'static str, &'static str)],
        meaningless: &[&str],
        rest: &'static str,
    ) {
        for (member, EntryCount(size)) in others.iter().filter(|(_, EntryCount(size))| *size > 0) {
            let reason = reasons.iter().find(|(known, _)| known == member);
            let count = if *size > 1 { format!(" ({size})") } else { String::new() };
            match reason {
                Some((_, why)) => self.add(*why, format!("{owner}{member}{count}")),
                None if meaningless.contains(&member.as_str()) => {}
                None => self.add(rest, format!("{owner}{member}")),
            }
        }
    }

    /// Each reason, with its names on the next line.
    pub(super) fn lines(&self) -> String {
        let mut text = String::new();
        for OmissionReason { why, what } in &self.0 {
            let shown: Vec<String> = what.iter().take(SHOWN).map(|what| printable(what)).collect();
            let shown = shown.join(", ");
            let more = what.len().saturating_sub(SHOWN);
            let more = if more > 0 { format!(", and {more} more (--json lists all)") } else { String::new() };
            let _ = writeln!(text, "- {why}:\n    {shown}{more}");
        }
        text
    }
}
