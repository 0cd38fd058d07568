//! The style of one tenant: every colour of a page, derived from two, in light and dark. All pairs of colours that people have to tell apart
//! have the contrast that WCAG 2.2 AA demands. The text of it is made of numbers and of words of this file.

use std::fmt::Write as _;

use tenancy::{Branding, Colour, Corners, Font, LowContrast};

use crate::assets::hash;

/// WCAG 2.2, 1.4.3.
const TEXT_CONTRAST: f64 = 4.5;
/// What body text has, where the background allows: black and white alone are hard on the eyes.
const COMFORTABLE: f64 = 10.0;
/// Of messages of errors, before it gets its contrast.
const RED: Colour = Colour::rgb(0xb3, 0x26, 0x1e);

/// A style that has its contrasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    light: Palette,
    dark: Palette,
    corners: Corners,
    font: Font,
}

/// The colours of one scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Palette {
    background: Colour,
    text: Colour,
    muted: Colour,
    line: Colour,
    error: Colour,
    primary: Colour,
    on_primary: Colour,
}

impl Theme {
    /// Derives a style.
    ///
    /// # Errors
    /// [`LowContrast`].
    pub fn new(branding: &Branding) -> Result<Self, LowContrast> {
        branding.check_contrast()?;
        let Branding { primary, background, corners, font, .. } = *branding;
        let night = if is_dark(background) { background } else { background.mixed(Colour::BLACK, 0.9) };
        let [light, dark] = [background, night].map(|background| Palette::of(primary, background));
        Ok(Self { light, dark, corners, font })
    }

    /// The style sheet.
    #[must_use]
    pub fn css(&self) -> String {
        let radius = match self.corners {
            Corners::Square => "0",
            Corners::Round => ".5rem",
        };
        let font = match self.font {
            Font::System => "system-ui,sans-serif",
            Font::Serif => "ui-serif,Georgia,\"Times New Roman\",serif",
        };
        let (light, dark) = (self.light.css(), self.dark.css());
        format!(
            ":root{{{light};--radius:{radius};--font:{font}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
        )
    }

    /// The part of its path that changes with its content.
    #[must_use]
    pub fn hash(&self) -> String {
        hash(self.css().as_bytes())
    }
}

impl Default for Theme {
    fn default() -> Self {
        Self::new(&Branding::default()).expect("a test shows that the default has its contrasts")
    }
}

impl Palette {
    fn of(primary: Colour, background: Colour) -> Self {
        let ink = background.text();
        let softer = ink.mixed(background, 0.1);
        let text = if softer.contrast(background) >= COMFORTABLE { softer } else { ink };
        let primary = primary.with_contrast(background, Branding::CONTROL_CONTRAST);
        Self {
            background,
            text,
            muted: text.mixed(background, 0.25).with_contrast(background, TEXT_CONTRAST),
            line: text.mixed(background, 0.5).with_contrast(background, Branding::CONTROL_CONTRAST),
            error: RED.with_contrast(background, TEXT_CONTRAST),
            primary,
            on_primary: primary.text(),
        }
    }

    fn css(&self) -> String {
        let Self { background, text, muted, line, error, primary, on_primary } = self;
        let scheme = if is_dark(*background) { "dark" } else { "light" };
        let mut css = format!("color-scheme:{scheme}");
        for (name, colour) in [
            ("background", background),
            ("text", text),
            ("muted", muted),
            ("line", line),
            ("error", error),
            ("primary", primary),
            ("on-primary", on_primary),
        ] {
            write!(css, ";--{name}:{colour}").expect("a `String` takes all text");
        }
        css
    }
}

/// Whether text on it is white.
fn is_dark(background: Colour) -> bool {
    background.text() == Colour::WHITE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_readable(palette: &Palette) {
        let Palette { background, text, muted, line, error, primary, on_primary } = *palette;
        for (one, other, least) in [
            (text, background, TEXT_CONTRAST),
            (muted, background, TEXT_CONTRAST),
            (error, background, TEXT_CONTRAST),
            (on_primary, primary, TEXT_CONTRAST),
            (line, background, Branding::CONTROL_CONTRAST),
            (primary, background, Branding::CONTROL_CONTRAST),
        ] {
            assert!(one.contrast(other) >= least, "{one} on {other} in {palette:?}");
        }
    }

    #[test]
    fn every_accepted_pair_of_colours_gives_readable_pages_in_both_schemes() {
        let channels = [0, 51, 102, 128, 153, 204, 255];
        let all = || {
            channels.into_iter().flat_map(move |red| {
                channels.into_iter().flat_map(move |green| {
                    channels.into_iter().map(move |blue| Colour::rgb(red, green, blue))
                })
            })
        };
        let (mut accepted, mut refused) = (0, 0);
        for background in all().step_by(7) {
            for primary in all().step_by(3) {
                let branding = Branding { primary, background, ..Branding::default() };
                let theme = match Theme::new(&branding) {
                    Ok(theme) => theme,
                    Err(low) => {
                        refused += 1;
                        let nearer = Branding { primary: low.nearest, ..branding };
                        Theme::new(&nearer).expect("what the refusal names is accepted")
                    }
                };
                accepted += 1;
                assert_readable(&theme.light);
                assert_readable(&theme.dark);
            }
        }
        assert!(accepted > 5_000 && refused > 1_000, "{accepted} {refused}");
    }

    #[test]
    fn the_dark_scheme_is_dark_and_a_dark_tenant_stays_as_it_is() {
        let light = Theme::default();
        assert!(!is_dark(light.light.background) && is_dark(light.dark.background));
        let background = Colour::rgb(0x10, 0x20, 0x30);
        let primary = Colour::rgb(0xff, 0xdd, 0);
        let theme = Theme::new(&Branding { primary, background, ..Branding::default() }).unwrap();
        assert_eq!(theme.light, theme.dark);
    }

    #[test]
    fn a_theme_is_two_rules() {
        let branding = Branding { corners: Corners::Square, font: Font::Serif, ..Branding::default() };
        insta::assert_snapshot!(Theme::new(&branding).unwrap().css(), @r#"
        :root{color-scheme:light;--background:#ffffff;--text:#1a1a1a;--muted:#535353;--line:#8d8d8d;--error:#b3261e;--primary:#1f5fbf;--on-primary:#ffffff;--radius:0;--font:ui-serif,Georgia,"Times New Roman",serif}
        @media (prefers-color-scheme:dark){:root{color-scheme:dark;--background:#1a1a1a;--text:#e8e8e8;--muted:#b5b5b5;--line:#818181;--error:#c9645e;--primary:#2463c1;--on-primary:#ffffff}}
        "#);
        assert_ne!(Theme::new(&branding).unwrap().hash(), Theme::default().hash());
    }
}
