//! Ways in which a statement ends early.

use std::{future::Future, pin::Pin};

use crate::error::Fault;

/// Result of code that a script may leave early.
pub(crate) type Flow<T> = Result<T, Interrupt>;

/// Future on the heap, because statements and expressions are nested.
pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = Flow<T>> + 'a>>;

#[derive(Debug)]
pub(crate) enum Interrupt {
    Fault(Box<Fault>),
    /// With the label of the loop, if there is one.
    Break(Option<String>),
    Continue(Option<String>),
    /// The value is already emitted.
    Return,
    Exit(i64),
}

impl From<Fault> for Interrupt {
    fn from(fault: Fault) -> Self {
        Self::Fault(Box::new(fault))
    }
}
