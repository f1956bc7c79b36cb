//! Ctrl-C: once to finish what is under way, twice to stop at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{exit::Exit, output::ui::Ui};

/// Cancelled by the first SIGINT or SIGTERM; the second ends the process.
pub(crate) fn on_signal(ui: &Ui) -> CancellationToken {
    let stop = CancellationToken::new();
    let (token, ui) = (stop.clone(), ui.clone());
    let signals = signal(SignalKind::interrupt()).and_then(|int| Ok((int, signal(SignalKind::terminate())?)));
    let Ok((mut interrupt, mut terminate)) = signals else {
        // Then the signal ends the process, as it does by default; the ledger is made for that.
        return stop;
    };
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        ui.warn("stopping: what is under way is finished first; press Ctrl-C again to stop at once");
        token.cancel();
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        ui.warn("stopped at once; the same command goes on where it stopped");
        std::process::exit(Exit::Interrupted.into());
    });
    stop
}
