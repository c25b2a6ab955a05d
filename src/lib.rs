//! Potoroo: a document database for the browser that syncs with CouchDB.
