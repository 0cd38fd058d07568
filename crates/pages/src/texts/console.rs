//! The texts of the console, one struct for each page.

mod applications;

pub use applications::{EditTexts, NewApplicationTexts};

#[cfg(feature = "examples")]
use super::english;
use super::{Named, Text, With, WithTwo, texts};

texts! {
    english::TEXTS.console =>
    /// The texts of all console pages.
    ConsoleTexts {
        frame: FrameTexts,
        labels: LabelTexts,
        shared: SharedTexts,
        entry: EntryTexts,
        overview: OverviewTexts,
        tenants: TenantsTexts,
        applications: ApplicationsTexts,
        new_application: NewApplicationTexts,
        application: ApplicationTexts,
        edit: EditTexts,
        attempt: AttemptTexts,
        created: CreatedTexts,
        credentials: CredentialsTexts,
        people: PeopleTexts,
        keys: KeysTexts,
        audit: AuditTexts,
        advice: AdviceTexts,
        token: TokenTexts,
    }
}

texts! {
    english::TEXTS.console.frame =>
    /// Navigation and tabs.
    FrameTexts {
        skip: Text,
        label: Text,
        /// The accessible name of the links to the pages above.
        trail: Text,
        switch_tenant: Text,
        find_tenant: Text,
        platform: Text,
        overview: Text,
        tenants: Text,
        applications: Text,
        people: Text,
        keys: Text,
        audit: Text,
        advice: Text,
        general: Text,
        credentials: Text,
        attempt: Text,
        /// Completes [`Texts::back_to`](super::Texts::back_to).
        this_console: Text,
    }
}

texts! {
    english::TEXTS.console.labels =>
    /// Labels of facts, headings of columns, and labels of fields that several pages have.
    LabelTexts {
        id: Text,
        name: Text,
        description: Text,
        kind: Text,
        status: Text,
        managed_by: Text,
        tenant: Text,
        tenant_id: Text,
        client_id: Text,
        issuer: Text,
        token_endpoint: Text,
        key_set: Text,
        api: Text,
        apis: Text,
        scope: Text,
        scopes: Text,
        created: Text,
        changed: Text,
        last_used: Text,
        time: Text,
        actor: Text,
        source: Text,
        explanation: Text,
        what_to_do: Text,
    }
}

texts! {
    english::TEXTS.console.shared =>
    /// Values and messages that several pages have.
    SharedTexts {
        none: Text,
        done: Text,
        no_expiry: Text,
        unknown: Text,
        /// Words for the statuses of the admin API.
        status: Named,
        managed_by_api: Text,
        managed_by_files: Text,
        /// The value is a file with a line.
        declared_at: With,
        search: Text,
        pages: Text,
        next_page: Text,
        /// The value is the name that the person should have typed.
        unconfirmed: With,
        no_requests: Text,
        no_requests_text: Text,
        chart: Text,
        /// The values are the numbers of tokens and of refused requests.
        chart_summary: WithTwo,
        hour: Text,
        issued: Text,
        refused: Text,
        numbers: Text,
    }
}

texts! {
    english::TEXTS.console.entry =>
    /// Sign-in and sign-out.
    EntryTexts {
        title: Text,
        use_account: Text,
        by_command: Text,
        /// As `by_command`, after `use_account`.
        or_by_command: Text,
        command: Text,
        command_elsewhere: Text,
        open: Text,
        code: Text,
        code_hint: Text,
        link_refused: Text,
        no_permissions: Text,
        replace_title: Text,
        replace: Text,
        link_user: Text,
        session_expires: Text,
        current_user: Text,
        signed_out: Text,
        again_title: Text,
        again: Text,
        again_by_account: Text,
        again_by_command: Text,
    }
}

texts! {
    english::TEXTS.console.overview => OverviewTexts {
        new_tenant: Text,
        platform_applications: Text,
        first_steps: Text,
        first_tenant: Text,
        first_application: Text,
        get_token: Text,
        first_token: Text,
        add_people: Text,
        first_person: Text,
        declared: Text,
        suspend_question: Text,
        suspend_now: Text,
        key_steps: Text,
        due: Text,
        due_now: Text,
        planned: Text,
        replicas: Text,
        replica: Text,
        last_report: Text,
        busiest: Text,
        tokens: Text,
        next_key_step: Text,
        manage: Text,
        suspend: Text,
        resume: Text,
        cancel_deletion: Text,
        delete: Text,
        delete_hint: Text,
        suspended: Text,
        resumed: Text,
        deletion_scheduled: Text,
        deletion_cancelled: Text,
    }
}

