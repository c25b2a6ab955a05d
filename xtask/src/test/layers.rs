//! Checks that dependencies between the layers of src/ point down, and that only the edges know JavaScript.
//!
//! The files are read as Rust tokens, so comments and strings don't count, while tests and macro arguments do.

use crate::project;
use anyhow::{Context, Result, anyhow, bail};
use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};
use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

/// For each layer, from the top down, the layers it may name. ARCHITECTURE.md draws the same picture.
const LAYERS: &[(&str, &[&str])] = &[
    ("js", &["db", "replicate", "query", "http", "edit", "tree", "doc", "engine", "storage", "env", "error"]),
    ("replicate", &["db", "query", "http", "tree", "doc", "env", "error", "sort"]),
    ("db", &["query", "edit", "tree", "doc", "engine", "storage", "env", "error", "sort"]),
    ("query", &["edit", "tree", "doc", "engine", "storage", "env", "error", "sort"]),
    ("http", &["doc", "env", "error", "sort"]),
    ("edit", &["tree", "doc", "env", "engine", "storage", "error", "varint", "sort"]),
    ("tree", &["doc", "error", "varint", "sort"]),
    ("doc", &["error", "varint"]),
    ("engine", &["storage", "env", "error", "varint", "sort"]),
    ("storage", &["env", "error", "sort"]),
    ("env", &["error"]),
    ("error", &[]),
    ("sort", &[]),
    ("varint", &[]),
];

/// Where `#[wasm_bindgen]` may stand: the layer that JavaScript calls, and files that import what web-sys lacks.
const BINDING_FILES: &[&str] = &[
    "js/",
    "js.rs",
    "env/",
    "env.rs",
    "storage/indexed_db",
    "storage/local_storage",
    "storage/web_locks",
    "http/fetch",
];

/// Fails with a line for each offence.
pub fn check() -> Result<()> {
    let source = project::path("src");
    let mut offences = Vec::new();
    for file in rust_files(&source)? {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let relative = file.strip_prefix(&source)?.to_string_lossy().replace('\\', "/");
        let found = offences_in(&relative, &text).with_context(|| format!("in src/{relative}"))?;
        offences.extend(found.into_iter().map(|offence| format!("src/{relative}{offence}")));
    }
    if offences.is_empty() {
        return Ok(());
    }
    bail!("{}", offences.join("\n"));
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// What is wrong in one file, each as `:line: text`.
fn offences_in(file: &str, text: &str) -> Result<Vec<String>> {
    let Some(layer) = layer_of(file) else { return Ok(Vec::new()) };
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
        bail!(
            "{layer} is in no layer; add it to the table in xtask/src/test/layers.rs and to ARCHITECTURE.md"
        );
    };
    let tokens: TokenStream = text.parse().map_err(|error| anyhow!("this is not Rust: {error}"))?;
    let mut reader = Reader { uses: Vec::new(), bindings: Vec::new() };
    reader.read(tokens, module_depth(file));
    let mut offences = Vec::new();
    for (line, used) in reader.uses {
        let is_layer = LAYERS.iter().any(|(name, _)| *name == used);
        if is_layer && used != layer && !allowed.contains(&used.as_str()) {
            offences.push(format!(":{line}: {layer} must not know {used}"));
        }
    }
    if !BINDING_FILES.iter().any(|prefix| file.starts_with(prefix)) {
        offences.extend(
            reader.bindings.iter().map(|line| format!(":{line}: #[wasm_bindgen] belongs into src/js")),
        );
    }
    Ok(offences)
}

/// `engine` for engine/log.rs and for engine.rs; nothing for the crate's root, which only lists the modules.
fn layer_of(file: &str) -> Option<&str> {
    let first = file.split('/').next().unwrap_or(file);
    let layer = first.trim_end_matches(".rs");
    (layer != "lib").then_some(layer)
}

/// How many `super::` lead from the file's module to the crate's root.
fn module_depth(file: &str) -> usize {
    let parts = file.split('/').count();
    if file.ends_with("/mod.rs") { parts - 1 } else { parts }
}

struct Reader {
    /// Lines and the modules at the crate's root that they name.
    uses: Vec<(usize, String)>,
    /// Lines with the attribute `wasm_bindgen`.
    bindings: Vec<usize>,
}

