//! The appearance of a tenant's pages: two colours, corners, a font, a logo and links. All of these are
//! values; no text from them goes into a style sheet, and no markup into a page.

use serde::{Deserialize, Serialize};
use values::named;

use crate::Logo;
use values::Colour;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Branding {
    /// The colour of the main button.
    pub primary: Colour,
    /// The colour of the page.
    pub background: Colour,
    pub corners: Corners,
    pub font: Font,
    pub logo: Option<Logo>,
    /// The logo on a dark page, if it is different.
    pub logo_dark: Option<Logo>,
    /// The page where people get help.
    pub support_url: Option<String>,
    pub terms_url: Option<String>,
    pub privacy_url: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Corners {
    Square,
    #[default]
    Round,
}

named!(Corners { Square => "square", Round => "round" });

/// A font that is installed on the reader's system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Font {
    /// The font of the system's own windows.
    #[default]
    System,
    Serif,
}

named!(Font { System => "system", Serif => "serif" });

/// Two colours that people cannot distinguish well enough.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("the contrast of {primary} on {background} is {:.2}:1, but controls need {}:1 (WCAG 2.2, 1.4.11); \
    {nearest} meets it", floor(.ratio), Branding::CONTROL_CONTRAST)]
pub struct LowContrast {
    /// The colour that is refused.
    pub primary: Colour,
    pub background: Colour,
    /// The contrast of the two colours.
    pub ratio: f64,
    /// The most similar colour with enough contrast.
    pub nearest: Colour,
}

/// Rounds down, so that a message never shows a higher contrast than there is.
fn floor(ratio: &f64) -> f64 {
    (ratio * 100.0).floor() / 100.0
}

impl Branding {
    /// The minimum contrast of a control with the page (WCAG 2.2, success criterion 1.4.11). Text on a colour
    /// is black or white, whichever is more readable, so it always has the 4.5:1 of criterion 1.4.3.
    pub const CONTROL_CONTRAST: f64 = 3.0;

    pub fn logos(&self) -> impl Iterator<Item = &Logo> {
        self.logo.iter().chain(&self.logo_dark)
    }

    /// Whether the style is the default. Logos and links do not count as style.
    #[must_use]
    pub fn looks_as_default(&self) -> bool {
        let plain = Self::default();
        (self.primary, self.background, self.corners, self.font)
            == (plain.primary, plain.background, plain.corners, plain.font)
    }

    /// Checks the contrast of the two colours.
    ///
    /// # Errors
    /// [`LowContrast`], with a colour that has enough contrast.
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
    fn primary_colour_needs_contrast_with_background() {
        check("#1f5fbf", "#ffffff", Ok(()));
        check("#ffdd00", "#101010", Ok(()));
        let low = "the contrast of #ffdd00 on #ffffff is 1.34:1, but controls need 3:1 (WCAG 2.2, 1.4.11); #ab9400 meets it";
        check("#ffdd00", "#ffffff", Err(low));
        let low = branding("#949494", "#fdfdfd").check_contrast().unwrap_err();
        assert!(low.to_string().contains(" 2.9") && low.nearest.contrast(low.background) >= 3.0, "{low}");
    }

    #[test]
    fn names_match_the_stored_form() {
        for (name, corners) in Corners::NAMED {
            assert_eq!((corners.as_str(), serde_json::to_value(corners).unwrap()), (name, name.into()));
        }
        for (name, font) in Font::NAMED {
            assert_eq!((font.as_str(), serde_json::to_value(font).unwrap()), (name, name.into()));
        }
        assert_eq!(serde_json::from_str::<Branding>("{}").unwrap(), Branding::default());
    }

    #[test]
    fn default_branding_has_enough_contrast() {
        assert_eq!(Branding::default().check_contrast(), Ok(()));
    }
}
