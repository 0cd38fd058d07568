//! Colours as `#rrggbb`, and contrast as WCAG 2.2 defines it.

use std::str::FromStr;

use derive_more::Display;
use derives::{DeserializeFromStr, SerializeDisplay};

/// An opaque colour of sRGB.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
#[display("#{:02x}{:02x}{:02x}", _0[0], _0[1], _0[2])]
pub struct Colour([u8; 3]);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a colour is # and six hexadecimal digits, such as #1f5fbf")]
pub struct InvalidColour;

impl Colour {
    pub const BLACK: Self = Self([0; 3]);
    pub const WHITE: Self = Self([255; 3]);

    #[must_use]
    pub const fn rgb(red: u8, green: u8, blue: u8) -> Self {
        Self([red, green, blue])
    }

    /// The contrast ratio, from 1 to 21 (WCAG 2.2, "contrast ratio").
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// Black or white, whichever has the higher contrast. The contrast is at least 4.58 for every
    /// colour.
    #[must_use]
    pub fn text(self) -> Self {
        if self.contrast(Self::BLACK) >= self.contrast(Self::WHITE) { Self::BLACK } else { Self::WHITE }
    }

    /// `share` is the part of `other`, from 0 to 1.
    #[must_use]
    pub fn mixed(self, other: Self, share: f64) -> Self {
        let mixed = |at: usize| {
            let (own, other) = (f64::from(self.0[at]), f64::from(other.0[at]));
            (own + (other - own) * share.clamp(0.0, 1.0)).round() as u8
        };
        Self([mixed(0), mixed(1), mixed(2)])
    }

    /// Returns this colour if its contrast is at least `least`. Otherwise mixes in as little black
    /// or white as possible until the contrast is reached. Returns black or white if no mix reaches
    /// it.
    #[must_use]
    pub fn with_contrast(self, against: Self, least: f64) -> Self {
        let shades = (0..=255_u8)
            .flat_map(|step| [Self::BLACK, Self::WHITE].map(|end| self.mixed(end, f64::from(step) / 255.0)));
        let mut sufficient = shades.filter(|shade| shade.contrast(against) >= least);
        sufficient.next().unwrap_or_else(|| against.text())
    }

    /// WCAG 2.2, "relative luminance".
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let channel = f64::from(channel) / 255.0;
            if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl FromStr for Colour {
    type Err = InvalidColour;

    fn from_str(text: &str) -> Result<Self, InvalidColour> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(InvalidColour)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(InvalidColour);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| InvalidColour)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn colour(text: &str) -> Colour {
        text.parse().unwrap()
    }

    #[test]
    fn only_six_hex_digits_are_a_colour() {
        assert_eq!(colour("#1f5FBF"), Colour::rgb(0x1f, 0x5f, 0xbf));
        assert_eq!(colour("#1f5FBF").to_string(), "#1f5fbf");
        for text in ["", "#", "#fff", "1f5fbf", "#1f5fbfff", "#1f5fbg", "#+f5fbf", "red", "#1f5fb\u{e9}"] {
            assert_eq!(text.parse::<Colour>(), Err(InvalidColour), "{text}");
        }
    }

    /// Ratios of the WebAIM contrast checker and of examples in WCAG.
    #[test]
    fn contrast_matches_wcag() {
        for (one, other, expected) in [
            ("#000000", "#ffffff", 21.0),
            ("#777777", "#ffffff", 4.48),
            ("#767676", "#ffffff", 4.54),
            ("#ff0000", "#ffffff", 4.0),
            ("#1f5fbf", "#1f5fbf", 1.0),
        ] {
            let found = colour(one).contrast(colour(other));
            assert!((found - expected).abs() < 0.01, "{one} on {other}: {found}");
        }
    }

    #[test]
    fn colour_is_changed_only_if_contrast_is_too_low() {
        let white = Colour::WHITE;
        assert_eq!(colour("#1f5fbf").with_contrast(white, 3.0), colour("#1f5fbf"));
        let darker = colour("#ffdd00").with_contrast(white, 3.0);
        assert!(darker.contrast(white) >= 3.0 && darker.contrast(white) < 3.1, "{darker}");
        let lighter = colour("#1f1f7f").with_contrast(colour("#101010"), 3.0);
        assert!(lighter.contrast(Colour::BLACK) > colour("#1f1f7f").contrast(Colour::BLACK), "{lighter}");
    }

    proptest! {
        #[test]
        fn every_colour_has_readable_text_and_shade(red: u8, green: u8, blue: u8, other: [u8; 3]) {
            let (background, colour) = (Colour::rgb(red, green, blue), Colour(other));
            prop_assert!(background.contrast(background.text()) >= 4.5);
            prop_assert!(colour.with_contrast(background, 4.5).contrast(background) >= 4.5);
            prop_assert_eq!(colour.to_string().parse(), Ok(colour));
        }
    }
}
