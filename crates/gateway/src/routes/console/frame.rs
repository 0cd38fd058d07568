//! The frame of every page of the console: the navigation, the signed-in person, and the sign-out.

use actix_web::HttpResponse;
use pages::console::{Block, ConsolePage, HtmlForm};
use pages::{Common, Destination as Entry, Frame, Link};

use super::shown::moment;
use super::visit::{ConsoleVisit, VisitedPlace, show};
use crate::options::BaseUrl;
use crate::page::{PageRequest, common};

/// The entries of the navigation, with their paths below the place.
const OF_PLATFORM: [(&str, &str); 3] = [("Overview", ""), ("Tenants", "/tenants"), ("Audit", "/audit")];
const OF_TENANT: [(&str, &str); 4] =
    [("Overview", ""), ("Applications", "/applications"), ("Signing keys", "/keys"), ("Audit", "/audit")];

impl ConsoleVisit<'_> {
    /// A page with these blocks. `current` is its entry in the navigation.
    pub(super) fn show(&self, current: &str, heading: impl Into<String>, blocks: Vec<Block>) -> HttpResponse {
        self.show_part(current, heading.into(), Vec::new(), blocks)
    }

    /// Shows a page of one part of a subject, with links to its other parts.
    pub(super) fn show_part(
        &self,
        current: &str,
        heading: String,
        tabs: Vec<Entry>,
        blocks: Vec<Block>,
    ) -> HttpResponse {
        let entries = match self.place {
            VisitedPlace::Platform => &OF_PLATFORM[..],
            VisitedPlace::Tenant(_) => &OF_TENANT[..],
        };
        let entry = |(name, below): &(&str, &str)| Entry {
            link: Link { name: (*name).to_owned(), url: self.path(below) },
            is_current: *name == current,
        };
        let mut places: Vec<_> = entries.iter().map(entry).collect();
        if self.is_of_platform() && self.place != VisitedPlace::Platform {
            let url = format!("{}/console/tenants", self.request.public_url.path());
            places.insert(0, Entry { link: Link { name: "All tenants".to_owned(), url }, is_current: false });
        }
        let mut page = outside(self.request, &self.place, &heading, blocks);
        page.frame.places = places;
        page.frame.person = Some(self.session.actor.clone());
        page.frame.ends = Some(moment(self.session.expires_at.into()));
        page.sign_out = Some(HtmlForm::button(self.path("/sign-out"), &self.form_token(), "Sign out"));
        page.tabs = tabs;
        show(&page)
    }
}

/// A page without a session.
pub(super) fn outside(
    request: &PageRequest,
    place: &VisitedPlace,
    heading: &str,
    blocks: Vec<Block>,
) -> ConsolePage {
    let name = match place {
        VisitedPlace::Platform => "Latchkey".to_owned(),
        VisitedPlace::Tenant(tenant) => tenant.to_string(),
    };
    plain_page(&request.public_url, name, heading, blocks)
}

/// A page in this frame, without places to go to.
pub(crate) fn plain_page(
    public_url: &BaseUrl,
    name: String,
    heading: &str,
    blocks: Vec<Block>,
) -> ConsolePage {
    ConsolePage {
        common: Common { tenant_name: Some(name), ..common(public_url) },
        frame: Frame {
            skip: "Skip to the content".to_owned(),
            label: "Console".to_owned(),
            places: Vec::new(),
            person: None,
            ends: None,
        },
        sign_out: None,
        heading: heading.to_owned(),
        tabs: Vec::new(),
        blocks,
    }
}
