//! `mailhaul migrate`: copies mailboxes between two servers, without a service.

mod mailboxes;
mod own_permit;
mod parallel;
mod preview;
mod report;
mod run;
mod stop;
mod summary;
mod trace_file;

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, anyhow, bail};
use mailhaul_engine::{Filter, FolderMapping, FolderRules, PassOptions, Received, RemovalRules, RepairRules};
use mailhaul_imap::{Security, Timeouts};
use mailhaul_mail::{is_loopback_host, repair::Repairs};
use mailhaul_migration::{Rates, read_folder_map};
use mailhaul_store::Store;

use crate::{
    cli::args::{self, Migrate},
    context::unopened,
    data_directory::DataPlace,
    exit::Exit,
    output::ui::{Ui, Verbosity},
    server_url::ServerUrl,
};

use self::{mailboxes::Settings, report::ReportFile, run::MigrationRun, trace_file::TraceFile};

/// Migrates the mailboxes that the options name, or shows the plan.
pub(crate) async fn run(options: Migrate, place: &DataPlace) -> Result<Exit> {
    if let Some(server) = &place.server {
        bail!(
            "migrate keeps its ledger in a data directory, not in {server:?}; leave out --database (and unset MAILHAUL_DATABASE), \
             or make a batch for `mailhaul serve`"
        );
    }
    let data = place.directory.as_path();
    let verbosity = match (options.quiet, options.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    let ui = Ui::new(verbosity);
    ui.take_log();
    let settings = settings(&options)?;
    let address = |option: &str, text: &str| -> Result<ServerUrl> {
        text.parse().map_err(|error: String| anyhow!("{option}: {error}"))
    };
    let (from, to) = (address("--from", &options.from)?, address("--to", &options.to)?);
    let mailboxes = mailboxes::mailboxes(&options, &from, &to, &settings, &ui)?;
    let pass_options = pass_options(&options)?;
    warn_of_open_connections(&options, [&from, &to], &ui);
    let concurrency = usize::from(options.concurrency);
    let stop = stop::on_signal(&ui);
    if options.dry_run {
        let store = Store::open_read_only(data).await.map_err(unopened)?;
        let previews = preview::preview_all(mailboxes, store, &pass_options, concurrency, &ui).await;
        ui.finish();
        return preview::print(&previews, options.json);
    }
    // Created before the first message: a report that cannot be written must stop the run now.
    let report = match &options.report {
        Some(path) => Some(
            ReportFile::create(path)
                .with_context(|| format!("the report {} cannot be written", path.display()))?,
        ),
        None => None,
    };
    let store = Store::open(data).await.map_err(unopened)?;
    let run = MigrationRun::new(
        store.clone(),
        pass_options,
        concurrency,
        rates(&options),
        stop.clone(),
        ui.clone(),
    );
    let outcomes = run.run_all(mailboxes).await;
    store.close().await;
    ui.finish();
    let exit = summary::exit(&outcomes, stop.is_cancelled());
    if options.json {
        report::print_json(&outcomes, exit)?;
    } else if verbosity > Verbosity::Quiet {
        summary::print(&outcomes);
    }
    summary::print_failures(&outcomes, &ui);
    if let Some(report) = report {
        report.write(&outcomes).context("the report cannot be written")?;
    }
    Ok(exit)
}

/// Returns the settings of all connections, and creates the trace file if there is one.
fn settings(options: &Migrate) -> Result<Settings> {
    let trace = match &options.trace {
        Some(path) => Some(
            TraceFile::create(path)
                .with_context(|| format!("the trace file {} cannot be written", path.display()))?,
        ),
        None => None,
    };
    let timeout = Duration::from_secs(options.timeout.into());
    Ok(Settings {
        timeouts: Timeouts { read: timeout, write: timeout, ..Timeouts::default() },
        trace: trace.map(Arc::new),
    })
}

/// Warns if passwords and mail are readable on the network.
fn warn_of_open_connections(options: &Migrate, servers: [&ServerUrl; 2], ui: &Ui) {
    for url in servers {
        if url.security == Security::Clear && !is_loopback_host(&url.host) {
            ui.warn(&format!("warning: imap+plain: passwords and mail are sent to {} unencrypted", url.host));
        }
    }
    if options.accept_untrusted_certificates {
        ui.warn(
            "warning: --accept-untrusted-certificates: an attacker on the network can read passwords and mail",
        );
    }
}

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
        bail!("--map: the folder \"{twice}\" is given twice");
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
            args::Deletions::Keep => mailhaul_engine::DeletionPolicy::Keep,
            args::Deletions::Mirror => mailhaul_engine::DeletionPolicy::Mirror,
        },
        repairs: RepairRules {
            allowed: options.repair.iter().flat_map(Repairs::iter).collect(),
            option: "--repair",
            ..RepairRules::default()
        },
        arrivals: None,
    })
}

/// Reads the folder map from its CSV file.
fn folder_map(path: &Path) -> Result<Vec<FolderMapping>> {
    let rows = read_folder_map(&std::fs::read(path)?)?;
    rows.iter().map(|(from, to)| FolderMapping::parse(from, to).map_err(|words| anyhow!(words))).collect()
}
