//! A Dovecot that takes access tokens (RFC 7628).

use std::{fs, path::Path};

/// Whose tokens open a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokensOf {
    /// Its user's own, as at Google: the token's subject is who logs in.
    Users,
    /// Any application's, as at Microsoft: the login alone says which mailbox is meant.
    Applications,
}

/// How access tokens are checked.
#[derive(Clone, Debug)]
pub struct Bearer {
    pub(crate) tokens_of: TokensOf,
    pub(crate) audience: String,
    pub(crate) key_id: String,
    /// The key that signs them, as PEM.
    pub(crate) key: String,
}

impl Bearer {
    /// Writes what it needs below the server's directory, and returns the lines of its configuration.
    pub(crate) fn write(&self, home: &Path) -> String {
        let keys = home.join("tokens/default/RS256");
        fs::create_dir_all(&keys).unwrap();
        fs::write(keys.join(&self.key_id), &self.key).unwrap();
        // The same for the token and for whoever logs in: anybody's token does.
        let format = match self.tokens_of {
            TokensOf::Users => "%u",
            TokensOf::Applications => "anybody",
        };
        let audience = &self.audience;
        let file = home.join("oauth2.conf");
        let home = home.display();
        // The only setting of every Dovecot 2.3 that compares a claim of any name.
        let oauth2 = format!(
            "introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={home}/tokens/\n\
             username_attribute = sub\nusername_format = {format}\nactive_attribute = aud\nactive_value = {audience}\n"
        );
        fs::write(file, oauth2).unwrap();
        format!(
            "auth_mechanisms = plain login cram-md5 xoauth2 oauthbearer\nauth_verbose = yes\n\
             passdb {{\n driver = oauth2\n mechanisms = xoauth2 oauthbearer\n args = {home}/oauth2.conf\n}}\n"
        )
    }
}
