//! The peers: sipp plays a script, Kamailio is a PBX, baresip a softphone. Each ends with its value.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use offhook::clock::now;
use offhook::demo::child_process::free_port;
use rustix::process::{Pid, Signal, kill_process};

/// A scripted phone.
pub(crate) struct Sipp {
    program: Program,
    pub(crate) port: u16,
    scenario: String,
    statistics: PathBuf,
    errors: PathBuf,
}

impl Sipp {
    pub(crate) fn start(scenario: &str) -> Self {
        Self::start_for(scenario, 1)
    }

    /// The same for so many calls.
    pub(crate) fn start_for(scenario: &str, calls: usize) -> Self {
        Self::start_with(scenario, calls, UDP)
    }

    /// The same with an address (`-i`, first) and a transport.
    pub(crate) fn start_with(scenario: &str, calls: usize, options: &[&str]) -> Self {
        Self::start_lasting(scenario, calls, options, LASTS_S)
    }

    /// The same for a test that takes so long, in seconds.
    pub(crate) fn start_lasting(
        scenario: &str,
        calls: usize,
        options: &[&str],
        lasts_s: u64,
    ) -> Self {
        let (port, file) = (free_port().unwrap(), data(&format!("{scenario}.xml")));
        Self::launch(scenario, &file, port, calls, options, lasts_s)
    }

    /// One that plays a script, as [`crate::script`] has it.
    pub(crate) fn playing(script: &str, options: &[&str]) -> Self {
        Self::playing_on(free_port().unwrap(), script, options)
    }

    /// The same on this port, which the script may have to know.
    pub(crate) fn playing_on(port: u16, script: &str, options: &[&str]) -> Self {
        let file = folder("sipp").join(format!("{port}.xml"));
        fs::write(&file, crate::script::scenario(script)).unwrap();
        Self::launch(script, &file, port, 1, options, LASTS_S)
    }

    fn launch(
        name: &str,
        file: &Path,
        port: u16,
        calls: usize,
        options: &[&str],
        lasts_s: u64,
    ) -> Self {
        let phone = Self::begin(name, file, port, calls, options, lasts_s);
        wait_for(options[1], port, options.contains(&"t1"));
        phone
    }

    fn begin(
        name: &str,
        file: &Path,
        port: u16,
        calls: usize,
        options: &[&str],
        lasts_s: u64,
    ) -> Self {
        let mut command = bounded_to("sipp", lasts_s);
        command.arg("-sf").arg(file).args(options).arg("-nostdin");
        command.args(["-p", &port.to_string(), "-m", &calls.to_string()]);
        let statistics = folder("sipp").join(format!("{port}.csv"));
        command.args(["-trace_stat", "-fd", "1", "-stf"]).arg(&statistics);
        let errors = folder("sipp").join(format!("{port}.log"));
        let _ = fs::remove_file(&errors);
        command.args(["-trace_err", "-error_file"]).arg(&errors);
        let program = Program::start(command);
        Self { program, port, scenario: name.to_owned(), statistics, errors }
    }

    /// One that calls, once, over `u1` or `t1`.
    pub(crate) fn calling(scenario: &str, to: SocketAddr, transport: &str) -> Self {
        let port = free_port().unwrap();
        let file = data(&format!("{scenario}.xml"));
        let to = to.to_string();
        let options = ["-i", "127.0.0.1", "-t", transport, &to];
        Self::begin(scenario, &file, port, 1, &options, LASTS_S)
    }

    /// Calls that are open, that went as written, and that did not.
    pub(crate) fn calls(&self) -> [usize; 3] {
        let statistics = fs::read_to_string(&self.statistics).unwrap();
        let (names, rows) = statistics.split_once('\n').unwrap();
        let last = rows.lines().last().unwrap();
        ["CurrentCall", "SuccessfulCall(C)", "FailedCall(C)"].map(|wanted| {
            let column = names.split(';').position(|name| name == wanted).unwrap();
            last.split(';').nth(column).unwrap().parse().unwrap()
        })
    }

    /// Waits for the scenario's end and checks that it went as written.
    pub(crate) fn is_content(&mut self) {
        let status = self.program.0.wait().unwrap();
        let errors = fs::read_to_string(&self.errors).unwrap_or_default();
        assert!(status.success(), "{} saw something else: {status} {errors}", self.scenario);
    }
}

/// A PBX that wants a password for everything: `secret`.
pub(crate) struct Kamailio {
    _program: Program,
    pub(crate) port: u16,
}

impl Kamailio {
    /// Calls go on to `phone`.
    pub(crate) fn start(phone: u16, algorithm: &str) -> Self {
        Self::start_on(free_port().unwrap(), phone, algorithm, None)
    }

    /// The same on another address.
    pub(crate) fn start_at(address: &str, phone: u16, algorithm: &str) -> Self {
        Self::launch(address, free_port().unwrap(), phone, algorithm, None)
    }

