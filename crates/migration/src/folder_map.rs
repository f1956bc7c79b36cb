//! CSV file of folder targets: `Source,Target`.

use std::collections::HashMap;

use mailhaul_engine::FolderMapping;

use crate::{
    column_names::{NameMatch, shown_name},
    csv::{MAX_OCTETS, MAX_ROWS},
    csv_error::{CsvError, CsvPlace, CsvRule},
    csv_header::{Header, find_header},
    csv_text::decode,
};

/// Columns, both required.
const COLUMNS: [&str; 2] = ["Source", "Target"];

/// Reason why the file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FolderMapError {
    /// Invalid CSV, or a row whose number of cells differs from the header's.
    #[error(transparent)]
    Csv(#[from] CsvError),
    #[error("The CSV file has a header but no rows: it changes no folder's target")]
    NoRows,
    /// Unknown or repeated column.
    #[error("{place}: the column name \"{name}\" is unknown or repeated; the columns are Source, Target")]
    Column { place: CsvPlace, name: String },
    #[error("Column \"{name}\" is missing from the CSV file; it is required")]
    MissingColumn { name: &'static str },
    /// Invalid folder.
    #[error("{place}: {words}")]
    Folder {
        place: CsvPlace,
        /// Reason of the refusal.
        words: String,
    },
    /// Repeated folder.
    #[error("{place}: the folder \"{folder}\" is already in row {first}")]
    Repeated {
        place: CsvPlace,
        folder: String,
        /// First row with this folder.
        first: usize,
    },
}

/// Parses a folder map, in the file's order: UTF-8 with or without a byte order mark, or UTF-16 with
/// one.
///
/// `Source` is `Name`, or `Name/*` for the folder and its subfolders. A `Target` that is empty or `-`
/// leaves the folder out.
///
/// # Errors
/// [`FolderMapError`] names the first row and column that are wrong. The file is then not used.
pub fn read_folder_map(octets: &[u8]) -> Result<Vec<(String, String)>, FolderMapError> {
    if octets.len() > MAX_OCTETS {
        return Err(CsvError::file(CsvRule::TooLarge { octets: octets.len() }).into());
    }
    let text = decode(octets)?;
    let header = find_header(&text, &COLUMNS)?;
    let cells = columns(&header)?;
    let (expected, separator) = (header.row.cells.len(), header.rows.separator);
    let mut map = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for row in header.rows {
        if map.len() == MAX_ROWS {
            return Err(CsvError::file(CsvRule::TooManyRows).into());
        }
        let mut row = row?;
        let found = row.cells.len();
        if found != expected {
            let ends_empty = row.cells.iter().skip(expected).all(String::is_empty);
            let rule = CsvRule::CellCount { expected, found, separator, ends_empty };
            return Err(CsvError::at(CsvPlace::row(row.number), rule).into());
        }
        let [source, target] = cells.map(|index| std::mem::take(&mut row.cells[index]));
        let place = |column: usize| CsvPlace::cell(row.number, cells[column] + 1).named(COLUMNS[column]);
        // An error in the source is the same whatever the target is.
        FolderMapping::parse(&source, "-")
            .map_err(|words| FolderMapError::Folder { place: place(0), words })?;
        let mapping = FolderMapping::parse(&source, &target)
            .map_err(|words| FolderMapError::Folder { place: place(1), words })?;
        let folder = mapping.to_string();
        if let Some(first) = seen.insert(folder.clone(), row.number) {
            return Err(FolderMapError::Repeated { place: place(0), folder, first });
        }
        map.push((source, if target.is_empty() { "-".to_owned() } else { target }));
    }
    if map.is_empty() { Err(FolderMapError::NoRows) } else { Ok(map) }
}

/// Positions of the columns in a row.
fn columns(header: &Header<'_>) -> Result<[usize; COLUMNS.len()], FolderMapError> {
    let mut cells = [None; COLUMNS.len()];
    for (index, name) in header.names.iter().enumerate() {
        match *name {
            NameMatch::Column(column) if cells[column].is_none() => cells[column] = Some(index),
            _ => {
                let place = CsvPlace::cell(header.row.number, index + 1);
                return Err(FolderMapError::Column { place, name: shown_name(&header.row.cells[index]) });
            }
        }
    }
    match cells {
        [Some(source), Some(target)] => Ok([source, target]),
        [None, _] => Err(FolderMapError::MissingColumn { name: COLUMNS[0] }),
        [_, None] => Err(FolderMapError::MissingColumn { name: COLUMNS[1] }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_say_where_folders_go() {
        let file = "TARGET, source\r\nArchive/2020,Old\r\n,\"Junk, old/*\"\r\n\r\n-,Chats\r\nNeu/*,Alt/*\r\n";
        let map = read_folder_map(file.as_bytes()).unwrap();
        let map: Vec<(&str, &str)> = map.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
        assert_eq!(map, [("Old", "Archive/2020"), ("Junk, old/*", "-"), ("Chats", "-"), ("Alt/*", "Neu/*")]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_row_and_column() {
        let table = [
            ("", "The CSV file is empty"),
            ("Source,Target\n", "The CSV file has a header but no rows: it changes no folder's target"),
            ("Source\na\n", "Column \"Target\" is missing from the CSV file; it is required"),
            (
                "Source,Target,Note\na,b,c\n",
                "Row 1, column 3: the column name \"Note\" is unknown or repeated; the columns are Source, Target",
            ),
            (
                "Source,Source\na,b\n",
                "Row 1, column 2: the column name \"Source\" is unknown or repeated; the columns are Source, Target",
            ),
            (
                "Source,Target\na,b\nc\n",
                "Row 3: wrong number of columns (expected: 2, found: 1); a comma follows each value but the last, also an empty one",
            ),
            ("Source,Target\n,b\n", "Row 2, column 1 (Source): a folder's name must not be empty"),
            (
                "Target,Source\nb/*,a\n",
                "Row 2, column 1 (Target): \"b/*\" needs a source that ends with * too",
            ),
            (
                "Source,Target\nInbox,b\nINBOX,c\n",
                "Row 3, column 1 (Source): the folder \"INBOX\" is already in row 2",
            ),
            (
                "Source,Target\n\"a,b\n",
                "Row 2, column 1: the double quote at the start of the value is never closed; close it; write a quote that \
                 belongs to the value as two in double quotes",
            ),
        ];
        for (file, expected) in table {
            assert_eq!(read_folder_map(file.as_bytes()).unwrap_err().to_string(), expected, "{file}");
        }
    }
}
