//! Counts the steps of parsers in tests: one step for each byte that a parser reads and for each
//! comparison. Only tests enable the feature `counted-steps`.

#[cfg(any(test, feature = "counted-steps"))]
use std::cell::Cell;

#[cfg(any(test, feature = "counted-steps"))]
thread_local! {
    static COUNTED: Cell<usize> = const { Cell::new(0) };
}

#[cfg(any(test, feature = "counted-steps"))]
pub fn note(steps: usize) {
    COUNTED.with(|counted| counted.set(counted.get() + steps));
}

#[cfg(not(any(test, feature = "counted-steps")))]
#[inline]
pub const fn note(_: usize) {}

/// Adds the comparisons of one lookup in a sorted map.
#[inline]
pub fn note_lookup(entries: usize) {
    note(1 + entries.max(1).ilog2() as usize);
}

/// The steps that `work` takes on this thread.
#[cfg(any(test, feature = "counted-steps"))]
pub fn count(work: impl FnOnce()) -> usize {
    let before = COUNTED.with(Cell::get);
    work();
    COUNTED.with(Cell::get) - before
}

/// # Panics If the parser takes more than 2.2 times the steps for an input of twice the size, or
/// counts no steps.
#[cfg(any(test, feature = "counted-steps"))]
#[track_caller]
pub fn assert_linear(name: &str, [small, large]: [&[u8]; 2], parse: impl Fn(&[u8])) {
    let [less, more] = [small, large].map(|input| count(|| parse(input)));
    let shape = String::from_utf8_lossy(&large[..large.len().min(100)]);
    assert!(less > 0 && more * 10 <= less * 22, "{name}: {less} steps, then {more}: {shape}");
}
