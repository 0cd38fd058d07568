//! The kinds of applications that people choose from, and the settings that each kind decides.

use administration::documents::ClientSettings;
use protocol::{ClientAuthenticationMethod, GrantType, leads_to_an_app};
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ApplicationKind {
    Machine,
    ServiceAccount,
    Api,
    Web,
    SinglePage,
    Native,
    Device,
}

// The first three are also names of `ClientPurpose`. The others follow from the settings.
values::named! {
    ApplicationKind {
        Machine => "machine_to_machine", ServiceAccount => "service_account", Api => "api", Web => "web",
        SinglePage => "single_page", Native => "native", Device => "device"
    }
}

impl ApplicationKind {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::NAMED.into_iter().find(|(known, _)| *known == name).map(|(_, kind)| kind)
    }

    /// The kind of an existing application: its purpose, or what its settings permit.
    pub(super) fn of(settings: &ClientSettings) -> Option<Self> {
        let has = |grant: GrantType| settings.grant_types.iter().any(|name| name == grant.as_str());
        let is_public = settings.token_endpoint_auth_method == ClientAuthenticationMethod::None.as_str();
        let is_app = settings.redirect_uris.iter().any(|uri| leads_to_an_app(uri));
        settings.purpose.as_deref().and_then(Self::parse).or_else(|| {
            Some(match (has(GrantType::AuthorizationCode), is_public, is_app) {
                (true, false, _) => Self::Web,
                (true, true, true) => Self::Native,
                (true, true, false) => Self::SinglePage,
                _ if has(GrantType::DeviceCode) => Self::Device,
                _ if has(GrantType::ClientCredentials) => Self::Machine,
                _ => return None,
            })
        })
    }

    pub(super) const fn is_public(self) -> bool {
        matches!(self, Self::SinglePage | Self::Native | Self::Device)
    }

    pub(super) const fn has_redirect_uris(self) -> bool {
        matches!(self, Self::Web | Self::SinglePage | Self::Native)
    }

    /// The scopes of OpenID Connect that an application of this kind may request.
    pub(super) const fn identity_scopes(self) -> &'static [&'static str] {
        match self {
            Self::Machine | Self::ServiceAccount | Self::Api => &[],
            Self::SinglePage => &["openid", "profile", "email", "groups"],
            Self::Web | Self::Native | Self::Device => {
                &["openid", "profile", "email", "groups", "offline_access"]
            }
        }
    }

    /// The settings of a new application that the form does not ask for.
    pub(super) fn settings(self) -> Value {
        let (code, refresh, device) =
            (GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::DeviceCode);
        let public = ClientAuthenticationMethod::None.as_str();
        match self {
            Self::Machine | Self::ServiceAccount => json!({ "purpose": self.as_str() }),
            Self::Api => json!({ "purpose": self.as_str(), "introspection": "audience" }),
            Self::Web => json!({ "grant_types": [code, refresh] }),
            Self::SinglePage => json!({ "grant_types": [code], "token_endpoint_auth_method": public }),
            Self::Native => json!({ "grant_types": [code, refresh], "token_endpoint_auth_method": public }),
            Self::Device => json!({ "grant_types": [device, refresh], "token_endpoint_auth_method": public }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_of_new_settings_is_the_chosen_kind() {
        for (_, kind) in ApplicationKind::NAMED {
            let mut settings = ClientSettings::read(kind.settings()).unwrap();
            if kind == ApplicationKind::Native {
                settings.redirect_uris = vec!["com.example.app:/callback".to_owned()];
            }
            assert_eq!(ApplicationKind::of(&settings), Some(kind));
        }
    }
}
