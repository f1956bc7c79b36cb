//! The results as Markdown.

use std::fmt::Write as _;

use anyhow::Result;

use crate::{
    results::{Results, Spread, ToolRow, Workload},
    tool::Tool,
};

const FLOORS: [Tool; 2] = [Tool::FloorM1, Tool::FloorM50];

const HEAD: &str = "# Benchmarks

Written by `make bench-report` out of the results of `make bench`; do not edit it. Client and servers share one machine, and
the tools take turns in every round, because the machine's own speed changes: trust ratios more than seconds. Ratios are
made within each round. Figures are medians, with the least and the greatest.

* **floor**: raw, pipelined APPEND from memory into the target, one message (m1) or 50 (m50) in each command, and raw FETCH
  from the source at the same time: what the servers can do at most. It remembers and checks nothing, and its folders are
  made before its clock starts.
* **doveadm backup** reads from the source and writes files by itself, without a target server: another, easier work.
* mbsync runs with `FSync no`, and writes a header field `X-TUID` into every message, so that no size stays as it was; mailhaul's ledger is durable (`synchronous=FULL`) in every figure.
* **lost**: what the target lacks afterwards, compared message by message as both servers describe them (flags, keywords,
  INTERNALDATE, RFC822.SIZE). The floor is not compared: every answer to it was OK.
* CPU and RSS are the client's own, all its processes together. The floor's RSS is the corpus that it holds in memory.

";

/// The whole page.
pub(crate) fn markdown(results: &Results) -> Result<String> {
    let mut page = HEAD.to_owned();
    writeln!(page, "## The machine\n")?;
    for line in &results.machine {
        writeln!(page, "* {line}")?;
    }
    for work in &results.works {
        let megabytes = megabytes(work.octets);
        write!(page, "\n## {}\n\n{} messages, {megabytes:.0} MB", work.name, work.messages)?;
        if work.mailboxes > 1 {
            write!(page, ", {} mailboxes", work.mailboxes)?;
        }
        writeln!(page, ".\n")?;
        page.push_str("| tool | wall s | messages/s | MB/s | CPU s | RSS MB | x floor | x mbsync | lost |\n");
        page.push_str("|---|---|---|---|---|---|---|---|---|\n");
        for row in &work.rows {
            line(&mut page, work, row)?;
        }
    }
    Ok(page)
}

fn line(page: &mut String, work: &Workload, row: &ToolRow) -> Result<()> {
    let Some(wall) = row.spread(|it| it.wall) else { return Ok(()) };
    // For a workload with few changes, a rate would have no meaning.
    let is_rate = work.name.matches(',').count() < 2 && !work.name.ends_with("changed");
    let rate = |amount: f64| if is_rate { format!("{:.0}", amount / wall.median) } else { "-".to_owned() };
    let ratio = |others: &[Tool]| {
        if others.contains(&row.tool) {
            return "-".to_owned();
        }
        work.ratio(row.tool, others).map_or_else(|| "-".to_owned(), |it| spread(it, 2))
    };
    let measure = |it: Option<Spread>, digits| it.map_or_else(|| "-".to_owned(), |it| spread(it, digits));
    #[allow(clippy::cast_precision_loss, reason = "numbers of messages")]
    let messages = work.messages as f64;
    writeln!(
        page,
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
        row.tool.name(),
        spread(wall, 2),
        rate(messages),
        rate(megabytes(work.octets)),
        measure(row.spread(|it| it.cpu), 2),
        measure(row.spread(|it| it.rss), 0),
        ratio(&FLOORS),
        ratio(&[Tool::Mbsync]),
        if row.tool.is_floor() { "-".to_owned() } else { row.kept.lost().join(", ") },
    )?;
    Ok(())
}

fn spread(it: Spread, digits: usize) -> String {
    if (it.most - it.least).abs() < f64::EPSILON {
        return format!("{:.digits$}", it.median);
    }
    format!("{:.digits$} ({:.digits$}-{:.digits$})", it.median, it.least, it.most)
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
fn megabytes(octets: u64) -> f64 {
    octets as f64 / 1e6
}

/// The changes from one run to another: mailhaul's ratios, which hardly depend on the machine's load.
pub(crate) fn compared(old: &Results, new: &Results) -> Result<String> {
    let mut page = String::new();
    writeln!(
        page,
        "{:<44} {:>20} {:>20} {:>20} {:>20}",
        "mailhaul", "x floor", "x mbsync", "CPU s", "RSS MB"
    )?;
    for work in &new.works {
        let Some(before) = old.works.iter().find(|it| it.name == work.name) else { continue };
        let change = |of: &dyn Fn(&Workload) -> Option<Spread>| match (of(before), of(work)) {
            (Some(before), Some(now)) => {
                // More than all earlier values, by a tenth: not explained by the machine's load.
                let is_worse = now.median > before.most * 1.1;
                format!("{:.2} -> {:.2}{}", before.median, now.median, if is_worse { " !" } else { "" })
            }
            _ => "-".to_owned(),
        };
        let own = |work: &Workload, measure: fn(&crate::process::Sample) -> f64| {
            work.rows.iter().find(|it| it.tool == Tool::Mailhaul)?.spread(measure)
        };
        writeln!(
            page,
            "{:<44} {:>20} {:>20} {:>20} {:>20}",
            work.name,
            change(&|it| it.ratio(Tool::Mailhaul, &FLOORS)),
            change(&|it| it.ratio(Tool::Mailhaul, &[Tool::Mbsync])),
            change(&|it| own(it, |sample| sample.cpu)),
            change(&|it| own(it, |sample| sample.rss)),
        )?;
    }
    page.push_str("! marks what is worse by more than a tenth than everything that was measured before.\n");
    Ok(page)
}
