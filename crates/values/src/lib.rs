//! Values that belong to no protocol and to no tenant: times, secrets, pictures, and texts for
//! people.
//!
//! The crate does no I/O and is at the bottom of the crate graph. In reading order:

// Times and numbers of times.
mod lifetime;
mod rate;
mod timestamp;

pub use lifetime::{Lifetime, LifetimeError};
pub use rate::{InvalidRate, Rate, RateUnit};
pub use timestamp::Timestamp;

// Secrets, and where they may be sent without encryption.
mod own_machine;
mod secret;

pub use own_machine::{is_loopback, is_of_this_machine};
pub use secret::Secret;

// Texts that people see.
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

// What pages show.
mod colour;
mod image;

pub use colour::{Colour, InvalidColour};
pub use image::{Image, ImageFormat, UnfitImage};

// What enums and values around one value derive.
mod named;

pub use derives::{AsStr, DeserializeFromStr, SerializeDisplay, skip_serializing_none};
