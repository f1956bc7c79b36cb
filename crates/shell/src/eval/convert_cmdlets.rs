//! Runs cmdlets that convert values, and read and write files.

use std::io::ErrorKind;

use super::{
    Evaluator,
    cmdlet::{Run, column_names, lines, screen_text},
    interrupt::Flow,
    redirect::file,
};
use crate::{
    cmdlets::{self, CmdletKind, CsvOptions, HtmlPage},
    error::Fault,
    format,
    host::Host,
    text,
    value::Value,
};

impl<H: Host> Evaluator<'_, H> {
    pub(super) async fn convert(&mut self, mut run: Run) -> Flow<()> {
        let at = run.at;
        run.bound.encoding()?;
        let value = match run.cmdlet.kind {
            CmdletKind::ConvertToJson => {
                let text = cmdlets::to_json(&run.input, run.bound.has("AsArray"), run.bound.has("Compress"));
                text.map_or(Value::Null, Value::Text)
            }
            CmdletKind::ConvertFromJson => {
                let text: Vec<String> = run.input.iter().map(text::show).collect();
                let json: serde_json::Value = serde_json::from_str(&text.join("\n"))
                    .map_err(|error| Fault::value(at, format!("this is not JSON: {error}")))?;
                json.into()
            }
            CmdletKind::ConvertToCsv => {
                let delimiter = run.bound.delimiter()?;
                let csv = format::csv_with(&cmdlets::objects(at, run.input)?, delimiter, true);
                Value::List(csv.lines().map(Value::from).collect())
            }
            CmdletKind::ConvertFromCsv => {
                let options =
                    CsvOptions { delimiter: run.bound.delimiter()?, header: run.bound.texts("Header")? };
                let text: Vec<String> = run.input.iter().map(text::show).collect();
                let values = cmdlets::from_csv(&text.join("\n"), &options);
                Value::List(
                    values.map_err(|message| Fault::value(at, format!("this is not CSV: {message}")))?,
                )
            }
            CmdletKind::ConvertToHtml => Value::Text(self.html(run).await?),
            CmdletKind::ExportCsv => return self.export_csv(run),
            CmdletKind::ImportCsv => self.import_csv(run)?,
            CmdletKind::ExportClixml => {
                let path = run.bound.path(at, "Export-Clixml", &["Path"])?;
                let path = file(at, &path)?;
                let xml = cmdlets::to_clixml(&run.input);
                return Ok(self.write_file(at, &path, xml.as_bytes(), false)?);
            }
            CmdletKind::ImportClixml => {
                let path = run.bound.path(at, "Import-Clixml", &["Path", "LiteralPath"])?;
                let xml = self.read_text(at, &path)?;
                let values = cmdlets::from_clixml(&xml);
                Value::List(
                    values.map_err(|message| Fault::value(at, format!("the file {path}: {message}")))?,
                )
            }
            CmdletKind::GetContent => self.get_content(run)?,
            CmdletKind::TestPath => {
                let path = run.bound.path(at, "Test-Path", &["Path", "LiteralPath"])?;
                let kind = run.bound.text("PathType").unwrap_or_default().to_ascii_lowercase();
                let path = file(at, &path);
                let is_file = path.as_ref().is_ok_and(|path| self.host.has_file(path));
                let is_directory = !is_file
                    && path.is_ok_and(|path| {
                        let read = self.host.read_file(&path);
                        read.is_err_and(|error| error.kind() == ErrorKind::IsADirectory)
                    });
                Value::Bool((is_file && kind != "container") || (is_directory && kind != "leaf"))
            }
            _ => return self.write_content(run),
        };
        self.emit_all(at, value).await
    }

    fn export_csv(&mut self, mut run: Run) -> Flow<()> {
        let at = run.at;
        let path = run.bound.path(at, "Export-Csv", &["Path", "LiteralPath"])?;
        let path = file(at, &path)?;
        let delimiter = run.bound.delimiter()?;
        let objects = cmdlets::objects(at, run.input)?;
        if !run.bound.has("Append") {
            let csv = format::csv_with(&objects, delimiter, true);
            return Ok(self.write_file(at, &path, csv.as_bytes(), false)?);
        }
        let before =
            self.host.read_file(&path).ok().and_then(|content| text::decode(&content)).unwrap_or_default();
        let header = before.trim_start_matches('\u{feff}').lines().next().unwrap_or_default().to_owned();
        if header.is_empty() {
            let csv = format::csv_with(&objects, delimiter, true);
            return Ok(self.write_file(at, &path, csv.as_bytes(), true)?);
        }
        let names: Vec<String> =
            header.split(delimiter).map(|name| name.trim_matches('"').to_owned()).collect();
        let own = column_names(&objects);
        let lacking: Vec<&String> =
            names.iter().filter(|name| !own.iter().any(|known| known.eq_ignore_ascii_case(name))).collect();
        if !lacking.is_empty() && !run.bound.has("Force") && !objects.is_empty() {
            let message = format!(
                "the file {path} has the column {}, which the objects do not have; -Force leaves it empty",
                lacking[0]
            );
            return Err(Fault::value(at, message).into());
        }
        let csv = format::csv_rows(&objects, &names, delimiter);
        Ok(self.write_file(at, &path, csv.as_bytes(), true)?)
    }

    fn import_csv(&mut self, mut run: Run) -> Flow<Value> {
        let at = run.at;
        let path = match run.input.first() {
            Some(Value::Text(path)) => path.clone(),
            _ => run.bound.path(at, "Import-Csv", &["Path", "LiteralPath"])?,
        };
        let options = CsvOptions { delimiter: run.bound.delimiter()?, header: run.bound.texts("Header")? };
        let content = self.read_text(at, &path)?;
        if content.starts_with("PK\u{3}\u{4}") {
            return Err(
                Fault::value(at, format!("the file {path} is a workbook; save it as CSV UTF-8")).into()
            );
        }
        let values = cmdlets::from_csv(&content, &options);
        Ok(Value::List(values.map_err(|message| Fault::value(at, format!("the file {path}: {message}")))?))
    }

    fn get_content(&mut self, mut run: Run) -> Flow<Value> {
        let at = run.at;
        let path = run.bound.path(at, "Get-Content", &["Path", "LiteralPath"])?;
        let content = self.read_text(at, &path)?;
        if run.bound.has("Raw") {
            return Ok(Value::Text(content));
        }
        let lines: Vec<Value> = content.trim_start_matches('\u{feff}').lines().map(Value::from).collect();
        let mut first = None;
        for name in ["TotalCount", "Head", "First"] {
            first = first.or(run.bound.count(name)?);
        }
        let last = run.bound.count("Tail")?.or(run.bound.count("Last")?);
        Ok(Value::List(cmdlets::window(lines, 0, first, last)))
    }

    /// Runs `Out-File`, `Set-Content` and `Add-Content`.
    fn write_content(&mut self, mut run: Run) -> Flow<()> {
        let at = run.at;
        let path = run.bound.path(at, run.cmdlet.name, &["Path", "FilePath", "LiteralPath"])?;
        let path = file(at, &path)?;
        let values = run.bound.value("Value").map_or(run.input, |(_, value)| value.into_stream());
        let mut text = if run.cmdlet.kind == CmdletKind::OutFile {
            screen_text(values)
        } else {
            lines(&values, text::interpolate)
        };
        if run.bound.has("NoNewline") {
            text.truncate(text.trim_end_matches('\n').len());
        }
        let appends = run.bound.has("Append") || run.cmdlet.kind == CmdletKind::AddContent;
        Ok(self.write_file(at, &path, text.as_bytes(), appends)?)
    }

    async fn html(&mut self, mut run: Run) -> Flow<String> {
        let at = run.at;
        let columns = run.bound.columns("Property")?;
        let mut objects = Vec::with_capacity(run.input.len());
        for value in run.input {
            let value =
                if columns.is_empty() { value } else { self.picked(at, &columns, &[], &value).await? };
            objects.extend(cmdlets::objects(at, vec![value])?);
        }
        let page = HtmlPage {
            title: run.bound.text("Title").unwrap_or_else(|| "HTML TABLE".to_owned()),
            head: run.bound.text("Head"),
            body: run.bound.text("Body").unwrap_or_default(),
            before: run.bound.text("PreContent").unwrap_or_default(),
            after: run.bound.text("PostContent").unwrap_or_default(),
            is_fragment: run.bound.has("Fragment"),
            as_list: run.bound.text("As").is_some_and(|form| form.eq_ignore_ascii_case("List")),
        };
        Ok(cmdlets::to_html(&objects, &page))
    }
}
