//! Runs the cmdlets of the language that select, sort, show and count.

use super::{Evaluator, common::Common, interrupt::Flow};
use crate::{
    cmdlets::{self, BoundArguments, Cmdlet, CmdletKind, Column, TableStyle},
    error::Fault,
    format,
    host::Host,
    members::property,
    text,
    value::{Form, Object, Value},
    wildcard::Wildcard,
};

/// Cmdlet with its arguments and all values that were piped to it.
pub(super) struct Run {
    pub(super) cmdlet: Cmdlet,
    pub(super) at: usize,
    pub(super) bound: BoundArguments,
    pub(super) input: Vec<Value>,
    pub(super) is_first: bool,
    pub(super) common: Common,
}

impl<H: Host> Evaluator<'_, H> {
    pub(super) async fn cmdlet(&mut self, mut run: Run) -> Flow<()> {
        if run.is_first
            && run.cmdlet.kind != CmdletKind::WriteOutput
            && let Some((_, value)) = run.bound.value("InputObject")
        {
            run.input = value.into_stream();
        }
        if run.input.iter().any(is_screen) && !run.cmdlet.kind.takes_screen() {
            let message = "a Format cmdlet makes text for the screen, so only Out-File, Out-String, Out-Host and Out-Null can follow it";
            return Err(Fault::value(run.at, message).into());
        }
        match run.cmdlet.kind {
            CmdletKind::FormatList | CmdletKind::FormatTable => self.show_formatted(run).await,
            CmdletKind::SelectObject => self.select_object(run).await,
            CmdletKind::SortObject => self.sort_object(run).await,
            CmdletKind::MeasureObject => self.measure_object(run).await,
            CmdletKind::GroupObject => self.group_object(run).await,
            CmdletKind::CompareObject => self.compare_objects(run).await,
            CmdletKind::GetCommand => self.get_command(run).await,
            CmdletKind::GetMember => self.get_member(run).await,
            CmdletKind::WriteOutput => {
                let values = match run.bound.value("InputObject") {
                    Some((_, value)) => value,
                    None => Value::List(run.input),
                };
                self.emit_all(run.at, values).await
            }
            CmdletKind::WriteHost
            | CmdletKind::WriteWarning
            | CmdletKind::WriteVerbose
            | CmdletKind::WriteInformation
            | CmdletKind::WriteProgress
            | CmdletKind::WriteError => self.write(run).await,
            CmdletKind::NewObject
            | CmdletKind::AddMember
            | CmdletKind::GetDate
            | CmdletKind::NewTimeSpan
            | CmdletKind::StartSleep
            | CmdletKind::JoinPath
            | CmdletKind::SplitPath
            | CmdletKind::OutString
            | CmdletKind::OutHost
            | CmdletKind::OutGridView => self.utility(run).await,
            CmdletKind::WhereObject | CmdletKind::ForEachObject | CmdletKind::OutNull => Ok(()),
            _ => self.convert(run).await,
        }
    }

    async fn show_formatted(&mut self, mut run: Run) -> Flow<()> {
        let at = run.at;
        let columns = run.bound.columns("Property")?;
        let group_by = run.bound.columns("GroupBy")?;
        let is_table = run.cmdlet.kind == CmdletKind::FormatTable;
        let mut groups: Vec<(Option<String>, Vec<Value>)> = Vec::new();
        for value in run.input {
            let name = if group_by.is_empty() {
                None
            } else {
                Some(cmdlets::group_name(&self.keys(at, &group_by, &value).await?))
            };
            match groups.last_mut() {
                Some((last, values)) if *last == name => values.push(value),
                _ => groups.push((name, vec![value])),
            }
        }
        let style = TableStyle {
            width: self.printer.width,
            wrap: run.bound.has("Wrap"),
            hides_header: run.bound.has("HideTableHeaders"),
        };
        for (group, values) in groups {
            if let Some(name) = group {
                let label = match group_by.first() {
                    Some(
                        Column::Pattern(label)
                        | Column::Renamed { name: label, .. }
                        | Column::Computed { name: label, .. },
                    ) => label,
                    None => "",
                };
                let title = format!("   {label}: {}\n", text::harmless_on_screen(&name));
                self.emit(at, Value::Object(Object::from_iter([("Text", title)]).with_form(Form::Screen)))
                    .await?;
            }
            let view = values.first().and_then(view);
            let (values, mut names) = self.calculated(at, columns.clone(), values).await?;
            if is_table && names.is_empty() {
                names = view.unwrap_or_default();
            }
            let shown = if is_table {
                cmdlets::format_table(values, &names, style)
            } else {
                cmdlets::format_list(values, &names)
            };
            self.emit(at, shown).await?;
        }
        Ok(())
    }

    async fn select_object(&mut self, mut run: Run) -> Flow<()> {
        let at = run.at;
        let (first, last) = (run.bound.count("First")?, run.bound.count("Last")?);
        let skip = run.bound.count("Skip")?.unwrap_or(0);
        let index = run.bound.value("Index");
        let columns = run.bound.columns("Property")?;
        let excluded = run.bound.texts("ExcludeProperty")?;
        let expand = run.bound.value("ExpandProperty");
        let mut values = cmdlets::window(run.input, skip, first, last);
        if let Some((_, index)) = index {
            let all = Value::List(values);
            let indexes = Value::List(index.into_stream());
            values = crate::members::index(&all, &indexes)
                .map_err(|message| Fault::value(at, message))?
                .into_stream();
        }
        let mut selected = Vec::with_capacity(values.len());
        for value in values {
            if let Some((at, name)) = &expand {
                let Value::Text(name) = name else {
                    return Err(
                        Fault::value(*at, "the name of one property must follow -ExpandProperty").into()
                    );
                };
                let mut expanded =
                    cmdlets::expanded(&value, name).map_err(|message| Fault::value(*at, message))?;
                selected.append(&mut expanded);
            } else if columns.is_empty() && excluded.is_empty() {
                selected.push(value);
            } else {
                selected.push(self.picked(at, &columns, &excluded, &value).await?);
            }
        }
        if run.bound.has("Unique") {
            let mut seen = std::collections::HashSet::new();
            selected.retain(|value| seen.insert(serde_json::Value::from(value).to_string()));
        }
        self.emit_all(at, Value::List(selected)).await
    }

    async fn sort_object(&mut self, mut run: Run) -> Flow<()> {
        let at = run.at;
        let columns = run.bound.columns("Property")?;
        let all = run.bound.has("Descending");
        let mut descending: Vec<bool> = columns
            .iter()
            .map(|column| match column {
                Column::Pattern(_) => all,
                Column::Computed { is_descending, .. } | Column::Renamed { is_descending, .. } => {
                    all || *is_descending
                }
            })
            .collect();
        if descending.is_empty() {
            descending.push(all);
        }
        let mut keyed = Vec::with_capacity(run.input.len());
        for value in run.input {
            keyed.push((self.keys(at, &columns, &value).await?, value));
        }
        let sorted = cmdlets::sorted(keyed, &descending, run.bound.has("Unique"));
        self.emit_all(at, Value::List(sorted)).await
    }

    async fn measure_object(&mut self, mut run: Run) -> Flow<()> {
        let at = run.at;
        if ["Line", "Word", "Character"].iter().any(|switch| run.bound.has(switch)) {
            return self.measure_text(run).await;
        }
        let wanted: Vec<&str> = ["Sum", "Average", "Minimum", "Maximum"]
            .into_iter()
            .filter(|switch| run.bound.has(switch))
            .collect();
        let columns = run.bound.columns("Property")?;
        if columns.is_empty() {
            let figures =
                cmdlets::measure(&wanted, &run.input, None).map_err(|message| Fault::value(at, message))?;
            return self.emit(at, figures.into()).await;
        }
        for column in &columns {
            let mut values = Vec::new();
            for value in &run.input {
                let found = self.cell(at, column, value).await?;
                if found != Value::Null {
                    values.push(found);
                }
            }
            let (Column::Pattern(name) | Column::Computed { name, .. } | Column::Renamed { name, .. }) =
                column;
            let figures = cmdlets::measure(&wanted, &values, Some(name))
                .map_err(|message| Fault::value(at, message))?;
            self.emit(at, figures.into()).await?;
        }
        Ok(())
    }

    /// Runs `Measure-Object -Line -Word -Character`.
    async fn measure_text(&mut self, run: Run) -> Flow<()> {
        let text: Vec<String> = run.input.iter().map(text::show).collect();
        let count = |switch: &str, count: fn(&str) -> usize| {
            if run.bound.has(switch) {
                Value::from(text.iter().map(|line| count(line)).sum::<usize>())
            } else {
                Value::Null
            }
        };
        // Empty lines do not count, as in PowerShell.
        let lines = count("Line", |text| text.lines().filter(|line| !line.is_empty()).count());
        let words = count("Word", |text| text.split_whitespace().count());
        let characters = count("Character", |text| text.chars().count());
        let figures = [("Lines", lines), ("Words", words), ("Characters", characters)];
        self.emit(run.at, Object::from_iter(figures).into()).await
    }

    async fn group_object(&mut self, mut run: Run) -> Flow<()> {
        let at = run.at;
        let columns = run.bound.columns("Property")?;
        let mut groups: Vec<(String, Vec<Value>)> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for value in run.input {
            let name = cmdlets::group_name(&self.keys(at, &columns, &value).await?);
            let place = *places.entry(name.to_lowercase()).or_insert(groups.len());
            if place == groups.len() {
                groups.push((name, Vec::new()));
            }
            groups[place].1.push(value);
        }
        if run.bound.has("AsHashTable") {
            let table: Object = groups.into_iter().collect();
            return self.emit(at, Value::Object(table.with_form(Form::Table))).await;
        }
        let no_element = run.bound.has("NoElement");
        for (name, values) in groups {
            let mut object = Object::from_iter([("Count", Value::from(values.len())), ("Name", name.into())]);
            if !no_element {
                object.insert("Group", values);
            }
            let view = ["Count".to_owned(), "Name".to_owned()];
            self.emit(at, Value::Object(object.with_form(Form::Viewed(view.into())))).await?;
        }
        Ok(())
    }

    async fn get_command(&mut self, mut run: Run) -> Flow<()> {
        let patterns = run.bound.texts("Name")?;
        let patterns: Vec<Wildcard> = patterns.iter().map(|pattern| Wildcard::new(pattern, false)).collect();
        let mut names: Vec<String> = self.host.commands();
        names.extend(cmdlets::names().map(ToOwned::to_owned));
        names.extend(self.scopes.functions().map(ToOwned::to_owned));
        names.sort_unstable_by_key(|name| name.to_lowercase());
        names.dedup_by_key(|name| name.to_lowercase());
        names.retain(|name| patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name)));
        for name in names {
            let kind = if self.scopes.function(&name).is_some() { "Function" } else { "Cmdlet" };
            self.emit(run.at, Object::from_iter([("CommandType", kind.to_owned()), ("Name", name)]).into())
                .await?;
        }
        Ok(())
    }

    async fn get_member(&mut self, run: Run) -> Flow<()> {
        let Some(first) = run.input.first() else { return Ok(()) };
        let Value::Object(object) = first else {
            let name = crate::members::type_name(first);
            return self
                .emit(run.at, Object::from_iter([("Name", name), ("MemberType", "Type")]).into())
                .await;
        };
        for (name, _) in object.iter() {
            let value = property(first, name).unwrap_or_default();
            let kind = crate::members::type_name(&value);
            let member = [("Name", name), ("MemberType", "NoteProperty"), ("Type", kind)];
            self.emit(run.at, Object::from_iter(member).into()).await?;
        }
        Ok(())
    }
}

/// Returns values as they look on the screen.
pub(super) fn screen_text(values: Vec<Value>) -> String {
    let mut printer = crate::printer::Printer::new(None);
    for value in values {
        printer.show(value);
    }
    printer.flush();
    printer.take()
}

/// Returns values as lines.
pub(super) fn lines(values: &[Value], show: fn(&Value) -> String) -> String {
    let mut lines = String::new();
    for value in values {
        lines.extend([show(value).as_str(), "\n"]);
    }
    lines
}

fn view(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Object(object) => match object.form() {
            Form::Viewed(view) => Some(view.to_vec()),
            _ => None,
        },
        _ => None,
    }
}

fn is_screen(value: &Value) -> bool {
    matches!(value, Value::Object(object) if *object.form() == Form::Screen)
}

/// Names of the columns of objects, in CSV and HTML.
pub(super) fn column_names(objects: &[Object]) -> Vec<String> {
    format::names(objects, &[])
}
