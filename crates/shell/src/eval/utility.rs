//! Runs cmdlets for messages, dates, new objects and waits.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Evaluator,
    cmdlet::{Run, screen_text},
    common::{Action, Common},
    interrupt::Flow,
};
use crate::{
    arithmetic,
    cmdlets::CmdletKind,
    date_format,
    error::{ErrorKind, Fault},
    host::Host,
    output::ScriptOutput,
    paths, text, times,
    value::{Form, Object, Value},
};

/// Longest wait of `Start-Sleep`.
const MAX_SLEEP: f64 = 30.0 * 86_400.0;

impl<H: Host> Evaluator<'_, H> {
    /// Runs `Write-Host` and its like.
    pub(super) async fn write(&mut self, mut run: Run) -> Flow<()> {
        let at = run.at;
        let named = ["Object", "Message", "MessageData", "Exception", "ErrorRecord"];
        let given = named.iter().find_map(|name| run.bound.value(name)).map(|(_, value)| value);
        if run.cmdlet.kind == CmdletKind::WriteProgress {
            return self.progress(run);
        }
        let piped = !run.input.is_empty();
        let value = given.unwrap_or(Value::List(run.input));
        let message = match (&value, piped) {
            (Value::List(values), false) if run.cmdlet.kind == CmdletKind::WriteHost => {
                let separator = run.bound.text("Separator").unwrap_or_else(|| " ".to_owned());
                values.iter().map(text::interpolate).collect::<Vec<_>>().join(&separator)
            }
            (Value::List(_), true) => screen_text(value.into_stream()).trim_end().to_owned(),
            (value, _) => text::interpolate(value),
        };
        match run.cmdlet.kind {
            CmdletKind::WriteHost => {
                self.printer.write_line(&message);
                Ok(self.write_out(false)?)
            }
            CmdletKind::WriteWarning => self.warn(&message, &run.common),
            CmdletKind::WriteError => {
                self.record(Fault::new(ErrorKind::Thrown, at, message), &run.common).await
            }
            CmdletKind::WriteVerbose if self.is_verbose(&run.common, "VerbosePreference")? => {
                Ok(self.tell(ScriptOutput::Note(&message))?)
            }
            CmdletKind::WriteInformation if self.scopes.get("InformationPreference").is_some() => {
                Ok(self.tell(ScriptOutput::Note(&message))?)
            }
            _ => Ok(()),
        }
    }

    /// True if details are to be shown.
    fn is_verbose(&self, common: &Common, preference: &str) -> Result<bool, Fault> {
        let preferred = self.scopes.get(preference).map(|value| Action::parse(0, value)).transpose()?;
        Ok(common.is_verbose || preferred == Some(Action::Continue))
    }

    fn progress(&mut self, mut run: Run) -> Flow<()> {
        if run.bound.has("Completed") {
            return Ok(());
        }
        let mut parts: Vec<String> = ["Activity", "Status", "CurrentOperation"]
            .into_iter()
            .filter_map(|name| run.bound.text(name))
            .collect();
        if let Some((_, percent)) = run.bound.value("PercentComplete") {
            let percent =
                arithmetic::number(&percent).ok().and_then(|number| number.as_f64()).unwrap_or_default();
            parts.push(format!("{percent:.0}%"));
        }
        let silent =
            matches!(self.preference("ProgressPreference"), Ok(Action::SilentlyContinue | Action::Ignore));
        if silent { Ok(()) } else { Ok(self.tell(ScriptOutput::Note(&parts.join(": ")))?) }
    }

    pub(super) async fn utility(&mut self, mut run: Run) -> Flow<()> {
        let at = run.at;
        let value = match run.cmdlet.kind {
            CmdletKind::StartSleep => return self.start_sleep(run).await,
            CmdletKind::GetDate => self.get_date(run)?,
            CmdletKind::NewTimeSpan => self.new_time_span(run)?,
            CmdletKind::NewObject => new_object(run)?,
            CmdletKind::AddMember => return self.add_member(run).await,
            CmdletKind::JoinPath => {
                let (parent, child) = (run.bound.text("Path"), run.bound.text("ChildPath"));
                Value::Text(paths::joined(&parent.unwrap_or_default(), &child.unwrap_or_default()))
            }
            CmdletKind::SplitPath => {
                let path = run.bound.path(at, "Split-Path", &["Path", "LiteralPath"])?;
                let is_leaf = run.bound.has("Leaf") || run.bound.has("LeafBase");
                let part = if is_leaf { paths::leaf(&path) } else { paths::parent(&path) };
                let part = if run.bound.has("LeafBase") {
                    part.rsplit_once('.').map_or(part, |(stem, _)| stem)
                } else {
                    part
                };
                part.into()
            }
            CmdletKind::OutString => {
                let text = screen_text(run.input);
                if run.bound.has("Stream") {
                    Value::List(text.lines().map(Value::from).collect())
                } else {
                    Value::Text(text)
                }
            }
            // Out-GridView is a table here, and all rows go on with -PassThru.
            _ => {
                if run.cmdlet.kind == CmdletKind::OutGridView && run.bound.has("PassThru") {
                    let message = "-PassThru of Out-GridView is";
                    return Err(Fault::instead(at, message, "`Where-Object { ... }` for the choice").into());
                }
                let outer = std::mem::take(&mut self.consumers);
                let result = self.emit_all(at, Value::List(run.input)).await;
                let result = result.and_then(|()| Ok(self.write_out(true)?));
                self.consumers = outer;
                return result;
            }
        };
        self.emit_all(at, value).await
    }

    async fn start_sleep(&mut self, mut run: Run) -> Flow<()> {
        let at = run.at;
        let mut seconds = 0.0;
        for (name, factor) in [("Seconds", 1.0), ("Milliseconds", 0.001)] {
            if let Some((at, value)) = run.bound.value(name) {
                let number = arithmetic::number(&value).map_err(|message| Fault::value(at, message))?;
                seconds += number.as_f64().unwrap_or_default() * factor;
            }
        }
        if let Some(text) = run.bound.text("Duration") {
            let span =
                times::span(&text).ok_or_else(|| Fault::value(at, format!("`{text}` is not a time span")))?;
            #[expect(clippy::cast_precision_loss, reason = "a wait is not exact")]
            let span = span as f64 / 1e9;
            seconds += span;
        }
        if !(0.0..=MAX_SLEEP).contains(&seconds) {
            return Err(Fault::value(at, "Start-Sleep waits for 0 seconds to 30 days").into());
        }
        self.write_out(true)?;
        // A loop with empty waits is one that never ends.
        if seconds >= 0.001 {
            self.meter.restart();
        }
        self.host.sleep(Duration::from_secs_f64(seconds)).await;
        Ok(self.host.breathe().await.map_err(|error| Fault::limit(at, error.message))?)
    }

    fn get_date(&mut self, mut run: Run) -> Flow<Value> {
        let mut moment = match run.bound.value("Date") {
            None => {
                // Fractions of seconds would make each line wide.
                let now = self.host.now();
                Timestamp::from_second(now.as_second()).unwrap_or(now)
            }
            Some((at, value)) => moment(at, &value)?,
        };
        moment = with_fields(run.at, &mut run, moment)?;
        match run.bound.text("Format") {
            Some(form) => Ok(Value::Text(
                date_format::format(moment, &form).map_err(|message| Fault::value(run.at, message))?,
            )),
            None => match run.bound.value("UFormat") {
                Some((at, _)) => {
                    Err(Fault::instead(at, "-UFormat is", "-Format, as in `Get-Date -Format yyyy-MM-dd`")
                        .into())
                }
                None => Ok(moment.to_string().into()),
            },
        }
    }

    fn new_time_span(&mut self, mut run: Run) -> Flow<Value> {
        let mut nanoseconds = 0.0;
        for (name, seconds) in [("Days", 86_400.0), ("Hours", 3600.0), ("Minutes", 60.0), ("Seconds", 1.0)] {
            if let Some((at, value)) = run.bound.value(name) {
                let number = arithmetic::number(&value).map_err(|message| Fault::value(at, message))?;
                nanoseconds += number.as_f64().unwrap_or_default() * seconds * 1e9;
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "a float beyond the range becomes its end")]
        let mut span = nanoseconds as i128;
        let start =
            run.bound.value("Start").or_else(|| run.input.first().map(|value| (run.at, value.clone())));
        let end = run.bound.value("End");
        if start.is_some() || end.is_some() {
            let side = |given: Option<(usize, Value)>| match given {
                Some((at, value)) => moment(at, &value),
                None => Ok(self.host.now()),
            };
            span += side(end)?.as_nanosecond() - side(start)?.as_nanosecond();
        }
        Ok(Value::Text(times::show_span(span)))
    }

    async fn add_member(&mut self, mut run: Run) -> Flow<()> {
        let at = run.at;
        let mut pairs: Vec<(String, Value)> = Vec::new();
        if let Some((_, Value::Object(members))) = run.bound.value("NotePropertyMembers") {
            pairs.extend(members.iter().map(|(name, value)| (name.to_owned(), value.clone())));
        }
        if let Some(kind) = run.bound.text("MemberType").or_else(|| run.bound.text("Type")) {
            let is_property = kind.eq_ignore_ascii_case("NoteProperty");
            if !is_property && run.bound.value("NotePropertyName").is_none() {
                return Err(Fault::unsupported(at, format!("Add-Member with -MemberType {kind} is")).into());
            }
        }
        let name = run.bound.text("Name").or_else(|| run.bound.text("NotePropertyName"));
        let value = run.bound.value("Value").or_else(|| run.bound.value("NotePropertyValue"));
        pairs.extend(name.map(|name| (name, value.map(|(_, value)| value).unwrap_or_default())));
        if pairs.is_empty() {
            return Err(Fault::value(at, "Add-Member needs -NotePropertyName and -NotePropertyValue").into());
        }
        if !run.bound.has("PassThru") {
            let form = "`$x = $x | Add-Member -NotePropertyName Name -NotePropertyValue value -PassThru`";
            return Err(Fault::instead(
                at,
                "Add-Member without -PassThru (objects do not change in their other places) is",
                form,
            )
            .into());
        }
        for value in run.input {
            let Value::Object(mut object) = value else {
                return Err(Fault::value(at, "only objects have members that can be added").into());
            };
            for (name, value) in &pairs {
                object.insert(name.clone(), value.clone());
            }
            self.emit(at, Value::Object(object)).await?;
        }
        Ok(())
    }
}

