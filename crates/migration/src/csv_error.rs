//! Errors of the CSV file, each with its place, its rule and a proposal.

use std::fmt;

use crate::{address::AddressFault, user_row::COLUMNS};

/// Errors that are kept. The others are only counted, so a file of 10 MB cannot fill the memory.
pub const MAX_KEPT_ERRORS: usize = 1000;

/// Errors that the text of [`CsvErrors`] shows.
const MAX_SHOWN_ERRORS: usize = 20;

/// Position in the file. All is `None` for an error of the whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CsvPlace {
    /// The header is row 1, unless lines precede it.
    pub row: Option<usize>,
    /// Counted from 1.
    pub column: Option<usize>,
    /// Name of the column, if the header is valid.
    pub name: Option<&'static str>,
}

impl CsvPlace {
    /// A whole row.
    pub fn row(row: usize) -> Self {
        Self { row: Some(row), ..Self::default() }
    }

    pub(crate) fn cell(row: usize, column: usize) -> Self {
        Self { row: Some(row), column: Some(column), name: None }
    }

    /// The same place, in this column.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { name: Some(name), ..self }
    }
}

impl fmt::Display for CsvPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(row) = self.row else { return Ok(()) };
        write!(f, "Row {row}")?;
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        self.name.map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

/// One reason why the file cannot be used.
///
/// Invariant: no cell below the header is shown, because it may be a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvError {
    pub place: CsvPlace,
    pub rule: CsvRule,
}

impl CsvError {
    /// Error of the whole file.
    pub fn file(rule: CsvRule) -> Self {
        Self { place: CsvPlace::default(), rule }
    }

    /// Error at this place.
    pub fn at(place: CsvPlace, rule: CsvRule) -> Self {
        Self { place, rule }
    }
}

impl fmt::Display for CsvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.rule.to_string();
        if self.place.row.is_some() {
            write!(f, "{}: {message}", self.place)?;
        } else {
            let mut letters = message.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            write!(f, "{}{}", first.unwrap_or_default(), letters.as_str())?;
        }
        self.rule.proposal().map_or(Ok(()), |proposal| write!(f, "; {proposal}"))
    }
}

impl std::error::Error for CsvError {}

/// Rule that the file breaks. Its text is the fact; [`CsvRule::proposal`] is the advice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
pub enum CsvRule {
    /// Empty file.
    #[error("the CSV file is empty")]
    Empty,
    #[error("the CSV file has a header but no users")]
    NoUsers,
    #[error("no user of the CSV file is left: {left_out} {} left out", if *.left_out == 1 { "row is" } else { "rows are" })]
    NoUsersLeft { left_out: usize },
    /// More bytes than `MAX_OCTETS`.
    #[error("the CSV file is larger than 10 MB ({octets} bytes)")]
    TooLarge { octets: usize },
    /// More rows than `MAX_ROWS`.
    #[error("the CSV file contains more than 50,000 rows")]
    TooManyRows,
    #[error("the CSV file has {count} columns, and at most 1,000 are read")]
    TooManyColumns { count: usize },
    /// Bytes of another kind of file.
    #[error("the file is {0}, not a CSV file")]
    OtherFormat(FileFormat),
    /// Bytes that are not text.
    #[error("line {line} of the CSV file is not valid {encoding} text")]
    NotText {
        /// Counted from 1.
        line: usize,
        /// Encoding that the file seems to have.
        encoding: &'static str,
    },
    #[error("line {line} of the CSV file contains a NUL character, which no text has")]
    Nul { line: usize },
    #[error("the CSV file seems to be UTF-16 text without a byte order mark")]
    NoByteOrderMark,
    /// The first row is no header.
    #[error("row {row} of the CSV file must name the columns, but none of {} is there", .columns.join(", "))]
    NoHeader { row: usize, columns: &'static [&'static str], hint: HeaderHint },
    /// Unknown column.
    #[error("the column name{} is unknown", quoted(.name.as_deref()))]
    UnknownColumn {
        /// Its name; `None` if the first row may be data with a password.
        name: Option<String>,
        /// Column that is probably meant.
        meant: Option<&'static str>,
    },
    #[error("column \"{name}\" is missing from the CSV file")]
    MissingColumn { name: &'static str },
    /// Repeated column.
    #[error("the column name is repeated; it is first in column {first}")]
    RepeatedColumn {
        /// Number of the first one, from 1.
        first: usize,
    },
    /// Row whose number of cells differs from the header's.
    #[error("wrong number of columns (expected: {expected}, found: {found})")]
    CellCount {
        /// Cells of the header.
        expected: usize,
        /// Cells of the row.
        found: usize,
        separator: Separator,
        /// True if the surplus cells are empty.
        ends_empty: bool,
    },
    /// Required cell without a value.
    #[error("the cell is empty")]
    EmptyCell,
    /// Value in a column without a name.
    #[error("the column has no name, but a value")]
    NamelessCell { separator: Separator },
    /// Quote that is not closed before the file ends.
    #[error("the double quote at the start of the value is never closed")]
    UnclosedQuote,
    /// Closing quote without a separator or line end after it.
    #[error("text follows the closing double quote")]
    TextAfterQuote,
    #[error("a blank precedes the double quote at the start of the value")]
    BlankBeforeQuote,
    #[error(transparent)]
    Address(#[from] AddressFault),
    #[error("the value is an error of a spreadsheet's formula, such as #N/A or #NAME?")]
    SpreadsheetError,
    #[error("the value is in quotation marks")]
    QuotedName,
    /// Line break in a login: a quote was not closed in its row.
    #[error("the value contains a line break")]
    LineBreak,
    #[error("there is no password for the target mailbox")]
    NoTargetPassword,
    #[error("the EmailAddress is already in row {first}")]
    SameAddress { first: usize },
    #[error("the EmailAddress is in the batch \"{batch}\" already")]
    OtherBatch { batch: String },
    #[error("source and target are the same mailbox")]
    SameMailbox,
    #[error("row {first} has the same target mailbox")]
    SameTarget { first: usize },
}

/// Possible reason why a file has no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderHint {
    Unknown,
    /// The first row contains an address.
    FirstRowIsUser,
    /// The row with this number names the columns.
    Later(usize),
    /// The cells are probably separated by this character.
    Separated(char),
}

