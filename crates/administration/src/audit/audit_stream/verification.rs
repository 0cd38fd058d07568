//! Verifies lines of the audit stream without a store: whether each line is unchanged and in its place, and
//! whether lines are missing, also at the end if a later line is known.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenancy::TenantId;

use super::digest_of;

/// A line that is known from elsewhere. Its chain must contain it, and every line before it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AuditHead {
    pub tenant: TenantId,
    /// Identifies the chain among those of the tenant.
    pub chain: String,
    /// The number of the line in the chain.
    pub sequence: u64,
    pub digest: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditFault {
    /// Where the line is. For missing lines: the place of the next line of the chain, or of the last line if
    /// none follows.
    #[serde(flatten)]
    place: Option<LinePlace>,
    tenant: TenantId,
    chain: String,
    sequence: u64,
    fault: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct LinePlace {
    file: Arc<str>,
    line: u64,
}

impl fmt::Display for AuditFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, tenant, chain, sequence, fault } = self;
        if let Some(LinePlace { file, line }) = place {
            write!(formatter, "{file}:{line}: ")?;
        }
        write!(formatter, "tenant {tenant}, line {sequence} of chain {chain}: {fault}")
    }
}

/// Collects the lines of one or more files, for example of several replicas. The order of the files does not
/// matter.
#[derive(Debug, Default)]
pub struct AuditVerification {
    chains: BTreeMap<(TenantId, String), BTreeMap<u64, LineDigests>>,
    faults: Vec<AuditFault>,
    file: Option<Arc<str>>,
    number: u64,
    /// The last line of each chain in this file.
    last: BTreeMap<(TenantId, String), u64>,
}

/// The digests of a line and of the line before it.
#[derive(Debug)]
struct LineDigests {
    digest: String,
    previous: String,
    place: LinePlace,
}

#[derive(Debug)]
pub struct VerifiedAudit {
    pub heads: Vec<AuditHead>,
    /// What is wrong. Empty if all lines are unchanged and none is missing.
    pub faults: Vec<AuditFault>,
}

#[derive(Deserialize)]
struct Parsed {
    audit: Of,
    chain: String,
    sequence: u64,
    digest: String,
    previous: String,
}

#[derive(Deserialize)]
struct Of {
    tenant: TenantId,
}

impl AuditHead {
    /// Reads a head, or takes one from a line of the stream.
    #[must_use]
    pub fn from_line(text: &str) -> Option<Self> {
        let of_line = || {
            let Parsed { audit: Of { tenant }, chain, sequence, digest, .. } =
                serde_json::from_str(text).ok()?;
            Some(Self { tenant, chain, sequence, digest })
        };
        serde_json::from_str(text).ok().or_else(of_line)
    }
}

impl AuditVerification {
    /// Says that the next lines are from this file.
    pub fn begin_file(&mut self, name: &str) {
        (self.file, self.number) = (Some(name.into()), 0);
        self.last.clear();
    }

    /// Reads the next line. Ignores other log lines. Also ignores a line that is cut short because its write
    /// failed: either it was written again, or it is reported as missing.
    pub fn read_line(&mut self, text: &str) {
        self.number += 1;
        let Ok(mut value) = serde_json::from_str::<Value>(text) else { return };
        // JSON with a duplicate member can mean different things to different readers, so it is a fault.
        let canonical = value.to_string();
        let Ok(line) = Parsed::deserialize(&value) else { return };
        let place = LinePlace { file: self.file.clone().unwrap_or_default(), line: self.number };
        if let Some(members) = value.as_object_mut() {
            members.remove("digest");
        }
        let is_changed = canonical != text || digest_of(&value) != line.digest;
        let Parsed { audit: Of { tenant }, chain, sequence, digest, previous } = line;
        let key = (tenant, chain);
        let mut add = |fault: String| {
            let ((tenant, chain), place) = (key.clone(), Some(place.clone()));
            self.faults.push(AuditFault { place, tenant, chain, sequence, fault });
        };
        if is_changed {
            add("the line was changed: its digest does not match its content".to_owned());
        }
        let known = self.chains.entry(key.clone()).or_default();
        if let Some(link) = known.get(&sequence) {
            if link.digest != digest {
                add("the line differs from another line with the same number".to_owned());
            }
            return;
        }
        match self.last.get(&key) {
            Some(&after) if after > sequence => add(format!("the line comes after line {after}")),
            _ => drop(self.last.insert(key.clone(), sequence)),
        }
        known.insert(sequence, LineDigests { digest, previous, place });
    }

