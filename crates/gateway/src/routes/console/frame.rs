//! The frame of every console page: navigation, the path to the page, the signed-in person, and the
//! sign-out button.

use actix_web::HttpResponse;
use administration::kinds::Permission;
use pages::console::{Block, ConsolePage, HtmlForm};
use pages::{Common, Destination as Entry, Frame, FrameTexts, Link, Value};
use tenancy::TenantId;

use super::shown::{link, moment};
use super::visit::{ConsoleVisit, VisitedPlace, show};
use crate::options::BaseUrl;
use crate::page::{PageRequest, common};

/// A page in the navigation: its name, its path below the platform or the tenant, and the permission
/// that it needs.
type MenuEntry = (&'static str, &'static str, Option<Permission>);

/// What a page shows above its blocks.
pub(super) struct Head<'h> {
    /// The name of the entry of the navigation.
    pub(super) current: &'h str,
    pub(super) heading: String,
    /// The ID of the page's row, if the heading is the name of the row.
    pub(super) id: Option<String>,
    pub(super) tabs: Vec<Entry>,
}

impl ConsoleVisit<'_> {
    /// A page without tabs. `current` is the name of the entry of the navigation.
    pub(super) fn show(&self, current: &str, heading: impl Into<String>, blocks: Vec<Block>) -> HttpResponse {
        self.show_under(Head { current, heading: heading.into(), id: None, tabs: Vec::new() }, blocks)
    }

    pub(super) fn show_under(&self, head: Head<'_>, blocks: Vec<Block>) -> HttpResponse {
        let texts = &self.texts().frame;
        let entries = self.menu();
        let place = |(name, below, _): &MenuEntry| ((*name).to_owned(), self.path(below));
        let to_link = |(name, url)| Link { name, url };
        let is_overview = head.current == texts.overview;
        let is_above =
            |(name, ..): &&MenuEntry| *name == head.current && head.heading != *name && !is_overview;
        let above: Vec<_> = entries.iter().filter(is_above).map(|entry| to_link(place(entry))).collect();
        let mut page = outside(self.request, &self.place, &head.heading, blocks);
        if self.place != VisitedPlace::Platform {
            let tenants = format!("{}/console/tenants", self.request.public_url.path());
            if self.chooses_tenants() {
                let search = &self.texts().shared.search;
                page.switcher = Some(HtmlForm::search(tenants.clone(), texts.find_tenant, "", search));
                page.trail.push(to_link((texts.tenants.to_owned(), tenants)));
            }
            page.trail.extend(
                (!is_overview || head.id.is_none())
                    .then(|| to_link((self.title().to_owned(), self.path("")))),
            );
        }
        page.trail.extend(above);
        page.common.tenant_name = Some(self.title().to_owned());
        page.frame.places =
            links(entries.into_iter().map(|(name, below, _)| (name, below)), head.current, |below| {
                self.path(below)
            });
        page.frame.person = Some(self.person.clone());
        page.frame.ends = Some(moment(self.session.expires_at.into()));
        page.sign_out =
            Some(HtmlForm::button(self.path("/sign-out"), &self.form_token(), self.request.texts().sign_out));
        (page.id, page.tabs) = (head.id, head.tabs);
        show(&page)
    }

    /// The pages that the owner of the session may open.
    fn menu(&self) -> Vec<MenuEntry> {
        let FrameTexts { overview, tenants, applications, people, keys, advice, audit, .. } =
            self.texts().frame;
        let (of_all, of_audit) = ([(overview, "", None)], Some(Permission::Audit));
        let own: &[MenuEntry] = match self.place {
            VisitedPlace::Platform => &[(tenants, "/tenants", Some(Permission::Tenants))],
            VisitedPlace::Tenant(_) => &[
                (applications, "/applications", Some(Permission::Clients)),
                (people, "/people", Some(Permission::Accounts)),
                (keys, "/keys", Some(Permission::Keys)),
            ],
        };
        let last = [(advice, "/advice", of_audit), (audit, "/audit", of_audit)];
        let entries = of_all.iter().chain(own).chain(&last).copied();
        entries.filter(|(.., needed)| needed.is_none_or(|needed| self.may(needed))).collect()
    }

    fn may(&self, permission: Permission) -> bool {
        match self.place {
            VisitedPlace::Platform => self.caller.authority.holds_everywhere(permission),
            VisitedPlace::Tenant(_) => self.caller.authority.holds_in(&self.tenant(), permission),
        }
    }

    /// The name of an application, with a link if the reader may open its page.
    pub(super) fn application_link(&self, tenant: &TenantId, name: &str, url: String) -> Value {
        if self.caller.authority.holds_in(tenant, Permission::Clients) {
            link(name, url)
        } else {
            Value::Text(name.to_owned())
        }
    }

    fn chooses_tenants(&self) -> bool {
        self.is_of_platform() && self.caller.authority.holds_everywhere(Permission::Tenants)
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
        switcher: None,
        trail: Vec::new(),
        heading: heading.to_owned(),
        id: None,
        tabs: Vec::new(),
        blocks,
    }
}
