//! Log of the service, written to stderr by a separate thread.
//!
//! A full disk or an unread pipe neither ends nor blocks the service.

use std::{
    io::{self, Write},
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
    time::Duration,
};

use crate::output::text::shown;

/// Lines that may wait for stderr. Further lines are lost.
const QUEUE_LENGTH: usize = 1024;

enum Job {
    Line(Vec<u8>),
    /// Answered after all earlier lines are written.
    Flush(SyncSender<()>),
}

/// Accepts lines without waiting. Clones share the thread.
#[derive(Clone)]
pub(crate) struct LogWriter(SyncSender<Job>);

impl LogWriter {
    pub(crate) fn stderr() -> io::Result<Self> {
        Self::to(io::stderr())
    }

    fn to(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (sender, jobs) = mpsc::sync_channel(QUEUE_LENGTH);
        thread::Builder::new().name("log".to_owned()).spawn(move || write_all(&jobs, out))?;
        Ok(Self(sender))
    }

    pub(crate) fn line(&self, text: impl std::fmt::Display) {
        self.send(&text.to_string());
    }

    /// Sends the line without control characters: it may contain a server's text.
    fn send(&self, text: &str) {
        let line = format!("{}\n", shown(text.trim_end())).into_bytes();
        // If the queue is full, the line is lost. Waiting for a reader would stop the service.
        _ = self.0.try_send(Job::Line(line));
    }

    /// Waits until all lines are written, at most for the timeout.
    pub(crate) fn flush_within(&self, timeout: Duration) {
        let (done, written) = mpsc::sync_channel(1);
        if self.0.try_send(Job::Flush(done)).is_ok() {
            // If stderr blocks, the rest is lost.
            _ = written.recv_timeout(timeout);
        }
    }
}

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(jobs: &Receiver<Job>, mut out: impl Write) {
    for job in jobs {
        match job {
            // The line is lost if the write fails. A later write may succeed.
            Job::Line(line) => _ = out.write_all(&line),
            Job::Flush(done) => _ = done.try_send(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Blocks at each write until it may continue.
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

    /// Fails the first write, as a full disk does.
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
        let (proceed, may_proceed) = mpsc::channel();
        let log = LogWriter::to(Blocked(may_proceed)).unwrap();
        (0..10 * QUEUE_LENGTH).for_each(|number| log.line(number));
        drop(proceed);
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
