//! The texts of the forms that create and change an application.

use crate::texts::{Named, Text, With, texts};

texts! {
    NewApplicationTexts {
        next: Text = "Next",
        kind_required: Text = "Choose an application type.",
        name_required: Text = "Enter a name.",
        /// The value is a client id.
        copied_from: With = |client| {
            format!(
                "All settings that are not on this page are copied from {client}. Its ID and its credentials are not copied."
            )
        },
        no_sign_in: Text = "Nobody can sign in to this tenant yet. First enable the strategy oidc of the tenant.",
        own_api: Text = "Choose the API that this application is. To let it introspect all tokens for this API, also list its client ID under clients of the API in the settings of the tenant.",
        credential: Text = "How the service account authenticates",
        credential_required: Text = "Choose how the service account authenticates.",
        key_url: Text = "Keys at a URL",
        key_url_text: Text = "It signs assertions with a private key. Latchkey fetches the public keys.",
        public_key: Text = "Public key",
        public_key_text: Text = "It signs assertions with a private key. You enter the public key here.",
        workload: Text = "Workload identity",
        workload_text: Text = "It presents a token of its platform, such as Kubernetes or GitHub Actions.",
        api_key: Text = "API key",
        api_key_text: Text = "It presents a long-lived key, which Latchkey shows once on the next page.",
        keys_url: Text = "URL of the keys",
        keys_url_hint: Text = "For keys at a URL: an https URL of a JWK set.",
        keys: Text = "Public key",
        keys_hint: Text = "For a public key: a JWK or a JWK set, as JSON.",
        issuer: Text = "Issuer",
        issuer_hint: Text = "For workload identity: a trusted issuer of the tenant, or an https URL such as https://token.actions.githubusercontent.com.",
        subject: Text = "Subject",
        subject_hint: Text = "For workload identity: the sub of the token, such as repo:example/billing:ref:refs/heads/main. * matches any characters except : and /.",
        not_json: Text = "This is not JSON.",
        uris_hint: Text = "One URI per line, exactly as the application sends it.",
        uri_confidential: Text = "https, or http on this computer (127.0.0.1, [::1] or localhost)",
        uri_public: Text = "https, http on this computer (127.0.0.1, [::1] or localhost), or the app's own scheme with a dot, such as com.example.app:/callback",
        uri_fragment: Text = "No fragment (#)",
        uri_wildcard: Text = "No wildcard (*)",
        identity: Text = "Information about the person",
        /// What an application can do with a scope of OpenID Connect.
        identity_scope: Named = |scope| {
            Some(match scope {
                "openid" => "Sign the person in and get an ID token",
                "profile" => "Read the name and other profile data",
                "email" => "Read the email address",
                "groups" => "Read the groups of the person",
                "offline_access" => "Keep access while the person is away",
                _ => return None,
            })
        },
        /// The value is the audience of an API.
        access: With = |api| format!("Access to {api}"),
        whole_api: Text = "Tokens for this API",
        whole_api_text: Text = "Needs no scope.",
        other_apis: Text = "APIs",
        other_apis_hint: Text = "The audiences of the tokens, one per line.",
        other_scopes: Text = "Other scopes",
        other_scopes_hint: Text = "Scopes that no API above has.",
    }
}

