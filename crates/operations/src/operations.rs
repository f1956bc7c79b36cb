//! List of operations.

use std::{marker::PhantomData, sync::Arc};

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use crate::{
    caller::Caller,
    check,
    entry::{Entry, shown_settings},
    failure::{Failure, did_you_mean},
    operation::{Answer, Operation},
    parameter::IF_REVISION,
    steps::Steps,
};

/// Runs an operation, without its types.
type Run<C> = fn(Arc<C>, Caller, Value, Steps) -> BoxFuture<'static, Result<Answer<Value>, Failure>>;

/// All operations, in the order of the help.
pub struct Operations<C> {
    entries: Vec<Entry>,
    runs: Vec<Run<C>>,
    /// Describes other routes, for the document of the interface.
    pub(crate) routes: fn() -> Map<String, Value>,
    context: PhantomData<fn(&C)>,
}

impl<C: Send + Sync + 'static> Operations<C> {
    pub fn new() -> Self {
        Self { entries: Vec::new(), runs: Vec::new(), routes: Map::new, context: PhantomData }
    }

    /// Adds an operation.
    ///
    /// # Panics
    ///
    /// The request's type cannot be a command line, or another operation has the same name. Every test
    /// of the list finds such a mistake.
    #[must_use]
    pub fn with<O: Operation<C>>(mut self) -> Self {
        let entry = Entry::of::<C, O>().unwrap_or_else(|mistake| panic!("{mistake}"));
        for other in &self.entries {
            let (one, other_noun) = (entry.noun(), other.noun());
            assert!(entry.name() != other.name(), "{} is in the list twice", entry.name());
            assert!(
                one == other_noun || (one.word != other_noun.word && one.path != other_noun.path),
                "{} and {} share a word or a path",
                entry.name(),
                other.name()
            );
        }
        self.entries.push(entry);
        self.runs.push(run::<C, O>);
        self
    }

    /// Adds descriptions of routes that are no operations, by their paths, to the document of the interface. They are read
    /// when the document is asked for.
    #[must_use]
    pub fn with_routes(mut self, routes: fn() -> Map<String, Value>) -> Self {
        self.routes = routes;
        self
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Finds an operation by its cmdlet, in any case.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|it| it.name().eq_ignore_ascii_case(name))
    }

    /// Finds an operation; the failure suggests a similar name.
    pub fn find(&self, name: &str) -> Result<&Entry, Failure> {
        self.entry(name).ok_or_else(|| {
            let names = self.entries.iter().map(Entry::name);
            Failure::not_found(format_args!("there is no operation \"{name}\"")).advised(did_you_mean(
                name,
                names,
                str::to_owned,
            ))
        })
    }

    /// Runs the operation with this index.
    pub(crate) fn run(
        &self,
        index: usize,
        context: Arc<C>,
        caller: Caller,
        request: Value,
        steps: Steps,
    ) -> BoxFuture<'static, Result<Answer<Value>, Failure>> {
        let entry = &self.entries[index];
        let request = match check::checked(entry, request) {
            Ok(request) => request,
            Err(failure) => return Box::pin(std::future::ready(Err(failure))),
        };
        if request.get(IF_REVISION).is_none() {
            return self.runs[index](context, caller, request, steps);
        }
        let given = shown_settings(entry, &request);
        let running = self.runs[index](context, caller, request, steps);
        Box::pin(async move { running.await.map_err(|failure| failure.with_given(&given)) })
    }
}

impl<C: Send + Sync + 'static> Default for Operations<C> {
    fn default() -> Self {
        Self::new()
    }
}

fn run<C: Send + Sync + 'static, O: Operation<C>>(
    context: Arc<C>,
    caller: Caller,
    request: Value,
    steps: Steps,
) -> BoxFuture<'static, Result<Answer<Value>, Failure>> {
    Box::pin(async move {
        let request = serde_path_to_error::deserialize::<_, O::Request>(request).map_err(|error| {
            let (place, reason) = (error.path().to_string(), error.into_inner());
            match place.as_str() {
                "." => Failure::invalid(reason),
                _ => Failure::invalid(format_args!("{place}: {reason}"))
                    .at(place.split(['.', '[']).next().unwrap_or_default()),
            }
        })?;
        let answer = O::run_in_steps(&context, &caller, request, &steps).await?;
        let value = answer.value.iter().map(serde_json::to_value).collect::<Result<_, _>>();
        let value =
            value.map_err(|error| Failure::internal(format_args!("an answer cannot be written: {error}")))?;
        Ok(Answer { value, next: answer.next, total: answer.total, many: answer.many })
    })
}
