//! Redirections of output and errors to files.

use super::{
    Evaluator,
    common::Common,
    errors::Route,
    interrupt::Flow,
    stage::{StageState, Work},
};
use crate::{
    ast::{Expression, ExpressionKind, Redirection, Stream},
    error::Fault,
    host::Host,
    paths, text,
    value::Value,
};

impl<H: Host> Evaluator<'_, H> {
    /// Prepares redirections. Returns the stages that take the output.
    pub(super) async fn redirect(&mut self, redirections: &[Redirection]) -> Flow<Vec<StageState>> {
        let mut stages = Vec::new();
        for redirection in redirections {
            let Redirection { at, stream, appends, target } = redirection;
            let path = match target {
                None => {
                    if *stream == Stream::Errors || *stream == Stream::All {
                        self.errors.routes.push(Route::Output);
                    }
                    continue;
                }
                Some(Expression { kind: ExpressionKind::Literal(Value::Null), .. }) => None,
                Some(target) => Some(text::interpolate(&self.expression(target).await?)),
            };
            let to_errors = matches!(stream, Stream::Errors | Stream::All);
            if to_errors {
                let route = match &path {
                    None => Route::Nothing,
                    Some(_) if *stream == Stream::All => Route::Output,
                    Some(path) => {
                        let path = file(*at, path)?;
                        if !appends {
                            self.write_file(*at, &path, b"", false)?;
                        }
                        Route::File(path)
                    }
                };
                self.errors.routes.push(route);
            }
            if matches!(stream, Stream::Output | Stream::All) {
                let work = match path {
                    None => Work::Discard,
                    Some(path) => {
                        let path = file(*at, &path)?;
                        Work::File { path, appends: *appends, stream: *stream, values: Vec::new(), size: 0 }
                    }
                };
                let depth = self.scopes.depth();
                stages.push(StageState { at: *at, common: Common::default(), depth, is_first: false, work });
            }
        }
        Ok(stages)
    }

    pub(super) fn read_text(&mut self, at: usize, path: &str) -> Result<String, Fault> {
        let path = file(at, path)?;
        let content = self
            .host
            .read_file(&path)
            .map_err(|error| Fault::value(at, format!("the file {path} cannot be read: {error}")))?;
        // Files do not end a loop that never ends, as commands and waits do.
        self.meter.charge(at, content.len())?;
        text::decode(&content)
            .ok_or_else(|| Fault::value(at, format!("the file {path} is not UTF-8 text; save it as UTF-8")))
    }

    pub(super) fn write_file(
        &mut self,
        at: usize,
        path: &str,
        content: &[u8],
        appends: bool,
    ) -> Result<(), Fault> {
        self.meter.write(at, content.len())?;
        let written =
            if appends { self.host.append_file(path, content) } else { self.host.write_file(path, content) };
        written.map_err(|error| Fault::value(at, format!("the file {path} cannot be written: {error}")))
    }
}

/// Returns a path as this machine writes it: with `/`, and without a drive.
pub(super) fn file(at: usize, path: &str) -> Result<String, Fault> {
    paths::local(path).map_err(|message| Fault::value(at, message))
}