texts! {
    EditTexts {
        title: Text = "Edit",
        review: Text = "Review changes",
        review_text: Text = "Nothing is saved yet.",
        changes: Text = "Changes",
        setting: Text = "Setting",
        before: Text = "Before",
        after: Text = "After",
        save: Text = "Save changes",
        again: Text = "Continue editing",
        saved: Text = "Changes saved.",
        no_changes: Text = "You did not change anything.",
        changed_meanwhile: Text = "Someone else changed this application in the meantime. Nothing is saved yet. The form contains your changes: review them again.",
        of_files: Text = "A configuration file declares this application. Change it there.",
        groups: Named = |group| {
            Some(match group {
                "general" => "Name and contacts",
                "access" => "APIs, scopes and tokens",
                "people" => "Signing people in",
                "refresh" => "Refresh tokens",
                "authentication" => "Authentication",
                _ => return None,
            })
        },
        /// The label of a setting. A nested setting is `OUTER/INNER`.
        label: Named = |setting| {
            Some(match setting {
                "name" => "Name",
                "description" => "Description",
                "contacts" => "Contacts",
                "purpose" => "Type (label only)",
                "audiences" => "APIs",
                "scopes" => "Scopes",
                "resources" => "Further resources",
                "grant_types" => "Grant types",
                "introspection" => "Tokens it can introspect",
                "access_token_lifetime" => "Lifetime of access tokens",
                "access_token/format" => "Format of access tokens",
                "access_token/reuse" => "Reuse of access tokens",
                "token/issuer" => "Issuer of its tokens",
                "claims" => "Static claims",
                "redirect_uris" => "Redirect URIs",
                "post_logout_redirect_uris" => "Redirect URIs after sign-out",
                "first_party" => "Skip the consent page",
                "require_pkce" => "Require PKCE",
                "require_par" => "Require pushed authorization requests",
                "popup" => "Sign-in opens in a popup",
                "claims_in_id_token" => "Claims of the scopes in ID tokens",
                "groups/claim" => "Name of the groups claim",
                "groups/in" => "Groups claim in",
                "backchannel_logout_session_required" => "Session ID in logout tokens required",
                "backchannel_logout_uri" => "Back-channel logout URL",
                "userinfo" => "Tokens for userinfo",
                "subject_type" => "Subject type",
                "sector_identifier_uri" => "Sector identifier URI",
                "default_max_age" => "Maximum age of the sign-in",
                "refresh_token/rotation" => "Rotation",
                "refresh_token/grace" => "Grace period",
                "refresh_token/idle" => "Maximum time without use",
                "refresh_token/absolute" => "Maximum time after sign-in",
                "token_endpoint_auth_method" => "Authentication method",
                "dpop_bound_access_tokens" => "Bind tokens to a DPoP key",
                "tls_client_certificate_bound_access_tokens" => "Bind tokens to the client certificate",
                "jwks_uri" => "URL of its public keys",
                "jwks" => "Public keys",
                "federated" => "Workload identities",
                "rotate" => "Automatic secret rotation",
                "tls_client_auth_subject_dn" => "Certificate: subject",
                "tls_client_auth_san_dns" => "Certificate: DNS name",
                "tls_client_auth_san_uri" => "Certificate: URI",
                "tls_client_auth_san_ip" => "Certificate: IP address",
                "tls_client_auth_san_email" => "Certificate: email address",
                _ => return None,
            })
        },
        hint: Named = |setting| {
            Some(match setting {
                "contacts" => "Whom to contact about the application, one per line.",
                "audiences" => "The audiences of tokens if the request names no resource, one per line.",
                "scopes" => "The scopes that the application can be granted, one per line.",
                "resources" => "Absolute URIs that the application can request besides the APIs, one per line.",
                "access_token_lifetime" => "Such as 15m or 1h. Leave empty to use the lifetime of the tenant.",
                "access_token/format" => "APIs must introspect opaque tokens.",
                "access_token/reuse" => {
                    "Such as 20%: identical requests get the same token for this part of its lifetime. Leave empty to use the tenant's setting."
                }
                "token/issuer" => "One of the tenant's issuer aliases. Leave empty to use the tenant's issuer.",
                "claims" => "A JSON object, such as {\"plan\": \"pro\"}.",
                "first_party" => "Only for applications that belong to the tenant itself.",
                "groups/claim" => "For the scope groups: groups, roles, or a URI.",
                "backchannel_logout_uri" => "Latchkey calls this URL when a person's session has ended.",
                "sector_identifier_uri" => "For pairwise subjects: an https URI whose host is the sector.",
                "default_max_age" => "Such as 12h, for requests without max_age. Leave empty for no maximum.",
                "refresh_token/grace" => {
                    "Such as 30s. How long a used refresh token returns the same next token again."
                }
                "refresh_token/idle" | "refresh_token/absolute" => {
                    "Such as 30d. Leave empty to use the setting of the tenant."
                }
                "jwks_uri" => "The https URL of a JWK set. Do not set both the URL and the keys.",
                "jwks" => "A JWK set as JSON: {\"keys\": [...]}.",
                "federated" => {
                    "A JSON list, such as [{\"issuer\": \"https://token.actions.githubusercontent.com\", \"subject\": \"repo:example/billing:*\"}]."
                }
                "rotate" => {
                    "A JSON object, such as {\"every\": \"30d\", \"into\": \"vault:oauth2/billing#client_secret\"}."
                }
                "tls_client_auth_subject_dn" => {
                    "In RFC 4514 form, such as CN=client,O=Example. Set at most one of the five."
                }
                _ => return None,
            })
        },
        /// The label of a value, which is written as `SETTING=VALUE`.
        choice: Named = |choice| {
            Some(match choice {
                "purpose=machine_to_machine" => "Machine to machine",
                "purpose=service_account" => "Service account",
                "purpose=api" => "API",
                "grant_types=client_credentials" => "Client credentials: the application itself",
                "grant_types=authorization_code" => "Authorization code: people sign in",
                "grant_types=refresh_token" => "Refresh token",
                "grant_types=urn:ietf:params:oauth:grant-type:device_code" => {
                    "Device code: people sign in on another device"
                }
                "grant_types=urn:ietf:params:oauth:grant-type:token-exchange" => {
                    "Token exchange (not supported yet)"
                }
                "grant_types=urn:ietf:params:oauth:grant-type:jwt-bearer" => "JWT bearer (not supported yet)",
                "groups/in=id_token" => "ID token",
                "groups/in=userinfo" => "Userinfo",
                "groups/in=access_token" => "Access token and introspection",
                "introspection=own" => "Its own",
                "introspection=audience" => "Its own, and those for APIs that list it",
                "introspection=tenant" => "All tokens of the tenant",
                "access_token/format=jwt" => "JWT: APIs can verify it offline",
                "access_token/format=opaque" => "Opaque: only this server can read it",
                "userinfo=combined" => "Also valid for the APIs",
                "userinfo=separate" => "Only valid for userinfo",
                "subject_type=public" => "Public: all applications see the same subject",
                "subject_type=pairwise" => "Pairwise: each sector sees another subject",
                "refresh_token/rotation=public" => "For applications without a secret",
                "refresh_token/rotation=always" => "Always",
                "refresh_token/rotation=never" => "Never",
                "token_endpoint_auth_method=any" => "Secret or private key",
                "token_endpoint_auth_method=client_secret_basic" => "Secret",
                "token_endpoint_auth_method=client_secret_post" => "Secret (another name of the same method)",
                "token_endpoint_auth_method=private_key_jwt" => "Private key (signed assertion)",
                "token_endpoint_auth_method=tls_client_auth" => "Client certificate from a trusted issuer",
                "token_endpoint_auth_method=self_signed_tls_client_auth" => "Registered client certificate",
                "token_endpoint_auth_method=none" => "None: a public application",
                _ if choice.ends_with("=true") => "Yes",
                _ if choice.ends_with('=') => "Not set (default)",
                _ => return None,
            })
        },
    }
}