    /// Compares the lines of each chain with each other and with the heads. Earlier lines, up to a head, may
    /// be stored elsewhere, if the first line here follows that head.
    #[must_use]
    pub fn finish(self, heads: &[AuditHead]) -> VerifiedAudit {
        let Self { mut chains, mut faults, .. } = self;
        for head in heads {
            chains.entry((head.tenant.clone(), head.chain.clone())).or_default();
        }
        let mut ends = Vec::new();
        for ((tenant, chain), links) in chains {
            let mut add = |place: Option<&LinePlace>, sequence: u64, fault: String| {
                let (place, tenant, chain) = (place.cloned(), tenant.clone(), chain.clone());
                faults.push(AuditFault { place, tenant, chain, sequence, fault });
            };
            let missing = |until: u64| format!("missing up to line {until}");
            let heads: BTreeMap<_, _> = heads
                .iter()
                .filter(|head| (&head.tenant, &head.chain) == (&tenant, &chain))
                .map(|head| (head.sequence, head.digest.as_str()))
                .collect();
            let first = links.keys().next().copied().unwrap_or(1);
            let elsewhere = first.checked_sub(1).and_then(|last| Some((last, *heads.get(&last)?)));
            let mut before = elsewhere.unwrap_or((0, ""));
            for (&sequence, link) in &links {
                if sequence != before.0 + 1 {
                    add(Some(&link.place), before.0 + 1, missing(sequence - 1));
                } else if link.previous != before.1 {
                    let fault = "the line does not follow the line before it: one of the two was changed";
                    add(Some(&link.place), sequence, fault.to_owned());
                }
                before = (sequence, &link.digest);
            }
            for (&sequence, &digest) in &heads {
                if let Some(link) = links.get(&sequence).filter(|link| link.digest != digest) {
                    let fault = "the line was changed: its digest differs from the digest in the head";
                    add(Some(&link.place), sequence, fault.to_owned());
                }
            }
            let newest = heads.keys().next_back().copied().unwrap_or_default();
            if newest > before.0 {
                let last = links.values().next_back().map(|link| &link.place);
                add(last, before.0 + 1, missing(newest));
            }
            if before.0 > 0 {
                let (sequence, digest) = (before.0, before.1.to_owned());
                ends.push(AuditHead { tenant, chain, sequence, digest });
            }
        }
        VerifiedAudit { heads: ends, faults }
    }
}

#[cfg(test)]
mod tests {
    use super::super::AuditChain;
    use super::*;
    use crate::audit::AuditRecord;
    use crate::kinds::authority::Actor;
    use serde_json::json;
    use values::Timestamp;

    /// The lines of two tenants, nine of each, alternating.
    fn lines() -> Vec<String> {
        let mut chains = ["acme", "globex"].map(|tenant| (tenant, AuditChain::new("c".to_owned())));
        for position in 1..10 {
            for (tenant, chain) in &mut chains {
                let tenant = TenantId::parse(tenant).unwrap();
                let what = ("client.changed", format!("svc{position}"), json!({}));
                let actor = Actor::named("config", Some("192.0.2.7".to_owned()));
                let record = AuditRecord::new(actor, Timestamp::from_seconds(120), tenant, what);
                chain.add(position, &record, &[7; 32]);
            }
        }
        let lines = chains.map(|(_, chain)| chain.pending.lines().map(str::to_owned).collect::<Vec<_>>());
        lines[0].iter().zip(&lines[1]).flat_map(|(left, right)| [left.clone(), right.clone()]).collect()
    }

    fn verified(files: &[&[String]], heads: &[AuditHead]) -> VerifiedAudit {
        let mut verification = AuditVerification::default();
        for (number, lines) in files.iter().enumerate() {
            verification.begin_file(&format!("f{number}"));
            lines.iter().for_each(|line| verification.read_line(line));
        }
        verification.finish(heads)
    }

    fn faults(files: &[&[String]], heads: &[AuditHead]) -> Vec<String> {
        verified(files, heads).faults.iter().map(ToString::to_string).collect()
    }

    /// The index of a line of acme.
    const fn of_acme(sequence: usize) -> usize {
        2 * (sequence - 1)
    }