fn moment(at: usize, value: &Value) -> Result<Timestamp, Fault> {
    let shown = text::show(value);
    times::moment(&shown)
        .ok_or_else(|| Fault::value(at, format!("`{shown}` is not a date in a form that is known here, such as '2026-12-31 18:00' or '12/31/2026 6:00 PM'")))
}

/// Replaces parts of a moment by `-Year`, `-Hour` and their like.
fn with_fields(at: usize, run: &mut Run, moment: Timestamp) -> Result<Timestamp, Fault> {
    let mut civil = moment.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    for name in ["Year", "Month", "Day", "Hour", "Minute", "Second"] {
        let Some(number) = run.bound.count(name)? else { continue };
        let wrong = || Fault::value(at, format!("-{name} {number} makes no date"));
        let year = i16::try_from(number).map_err(|_| wrong());
        let small = i8::try_from(number).map_err(|_| wrong());
        let with = civil.with();
        civil = match name {
            "Year" => with.year(year?),
            "Month" => with.month(small?),
            "Day" => with.day(small?),
            "Hour" => with.hour(small?),
            "Minute" => with.minute(small?),
            _ => with.second(small?),
        }
        .build()
        .map_err(|_| wrong())?;
    }
    jiff::tz::TimeZone::UTC.to_timestamp(civil).map_err(|_| Fault::value(at, "this is no date"))
}

fn new_object(mut run: Run) -> Flow<Value> {
    let at = run.at;
    let type_name = run.bound.text("TypeName").unwrap_or_default().to_ascii_lowercase();
    let plain = type_name.strip_prefix("system.").unwrap_or(&type_name);
    let property = run.bound.value("Property");
    if plain.starts_with("collections.") {
        return Ok(Value::List(vec![if plain.contains("hash") || plain.contains("dictionary") {
            Value::Object(Object::new().with_form(Form::Table))
        } else {
            Value::List(Vec::new())
        }]));
    }
    match (plain, property) {
        ("psobject" | "object" | "pscustomobject" | "management.automation.psobject", None) => {
            Ok(Value::Object(Object::new()))
        }
        (
            "psobject" | "object" | "pscustomobject" | "management.automation.psobject",
            Some((_, Value::Object(table))),
        ) => Ok(Value::Object(table.with_form(Form::Plain))),
        (_, Some((at, _))) => Err(Fault::value(at, "a table must follow -Property: @{ Name = 'x' }").into()),
        _ => Err(Fault::instead(
            at,
            format!("New-Object {type_name} is"),
            "`[pscustomobject]@{ ... }`, or Get-Credential for a credential",
        )
        .into()),
    }
}
