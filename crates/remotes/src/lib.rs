//! Joins mail servers to the engine: implementations of Source and Target.
