//! The texts of the console, one struct for each page.

mod applications;

pub use applications::{EditTexts, NewApplicationTexts};

use super::{Named, Text, With, WithTwo, texts};

texts! {
    /// The texts of all console pages.
    ConsoleTexts {
        frame: FrameTexts = FrameTexts::ENGLISH,
        labels: LabelTexts = LabelTexts::ENGLISH,
        shared: SharedTexts = SharedTexts::ENGLISH,
        entry: EntryTexts = EntryTexts::ENGLISH,
        overview: OverviewTexts = OverviewTexts::ENGLISH,
        tenants: TenantsTexts = TenantsTexts::ENGLISH,
        applications: ApplicationsTexts = ApplicationsTexts::ENGLISH,
        new_application: NewApplicationTexts = NewApplicationTexts::ENGLISH,
        application: ApplicationTexts = ApplicationTexts::ENGLISH,
        edit: EditTexts = EditTexts::ENGLISH,
        attempt: AttemptTexts = AttemptTexts::ENGLISH,
        created: CreatedTexts = CreatedTexts::ENGLISH,
        credentials: CredentialsTexts = CredentialsTexts::ENGLISH,
        people: PeopleTexts = PeopleTexts::ENGLISH,
        keys: KeysTexts = KeysTexts::ENGLISH,
        audit: AuditTexts = AuditTexts::ENGLISH,
        advice: AdviceTexts = AdviceTexts::ENGLISH,
        token: TokenTexts = TokenTexts::ENGLISH,
    }
}

texts! {
    /// Navigation and tabs.
    FrameTexts {
        skip: Text = "Skip to main content",
        label: Text = "Console",
        /// The accessible name of the links to the pages above.
        trail: Text = "Path to this page",
        switch_tenant: Text = "Switch tenant",
        find_tenant: Text = "Tenant ID or name",
        platform: Text = "Latchkey",
        overview: Text = "Overview",
        tenants: Text = "Tenants",
        applications: Text = "Applications",
        people: Text = "People",
        keys: Text = "Signing keys",
        audit: Text = "Audit log",
        advice: Text = "Advice",
        general: Text = "General",
        credentials: Text = "Credentials",
        attempt: Text = "Try it",
        /// Completes [`Texts::back_to`](super::Texts::back_to).
        this_console: Text = "the console",
    }
}

texts! {
    /// Labels of facts, headings of columns, and labels of fields that several pages have.
    LabelTexts {
        id: Text = "ID",
        name: Text = "Name",
        description: Text = "Description",
        kind: Text = "Type",
        status: Text = "Status",
        managed_by: Text = "Managed by",
        tenant: Text = "Tenant",
        tenant_id: Text = "Tenant ID",
        client_id: Text = "Client ID",
        issuer: Text = "Issuer",
        token_endpoint: Text = "Token endpoint",
        key_set: Text = "Key set",
        api: Text = "API",
        apis: Text = "APIs",
        scope: Text = "Scope",
        scopes: Text = "Scopes",
        created: Text = "Created",
        changed: Text = "Last changed",
        last_used: Text = "Last used",
        time: Text = "Time",
        actor: Text = "Actor",
        source: Text = "Source",
        explanation: Text = "Explanation",
        what_to_do: Text = "What to do",
    }
}

texts! {
    /// Values and messages that several pages have.
    SharedTexts {
        none: Text = "None",
        done: Text = "Done",
        no_expiry: Text = "No expiry",
        unknown: Text = "Unknown",
        /// Words for the statuses of the admin API.
        status: Named = |status| {
            Some(match status {
                "active" => "Active",
                "live" => "Live",
                "suspended" => "Suspended",
                "deleting" => "Deletion scheduled",
                "retired" => "Deleted",
                "expired" => "Expired",
                "revoked" => "Revoked",
                "announced" => "Published",
                "retiring" => "Verifying only",
                "removed" => "Removed",
                _ => return None,
            })
        },
        managed_by_api: Text = "API and console",
        managed_by_files: Text = "Configuration files (read-only here)",
        /// The value is a file with a line.
        declared_at: With = |place| format!("{place} (read-only here)"),
        search: Text = "Search",
        pages: Text = "Pages",
        next_page: Text = "Next page",
        /// The value is the name that the person should have typed.
        unconfirmed: With = |name| format!("The confirmation does not match. Type {name} to confirm."),
        no_requests: Text = "No requests in the last 24 hours",
        no_requests_text: Text = "A chart of issued tokens and refused requests appears here about a minute after the first request.",
        chart: Text = "Issued tokens and refused requests per hour (UTC)",
        /// The values are the numbers of tokens and of refused requests.
        chart_summary: WithTwo = |issued, refused| format!("{issued} tokens issued, {refused} requests refused"),
        hour: Text = "Hour",
        issued: Text = "Issued",
        refused: Text = "Refused",
        numbers: Text = "Show numbers",
    }
}

