//! The small values that config.yaml writes as text. Each is checked where it is read, so that the message carries its
//! line and column; what is wrong and how to mend it are one text, parted by a semicolon.

mod address;
mod instant;
mod lifetime;
mod network;
mod rate;

pub(crate) use address::{ListenAddress, PublicUrl};
pub(crate) use instant::Instant;
pub(crate) use lifetime::Lifetime;
pub(crate) use network::Network;
pub(crate) use rate::Rate;

/// A value as a message quotes it: short, whatever the file holds.
pub(crate) fn cropped(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