texts! {
    english::TEXTS.console.tenants => TenantsTexts {
        search: Text,
        new: Text,
        none: Text,
        none_text: Text,
        /// The value is a list of ids.
        unreadable: With,
        id_hint: Text,
        /// Shown in URLs while the field is empty.
        id_placeholder: Text,
        name_hint: Text,
        api_hint: Text,
        scopes_hint: Text,
        first_application: Text,
        first_application_hint: Text,
        create: Text,
        /// The value is the id of the tenant.
        created: With,
        open: Text,
    }
}

texts! {
    english::TEXTS.console.applications => ApplicationsTexts {
        search: Text,
        new: Text,
        none: Text,
        none_text: Text,
        /// The value is a list of ids.
        unreadable: With,
        live_secrets: Text,
        no_live_secret: Text,
        /// The value is a number greater than two.
        scope_count: With,
        kind: Text,
        kind_name: Named,
        kind_text: Named,
        name_hint: Text,
        client_id_hint: Text,
        create: Text,
    }
}

texts! {
    english::TEXTS.console.application => ApplicationTexts {
        suspended: Text,
        resumed: Text,
        tokens_revoked: Text,
        /// The value is the client's id.
        deleted: With,
        all_applications: Text,
        edit: Text,
        copy: Text,
        grants: Text,
        authentication: Text,
        /// Words for the authentication methods.
        methods: Named,
        scope_requests: Text,
        requests: Text,
        last_requested: Text,
        not_requested: Text,
        refusals: Text,
        reason: Text,
        request: Text,
        manage: Text,
        suspend: Text,
        suspend_question: Text,
        suspend_now: Text,
        resume: Text,
        revoke_tokens: Text,
        revoke_question: Text,
        revoke_now: Text,
        delete: Text,
        delete_hint: Text,
    }
}

texts! {
    english::TEXTS.console.attempt =>
    /// The tab that explains a token request.
    AttemptTexts {
        scopes_hint: Text,
        resources: Text,
        resources_hint: Text,
        explain: Text,
        /// The summary of the form after the result.
        change: Text,
        /// Shown instead of the form if the application gets tokens for people only.
        of_people: Text,
        /// The value is the status of the response.
        issued: With,
        /// The values are the status with the error code, and the error description.
        refused: WithTwo,
        checks: Text,
        check: Text,
        /// Words for the checks of the admin API.
        check_names: Named,
        result: Text,
        /// Words for the results of the admin API.
        results: Named,
        detail: Text,
        claims: Text,
    }
}

texts! {
    english::TEXTS.console.created =>
    /// The page after a credential was created.
    CreatedTexts {
        /// The value is the name of the application.
        without_secret: With,
        /// The value is the name of the application.
        secret_title: With,
        client_secret: Text,
        api_key: Text,
        copy_now: Text,
        get_token: Text,
        set_variable: Text,
        /// The label of a command.
        shell: Text,
        verify: Text,
        verify_text: Text,
        connect: Text,
        sign_in: Text,
        sign_in_public: Text,
        device: Text,
        metadata: Text,
        by_assertion: Text,
        copied: Text,
        open: Text,
    }
}

texts! {
    english::TEXTS.console.credentials => CredentialsTexts {
        new: Text,
        /// Expired and revoked credentials. The value is their number.
        ended: With,
        no_credentials: Text,
        no_credentials_text: Text,
        api_keys: Text,
        no_api_keys: Text,
        /// The value is a list of ids.
        unreadable: With,
        /// The values are an id and a name, which may be empty.
        secret: WithTwo,
        /// The value is the name of an API key.
        key: With,
        revoked: Text,
        /// The values are a duration and a place.
        schedule: WithTwo,
        /// The values are a time and an error.
        schedule_failed: WithTwo,
        add_secret: Text,
        secret_name_hint: Text,
        create_key: Text,
        key_name_hint: Text,
        key_scopes_hint: Text,
        days: Text,
        days_hint: Text,
        days_wrong: Text,
        owner: Text,
        owner_hint: Text,
        labels: Text,
        labels_hint: Text,
        previous_secrets: Text,
        keep: Text,
        grace: Text,
        no_grace: Text,
        hour: Text,
        day: Text,
        week: Text,
        /// The value is the id of a secret.
        revoke_secret: With,
        /// The value is the name of an API key.
        revoke_key: With,
        replace_key: With,
        /// The value says whether the credential is in use.
        revoke_question: With,
        revoke_now: Text,
        last_characters: Text,
        fingerprint: Text,
        valid_until: Text,
        used_from: Text,
        still_presented: Text,
        safe_to_delete: Text,
        secret_unused: Text,
        secret_used: Text,
        ended_secret_unused: Text,
        ended_secret_used: Text,
        safe_to_revoke: Text,
        key_used: Text,
        key_new: Text,
        key_never_used: Text,
        key_unused: Text,
        ended_key_used: Text,
        ended_key: Text,
    }
}