texts! {
    /// Sign-in and sign-out.
    EntryTexts {
        title: Text = "Sign in to the console",
        use_account: Text = "Sign in with your account",
        by_command: Text = "Run one of these commands, then open the link that the command prints:",
        /// As `by_command`, after `use_account`.
        or_by_command: Text = "Or run one of these commands, then open the link that the command prints:",
        command: Text = "On the server",
        command_elsewhere: Text = "On another machine, with the credential of a client",
        open: Text = "Open the console",
        code: Text = "Code",
        code_hint: Text = "The part of the link after #. The code works once, within 60 seconds.",
        link_refused: Text = "This link has already been used, or it is older than 60 seconds. Create a new link.",
        no_permissions: Text = "Your account has no permissions in the console. Ask an administrator to grant you permissions.",
        replace_title: Text = "Sign in as another user?",
        replace: Text = "This browser is already signed in to the console as another user. If you did not create this link yourself, close this page.",
        link_user: Text = "This link signs you in as",
        session_expires: Text = "Session expires no later than",
        current_user: Text = "You are signed in as",
        signed_out: Text = "You are signed out.",
        again_title: Text = "Sign in again",
        again: Text = "You cannot undo this action. To continue, you must have signed in within the last 15 minutes.",
        again_by_account: Text = "Sign in again",
        again_by_command: Text = "Run one of these commands again, then open the link that the command prints:",
    }
}

texts! {
    OverviewTexts {
        new_tenant: Text = "New tenant",
        platform_applications: Text = "Platform applications",
        first_steps: Text = "First steps",
        first_tenant: Text = "A tenant is a separate authorization server with its own issuer, keys and applications.",
        first_application: Text = "Choose what the application is, and get its credentials.",
        get_token: Text = "Get the first token",
        first_token: Text = "Use the credentials of the application with the examples for your language.",
        add_people: Text = "Add people",
        first_person: Text = "Create an account, or invite somebody with a link.",
        declared: Text = "Configuration files declare this tenant. Change its settings there.",
        suspend_question: Text = "Suspend this tenant? Its applications and people can no longer get tokens or sign in until you resume it.",
        suspend_now: Text = "Suspend now",
        key_steps: Text = "Upcoming signing key changes",
        due: Text = "Due",
        due_now: Text = "Due now",
        planned: Text = "Scheduled",
        replicas: Text = "Replicas that served requests in the last 24 hours",
        replica: Text = "Replica",
        last_report: Text = "Last report",
        busiest: Text = "Most active today and yesterday",
        tokens: Text = "Tokens",
        next_key_step: Text = "Next signing key change",
        manage: Text = "Manage this tenant",
        suspend: Text = "Suspend tenant",
        resume: Text = "Resume tenant",
        cancel_deletion: Text = "Cancel deletion",
        delete: Text = "Delete tenant",
        delete_hint: Text = "Type the tenant ID to schedule the deletion. Until the deletion is due, you can cancel it.",
        suspended: Text = "Tenant suspended.",
        resumed: Text = "Tenant resumed.",
        deletion_scheduled: Text = "Deletion scheduled.",
        deletion_cancelled: Text = "Deletion cancelled.",
    }
}

