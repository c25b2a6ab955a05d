//! The revision tree of a document: merge, stem, winner, leaves. Pure.
