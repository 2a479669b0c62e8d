//! Every key of `component.toml`, with two values of it, and how a reload that changes it is seen.

use crate::config_keys::When::{AtStart, Live, Never};

/// One key of one table.
pub(crate) struct Key {
    /// Such as `media.codecs`.
    pub(crate) name: &'static str,
    /// As it is written before the reload; empty if it is not.
    first: &'static str,
    /// As it is written after it.
    then: &'static str,
    pub(crate) when: When,
}

/// When another value of a key takes effect.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// At once.
    Live(Seen),
    /// At the next start; until then the log names it so.
    AtStart,
    /// It is refused.
    Never,
}

/// Where the effect of a key is seen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// By people, phones and the server of the running program.
    Outside,
    /// In the value that all owners read; to see it outside would take minutes or days, or a service of its own.
    InValue,
}

const OUTSIDE: When = Live(Seen::Outside);
const IN_VALUE: When = Live(Seen::InValue);

/// The file with the first value of each key, and the other one of those that are `changed`.
///
/// What stands in `<>` is filled in from `blanks`.
pub(crate) fn file(blanks: &[(&str, String)], changed: impl Fn(&str) -> bool) -> String {
    let mut lines: Vec<String> = vec![];
    let mut table = "";
    for key in KEYS {
        let (of, name) = key.name.rsplit_once('.').unwrap();
        if of != table {
            table = of;
            let is_list =
                ["trunk", "dial.country", "speech.voice", "key", "subscriber"].contains(&table);
            lines.push(if is_list { format!("[[{table}]]") } else { format!("[{table}]") });
        }
        let value = if changed(key.name) { key.then } else { key.first };
        // A secret stands here or in a file of its own.
        let file = format!("{}_file", key.name);
        let by_file = KEYS.iter().any(|key| key.name == file) && changed(&file);
        if !value.is_empty() && !by_file && key.when != Never {
            lines.push(format!("{name} = {value}"));
        }
    }
    let file = lines.join("\n") + "\n" + ERIN;
    blanks.iter().fold(file, |file, (blank, value)| file.replace(&format!("<{blank}>"), value))
}

/// Another value of this key, in place of the one that it has in `file`.
pub(crate) fn with(file: &str, name: &str, value: &str) -> String {
    let (table, key) = name.rsplit_once('.').unwrap();
    let mut at = "";
    let lines = file.lines().map(|line| {
        if line.starts_with('[') {
            at = line.trim_matches(['[', ']']);
        }
        let is_it = at == table && line.split(" = ").next() == Some(key);
        if is_it { format!("{key} = {value}") } else { line.to_owned() }
    });
    let changed: Vec<String> = lines.collect();
    assert_ne!(changed.join("\n"), file.trim_end(), "{name} has no other value there");
    changed.join("\n") + "\n"
}

/// A file that changes this key has to change these, too.
pub(crate) fn together_with(name: &str) -> &'static [&'static str] {
    match name {
        "trunk.srtp" => &["trunk.proxy"],
        "speech.voice.engine" => &["speech.voice.command"],
        "speech.voice.command" => &["speech.voice.engine"],
        _ => &[],
    }
}

/// The name of a key that waits for a restart, in the log.
pub(crate) fn logged(name: &str) -> String {
    name.trim_end_matches("_file").replace("trunk.", "trunk[0].").replace("voice.", "voice[0].")
}

const fn key(name: &'static str, first: &'static str, then: &'static str, when: When) -> Key {
    Key { name, first, then, when }
}

/// Somebody beside the one whose keys change.
const ERIN: &str =
    "[[subscriber]]\njid = \"erin@example.org\"\nname = \"Erin\"\nnumber = \"+9995550101\"\n";

