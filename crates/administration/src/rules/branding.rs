//! The rules for the look of a tenant's pages. People must be able to see the main button on the page, a logo
//! must be a picture that cannot run code, and every link must lead to an https page.

use tenancy::{Branding, Corners, Font};
use values::Colour;

use super::text::is_https_url;
use super::{FieldErrors, logo};
use crate::documents::BrandingSettings;

/// `before` is the current look of the pages.
pub(super) fn check(
    errors: &mut FieldErrors,
    settings: &BrandingSettings,
    before: Option<&Branding>,
) -> Branding {
    let BrandingSettings {
        primary,
        background,
        corners,
        font,
        logo,
        logo_dark,
        support_url,
        terms_url,
        privacy_url,
    } = settings;
    logo::check_pair(errors, [logo.as_ref(), logo_dark.as_ref()]);
    let plain = Branding::default();
    let colours = [("/branding/primary", primary), ("/branding/background", background)]
        .map(|(at, text)| check_colour(errors, at, text));
    let branding = Branding {
        primary: colours[0].unwrap_or(plain.primary),
        background: colours[1].unwrap_or(plain.background),
        corners: errors.check_one_of("/branding/corners", corners, &Corners::NAMED).unwrap_or_default(),
        font: errors.check_one_of("/branding/font", font, &Font::NAMED).unwrap_or_default(),
        logo: logo::check(errors, "/branding/logo", logo.as_ref(), before),
        logo_dark: logo::check(errors, "/branding/logo_dark", logo_dark.as_ref(), before),
        support_url: check_address(errors, "/branding/support_url", support_url.as_ref()),
        terms_url: check_address(errors, "/branding/terms_url", terms_url.as_ref()),
        privacy_url: check_address(errors, "/branding/privacy_url", privacy_url.as_ref()),
    };
    if let ([Some(_), Some(_)], Err(low)) = (colours, branding.check_contrast()) {
        let hint = format!("use {}, or choose another pair of colours", low.nearest);
        errors.refuse("/branding/primary", low.to_string(), hint);
    }
    branding
}

fn check_colour(errors: &mut FieldErrors, at: &str, text: &str) -> Option<Colour> {
    let colour = text.parse();
    if colour.is_err() {
        errors.refuse(
            at,
            "this is not a valid colour",
            "write # and six hexadecimal digits, such as \"#1f5fbf\"",
        );
    }
    colour.ok()
}

fn check_address(errors: &mut FieldErrors, at: &str, url: Option<&String>) -> Option<String> {
    let url = url?;
    if !is_https_url(url) {
        errors.refuse(
            at,
            "this is not an https URL",
            "use the address of a page, such as https://example.com/help",
        );
    }
    Some(url.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::documents::TenantSettings;

    #[track_caller]
    fn check(branding: Value, expected: &[&str]) -> Vec<String> {
        let mut errors = FieldErrors::default();
        let settings = TenantSettings::read(json!({ "branding": branding })).unwrap();
        let checked = super::check(&mut errors, &settings.branding, None);
        let errors = errors.into_vec();
        let found: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(found, expected, "{branding}");
        if expected.is_empty() {
            assert_eq!(BrandingSettings::from(&checked), settings.branding);
        }
        errors.into_iter().map(|error| error.detail).collect()
    }

    #[test]
    fn every_field_is_validated() {
        check(json!({}), &[]);
        let all =
            json!({ "primary": "#ffdd00", "background": "#101010", "corners": "square", "font": "serif" });
        check(all, &[]);
        check(json!({ "support_url": "https://a.example/help?b=c" }), &[]);
        check(json!({ "logo": { "hash": "a" } }), &["/branding/logo/hash"]);
        check(json!({ "logo": {} }), &["/branding/logo"]);
        check(json!({ "logo_dark": {} }), &["/branding/logo_dark", "/branding/logo_dark"]);
        for colour in ["", "red", "#fff", "1f5fbf", "#1f5fbf;}", "#gggggg"] {
            check(json!({ "primary": colour }), &["/branding/primary"]);
            check(json!({ "background": colour }), &["/branding/background"]);
        }
        check(json!({ "corners": "oval" }), &["/branding/corners"]);
        check(json!({ "font": "Comic Sans" }), &["/branding/font"]);
        let secure = ["https://", "https://u@a.example", "https://a#b"];
        for url in ["", "a", "http://a.example", "javascript:alert(1)"].into_iter().chain(secure) {
            for member in ["support_url", "terms_url", "privacy_url"] {
                check(json!({ member: url }), &[&format!("/branding/{member}")]);
            }
        }
        for unknown in
            [json!({ "css": "a" }), json!({ "logo": { "file": "a.png" } }), json!({ "logo": "a.png" })]
        {
            assert!(TenantSettings::read(json!({ "branding": unknown })).is_err(), "{unknown}");
        }
    }

    #[test]
    fn low_contrast_button_is_refused_with_a_suggestion() {
        let said = check(json!({ "primary": "#ffdd00" }), &["/branding/primary"]);
        assert!(said[0].contains("1.34:1") && said[0].contains("#ab9400"), "{said:?}");
        check(json!({ "primary": "#ab9400" }), &[]);
        check(json!({ "background": "#1f5fbf" }), &["/branding/primary"]);
    }
}
