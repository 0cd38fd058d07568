//! Crops values in messages.

/// A value as a message quotes it: short, whatever was sent or written.
#[must_use]
pub fn cropped(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
