//! The look of a tenant's pages: two colours, corners, a font, a logo and links. It consists of values only:
//! no text of it reaches a style sheet, and no page takes markup from it.

use serde::{Deserialize, Serialize};
use values::named;

use crate::Logo;
use values::Colour;

/// The look of a tenant's pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Branding {
    /// The colour of the main button.
    pub primary: Colour,
    /// The colour of the page.
    pub background: Colour,
    /// The corners of fields and buttons.
    pub corners: Corners,
    pub font: Font,
    pub logo: Option<Logo>,
    /// The logo on a dark page, if it is another one.
    pub logo_dark: Option<Logo>,
    /// The page where people get help.
    pub support_url: Option<String>,
    /// The terms of service.
    pub terms_url: Option<String>,
    /// The privacy policy.
    pub privacy_url: Option<String>,
}

/// The corners of fields and buttons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Corners {
    /// Right angles.
    Square,
    #[default]
    Round,
}

named!(Corners { Square => "square", Round => "round" });

/// A font that the reader's system has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Font {
    /// The font of the system's own windows.
    #[default]
    System,
    Serif,
}

named!(Font { System => "system", Serif => "serif" });

/// A colour that people cannot distinguish from another one.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{primary} on {background} has a contrast of {:.2}:1, and controls need {}:1 (WCAG 2.2, 1.4.11); {nearest} has it", floor(.ratio), Branding::CONTROL_CONTRAST)]
pub struct LowContrast {
    /// The refused colour.
    pub primary: Colour,
    pub background: Colour,
    /// The contrast of the two.
    pub ratio: f64,
    /// The most similar colour that has enough.
    pub nearest: Colour,
}

/// A ratio is never shown higher than it is.
fn floor(ratio: &f64) -> f64 {
    (ratio * 100.0).floor() / 100.0
}

impl Branding {
    /// The contrast that a control needs beside the page (WCAG 2.2, success criterion 1.4.11). Text is black
    /// or white, whichever is more readable on the colour, so it has the 4.5:1 of criterion 1.4.3 on every
    /// colour.
    pub const CONTROL_CONTRAST: f64 = 3.0;

    pub fn logos(&self) -> impl Iterator<Item = &Logo> {
        self.logo.iter().chain(&self.logo_dark)
    }

    /// Whether its style is the default. Logos and links do not count as style.
    #[must_use]
    pub fn looks_as_default(&self) -> bool {
        let plain = Self::default();
        (self.primary, self.background, self.corners, self.font)
            == (plain.primary, plain.background, plain.corners, plain.font)
    }

    /// Judges the two colours.
    ///
    /// # Errors
    /// [`LowContrast`], with a colour that would do.
    pub fn check_contrast(&self) -> Result<(), LowContrast> {
        let Self { primary, background, .. } = *self;
        let ratio = primary.contrast(background);
        if ratio >= Self::CONTROL_CONTRAST {
            return Ok(());
        }
        let nearest = primary.with_contrast(background, Self::CONTROL_CONTRAST);
        Err(LowContrast { primary, background, ratio, nearest })
    }
}

impl Default for Branding {
    fn default() -> Self {
        Self {
            primary: Colour::rgb(0x1f, 0x5f, 0xbf),
            background: Colour::WHITE,
            corners: Corners::default(),
            font: Font::default(),
            logo: None,
            logo_dark: None,
            support_url: None,
            terms_url: None,
            privacy_url: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branding(primary: &str, background: &str) -> Branding {
        let [primary, background] = [primary, background].map(|colour| colour.parse().unwrap());
        Branding { primary, background, ..Branding::default() }
    }

    #[track_caller]
    fn check(primary: &str, background: &str, expected: Result<(), &str>) {
        let found = branding(primary, background).check_contrast().map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn a_button_must_be_told_from_the_page() {
        check("#1f5fbf", "#ffffff", Ok(()));
        check("#ffdd00", "#101010", Ok(()));
        let low = "#ffdd00 on #ffffff has a contrast of 1.34:1, and controls need 3:1 (WCAG 2.2, 1.4.11); #ab9400 has it";
        check("#ffdd00", "#ffffff", Err(low));
        let low = branding("#949494", "#fdfdfd").check_contrast().unwrap_err();
        assert!(low.to_string().contains(" 2.9") && low.nearest.contrast(low.background) >= 3.0, "{low}");
    }

    #[test]
    fn names_are_those_of_the_stored_form() {
        for (name, corners) in Corners::NAMED {
            assert_eq!((corners.as_str(), serde_json::to_value(corners).unwrap()), (name, name.into()));
        }
        for (name, font) in Font::NAMED {
            assert_eq!((font.as_str(), serde_json::to_value(font).unwrap()), (name, name.into()));
        }
        assert_eq!(serde_json::from_str::<Branding>("{}").unwrap(), Branding::default());
    }

    #[test]
    fn the_default_is_accepted() {
        assert_eq!(Branding::default().check_contrast(), Ok(()));
    }
}
