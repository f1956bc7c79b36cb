//! Runs the cmdlets of the language.

use super::Evaluator;
use crate::{
    cmdlets::{self, BoundArguments, Cmdlet, CmdletArgument, CmdletKind},
    error::Fault,
    flow::{EvalResult, Flow},
    host::Host,
    text, times,
    value::{Object, Value},
    wildcard::Wildcard,
};

impl<H: Host> Evaluator<'_, H> {
    /// Runs a cmdlet of the language.
    pub(crate) async fn cmdlet(
        &mut self,
        cmdlet: Cmdlet,
        at: usize,
        arguments: Vec<CmdletArgument<'_>>,
        input: Flow,
    ) -> EvalResult<Flow> {
        if cmdlet.kind == CmdletKind::WhereObject {
            return self.where_object(cmdlet, at, arguments, input).await;
        }
        let mut bound = BoundArguments::new(cmdlet, arguments)?;
        match cmdlet.kind {
            CmdletKind::WhereObject | CmdletKind::OutNull => Ok(Flow::default()),
            CmdletKind::ForEachObject => self.for_each_object(at, bound, input).await,
            CmdletKind::FormatList => cmdlets::format_list(bound, input),
            CmdletKind::FormatTable => cmdlets::format_table(bound, input, self.width),
            CmdletKind::SelectObject => cmdlets::select_object(bound, input),
            CmdletKind::SortObject => cmdlets::sort_object(at, bound, input),
            CmdletKind::MeasureObject => cmdlets::measure_object(at, bound, &input),
            CmdletKind::GroupObject => cmdlets::group_object(at, bound, input),
            CmdletKind::ConvertToJson => Ok(cmdlets::to_json(&bound, &input)),
            CmdletKind::ConvertToCsv => cmdlets::to_csv(at, input),
            CmdletKind::ExportCsv => cmdlets::export_csv(at, bound, input, self.host),
            CmdletKind::WriteOutput => Ok(match bound.value("InputObject")? {
                Some((_, value)) => Flow::new(value.into_stream()),
                None => input,
            }),
            CmdletKind::WriteHost => {
                let values = match bound.value("Object")? {
                    Some((_, value)) => value.into_stream(),
                    None => input.values,
                };
                self.write_line(&text::interpolate(&Value::List(values)));
                Ok(Flow::default())
            }
            CmdletKind::GetCommand => self.get_command(bound),
            CmdletKind::GetDate => match bound.value("Date")? {
                None => Ok(Flow::new(vec![self.host.now().to_string().into()])),
                Some((at, value)) => {
                    let shown = text::show(&value);
                    let moment = times::moment(&shown).ok_or_else(|| {
                        Fault::value(at, format!("`{shown}` is not a date of the form 2026-12-31T18:00:00Z"))
                    })?;
                    Ok(Flow::new(vec![moment.to_string().into()]))
                }
            },
        }
    }

    fn get_command(&self, mut bound: BoundArguments<'_>) -> EvalResult<Flow> {
        let patterns = bound.texts("Name")?;
        let patterns: Vec<Wildcard> = patterns.iter().map(|pattern| Wildcard::new(pattern, false)).collect();
        let mut names: Vec<String> = self.host.commands();
        names.extend(cmdlets::names().map(ToOwned::to_owned));
        names.sort_unstable_by_key(|name| name.to_lowercase());
        names.dedup_by_key(|name| name.to_lowercase());
        names.retain(|name| patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name)));
        let object =
            |name: String| Object::from_iter([("CommandType", "Cmdlet".to_owned()), ("Name", name)]).into();
        Ok(Flow::new(names.into_iter().map(object).collect()))
    }
}
