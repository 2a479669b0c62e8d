//! `[log]`

use super::section::Section;
use crate::log_levels::LogLevels;

/// Reads how much is logged; `None` where the file does not say.
pub(super) fn read(mut section: Section<'_>) -> Option<Option<LogLevels>> {
    let written = section.text("levels");
    let levels = match written.as_ref()?.as_deref() {
        None | Some("") => Some(None),
        Some(written) => match written.parse::<LogLevels>() {
            Ok(levels) => Some(Some(levels)),
            Err(says) => {
                section.mistake("levels", &says);
                None
            }
        },
    };
    section.refuse_unknown_keys();
    levels
}
