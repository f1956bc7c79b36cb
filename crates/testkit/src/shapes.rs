//! The shapes of Dovecot that administrators run.

use crate::Setup;

/// Login strings of other servers, which open the mailbox of the user whom they name to an administrator:
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

/// Neither another user's name nor a script that checks passwords goes with CRAM-MD5.
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
    /// Mail in a Maildir whose directories are named as the folders are.
    #[must_use]
    pub fn maildir(self) -> Self {
        Self { mail_location: "maildir:~/Maildir:LAYOUT=fs".to_owned(), ..self }
    }

    /// Levels separated by this.
    #[must_use]
    pub fn separated_by(self, separator: char) -> Self {
        Self { separator, ..self }
    }

    /// Mail in a Maildir++, all folders below `INBOX.`, as those have it who came from Courier.
    #[must_use]
    pub fn below_inbox(self) -> Self {
        let mail_location = "maildir:~/Maildir".to_owned();
        Self { mail_location, separator: '.', prefix: "INBOX.".to_owned(), ..self }
    }

    /// LITERAL- instead of LITERAL+ (RFC 7888).
    #[must_use]
    pub fn literal_minus(self) -> Self {
        self.and("protocol imap {\n imap_literal_minus = yes\n}\n")
    }

    /// Every mailbox has Drafts, Sent, Trash, Junk and Archive, each with its special use (RFC 6154), and subscribed.
    #[must_use]
    pub fn with_special_use(self) -> Self {
        let folders = SPECIAL_USE
            .map(|it| format!(" mailbox {it} {{\n  special_use = \\{it}\n  auto = subscribe\n }}\n"))
            .concat();
        self.and(&format!("namespace inbox {{\n{folders}}}\n"))
    }

    /// A second personal namespace `virtual`, whose folder `All` repeats all mail.
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

    /// With somebody who may open every mailbox: by `user*admin`, by SASL's authorization identity, by Exchange's
    /// `Domain/Admin/User` and by Mirapoint's `#user@domain#Admin#`.
    #[must_use]
    pub fn with_administrator(mut self, name: &str, password: &str) -> Self {
        self.files.push(("masters", format!("{name}:{{PLAIN}}{password}::::::\n")));
        let script = LOGIN_STRINGS.replace("{administrator}", name).replace("{password}", password);
        self.files.push(("login-strings.lua", script));
        self.and(ADMINISTRATOR)
    }

    /// Access control lists, under which the administrator has the user's rights.
    #[must_use]
    pub fn with_acl(self) -> Self {
        self.with_acl_trap().and("plugin {\n acl_user = %u\n}\n")
    }

    /// Access control lists, under which the administrator has no rights: signing in succeeds, and no mailbox can be opened.
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
