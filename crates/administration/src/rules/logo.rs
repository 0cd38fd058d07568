//! The rules for a tenant's logo: a pixel picture without animation, of a limited size. Only its first bytes
//! are checked; it is never decoded.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use tenancy::{Branding, Logo};
use values::{Image, UnfitImage};

use super::FieldErrors;
use crate::documents::LogoSettings;

/// Checks the logo at this pointer. `before` has the logos that the tenant already shows.
pub(super) fn check(
    errors: &mut FieldErrors,
    at: &str,
    settings: Option<&LogoSettings>,
    before: Option<&Branding>,
) -> Option<Logo> {
    let LogoSettings { file, data, hash } = settings?;
    let Some(data) = data else {
        let Some(hash) = hash else {
            errors.refuse(at, "the picture is missing", "set `data` to the picture in base64");
            return None;
        };
        let shown = before.into_iter().flat_map(Branding::logos).find(|logo| logo.hash() == hash);
        if shown.is_none() {
            let detail = "this tenant has no logo with this digest";
            errors.refuse(&format!("{at}/hash"), detail, "send the picture instead of `hash`");
        }
        return shown.map(|logo| Logo::stored(logo.hash().to_owned()));
    };
    let at = format!("{at}/{}", if file.is_some() { "file" } else { "data" });
    match read(data) {
        Ok(logo) => Some(logo),
        Err(None) => {
            errors.refuse(&at, "this is not base64 (RFC 4648 §4)", "encode the bytes of the file in base64");
            None
        }
        Err(Some(unfit)) => {
            errors.refuse(&at, unfit.to_string(), hint(unfit));
            None
        }
    }
}

/// Refuses a dark logo without a light one, because light pages would have no logo.
pub(super) fn check_pair(errors: &mut FieldErrors, settings: [Option<&LogoSettings>; 2]) {
    if let [None, Some(_)] = settings {
        let detail = "this logo for dark pages needs a `logo` to replace, and none is set";
        errors.refuse("/branding/logo_dark", detail, "also set `logo`, or move this picture there");
    }
}

/// Decodes a picture. `Err(None)`: the text is not base64.
fn read(data: &str) -> Result<Logo, Option<UnfitImage>> {
    // A text that is far too long is not decoded.
    if data.len() > Image::MOST_BYTES * 2 {
        return Err(Some(UnfitImage::TooLarge(data.len() / 4 * 3)));
    }
    let bytes = BASE64_STANDARD.decode(data).map_err(|_| None)?;
    Image::read(&bytes).map_err(Some)?;
    Ok(Logo::new(BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, &bytes)), bytes))
}

fn hint(unfit: UnfitImage) -> &'static str {
    match unfit {
        UnfitImage::Markup => "export the picture as PNG, 144 pixels high",
        UnfitImage::UnknownFormat | UnfitImage::Incomplete(_) => "save the picture as PNG, JPEG or WebP",
        UnfitImage::TooLarge(_) | UnfitImage::Pixels { .. } => {
            "use a smaller picture; pages show it 48 CSS pixels high, so 144 pixels are enough for every screen"
        }
        UnfitImage::Animated => "save a single frame of it",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::documents::BrandingSettings;

    const PNG: &[u8] = include_bytes!("../../../testkit/images/logo.png");
    const DARK: &[u8] = include_bytes!("../../../testkit/images/dark.png");

    fn of(settings: LogoSettings, before: Option<&Branding>) -> Result<Logo, (String, String)> {
        let mut errors = FieldErrors::default();
        let logo = check(&mut errors, "/branding/logo", Some(&settings), before);
        match errors.into_vec().pop() {
            Some(error) => Err((error.pointer, error.detail)),
            None => Ok(logo.unwrap()),
        }
    }

    fn data(bytes: &[u8]) -> LogoSettings {
        LogoSettings { data: Some(BASE64_STANDARD.encode(bytes)), ..LogoSettings::default() }
    }

    #[test]
    fn stored_logo_is_referred_to_by_digest() {
        let logo = of(data(PNG), None).unwrap();
        assert_eq!((logo.hash().len(), &**logo.content().unwrap()), (43, PNG));
        assert_ne!(logo, of(data(DARK), None).unwrap());
        let shown = Branding { logo: Some(logo.clone()), ..Branding::default() };
        let settings = BrandingSettings::from(&shown).logo.unwrap();
        assert_eq!(json!(settings), json!({ "hash": logo.hash() }));
        let kept = of(settings.clone(), Some(&shown)).unwrap();
        assert_eq!((&kept, kept.content()), (&logo, None));
        // A digest cannot name the picture of another tenant.
        let refused = ["/branding/logo/hash", "this tenant has no logo with this digest"];
        let refused: (String, String) = refused.map(str::to_owned).into();
        assert_eq!(of(settings.clone(), Some(&Branding::default())), Err(refused.clone()));
        assert_eq!(of(settings.clone(), None), Err(refused));
        // A patch with a picture replaces a digest.
        let replaced = LogoSettings { hash: settings.hash, ..data(DARK) };
        assert_eq!(of(replaced, Some(&shown)), of(data(DARK), None));
    }

    #[test]
    fn invalid_picture_is_refused_with_its_pointer() {
        let in_file = LogoSettings { file: Some("logo.svg".into()), ..data(b"<svg/>") };
        assert_eq!(of(in_file, None).unwrap_err().0, "/branding/logo/file");
        let svg = data(b"<svg onload=\"alert(1)\"/>").data.unwrap();
        for (text, expected) in [
            (&*svg, "this is markup, which could contain a script"),
            ("%", "this is not base64 (RFC 4648 §4)"),
            ("iVBORw0KGgo", "this is not base64 (RFC 4648 §4)"),
            ("", "the picture must be PNG, JPEG or WebP"),
        ] {
            let settings = LogoSettings { data: Some(text.to_owned()), ..LogoSettings::default() };
            assert_eq!(of(settings, None), Err(("/branding/logo/data".to_owned(), expected.to_owned())));
        }
        let large = [PNG, &vec![0; 600 * 1024]].concat();
        assert!(of(data(&large), None).unwrap_err().1.ends_with("a logo can have at most 262144"));
        assert_eq!(of(LogoSettings::default(), None).unwrap_err().0, "/branding/logo");
    }

    #[test]
    fn dark_logo_requires_a_light_logo() {
        for (light, dark, refused) in
            [(false, false, false), (true, false, false), (true, true, false), (false, true, true)]
        {
            let mut errors = FieldErrors::default();
            let settings = LogoSettings::default();
            check_pair(&mut errors, [light, dark].map(|given| given.then_some(&settings)));
            assert_eq!(!errors.into_vec().is_empty(), refused, "{light} {dark}");
        }
    }
}
