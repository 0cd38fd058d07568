//! Counts the steps of parsers for tests: one for each byte that is read and each comparison that is made.
//! Only tests enable the feature `counted-steps`, and without it nothing is counted.

#[cfg(any(test, feature = "counted-steps"))]
use std::cell::Cell;

#[cfg(any(test, feature = "counted-steps"))]
thread_local! {
    static COUNTED: Cell<usize> = const { Cell::new(0) };
}

/// Adds so many steps.
#[cfg(any(test, feature = "counted-steps"))]
pub fn note(steps: usize) {
    COUNTED.with(|counted| counted.set(counted.get() + steps));
}

/// Counts nothing.
#[cfg(not(any(test, feature = "counted-steps")))]
#[inline]
pub const fn note(_: usize) {}

/// Adds the comparisons of one lookup in a sorted map with this number of entries.
#[inline]
pub fn note_lookup(entries: usize) {
    note(1 + entries.max(1).ilog2() as usize);
}

/// The number of steps that the work takes on this thread.
#[cfg(any(test, feature = "counted-steps"))]
pub fn count(work: impl FnOnce()) -> usize {
    let before = COUNTED.with(Cell::get);
    work();
    COUNTED.with(Cell::get) - before
}

/// Checks that a parser takes at most 2.2 times the steps for an input of twice the size, and
/// that it takes steps at all.
///
/// # Panics
/// When it takes more, or counts none.
#[cfg(any(test, feature = "counted-steps"))]
#[track_caller]
pub fn assert_linear(name: &str, [small, large]: [&[u8]; 2], parse: impl Fn(&[u8])) {
    let [less, more] = [small, large].map(|input| count(|| parse(input)));
    let shape = String::from_utf8_lossy(&large[..large.len().min(100)]);
    assert!(less > 0 && more * 10 <= less * 22, "{name}: {less} steps, then {more}: {shape}");
}
