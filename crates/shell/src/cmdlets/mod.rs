//! The cmdlets of the language itself: they choose, sort, count and show what others return.

mod bind;
mod convert;
mod filter;
mod select;
mod show;
mod sort;
mod table;

pub(crate) use bind::{Given, Item};
pub(crate) use table::{Cmdlet, DELEGATED, Kind, find, names};

use bind::Bound;

use crate::{
    error::Fault,
    eval::{Done, Evaluator, Flow},
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
            Kind::FormatList => show::format_list(bound, input),
            Kind::FormatTable => show::format_table(bound, input, self.width),
            Kind::SelectObject => select::select_object(bound, input),
            Kind::SortObject => sort::sort_object(at, bound, input),
            Kind::MeasureObject => sort::measure_object(at, bound, &input),
            Kind::GroupObject => sort::group_object(at, bound, input),
            Kind::ConvertToJson => Ok(convert::to_json(&bound, &input)),
            Kind::ConvertToCsv => convert::to_csv(at, input),
            Kind::ExportCsv => convert::export_csv(at, bound, input, self.host),
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
        names.extend(table::names().map(ToOwned::to_owned));
        names.sort_unstable_by_key(|name| name.to_lowercase());
        names.dedup_by_key(|name| name.to_lowercase());
        names.retain(|name| patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name)));
        let object =
            |name: String| Object::from_iter([("CommandType", "Cmdlet".to_owned()), ("Name", name)]).into();
        Ok(Flow::of(names.into_iter().map(object).collect()))
    }
}
