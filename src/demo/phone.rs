//! A phone: baresip without sound card, which records what it hears and presses the keys it is told to.

use std::collections::VecDeque;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use super::child_process::{ChildProcess, DemoError, find, free_port, listening};
use super::recording::Recording;

/// A baresip that waits for calls over UDP and answers none by itself.
#[derive(Debug)]
pub struct Phone {
    /// Where it takes calls.
    pub sip: SocketAddr,
    /// The program.
    pub part: ChildProcess,
    recordings: PathBuf,
    orders: OwnedWriteHalf,
    told: OwnedReadHalf,
    unread: Vec<u8>,
    missed: VecDeque<Value>,
}

impl Phone {
    /// Starts one in `folder` that answers to `number` (with its `+`) and no other. It says what is in the file `says`, or keeps quiet.
    ///
    /// Errors: [`DemoError::Missing`] without baresip, [`DemoError::Ended`] and [`DemoError::Late`] if it does not come up.
    /// Contract: `says` is a WAV file, mono, 16 bit, 8,000 Hz. baresip hangs up when it is at its end.
    pub async fn start(
        folder: &Path,
        number: &str,
        says: Option<&Path>,
    ) -> Result<Self, DemoError> {
        if find(Path::new("baresip")).is_none() {
            return Err(DemoError::Missing("baresip".into()));
        }
        let modules = modules().ok_or_else(|| DemoError::Missing("baresip-core".into()))?;
        let recordings = folder.join("heard");
        fs::create_dir_all(&recordings)?;
        let says = match says {
            Some(file) => file.to_path_buf(),
            None => quiet(folder)?,
        };
        let sip = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let control = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let configuration = format!(
            "sip_listen {sip}\naudio_source aufile,{}\nsnd_path {}\nctrl_tcp_listen {control}\n\
             module_path {}\n{FIXED}",
            says.display(),
            recordings.display(),
            modules.display(),
        );
        fs::write(folder.join("config"), configuration)?;
        fs::write(
            folder.join("accounts"),
            format!(
                "<sip:{number}@{sip}>;regint=0;answermode=manual;audio_codecs=pcmu/8000/1,pcma/8000/1\n"
            ),
        )?;
        fs::write(folder.join("contacts"), "")?;
        let arguments = ["-f", &*folder.to_string_lossy()];
        let mut part = ChildProcess::start("baresip", Path::new("baresip"), &arguments, folder)?;
        let (told, orders) = listening(&mut part, control, START).await?.into_split();
        Ok(Self {
            sip,
            part,
            recordings,
            orders,
            told,
            unread: Vec::new(),
            missed: VecDeque::new(),
        })
    }

    /// Waits for an event, such as `CALL_INCOMING`, `CALL_ESTABLISHED` or `CALL_CLOSED`; drops all before it.
    /// Gives what baresip says about it.
    ///
    /// Errors: [`DemoError::Late`] if it does not come, [`DemoError::Ended`] once baresip has ended.
    pub async fn event(&mut self, kind: &str, wait: Duration) -> Result<Value, DemoError> {
        self.wait_for(wait, kind, |told| told["type"] == kind).await
    }

    /// Waits for whatever happens next.
    ///
    /// Errors: [`DemoError::Late`] if nothing does, [`DemoError::Ended`] once baresip has ended.
    pub async fn next(&mut self, wait: Duration) -> Result<Value, DemoError> {
        self.wait_for(wait, "an event", |told| told["event"] == true).await
    }

    /// Picks up.
    ///
    /// Errors: [`DemoError::Refused`] in baresip's words.
    pub async fn answer(&mut self) -> Result<(), DemoError> {
        self.order("accept", "").await
    }

    /// Hangs up, or declines a call that still rings.
    ///
    /// Errors: [`DemoError::Refused`] in baresip's words.
    pub async fn hang_up(&mut self) -> Result<(), DemoError> {
        self.order("hangup", "").await
    }

    /// Presses keys, `0-9 * # A-D`, one after the other, as RFC 4733 events.
    ///
    /// Errors: [`DemoError::Refused`] in baresip's words.
    pub async fn press(&mut self, keys: &str) -> Result<(), DemoError> {
        self.order("sndcode", keys).await
    }

    /// Says what is in a file (WAV, mono, 16 bit, 8,000 Hz), once, then nothing more.
    ///
    /// Errors: [`DemoError::Refused`] in baresip's words.
    pub async fn says(&mut self, voice: &Path) -> Result<(), DemoError> {
        let padded = self.recordings.with_file_name("says.wav");
        pad(voice, &padded)?;
        self.order("ausrc", &format!("aufile,{}", padded.display())).await
    }

    /// What it hears in this call, or has heard in the last one.
    pub fn recording(&self) -> Option<Recording> {
        Recording::newest(&self.recordings, "-dec.wav")
    }

    /// What it says in this call, or has said in the last one.
    pub fn own_voice(&self) -> Option<Recording> {
        Recording::newest(&self.recordings, "-enc.wav")
    }

