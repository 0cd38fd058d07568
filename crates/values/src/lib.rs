//! Values that belong to no protocol and to no tenant: times, secrets, pictures, and texts for
//! people.
//!
//! The crate does no I/O and is at the bottom of the crate graph. In reading order:

// Times and rates.
mod lifetime;
mod rate;
mod timestamp;

pub use lifetime::{Lifetime, LifetimeError};
pub use rate::{InvalidRate, Rate, RateUnit};
pub use timestamp::Timestamp;

// Secrets, and URLs where unencrypted secrets are acceptable.
mod own_machine;
mod secret;

pub use own_machine::{is_loopback, is_of_this_machine};
pub use secret::Secret;

// Texts for people.
mod causes;
mod cropped;
mod invisible_characters;
mod printable;
mod shell_command;

pub use causes::{causes, distinct_causes};
pub use cropped::cropped;
pub use invisible_characters::{bidi_control_in_name, folded, invisible_in_id};
pub use printable::{json_for_terminals, printable, printable_lines};
pub use shell_command::{ShellCommand, shell_word, with_commands};

// Messages to people.
mod letter;

pub use letter::{Letter, LetterKind};

// Colours and pictures of pages.
mod colour;
mod image;

pub use colour::{Colour, InvalidColour};
pub use image::{Image, ImageFormat, UnfitImage};

// A macro for enums with names.
mod named;

pub use derives::{AsStr, DeserializeFromStr, SerializeDisplay, skip_serializing_none};