/// Character between the cells of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Separator(pub char);

impl Separator {
    /// One of them: `a comma`.
    pub(crate) fn one(self) -> String {
        match self.0 {
            ',' => "a comma".to_owned(),
            ';' => "a semicolon".to_owned(),
            '\t' => "a tab".to_owned(),
            other => format!("the character {other}"),
        }
    }

    /// Many of them: `commas`.
    pub(crate) fn many(self) -> String {
        match self.0 {
            ',' => "commas".to_owned(),
            ';' => "semicolons".to_owned(),
            '\t' => "tabs".to_owned(),
            other => format!("the character {other}"),
        }
    }
}

impl Separator {
    /// Advice for a row with more or fewer cells than the header.
    fn count_proposal(self, has_more: bool, ends_empty: bool) -> String {
        let one = self.one();
        match (has_more, ends_empty) {
            (true, true) => {
                format!(
                    "remove {one} at the end of the row; a value that ends with it must be in double quotes"
                )
            }
            (true, false) => format!("a value that contains {one} must be in double quotes"),
            (false, _) => format!("{one} follows each value but the last, also an empty one"),
        }
    }
}

/// Kind of a file that is no CSV file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
pub enum FileFormat {
    #[strum(to_string = "a workbook (.xlsx)")]
    Xlsx,
    #[strum(to_string = "a workbook (.ods)")]
    Ods,
    #[strum(to_string = "a workbook (.xls) or another document of an old Office program")]
    Xls,
    #[strum(to_string = "a workbook (.xlsx, .ods) or another ZIP archive")]
    Zip,
    #[strum(to_string = "a web page or an XML document")]
    Markup,
}

