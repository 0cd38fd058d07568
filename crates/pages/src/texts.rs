//! All texts of the pages, with one table for each language.

pub(crate) mod console;
mod english;
#[cfg(feature = "examples")]
mod pseudo;

use console::ConsoleTexts;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
    /// English texts in brackets, for tests that look for texts outside the table.
    #[cfg(feature = "examples")]
    Pseudo,
}

impl Language {
    pub const ALL: [Self; 1] = [Self::English];

    /// BCP 47.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            #[cfg(feature = "examples")]
            Self::Pseudo => "en-XA",
        }
    }

    #[must_use]
    pub fn texts(self) -> &'static Texts {
        match self {
            Self::English => &english::TEXTS,
            #[cfg(feature = "examples")]
            Self::Pseudo => pseudo::texts(),
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

pub(crate) type Text = &'static str;
/// A text with one value.
pub(crate) type With = fn(&str) -> String;
/// A text with two values.
pub(crate) type WithTwo = fn(&str, &str) -> String;
/// Texts for the names of a protocol. `None` for unknown names.
pub(crate) type Named = fn(&str) -> Option<Text>;
/// Title and explanation of an error.
pub(crate) type ErrorTexts = fn(ErrorKind) -> (Text, Text);

/// Declares a struct of texts. The path leads to its English texts, which the pseudo-language wraps.
macro_rules! texts {
    ($english:expr => $(#[$note:meta])* $name:ident {
        $($(#[$field_note:meta])* $field:ident: $kind:ident,)+
    }) => {
        $(#[$note])*
        #[derive(Debug)]
        pub struct $name {
            $($(#[$field_note])* pub $field: $kind,)+
        }

        #[cfg(feature = "examples")]
        impl $name {
            pub(in crate::texts) fn pseudo() -> Self {
                Self { $($field: $crate::texts::pseudo::wrapped!($kind, $english.$field),)+ }
            }
        }
    };
}
use texts;

texts! {
    english::TEXTS => Texts {
        support: Text,
        terms: Text,
        privacy: Text,
        about_tenant: With,
        back_to: With,

        sign_in: Text,
        to_continue_to: With,
        identifier: Text,
        password: Text,
        copy: Text,
        copied: Text,
        not_copied: Text,
        show: Text,
        show_password: Text,
        hide: Text,
        hide_password: Text,
        stay_signed_in: Text,
        sign_in_refused: Text,
        sign_in_busy: Text,
        sign_in_expired: Text,
        no_cookies: Text,

        consent: With,
        continue_to: With,
        signed_in_as: With,
        asks_to: With,
        allow: Text,
        deny: Text,
        go_on: Text,
        cancel: Text,

        fact_application: Text,
        fact_account: Text,
        fact_name: Text,
        fact_returns_to: Text,
        fact_registered_by: Text,
        fact_services: Text,
        fact_code: Text,
        fact_requested_at: Text,
        fact_requested_from: Text,
        fact_error_code: Text,
        /// The label of the request identifier, by which operators find the request in the log.
        fact_request: Text,
        fact_version: Text,
        fact_address: Text,

        select_account: Text,
        continue_as: With,
        other_account: Text,
        sign_in_as: With,

        continuing: Text,

        sign_out_of: With,
        sign_out: Text,
        sign_out_question: With,
        stay: Text,
        front: Text,
        front_text: Text,
        front_token: Text,
        front_api: Text,
        front_errors: Text,
        front_console: Text,
        front_account: Text,
        reference: Text,
        reference_skip: Text,
        reference_parts: Text,
        reference_document: Text,
        reference_errors: Text,
        reference_settings: Text,
        reference_token: Text,
        reference_token_here: Text,
        reference_token_elsewhere: Text,
        reference_parameters: Text,
        reference_body: Text,
        reference_answers: Text,
        reference_request: Text,
        reference_answer: Text,
        reference_schemas: Text,

        signed_out: Text,
        signed_out_of: With,
        sign_in_again: Text,

        device: Text,
        device_code: Text,
        device_hint: Text,
        device_code_unknown: Text,
        device_codes_exhausted: Text,
        device_confirm: Text,
        device_warning: Text,
        device_refuse: Text,
        device_allow: Text,
        device_connected: Text,
        device_connected_text: Text,
        device_refused: Text,
        device_refused_text: Text,

        account: Text,
        open_account: Text,
        sessions: Text,
        account_here: Text,
        account_nowhere_else: Text,
        unknown_browser: Text,
        /// Joins the name of a browser and the name of its system.
        browser_on: WithTwo,
        signed_in_at: Text,
        sessions_equal: With,
        session_seen: Text,
        session_end: Text,
        sessions_end: With,
        session_ended: Text,
        sessions_ended: Text,
        more_sessions: With,
        sign_out_everywhere: Text,
        sign_out_everywhere_text: Text,
        applications: Text,
        no_applications: Text,
        application_allowed: Text,
        application_end: Text,
        application_ended: Text,
        more_applications: With,

        account_console: Text,
        account_console_text: Text,
        open_console: Text,
        until: Text,
        console_ends: Text,
        none_of: With,

        change_password: Text,
        change_password_text: Text,
        current_password: Text,
        current_password_refused: Text,
        new_password: Text,
        new_password_hint: Text,
        new_password_unfit: With,
        password_declared: Text,
        password_changed: Text,

        set_password: Text,
        /// On the sign-in page after a person has set the password with a link.
        password_set: Text,
        password_link_code: Text,
        password_link_hint: Text,
        password_link_refused: Text,

        /// What a scope of OpenID Connect permits (Core §5.4, §11). `None` for any other scope.
        scope: Named,

        /// Precedes the details of an error, which are English in every language.
        for_developers: Text,
        error: ErrorTexts,

        console: ConsoleTexts,
    }
}
