//! Names of special folders, for servers without special-use attributes.
//!
//! They come from Exchange, Outlook, Gmail, Dovecot, Thunderbird and Apple Mail in the languages of
//! their users.

use std::{collections::HashMap, sync::LazyLock};

use crate::{FolderPath, SpecialUse, ignoring_case};

/// Folders whose children are named like top-level folders: Gmail's, and INBOX on servers that tell
/// no prefix.
const CONTAINERS: [&str; 3] = ["[Gmail]", "[Google Mail]", "INBOX"];

/// Each name has one use, in every language.
#[rustfmt::skip]
const NAMES: &[(SpecialUse, &[&str])] = &[
    (SpecialUse::Sent, &[
        // English
        "Sent", "Sent Items", "Sent Mail", "Sent Messages", "Sent-Mail", "Sent E-mail", "Sent Email",
        // German
        "Gesendet", "Gesendete Elemente", "Gesendete Objekte", "Gesendete Nachrichten", "Gesendete E-Mails",
        "Gesendete Mails",
        // French
        "Envoyés", "Envoyé", "Éléments envoyés", "Messages envoyés", "Courrier envoyé", "Objets envoyés",
        // Spanish
        "Enviados", "Enviado", "Elementos enviados", "Mensajes enviados", "Correo enviado",
        // Italian
        "Inviati", "Inviata", "Posta inviata", "Elementi inviati", "Messaggi inviati",
        // Dutch
        "Verzonden", "Verzonden items", "Verzonden berichten", "Verzonden e-mail",
        // Portuguese
        "Enviadas", "Itens enviados", "Mensagens enviadas", "E-mails enviados", "Correio enviado", "E-mail enviado",
        // Swedish
        "Skickat", "Skickade", "Skickade objekt", "Skickade meddelanden", "Skickad e-post",
        // Danish
        "Sendt", "Sendte", "Sendt post", "Sendt mail", "Sendte beskeder",
        // Norwegian
        "Sendte elementer", "Sendte meldinger", "Sendt e-post",
        // Finnish
        "Lähetetyt", "Lähetetyt viestit", "Lähetetyt kohteet",
        // Polish
        "Wysłane", "Elementy wysłane", "Wiadomości wysłane", "Wysłane elementy", "Wysłane wiadomości",
        // Czech
        "Odeslané", "Odeslaná pošta", "Odeslané zprávy", "Odeslané položky",
        // Hungarian
        "Elküldött", "Elküldött elemek", "Elküldött üzenetek", "Elküldött levelek",
        // Turkish
        "Gönderilmiş", "Gönderilmiş Öğeler", "Gönderilmiş Postalar", "Gönderilenler", "Gönderilen",
        "Gönderilen Öğeler",
        // Russian
        "Отправленные", "Отправлено", "Отправленные сообщения", "Отправленные элементы",
        // Ukrainian
        "Надіслані", "Відправлені", "Надіслані елементи", "Надіслані листи",
        // Greek
        "Απεσταλμένα", "Απεσταλμένα στοιχεία", "Απεσταλμένα μηνύματα", "Σταλμένα",
        // Japanese
        "送信済み", "送信済みアイテム", "送信済みメール", "送信済みメッセージ", "送信済みトレイ",
        // Chinese
        "已发送", "已发送邮件", "已发邮件", "已發送", "已傳送的郵件", "寄件備份", "寄件備份匣",
        // Korean
        "보낸 편지함", "보낸편지함", "보낸 메일함", "보낸메일함", "보낸 메일",
    ]),
    (SpecialUse::Drafts, &[
        // English
        "Drafts", "Draft",
        // German
        "Entwürfe", "Entwurf",
        // French
        "Brouillons", "Brouillon",
        // Spanish
        "Borradores", "Borrador",
        // Italian
        "Bozze", "Bozza",
        // Dutch
        "Concepten", "Concept",
        // Portuguese
        "Rascunhos", "Rascunho",
        // Swedish, Norwegian
        "Utkast",
        // Danish
        "Kladder", "Kladde", "Udkast",
        // Norwegian
        "Kladd",
        // Finnish
        "Luonnokset",
        // Polish
        "Wersje robocze", "Kopie robocze", "Szkice", "Robocze",
        // Czech
        "Koncepty", "Rozepsané",
        // Hungarian
        "Piszkozatok", "Vázlatok",
        // Turkish
        "Taslaklar", "Taslak",
        // Russian
        "Черновики",
        // Ukrainian
        "Чернетки",
        // Greek
        "Πρόχειρα",
        // Japanese
        "下書き",
        // Chinese
        "草稿", "草稿箱", "草稿夹", "草稿匣",
        // Korean
        "임시 보관함", "임시보관함",
    ]),
    (SpecialUse::Trash, &[
        // English
        "Trash", "Deleted", "Deleted Items", "Deleted Messages", "Bin", "Wastebasket",
        // German
        "Papierkorb", "Gelöscht", "Gelöschte Elemente", "Gelöschte Objekte", "Gelöschte Nachrichten",
        // French
        "Corbeille", "Supprimés", "Éléments supprimés", "Messages supprimés",
        // Spanish
        "Papelera", "Eliminados", "Elementos eliminados", "Mensajes eliminados",
        // Italian
        "Cestino", "Eliminati", "Posta eliminata", "Elementi eliminati", "Messaggi eliminati",
        // Dutch
        "Prullenbak", "Prullenmand", "Verwijderd", "Verwijderde items", "Verwijderde berichten",
        // Portuguese
        "Lixeira", "Lixo", "Excluídos", "Itens excluídos", "Itens eliminados", "Mensagens excluídas",
        // Swedish
        "Papperskorgen", "Papperskorg", "Borttaget", "Borttagna", "Borttagna objekt",
        // Danish
        "Papirkurv", "Slettet", "Slettet post", "Slettede",
        // Norwegian
        "Papirkurven", "Slettede elementer", "Slettede meldinger",
        // Finnish
        "Roskakori", "Poistetut", "Poistetut viestit", "Poistetut kohteet",
        // Polish
        "Kosz", "Usunięte", "Elementy usunięte", "Usunięte elementy",
        // Czech
        "Koš", "Odstraněné", "Odstraněná pošta", "Odstraněné zprávy",
        // Hungarian
        "Kuka", "Lomtár", "Törölt", "Törölt elemek", "Törölt üzenetek",
        // Turkish
        "Çöp", "Çöp Kutusu", "Silinmiş", "Silinmiş Öğeler", "Silinmiş Postalar",
        // Russian
        "Корзина", "Удаленные", "Удалённые", "Удаленные элементы", "Удалённые элементы",
        // Ukrainian
        "Кошик", "Видалені", "Видалені елементи",
        // Greek
        "Κάδος", "Κάδος απορριμμάτων", "Απορρίμματα", "Διαγραμμένα", "Διεγραμμένα", "Διαγραμμένα στοιχεία",
        // Japanese
        "ゴミ箱", "ごみ箱", "削除済みアイテム", "削除済みメッセージ",
        // Chinese
        "已删除", "已删除邮件", "废纸篓", "回收站", "已刪除", "刪除的郵件", "垃圾桶",
        // Korean
        "휴지통", "지운 편지함", "지운편지함", "삭제된 메일",
    ]),
    (SpecialUse::Junk, &[
        // English
        "Junk", "Spam", "Junk E-mail", "Junk Email", "Junk Mail", "Bulk", "Bulk Mail",
        // German
        "Junk-E-Mail", "Spamverdacht", "Unerwünscht", "Unerwünschte Werbung", "Unerwünschte E-Mails",
        // French
        "Indésirables", "Indésirable", "Courrier indésirable", "Pourriel", "Pourriels",
        // Spanish
        "Correo no deseado", "Correo electrónico no deseado", "No deseado", "Correo basura",
        // Italian
        "Indesiderata", "Posta indesiderata",
        // Dutch
        "Ongewenst", "Ongewenste e-mail", "Ongewenste reclame",
        // Portuguese
        "Lixo eletrônico", "Lixo eletrónico", "Lixo electrónico", "E-mail de lixo", "Correio não solicitado",
        // Swedish
        "Skräppost", "Skräp",
        // Danish
        "Uønsket", "Uønsket mail", "Uønsket e-mail", "Uønsket post",
        // Norwegian
        "Søppelpost", "Uønsket e-post", "Useriøs e-post",
        // Finnish
        "Roskaposti",
        // Polish
        "Niechciane", "Wiadomości-śmieci", "Wiadomości śmieci",
        // Czech
        "Nevyžádaná pošta", "Nevyžádané",
        // Hungarian
        "Levélszemét", "Kéretlen levelek",
        // Turkish
        "Gereksiz", "Gereksiz E-posta", "Önemsiz", "Önemsiz E-posta", "İstenmeyen",
        // Russian
        "Спам", "Нежелательная почта",
        // Ukrainian
        "Небажана пошта", "Небажана електронна пошта",
        // Greek
        "Ανεπιθύμητα", "Ανεπιθύμητη αλληλογραφία", "Ανεπιθύμητη ηλεκτρονική αλληλογραφία",
        // Japanese
        "迷惑メール",
        // Chinese
        "垃圾邮件", "垃圾郵件",
        // Korean
        "스팸", "스팸함", "스팸메일함", "스팸 메일함", "정크 메일",
    ]),
    (SpecialUse::Archive, &[
        // English
        "Archive", "Archives",
        // German, Czech
        "Archiv",
        // Spanish
        "Archivo", "Archivados",
        // Italian
        "Archivio", "Archivi",
        // Dutch
        "Archief", "Archieven",
        // Portuguese
        "Arquivo", "Arquivo Morto", "Arquivados",
        // Swedish, Danish, Norwegian
        "Arkiv",
        // Finnish
        "Arkisto",
        // Polish
        "Archiwum",
        // Hungarian
        "Archívum",
        // Turkish
        "Arşiv",
        // Russian
        "Архив",
        // Ukrainian
        "Архів",
        // Greek
        "Αρχείο", "Αρχειοθέτηση",
        // Japanese
        "アーカイブ",
        // Chinese
        "存档", "归档", "存檔", "封存",
        // Korean
        "보관", "보관함", "아카이브",
    ]),
];

