//! Writes the log of the service to stderr in a thread of its own: a full disk or a pipe that is not read neither ends nor
//! blocks the service.

use std::{
    io::{self, Write},
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
    time::Duration,
};

use crate::output::text::shown;

/// Lines that wait for stderr; further ones are lost.
const QUEUE: usize = 1024;

enum Job {
    Line(Vec<u8>),
    /// All lines before it are written.
    Flush(SyncSender<()>),
}

/// Takes lines without waiting. Clones share the thread.
#[derive(Clone)]
pub(crate) struct LogWriter(SyncSender<Job>);

impl LogWriter {
    /// To stderr.
    pub(crate) fn stderr() -> io::Result<Self> {
        Self::to(io::stderr())
    }

    fn to(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (sender, jobs) = mpsc::sync_channel(QUEUE);
        thread::Builder::new().name("log".to_owned()).spawn(move || write_all(&jobs, out))?;
        Ok(Self(sender))
    }

    /// Writes one line.
    pub(crate) fn line(&self, text: impl std::fmt::Display) {
        self.send(&text.to_string());
    }

    /// Without what a terminal would obey: servers' words may be in it.
    fn send(&self, text: &str) {
        let line = format!("{}\n", shown(text.trim_end())).into_bytes();
        // A line is lost where the queue is full: to wait for a reader would stop the service.
        _ = self.0.try_send(Job::Line(line));
    }

    /// Waits until all lines are written, at most so long.
    pub(crate) fn flush_within(&self, patience: Duration) {
        let (done, written) = mpsc::sync_channel(1);
        if self.0.try_send(Job::Flush(done)).is_ok() {
            // Where stderr takes no more, the rest is lost.
            _ = written.recv_timeout(patience);
        }
    }
}

impl Write for LogWriter {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.send(&String::from_utf8_lossy(octets));
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(jobs: &Receiver<Job>, mut out: impl Write) {
    for job in jobs {
        match job {
            // What cannot be written is lost; a later line may find room again.
            Job::Line(line) => _ = out.write_all(&line),
            Job::Flush(done) => _ = done.try_send(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Stands still at each write until it may go on.
    struct Blocked(Receiver<()>);

    impl Write for Blocked {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            _ = self.0.recv();
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Has no room for the first line.
    #[derive(Clone, Default)]
    struct FullAtFirst(Arc<Mutex<(bool, Vec<u8>)>>);

    impl Write for FullAtFirst {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            let mut disk = self.0.lock().unwrap();
            if !std::mem::replace(&mut disk.0, true) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            disk.1.extend(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_pipe_that_is_not_read_blocks_nothing() {
        let (go_on, may_go_on) = mpsc::channel();
        let log = LogWriter::to(Blocked(may_go_on)).unwrap();
        (0..10 * QUEUE).for_each(|number| log.line(number));
        drop(go_on);
    }

    #[test]
    fn a_full_disk_loses_lines_and_the_next_ones_are_written() {
        let disk = FullAtFirst::default();
        let log = LogWriter::to(disk.clone()).unwrap();
        for line in ["first", "second"] {
            log.line(line);
        }
        let (done, written) = mpsc::sync_channel(1);
        log.0.send(Job::Flush(done)).unwrap();
        written.recv().unwrap();
        assert_eq!(disk.0.lock().unwrap().1, b"second\n");
    }
}
