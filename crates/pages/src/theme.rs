//! The theme of one tenant: all colours of a page in light and dark, derived from two colours. All
//! pairs of colours that people must distinguish have the contrast of WCAG 2.2 AA. The style sheet
//! contains only numbers and words from this file, never text of a tenant.

use std::fmt::Write as _;

use tenancy::{Branding, Corners, Font, LowContrast};
use values::Colour;

use crate::content_hash::hash;

/// WCAG 2.2, success criterion 1.4.3.
const TEXT_CONTRAST: f64 = 4.5;
/// The contrast of body text, if the background allows it. Pure black and white are hard on the
/// eyes.
const COMFORTABLE: f64 = 10.0;
/// Coloured text starts with this contrast, so that its background can have a tint.
const TINTABLE: f64 = 5.5;
/// Colours before they are adjusted for contrast.
const DANGER: Colour = Colour::rgb(0xb3, 0x26, 0x1e);
const SUCCESS: Colour = Colour::rgb(0x1b, 0x6e, 0x3c);
const WARNING: Colour = Colour::rgb(0x8a, 0x53, 0x00);

/// A theme whose contrasts have been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    pub(crate) light: Palette,
    pub(crate) dark: Palette,
    pub(crate) corners: Corners,
    pub(crate) font: Font,
}

/// One colour scheme, light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Palette {
    /// The area around cards.
    pub(crate) ground: Colour,
    /// The background of cards and fields. The tenant chooses it.
    pub(crate) surface: Colour,
    pub(crate) text: Colour,
    pub(crate) muted: Colour,
    /// Borders of fields and buttons.
    line: Colour,
    /// Separators within a card, which need no contrast.
    pub(crate) line_soft: Colour,
    pub(crate) primary: Colour,
    pub(crate) on_primary: Colour,
    on_danger: Colour,
    info: Tone,
    danger: Tone,
    success: Tone,
    warning: Tone,
}

/// The colour of a text, and the tint behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tone {
    ink: Colour,
    soft: Colour,
}

impl Theme {
    /// # Errors [`LowContrast`].
    pub fn new(branding: &Branding) -> Result<Self, LowContrast> {
        branding.check_contrast()?;
        let Branding { primary, background, corners, font, .. } = *branding;
        let night = if is_dark(background) { background } else { background.mixed(Colour::BLACK, 0.9) };
        let [light, dark] = [background, night].map(|background| Palette::from_primary(primary, background));
        Ok(Self { light, dark, corners, font })
    }

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

    /// The part of the style sheet's path that changes with its content.
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
    fn from_primary(primary: Colour, surface: Colour) -> Self {
        let ink = surface.text();
        let softer = ink.mixed(surface, 0.1);
        let text = if softer.contrast(surface) >= COMFORTABLE { softer } else { ink };
        let muted = text.mixed(surface, 0.25).with_contrast(surface, TEXT_CONTRAST);
        let primary = primary.with_contrast(surface, Branding::CONTROL_CONTRAST);
        let (shade, most) =
            if is_dark(surface) { (Colour::BLACK, 0.4) } else { (primary.mixed(Colour::BLACK, 0.5), 0.06) };
        let kept = [(text, TEXT_CONTRAST), (muted, TEXT_CONTRAST), (primary, Branding::CONTROL_CONTRAST)];
        let tone = |colour| Tone::from_colour(colour, surface, text);
        let danger = tone(DANGER);
        Self {
            ground: tint(surface, shade, most, &kept),
            surface,
            text,
            muted,
            line: text.mixed(surface, 0.5).with_contrast(surface, Branding::CONTROL_CONTRAST),
            line_soft: text.mixed(surface, 0.86),
            primary,
            on_primary: primary.text(),
            on_danger: danger.ink.text(),
            info: tone(primary),
            danger,
            success: tone(SUCCESS),
            warning: tone(WARNING),
        }
    }

    fn css(&self) -> String {
        let scheme = if is_dark(self.surface) { "dark" } else { "light" };
        let mut css = format!("color-scheme:{scheme}");
        for (name, colour) in [
            ("ground", self.ground),
            ("surface", self.surface),
            ("text", self.text),
            ("muted", self.muted),
            ("line", self.line),
            ("line-soft", self.line_soft),
            ("primary", self.primary),
            ("on-primary", self.on_primary),
            ("info", self.info.ink),
            ("info-soft", self.info.soft),
            ("danger", self.danger.ink),
            ("danger-soft", self.danger.soft),
            ("on-danger", self.on_danger),
            ("success", self.success.ink),
            ("success-soft", self.success.soft),
            ("warning", self.warning.ink),
            ("warning-soft", self.warning.soft),
        ] {
            write!(css, ";--{name}:{colour}").expect("a `String` takes all text");
        }
        css
    }
}

