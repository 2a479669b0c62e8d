//! Which file uses which, and where files use each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::{SourceFile, UsedPath};

/// The modules of the crate and the names they export again.
pub(crate) struct Modules<'a> {
    files: &'a [SourceFile],
    by_path: BTreeMap<Vec<String>, usize>,
    exports: BTreeMap<(Vec<String>, String), Vec<String>>,
}

impl<'a> Modules<'a> {
    /// Reads the modules from the names of their files.
    pub(crate) fn new(files: &'a [SourceFile]) -> Self {
        let by_path = files.iter().enumerate().map(|(it, file)| (module(&file.name), it)).collect();
        let mut modules = Self { files, by_path, exports: BTreeMap::new() };
        let mut exports = BTreeMap::new();
        for file in files.iter().filter(|file| !file.is_test()) {
            let own = module(&file.name);
            for used in file.paths().into_iter().filter(|it| it.is_public) {
                if let Some(path) = modules.absolute(&own, &BTreeMap::new(), &used.path) {
                    exports.insert((own.clone(), used.name), path);
                }
            }
        }
        modules.exports = exports;
        modules
    }

    /// The paths within the crate that a file uses, from the crate's root: the path, the place, and the file it leads to.
    pub(crate) fn uses(&self, file: &SourceFile) -> Vec<(Vec<String>, UsedPath, usize)> {
        let own = module(&file.name);
        let paths = file.paths();
        let mut names = BTreeMap::new();
        for used in paths.iter().filter(|it| !it.name.is_empty()) {
            let path = self.absolute(&own, &BTreeMap::new(), &used.path);
            if let Some(path) = path.filter(|path| self.by_path.contains_key(path)) {
                names.insert(used.name.clone(), path);
            }
        }
        let mut found = vec![];
        for used in paths {
            let Some(path) = self.absolute(&own, &names, &used.path) else { continue };
            if let Some(target) = self.file(&path) {
                found.push((path, used, target));
            }
        }
        found
    }

    /// Sets of files each of which leads to each other, with the uses that make it so.
    ///
    /// What a folder's `mod.rs` exports again counts for the file it comes from. A file in a folder is a part of
    /// what its `mod.rs` is and may name that.
    pub(crate) fn circles(&self) -> Vec<(BTreeSet<&'a str>, Vec<String>)> {
        let mut edges: Vec<BTreeMap<usize, usize>> = vec![BTreeMap::new(); self.files.len()];
        for (from, file) in self.files.iter().enumerate().filter(|(_, file)| !file.is_test()) {
            for (_, used, to) in self.uses(file) {
                let counts = to != from && !used.is_public && !self.files[to].is_test();
                if counts && !is_part_of(&file.name, &self.files[to].name) {
                    edges[from].entry(to).or_insert(used.line);
                }
            }
        }
        let reach: Vec<BTreeSet<usize>> = (0..edges.len()).map(|it| reached(&edges, it)).collect();
        let mut circles: Vec<(BTreeSet<&str>, Vec<String>)> = vec![];
        for from in 0..edges.len() {
            let circle: BTreeSet<usize> =
                reach[from].iter().copied().filter(|&it| reach[it].contains(&from)).collect();
            if circle.is_empty() || circle.first() != Some(&from) {
                continue;
            }
            let inside =
                circle.iter().flat_map(|&a| edges[a].iter().map(move |(&b, &line)| (a, b, line)));
            let inside = inside.filter(|(_, b, _)| circle.contains(b)).map(|(a, b, line)| {
                format!("{}:{line} uses {}", self.files[a].name, self.files[b].name)
            });
            let names = circle.iter().map(|&it| self.files[it].name.as_str()).collect();
            circles.push((names, inside.collect()));
        }
        circles
    }

    /// Tells whether a path from the crate's root leads to a module and to names that its file has.
    pub(crate) fn has(&self, path: &[String]) -> bool {
        let length = (1..=path.len()).rev().find(|&it| self.by_path.contains_key(&path[..it]));
        let Some(length) = length else { return false };
        let code = &self.files[self.by_path[&path[..length]]].code;
        let is_part = |it: char| it.is_alphanumeric() || it == '_';
        path[length..].iter().all(|name| code.split(|it| !is_part(it)).any(|it| it == name))
    }

    /// The path from the crate's root of one that stands in the module `own`; `None` if it leads out of the crate.
    fn absolute(
        &self,
        own: &[String],
        names: &BTreeMap<String, Vec<String>>,
        path: &[String],
    ) -> Option<Vec<String>> {
        let (first, mut rest) = path.split_first()?;
        let mut start = match first.as_str() {
            "crate" | "offhook" => vec![],
            "self" => own.to_vec(),
            "super" => own[..own.len().checked_sub(1)?].to_vec(),
            name => {
                let child = [own, &[name.to_owned()]].concat();
                if self.by_path.contains_key(&child) { child } else { names.get(name)?.clone() }
            }
        };
        while let Some((_, after)) = rest.split_first().filter(|(next, _)| *next == "super") {
            start.pop()?;
            rest = after;
        }
        Some([start, rest.to_vec()].concat())
    }

    /// The file that has what a path names, through what folders export again.
    fn file(&self, path: &[String]) -> Option<usize> {
        let mut path = path.to_vec();
        for _ in 0..8 {
            let length =
                (0..=path.len()).rev().find(|&it| self.by_path.contains_key(&path[..it]))?;
            if length == 0 && path.is_empty() {
                return None;
            }
            let exported = path
                .get(length)
                .and_then(|name| self.exports.get(&(path[..length].to_vec(), name.clone())));
            match exported {
                Some(exported) => path = [&exported[..], &path[length + 1..]].concat(),
                None => return (length > 0).then(|| self.by_path[&path[..length]]),
            }
        }
        None
    }
}

/// Tells whether a file lies in the folder of which the other is the `mod.rs`.
fn is_part_of(name: &str, whole: &str) -> bool {
    whole.strip_suffix("mod.rs").is_some_and(|folder| name.starts_with(folder))
}

fn reached(edges: &[BTreeMap<usize, usize>], from: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open: Vec<usize> = edges[from].keys().copied().collect();
    while let Some(next) = open.pop() {
        if found.insert(next) {
            open.extend(edges[next].keys());
        }
    }
    found
}

/// The path of the module that a file is.
pub(crate) fn module(name: &str) -> Vec<String> {
    let name = name.trim_end_matches(".rs");
    let name = name.strip_suffix("/mod").unwrap_or(name);
    match name {
        "lib" => vec![],
        "main" => vec!["main".to_owned()],
        name => name.split('/').map(str::to_owned).collect(),
    }
}
