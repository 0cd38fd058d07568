//! Searches this process's memory for secrets: a canary that is found after its last use was not wiped. Only
//! works on Linux, which shows a process its own memory as a file.

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

/// The text to search, encoded so that the search does not find this constant.
const HIDDEN: [u8; 24] = *b"ofewlufq.`bmbqz.le.wfpwp";
const KEY: u8 = 3;
/// The allocator overwrites the first bytes of freed memory, so they must not be part of the searched text.
const FILLER: &str = "0123456789abcdef0123456789abcdef";
const CHUNK: usize = 64 * 1024;

/// A text that is found if a copy of it was not wiped. `tag` identifies the test.
#[must_use]
pub fn canary(tag: char) -> String {
    let mut canary = String::with_capacity(FILLER.len() + HIDDEN.len() + tag.len_utf8());
    canary.push_str(FILLER);
    canary.extend(HIDDEN.iter().map(|byte| char::from(byte ^ KEY)));
    canary.push(tag);
    canary
}

/// The tags of the canaries in memory, once for each copy.
///
/// # Panics
/// If the memory cannot be read.
#[must_use]
pub fn leftovers() -> Vec<char> {
    let maps = fs::read_to_string("/proc/self/maps").expect("the kernel lists our memory");
    let memory = File::open("/proc/self/mem").expect("a process may read its own memory");
    let mut found = Vec::new();
    let mut chunk = vec![0; CHUNK + HIDDEN.len()];
    // Leaves out the buffer of the search, which would otherwise find its own copies.
    let ours = chunk.as_ptr() as u64..chunk.as_ptr() as u64 + chunk.len() as u64;
    for (start, end) in maps.lines().filter_map(writable).flat_map(|range| without(range, &ours)) {
        // Chunks overlap by the length of the searched text minus one, so that no occurrence is split.
        for at in (start..end).step_by(CHUNK) {
            let length = chunk.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
            let read = memory.read_at(&mut chunk[..length], at).unwrap_or_default();
            found.extend(tags(&chunk[..read]));
            chunk.fill(0);
        }
    }
    found
}

/// The parts of a range before and after another range.
fn without((start, end): (u64, u64), hole: &Range<u64>) -> [(u64, u64); 2] {
    [(start, end.min(hole.start).max(start)), (start.max(hole.end).min(end), end)]
}

fn writable(line: &str) -> Option<(u64, u64)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-').filter(|_| rest.starts_with("rw"))?;
    Some((u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?))
}

fn tags(chunk: &[u8]) -> impl Iterator<Item = char> {
    let is_it = |window: &&[u8]| {
        let (hidden, _) = window.split_at(HIDDEN.len());
        hidden[0] ^ KEY == HIDDEN[0] && hidden.iter().zip(HIDDEN).all(|(byte, wanted)| byte ^ KEY == wanted)
    };
    chunk.windows(HIDDEN.len() + 1).filter(is_it).map(|window| char::from(window[HIDDEN.len()]))
}
