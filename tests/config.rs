//! The configuration: the manual that is one, and mistakes as the operator sees them.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

#[path = "support/command.rs"]
mod command;

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use offhook::config;
use offhook::demo::child_process::Folder;

use command::offhook;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_manual_is_a_configuration_that_works() {
    let read = config::read(&root().join("component.toml")).unwrap();
    assert_eq!(read.notes, []);
    assert_eq!(
        read.live.script.menu,
        offhook::script::menu::Menu::default(),
        "the menu in the manual is the default one"
    );
}

#[test]
fn every_key_stands_in_the_manual_and_nothing_else() {
    let manual = fs::read_to_string(root().join("component.toml")).unwrap();
    let (mut documented, mut table) = (BTreeSet::new(), "");
    for line in manual.lines() {
        if line.starts_with('[') {
            table = line.trim_matches(['[', ']']);
        }
        let line = line.strip_prefix("# ").unwrap_or(line);
        let key: String =
            line.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
        if !key.is_empty() && line[key.len()..].starts_with(" = ") {
            documented.insert(format!("{table}.{key}"));
        }
    }
    let known = config::read(&root().join("component.toml")).unwrap().known_keys;
    assert_eq!(documented, known);
}

#[test]
fn mistakes_are_shown_all_at_once_with_line_and_caret() {
    let folder = root().join("tests/data/config");
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    assert!(files.len() > 10);
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let expected = fs::read_to_string(file.with_extension("txt")).unwrap();
        let told = offhook(&folder, &["--config", name, "check"]);
        assert_eq!(String::from_utf8(told.stderr).unwrap(), expected, "{name}");
        assert_eq!(told.status.code(), Some(2), "{name}");
    }
}

#[test]
fn a_command_ends_as_its_exit_code_says() {
    let folder = std::env::temp_dir().join(format!("offhook-exit-codes-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::copy(root().join("component.toml"), folder.join("component.toml")).unwrap();
    let cases: [(&[&str], i32); 20] = [
        (&["check"], 0),
        (&["--config", "nowhere.toml", "check"], 2),
        (&["dance"], 2),
        (&["held"], 1),
        (&["calls", "--json"], 1),
        (&["trace", "1"], 1),
        (&["explain", "alice@example.org", "bob@example.org"], 0),
        (&["explain", "alice@example.org/phone", "bob@example.org"], 2),
        (&["export", "@"], 2),
        (&["erase", "bob@example.org/phone"], 2),
        (&["call", "0312345678", "Hello"], 2),
        (&["call", "+4930123456", "Hello"], 2),
        (&["explain", "alice@example.org", "bob@"], 2),
        (&["explain", "@example.org", "bob@example.org"], 2),
        (&["export", "bob@example.org/phone"], 2),
        (&["erase", "bob@"], 2),
        (&["call", "+81312345678", ""], 2),
        (&["say", " ", "--out", "said.wav"], 2),
        (&["trace", ""], 2),
        (&["calls", "--last", "-1"], 2),
    ];
    for (arguments, code) in cases {
        let told = offhook(&folder, arguments);
        let says = String::from_utf8(told.stderr).unwrap();
        assert_eq!(told.status.code(), Some(code), "{arguments:?} {says}");
        assert_eq!(says.is_empty(), code == 0, "{arguments:?} {says}");
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_key_that_others_can_read_is_refused_with_what_to_do() {
    let folder = std::env::temp_dir().join(format!("offhook-key-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let manual = fs::read_to_string(root().join("component.toml")).unwrap();
    let written = manual.replace("key_file = \"\"", "key_file = \"my.key\"");
    let file = folder.join("component.toml");
    let key = folder.join("my.key");
    let digits = format!("{}\n", "0f".repeat(32));
    let refused = format!("others can read {0}; run chmod 600 {0}", key.display());
    let not_one = "a key is 64 hex digits, as \"openssl rand -hex 32\" prints them";
    let cases = [
        (&digits[..], 0o600, None),
        (&digits[..], 0o400, None),
        (&digits[..], 0o640, Some(&refused[..])),
        (&digits[..], 0o604, Some(&refused[..])),
        (&digits[..], 0o620, Some(&refused[..])),
        (&digits[1..], 0o600, Some(not_one)),
        ("", 0o600, Some(not_one)),
        (&digits.repeat(4), 0o600, Some(not_one)),
    ];
    for (content, mode, expected) in cases {
        fs::write(&key, content).unwrap();
        fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        let read = config::read_text(&file, written.clone());
        fs::remove_file(&key).unwrap();
        match expected {
            None => {
                let shown = format!("{:?}", read.unwrap().live.voice_reply.key.unwrap());
                assert!(!shown.contains("15, 15"), "{shown}");
            }
            Some(says) => {
                let mistakes = read.unwrap_err().to_string();
                assert!(mistakes.contains("key_file = \"my.key\""), "{mistakes}");
                assert!(mistakes.contains(says), "{mistakes}");
                assert!(!mistakes.contains("0f0f"), "{mistakes}");
            }
        }
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_the_manual_says_is_the_default_is_the_default() {
    let manual = config::read(&root().join("component.toml")).unwrap();
    let least = fs::read_to_string(root().join("component.toml")).unwrap();
    let (before, after) =
        (least.find("# Answers that are spoken").unwrap(), least.find("# People, as").unwrap());
    let without = format!("{}{}", &least[..before], &least[after..]);
    let least = config::read_text(&root().join("component.toml"), without).unwrap();
    assert_eq!(format!("{:?}", least.live), format!("{:?}", manual.live));
    assert_eq!(least.fixed.differing_keys(&manual.fixed), Vec::<String>::new());
    assert_eq!(least.fixed.http, None);
}

#[test]
fn files_of_people_and_trunks_are_read_beside_the_main_one() {
    let folder = Folder::make().unwrap();
    let write = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).unwrap();
        fs::set_permissions(folder.path().join(name), Permissions::from_mode(0o600)).unwrap();
    };
    let check = || {
        let output = offhook(folder.path(), &["check"]);
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap(),
        )
    };
    fs::create_dir(folder.path().join("people")).unwrap();
    let main = fs::read_to_string(root().join("component.toml")).unwrap();
    write("component.toml", &main.replace("#include = ", "include = "));
    let carol = "[[subscriber]]\njid = \"carol@example.org\"\nnumber = \"+81378901112\"\n";
    write("people/carol.toml", carol);
    write(
        "people/trunk.toml",
        "[[trunk]]\nname = \"second\"\nproxy = \"sip:192.0.2.1\"\nfrom = \"sip:+81312345678@192.0.2.1\"",
    );
    let read = config::read(&folder.path().join("component.toml")).unwrap();
    let people: Vec<_> = read.live.subscribers.iter().map(|it| it.jid.as_str()).collect();
    assert_eq!(people, ["bob@example.org", "carol@example.org"]);
    assert_eq!(read.fixed.trunks.last().unwrap().name, "second");

    write("people/dave.toml", &carol.replace("number = ", "numbr = "));
    let (code, says) = check();
    assert_eq!(code, Some(2));
    assert!(
        says.contains("people/dave.toml:3:1") && says.contains("did you mean number?"),
        "{says}"
    );
    // Who is written twice is shown at both places.
    for place in ["people/dave.toml:2:7", "people/carol.toml:2:7"] {
        assert!(says.contains(place), "{place}: {says}");
    }
    write("people/dave.toml", "[dial]\nallow = [\"+\"]\n");
    let (code, says) = check();
    assert_eq!(code, Some(2));
    assert!(
        says.contains("people/dave.toml:1:2") && says.contains("has only [[subscriber]]"),
        "{says}"
    );
}
