//! All texts of the pages, with one table for each language.

pub(crate) mod console;
mod mail;
#[cfg(feature = "examples")]
mod pseudo;

use console::ConsoleTexts;
use mail::MailTexts;

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
            Self::English => &Texts::ENGLISH,
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

/// Declares a struct of texts. Each field has its English text, which the pseudo-language wraps. Another
/// language is another value of the same struct.
macro_rules! texts {
    ($(#[$note:meta])* $name:ident {
        $($(#[$field_note:meta])* $field:ident: $kind:ident = $english:expr,)+
    }) => {
        $(#[$note])*
        #[derive(Debug)]
        pub struct $name {
            $($(#[$field_note])* pub $field: $kind,)+
        }

        impl $name {
            pub(in crate::texts) const ENGLISH: Self = Self { $($field: $english,)+ };

            #[cfg(feature = "examples")]
            pub(in crate::texts) fn pseudo() -> Self {
                Self { $($field: $crate::texts::pseudo::wrapped!($kind, Self::ENGLISH.$field),)+ }
            }
        }
    };
}
use texts;

texts! {
    Texts {
        support: Text = "Help",
        terms: Text = "Terms of service",
        privacy: Text = "Privacy",
        about_tenant: With = |tenant| format!("About {tenant}"),
        back_to: With = |client| format!("Back to {client}"),

        sign_in: Text = "Sign in",
        to_continue_to: With = |client| format!("To continue to {client}"),
        identifier: Text = "Email address or username",
        password: Text = "Password",
        copy: Text = "Copy",
        copied: Text = "Copied",
        not_copied: Text = "Not copied",
        show: Text = "Show",
        show_password: Text = "Show password",
        hide: Text = "Hide",
        hide_password: Text = "Hide password",
        forgot_password: Text = "Forgot password?",
        stay_signed_in: Text = "Stay signed in on this device",
        // The same text for every refusal, so that it does not reveal whether the account exists or is
        // locked.
        sign_in_refused: Text = "Wrong email or password. After several failed attempts you may have to wait a few minutes.",
        sign_in_busy: Text = "The server is busy. Wait a moment, then try again.",
        sign_in_expired: Text = "This page was open for too long. Sign in again.",
        no_cookies: Text = "Your browser blocks cookies for this site. Allow cookies, then try again.",

        consent: With = |client| format!("Allow {client} to use your account?"),
        continue_to: With = |client| format!("Continue to {client}?"),
        signed_in_as: With = |account| format!("You are signed in as {account}."),
        asks_to: With = |client| format!("{client} wants to:"),
        allow: Text = "Allow",
        deny: Text = "Deny",
        go_on: Text = "Continue",
        cancel: Text = "Cancel",

        fact_application: Text = "Application",
        fact_account: Text = "Account",
        fact_name: Text = "Name",
        fact_returns_to: Text = "Returns to",
        fact_registered_by: Text = "Registered by",
        fact_services: Text = "Services",
        fact_code: Text = "Code",
        fact_requested_at: Text = "Requested",
        fact_requested_from: Text = "Requested from",
        fact_error_code: Text = "Error code",
        /// The label of the request identifier, by which operators find the request in the log.
        fact_request: Text = "Request ID",
        fact_version: Text = "Version",
        fact_address: Text = "Address",

        select_account: Text = "Choose an account",
        continue_as: With = |account| format!("Continue as {account}"),
        other_account: Text = "Use another account",
        sign_in_as: With = |account| format!("Sign in as {account}"),

        continuing: Text = "Continue",

        sign_out_of: With = |tenant| format!("Sign out of {tenant}?"),
        sign_out: Text = "Sign out",
        sign_out_question: With = |account| format!("You are about to sign out {account} in this browser."),
        stay: Text = "Stay signed in",
        front: Text = "Latchkey is running",
        front_text: Text = "Only this machine can open this page. A server with a public address has no page here.",
        front_token: Text = "Get a token",
        front_api: Text = "Read the API reference",
        front_errors: Text = "Look up an error",
        front_console: Text = "Open the console",
        front_account: Text = "Sign in",
        caught_mail: Text = "Caught mail",
        caught_mail_text: Text = "This development server sends no mail. The latest 50 messages are here until the server stops.",
        caught_mail_html: Text = "Open the HTML part",
        reference: Text = "Latchkey API",
        reference_skip: Text = "Skip to main content",
        reference_parts: Text = "On this page",
        reference_document: Text = "OpenAPI document",
        reference_errors: Text = "Error codes",
        reference_settings: Text = "Schema of config.yaml",
        reference_token: Text = "Get a token",
        reference_token_here: Text = "Get a token as the client of the sample configuration:",
        reference_token_elsewhere: Text = "This listener issues no tokens. Use a listener that serves the public paths, for example the listener of the sample configuration:",
        reference_parameters: Text = "Parameters",
        reference_body: Text = "Request body",
        reference_answers: Text = "Responses",
        reference_request: Text = "Example request",
        reference_answer: Text = "Example response",
        reference_schemas: Text = "Schemas",

        signed_out: Text = "You are signed out",
        signed_out_of: With = |tenant| format!("You have signed out of {tenant} in this browser."),
        sign_in_again: Text = "Sign in again",

        device: Text = "Connect a device",
        device_code: Text = "Code",
        device_hint: Text = "Enter the code that your device shows, for example ABCD-EFGH.",
        device_code_unknown: Text = "This code is wrong or has expired. Compare it with the code on your device.",
        device_codes_exhausted: Text = "You entered too many wrong codes. Try again in ten minutes.",
        device_confirm: Text = "Did you start this on your device?",
        device_warning: Text = "Allow access only if the device is in front of you. If somebody called you or wrote to you about this code, choose “This was not me”.",
        device_refuse: Text = "This was not me",
        device_allow: Text = "Allow this device",
        device_connected: Text = "The device is connected",
        device_connected_text: Text = "You can close this page and continue on your device.",
        device_refused: Text = "The device is not connected",
        device_refused_text: Text = "You denied the request. You can close this page.",

        account: Text = "Your account",
        open_account: Text = "Open your account",
        sessions: Text = "Where you are signed in",
        account_here: Text = "This browser",
        account_nowhere_else: Text = "No other sessions.",
        unknown_browser: Text = "Unknown browser",
        /// Joins the name of a browser and the name of its system.
        browser_on: WithTwo = |browser, system| format!("{browser} on {system}"),
        signed_in_at: Text = "signed in",
        sessions_equal: With = |count| format!("{count} sessions"),
        session_seen: Text = "last used",
        session_end: Text = "Sign out of this session",
        sessions_end: With = |count| format!("Sign out of {count} sessions"),
        session_ended: Text = "Signed out of the session.",
        sessions_ended: Text = "Signed out of the sessions.",
        more_sessions: With = |count| {
            format!("{count} more sessions are not shown. Sign out everywhere to end them, too.")
        },
        sign_out_everywhere: Text = "Sign out everywhere",
        sign_out_everywhere_text: Text = "You will be signed out of all sessions, including this one. Applications will lose access to your account until you sign in to them again.",
        applications: Text = "Applications",
        no_applications: Text = "You have not allowed any application to use your account.",
        application_allowed: Text = "Allowed",
        application_end: Text = "Remove access",
        application_ended: Text = "The application no longer has access to your account.",
        more_applications: With = |count| {
            format!("{count} more applications are not shown. Remove one to see the next.")
        },

        account_console: Text = "Console",
        account_console_text: Text = "Your account has administrator permissions.",
        open_console: Text = "Open the console",
        until: Text = "until",
        console_ends: Text = "Your session expires in two minutes. Reload the page to stay signed in.",
        none_of: With = |what| format!("{what}: none."),

        change_password: Text = "Change password",
        change_password_text: Text = "A new password signs you out of all other sessions.",
        current_password: Text = "Current password",
        current_password_refused: Text = "The current password is wrong. After several failed attempts you may have to wait a few minutes.",
        new_password: Text = "New password",
        new_password_hint: Text = "At least 15 characters, and not easy to guess. Several random words are easy to type.",
        new_password_unfit: With = |why| format!("Choose another password: {why}."),
        password_declared: Text = "The server's configuration sets your password. Ask the operator of the server to change your password.",
        password_changed: Text = "Password changed. You are signed out of all other sessions.",

        set_password: Text = "Set your password",
        /// On the sign-in page after a person has set the password with a link.
        password_set: Text = "Your password is set. Sign in with your new password.",
        password_link_code: Text = "Code from the link",
        password_link_hint: Text = "The part of your link after #.",
        // The same text for every refusal, so that it does not reveal whether the account exists.
        password_link_refused: Text = "This link is invalid, has already been used, or has expired. Ask for a new link.",

        recover: Text = "Reset your password",
        recover_text: Text = "We will send a message to the email address of your account.",
        recover_send: Text = "Send message",
        back_to_sign_in: Text = "Back to sign-in",
        // The same text for every identifier, so that it does not reveal whether the account exists.
        recovery_sent: With = |identifier| {
            format!("If {identifier} has an account here, we have sent a message to its email address. Type the code from the message. The code expires in 30 minutes.")
        },
        send_again: Text = "Send another message",
        // The same text for every refusal, so that it does not reveal whether the account exists.
        code_refused: Text = "This code is wrong, has already been used, or has expired. After several wrong codes you need another message.",

        email: Text = "Email",
        verified: Text = "Verified",
        not_verified: Text = "Not verified",
        no_email: Text = "No email address.",
        email_add: Text = "Add",
        email_change: Text = "Change",
        email_verify: Text = "Verify",
        email_verified: Text = "Email address verified.",
        email_changed: Text = "Email address changed.",
        change_email: Text = "Change email address",
        change_email_text: Text = "We will send a message with a code to the new address.",
        new_email: Text = "New email address",
        email_invalid: Text = "Enter a complete email address, for example ada@example.com.",
        email_declared: Text = "The server's configuration sets your email address. Ask the operator of the server to change your email address.",

        confirm_address: Text = "Confirm your address",
        confirm_address_text: Text = "Choose “Confirm address” if you want to use this address for your account.",
        confirm_address_button: Text = "Confirm address",
        address_code_sent: With = |to| format!("We have sent a message to {to}. Type the code from the message."),
        restore_address: Text = "Restore your address",
        restore_address_text: Text = "Your account will use the earlier address again, and all sessions will end. Your password does not change. If somebody else knows your password, reset it next.",
        restore_address_button: Text = "Restore my address",
        address_link_refused: Text = "This link is invalid, has already been used, or has expired.",
        address_confirmed: Text = "Your address is confirmed",
        address_confirmed_text: Text = "Your account now uses this address. You can close this page.",
        address_restored: Text = "Your address is restored",
        address_restored_text: Text = "All sessions of your account have ended. If somebody else knows your password, reset it now.",

        /// What a scope of OpenID Connect permits (Core §5.4, §11). `None` for any other scope.
        scope: Named = |name| {
            Some(match name {
                "openid" => "Know who you are",
                "profile" => "See your name and profile",
                "email" => "See your email address",
                "address" => "See your postal address",
                "phone" => "See your phone number",
                "groups" => "See which groups you belong to",
                "offline_access" => "Keep access when you are not using the application",
                _ => return None,
            })
        },

        /// Precedes the details of an error, which are English in every language.
        for_developers: Text = "For the application's developers",
        error: ErrorTexts = |kind| match kind {
            ErrorKind::NotFound => {
                ("Page not found", "There is no page at this address. Check the link that brought you here.")
            }
            ErrorKind::BadRequest => (
                "Cannot start the sign-in",
                "The application sent an invalid request. Go back and try again, or contact the application's support.",
            ),
            ErrorKind::TooLong => (
                "Cannot start the sign-in",
                "The application sent a request that is too long. Contact the application's support.",
            ),
            ErrorKind::BadSignOut => (
                "Cannot sign out",
                "The application sent an invalid request, and nobody was signed out. Contact the application's support.",
            ),
            ErrorKind::NotANavigation => (
                "Open this page directly",
                "This page does not work inside another page. Open it in its own window.",
            ),
            ErrorKind::ForeignForm => (
                "Start again",
                "This form is too old or belongs to another browser. Go back to the application and sign in again.",
            ),
            ErrorKind::Expired => {
                ("This page was open for too long", "Nothing was changed. Go back and start again.")
            }
            ErrorKind::NoCookies => (
                "Your browser blocks cookies for this site",
                "Nothing was changed. Allow cookies, then go back and start again.",
            ),
            ErrorKind::Ended => (
                "This sign-in has ended",
                "You continued in another window, or the sign-in took too long. Go back to the application and sign in again.",
            ),
            ErrorKind::Busy => ("The server is busy", "Wait a moment, then try again."),
            ErrorKind::Unavailable => {
                ("Temporarily unavailable", "Part of the server is not responding. Try again in a moment.")
            }
            ErrorKind::Internal => {
                ("Something went wrong", "The server could not process your request. Try again.")
            }
        },

        console: ConsoleTexts = ConsoleTexts::ENGLISH,
        mail: MailTexts = MailTexts::ENGLISH,
    }
}
