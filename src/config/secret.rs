//! Secrets: in the file, or in files of their own.

use std::fs;
use std::path::PathBuf;

use secrecy::SecretString;

use super::file::readable_by_all;
use super::section::Section;

impl Section<'_> {
    /// Whether files with secrets are read at all.
    pub(super) fn reads_secrets(&self) -> bool {
        self.source.reads_secrets()
    }

    /// Where a file with a secret lies.
    pub(super) fn secret_file(&self, name: &str) -> PathBuf {
        self.source.secret_file(name)
    }

    /// A secret, written in the file or in a file that `file_key` names.
    pub(super) fn secret(
        &mut self,
        key: &'static str,
        file_key: &'static str,
    ) -> Option<Option<SecretString>> {
        let (written, file) = (self.text(key)?, self.text(file_key)?);
        match (written, file) {
            (Some(_), Some(_)) => {
                self.mistake(file_key, &format!("{key} or {file_key}, not both"));
                None
            }
            (Some(secret), None) => {
                if let Some(says) = readable_by_all(self.source.path_of(&self.at(key))) {
                    self.source.warn(self.at(key), &says);
                }
                Some(Some(secret.into()))
            }
            (None, None) => Some(None),
            (None, Some(file)) => self.read_secret(file_key, &file).map(Some),
        }
    }

    /// A secret in a file that `file_key` names, if it names one.
    pub(super) fn secret_in_file(
        &mut self,
        file_key: &'static str,
    ) -> Option<Option<SecretString>> {
        match self.text(file_key)?.filter(|file| !file.is_empty()) {
            None => Some(None),
            Some(file) => self.read_secret(file_key, &file).map(Some),
        }
    }

    fn read_secret(&self, file_key: &str, file: &str) -> Option<SecretString> {
        if !self.source.reads_secrets() {
            return Some(String::new().into());
        }
        let path = self.secret_file(file);
        if let Some(says) = readable_by_all(&path) {
            self.source.warn(self.at(file_key), &says);
        }
        let says = match fs::read_to_string(&path) {
            Ok(secret) => match secret.trim_end_matches(['\r', '\n']) {
                "" => format!("{} is empty", path.display()),
                secret if secret.contains('\n') => {
                    format!("{} has more than one line; the secret is the only one", path.display())
                }
                secret => return Some(secret.into()),
            },
            Err(error) => format!("{} cannot be read: {error}", path.display()),
        };
        self.mistake(file_key, &says);
        None
    }
}