impl Reader {
    fn read(&mut self, tokens: TokenStream, depth: usize) {
        let mut tokens: VecDeque<TokenTree> = tokens.into_iter().collect();
        while let Some(token) = tokens.pop_front() {
            match token {
                TokenTree::Ident(word) if word == "crate" => self.read_path(&mut tokens),
                TokenTree::Ident(word) if word == "super" => {
                    let supers = 1 + take_supers(&mut tokens);
                    if supers == depth {
                        self.read_path(&mut tokens);
                    }
                }
                TokenTree::Ident(word) if word == "mod" => {
                    tokens.pop_front();
                    if let Some(body) = take_group(&mut tokens, Delimiter::Brace) {
                        self.read(body.stream(), depth + 1);
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    if let Some(attribute) = take_group(&mut tokens, Delimiter::Bracket) {
                        self.read_attribute(&attribute);
                    }
                }
                TokenTree::Group(group) => self.read(group.stream(), depth),
                _ => {}
            }
        }
    }

    /// After `crate`: `::name` or `::{name, name::more}`.
    fn read_path(&mut self, tokens: &mut VecDeque<TokenTree>) {
        if !take_path_separator(tokens) {
            return;
        }
        match tokens.front() {
            Some(TokenTree::Ident(name)) => self.uses.push((name.span().start().line, name.to_string())),
            Some(TokenTree::Group(group)) => {
                let mut at_start = true;
                for token in group.stream() {
                    match token {
                        TokenTree::Ident(name) if at_start => {
                            self.uses.push((name.span().start().line, name.to_string()));
                            at_start = false;
                        }
                        TokenTree::Punct(punct) => at_start = punct.as_char() == ',',
                        _ => at_start = false,
                    }
                }
            }
            _ => {}
        }
    }

    /// Also finds it inside `cfg_attr`.
    fn read_attribute(&mut self, attribute: &Group) {
        for token in attribute.stream() {
            match token {
                TokenTree::Ident(word) if word == "wasm_bindgen" => {
                    self.bindings.push(word.span().start().line)
                }
                TokenTree::Group(group) => self.read_attribute(&group),
                _ => {}
            }
        }
    }
}

fn take_supers(tokens: &mut VecDeque<TokenTree>) -> usize {
    let mut supers = 0;
    while matches!(tokens.get(2), Some(TokenTree::Ident(word)) if word == "super")
        && take_path_separator(tokens)
    {
        tokens.pop_front();
        supers += 1;
    }
    supers
}

fn take_path_separator(tokens: &mut VecDeque<TokenTree>) -> bool {
    let is_colon = |token: Option<&TokenTree>, spacing| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':' && punct.spacing() == spacing);
    let found = is_colon(tokens.front(), Spacing::Joint) && is_colon(tokens.get(1), Spacing::Alone);
    if found {
        tokens.drain(..2);
    }
    found
}

fn take_group(tokens: &mut VecDeque<TokenTree>, delimiter: Delimiter) -> Option<Group> {
    match tokens.front() {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => {
            let group = group.clone();
            tokens.pop_front();
            Some(group)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offences(file: &str, text: &str) -> Vec<String> {
        offences_in(file, text).unwrap()
    }

    #[test]
    fn looking_down_is_allowed_and_looking_up_is_not() {
        assert!(offences("engine/log.rs", "use crate::storage::Storage;").is_empty());
        assert_eq!(offences("engine/log.rs", "\nuse crate::db::Database;"), [":2: engine must not know db"]);
        assert_eq!(offences("engine.rs", "fn f() { crate::js::g() }"), [":1: engine must not know js"]);
    }

    #[test]
    fn groups_of_imports_and_macro_arguments_are_read() {
        let text = "use crate::{error::{Error, db}, storage, edit::plan};\nvec![crate::query::all()];";
        assert_eq!(
            offences("engine/a.rs", text),
            [":1: engine must not know edit", ":2: engine must not know query"]
        );
    }

    #[test]
    fn comments_and_strings_are_not_read() {
        assert!(
            offences("tree/mod.rs", "/// See [`crate::db`].\n// crate::db\nconst A: &str = \"crate::db\";")
                .is_empty()
        );
    }

    #[test]
    fn the_way_up_through_super_is_followed() {
        assert_eq!(offences("tree/mod.rs", "use super::db::A;"), [":1: tree must not know db"]);
        assert_eq!(offences("tree/merge.rs", "use super::super::db::A;"), [":1: tree must not know db"]);
        assert!(offences("tree/merge.rs", "use super::db::A;").is_empty());
        assert!(offences("tree.rs", "mod tests { use super::db; }").is_empty());
        assert_eq!(offences("tree.rs", "mod tests { use super::super::db; }"), [":1: tree must not know db"]);
    }

    #[test]
    fn only_the_edges_bind_javascript() {
        let text = "#[wasm_bindgen(js_name = a)]\nextern \"C\" {}";
        assert!(offences("js/database.rs", text).is_empty());
        assert_eq!(offences("db/mod.rs", text), [":1: #[wasm_bindgen] belongs into src/js"]);
        assert_eq!(offences("db/mod.rs", "#[cfg_attr(a, wasm_bindgen)] fn f() {}").len(), 1);
    }

    #[test]
    fn a_module_that_is_in_no_layer_is_an_error() {
        assert!(offences_in("helpers.rs", "").is_err());
    }

    #[test]
    fn the_table_itself_points_down() {
        for (index, (layer, allowed)) in LAYERS.iter().enumerate() {
            for name in *allowed {
                let position = LAYERS.iter().position(|(other, _)| other == name);
                assert!(position.is_some_and(|position| position > index), "{layer} names {name}");
            }
        }
    }
}