texts! {
    english::TEXTS.console.people =>
    /// The list of people, a new person, and the page of a person.
    PeopleTexts {
        search: Text,
        new: Text,
        none: Text,
        none_text: Text,
        /// The value is a list of ids.
        unreadable: With,
        identifiers: Text,
        groups: Text,
        groups_hint: Text,
        email: Text,
        username: Text,
        username_hint: Text,
        no_identifier: Text,
        external_id: Text,
        /// The value is an email address.
        verified: With,
        /// The value is an email address.
        not_verified: With,
        permissions: Text,
        permissions_hint: Text,
        /// What a permission allows.
        permission: Named,
        password_set: Text,
        invitation: Text,
        create: Text,
        /// The value is the name of the person.
        created: With,
        open: Text,
        all: Text,
        make_link: Text,
        link_text: Text,
        link_now: Text,
        link_expires: Text,
        password_removed: Text,
        why: Text,
        can_sign_in: Text,
        cannot_sign_in: Text,
        checks: Text,
        check_heading: Text,
        result: Text,
        passed: Text,
        failed: Text,
        depends: Text,
        /// What a sign-in checks, by the name of the check.
        check: Named,
        /// What to do if a check fails.
        fix: Named,
        /// The values are a number of wrong passwords and a time.
        throttled: WithTwo,
        sources: Text,
        sources_text: Text,
        sessions: Text,
        signed_in: Text,
        expires: Text,
        end_session: Text,
        end_sessions: Text,
        session_ended: Text,
        sessions_ended: Text,
        consents: Text,
        granted: Text,
        remove_consent: Text,
        consent_removed: Text,
        /// The value is a number of sessions or consents.
        more: With,
        manage: Text,
        beyond_reach: Text,
        edit: Text,
        save: Text,
        saved: Text,
        changed_meanwhile: Text,
        unlock: Text,
        unlocked: Text,
        suspend: Text,
        suspend_question: Text,
        suspend_now: Text,
        suspended: Text,
        resume: Text,
        resumed: Text,
        delete: Text,
        confirm: Text,
        /// The value is what to type.
        delete_hint: With,
        /// The value is the name of the person.
        deleted: With,
    }
}

texts! {
    english::TEXTS.console.keys => KeysTexts {
        next_step: Text,
        /// The values are the id of a key and an error.
        unopened: WithTwo,
        none: Text,
        none_text: Text,
        announced: Text,
        /// The value is a list of keys.
        replaced: With,
        line: Text,
        line_text: Text,
        published: Text,
        signing: Text,
        verifying: Text,
        now: Text,
        keys: Text,
        key: Text,
        algorithm: Text,
        signs_from: Text,
        retires: Text,
        removed: Text,
        having: Text,
        verifiers: Text,
        verifier: Text,
        last_fetch: Text,
        newest: Text,
        has_newest: Text,
        yes: Text,
        not_yet: Text,
        rotate: Text,
        emergency: Text,
        /// The value is a list of keys.
        emergency_breaks: With,
        replace_all: Text,
        replace_all_now: Text,
        replace_all_hint: Text,
    }
}

texts! {
    english::TEXTS.console.audit => AuditTexts {
        actor_hint: Text,
        action_hint: Text,
        subject_hint: Text,
        since: Text,
        until: Text,
        time_hint: Text,
        time_wrong: Text,
        export: Text,
        /// The value is a user of the machine.
        by_command: With,
        none: Text,
        none_text: Text,
        records: Text,
        action: Text,
        subject: Text,
        origin: Text,
        fields: Text,
        all_fields: Text,
        /// The value is the number of further fields.
        more_fields: With,
    }
}

texts! {
    english::TEXTS.console.advice => AdviceTexts {
        too_early: Text,
        none: Text,
        none_text: Text,
        about: Text,
        rule: Text,
        this_tenant: Text,
    }
}

texts! {
    english::TEXTS.console.token =>
    /// The page of `latchkey inspect --page`.
    TokenTexts {
        title: Text,
        token: Text,
        hint: Text,
        ending: Text,
        found: Text,
        value: Text,
    }
}
