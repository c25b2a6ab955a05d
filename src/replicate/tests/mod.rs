//! Replication tried: against PouchDB's own ids and checkpoints, the machine alone in every order of events, and the
//! whole between two servers and databases with faults at every request.

mod ahead;
mod attachments;
mod convergence;
mod feed;
mod hostile;
mod local;
mod observed;
mod pouchdb;
mod refusals;
mod renewal;
mod scripted;
mod set_aside;
mod simulation;
mod status;
mod straight;
mod world;
