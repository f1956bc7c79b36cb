//! `Compare-Object`.

use super::{Evaluator, cmdlet::Run, interrupt::Flow};
use crate::{
    cmdlets::{Column, group_name},
    error::Fault,
    host::Host,
    value::{Object, Value},
};

/// Object with the text that it is compared by, and the values of its columns.
struct Compared {
    key: String,
    cells: Vec<Value>,
    value: Value,
}

impl<H: Host> Evaluator<'_, H> {
    pub(super) async fn compare_objects(&mut self, mut run: Run) -> Flow<()> {
        let at = run.at;
        let columns = run.bound.columns("Property")?;
        let side = |given: Option<(usize, Value)>, name: &str| match given {
            Some((_, value)) => Ok(value.into_stream()),
            None => Err(Fault::value(at, format!("Compare-Object needs -{name}"))),
        };
        let left = side(run.bound.value("ReferenceObject"), "ReferenceObject")?;
        let right = match run.bound.value("DifferenceObject") {
            None if !run.input.is_empty() => std::mem::take(&mut run.input),
            given => side(given, "DifferenceObject")?,
        };
        let mut left = self.compared(at, &columns, left).await?;
        let (mut equal, mut added) = (Vec::new(), Vec::new());
        for one in self.compared(at, &columns, right).await? {
            match left.iter().position(|other| other.key == one.key) {
                Some(place) => equal.push(left.remove(place)),
                None => added.push(one),
            }
        }
        let mut sides = Vec::new();
        if run.bound.has("IncludeEqual") || run.bound.has("ExcludeDifferent") {
            sides.push(("==", equal));
        }
        if !run.bound.has("ExcludeDifferent") {
            sides.extend([("=>", added), ("<=", left)]);
        }
        let passes = run.bound.has("PassThru");
        for (sign, found) in sides {
            for one in found {
                let shown = if passes { one.value } else { difference(&columns, one, sign) };
                self.emit(at, shown).await?;
            }
        }
        Ok(())
    }

    async fn compared(&mut self, at: usize, columns: &[Column], values: Vec<Value>) -> Flow<Vec<Compared>> {
        self.meter.step(at, values.len())?;
        let mut found = Vec::with_capacity(values.len());
        for value in values {
            let cells = self.keys(at, columns, &value).await?;
            // Texts are compared without regard to case, as by -eq.
            found.push(Compared { key: group_name(&cells).to_lowercase(), cells, value });
        }
        Ok(found)
    }
}

fn difference(columns: &[Column], one: Compared, sign: &str) -> Value {
    let mut object = Object::new();
    for (column, cell) in columns.iter().zip(one.cells) {
        let (Column::Pattern(name) | Column::Computed { name, .. } | Column::Renamed { name, .. }) = column;
        object.insert(name.clone(), cell);
    }
    if columns.is_empty() {
        object.insert("InputObject", one.value);
    }
    object.insert("SideIndicator", sign);
    object.into()
}