    /// Tells it to do something else; see the `help` of baresip.
    ///
    /// Errors: [`DemoError::Refused`] in baresip's words, [`DemoError::Ended`] once it has ended.
    pub async fn order(&mut self, command: &str, parameters: &str) -> Result<(), DemoError> {
        let order = json!({"command": command, "params": parameters, "token": "offhook"});
        let order = order.to_string();
        self.orders.write_all(format!("{}:{order},", order.len()).as_bytes()).await?;
        let answered = timeout(ANSWER, async {
            loop {
                let told = self.told().await?;
                if told["response"] == true {
                    return Ok::<_, DemoError>(told);
                }
                if self.missed.len() < MISSED_MAX {
                    self.missed.push_back(told);
                }
            }
        });
        let what = || format!("the phone to obey {command}");
        let told = answered
            .await
            .unwrap_or_else(|_| Err(DemoError::Late { what: what(), waited: ANSWER }))?;
        if told["ok"] == true {
            return Ok(());
        }
        let reason = told["data"].as_str().unwrap_or_default().trim();
        Err(DemoError::Refused { part: "baresip", reason: format!("{command}: {reason}") })
    }

    async fn wait_for(
        &mut self,
        wait: Duration,
        what: &str,
        mut wanted: impl FnMut(&Value) -> bool,
    ) -> Result<Value, DemoError> {
        let read = timeout(wait, async {
            loop {
                let told = match self.missed.pop_front() {
                    Some(missed) => missed,
                    None => self.told().await?,
                };
                if wanted(&told) {
                    return Ok(told);
                }
            }
        });
        let late = || DemoError::Late { what: format!("the phone's {what}"), waited: wait };
        read.await.unwrap_or_else(|_| Err(late()))
    }

    async fn told(&mut self) -> Result<Value, DemoError> {
        loop {
            while let Some(told) = take_netstring(&mut self.unread) {
                if let Ok(told) = serde_json::from_slice(&told) {
                    return Ok(told);
                }
            }
            let read = self.told.read_buf(&mut self.unread).await?;
            if read == 0 || self.unread.len() > UNREAD_MAX {
                return Err(DemoError::Ended(self.part.name()));
            }
        }
    }
}

fn take_netstring(unread: &mut Vec<u8>) -> Option<Vec<u8>> {
    let colon = unread.iter().position(|octet| *octet == b':')?;
    let length: usize = std::str::from_utf8(&unread[..colon]).ok()?.parse().ok()?;
    let end = colon + 1 + length;
    if unread.len() <= end {
        return None;
    }
    let told = unread[colon + 1..end].to_vec();
    unread.drain(..=end);
    Some(told)
}

/// A voice, followed by quiet, because baresip hangs up at the end of its sound.
fn pad(voice: &Path, padded: &Path) -> Result<(), DemoError> {
    let copy = || {
        let mut reader = WavReader::open(voice)?;
        let mut writer = WavWriter::create(padded, reader.spec())?;
        for sample in reader.samples::<i16>() {
            writer.write_sample(sample?)?;
        }
        for _ in 0..RATE_HZ * QUIET_S {
            writer.write_sample(0_i16)?;
        }
        writer.finalize()
    };
    copy().map_err(|error| DemoError::System(std::io::Error::other(error)))
}

/// Longer than any call, because baresip hangs up at the end of its sound.
fn quiet(folder: &Path) -> Result<PathBuf, DemoError> {
    let file = folder.join("quiet.wav");
    let spec = WavSpec {
        channels: 1,
        sample_rate: RATE_HZ,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let write = || {
        let mut writer = WavWriter::create(&file, spec)?;
        for _ in 0..RATE_HZ * QUIET_S {
            writer.write_sample(0_i16)?;
        }
        writer.finalize()
    };
    write().map_err(|error| DemoError::System(std::io::Error::other(error)))?;
    Ok(file)
}

/// Where the distribution keeps baresip's modules.
fn modules() -> Option<PathBuf> {
    let plain = PathBuf::from("/usr/lib/baresip/modules");
    let multiarch = fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
    let multiarch = multiarch.map(|entry| entry.path().join("baresip/modules"));
    std::iter::once(plain).chain(multiarch).find(|folder| folder.join("ctrl_tcp.so").is_file())
}

const FIXED: &str = "audio_player aubridge,sink
audio_alert aubridge,alert
audio_txmode thread
rtp_ports 30000-39999
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
";
const RATE_HZ: u32 = 8000;
const QUIET_S: u32 = 330;
const START: Duration = Duration::from_secs(60);
const ANSWER: Duration = Duration::from_secs(60);
const MISSED_MAX: usize = 1000;
const UNREAD_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn netstrings_come_in_any_pieces() {
        let mut unread = Vec::new();
        let mut taken = Vec::new();
        for octet in b"3:abc,0:,12:hello world!," {
            unread.push(*octet);
            taken.extend(take_netstring(&mut unread));
        }
        assert_eq!(taken, [&b"abc"[..], b"", b"hello world!"]);
        assert!(unread.is_empty());
    }
}
