//! Text of a CSV file, out of the bytes that programs write.

use crate::csv_error::{CsvError, CsvRule, FileFormat};

/// Decodes UTF-8 with or without a byte order mark, or UTF-16 with one.
///
/// Marks at the start and the DOS end-of-file character at the end are removed.
pub(crate) fn decode(octets: &[u8]) -> Result<String, CsvError> {
    if let Some(format) = other_format(octets) {
        return Err(CsvError::file(CsvRule::OtherFormat(format)));
    }
    let text = match octets {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        [0, 1..=255, ..] | [1..=255, 0, ..] => return Err(CsvError::file(CsvRule::NoByteOrderMark)),
        _ => str::from_utf8(octets)
            .map_err(|error| {
                let before = String::from_utf8_lossy(&octets[..error.valid_up_to()]);
                let encoding = "UTF-8";
                CsvError::file(CsvRule::NotText { line: lines(&before), encoding })
            })?
            .to_owned(),
    };
    if let Some(nul) = text.find('\0') {
        return Err(CsvError::file(CsvRule::Nul { line: lines(&text[..nul]) }));
    }
    // Programs that join files or add a second mark leave more than one.
    let text = text.trim_start_matches(['\u{feff}', '\u{200b}']);
    Ok(text.trim_end_matches('\u{1a}').to_owned())
}

/// Number of the line that follows this text. Lines end with CRLF, LF or CR.
fn lines(before: &str) -> usize {
    let ends = before.matches(['\r', '\n']).count() - before.matches("\r\n").count();
    ends + 1
}

fn utf16(octets: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, CsvError> {
    let (pairs, odd) = octets.as_chunks::<2>();
    let mut text = String::with_capacity(octets.len());
    // Half a character at the end is read as an invalid one.
    let units = pairs.iter().map(|&pair| unit(pair)).chain((!odd.is_empty()).then_some(0xD800));
    for character in char::decode_utf16(units) {
        match character {
            Ok(character) => text.push(character),
            Err(_) => {
                return Err(CsvError::file(CsvRule::NotText { line: lines(&text), encoding: "UTF-16" }));
            }
        }
    }
    Ok(text)
}

/// Recognises files of other programs by their first bytes.
fn other_format(octets: &[u8]) -> Option<FileFormat> {
    const ZIP: &[u8] = b"PK\x03\x04";
    const OLD_OFFICE: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
    if octets.starts_with(OLD_OFFICE) {
        return Some(FileFormat::Xls);
    }
    if octets.starts_with(ZIP) {
        // The name of the first file in the archive follows the 30 bytes of its header.
        let name = octets.get(30..).unwrap_or_default();
        return Some(if name.starts_with(b"mimetypeapplication/vnd.oasis.opendocument.") {
            FileFormat::Ods
        } else if [&b"[Content_Types].xml"[..], b"xl/", b"_rels/", b"docProps/"]
            .iter()
            .any(|it| name.starts_with(it))
        {
            FileFormat::Xlsx
        } else {
            FileFormat::Zip
        });
    }
    let text = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets).trim_ascii_start();
    let is_markup = [&b"<!"[..], b"<?xml", b"<html", b"<HTML"].iter().any(|it| text.starts_with(it));
    is_markup.then_some(FileFormat::Markup)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(octets: &[u8]) -> String {
        decode(octets).unwrap_err().to_string()
    }

    #[test]
    fn lines_are_counted_with_each_line_end() {
        for end in ["\n", "\r\n", "\r"] {
            let mut file = format!("a{end}b{end}{end}c").into_bytes();
            file.push(0xE4);
            let words = "Line 4 of the CSV file is not valid UTF-8 text; save the file as \"CSV UTF-8\"";
            assert_eq!(error(&file), words);
            let nul = format!("a{end}b\0");
            assert!(error(nul.as_bytes()).starts_with("Line 2 of the CSV file contains a NUL character"));
        }
    }

    #[test]
    fn files_of_other_programs_are_named() {
        let zip = |name: &str| [&b"PK\x03\x04"[..], &[0; 26], name.as_bytes(), b"\xFF\0"].concat();
        for (file, words) in [
            (zip("[Content_Types].xml"), "The file is a workbook (.xlsx), not a CSV file"),
            (zip("mimetypeapplication/vnd.oasis.opendocument.spreadsheet"), "a workbook (.ods)"),
            (zip("photo.jpg"), "a workbook (.xlsx, .ods) or another ZIP archive"),
            (b"PK\x03\x04".to_vec(), "ZIP archive"),
            (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0".to_vec(), "a workbook (.xls)"),
            (b"\xEF\xBB\xBF\r\n<!DOCTYPE html>".to_vec(), "a web page"),
            (b"<?xml version=\"1.0\"?>".to_vec(), "an XML document"),
        ] {
            assert!(error(&file).contains(words), "{}", error(&file));
        }
    }

    #[test]
    fn marks_and_ends_of_files_are_removed() {
        for file in ["a", "\u{feff}a", "\u{feff}\u{feff}a", "a\u{1a}", "\u{feff}\u{200b}a\u{1a}\u{1a}"] {
            assert_eq!(decode(file.as_bytes()).unwrap(), "a");
        }
    }

    #[test]
    fn utf16_without_a_mark_is_named() {
        for unit in [u16::to_le_bytes, u16::to_be_bytes] {
            let file: Vec<u8> = "Email".encode_utf16().flat_map(unit).collect();
            assert!(
                error(&file).starts_with("The CSV file seems to be UTF-16 text without a byte order mark")
            );
        }
    }
}
