//! Configurations of Dovecot that administrators use.

use crate::Setup;

/// Login strings of other servers, which open a user's mailbox to an administrator:
///
/// Exchange's `Domain/Admin/User` and Mirapoint's `#user@domain#Admin#`.
const LOGIN_STRINGS: &str = r#"
local function forms(login)
  local domain, admin, user = login:match("^([^/]+)/([^/]+)/([^/]+)$")
  if domain then return admin, user end
  local user, domain, admin = login:match("^#([^@#]+)@([^#]+)#([^#]+)#$")
  return admin, user
end
function auth_password_verify(request, password)
  local admin, user = forms(request.user)
  if not admin then return dovecot.auth.PASSDB_RESULT_USER_UNKNOWN, {} end
  if admin ~= "{administrator}" or password ~= "{password}" then return dovecot.auth.PASSDB_RESULT_PASSWORD_MISMATCH, {} end
  return dovecot.auth.PASSDB_RESULT_OK, { user = user }
end
function auth_passdb_lookup(request)
  return dovecot.auth.PASSDB_RESULT_USER_UNKNOWN, {}
end
"#;

/// CRAM-MD5 works neither with another user's name nor with a script that checks passwords.
const ADMINISTRATOR: &str = r#"
auth_mechanisms = plain login
auth_master_user_separator = *
auth_username_chars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234567890.-_@/#*+="
passdb {
  driver = passwd-file
  args = scheme=PLAIN {home}/masters
  master = yes
  result_success = continue
}
passdb {
  driver = lua
  mechanisms = plain login
  args = file={home}/login-strings.lua blocking=no
}
"#;

const SPECIAL_USE: [&str; 5] = ["Drafts", "Sent", "Trash", "Junk", "Archive"];

impl Setup {
    /// Stores mail in a Maildir whose directories have the names of the folders.
    #[must_use]
    pub fn maildir(self) -> Self {
        Self { mail_location: "maildir:~/Maildir:LAYOUT=fs".to_owned(), ..self }
    }

    /// Separates levels by this character.
    #[must_use]
    pub fn separated_by(self, separator: char) -> Self {
        Self { separator, ..self }
    }

    /// Stores mail in a Maildir++ with all folders below `INBOX.`, as after a migration from Courier.
    #[must_use]
    pub fn below_inbox(self) -> Self {
        let mail_location = "maildir:~/Maildir".to_owned();
        Self { mail_location, separator: '.', prefix: "INBOX.".to_owned(), ..self }
    }

    /// Offers LITERAL- instead of LITERAL+ (RFC 7888).
    #[must_use]
    pub fn literal_minus(self) -> Self {
        self.and("protocol imap {\n imap_literal_minus = yes\n}\n")
    }

    /// Gives every mailbox Drafts, Sent, Trash, Junk and Archive, each with its special use (RFC 6154), and
    /// subscribed.
    #[must_use]
    pub fn with_special_use(self) -> Self {
        let folders = SPECIAL_USE
            .map(|it| format!(" mailbox {it} {{\n  special_use = \\{it}\n  auto = subscribe\n }}\n"))
            .concat();
        self.and(&format!("namespace inbox {{\n{folders}}}\n"))
    }

    /// Adds a second personal namespace `virtual`, whose folder `All` repeats all mail.
    #[must_use]
    pub fn with_virtual_namespace(mut self) -> Self {
        self.plugins.push("virtual");
        self.files.push(("virtual/All/dovecot-virtual", "*\n  all\n".to_owned()));
        let separator = self.separator;
        self.and(&format!(
            "namespace virtual {{\n separator = {separator}\n prefix = virtual{separator}\n location = virtual:{{home}}/virtual:INDEX=~/virtual-idx\n \
             list = yes\n subscriptions = no\n mailbox All {{\n  special_use = \\All\n }}\n}}\n"
        ))
    }

    /// Adds a user who may open every mailbox.
    ///
    /// The logins are `user*admin`, SASL's authorization identity, Exchange's `Domain/Admin/User` and
    /// Mirapoint's `#user@domain#Admin#`.
    #[must_use]
    pub fn with_administrator(mut self, name: &str, password: &str) -> Self {
        self.files.push(("masters", format!("{name}:{{PLAIN}}{password}::::::\n")));
        let script = LOGIN_STRINGS.replace("{administrator}", name).replace("{password}", password);
        self.files.push(("login-strings.lua", script));
        self.and(ADMINISTRATOR)
    }

    /// Adds access control lists that give the administrator the user's rights.
    #[must_use]
    pub fn with_acl(self) -> Self {
        self.with_acl_trap().and("plugin {\n acl_user = %u\n}\n")
    }

    /// Adds access control lists that give the administrator no rights: the login succeeds, and no mailbox
    /// can be opened.
    #[must_use]
    pub fn with_acl_trap(mut self) -> Self {
        self.plugins.push("acl");
        self.imap_plugins.push("imap_acl");
        self.and("plugin {\n acl = vfile\n}\n")
    }

    fn and(mut self, text: &str) -> Self {
        self.extra.push_str(text);
        self
    }
}
