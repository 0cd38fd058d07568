//! The texts of the forms that create and change an application.

#[cfg(feature = "examples")]
use crate::texts::english;
use crate::texts::{Named, Text, With, texts};

texts! {
    english::TEXTS.console.new_application => NewApplicationTexts {
        next: Text,
        kind_required: Text,
        name_required: Text,
        /// The value is a client id.
        copied_from: With,
        no_sign_in: Text,
        own_api: Text,
        credential: Text,
        credential_required: Text,
        key_url: Text,
        key_url_text: Text,
        public_key: Text,
        public_key_text: Text,
        workload: Text,
        workload_text: Text,
        api_key: Text,
        api_key_text: Text,
        keys_url: Text,
        keys_url_hint: Text,
        keys: Text,
        keys_hint: Text,
        issuer: Text,
        issuer_hint: Text,
        subject: Text,
        subject_hint: Text,
        not_json: Text,
        redirect_uris: Text,
        sign_out_uris: Text,
        uris_hint: Text,
        uri_confidential: Text,
        uri_public: Text,
        uri_fragment: Text,
        uri_wildcard: Text,
        identity: Text,
        /// What an application can do with a scope of OpenID Connect.
        identity_scope: Named,
        /// The value is the audience of an API.
        access: With,
        whole_api: Text,
        whole_api_text: Text,
        other_apis: Text,
        other_apis_hint: Text,
        other_scopes: Text,
        other_scopes_hint: Text,
    }
}

texts! {
    english::TEXTS.console.edit => EditTexts {
        title: Text,
        review: Text,
        review_text: Text,
        changes: Text,
        setting: Text,
        before: Text,
        after: Text,
        save: Text,
        again: Text,
        saved: Text,
        no_changes: Text,
        changed_meanwhile: Text,
        of_files: Text,
        groups: Named,
        /// The label of a setting. A nested setting is `OUTER/INNER`.
        label: Named,
        hint: Named,
        /// The label of a value, which is written as `SETTING=VALUE`.
        choice: Named,
    }
}