    /// The same that also takes connections on its port, and encrypted ones on another.
    pub(crate) fn start_on(
        port: u16,
        phone: u16,
        algorithm: &str,
        tls: Option<(u16, &Certificate)>,
    ) -> Self {
        Self::launch("127.0.0.1", port, phone, algorithm, tls)
    }

    fn launch(
        address: &str,
        port: u16,
        phone: u16,
        algorithm: &str,
        tls: Option<(u16, &Certificate)>,
    ) -> Self {
        let folder = folder(&format!("kamailio-{port}"));
        let config = fs::read_to_string(data("kamailio.cfg")).unwrap();
        let config = config.replace("ADDRESS", address);
        let config = config.replace("PORT", &port.to_string()).replace("PHONE", &phone.to_string());
        let connections = match tls {
            Some((tls, Certificate { key, chain, .. })) => format!(
                "listen=tcp:127.0.0.1:{port}\nlisten=tls:127.0.0.1:{tls}\nenable_tls=yes\ntcp_children=1\n\
                 loadmodule \"tls.so\"\nmodparam(\"tls\", \"private_key\", \"{}\")\n\
                 modparam(\"tls\", \"certificate\", \"{}\")\n\
                 modparam(\"tls\", \"tls_method\", \"TLSv1.2+\")",
                key.display(),
                chain.display()
            ),
            None => "disable_tcp=yes".to_owned(),
        };
        let config = config.replace("CONNECTIONS", &connections);
        let file = folder.join("kamailio.cfg");
        fs::write(&file, config.replace("ALGORITHM", algorithm)).unwrap();
        let mut command = bounded("kamailio");
        command.args(["-DD", "-E", "-m", "16", "-M", "4", "-f"]).arg(file).arg("-Y").arg(&folder);
        command.arg("-P").arg(folder.join("pid"));
        let program = Program::start(command);
        wait_for(address, port, false);
        if let Some((tls, _)) = tls {
            wait_for("127.0.0.1", tls, true);
        }
        Self { _program: program, port }
    }
}

/// A DNS server for names that end in `.test`.
pub(crate) struct Dnsmasq {
    _program: Program,
    pub(crate) address: SocketAddr,
}

impl Dnsmasq {
    /// A line is a name, a type, and what that type has: NAPTR order, service and name, SRV priority, port and name,
    /// A nothing or an address.
    pub(crate) fn start(zone: &str) -> Self {
        let port = free_port().unwrap();
        let mut command = bounded("dnsmasq");
        command.args(["--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"]);
        command.args([
            "--listen-address=127.0.0.1",
            "--bind-interfaces",
            "--pid-file=",
            "--local=/test/",
        ]);
        command.args([
            format!("--port={port}"),
            format!("--user={}", std::env::var("USER").unwrap_or("root".into())),
        ]);
        for line in zone.lines() {
            command.arg(match line.split(' ').collect::<Vec<_>>()[..] {
                [name, "NAPTR", order, service, to] => {
                    format!("--naptr-record={name},{order},1,s,{service},,{to}")
                }
                [name, "SRV", priority, port, to] => {
                    format!("--srv-host={name},{to},{port},{priority},0")
                }
                [name, "A"] => format!("--host-record={name},127.0.0.1"),
                [name, "A", address] => format!("--host-record={name},{address}"),
                _ => panic!("{line} is no record"),
            });
        }
        let program = Program::start(command);
        wait_for("127.0.0.1", port, false);
        Self { _program: program, address: (Ipv4Addr::LOCALHOST, port).into() }
    }
}

/// What a trunk shows to prove its name.
pub(crate) struct Certificate {
    key: PathBuf,
    chain: PathBuf,
    pub(crate) authority: PathBuf,
}

impl Certificate {
    /// For `name`, such as `DNS:localhost` or `IP:127.0.0.1`, by an authority of its own.
    pub(crate) fn of(name: &str) -> Self {
        let folder = folder(&format!("tls-{}-{}", name.replace(':', "-"), free_port().unwrap()));
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        let script = format!(
            "openssl req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=authority-$RANDOM$$ && \
             openssl req {key} -keyout key.pem -out request.pem -subj /CN=trunk && \
             echo 'subjectAltName={name}' > extensions && \
             openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
                 -extfile extensions -out chain.pem"
        );
        let made = Command::new("sh").args(["-c", &script]).current_dir(&folder).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let [key, chain, authority] =
            ["key.pem", "chain.pem", "ca.pem"].map(|file| folder.join(file));
        Self { key, chain, authority }
    }
}

/// A softphone that answers at once and sends back what it hears.
pub(crate) struct Baresip {
    _program: Program,
    pub(crate) port: u16,
    pub(crate) control: u16,
}

impl Baresip {
    pub(crate) fn start() -> Self {
        Self::start_with("g711.so", "pcmu/8000/1,pcma/8000/1")
    }

    /// One that knows these codecs only.
    pub(crate) fn start_with(module: &str, codecs: &str) -> Self {
        Self::start_as(&format!("module {module}\n"), &format!("audio_codecs={codecs}"))
    }

