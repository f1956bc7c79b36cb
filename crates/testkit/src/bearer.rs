//! A Dovecot that accepts access tokens (RFC 7628).

use std::{fs, path::Path};

/// The tokens that open a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokensOf {
    /// The user's own token, as at Google: the token's subject is the login.
    Users,
    /// A token of any application, as at Microsoft: only the login names the mailbox.
    Applications,
}

/// A check of access tokens.
#[derive(Clone, Debug)]
pub struct Bearer {
    pub(crate) tokens_of: TokensOf,
    pub(crate) audience: String,
    pub(crate) key_id: String,
    /// The key that signs the tokens, as PEM.
    pub(crate) key: String,
}

impl Bearer {
    /// Writes the files of the check below the server's directory, and returns the lines of its
    /// configuration.
    pub(crate) fn write(&self, home: &Path) -> String {
        let keys = home.join("tokens/default/RS256");
        fs::create_dir_all(&keys).unwrap();
        fs::write(keys.join(&self.key_id), &self.key).unwrap();
        // The same value for the token and for the login: the token of any user fits.
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