texts! {
    TenantsTexts {
        search: Text = "Search by ID or name",
        new: Text = "New tenant",
        none: Text = "No tenants",
        none_text: Text = "Each tenant is a separate authorization server.",
        /// The value is a list of ids.
        unreadable: With = |ids| {
            format!(
                "This version of Latchkey cannot read these tenants: {ids}. See the server log for the reason."
            )
        },
        id_hint: Text = "Lowercase letters, digits and hyphens. The ID is part of every URL of the tenant.",
        /// Shown in URLs while the field is empty.
        id_placeholder: Text = "ID",
        name_hint: Text = "The display name. Leave empty to use the ID.",
        api_hint: Text = "The audience of the tokens, for example orders.",
        scopes_hint: Text = "What callers may do, for example orders:read orders:write.",
        first_application: Text = "First application",
        first_application_hint: Text = "The client ID of the tenant's first application. Latchkey shows the secret only once.",
        create: Text = "Create tenant",
        /// The value is the id of the tenant.
        created: With = |tenant| format!("Tenant {tenant} created."),
        open: Text = "Open tenant",
    }
}

texts! {
    ApplicationsTexts {
        search: Text = "Search by ID or name",
        new: Text = "New application",
        none: Text = "No applications",
        none_text: Text = "An application is a program that gets tokens from this tenant, or that checks tokens.",
        /// The value is a list of ids.
        unreadable: With = |ids| {
            format!(
                "This version of Latchkey cannot read these applications: {ids}. See the server log for the reason."
            )
        },
        live_secrets: Text = "Live secrets",
        no_live_secret: Text = "No live secret",
        /// The value is a number greater than two.
        scope_count: With = |count| format!("{count} scopes"),
        kind: Text = "Application type",
        kind_name: Named = |kind| {
            Some(match kind {
                "machine_to_machine" => "Machine to machine",
                "service_account" => "Service account",
                "api" => "API",
                "web" => "Web application",
                "single_page" => "Single-page application",
                "native" => "Native or mobile app",
                "device" => "Device",
                _ => return None,
            })
        },
        kind_text: Named = |kind| {
            Some(match kind {
                "machine_to_machine" => {
                    "A program that calls an API without a person, such as a backend or a scheduled job. It has a secret."
                }
                "service_account" => {
                    "The identity of one workload, with its own keys, its platform's identity or an API key."
                }
                "api" => "A service that checks its callers' tokens.",
                "web" => "A server that signs people in. It can keep a secret.",
                "single_page" => "Code in a browser that signs people in. It has no secret and uses PKCE.",
                "native" => "An app on a person's computer or phone. It has no secret and uses PKCE.",
                "device" => {
                    "A TV, a printer or a command line. People enter its code in a browser on another device."
                }
                _ => return None,
            })
        },
        name_hint: Text = "The display name.",
        client_id_hint: Text = "Leave empty to generate one.",
        create: Text = "Create application",
    }
}

texts! {
    ApplicationTexts {
        suspended: Text = "Application suspended. It can no longer get tokens.",
        resumed: Text = "Application resumed. It can get tokens again.",
        tokens_revoked: Text = "All tokens of this application are revoked.",
        /// The value is the client's id.
        deleted: With = |client| format!("Application {client} deleted. You cannot use its ID again."),
        all_applications: Text = "All applications",
        edit: Text = "Edit",
        copy: Text = "Clone",
        grants: Text = "Grant types",
        authentication: Text = "Authenticates with",
        /// Words for the authentication methods.
        methods: Named = |method| {
            Some(match method {
                "any" => "A secret or a private key",
                "client_secret_basic" => "A secret",
                "private_key_jwt" => "A private key (signed assertion)",
                "tls_client_auth" => "A client certificate from a trusted issuer",
                "self_signed_tls_client_auth" => "A registered client certificate",
                "none" => "Nothing (public application)",
                _ => return None,
            })
        },
        scope_requests: Text = "Explicit scope requests in the last 30 days",
        requests: Text = "Requests",
        last_requested: Text = "Last requested",
        not_requested: Text = "Not in the last 30 days",
        refusals: Text = "Recent refused requests",
        reason: Text = "Reason",
        request: Text = "Request ID",
        manage: Text = "Manage this application",
        suspend: Text = "Suspend application",
        suspend_question: Text = "The application can no longer get tokens until you resume it.",
        suspend_now: Text = "Suspend now",
        resume: Text = "Resume application",
        revoke_tokens: Text = "Revoke all tokens",
        revoke_question: Text = "All tokens that the application has now become invalid. You cannot undo this.",
        revoke_now: Text = "Revoke now",
        delete: Text = "Delete application",
        delete_hint: Text = "Type the client ID to delete the application and its credentials.",
    }
}

