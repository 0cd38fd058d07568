//! The styles of a message. Programs for mail load no style sheet and many ignore `<style>`, so the colours
//! of the light scheme are in attributes. The rules of the dark scheme override them where `<style>` works.

use tenancy::{Corners, Font};

use crate::theme::{Palette, Theme};

/// Values of attributes `style`, and the style sheet of the dark scheme.
pub(super) struct Look {
    pub(super) ground: String,
    pub(super) card: String,
    pub(super) strong: &'static str,
    pub(super) logo: &'static str,
    pub(super) heading: &'static str,
    pub(super) code: String,
    /// The space is not a character, so that nobody copies it with the code.
    pub(super) group: &'static str,
    pub(super) button: String,
    pub(super) url: String,
    pub(super) dark: String,
}

impl Look {
    pub(super) fn new(Theme { light, dark, corners, font }: &Theme) -> Self {
        let Palette { ground, surface, text, muted, line_soft, primary, on_primary, .. } = light;
        let radius = match corners {
            Corners::Square => "0",
            Corners::Round => "8px",
        };
        let font = match font {
            Font::System => "system-ui,Segoe UI,Roboto,Helvetica,Arial,sans-serif",
            Font::Serif => "Georgia,Times New Roman,serif",
        };
        Self {
            ground: format!(
                "margin:0;padding:24px 12px;background:{ground};color:{text};font:16px/1.5 {font};overflow-wrap:anywhere"
            ),
            card: format!(
                "max-width:480px;margin:0 auto;padding:12px 24px;background:{surface};border:1px solid {line_soft};border-radius:{radius}"
            ),
            strong: "font-weight:600",
            logo: "display:block;height:48px;max-width:60%",
            heading: "margin:16px 0;font-size:22px;line-height:1.25",
            code: format!(
                "margin:16px 0;color:{text};font:600 28px/1.25 ui-monospace,Menlo,Consolas,monospace;letter-spacing:3px"
            ),
            group: "margin-right:12px",
            button: format!(
                "display:inline-block;padding:12px 20px;background:{primary};color:{on_primary};border-radius:{radius};font-weight:600;text-decoration:none"
            ),
            url: format!("color:{muted};font-size:14px;word-break:break-all"),
            dark: sheet(dark),
        }
    }
}

fn sheet(Palette { ground, surface, text, muted, line_soft, primary, on_primary, .. }: &Palette) -> String {
    format!(
        ":root{{color-scheme:light dark}}@media (prefers-color-scheme:dark){{\
         .ground{{background:{ground}!important;color:{text}!important}}\
         .card{{background:{surface}!important;border-color:{line_soft}!important}}\
         .code{{color:{text}!important}}.url{{color:{muted}!important}}\
         .button{{background:{primary}!important;color:{on_primary}!important}}}}"
    )
}
