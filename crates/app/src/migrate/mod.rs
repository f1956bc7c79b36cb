//! `mailhaul migrate`: from the options to the exit code.

mod at_once;
mod mailboxes;
mod preview;
mod report;
mod run;
mod stop;
mod summary;
mod trace_file;

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, anyhow, bail};
use mailhaul_engine::{Filter, FolderMapping, FolderRules, PassOptions, Received, RemovalRules, RepairRules};
use mailhaul_imap::{Security, Timeouts, Trace};
use mailhaul_mail::repair::Repairs;
use mailhaul_migration::{Rates, read_folder_map};
use mailhaul_store::Store;

use crate::{
    cli::args::{self, Migrate},
    context::unopened,
    exit::Exit,
    output::ui::{Talk, Ui},
    server_url::ServerUrl,
};

use self::{mailboxes::Settings, report::ReportFile, trace_file::TraceFile};

/// Does what the options say.
pub(crate) async fn run(options: Migrate, data: &Path) -> Result<Exit> {
    let talk = match (options.quiet, options.verbose) {
        (true, _) => Talk::Quiet,
        (_, true) => Talk::Verbose,
        _ => Talk::Normal,
    };
    let ui = Ui::new(talk);
    ui.take_log();
    let trace = match &options.trace {
        Some(path) => Some(
            TraceFile::create(path)
                .with_context(|| format!("the trace file {} cannot be written", path.display()))?,
        ),
        None => None,
    };
    let settings = Settings {
        timeouts: Timeouts {
            read: Duration::from_secs(options.timeout.into()),
            write: Duration::from_secs(options.timeout.into()),
            ..Timeouts::default()
        },
        trace: trace.map(Arc::new),
    };
    let address = |option: &str, text: &str| -> Result<ServerUrl> {
        text.parse().map_err(|error: String| anyhow!("{option}: {error}"))
    };
    let (from, to) = (address("--from", &options.from)?, address("--to", &options.to)?);
    let mailboxes = mailboxes::mailboxes(&options, &from, &to, &settings, &ui)?;
    let pass_options = pass_options(&options)?;
    for url in [&from, &to] {
        if url.security == Security::Clear && !is_loopback(&url.host) {
            ui.warn(&format!(
                "warning: imap+plain: passwords and mail travel to {} readable for everybody",
                url.host
            ));
        }
    }
    if options.accept_untrusted_certificates {
        ui.warn("warning: --accept-untrusted-certificates: whoever stands between reads passwords and mail");
    }
    let concurrency = usize::from(options.concurrency);
    let stop = stop::on_signal(&ui);
    if options.dry_run {
        let store = Store::open_read_only(data).await.map_err(unopened)?;
        let previews = preview::preview_all(mailboxes, store, &pass_options, concurrency, &ui).await;
        ui.finish();
        return preview::print(&previews, options.json);
    }
    // Before the first message: a report that cannot be written is worth nothing afterwards.
    let report = match &options.report {
        Some(path) => Some(
            ReportFile::create(path)
                .with_context(|| format!("the report {} cannot be written", path.display()))?,
        ),
        None => None,
    };
    let store = Store::open(data).await.map_err(unopened)?;
    let outcomes =
        run::run_all(mailboxes, &store, &pass_options, concurrency, rates(&options), &stop, &ui).await;
    store.close().await;
    ui.finish();
    let exit = summary::exit(&outcomes, stop.is_cancelled());
    if options.json {
        report::print_json(&outcomes, exit)?;
    } else if talk > Talk::Quiet {
        summary::print(&outcomes);
    }
    summary::print_failures(&outcomes, &ui);
    if let Some(report) = report {
        report.write(&outcomes).context("the report cannot be written")?;
    }
    Ok(exit)
}

/// What the operator limits.
fn rates(options: &Migrate) -> Rates {
    let (messages_per_second, bytes_per_second) = (options.messages_per_second, options.bytes_per_second);
    Rates { messages_per_second, bytes_per_second, ..Rates::default() }
}

fn pass_options(options: &Migrate) -> Result<PassOptions> {
    let mut map = match &options.folder_map {
        Some(path) => folder_map(path).with_context(|| format!("--folder-map: {}", path.display()))?,
        None => Vec::new(),
    };
    map.extend(options.map.iter().cloned());
    if let Some(twice) = FolderMapping::repeated(&map) {
        bail!("--map: the folder \"{twice}\" is there twice");
    }
    Ok(PassOptions {
        folders: FolderRules {
            include: options.include_folder.clone(),
            exclude: options.exclude_folder.clone(),
            map,
        },
        filter: Filter {
            received: Received::between(
                options.since.unwrap_or(i64::MIN),
                options.before.unwrap_or(i64::MAX),
            ),
            max_size: options.max_size,
            max_items: options.max_items,
        },
        order: match options.order {
            args::Order::Oldest => mailhaul_engine::Order::Oldest,
            args::Order::Newest => mailhaul_engine::Order::Newest,
        },
        removals: RemovalRules {
            percent: options.max_deletions,
            messages: options.max_deletion_count,
            is_confirmed: options.confirm_deletions,
        },
        deletions: match options.deletions {
            args::Deletions::Keep => mailhaul_engine::Deletions::Keep,
            args::Deletions::Mirror => mailhaul_engine::Deletions::Mirror,
        },
        repairs: RepairRules {
            allowed: options.repair.iter().flat_map(Repairs::iter).collect(),
            option: "--repair",
            ..RepairRules::default()
        },
    })
}

/// What the file says of folders.
fn folder_map(path: &Path) -> Result<Vec<FolderMapping>> {
    let rows = read_folder_map(&std::fs::read(path)?)?;
    rows.iter().map(|(from, to)| FolderMapping::parse(from, to).map_err(|words| anyhow!(words))).collect()
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    bare == "localhost" || bare.parse().is_ok_and(|it: std::net::IpAddr| it.is_loopback())
}

/// A trace of one connection, where one is asked for.
fn trace_of(settings: &Settings, label: String) -> Option<Arc<dyn Trace>> {
    let file = settings.trace.clone()?;
    Some(Arc::new(trace_file::Labelled { file, label }))
}
