//! The English texts.

mod console;

use super::{ErrorKind, Texts};

pub(super) const TEXTS: Texts = Texts {
    support: "Help",
    terms: "Terms of service",
    privacy: "Privacy",
    about_tenant: |tenant| format!("About {tenant}"),
    back_to: |client| format!("Back to {client}"),

    sign_in: "Sign in",
    to_continue_to: |client| format!("To continue to {client}"),
    identifier: "Email address or username",
    password: "Password",
    copy: "Copy",
    copied: "Copied",
    not_copied: "Not copied",
    show: "Show",
    show_password: "Show password",
    hide: "Hide",
    hide_password: "Hide password",
    stay_signed_in: "Stay signed in on this device",
    // The same text for every refusal, so that it does not reveal whether the account exists or is
    // locked.
    sign_in_refused: "Wrong email or password. After several failed attempts you may have to wait a few minutes.",
    sign_in_busy: "The server is busy. Wait a moment, then try again.",
    sign_in_expired: "This page was open for too long. Sign in again.",
    no_cookies: "Your browser blocks cookies for this site. Allow cookies, then try again.",

    consent: |client| format!("Allow {client} to use your account?"),
    continue_to: |client| format!("Continue to {client}?"),
    signed_in_as: |account| format!("You are signed in as {account}."),
    asks_to: |client| format!("{client} wants to:"),
    allow: "Allow",
    deny: "Deny",
    go_on: "Continue",
    cancel: "Cancel",

    fact_application: "Application",
    fact_account: "Account",
    fact_name: "Name",
    fact_returns_to: "Returns to",
    fact_registered_by: "Registered by",
    fact_services: "Services",
    fact_code: "Code",
    fact_requested_at: "Requested",
    fact_requested_from: "Requested from",
    fact_error_code: "Error code",
    fact_request: "Request ID",
    fact_version: "Version",
    fact_address: "Address",

    select_account: "Choose an account",
    continue_as: |account| format!("Continue as {account}"),
    other_account: "Use another account",
    sign_in_as: |account| format!("Sign in as {account}"),

    continuing: "Continue",

    sign_out_of: |tenant| format!("Sign out of {tenant}?"),
    sign_out: "Sign out",
    sign_out_question: |account| format!("You are about to sign out {account} in this browser."),
    stay: "Stay signed in",
    front: "Latchkey is running",
    front_text: "Only this machine can open this page. A server with a public address has no page here.",
    front_token: "Get a token",
    front_api: "Read the API reference",
    front_errors: "Look up an error",
    front_console: "Open the console",
    front_account: "Sign in",
    reference: "Latchkey API",
    reference_skip: "Skip to main content",
    reference_parts: "On this page",
    reference_document: "OpenAPI document",
    reference_errors: "Error codes",
    reference_settings: "Schema of config.yaml",
    reference_token: "Get a token",
    reference_token_here: "Get a token as the client of the sample configuration:",
    reference_token_elsewhere: "This listener issues no tokens. Use a listener that serves the public paths, for example the listener of the sample configuration:",
    reference_parameters: "Parameters",
    reference_body: "Request body",
    reference_answers: "Responses",
    reference_request: "Example request",
    reference_answer: "Example response",
    reference_schemas: "Schemas",

    signed_out: "You are signed out",
    signed_out_of: |tenant| format!("You have signed out of {tenant} in this browser."),
    sign_in_again: "Sign in again",

    device: "Connect a device",
    device_code: "Code",
    device_hint: "Enter the code that your device shows, for example ABCD-EFGH.",
    device_code_unknown: "This code is wrong or has expired. Compare it with the code on your device.",
    device_codes_exhausted: "You entered too many wrong codes. Try again in ten minutes.",
    device_confirm: "Did you start this on your device?",
    device_warning: "Allow access only if the device is in front of you. If somebody called you or wrote to you about this code, choose “This was not me”.",
    device_refuse: "This was not me",
    device_allow: "Allow this device",
    device_connected: "The device is connected",
    device_connected_text: "You can close this page and continue on your device.",
    device_refused: "The device is not connected",
    device_refused_text: "You denied the request. You can close this page.",

    account: "Your account",
    open_account: "Open your account",
    sessions: "Where you are signed in",
    account_here: "This browser",
    account_nowhere_else: "No other sessions.",
    unknown_browser: "Unknown browser",
    browser_on: |browser, system| format!("{browser} on {system}"),
    signed_in_at: "signed in",
    sessions_equal: |count| format!("{count} sessions"),
    session_seen: "last used",
    session_end: "Sign out of this session",
    sessions_end: |count| format!("Sign out of {count} sessions"),
    session_ended: "Signed out of the session.",
    sessions_ended: "Signed out of the sessions.",
    more_sessions: |count| {
        format!("{count} more sessions are not shown. Sign out everywhere to end them, too.")
    },
    sign_out_everywhere: "Sign out everywhere",
    sign_out_everywhere_text: "You will be signed out of all sessions, including this one. Applications will lose access to your account until you sign in to them again.",
    applications: "Applications",
    no_applications: "You have not allowed any application to use your account.",
    application_allowed: "Allowed",
    application_end: "Remove access",
    application_ended: "The application no longer has access to your account.",
    more_applications: |count| {
        format!("{count} more applications are not shown. Remove one to see the next.")
    },

    account_console: "Console",
    account_console_text: "Your account has administrator permissions.",
    open_console: "Open the console",
    until: "until",
    console_ends: "Your session expires in two minutes. Reload the page to stay signed in.",
    none_of: |what| format!("{what}: none."),

    change_password: "Change password",
    change_password_text: "A new password signs you out of all other sessions.",
    current_password: "Current password",
    current_password_refused: "The current password is wrong. After several failed attempts you may have to wait a few minutes.",
    new_password: "New password",
    new_password_hint: "At least 15 characters, and not easy to guess. Several random words are easy to type.",
    new_password_unfit: |why| format!("Choose another password: {why}."),
    password_declared: "The server's configuration sets your password. Ask the operator of the server to change your password.",
    password_changed: "Password changed. You are signed out of all other sessions.",

    password_set: "Your password is set. Sign in with your new password.",
    set_password: "Set your password",
    password_link_code: "Code from the link",
    password_link_hint: "The part of your link after #.",
    // The same text for every refusal, so that it does not reveal whether the account exists.
    password_link_refused: "This link is invalid, has already been used, or has expired. Ask for a new link.",

    scope: |name| {
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

    for_developers: "For the application's developers",
    error: |kind| match kind {
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

    console: console::TEXTS,
};
