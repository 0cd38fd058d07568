//! The certification plans of the OpenID Foundation for providers, run against the program over TLS. Each
//! module is one test, with the module's name and checks. Assertions replace the failures of the suite.
//! docs/conformance.md lists the suite's warnings.

mod authorization_request;
mod backchannel;
mod browser;
mod callback;
mod discovery;
mod id_token;
mod logout;
mod openidconnect_crate;
mod page;
mod plan;
mod provider;
mod refresh;
mod refused;
mod repeated;
mod signing_in;
mod standard_claims;

/// Creates a test for each module. The test starts its own provider, and runs the function with the module's
/// name.
macro_rules! plan {
    ($mode:path, $userinfo:path, $modules:ident: $($module:ident,)*) => {
        $(
            #[tokio::test]
            async fn $module() {
                super::$modules::$module(super::plan::Plan::start($mode, $userinfo).await).await;
            }
        )*
    };
}

/// A plan with the modules about sign-ins, for one response mode and one kind of userinfo tokens.
macro_rules! basic_plan {
    ($mode:path, $userinfo:path) => {
        plan! {
            $mode, $userinfo, signing_in:
            oidcc_server,
            oidcc_idtoken_signature,
            oidcc_idtoken_unsigned,
            oidcc_userinfo_get,
            oidcc_userinfo_post_header,
            oidcc_userinfo_post_body,
            oidcc_ensure_request_without_nonce_succeeds_for_code_flow,
            oidcc_claims_essential,
            oidcc_scope_profile,
            oidcc_scope_email,
            oidcc_scope_address,
            oidcc_scope_phone,
            oidcc_scope_all,
            oidcc_alternate_happy_flow,
            oidcc_display_page,
            oidcc_display_popup,
            oidcc_ensure_request_with_unknown_parameter_succeeds,
            oidcc_login_hint,
            oidcc_ui_locales,
            oidcc_claims_locales,
            oidcc_ensure_request_with_acr_values_succeeds,
            oidcc_ensure_post_request_succeeds,
            oidcc_server_client_secret_post,
            oidcc_ensure_request_with_valid_pkce_succeeds,
        }
        plan! {
            $mode, $userinfo, repeated:
            oidcc_prompt_login,
            oidcc_prompt_none_not_logged_in,
            oidcc_prompt_none_logged_in,
            oidcc_max_age_1,
            oidcc_max_age_10000,
            oidcc_id_token_hint,
            oidcc_codereuse,
            oidcc_codereuse_30seconds,
        }
        plan! {
            $mode, $userinfo, refresh:
            oidcc_refresh_token,
        }
        plan! {
            $mode, $userinfo, refused:
            oidcc_response_type_missing,
            oidcc_ensure_registered_redirect_uri,
            oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported,
            oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported,
            oidcc_ensure_request_object_with_redirect_uri,
        }
    };
}

/// `oidcc-basic-certification-test-plan`.
mod basic_plan {
    basic_plan!(super::callback::Mode::Query, tenancy::UserinfoTokens::Combined);
}

/// `oidcc-formpost-basic-certification-test-plan`.
mod form_post_plan {
    basic_plan!(super::callback::Mode::FormPost, tenancy::UserinfoTokens::Combined);
}

/// `oidcc-basic-certification-test-plan` for a tenant whose userinfo tokens are not valid at any API.
mod separate_plan {
    basic_plan!(super::callback::Mode::Query, tenancy::UserinfoTokens::Separate);
}

/// `oidcc-config-certification-test-plan`.
mod config_plan {
    plan! {
        super::callback::Mode::Query, tenancy::UserinfoTokens::Combined, discovery:
        oidcc_discovery_endpoint_verification,
    }
}

/// `oidcc-rp-initiated-logout-certification-test-plan`.
mod logout_plan {
    plan! {
        super::callback::Mode::Query, tenancy::UserinfoTokens::Combined, logout:
        oidcc_rp_initiated_logout_discovery_endpoint_verification,
        oidcc_rp_initiated_logout,
        oidcc_rp_initiated_logout_bad_post_logout_redirect_uri,
        oidcc_rp_initiated_logout_modified_id_token_hint,
        oidcc_rp_initiated_logout_no_id_token_hint,
        oidcc_rp_initiated_logout_no_params,
        oidcc_rp_initiated_logout_no_post_logout_redirect_uri,
        oidcc_rp_initiated_logout_no_state,
        oidcc_rp_initiated_logout_only_state,
        oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri,
        oidcc_rp_initiated_logout_bad_id_token_hint,
    }
}

/// `oidcc-backchannel-rp-initiated-logout-certification-test-plan`.
mod backchannel_plan {
    plan! {
        super::callback::Mode::Query, tenancy::UserinfoTokens::Combined, backchannel:
        oidcc_backchannel_rp_initiated_logout_discovery_endpoint_verification,
        oidcc_backchannel_rp_initiated_logout,
    }
}
