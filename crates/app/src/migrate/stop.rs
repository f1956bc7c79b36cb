//! Ctrl-C: the first one finishes the current windows, the second one stops the process.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{exit::Exit, output::ui::Ui};

/// Returns a token that the first SIGINT or SIGTERM cancels. The second signal ends the process.
pub(crate) fn on_signal(ui: &Ui) -> CancellationToken {
    let stop = CancellationToken::new();
    let (token, ui) = (stop.clone(), ui.clone());
    let signals = signal(SignalKind::interrupt()).and_then(|int| Ok((int, signal(SignalKind::terminate())?)));
    let Ok((mut interrupt, mut terminate)) = signals else {
        // Without handlers a signal ends the process. The ledger survives that.
        return stop;
    };
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        ui.warn("stopping after the current messages; press Ctrl-C again to stop now");
        token.cancel();
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        ui.warn("stopped; run the same command again to continue");
        std::process::exit(Exit::Interrupted.into());
    });
    stop
}
