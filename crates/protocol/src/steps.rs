//! Counts the steps of parsers for tests: one for each byte that is read and each comparison that is made. Without the feature
//! `counted-steps`, which only tests enable, nothing is counted.

#[cfg(any(test, feature = "counted-steps"))]
use std::cell::Cell;

#[cfg(any(test, feature = "counted-steps"))]
thread_local! {
    static COUNTED: Cell<usize> = const { Cell::new(0) };
}

/// Sizes of the inputs of [`check_linear`], in bytes.
#[cfg(any(test, feature = "counted-steps"))]
const SIZES: [usize; 2] = [32 * 1024, 64 * 1024];

/// Adds so many steps.
#[cfg(any(test, feature = "counted-steps"))]
pub fn note(steps: usize) {
    COUNTED.with(|counted| counted.set(counted.get() + steps));
}

/// Counts nothing.
#[cfg(not(any(test, feature = "counted-steps")))]
#[inline]
pub const fn note(_: usize) {}

/// Adds the comparisons of one lookup in a sorted map of so many entries.
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

/// Checks that a parser takes at most 2.2 times the steps for an input of twice the size, and that it takes steps at all.
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

/// Checks that a parser is linear in texts of every shape that could make it read again and again: steps as [`assert_linear`] says, and
/// allocated bytes, as `allocated` counts them, at most 16 times the input.
///
/// # Panics
/// When the parser takes more.
#[cfg(any(test, feature = "counted-steps"))]
#[track_caller]
pub fn check_linear(
    name: &str,
    prefix: &str,
    allocated: impl Fn(&mut dyn FnMut()) -> u64,
    parse: impl Fn(&[u8]),
) {
    check_linear_steps(name, prefix, &parse);
    for text in SIZES.into_iter().flat_map(texts) {
        let input = format!("{prefix}{text}");
        let bytes = allocated(&mut || parse(input.as_bytes()));
        assert!(
            bytes <= 16 * input.len() as u64,
            "{name}: {bytes} bytes for {}: {}",
            input.len(),
            &input[..100]
        );
    }
}

/// As [`check_linear`], without the allocations.
///
/// # Panics
/// When the parser takes more.
#[cfg(any(test, feature = "counted-steps"))]
#[track_caller]
pub fn check_linear_steps(name: &str, prefix: &str, parse: impl Fn(&[u8])) {
    let [small, large] = SIZES.map(texts);
    for (small, large) in small.iter().zip(&large) {
        let inputs = [small, large].map(|text| format!("{prefix}{text}"));
        assert_linear(name, [inputs[0].as_bytes(), inputs[1].as_bytes()], &parse);
    }
}

#[cfg(any(test, feature = "counted-steps"))]
/// Texts of this size, of every shape that could make a parser look again and again.
fn texts(size: usize) -> Vec<String> {
    let numbered = |word: fn(usize) -> String| (0..).map(word).take(size).collect::<Vec<_>>();
    let cut = |words: Vec<String>| {
        let mut text = String::with_capacity(size + 32);
        for word in words {
            if text.len() + word.len() > size {
                break;
            }
            text.push_str(&word);
        }
        text
    };
    vec![
        "a".repeat(size),
        "a+".repeat(size / 2),
        "a ".repeat(size / 2),
        "%61".repeat(size / 3),
        "%".repeat(size),
        "&".repeat(size),
        "a&".repeat(size / 2),
        "a=b&".repeat(size / 4),
        "resource=urn:a&".repeat(size / 15),
        cut(numbered(|number| format!("{number:x} "))),
        cut(numbered(|number| format!("{number:x}+"))),
        cut(numbered(|number| format!("{number:x}=1&"))),
        cut(numbered(|number| format!("resource=urn:{number:x}&"))),
    ]
}