    /// One that encrypts in this manner (`mediaenc`), or not at all.
    pub(crate) fn start_encrypted(manner: &str) -> Self {
        let account = "audio_codecs=pcmu/8000/1";
        match manner {
            "" => Self::start_as("module g711.so\n", account),
            _ => Self::start_as(
                "module g711.so\nmodule srtp.so\n",
                &format!("{account};mediaenc={manner}"),
            ),
        }
    }

    fn start_as(modules: &str, account: &str) -> Self {
        let (port, control) = (free_port().unwrap(), free_port().unwrap());
        let folder = folder(&format!("baresip-{port}"));
        let config = format!(
            "sip_listen 127.0.0.1:{port}\naudio_player aubridge,loop\naudio_source aubridge,loop\naudio_alert aubridge,alert\n\
             rtp_ports 42000-42999\nmodule_path /usr/lib/baresip/modules\n{modules}module aubridge.so\n\
             module_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:{control}\n"
        );
        fs::write(folder.join("config"), config).unwrap();
        let account = format!("<sip:phone@127.0.0.1:{port}>;regint=0;answermode=auto;{account}\n");
        fs::write(folder.join("accounts"), account).unwrap();
        fs::write(folder.join("contacts"), "").unwrap();
        let mut command = bounded("baresip");
        command.arg("-f").arg(&folder);
        let program = Program::start(command);
        wait_for("127.0.0.1", port, false);
        Self { _program: program, port, control }
    }

    /// Has the phone do what its user would: `hold`, `resume`, `hangup`, `sndcode 5`.
    pub(crate) fn command(control: u16, command: &str) {
        let (command, params) = command.split_once(' ').unwrap_or((command, ""));
        let json = format!("{{\"command\":\"{command}\",\"params\":\"{params}\",\"token\":\"t\"}}");
        let mut stream = TcpStream::connect(("127.0.0.1", control)).unwrap();
        write!(stream, "{}:{json},", json.len()).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A phone on loopback that is called by datagrams.
pub(crate) const UDP: &[&str] = &["-i", "127.0.0.1"];
/// The same by a connection.
pub(crate) const TCP: &[&str] = &["-i", "127.0.0.1", "-t", "t1"];

/// Linphone, which answers at once and has files for a sound card.
pub(crate) struct Linphone {
    program: Program,
    pub(crate) port: u16,
}

impl Linphone {
    pub(crate) fn start() -> Self {
        let (port, rtp) = (free_port().unwrap(), free_port().unwrap());
        let folder = folder(&format!("linphone-{port}"));
        let config = format!(
            "[sip]\nsip_port={port}\nsip_tcp_port=0\nsip_tls_port=0\n[rtp]\naudio_rtp_port={rtp}\n\
             [storage]\nuri={}\n",
            folder.join("linphone.db").display()
        );
        fs::write(folder.join("linphonerc"), config).unwrap();
        let mut command = bounded("linphonec");
        command.arg("-c").arg(folder.join("linphonerc")).args(["-a", "-C"]).stdin(Stdio::piped());
        let program = Program::start(command);
        wait_for("127.0.0.1", port, false);
        let mut phone = Self { program, port };
        phone.command("soundcard use files");
        phone
    }

    /// Types what its user would: `pause`, `resume`, `terminate`, and in a call a key.
    pub(crate) fn command(&mut self, command: &str) {
        writeln!(self.program.0.stdin.as_mut().unwrap(), "{command}").unwrap();
    }
}

struct Program(Child);

impl Program {
    fn start(mut command: Command) -> Self {
        let command = command.current_dir(folder("work"));
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
            let _ = self.0.wait();
        }
    }
}

/// A program that cannot outlive its test by long, whatever becomes of us.
fn bounded(program: &str) -> Command {
    bounded_to(program, LASTS_S)
}

fn bounded_to(program: &str, seconds: u64) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=2", &seconds.to_string(), program]).stdin(Stdio::null());
    command
}

const LASTS_S: u64 = 90;

/// Whether a socket takes datagrams at this port. To try to bind it would keep the program from it that is awaited.
fn has_datagram_socket(port: u16) -> bool {
    let port = format!(":{port:04X}");
    ["/proc/net/udp", "/proc/net/udp6"].iter().any(|table| {
        let table = fs::read_to_string(table).unwrap_or_default();
        table.lines().filter_map(|it| it.split_whitespace().nth(1)).any(|it| it.ends_with(&port))
    })
}

/// Waits until somebody listens: to connections, or to datagrams.
fn wait_for(address: &str, port: u16, connections: bool) {
    let patience = now() + Duration::from_secs(10);
    let taken = || match connections {
        true => TcpStream::connect((address, port)).is_ok(),
        false => has_datagram_socket(port),
    };
    while !taken() {
        assert!(now() < patience, "nobody listens on {port}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn data(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/data/sip", name].iter().collect()
}

/// A folder of the tests.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("sip_peers").join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}
