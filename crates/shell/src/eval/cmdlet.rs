//! Runs the cmdlets of the language.

use super::Evaluator;
use crate::{
    cmdlets::{self, Bound, Cmdlet, Given, Kind},
    error::Fault,
    flow::{Done, Flow},
    host::Host,
    text, times,
    value::{Object, Value},
    wildcard::Wildcard,
};

impl<H: Host> Evaluator<'_, H> {
    /// Carries out a cmdlet of the language.
    pub(crate) async fn cmdlet(
        &mut self,
        cmdlet: Cmdlet,
        at: usize,
        given: Vec<Given<'_>>,
        input: Flow,
    ) -> Done<Flow> {
        if cmdlet.kind == Kind::WhereObject {
            return self.where_object(cmdlet, at, given, input).await;
        }
        let mut bound = Bound::of(cmdlet, given)?;
        match cmdlet.kind {
            Kind::WhereObject | Kind::OutNull => Ok(Flow::default()),
            Kind::ForEachObject => self.for_each_object(at, bound, input).await,
            Kind::FormatList => cmdlets::format_list(bound, input),
            Kind::FormatTable => cmdlets::format_table(bound, input, self.width),
            Kind::SelectObject => cmdlets::select_object(bound, input),
            Kind::SortObject => cmdlets::sort_object(at, bound, input),
            Kind::MeasureObject => cmdlets::measure_object(at, bound, &input),
            Kind::GroupObject => cmdlets::group_object(at, bound, input),
            Kind::ConvertToJson => Ok(cmdlets::to_json(&bound, &input)),
            Kind::ConvertToCsv => cmdlets::to_csv(at, input),
            Kind::ExportCsv => cmdlets::export_csv(at, bound, input, self.host),
            Kind::WriteOutput => Ok(match bound.value("InputObject")? {
                Some((_, value)) => Flow::of(value.into_stream()),
                None => input,
            }),
            Kind::WriteHost => {
                let values = match bound.value("Object")? {
                    Some((_, value)) => value.into_stream(),
                    None => input.values,
                };
                self.write_line(&text::interpolate(&Value::List(values)));
                Ok(Flow::default())
            }
            Kind::GetCommand => self.get_command(bound),
            Kind::GetDate => match bound.value("Date")? {
                None => Ok(Flow::of(vec![self.host.now().to_string().into()])),
                Some((at, value)) => {
                    let shown = text::show(&value);
                    let moment = times::moment(&shown).ok_or_else(|| {
                        Fault::value(at, format!("`{shown}` is no date of the form 2026-12-31T18:00:00Z"))
                    })?;
                    Ok(Flow::of(vec![moment.to_string().into()]))
                }
            },
        }
    }

    fn get_command(&self, mut bound: Bound<'_>) -> Done<Flow> {
        let patterns = bound.texts("Name")?;
        let patterns: Vec<Wildcard> = patterns.iter().map(|pattern| Wildcard::new(pattern, false)).collect();
        let mut names: Vec<String> = self.host.commands();
        names.extend(cmdlets::names().map(ToOwned::to_owned));
        names.sort_unstable_by_key(|name| name.to_lowercase());
        names.dedup_by_key(|name| name.to_lowercase());
        names.retain(|name| patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name)));
        let object =
            |name: String| Object::from_iter([("CommandType", "Cmdlet".to_owned()), ("Name", name)]).into();
        Ok(Flow::of(names.into_iter().map(object).collect()))
    }
}