texts! {
    /// The tab that explains a token request.
    AttemptTexts {
        scopes_hint: Text = "Leave empty to request all scopes of the application.",
        resources: Text = "Resources",
        resources_hint: Text = "Absolute URIs of APIs (RFC 8707).",
        explain: Text = "Explain",
        /// The summary of the form after the result.
        change: Text = "Change the request",
        /// Shown instead of the form if the application gets tokens for people only.
        of_people: Text = "This page explains requests that an application sends for itself (client credentials). This application only gets tokens for people who sign in.",
        /// The value is the status of the response.
        issued: With = |status| format!("The application would get a token ({status})."),
        /// The values are the status with the error code, and the error description.
        refused: WithTwo = |error, why| format!("The request would be refused: {error}. {why}"),
        checks: Text = "Checks",
        check: Text = "Check",
        /// Words for the checks of the admin API.
        check_names: Named = |name| {
            Some(match name {
                "tenant" => "The tenant issues tokens",
                "parameters" => "The parameters are valid",
                "grant_type" => "The application may use this grant type",
                "format" => "The server supports the token format",
                "sender" => "The sender proves its key, if the token needs one",
                "audience" => "The application may call the API",
                "scope" => "The application may have the scopes",
                "signing_key" => "The tenant has a signing key",
                "client" => "The application exists and is active",
                "method" => "The authentication method is allowed",
                "secret" => "The secret is valid",
                "assertion" => "The signed assertion is valid",
                "certificate" => "The client certificate is valid",
                _ => return None,
            })
        },
        result: Text = "Result",
        /// Words for the results of the admin API.
        results: Named = |result| {
            Some(match result {
                "passed" => "Passed",
                "refused" => "Refused",
                "not_checked" => "Not checked",
                _ => return None,
            })
        },
        detail: Text = "Detail",
        claims: Text = "Token claims",
    }
}

texts! {
    /// The page after a credential was created.
    CreatedTexts {
/// The value is the name of the application.
        without_secret: With = |client| format!("Application {client} created. The application has no secret."),
        /// The value is the name of the application.
        secret_title: With = |client| format!("New secret for {client}"),
        client_secret: Text = "Client secret",
        api_key: Text = "API key",
        copy_now: Text = "Copy the value now. Latchkey shows it only once.",
        get_token: Text = "Get a token",
        set_variable: Text = "First run this line, paste the secret and press Enter. Your shell does not keep the secret in its history.",
        /// The label of a command.
        shell: Text = "Set CLIENT_SECRET",
        verify: Text = "Check the tokens of your callers",
        verify_text: Text = "Check JWTs with a library, or ask Latchkey about a token or an API key by introspection. For introspection, first run this line, paste the secret and press Enter.",
        connect: Text = "Connect the application",
        sign_in: Text = "Use a library for OpenID Connect with the authorization code flow and PKCE.",
        sign_in_public: Text = "Use a library for OpenID Connect with the authorization code flow and PKCE, without a secret.",
        device: Text = "Request a device code, show it to the person, and poll the token endpoint until the person has signed in.",
        metadata: Text = "Metadata",
        by_assertion: Text = "The application has no secret. It sends a signed assertion, or a token of its platform, as client_assertion to the token endpoint.",
        copied: Text = "I have copied the value: open the application",
        open: Text = "Open the application",
    }
}