    // [parties #17]: those who can write where the [stream of the audit](audit.md) goes | read its records,
    //   with digests in place of personal texts; write all lines behind a head anew | change, remove or move
    //   a line up to a head that is kept elsewhere, without a fault in `latchkey audit verify`
    // [third 20]: `audit verify` named no file and line for missing and unlinked lines, no tenant for changed
    //   ones, and had no `--json`; `account show` beside the store showed counts that only a server knows |
    //   fixed | Each fault has file, line, tenant, chain and number, in `--json` as members; `account show`
    //   says "not known here"
    #[test]
    fn every_change_to_lines_is_detected() {
        let whole = lines();
        let heads = verified(&[&whole], &[]).heads;
        assert_eq!(heads.iter().map(|head| head.sequence).collect::<Vec<_>>(), [9, 9]);
        let (four, head) = (of_acme(4), AuditHead::from_line(&whole[of_acme(9)]).unwrap());
        assert_eq!(heads[0], head);
        let changed = |place: usize, line: String| {
            let mut lines = whole.clone();
            lines[place] = line;
            lines
        };
        let without = |places: &[usize]| {
            let kept = whole.iter().enumerate().filter(|(place, _)| !places.contains(place));
            kept.map(|(_, line)| line.clone()).collect::<Vec<_>>()
        };
        let mut swapped = whole.clone();
        swapped.swap(four, of_acme(5));
        let mut repeated = whole.clone();
        repeated.extend_from_slice(&whole[four..]);
        let mut torn = whole.clone();
        torn.insert(four, whole[four][..40].to_owned());
        // The forged line has a correct digest, but the next line has the digest of the original.
        let mut forged: Value = serde_json::from_str(&whole[four].replace("svc4", "evil")).unwrap();
        forged.as_object_mut().unwrap().remove("digest");
        forged["digest"] = digest_of(&forged).into();
        let twice = whole[four].replacen("{\"action\"", "{\"action\":\"client.added\",\"action\"", 1);
        let named = |sequence: u64| format!("tenant acme, line {sequence} of chain c");
        let was_changed =
            format!("f0:7: {}: the line was changed: its digest does not match its content", named(4));
        for (lines, expected) in [
            (whole.clone(), vec![]),
            (repeated, vec![]),
            (torn, vec![]),
            (changed(four, whole[four].replace("svc4", "evil")), vec![was_changed.clone()]),
            (changed(four, format!("{} ", whole[four])), vec![was_changed.clone()]),
            (changed(four, twice), vec![was_changed]),
            (
                changed(four, forged.to_string()),
                vec![format!(
                    "f0:9: {}: the line does not follow the line before it: one of the two was changed",
                    named(5)
                )],
            ),
            (without(&[four, of_acme(5)]), vec![format!("f0:9: {}: missing up to line 5", named(4))]),
            (without(&[of_acme(1)]), vec![format!("f0:2: {}: missing up to line 1", named(1))]),
            (without(&[of_acme(9)]), vec![format!("f0:15: {}: missing up to line 9", named(9))]),
            (swapped, vec![format!("f0:9: {}: the line comes after line 5", named(4))]),
            (
                [whole.clone(), vec![forged.to_string()]].concat(),
                vec![format!("f0:19: {}: the line differs from another line with the same number", named(4))],
            ),
        ] {
            assert_eq!(faults(&[&lines], &heads), expected);
        }
        let cut = without(&[of_acme(9)]);
        assert_eq!(faults(&[&cut], &[]), [""; 0], "the head alone says that a line followed");
        let none = without(&(1..10).map(of_acme).collect::<Vec<_>>());
        assert_eq!(faults(&[&none], &heads), [format!("{}: missing up to line 9", named(1))]);
        let other = AuditHead { digest: String::new(), ..head };
        assert_eq!(
            faults(&[&whole], &[other]),
            [format!(
                "f0:17: {}: the line was changed: its digest differs from the digest in the head",
                named(9)
            )]
        );
    }

    #[test]
    fn lines_may_span_files_and_start_after_head() {
        let whole = lines();
        let (early, late) = whole.split_at(of_acme(5));
        assert_eq!(faults(&[late, early], &[]), [""; 0]);
        // Two replicas wrote some of the same lines.
        assert_eq!(faults(&[&whole[..12], &whole[6..]], &[]), [""; 0]);
        let heads: Vec<_> = early.iter().filter_map(|line| AuditHead::from_line(line)).collect();
        assert_eq!(faults(&[late], &heads), [""; 0]);
        assert_eq!(faults(&[&late[2..]], &heads).len(), 2);
        assert_eq!(AuditHead::from_line(&json!(heads[0]).to_string()).as_ref(), Some(&heads[0]));
        assert_eq!(AuditHead::from_line("{}"), None);
    }
}
