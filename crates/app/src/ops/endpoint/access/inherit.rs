//! OAuth settings that survive a change of an endpoint.

use mailhaul_migration::{Access, EndpointType, Grant};

use super::{
    AccessParameters,
    access_method::AccessMethod,
    preset::{ANY_TENANT, Preset},
};

/// Fills in parameters that this method takes, that were set before, and that are not given now.
///
/// Values that were only presets of the service are left out; they follow from the rest.
pub(crate) fn inherit(
    endpoint_type: EndpointType,
    before: &Access,
    method: AccessMethod,
    parameters: &mut AccessParameters,
) {
    let before = match before {
        Access::Users => return,
        Access::Admin(admin) => {
            if method.takes("UserNameTemplate") && parameters.user_name_template.is_none() {
                parameters.user_name_template = admin.form.setting().map(str::to_owned);
            }
            return;
        }
        Access::OAuth(oauth) => oauth,
    };
    let keep = |setting: &str, given: &mut Option<String>, old: Option<&str>| {
        if method.takes(setting) && given.is_none() {
            *given = old.filter(|it| !it.is_empty()).map(str::to_owned);
        }
    };
    let is_application = !matches!(before.grant, Grant::ServiceAccount { .. });
    keep("ApplicationId", &mut parameters.tokens.application_id, is_application.then_some(&before.client_id));
    let preset = Preset::of(endpoint_type);
    let tenant = before.tenant.as_deref().unwrap_or(ANY_TENANT);
    let authority = preset.and_then(|it| it.authority_of(&before.token_url, tenant));
    if parameters.tokens.authority_url.is_none() && parameters.tokens.token_url.is_none() {
        let of_authority = preset.zip(authority).map(|(preset, it)| preset.device_url(it, tenant));
        let is_own = of_authority.as_ref() != Some(&before.device_url);
        keep("DeviceUrl", &mut parameters.saved.device_url, is_own.then_some(&before.device_url));
        keep("AuthorityUrl", &mut parameters.tokens.authority_url, authority);
        keep("TokenUrl", &mut parameters.tokens.token_url, authority.is_none().then_some(&before.token_url));
    }
    keep("TenantId", &mut parameters.tokens.tenant_id, before.tenant.as_deref());
    let usual = preset.map(|it| it.scope_of(AccessMethod::of(&Access::OAuth(before.clone()))));
    let is_own = usual != Some(before.scope.as_str());
    keep("Scope", &mut parameters.tokens.scope, is_own.then_some(&before.scope));
}