texts! {
    CredentialsTexts {
        new: Text = "New credential",
        /// Expired and revoked credentials. The value is their number.
        ended: With = |count| format!("Expired and revoked ({count})"),
        no_credentials: Text = "No live secrets or API keys",
        no_credentials_text: Text = "This application can authenticate only with keys, certificates or tokens that are registered in its settings.",
        api_keys: Text = "API keys",
        no_api_keys: Text = "This tenant does not allow API keys. To allow them, set api_keys in the tenant's file, or run this command:",
        /// The value is a list of ids.
        unreadable: With = |ids| {
            format!(
                "This version of Latchkey cannot read these API keys: {ids}. See the server log for the reason."
            )
        },
        /// The values are an id and a name, which may be empty.
        secret: WithTwo = |id, name| {
            if name.is_empty() { format!("Secret {id}") } else { format!("Secret {id}: {name}") }
        },
        /// The value is the name of an API key.
        key: With = |name| format!("API key: {name}"),
        revoked: Text = "Credential revoked, together with its tokens.",
        /// The values are a duration and a place.
        schedule: WithTwo = |every, place| {
            format!(
                "Latchkey writes a new secret to {place} every {every} and sets an expiry for the previous secrets."
            )
        },
        /// The values are a time and an error.
        schedule_failed: WithTwo = |at, why| format!("The last rotation failed at {at}: {why}"),
        add_secret: Text = "Create secret",
        secret_name_hint: Text = "The display name of the secret.",
        create_key: Text = "Create API key",
        key_name_hint: Text = "The display name of the API key.",
        key_scopes_hint: Text = "Choose none to give the key all scopes of the application.",
        days: Text = "Valid for (days)",
        days_hint: Text = "Leave empty for the default duration of the tenant.",
        days_wrong: Text = "Enter a number of days, for example 90",
        owner: Text = "Owner",
        owner_hint: Text = "The customer who gets the key. Introspection returns the owner.",
        labels: Text = "Labels",
        labels_hint: Text = "At most 16 words. Introspection returns the labels.",
        previous_secrets: Text = "The other secrets",
        keep: Text = "Stay as they are",
        grace: Text = "How long the previous key stays valid",
        no_grace: Text = "Expire immediately",
        hour: Text = "Expire in 1 hour",
        day: Text = "Expire in 24 hours",
        week: Text = "Expire in 7 days",
        /// The value is the id of a secret.
        revoke_secret: With = |id| format!("Revoke {id}"),
        /// The value is the name of an API key.
        revoke_key: With = |name| format!("Revoke {name}"),
        replace_key: With = |name| format!("Replace {name}"),
        /// The value says whether the credential is in use.
        revoke_question: With = |safety| {
            format!(
                "Revoking cannot be undone, and it also revokes the tokens of the credential. Is it safe? {safety}"
            )
        },
        revoke_now: Text = "Revoke now",
        last_characters: Text = "Last characters",
        fingerprint: Text = "Fingerprint",
        valid_until: Text = "Valid until",
        used_from: Text = "Used from",
        still_presented: Text = "Last attempt after expiry or revocation",
        safe_to_delete: Text = "Safe to delete",
        secret_unused: Text = "Yes. The application used other secrets in the last 24 hours, but not this one.",
        secret_used: Text = "No. The application may still use this secret.",
        ended_secret_unused: Text = "Yes. Nobody tried this secret in the last 24 hours.",
        ended_secret_used: Text = "No. Somebody tried this secret in the last 24 hours.",
        safe_to_revoke: Text = "Safe to revoke",
        key_used: Text = "No. The key was used in the last 24 hours.",
        key_new: Text = "No. The key is less than 24 hours old, and its owner may be about to use it.",
        key_never_used: Text = "Yes. The key was never used.",
        key_unused: Text = "Unknown. The key was not used in the last 24 hours, but its owner may use it again.",
        ended_key_used: Text = "Already invalid, but somebody tried the key in the last 24 hours.",
        ended_key: Text = "Already invalid.",
    }
}

