//! The files that pages load: a style sheet, a script and an icon. The path of a file contains a
//! hash of its content, so that browsers can cache it forever.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA384, digest};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::Theme;
use crate::content_hash::hash;

/// Starts with the default theme. A tenant's own theme is another file.
pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let text = Theme::default().css() + include_str!("pages.css");
    Asset::new("pages.css", "text/css; charset=utf-8", text)
});
pub(crate) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("pages.js", "text/javascript; charset=utf-8", include_str!("pages.js").to_owned())
});
pub(crate) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon.svg", "image/svg+xml", include_str!("icon.svg").to_owned()));

#[derive(Debug)]
pub struct Asset {
    name: &'static str,
    media_type: &'static str,
    text: String,
    hash: String,
    integrity: String,
}

impl Asset {
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        [&STYLE, &SCRIPT, &ICON].into_iter().map(|asset| &**asset).find(|asset| asset.name == name)
    }

    fn new(name: &'static str, media_type: &'static str, text: String) -> Self {
        let hash = hash(text.as_bytes());
        let integrity = format!("sha384-{}", BASE64_STANDARD.encode(digest(&SHA384, text.as_bytes())));
        Self { name, media_type, text, hash, integrity }
    }

    /// Without the path under which a proxy serves this server.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/assets/{}/{}", self.hash, self.name)
    }

    /// The part of the path that changes with the content.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    #[must_use]
    pub const fn media_type(&self) -> &'static str {
        self.media_type
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// For the attribute `integrity` (W3C Subresource Integrity).
    pub(crate) fn integrity(&self) -> &str {
        &self.integrity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_small_and_found_by_name() {
        for (name, most) in [("pages.css", 24 * 1024), ("pages.js", 8 * 1024), ("icon.svg", 1024)] {
            let asset = Asset::named(name).unwrap();
            assert!(asset.text().len() <= most, "{name} has {} bytes", asset.text().len());
            assert_eq!(asset.path(), format!("/assets/{}/{name}", asset.hash()));
        }
        assert!(Asset::named("pages.map").is_none());
    }

    #[test]
    fn no_file_loads_another_one() {
        for name in ["pages.css", "pages.js", "icon.svg"] {
            let text = Asset::named(name).unwrap().text().replace("http://www.w3.org/2000/svg", "");
            for loads in ["url(", "@import", "http:", "https:", "fetch(", "import "] {
                assert!(!text.contains(loads), "{name}: {loads}");
            }
        }
    }
}