/// All of them, in the order of the file.
pub(crate) const KEYS: &[Key] = &[
    key("component.jid", "\"phone.example.org\"", "\"other.example.org\"", AtStart),
    key("component.server", "\"127.0.0.1:<server>\"", "\"127.0.0.1:<other>\"", AtStart),
    key("component.secret", "\"secret\"", "\"changed\"", AtStart),
    key("component.secret_file", "", "\"other.secret\"", AtStart),
    key("component.name", "", "\"Telephone\"", IN_VALUE),
    key("component.description", "", "\"Phones you.\"", IN_VALUE),
    key("component.admins", "[]", "[\"alice@example.org\"]", OUTSIDE),
    key("component.users", "[]", "[\"example.org\"]", OUTSIDE),
    key("component.messages_burst", "60", "100", IN_VALUE),
    key("component.messages_per_min", "20", "40", IN_VALUE),
    key("store.held_max", "10000000", "1000000", IN_VALUE),
    key("store.held_mb_max", "16384", "4096", IN_VALUE),
    key("store.person_held_max", "10000", "5000", IN_VALUE),
    key("store.person_held_mb_max", "64", "32", IN_VALUE),
    key("store.trace_days", "3", "30", IN_VALUE),
    key("store.keep_calls_days", "30", "7", IN_VALUE),
    key("store.path", "\"offhook.db\"", "\"other.db\"", AtStart),
    key("store.postgres", "", "\"\"", Never),
    key("trunk.name", "\"pbx\"", "\"other\"", AtStart),
    key("trunk.proxy", "\"sip:<phone>\"", "\"sip:127.0.0.1:<other>;transport=tls\"", AtStart),
    key("trunk.outbound_proxy", "", "\"sip:127.0.0.1:<other>;transport=tls\"", AtStart),
    key("trunk.from", "\"sip:offhook@127.0.0.1\"", "\"sip:other@127.0.0.1\"", AtStart),
    key("trunk.identity", "", "\"sip:other@127.0.0.1\"", AtStart),
    key("trunk.privacy", "false", "true", AtStart),
    key("trunk.username", "\"offhook\"", "\"other\"", AtStart),
    key("trunk.password", "\"password\"", "\"changed\"", AtStart),
    key("trunk.password_file", "", "\"other.secret\"", AtStart),
    key("trunk.register", "false", "true", AtStart),
    key("trunk.calls_max", "30", "10", AtStart),
    key("trunk.calls_per_s_max", "5", "7", AtStart),
    key("trunk.srtp", "\"off\"", "\"optional\"", AtStart),
    key("trunk.dtmf", "\"auto\"", "\"info\"", AtStart),
    key("trunk.answering_machine", "false", "true", AtStart),
    key("trunk.prefixes", "[\"+\"]", "[\"+999\"]", AtStart),
    key("trunk.country", "\"\"", "\"+81\"", AtStart),
    key("sip.listen", "\"<sip>\"", "\"127.0.0.1:<other>\"", AtStart),
    key("sip.advertise", "\"\"", "\"127.0.0.1:<other>\"", AtStart),
    key("sip.dscp", "24", "0", AtStart),
    key("sip.tls_ca", "\"\"", "\"ca.pem\"", AtStart),
    key("sip.name_server", "\"\"", "\"127.0.0.1\"", AtStart),
    key("sip.callback", "false", "true", OUTSIDE),
    key("sip.callback_pin", "false", "true", OUTSIDE),
    key("sip.callback_without_pin", "false", "true", IN_VALUE),
    key("media.listen", "\"127.0.0.1\"", "\"127.0.0.2\"", AtStart),
    key("media.advertise", "\"\"", "\"127.0.0.3\"", AtStart),
    key("media.ports", "[20000, 29999]", "[30000, 30999]", AtStart),
    key("media.codecs", "[\"opus\", \"g722\", \"pcmu\", \"pcma\"]", "[\"pcmu\"]", OUTSIDE),
    key("media.silence_s", "30", "60", AtStart),
    key("media.dscp", "46", "0", AtStart),
    key("dial.allow", "[\"+999\"]", "[\"+999\", \"+210\"]", OUTSIDE),
    key("dial.deny", "[]", "[\"+99966\"]", OUTSIDE),
    key("dial.types", "[]", "[\"pager\"]", IN_VALUE),
    key("dial.wait_s", "1", "0", OUTSIDE),
    key("dial.ring_s", "30", "60", OUTSIDE),
    key("dial.attempts", "3", "4", OUTSIDE),
    key("dial.busy_retry_s", "180", "120", OUTSIDE),
    key("dial.no_answer_retry_s", "[600, 1800]", "[300]", OUTSIDE),
    key("dial.call_s_max", "300", "240", IN_VALUE),
    key("dial.keep_h", "72", "48", IN_VALUE),
    key("dial.quiet", "\"\"", "\"03:00-03:01\"", OUTSIDE),
    key("dial.time_zone", "\"UTC\"", "\"Asia/Tokyo\"", OUTSIDE),
    key("dial.throttle", "[]", "[\"50/1h\"]", OUTSIDE),
    key("dial.sender_throttle", "[]", "[\"40/1h\"]", OUTSIDE),
    key("dial.sender_calls", "[]", "[\"40/1h\"]", OUTSIDE),
    key("dial.senders", "\"domain\"", "\"everyone\"", OUTSIDE),
    key("dial.calls_per_day_max", "200", "100", OUTSIDE),
    key("dial.minutes_per_day_max", "600", "500", IN_VALUE),
    key("dial.country.prefix", "\"+210\"", "\"+2105\"", IN_VALUE),
    key("dial.country.calls_per_day_max", "200", "100", IN_VALUE),
    key("dial.country.minutes_per_day_max", "600", "500", IN_VALUE),
    key("speech.language", "\"en\"", "\"de\"", OUTSIDE),
    key("speech.hear_first", "true", "false", OUTSIDE),
    key("speech.body_chars_max", "400", "40", OUTSIDE),
    key("speech.settle_ms", "0", "2500", OUTSIDE),
    key("speech.voice.language", "\"en\"", "\"de\"", AtStart),
    key("speech.voice.engine", "\"espeak\"", "\"command\"", AtStart),
    key("speech.voice.path", "", "\".\"", AtStart),
    key("speech.voice.command", "", "[\"cat\"]", AtStart),
    key("key.press", "\"1\"", "\"4\"", OUTSIDE),
    key("key.say", "\"To agree\"", "\"To nod\"", OUTSIDE),
    key("key.reply", "\"{callee} agrees.\"", "\"{callee} nods.\"", OUTSIDE),
    key("voice_reply.enabled", "false", "true", OUTSIDE),
    key("voice_reply.format", "\"mp3\"", "\"wav\"", OUTSIDE),
    key("voice_reply.seconds_max", "120", "5", OUTSIDE),
    key("voice_reply.keep_days", "30", "7", IN_VALUE),
    key("voice_reply.upload", "\"off\"", "\"upload.example.org\"", OUTSIDE),
    key("voice_reply.upload_hosts", "[]", "[\"files.example.org\"]", IN_VALUE),
    key("voice_reply.key_file", "\"\"", "\"voice.key\"", OUTSIDE),
    key("voice_reply.transcribe", "[]", "[\"sh\", \"-c\", \"echo on my way\"]", OUTSIDE),
    key("http.listen", "\"<http>\"", "\"127.0.0.1:<other>\"", AtStart),
    key("http.public_url", "\"http://<http>\"", "\"http://localhost/recordings\"", OUTSIDE),
    key("http.token_file", "\"\"", "\"http.token\"", IN_VALUE),
    key("log.levels", "\"info\"", "\"info,http=debug\"", IN_VALUE),
    key("subscriber.jid", "\"bob@example.org\"", "\"robert@example.org\"", OUTSIDE),
    key("subscriber.name", "\"Bob\"", "\"Robert\"", OUTSIDE),
    key("subscriber.number", "\"+9995550100\"", "\"+9995550109\"", OUTSIDE),
    key("subscriber.offline", "\"phone\"", "\"store\"", OUTSIDE),
    key("subscriber.language", "", "\"de\"", OUTSIDE),
    key("subscriber.slow", "false", "true", IN_VALUE),
    key("subscriber.quiet", "", "\"22:00-07:00\"", OUTSIDE),
    key("subscriber.time_zone", "", "\"Europe/Berlin\"", OUTSIDE),
];
