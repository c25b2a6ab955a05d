//! Tests of edits: random programs against a naive model, and the check that finds what a database must never be.

mod consistency;
mod model;
mod programs;

pub(crate) use consistency::{check_consistency, check_engine};
