//! Counts the steps of the parsers for their tests: one for each byte that is looked at and each comparison that is made. The program
//! counts nothing.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static COUNTED: Cell<usize> = const { Cell::new(0) };
}

/// Notes so many steps.
#[cfg(test)]
pub(crate) fn note(steps: usize) {
    COUNTED.with(|counted| counted.set(counted.get() + steps));
}

/// Notes nothing.
#[cfg(not(test))]
#[inline]
pub(crate) const fn note(_: usize) {}

/// How many steps the work takes on this thread.
#[cfg(test)]
pub(crate) fn count(work: impl FnOnce()) -> usize {
    let before = COUNTED.with(Cell::get);
    work();
    COUNTED.with(Cell::get) - before
}
