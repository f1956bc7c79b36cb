//! Microsoft 365, as observed in late 2026.

use std::time::Duration;

use super::{
    limits::{Limits, Throttle},
    personality::{Personality, Verdict},
};

/// Maximum length of a line in a message.
const MAX_LINE_LENGTH: usize = 10_239;
/// The default limit of a mailbox.
const MAX_MESSAGE_SIZE: u64 = 36_700_160;

const FOLDERS: Folders = &[
    ("INBOX", ""),
    ("Archive", ""),
    ("Deleted Items", ""),
    ("Drafts", ""),
    ("Junk Email", ""),
    ("Sent Items", ""),
];

type Folders = &'static [(&'static str, &'static str)];

/// Names of these folders for users of other languages.
const LANGUAGES: &[(&str, Folders)] = &[
    (
        "German",
        &[
            ("INBOX", ""),
            ("Archiv", ""),
            ("Gelöschte Elemente", ""),
            ("Entwürfe", ""),
            ("Junk-E-Mail", ""),
            ("Gesendete Elemente", ""),
            ("Postausgang", ""),
        ],
    ),
    (
        "French",
        &[
            ("INBOX", ""),
            ("Archive", ""),
            ("Éléments supprimés", ""),
            ("Brouillons", ""),
            ("Courrier indésirable", ""),
            ("Éléments envoyés", ""),
            ("Boîte d’envoi", ""),
        ],
    ),
    (
        "Spanish",
        &[
            ("INBOX", ""),
            ("Archivo", ""),
            ("Elementos eliminados", ""),
            ("Borradores", ""),
            ("Correo no deseado", ""),
            ("Elementos enviados", ""),
            ("Bandeja de salida", ""),
        ],
    ),
    (
        "Japanese",
        &[
            ("INBOX", ""),
            ("アーカイブ", ""),
            ("削除済みアイテム", ""),
            ("下書き", ""),
            ("迷惑メール", ""),
            ("送信済みアイテム", ""),
            ("送信トレイ", ""),
        ],
    ),
    (
        "Chinese",
        &[
            ("INBOX", ""),
            ("存档", ""),
            ("已删除邮件", ""),
            ("草稿", ""),
            ("垃圾邮件", ""),
            ("已发送邮件", ""),
            ("发件箱", ""),
        ],
    ),
    (
        "Korean",
        &[
            ("INBOX", ""),
            ("보관", ""),
            ("지운 편지함", ""),
            ("임시 보관함", ""),
            ("정크 메일", ""),
            ("보낸 편지함", ""),
            ("보낼 편지함", ""),
        ],
    ),
    (
        "Portuguese",
        &[
            ("INBOX", ""),
            ("Arquivo Morto", ""),
            ("Itens Excluídos", ""),
            ("Rascunhos", ""),
            ("Lixo Eletrônico", ""),
            ("Itens Enviados", ""),
            ("Caixa de Saída", ""),
        ],
    ),
];

impl Personality {
    /// Microsoft 365 for a user in English.
    ///
    /// It has no CONDSTORE, no SPECIAL-USE, no keywords. Sizes are estimates. Ten errors end a session, as
    /// does an expired token. Too many messages are answered with a delay.
    pub fn microsoft_365() -> Self {
        Self {
            greeting: "The Microsoft Exchange IMAP4 service is ready. [RgBSADMA]",
            before_login: "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+",
            after_login: "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE \
                          LITERAL+",
            id: "\"name\" \"Microsoft.Exchange.Imap4.Imap4Server\" \"version\" \"15.20.9115.16\"",
            permanent_flags: "\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent",
            folders: FOLDERS,
            refuses_name: |name| {
                let first = name.split('/').next().unwrap_or(name);
                first.eq_ignore_ascii_case("Files").then_some("NO Folder name is reserved.")
            },
            ignores_case: true,
            size: |octets| octets + octets / 50 + 7,
            append_loses: Some("\\Flagged"),
            judge: |octets| {
                let is_long = octets.split(|it| *it == b'\n').any(|line| line.len() > MAX_LINE_LENGTH);
                if is_long { Verdict::Refuse("BAD Command Argument Error. 11") } else { Verdict::Take }
            },
            largest: Some((MAX_MESSAGE_SIZE, "NO Maximum size of appendable message has been exceeded.")),
            limits: Limits {
                errors: Some(10),
                connections: 20,
                throttle: Some(Throttle {
                    messages: 150,
                    within: Duration::from_mins(1),
                    backoff: Duration::from_millis(299_961),
                }),
                token_lifetime: Duration::from_hours(1),
                append_time: Duration::from_millis(250),
                fetch_time: Duration::from_millis(50),
                ..Limits::default()
            },
            ..Self::plain()
        }
    }

    /// The same for a user of another language: only the names show the purpose of folders.
    ///
    /// Archive, Trash, Drafts, Junk and Sent follow INBOX in this order.
    pub fn microsoft_365_in(language: &str) -> Self {
        let (_, folders) = LANGUAGES.iter().find(|(it, _)| *it == language).expect("the language is known");
        Self { folders, ..Self::microsoft_365() }
    }

    /// The same, for a target that changes the white space in headers (rows 3 and 4 of the quirks).
    #[must_use]
    pub fn rewriting_headers(self) -> Self {
        Self { rewrite: refold, ..self }
    }
}

/// Begins folded lines of the header with a TAB.
fn refold(octets: Vec<u8>) -> Vec<u8> {
    let end = octets.windows(4).position(|it| it == b"\r\n\r\n").map_or(octets.len(), |it| it + 2);
    let mut octets = octets;
    for at in 2..end {
        if octets[at - 2..at] == *b"\r\n" && octets[at] == b' ' {
            octets[at] = b'\t';
        }
    }
    octets
}