impl Tone {
    fn from_colour(colour: Colour, surface: Colour, text: Colour) -> Self {
        let ink = colour.with_contrast(surface, TINTABLE);
        Self { ink, soft: tint(surface, ink, 0.1, &[(ink, TEXT_CONTRAST), (text, TEXT_CONTRAST)]) }
    }
}

/// The surface with as much of a colour as possible, at most `most`, so that all `shown` colours
/// keep their contrast.
fn tint(surface: Colour, colour: Colour, most: f64, shown: &[(Colour, f64)]) -> Colour {
    let mut shades = (1..=8).rev().map(|eighth| surface.mixed(colour, most * f64::from(eighth) / 8.0));
    let keeps = |shade: &Colour| shown.iter().all(|(colour, least)| colour.contrast(*shade) >= *least);
    shades.find(keeps).unwrap_or(surface)
}

fn is_dark(background: Colour) -> bool {
    background.text() == Colour::WHITE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_readable(palette: &Palette) {
        let Palette { ground, surface, text, muted, line, primary, on_primary, on_danger, .. } = *palette;
        let Palette { info, danger, success, warning, .. } = *palette;
        let tones = [info, danger, success, warning].into_iter().flat_map(|Tone { ink, soft }| {
            [(ink, surface, TEXT_CONTRAST), (ink, soft, TEXT_CONTRAST), (text, soft, TEXT_CONTRAST)]
        });
        let others = [
            (text, surface, TEXT_CONTRAST),
            (text, ground, TEXT_CONTRAST),
            (muted, surface, TEXT_CONTRAST),
            (muted, ground, TEXT_CONTRAST),
            (on_primary, primary, TEXT_CONTRAST),
            (on_danger, danger.ink, TEXT_CONTRAST),
            (line, surface, Branding::CONTROL_CONTRAST),
            (primary, surface, Branding::CONTROL_CONTRAST),
            (primary, ground, Branding::CONTROL_CONTRAST),
        ];
        for (one, other, least) in tones.chain(others) {
            assert!(one.contrast(other) >= least, "{one} on {other} in {palette:?}");
        }
    }

    #[test]
    fn accepted_colours_are_readable_in_both_schemes() {
        let channels = [0, 51, 102, 128, 153, 204, 255];
        let all = || {
            channels.into_iter().flat_map(move |red| {
                channels.into_iter().flat_map(move |green| {
                    channels.into_iter().map(move |blue| Colour::rgb(red, green, blue))
                })
            })
        };
        let (mut accepted, mut refused) = (0, 0);
        for background in all().step_by(13) {
            for primary in all().step_by(5) {
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
        assert!(accepted > 1_500 && refused > 300, "{accepted} {refused}");
    }

    #[test]
    fn dark_branding_is_used_in_both_schemes() {
        let light = Theme::default();
        assert!(!is_dark(light.light.surface) && is_dark(light.dark.surface));
        let background = Colour::rgb(0x10, 0x20, 0x30);
        let primary = Colour::rgb(0xff, 0xdd, 0);
        let theme = Theme::new(&Branding { primary, background, ..Branding::default() }).unwrap();
        assert_eq!(theme.light, theme.dark);
    }

    #[test]
    fn cards_and_tints_differ_from_their_background() {
        for palette in [Theme::default().light, Theme::default().dark] {
            let Palette { ground, surface, info, danger, success, warning, .. } = palette;
            assert_ne!(ground, surface);
            assert!([info, danger, success, warning].iter().all(|tone| tone.soft != surface), "{palette:?}");
        }
    }

    #[test]
    fn theme_is_written_as_two_css_rules() {
        let branding = Branding { corners: Corners::Square, font: Font::Serif, ..Branding::default() };
        insta::assert_snapshot!(Theme::new(&branding).unwrap().css(), @r#"
        :root{color-scheme:light;--ground:#f1f3f5;--surface:#ffffff;--text:#1a1a1a;--muted:#535353;--line:#8d8d8d;--line-soft:#dfdfdf;--primary:#1f5fbf;--on-primary:#ffffff;--info:#1f5fbf;--info-soft:#e9eff9;--danger:#b3261e;--danger-soft:#f7e9e9;--on-danger:#ffffff;--success:#1b6e3c;--success-soft:#e8f1ec;--warning:#8a5300;--warning-soft:#f3eee6;--radius:0;--font:ui-serif,Georgia,"Times New Roman",serif}
        @media (prefers-color-scheme:dark){:root{color-scheme:dark;--ground:#101010;--surface:#1a1a1a;--text:#e8e8e8;--muted:#b5b5b5;--line:#818181;--line-soft:#373737;--primary:#2463c1;--on-primary:#ffffff;--info:#6793d4;--info-soft:#22262d;--danger:#d07974;--danger-soft:#2c2423;--on-danger:#000000;--success:#649d7b;--success-soft:#212724;--warning:#b08b53;--warning-soft:#292520}}
        "#);
        assert_ne!(Theme::new(&branding).unwrap().hash(), Theme::default().hash());
    }
}
