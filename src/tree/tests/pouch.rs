//! PouchDB's form.

use super::*;

proptest! {
    #[test]
    fn a_tree_reads_back_from_pouchdbs_form(told in telling(), limit in limits()) {
        let tree = merge_all(&told, limit);
        let json = tree.to_pouch_json();
        prop_assert_eq!(&RevTree::from_pouch_json(&json).unwrap().nodes, &tree.nodes);
        // Nothing here is as deep as serde_json's limit, so that it can say what is well formed.
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&RevTree::from_pouch_json(&format!("{value:#}")).unwrap().nodes, &tree.nodes);
    }

    #[test]
    fn text_that_is_no_tree_is_refused(text in r#"[\[\]{},:"a-c1 ]{0,60}"#, told in telling(), cut in any::<prop::sample::Index>()) {
        prop_assert!(text.trim() == "[]" || RevTree::from_pouch_json(&text).is_err());
        let json = merge_all(&told, NO_LIMIT).to_pouch_json();
        let ends: Vec<usize> = json.char_indices().map(|(end, _)| end).collect();
        prop_assert!(RevTree::from_pouch_json(&json[..*cut.get(&ends)]).is_err());
    }
}

#[test]
fn the_form_is_pouchdbs() {
    let mut forked = tree(&["3-c 2-b 1-a", "1-a", "5-\"é"]);
    forked.merge(&path("2-x 1-a"), true, NO_LIMIT);
    let json = concat!(
        r#"[{"pos":1,"ids":["a",{"status":"available"},["#,
        r#"["b",{"status":"missing"},[["c",{"status":"available"},[]]]],"#,
        r#"["x",{"status":"available","deleted":true},[]]]]},"#,
        r#"{"pos":5,"ids":["\"é",{"status":"available"},[]]}]"#
    );
    assert_eq!(forked.to_pouch_json(), json);
    assert_eq!(RevTree::from_pouch_json(json).unwrap().nodes, forked.nodes);
    assert_eq!(RevTree::default().to_pouch_json(), "[]");
    assert_eq!(RevTree::from_pouch_json(" [ ] "), Ok(RevTree::default()));
}

#[test]
fn a_revision_that_pouchdb_holds_twice_is_united() {
    let longer = r#"{"pos":2,"ids":["b",{"status":"missing"},[["c",{"status":"missing"},[["d",{"status":"available"},[]]]]]]}"#;
    let shorter = r#"{"pos":3,"ids":["c",{"status":"available"},[["e",{"status":"available"},[]]]]}"#;
    let expected = tree(&["4-d 3-c 2-b", "3-c", "4-e 3-c"]);
    for json in [format!("[{longer},{shorter}]"), format!("[{shorter},{longer}]")] {
        let united = RevTree::from_pouch_json(&json).unwrap();
        assert_eq!(united, expected);
        arranged(&united).unwrap();
    }
}

#[test]
fn a_refusal_says_where() {
    for (json, said) in [
        ("", "no [ at byte 0"),
        ("[{\"ids\":1}]", "not the member pos at byte 7"),
        ("[{\"pos\":-1,\"ids\":[]}]", "expected u64"),
        ("[] x", "more text at byte 3"),
        (r#"[{"pos":18446744073709551615,"ids":["a",{},[["b",{},[]]]]}]"#, "too many generations"),
    ] {
        let error = RevTree::from_pouch_json(json).unwrap_err().to_string();
        assert!(error.contains(said), "{json}: {error}");
    }
}
