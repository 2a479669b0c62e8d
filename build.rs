//! Links what espeak-rs-sys leaves out: its C library calls libsonic but does not say so.
//!
//! A static libsonic goes into the binary, so that a copied binary needs no package for it. The whole archive (one
//! object) is taken because GNU ld has passed it by when it reaches the C library that needs it.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if let Some(folder) = folder_with("libsonic.a") {
        println!("cargo:rustc-link-search=native={}", folder.display());
        println!("cargo:rustc-link-lib=static:+whole-archive=sonic");
    } else {
        println!("cargo:rustc-link-lib=dylib=sonic");
    }
    // The C library's build takes libpcaudio wherever its header and library are, and again does not say so.
    if Path::new("/usr/include/pcaudiolib/audio.h").exists()
        && let Some(folder) = folder_with("libpcaudio.so")
    {
        println!("cargo:rustc-link-search=native={}", folder.display());
        println!("cargo:rustc-link-lib=dylib=pcaudio");
        println!(
            "cargo:warning=libpcaudio-dev is installed, so this binary will need the package libpcaudio0; \
             remove libpcaudio-dev and run `cargo clean -p espeak-rs-sys` for one that does not"
        );
    }
}

/// The first of the system's library folders that holds this file.
fn folder_with(library: &str) -> Option<PathBuf> {
    let target = env::var("TARGET").unwrap_or_default();
    let multiarch = target.replace("-unknown", "");
    [
        format!("/usr/lib/{multiarch}"),
        "/usr/lib64".into(),
        "/usr/lib".into(),
        "/usr/local/lib".into(),
    ]
    .into_iter()
    .map(PathBuf::from)
    .find(|folder| folder.join(library).exists())
}