impl CsvRule {
    /// Code for programs.
    pub fn code(&self) -> &'static str {
        self.into()
    }

    /// Sentence for a row that is left out because of this rule.
    pub fn left_out(&self, row: usize) -> String {
        format!("Row {row}: {self}; row {row} is left out")
    }

    /// Advice, without a full stop.
    pub fn proposal(&self) -> Option<String> {
        let text = match self {
            Self::NoHeader { columns, hint, .. } => return hint.proposal(columns),
            Self::UnknownColumn { meant: Some(meant), .. } => {
                return Some(format!("did you mean \"{meant}\"?"));
            }
            Self::CellCount { expected, found, separator, ends_empty } => {
                return Some(separator.count_proposal(found > expected, *ends_empty));
            }
            Self::NamelessCell { separator } => {
                return Some(format!(
                    "a value that contains {} must be in double quotes; else name or empty the column",
                    separator.one()
                ));
            }
            Self::Address(fault) => fault.proposal(),
            Self::OtherFormat(FileFormat::Markup) => {
                "download the file itself; the page may ask you to sign in"
            }
            Self::OtherFormat(_) => "open it in its program and save it as \"CSV UTF-8\"",
            Self::NotText { .. } | Self::Nul { .. } | Self::NoByteOrderMark => {
                "save the file as \"CSV UTF-8\""
            }
            other => other.fixed_proposal()?,
        };
        Some(text.to_owned())
    }

    fn fixed_proposal(&self) -> Option<&'static str> {
        match self {
            Self::TooLarge { .. } | Self::TooManyRows => Some("split it into smaller files"),
            Self::TooManyColumns { .. } => Some("remove the columns that are not needed"),
            Self::UnknownColumn { meant: None, .. } => Some("remove the column, or correct its name"),
            Self::MissingColumn { .. } => Some("it is required"),
            Self::RepeatedColumn { .. } => Some("remove one of them"),
            Self::EmptyCell => Some("a value is required"),
            Self::UnclosedQuote => {
                Some("close it; write a quote that belongs to the value as two in double quotes")
            }
            Self::TextAfterQuote => Some("write a quote inside a quoted value as two"),
            Self::BlankBeforeQuote => Some("remove the blank"),
            Self::SpreadsheetError => Some("mend the formula, or write the value"),
            Self::QuotedName => Some("remove the quotation marks"),
            Self::LineBreak => Some("close the double quote at its start in the same row"),
            Self::NoTargetPassword => Some("fill the column TargetPassword"),
            Self::SameTarget { .. } => Some("two mailboxes cannot be merged into one"),
            _ => None,
        }
    }
}

impl HeaderHint {
    fn proposal(self, columns: &[&str]) -> Option<String> {
        match self {
            Self::Unknown => None,
            Self::FirstRowIsUser => {
                let names = columns.iter().take(3).copied().collect::<Vec<_>>().join(",");
                Some(format!("the first row seems to be a user: insert the row {names} before it"))
            }
            Self::Later(row) => Some(format!("row {row} names them: remove the rows before it")),
            Self::Separated(separator) => {
                Some(format!("separate the cells by commas, not by {}", Separator(separator).many()))
            }
        }
    }
}

/// All errors of a file: the first [`MAX_KEPT_ERRORS`], and the number of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CsvErrors {
    kept: Vec<CsvError>,
    count: usize,
}

impl CsvErrors {
    /// Adds an error.
    pub fn push(&mut self, error: CsvError) {
        self.count += 1;
        if self.kept.len() < MAX_KEPT_ERRORS {
            self.kept.push(error);
        }
    }

    /// Adds the errors of another check of the same file.
    pub fn extend(&mut self, others: Self) {
        self.count += others.count;
        let room = MAX_KEPT_ERRORS - self.kept.len();
        self.kept.extend(others.kept.into_iter().take(room));
    }

    /// Number of errors, including those that are not kept.
    pub fn count(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Errors that are kept.
    pub fn kept(&self) -> &[CsvError] {
        &self.kept
    }

    /// True if an error is of this kind.
    pub fn has(&self, is_kind: impl Fn(&CsvRule) -> bool) -> bool {
        self.kept.iter().any(|error| is_kind(&error.rule))
    }

    /// Returns the errors as `Err`, if there are any.
    ///
    /// # Errors
    /// The errors themselves.
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl From<CsvError> for CsvErrors {
    fn from(error: CsvError) -> Self {
        Self { kept: vec![error], count: 1 }
    }
}

/// One error is a sentence. Of several, each has an indented line.
impl fmt::Display for CsvErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [error] = self.kept.as_slice()
            && self.count == 1
        {
            return error.fmt(f);
        }
        write!(f, "The CSV file has {} errors:", self.count)?;
        let shown = self.kept.iter().take(MAX_SHOWN_ERRORS);
        for error in shown {
            write!(f, "\n  {error}")?;
        }
        match self.count.saturating_sub(MAX_SHOWN_ERRORS) {
            0 => Ok(()),
            1 => write!(f, "\n  and 1 more error"),
            more => write!(f, "\n  and {more} more errors"),
        }
    }
}

impl std::error::Error for CsvErrors {}

/// Columns of the file of users, for advice.
pub fn column_list() -> String {
    COLUMNS.join(", ")
}

fn quoted(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(" \"{name}\""))
}
