//! Where the voices are: the folder `espeak-ng-data` of this build, of a package, or of Debian's espeak-ng, and the
//! folder `voices` of those that are installed as data.

use std::fs;
use std::path::{Path, PathBuf};

/// Lists the folders that may hold `espeak-ng-data`, best first.
///
/// Contract: `compiled` is the folder of the machine that built the program; it counts before the distribution's
///           because its data fits the library exactly.
pub(crate) fn folders(compiled: Option<PathBuf>) -> Vec<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned));
    let ours = ["/usr/share/offhook", "/usr/local/share/offhook"].map(PathBuf::from);
    let multiarch =
        fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let theirs = ["/usr/lib", "/usr/lib64", "/usr/share", "/usr/local/share"].map(PathBuf::from);
    let mut multiarch: Vec<PathBuf> = multiarch.filter(|folder| is_in(folder)).collect();
    multiarch.sort();
    beside.into_iter().chain(ours).chain(compiled).chain(multiarch).chain(theirs).collect()
}

/// The folder of an installed voice: `voices/NAME` beside the program, or of a package.
pub(crate) fn voice(name: &str, is_whole: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let exe = std::env::current_exe().ok();
    let beside = exe.as_deref().and_then(Path::parent);
    let shared = ["/usr/share/offhook", "/usr/local/share/offhook"].map(Path::new);
    let folders = beside.into_iter().chain(shared).map(|folder| folder.join("voices").join(name));
    folders.into_iter().find(|folder| is_whole(folder))
}

/// Tells whether voice data lies in this folder.
pub(crate) fn is_in(folder: &Path) -> bool {
    folder.join(NAME).join("phontab").is_file()
}

/// The name of the data folder, fixed in the library.
pub(crate) const NAME: &str = "espeak-ng-data";
