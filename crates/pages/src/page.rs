//! What all pages have in common: language, the names of tenant and client, the tenant's theme, and
//! the content security policy.

use crate::assets::{self, Asset};
use crate::texts::{Language, Texts};

pub trait HtmlPage {
    /// The complete HTML.
    fn render(&self) -> String;

    fn common(&self) -> &Common;

    fn form_target(&self) -> FormTarget {
        FormTarget::Own
    }
}

/// Where the page's forms may be sent (`form-action` in the content security policy).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormTarget {
    Own,
    /// The client's redirect URI. Browsers apply `form-action` also to redirects after the form, so
    /// the policy names no target.
    Client,
}

#[derive(Clone, Debug, Default)]
pub struct Common {
    pub language: Language,
    /// The path under which a proxy serves this server, without a slash at its end. Empty for the
    /// root.
    pub base: String,
    /// The nonce of the page's script in the content security policy. New for each response.
    pub nonce: String,
    /// `None` if the request names no tenant.
    pub tenant_name: Option<String>,
    /// `None` if no client started the request.
    pub client_name: Option<String>,
    /// The path of the tenant's style sheet.
    pub theme: Option<String>,
    pub logo: Option<LogoPaths>,
    pub links: Links,
    /// The path of the account page. `None` if nobody can sign in to the tenant.
    pub account: Option<String>,
}

/// The target of a form and its hidden field.
#[derive(Clone, Debug)]
pub struct SealedForm {
    pub action: String,
    /// The sealed request, which the server checks against cross-site requests.
    pub flow: String,
}

#[derive(Clone, Debug)]
pub struct LogoPaths {
    pub light: String,
    /// `None` if the dark scheme has the same logo.
    pub dark: Option<String>,
}

/// Links of a tenant in the footer.
#[derive(Clone, Debug, Default)]
pub struct Links {
    pub support: Option<String>,
    pub terms: Option<String>,
    pub privacy: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Link {
    pub name: String,
    /// A URL of this server, or a URL that is registered for the client.
    pub url: String,
}

impl Common {
    #[must_use]
    pub fn texts(&self) -> &'static Texts {
        self.language.texts()
    }

    pub(crate) fn title(&self, heading: impl AsRef<str>) -> String {
        let heading = heading.as_ref();
        self.tenant_name.as_ref().map_or_else(|| heading.to_owned(), |tenant| format!("{heading} · {tenant}"))
    }

    pub(crate) fn stylesheet(&self) -> String {
        self.path_of(&assets::STYLE)
    }

    pub(crate) fn script(&self) -> String {
        self.path_of(&assets::SCRIPT)
    }

    pub(crate) fn script_digest(&self) -> &'static str {
        assets::SCRIPT.integrity()
    }

    pub(crate) fn icon(&self) -> String {
        self.path_of(&assets::ICON)
    }

    /// The first letters of the first two words of the tenant's name, shown if the tenant has no
    /// logo.
    pub(crate) fn monogram(&self) -> Option<String> {
        let words = self.tenant_name.as_deref()?.split_whitespace();
        let firsts = words.filter_map(|word| word.chars().find(|letter| letter.is_alphanumeric()));
        let letters: String = firsts.take(2).flat_map(char::to_uppercase).collect();
        (!letters.is_empty()).then_some(letters)
    }

    /// The section of an error code on the page about errors.
    pub(crate) fn help_on(&self, code: &str) -> String {
        format!("{}/docs/errors#{code}", self.base)
    }

    /// The labels and URLs of the links that the tenant has configured.
    pub(crate) fn footer(&self) -> Vec<(&'static str, &str)> {
        let (Links { support, terms, privacy }, texts) = (&self.links, self.texts());
        let links = [(texts.support, support), (texts.terms, terms), (texts.privacy, privacy)];
        links.into_iter().filter_map(|(label, url)| Some((label, url.as_deref()?))).collect()
    }

    /// Empty if no client started the request.
    pub(crate) fn client(&self) -> &str {
        self.client_name.as_deref().unwrap_or_default()
    }

    pub(crate) fn back_label(&self) -> String {
        let texts = self.texts();
        self.client_name.as_ref().map_or_else(|| texts.go_on.to_owned(), |name| (texts.back_to)(name))
    }

    fn path_of(&self, asset: &Asset) -> String {
        format!("{}{}", self.base, asset.path())
    }
}

/// Implements [`HtmlPage`] for a view with a template and a field `common`. Also implements
/// `heading`, if the heading is a constant text.
macro_rules! page {
    ($view:ty $(, heading: $heading:ident)? $(, target: $target:expr)?) => {
        $(impl $view {
            fn heading(&self) -> &'static str {
                self.common.texts().$heading
            }
        })?

        impl $crate::page::HtmlPage for $view {
            fn render(&self) -> String {
                // Writing to a `String` fails only if the `Display` of a value fails. All values
                // are texts.
                ::askama::Template::render(self).expect("texts can be written")
            }

            fn common(&self) -> &$crate::page::Common {
                &self.common
            }

            $(fn form_target(&self) -> $crate::page::FormTarget {
                $target
            })?
        }
    };
}
pub(crate) use page;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenant_without_logo_gets_a_monogram() {
        for (name, letters) in [
            ("Acme Ltd", Some("AL")),
            ("globex", Some("G")),
            ("  the  (big) one", Some("TB")),
            ("\u{9662}\u{5b50} x", Some("\u{9662}X")),
            ("\u{202e}<!-- -->", None),
            ("", None),
        ] {
            let common = Common { tenant_name: Some(name.to_owned()), ..Common::default() };
            assert_eq!(common.monogram().as_deref(), letters, "{name}");
        }
    }
}
