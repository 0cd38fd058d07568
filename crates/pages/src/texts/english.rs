//! The English texts.

use super::{ErrorKind, Texts};

pub(super) const TEXTS: Texts = Texts {
    support: "Help",
    terms: "Terms of service",
    privacy: "Privacy",
    about_tenant: |tenant| format!("About {tenant}"),
    back_to: |client| format!("Back to {client}"),

    sign_in: "Sign in",
    to_continue_to: |client| format!("To continue to {client}"),
    identifier: "E-mail address or user name",
    password: "Password",
    show: "Show",
    show_password: "Show password",
    hide: "Hide",
    hide_password: "Hide password",
    stay_signed_in: "Stay signed in on this device",
    // The same text for every refusal, so that it does not reveal whether the account exists or is
    // locked.
    sign_in_refused: "Wrong e-mail or password. After many tries, wait.",
    sign_in_busy: "The server is busy. Wait a moment, then try again.",
    sign_in_expired: "This page was open for too long. Sign in again.",
    no_cookies: "Your browser keeps no cookies for this site. Allow them, then try again.",

    consent: |client| format!("Allow {client} to use your account?"),
    continue_to: |client| format!("Continue to {client}?"),
    signed_in_as: |account| format!("You are signed in as {account}."),
    asks_to: |client| format!("{client} asks to:"),
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
    fact_requested_from: "From address",
    fact_error_code: "Error code",
    fact_request: "Request",
    fact_version: "Version",
    fact_address: "Address",

    select_account: "Choose an account",
    continue_as: |account| format!("Continue as {account}"),
    other_account: "Use another account",
    sign_in_as: |account| format!("Sign in as {account}"),

    continuing: "Continue",

    sign_out_of: |tenant| format!("Sign out of {tenant}?"),
    sign_out: "Sign out",
    sign_out_question: |account| format!("This ends the session of {account} in this browser."),
    stay: "Stay signed in",
    front: "Latchkey is running",
    front_text: "Only this machine sees this page. Elsewhere nothing is at this address.",
    front_token: "Fetch a token",
    front_api: "Read the API",
    front_errors: "Look up an error",
    front_console: "Open the console",
    front_account: "Sign in",
    reference: "Latchkey API",
    reference_skip: "Skip to the content",
    reference_parts: "Parts of this page",
    reference_document: "OpenAPI document",
    reference_errors: "Error codes",
    reference_settings: "Schema of config.yaml",
    reference_token: "A token",
    reference_token_here: "The client of the sample configuration fetches one:",
    reference_token_elsewhere: "This listener issues no tokens. A listener that serves public paths does, such as that of the sample configuration:",
    reference_parameters: "Parameters",
    reference_body: "Body",
    reference_answers: "Answers",
    reference_request: "Example",
    reference_answer: "Example of the answer",
    reference_schemas: "Schemas",

    signed_out: "You are signed out",
    signed_out_of: |tenant| format!("Your session at {tenant} has ended in this browser."),
    sign_in_again: "Sign in again",

    device: "Connect a device",
    device_code: "Code",
    device_hint: "The code that your device shows, such as ABCD-EFGH.",
    device_code_unknown: "Wrong or old code. Compare it with your device.",
    device_codes_exhausted: "Too many wrong codes. Start again in ten minutes.",
    device_confirm: "Did you start this on your device?",
    device_warning: "Allow it only if the device is in front of you. Nobody who calls or writes to you needs this code.",
    device_refuse: "This is not me",
    device_allow: "Allow this device",
    device_connected: "The device is connected",
    device_connected_text: "You can close this page and go on with your device.",
    device_refused: "The device is not connected",
    device_refused_text: "You refused the request. You can close this page.",

    account: "Your account",
    open_account: "Open your account",
    sessions: "Where you are signed in",
    account_here: "This browser",
    account_nowhere_else: "You are signed in nowhere else.",
    unknown_browser: "Unknown browser",
    browser_on: |browser, system| format!("{browser} on {system}"),
    signed_in_at: "signed in",
    sessions_equal: |count| format!("{count} sessions"),
    session_seen: "last used",
    session_end: "End this session",
    sessions_end: |count| format!("End {count} sessions"),
    session_ended: "The session has ended.",
    sessions_ended: "The sessions have ended.",
    more_sessions: |count| format!("{count} more are not shown. They end when you sign out everywhere."),
    sign_out_everywhere: "Sign out everywhere",
    sign_out_everywhere_text: "This ends all of your sessions, also this one, and the access of all applications until you sign in there again.",
    applications: "Applications",
    no_applications: "You have allowed no application to use your account.",
    application_allowed: "Allowed",
    application_end: "Remove access",
    application_ended: "The application has no access to your account any more.",
    more_applications: |count| format!("{count} more are not shown. Remove one to see the next."),

    console: "Console",
    console_text: "Your account has permissions of an administrator.",
    open_console: "Open the console",
    until: "until",
    console_ends: "Your session ends in two minutes. Load the page to go on.",
    none_of: |what| format!("{what}: none."),

    change_password: "Change password",
    change_password_text: "A new password ends all of your other sessions.",
    present_password: "Present password",
    present_password_refused: "The present password is wrong. After several tries, wait a few minutes.",
    new_password: "New password",
    new_password_hint: "15 characters or more, and not easily guessed. Several random words are easy to type.",
    new_password_unfit: |why| format!("Choose another password: {why}."),
    password_declared: "The operator of this server declares your password. Ask the operator for another one.",
    password_changed: "Your password has changed. All of your other sessions have ended.",

    set_password: "Set your password",
    password_link_code: "Code of the link",
    password_link_hint: "What follows # in the link that you got.",
    // The same text for every refusal, so that it does not reveal whether the account exists.
    password_link_refused: "This link is wrong, was used or has expired. Ask for another one.",

    scope: |name| {
        Some(match name {
            "openid" => "Know who you are",
            "profile" => "See your name and your profile",
            "email" => "See your e-mail address",
            "address" => "See your postal address",
            "phone" => "See your telephone number",
            "offline_access" => "Keep its access while you are away",
            _ => return None,
        })
    },

    for_developers: "For the developers of the application",
    error: |kind| match kind {
        ErrorKind::NotFound => {
            ("Page not found", "There is nothing at this address. Check the link that brought you here.")
        }
        ErrorKind::BadRequest => (
            "This sign-in cannot begin",
            "The application sent a request that is not valid. Go back and try again, or tell the application's support.",
        ),
        ErrorKind::TooLong => (
            "This sign-in cannot begin",
            "The application sent a request that is too long. Tell the application's support.",
        ),
        ErrorKind::BadSignOut => (
            "This sign-out cannot begin",
            "The application sent a request that is not valid. Nothing was done: tell the application's support.",
        ),
        ErrorKind::NotANavigation => (
            "Open this page directly",
            "This page opens only in a window of its own, and not inside another page.",
        ),
        ErrorKind::ForeignForm => (
            "Please start again",
            "This form does not belong to this browser, or it is too old. Go back to the application and sign in again.",
        ),
        ErrorKind::Expired => (
            "This page was open for too long",
            "Nothing was done. Go back to where you came from, and start again.",
        ),
        ErrorKind::NoCookies => (
            "Your browser keeps no cookies for this site",
            "Nothing was done. Allow cookies, then go back to where you came from, and start again.",
        ),
        ErrorKind::Ended => (
            "This sign-in has ended",
            "It went on in another window, or it took too long. Go back to the application, and sign in again.",
        ),
        ErrorKind::Busy => ("The server is busy", "Wait a moment, then try again."),
        ErrorKind::Unavailable => {
            ("Not available now", "A part of the server does not answer. Try again in a moment.")
        }
        ErrorKind::Internal => ("Something went wrong", "The server failed to answer. Try again."),
    },
};