static USES: LazyLock<HashMap<String, SpecialUse>> = LazyLock::new(|| {
    let of = |(special_use, names): &(SpecialUse, &[&str])| {
        let special_use = *special_use;
        names.iter().map(move |name| (ignoring_case(name), special_use)).collect::<Vec<_>>()
    };
    NAMES.iter().flat_map(of).collect()
});

impl SpecialUse {
    /// Guesses a folder's use from its whole path. An attribute takes precedence.
    pub fn from_name(path: &FolderPath) -> Option<Self> {
        let name = match path.segments() {
            [name] => name,
            [container, name] if CONTAINERS.iter().any(|it| it.eq_ignore_ascii_case(container)) => name,
            _ => return None,
        };
        USES.get(&ignoring_case(name)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_every_language_and_spelling() {
        let table = [
            ("Gesendete Elemente", Some(SpecialUse::Sent)),
            ("INBOX/sent-mail", Some(SpecialUse::Sent)),
            ("[Google Mail]/Messages envoye\u{301}s", Some(SpecialUse::Sent)),
            ("ENTWÜRFE", Some(SpecialUse::Drafts)),
            ("ΔΙΑΓΡΑΜΜΈΝΑ", Some(SpecialUse::Trash)),
            ("迷惑メール", Some(SpecialUse::Junk)),
            ("Архів", Some(SpecialUse::Archive)),
            // Only the whole path.
            ("Old/Sent", None),
            ("Sent/2020", None),
            ("INBOX", None),
            ("Sentiments", None),
        ];
        for (path, expected) in table {
            assert_eq!(SpecialUse::from_name(&FolderPath::parse(path)), expected, "{path}");
        }
    }

    #[test]
    fn no_name_has_two_uses_or_stands_there_twice() {
        let mut seen = HashMap::new();
        for (special_use, names) in NAMES {
            for name in *names {
                let other = seen.insert(ignoring_case(name), *special_use);
                assert_eq!(other, None, "{name}");
            }
        }
    }
}