texts! {
    /// The list of people, a new person, and the page of a person.
    PeopleTexts {
        search: Text = "Search by the beginning of an email address or user name, or by external ID",
        new: Text = "New person",
        none: Text = "No people",
        none_text: Text = "A person has an account with which to sign in to the applications of this tenant.",
        /// The value is a list of ids.
        unreadable: With = |ids| {
            format!(
                "This version of Latchkey cannot read these accounts: {ids}. See the server log for the reason."
            )
        },
        identifiers: Text = "Signs in with",
        groups: Text = "Groups",
        groups_hint: Text = "One group per line.",
        email: Text = "Email address",
        username: Text = "User name",
        username_hint: Text = "A person can sign in with either of the two. One is required.",
        no_identifier: Text = "Enter an email address or a user name.",
        external_id: Text = "External ID",
        /// The value is an email address.
        verified: With = |email| format!("{email} (verified)"),
        /// The value is an email address.
        not_verified: With = |email| format!("{email} (not verified)"),
        permissions: Text = "Permissions",
        permissions_hint: Text = "What the person can do in the console. A new permission ends all sessions of the person.",
        /// What a permission allows.
        permission: Named = |name| {
            Some(match name {
                "latchkey:tenants" => "Create, change and delete tenants",
                "latchkey:clients" => "Manage applications and their credentials",
                "latchkey:accounts" => "Manage people",
                "latchkey:keys" => "Manage signing keys",
                "latchkey:audit" => "See the audit log, usage and advice",
                _ => return None,
            })
        },
        password_set: Text = "Password set",
        invitation: Text = "Invitation",
        create: Text = "Create person",
        /// The value is the name of the person.
        created: With = |name| format!("Account of {name} created."),
        open: Text = "Open the page of the person",
        all: Text = "All people",
        make_link: Text = "Create a password link",
        link_text: Text = "The person sets the password with the link, which works once, for 24 hours.",
        link_now: Text = "Copy the link now and send it to the person. Latchkey shows it only once.",
        link_expires: Text = "Link expires",
        invite: Text = "Mail an invitation",
        invite_text: Text = "The person sets the password with the link in the message, which works once, for 7 days.",
        invited: Text = "The invitation waits to be sent.",
        show_mail: Text = "Show messages to this person",
        mail: Text = "Messages to this person",
        no_mail: Text = "No messages in the last 30 days.",
        message: Text = "Message",
        waits: Text = "Waits to be sent",
        next_attempt: Text = "Next attempt",
        mail_answer: Text = "Answer of the mail server",
        mail_limited: Text = "The person has asked for 5 codes within an hour. Latchkey sends further codes later.",
        no_recovery: With = |why| format!("Latchkey sends this person no code to reset the password: {why}"),
        password_removed: Text = "Somebody else may know the password of this account, so the new permission removed the password. The person sets a new one with this link:",
        why: Text = "Why can this person not sign in?",
        can_sign_in: Text = "The person can sign in with the password.",
        cannot_sign_in: Text = "The person cannot sign in. The first failed check is the reason.",
        checks: Text = "Checks of a sign-in, in their order",
        check_heading: Text = "Check",
        result: Text = "Result",
        passed: Text = "Passed",
        failed: Text = "Failed",
        depends: Text = "Depends on the address",
        /// What a sign-in checks, by the name of the check.
        check: Named = |name| {
            Some(match name {
                "tenant_active" => "The tenant is active",
                "sign_in_offered" => "The tenant offers sign-in",
                "identifier" => "The account has an email address or a user name",
                "throttling" => "The account is not locked after wrong passwords",
                "password" => "The account has a password",
                "account_active" => "The account is active",
                _ => return None,
            })
        },
        /// What to do if a check fails.
        fix: Named = |name| {
            Some(match name {
                "tenant_active" => "Resume the tenant.",
                "sign_in_offered" => {
                    "Set strategies.oauth2.enabled and strategies.oidc.enabled of the tenant."
                }
                "identifier" => "Add an email address or a user name.",
                "password" => "Create a password link and send it to the person.",
                "account_active" => {
                    "Resume the account. An account that a file no longer declares must be declared again."
                }
                _ => return None,
            })
        },
        /// The values are a number of wrong passwords and a time.
        throttled: WithTwo = |failures, until| {
            format!(
                "Unlock the account, or wait until {until}. At this replica, {failures} wrong passwords in a row came from unknown browsers. The person can still sign in with a browser in which the person signed in before."
            )
        },
        sources: Text = "The address has not failed at too many accounts",
        sources_text: Text = "After wrong passwords for many accounts, an address waits for up to 15 minutes. Try another network, or a browser in which the person signed in before.",
        sessions: Text = "Sessions",
        signed_in: Text = "Signed in",
        expires: Text = "Expires",
        end_session: Text = "End session",
        end_sessions: Text = "End all sessions",
        session_ended: Text = "Session ended, together with its tokens.",
        sessions_ended: Text = "All sessions ended, together with their tokens.",
        consents: Text = "Applications with access",
        granted: Text = "Allowed",
        remove_consent: Text = "Remove access",
        consent_removed: Text = "Access removed. The application has to ask the person again.",
        /// The value is a number of sessions or consents.
        more: With = |count| format!("And {count} more."),
        manage: Text = "Manage this person",
        beyond_reach: Text = "The person has permissions that you cannot grant. You can only suspend the account, and end its sessions and the access of applications.",
        edit: Text = "Edit",
        save: Text = "Save",
        saved: Text = "Changes saved.",
        changed_meanwhile: Text = "Somebody else has changed this person since you opened the form. Compare your values with the current ones above. To replace them, save again.",
        unlock: Text = "Unlock account",
        unlocked: Text = "Failed sign-ins cleared.",
        suspend: Text = "Suspend account",
        suspend_question: Text = "The person can no longer sign in, and all sessions and tokens of the person end.",
        suspend_now: Text = "Suspend now",
        suspended: Text = "Account suspended. The person can no longer sign in.",
        resume: Text = "Resume account",
        resumed: Text = "Account resumed. The person can sign in again.",
        delete: Text = "Delete account",
        confirm: Text = "Email address, user name or ID",
        /// The value is what to type.
        delete_hint: With = |name| format!("Type {name} to delete the account. You cannot undo this."),
        /// The value is the name of the person.
        deleted: With = |name| format!("Account of {name} deleted."),
    }
}

