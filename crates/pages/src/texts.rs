//! All texts of the pages, with one table for each language.

mod english;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
}

impl Language {
    pub const ALL: [Self; 1] = [Self::English];

    /// BCP 47.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
        }
    }

    #[must_use]
    pub const fn texts(self) -> &'static Texts {
        match self {
            Self::English => &english::TEXTS,
        }
    }
}

/// The title and the explanation of an error page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    NotFound,
    BadRequest,
    TooLong,
    /// The client's sign-out request is invalid or too long.
    BadSignOut,
    /// A script or a frame requests the page.
    NotANavigation,
    /// The form was created for another browser.
    ForeignForm,
    /// The page was open for too long.
    Expired,
    /// The browser has not returned the page's cookie.
    NoCookies,
    /// The request was already used or has expired.
    Ended,
    Busy,
    Unavailable,
    Internal,
}

impl ErrorKind {
    pub const ALL: [Self; 12] = [
        Self::NotFound,
        Self::BadRequest,
        Self::TooLong,
        Self::BadSignOut,
        Self::NotANavigation,
        Self::ForeignForm,
        Self::Expired,
        Self::NoCookies,
        Self::Ended,
        Self::Busy,
        Self::Unavailable,
        Self::Internal,
    ];
}

pub(crate) type With = fn(&str) -> String;

#[derive(Debug)]
pub struct Texts {
    pub support: &'static str,
    pub terms: &'static str,
    pub privacy: &'static str,
    pub about_tenant: With,
    pub back_to: With,

    pub sign_in: &'static str,
    pub to_continue_to: With,
    pub identifier: &'static str,
    pub password: &'static str,
    pub show: &'static str,
    pub show_password: &'static str,
    pub hide: &'static str,
    pub hide_password: &'static str,
    pub stay_signed_in: &'static str,
    pub sign_in_refused: &'static str,
    pub sign_in_busy: &'static str,
    pub sign_in_expired: &'static str,
    pub no_cookies: &'static str,

    pub consent: With,
    pub continue_to: With,
    pub signed_in_as: With,
    pub asks_to: With,
    pub allow: &'static str,
    pub deny: &'static str,
    pub go_on: &'static str,
    pub cancel: &'static str,

    pub fact_application: &'static str,
    pub fact_account: &'static str,
    pub fact_name: &'static str,
    pub fact_returns_to: &'static str,
    pub fact_registered_by: &'static str,
    pub fact_services: &'static str,
    pub fact_code: &'static str,
    pub fact_requested_at: &'static str,
    pub fact_requested_from: &'static str,
    pub fact_error_code: &'static str,
    /// The label of the request identifier, by which operators find the request in the log.
    pub fact_request: &'static str,
    pub fact_version: &'static str,
    pub fact_address: &'static str,

    pub select_account: &'static str,
    pub continue_as: With,
    pub other_account: &'static str,
    pub sign_in_as: With,

    pub continuing: &'static str,

    pub sign_out_of: With,
    pub sign_out: &'static str,
    pub sign_out_question: With,
    pub stay: &'static str,
    pub front: &'static str,
    pub front_text: &'static str,
    pub front_token: &'static str,
    pub front_api: &'static str,
    pub front_errors: &'static str,
    pub front_console: &'static str,
    pub front_account: &'static str,
    pub reference: &'static str,
    pub reference_skip: &'static str,
    pub reference_parts: &'static str,
    pub reference_document: &'static str,
    pub reference_errors: &'static str,
    pub reference_settings: &'static str,
    pub reference_token: &'static str,
    pub reference_token_here: &'static str,
    pub reference_token_elsewhere: &'static str,
    pub reference_parameters: &'static str,
    pub reference_body: &'static str,
    pub reference_answers: &'static str,
    pub reference_request: &'static str,
    pub reference_answer: &'static str,
    pub reference_schemas: &'static str,

    pub signed_out: &'static str,
    pub signed_out_of: With,
    pub sign_in_again: &'static str,

    pub device: &'static str,
    pub device_code: &'static str,
    pub device_hint: &'static str,
    pub device_code_unknown: &'static str,
    pub device_codes_exhausted: &'static str,
    pub device_confirm: &'static str,
    pub device_warning: &'static str,
    pub device_refuse: &'static str,
    pub device_allow: &'static str,
    pub device_connected: &'static str,
    pub device_connected_text: &'static str,
    pub device_refused: &'static str,
    pub device_refused_text: &'static str,

    pub account: &'static str,
    pub open_account: &'static str,
    pub sessions: &'static str,
    pub account_here: &'static str,
    pub account_nowhere_else: &'static str,
    pub unknown_browser: &'static str,
    /// Joins the name of a browser and the name of its system.
    pub browser_on: fn(&str, &str) -> String,
    pub signed_in_at: &'static str,
    pub sessions_equal: With,
    pub session_seen: &'static str,
    pub session_end: &'static str,
    pub sessions_end: With,
    pub session_ended: &'static str,
    pub sessions_ended: &'static str,
    pub more_sessions: With,
    pub sign_out_everywhere: &'static str,
    pub sign_out_everywhere_text: &'static str,
    pub applications: &'static str,
    pub no_applications: &'static str,
    pub application_allowed: &'static str,
    pub application_end: &'static str,
    pub application_ended: &'static str,
    pub more_applications: With,

    pub console: &'static str,
    pub console_text: &'static str,
    pub open_console: &'static str,
    pub until: &'static str,
    pub console_ends: &'static str,
    pub none_of: With,

    pub change_password: &'static str,
    pub change_password_text: &'static str,
    pub present_password: &'static str,
    pub present_password_refused: &'static str,
    pub new_password: &'static str,
    pub new_password_hint: &'static str,
    pub new_password_unfit: With,
    pub password_declared: &'static str,
    pub password_changed: &'static str,

    pub set_password: &'static str,
    pub password_link_code: &'static str,
    pub password_link_hint: &'static str,
    pub password_link_refused: &'static str,

    /// What a scope of OpenID Connect permits (Core §5.4, §11). `None` for any other scope.
    pub scope: fn(&str) -> Option<&'static str>,

    /// Precedes the details of an error, which are English in every language.
    pub for_developers: &'static str,
    /// Title and explanation.
    pub error: fn(ErrorKind) -> (&'static str, &'static str),
}
