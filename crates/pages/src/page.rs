//! The properties of every page: language, the names of tenant and client, the tenant's look, and the policy
//! of its response.

use crate::assets::{self, Asset};
use crate::texts::{Language, Texts};

/// A page that a person sees.
pub trait HtmlPage {
    /// The document.
    fn render(&self) -> String;

    /// The parts that all pages have.
    fn common(&self) -> &Common;

    /// The target of its forms.
    fn form_target(&self) -> FormTarget {
        FormTarget::Own
    }
}

/// The target of a page's forms, for the page's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormTarget {
    /// This origin.
    Own,
    /// The client. Browsers apply the directive to later redirects too, so the policy names no target.
    Client,
}

/// The parts that every page has.
#[derive(Clone, Debug, Default)]
pub struct Common {
    /// The language of its texts.
    pub language: Language,
    /// The path under which a proxy serves this server, without a slash at its end. Empty for the root.
    pub base: String,
    /// The random number that the response's policy names, for the page's script. It is new for each
    /// response.
    pub nonce: String,
    /// The tenant's display name, where the tenant is known.
    pub tenant_name: Option<String>,
    /// The client's name, where a client began this.
    pub client_name: Option<String>,
    /// The path of the tenant's theme.
    pub theme: Option<String>,
    /// The tenant's logo.
    pub logo: Option<LogoPaths>,
    /// The tenant's addresses.
    pub links: Links,
    /// The path of the page of the own account, where people sign in at the tenant.
    pub account: Option<String>,
}

/// The paths of a tenant's logo.
#[derive(Clone, Debug)]
pub struct LogoPaths {
    /// The path of the picture.
    pub light: String,
    /// The path for the dark scheme, if it has another logo.
    pub dark: Option<String>,
}

/// Addresses that a tenant shows on its pages.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// The page where people get help.
    pub support: Option<String>,
    /// The terms of service.
    pub terms: Option<String>,
    /// The privacy policy.
    pub privacy: Option<String>,
}

/// A link to another page, of a client or of ours.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its text.
    pub name: String,
    /// Its address. That of a client is registered for it.
    pub url: String,
}

impl Common {
    /// The texts in the page's language.
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

    /// The first letters of the tenant's first two words, which take the place of a logo.
    pub(crate) fn monogram(&self) -> Option<String> {
        let words = self.tenant_name.as_deref()?.split_whitespace();
        let firsts = words.filter_map(|word| word.chars().find(|letter| letter.is_alphanumeric()));
        let letters: String = firsts.take(2).flat_map(char::to_uppercase).collect();
        (!letters.is_empty()).then_some(letters)
    }

    /// The page that explains the errors of this server.
    pub(crate) fn help_on(&self, code: &str) -> String {
        format!("{}/docs/errors#{code}", self.base)
    }

    /// Labels and addresses, of those that the tenant has.
    pub(crate) fn footer(&self) -> Vec<(&'static str, &str)> {
        let (Links { support, terms, privacy }, texts) = (&self.links, self.texts());
        let links = [(texts.support, support), (texts.terms, terms), (texts.privacy, privacy)];
        links.into_iter().filter_map(|(label, url)| Some((label, url.as_deref()?))).collect()
    }

    /// The name of the client; empty where there is none.
    pub(crate) fn client(&self) -> &str {
        self.client_name.as_deref().unwrap_or_default()
    }

    /// The text of the link back to the client.
    pub(crate) fn back_label(&self) -> String {
        let texts = self.texts();
        self.client_name.as_ref().map_or_else(|| texts.go_on.to_owned(), |name| (texts.back_to)(name))
    }

    fn path_of(&self, asset: &Asset) -> String {
        format!("{}{}", self.base, asset.path())
    }
}

/// Implements [`HtmlPage`] for a view with a template and a field `common`, and its heading where that is one
/// text.
macro_rules! page {
    ($view:ty $(, heading: $heading:ident)? $(, target: $target:expr)?) => {
        $(impl $view {
            fn heading(&self) -> &'static str {
                self.common.texts().$heading
            }
        })?

        impl $crate::page::HtmlPage for $view {
            fn render(&self) -> String {
                // Writing into a `String` fails only if a value's own `Display` fails, and the values are
                // texts.
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
    fn a_tenant_without_a_logo_is_known_by_its_letters() {
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