texts! {
    KeysTexts {
        next_step: Text = "Next automatic change",
        /// The values are the id of a key and an error.
        unopened: WithTwo = |key, problem| format!("Latchkey cannot open key {key}: {problem}"),
        none: Text = "No keys",
        none_text: Text = "Latchkey creates the first key when the tenant issues its first token.",
        announced: Text = "New key published. Latchkey starts signing with the new key once verifiers have had time to fetch it.",
        /// The value is a list of keys.
        replaced: With = |keys| format!("A new key signs now. Tokens signed by {keys} are no longer valid."),
        line: Text = "Key timeline",
        line_text: Text = "Latchkey publishes a key before the key signs. The key stays published until the last token that it signed has expired.",
        published: Text = "Published",
        signing: Text = "Signing",
        verifying: Text = "Verifying only",
        now: Text = "Now",
        keys: Text = "Keys",
        key: Text = "Key",
        algorithm: Text = "Algorithm",
        signs_from: Text = "Signs from",
        retires: Text = "Signs until",
        removed: Text = "Removed",
        having: Text = "Verifiers that have the key",
        verifiers: Text = "Verifiers",
        verifier: Text = "Verifier",
        last_fetch: Text = "Last fetch",
        newest: Text = "Newest key",
        has_newest: Text = "Has the newest key",
        yes: Text = "Yes",
        not_yet: Text = "Not yet",
        rotate: Text = "Rotate now",
        emergency: Text = "Emergency rotation",
        /// The value is a list of keys.
        emergency_breaks: With = |keys| {
            format!("An emergency rotation immediately invalidates all tokens signed by {keys}.")
        },
        replace_all: Text = "Replace all keys",
        replace_all_now: Text = "Replace all keys now",
        replace_all_hint: Text = "Type the tenant ID to confirm. Latchkey immediately removes all keys except the new key.",
    }
}

texts! {
    AuditTexts {
        actor_hint: Text = "For example client:platform/ops.",
        action_hint: Text = "For example client.changed, or client. for all changes of applications.",
        subject_hint: Text = "For example a client ID.",
        since: Text = "From",
        until: Text = "Before",
        time_hint: Text = "For example 2026-01-31T08:00:00Z.",
        time_wrong: Text = "Enter a time such as 2026-01-31T08:00:00Z",
        export: Text = "Export as JSON lines",
        /// The value is a user of the machine.
        by_command: With = |user| format!("Command line ({user})"),
        none: Text = "No records",
        none_text: Text = "Latchkey records every change here.",
        records: Text = "Changes, newest first",
        action: Text = "Action",
        subject: Text = "Subject",
        origin: Text = "Address and credential",
        fields: Text = "Changed fields",
        all_fields: Text = "All fields",
        /// The value is the number of further fields.
        more_fields: With = |count| format!("and {count} more"),
    }
}

texts! {
    AdviceTexts {
        too_early: Text = "Latchkey has counted usage for less than 30 days, so this page does not report unused items yet.",
        none: Text = "No advice",
        none_text: Text = "Nothing needs your attention.",
        about: Text = "Subject",
        rule: Text = "Rule",
        this_tenant: Text = "This tenant",
    }
}

texts! {
    /// The page of `latchkey inspect --page`.
    TokenTexts {
        title: Text = "Why a token is accepted or refused",
        token: Text = "Token",
        hint: Text = "Paste a token, a token response, an assertion or a proof. Only the program on this machine receives your input.",
        ending: Text = "The program is shutting down. Start it again.",
        found: Text = "Detail",
        value: Text = "Value",
    }
}
