//! Files of people and trunks beside the main one: what `include` names, read as if it stood at its end.

use std::ffi::OsStr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::{fs, io};

use toml::de::DeTable;

/// The text of all files in a row, and where each begins.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) text: String,
    parts: Vec<(usize, PathBuf)>,
    /// What is wrong: the file, its text, the place, and the sentence.
    pub(super) wrong: Vec<Wrong>,
}

/// A mistake in a file that is not among the text.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) at: Range<usize>,
    pub(super) says: String,
}

impl Gathered {
    /// Reads the files of the folder that `include` in the main one names, in the order of their names.
    pub(super) fn new(path: &Path, main: String) -> Self {
        let folder = include(&main);
        let mut all = Self { text: main, parts: vec![(0, path.to_owned())], wrong: vec![] };
        let Some((name, at)) = folder else { return all };
        let folder = path.parent().unwrap_or(Path::new("")).join(name);
        match files(&folder) {
            Ok(files) => files.into_iter().for_each(|file| all.add(file)),
            Err(error) => {
                let says = format!("{} cannot be read: {error}", folder.display());
                all.wrong.push(Wrong { path: path.to_owned(), text: all.text.clone(), at, says });
            }
        }
        all
    }

    fn add(&mut self, path: PathBuf) {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                let says = format!("cannot be read: {error}");
                return self.wrong.push(Wrong { path, text: String::new(), at: 0..0, says });
            }
        };
        let text = text.trim_start_matches('\u{feff}').to_owned();
        let wrong = match DeTable::parse(&text) {
            Ok(top) => top.get_ref().keys().find_map(|key| {
                let says = "an included file has only [[subscriber]] and [[trunk]]".to_owned();
                (!ALLOWED.contains(&key.get_ref().as_ref())).then(|| (key.span(), says))
            }),
            Err(error) => Some((error.span().unwrap_or(0..0), error.message().to_owned())),
        };
        if let Some((at, says)) = wrong {
            return self.wrong.push(Wrong { path, text, at, says });
        }
        self.text.push('\n');
        self.parts.push((self.text.len(), path));
        self.text.push_str(&text);
    }

    /// The file in which a place of the text is, that file's text, and where it begins.
    pub(super) fn part(&self, place: usize) -> (&Path, &str, usize) {
        let index = self.parts.partition_point(|(start, _)| *start <= place).saturating_sub(1);
        let (start, path) = &self.parts[index];
        let end = self.parts.get(index + 1).map_or(self.text.len(), |(next, _)| next - 1);
        (path, &self.text[*start..end], *start)
    }
}

/// The folder, and where it is named.
fn include(main: &str) -> Option<(String, Range<usize>)> {
    let top = DeTable::parse(main).ok()?;
    let value = top.get_ref().get("include")?;
    let name = value.get_ref().as_str().filter(|name| !name.is_empty())?;
    Some((name.to_owned(), value.span()))
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = vec![];
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_hidden =
            path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.extension() == Some(OsStr::new("toml")) && !is_hidden {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

const ALLOWED: [&str; 2] = ["subscriber", "trunk"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_in_its_file() {
        let folder = std::env::temp_dir().join(format!("offhook-include-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(folder.join("people")).unwrap();
        fs::write(folder.join("people/b.toml"), "[[subscriber]]\njid = \"b\"\n").unwrap();
        fs::write(folder.join("people/a.toml"), "\u{feff}[[subscriber]]\njid = \"a\"").unwrap();
        fs::write(folder.join("people/c.toml"), "[dial]\n").unwrap();
        fs::write(folder.join("people/d.toml"), "[[trunk]\n").unwrap();
        fs::write(folder.join("people/.e.toml"), "?").unwrap();
        fs::write(folder.join("people/f.toml~"), "?").unwrap();
        let main = "include = \"people\"\n[dial]".to_owned();
        let all = Gathered::new(&folder.join("component.toml"), main.clone());
        let (a, b) = (all.text.find("\"a\"").unwrap(), all.text.find("\"b\"").unwrap());
        let shown = |place| {
            let (path, text, start) = all.part(place);
            (path.file_name().unwrap().to_str().unwrap().to_owned(), text.to_owned(), place - start)
        };
        assert_eq!(shown(0), ("component.toml".to_owned(), main, 0));
        assert_eq!(shown(a), ("a.toml".into(), "[[subscriber]]\njid = \"a\"".into(), 21));
        assert_eq!(shown(b), ("b.toml".into(), "[[subscriber]]\njid = \"b\"\n".into(), 21));
        let wrong: Vec<_> = all.wrong.iter().map(|it| it.path.file_name().unwrap()).collect();
        assert_eq!(wrong, ["c.toml", "d.toml"]);
        let nowhere = "include = \"nowhere\"".to_owned();
        let all = Gathered::new(&folder.join("component.toml"), nowhere);
        assert!(all.wrong[0].says.contains("nowhere cannot be read"), "{:?}", all.wrong);
        assert_eq!(all.wrong[0].at, 10..19);
        fs::remove_dir_all(folder).unwrap();
    }
}
