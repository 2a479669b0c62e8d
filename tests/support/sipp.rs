//! A phone that plays a script, for any number and any number of calls: sipp.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use offhook::demo::child_process::{ChildProcess, DemoError, free_port};
use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};

/// A running sipp.
pub(crate) struct Sipp {
    pub(crate) sip: SocketAddr,
    _part: ChildProcess,
}

impl Sipp {
    /// Starts one with a scenario of `tests/data/sip`, and returns when it takes calls. `blanks` are words in it and what to
    /// write in their place.
    pub(crate) async fn start(
        folder: &Path,
        scenario: &str,
        blanks: &[(&str, &str)],
    ) -> Result<Self, DemoError> {
        let sip = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let source: PathBuf =
            [env!("CARGO_MANIFEST_DIR"), "tests/data/sip", scenario].iter().collect();
        let mut script = fs::read_to_string(source.with_extension("xml"))?;
        for (blank, written) in blanks {
            script = script.replace(blank, written);
        }
        fs::write(folder.join("script.xml"), script)?;
        let port = sip.port().to_string();
        let arguments = ["-sf", "script.xml", "-i", "127.0.0.1", "-p", &port, "-nostdin"];
        let part = ChildProcess::start("sipp", Path::new("sipp"), &arguments, folder)?;
        let taken = timeout(START, async {
            while UdpSocket::bind(sip).await.is_ok() {
                sleep(STEP).await;
            }
        });
        let late = |_| DemoError::Late { what: format!("sipp with {scenario}"), waited: START };
        taken.await.map_err(late)?;
        Ok(Self { sip, _part: part })
    }
}

const START: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(20);
