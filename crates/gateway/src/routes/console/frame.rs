//! The frame of every console page: navigation, signed-in person, and the sign-out button.

use actix_web::HttpResponse;
use pages::console::{Block, ConsolePage, HtmlForm};
use pages::{Common, Destination as Entry, Frame, Link};

use super::shown::moment;
use super::visit::{ConsoleVisit, VisitedPlace, show};
use crate::options::BaseUrl;
use crate::page::{PageRequest, common};

impl ConsoleVisit<'_> {
    /// `current` is the name of the entry of the navigation.
    pub(super) fn show(&self, current: &str, heading: impl Into<String>, blocks: Vec<Block>) -> HttpResponse {
        self.show_part(current, heading.into(), Vec::new(), blocks)
    }

    /// As [`Self::show`], with tabs.
    pub(super) fn show_part(
        &self,
        current: &str,
        heading: String,
        tabs: Vec<Entry>,
        blocks: Vec<Block>,
    ) -> HttpResponse {
        let texts = &self.texts().frame;
        let (overview, audit) = ((texts.overview, ""), (texts.audit, "/audit"));
        // The paths are relative to the platform or the tenant.
        let entries = match self.place {
            VisitedPlace::Platform => vec![overview, (texts.tenants, "/tenants"), audit],
            VisitedPlace::Tenant(_) => {
                vec![overview, (texts.applications, "/applications"), (texts.keys, "/keys"), audit]
            }
        };
        let mut places = links(entries, current, |below| self.path(below));
        if self.is_of_platform() && self.place != VisitedPlace::Platform {
            let url = format!("{}/console/tenants", self.request.public_url.path());
            let link = Link { name: texts.all_tenants.to_owned(), url };
            places.insert(0, Entry { link, is_current: false });
        }
        let mut page = outside(self.request, &self.place, &heading, blocks);
        page.frame.places = places;
        page.frame.person = Some(self.session.actor.clone());
        page.frame.ends = Some(moment(self.session.expires_at.into()));
        page.sign_out =
            Some(HtmlForm::button(self.path("/sign-out"), &self.form_token(), self.request.texts().sign_out));
        page.tabs = tabs;
        show(&page)
    }
}

/// Links of the navigation or of tabs, with names and paths.
pub(super) fn links<'t>(
    entries: impl IntoIterator<Item = (&'t str, &'t str)>,
    current: &str,
    path: impl Fn(&str) -> String,
) -> Vec<Entry> {
    let entry = |(name, below): (&str, &str)| Entry {
        link: Link { name: name.to_owned(), url: path(below) },
        is_current: name == current,
    };
    entries.into_iter().map(entry).collect()
}

/// For a page without a session.
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

/// The frame without navigation.
pub(crate) fn plain_page(
    public_url: &BaseUrl,
    name: String,
    heading: &str,
    blocks: Vec<Block>,
) -> ConsolePage {
    let texts = &public_url.1.texts().console.frame;
    ConsolePage {
        common: Common { tenant_name: Some(name), ..common(public_url) },
        frame: Frame {
            skip: texts.skip.to_owned(),
            label: texts.label.to_owned(),
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
