//! Runs programs, and measures their time and memory.

use std::{
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use anyhow::{Context as _, Result, anyhow, bail};
use serde::{Deserialize, Serialize};
use wait4::Wait4 as _;

/// The measurements of one run, for all its processes together.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Seconds. If several run at once, those of the slowest.
    pub(crate) wall: f64,
    /// Seconds of processor time of the client, user and system.
    pub(crate) cpu: f64,
    /// Peak resident memory of the client in MB (2^20).
    pub(crate) rss: f64,
}

/// The result of one program.
#[derive(Serialize, Deserialize)]
struct ProcessResult {
    sample: Sample,
    is_success: bool,
    status: String,
    out: String,
    err: String,
}

/// Runs the programs at once, and returns the output of the first one. A failure is an error with its output.
///
/// Each runs below a small process of its own, [`launch`]: Linux counts the memory of a parent into the peak
/// of its child.
pub(crate) fn run(commands: &[Command]) -> Result<(Sample, String)> {
    let running: Vec<_> = commands
        .iter()
        .map(|command| {
            let mut launcher = Command::new("/proc/self/exe");
            launcher.arg("launch").arg(command.get_program()).args(command.get_args());
            thread::spawn(move || anyhow::Ok(launcher.output()?))
        })
        .collect();
    let mut all = Sample::default();
    let mut printed = None;
    for one in running {
        let output = one.join().map_err(|_| anyhow!("a measuring thread panicked"))??;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr));
        }
        let ended: ProcessResult = serde_json::from_slice(&output.stdout)?;
        if !ended.is_success {
            bail!("{}\n{}{}", ended.status, ended.out, ended.err);
        }
        all.wall = all.wall.max(ended.sample.wall);
        all.cpu += ended.sample.cpu;
        all.rss += ended.sample.rss;
        printed.get_or_insert(ended.out);
    }
    Ok((all, printed.unwrap_or_default()))
}

/// Runs one program, and returns its measurements and output as JSON.
pub(crate) fn launch(program: &[String]) -> Result<String> {
    let [program, arguments @ ..] = program else { bail!("nothing to launch") };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("MAILHAUL_RESOLVERS", "none")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let begun = Instant::now();
    let mut child = command.spawn().with_context(|| program.clone())?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let output =
        thread::spawn(move || err.and_then(|it| std::io::read_to_string(it).ok()).unwrap_or_default());
    let out = out.and_then(|it| std::io::read_to_string(it).ok()).unwrap_or_default();
    let ended = child.wait4()?;
    let wall = begun.elapsed().as_secs_f64();
    let cpu = (ended.rusage.utime + ended.rusage.stime).as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "memory of one machine")]
    let rss = ended.rusage.maxrss as f64 / f64::from(1 << 20);
    let ended = ProcessResult {
        sample: Sample { wall, cpu, rss },
        is_success: ended.status.success(),
        status: format!("{program}: {}", ended.status),
        out,
        err: output.join().unwrap_or_default(),
    };
    Ok(serde_json::to_string(&ended)?)
}
