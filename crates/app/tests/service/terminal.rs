//! The prompt in a pseudo-terminal, used as a person or a pasting terminal does.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::fd::OwnedFd,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use nix::pty::{Winsize, openpty};

use crate::support::{Service, until};

pub(crate) const CTRL_C: &str = "\x03";
pub(crate) const CTRL_U: &str = "\x15";
pub(crate) const UP: &str = "\x1b[A";

/// `mailhaul shell` in a terminal of its own.
pub(crate) struct Terminal {
    process: Child,
    keyboard: File,
    screen: Arc<Mutex<Vec<u8>>>,
    /// Length of what was on the screen when keys were last pressed.
    seen: usize,
}

impl Terminal {
    /// Starts the prompt, and waits for it.
    pub(crate) fn start(service: &Service, options: &[&str], variables: &[(&str, &str)]) -> Self {
        let size = Winsize { ws_row: 40, ws_col: 160, ws_xpixel: 0, ws_ypixel: 0 };
        let pair = openpty(&size, None).unwrap();
        let stream = || Stdio::from(pair.slave.try_clone().unwrap());
        // Ctrl-C becomes a signal only in a controlling terminal, which setsid makes.
        let prepared = service.command(&[&["shell"], options].concat());
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(prepared.get_program()).args(prepared.get_args());
        for (name, value) in prepared.get_envs() {
            command.env(name, value.unwrap());
        }
        command.env("TERM", "xterm").env("XDG_STATE_HOME", service.directory.path().join("state"));
        command.envs(variables.iter().copied());
        let process = command.stdin(stream()).stdout(stream()).stderr(stream()).spawn().unwrap();
        let keyboard = File::from(pair.master);
        let terminal = Self { process, screen: listen(&keyboard), keyboard, seen: 0 };
        terminal.wait_for("mailhaul> ");
        terminal
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.seen = self.screen.lock().unwrap().len();
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Types a line, and waits for its output.
    #[track_caller]
    pub(crate) fn run(&mut self, line: &str, output: &str) {
        self.press(&format!("{line}\r"));
        self.wait_for(output);
    }

    /// Waits until this is on the screen, since keys were last pressed. Returns all since then.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let shown = || {
            let screen = self.screen.lock().unwrap();
            String::from_utf8_lossy(&screen[self.seen..]).into_owned()
        };
        let found = std::panic::catch_unwind(|| until(|| shown().contains(text).then(shown)));
        found.unwrap_or_else(|_| panic!("`{text}` did not come:\n{}", shown()))
    }

    /// Presses keys that end the prompt. Returns its exit code, and all on the screen.
    pub(crate) fn end(mut self, keys: &str) -> (Option<i32>, String) {
        self.press(keys);
        let code = until(|| self.process.try_wait().unwrap()).code();
        let screen = self.screen.lock().unwrap();
        (code, String::from_utf8_lossy(&screen).into_owned())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // After an end of its own, there is nothing left to end.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// Collects what appears on the screen.
fn listen(master: &File) -> Arc<Mutex<Vec<u8>>> {
    let screen = Arc::new(Mutex::new(Vec::new()));
    let mut reader = File::from(OwnedFd::from(master.try_clone().unwrap()));
    let shared = screen.clone();
    std::thread::spawn(move || {
        let mut octets = [0; 4096];
        // The end of the program is an error here.
        while let Ok(count @ 1..) = reader.read(&mut octets) {
            shared.lock().unwrap().extend_from_slice(&octets[..count]);
        }
    });
    screen
}
