//! Crops values for messages.

/// Crops a value of the caller to 80 characters for a message.
#[must_use]
pub fn cropped(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
