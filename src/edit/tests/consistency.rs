use crate::edit::ContentsCheck;
use crate::engine::{Engine, Snapshot, Step};

/// Panics unless everything in a database fits together.
pub(crate) fn check_consistency(snapshot: &Snapshot) {
    let mut check = ContentsCheck::default();
    while check.step(snapshot).unwrap() == Step::Further {}
    assert!(!snapshot.lacks_blocks());
    assert_eq!(check.into_parts().1, []);
}

/// [`check_consistency`] of what an engine has, and a look at its records.
pub(crate) async fn check_engine(engine: &Engine) {
    let check = engine.read_in_steps(ContentsCheck::default, ContentsCheck::step).await.unwrap();
    assert_eq!(check.into_parts().1, []);
    let mut problems = Vec::new();
    engine.check_records(&mut problems).await.unwrap();
    assert_eq!(problems, []);
}
