//! Every log line of a call names the call and its SIP Call-ID, also those of what runs beside it.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use offhook::call::{self, CallContext, CodecBudget, Stop};
use offhook::clock;
use offhook::config;
use offhook::media::codec::Codec;
use offhook::media::engine::{Engine, EngineSettings};
use offhook::media::stream::MediaTimeouts;
use offhook::notification::verification::{Code, VerificationId};
use offhook::notification::{AttemptId, Circumstances, Claim, Draft, NotificationId, Outcome};
use offhook::numbers::Numbers;
use offhook::script::prompt::Prompts;
use offhook::seed::Seed;
use offhook::speech::{Speaker, SpeechSettings};
use offhook::store::Store;
use offhook::subscriber::Subscriber;
use offhook::trunks::TrunkPool;
use tokio::sync::{Semaphore, mpsc, watch};
use tracing::Instrument;
use tracing::subscriber::set_default;
use xmpp_parsers::jid::BareJid;

use crate::call::Call;
use crate::programs::{Sipp, UDP, folder};

#[tokio::test]
async fn each_line_of_a_call_bears_its_spans() {
    let log = Log::default();
    let kept = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || kept.clone())
        .finish();
    let _log = set_default(subscriber);

    // The store knows nothing of the call, so that all it is asked for fails.
    let mut phone = Sipp::playing(&answering(&["9", "9"]), UDP);
    let context = context(&Call::to(phone.port), "log-spans-messages").await;
    let (_stop, stopped) = watch::channel(Stop::None);
    let (_change, changes) = mpsc::unbounded_channel();
    let span = call::span::outgoing(NotificationId(7), AttemptId(8));
    let attempt = call::place(claim(), &context, stopped.clone(), changes).instrument(span).await;
    assert_eq!(attempt.outcome, Outcome::Answered);
    phone.is_content();
    let lines = log.take();
    for what in ["progress of the call", "wish of the callee"] {
        assert!(lines.iter().any(|line| line.contains(what)), "{what}: {lines:#?}");
    }
    bear(&lines, "call{notification=7 attempt=8}:", &attempt.sip_call_id);

    // An answer without a description.
    let mut phone = Sipp::playing("<INVITE / >200 / <ACK / <BYE / >>200", UDP);
    let context = self::context(&Call::to(phone.port), "log-spans-code").await;
    let (id, digits) = (VerificationId(9), "123456".to_owned());
    let code = Code { id, number: number(), digits };
    let (prompts, domain) = (Prompts::new("en"), "example.org".to_owned());
    let span = call::span::verification(id);
    let placed = call::place_verification(&code, prompts, domain, &context, stopped.clone());
    let attempt = placed.instrument(span).await;
    phone.is_content();
    let lines = log.take();
    assert!(lines.iter().any(|line| line.contains("of no use")), "{lines:#?}");
    bear(&lines, "call{verification=9}:", &attempt.sip_call_id);

    let mut trunk = Call::to(5060);
    trunk.settings.takes_calls = true;
    let context = self::context(&trunk, "log-spans-incoming").await;
    let mut phone = Sipp::calling("calls_and_is_refused", context.agent.local(), "u1");
    let incoming = context.agent.next_call().await;
    let call_id = incoming.request.call_id.clone();
    // Nobody is let in, as too many are asked already who they are.
    let nobody = Semaphore::new(0);
    let received = call::receive(incoming, &context, &nobody, stopped, mpsc::unbounded_channel().1);
    assert_eq!(received.instrument(call::span::incoming()).await, None);
    phone.is_content();
    let lines = log.take();
    assert!(lines.iter().any(|line| line.contains("call refused")), "{lines:#?}");
    bear(&lines, "call{direction=\"in\"}:", &call_id);
}

fn bear(lines: &[String], call: &str, call_id: &str) {
    let sip = format!("sip{{call_id=\"{call_id}\"}}");
    for line in lines {
        assert!(line.contains(call) && line.contains(&sip), "{line} lacks {call} or {sip}");
    }
}

/// A phone that answers, presses keys and hangs up.
fn answering(keys: &[&str]) -> String {
    let key = |key: &&str| {
        format!("@1500 / >INFO|Content-Type: application/dtmf-relay||Signal={key} / <200 / ")
    };
    let keys: String = keys.iter().map(key).collect();
    format!("<INVITE / >180 / >200||SDP / <ACK / {keys}@1000 / >BYE / <200")
}

async fn context(call: &Call, name: &str) -> Arc<CallContext> {
    let trunk = Arc::new(call.trunk.clone());
    let settings = EngineSettings {
        listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
        advertise: None,
        ports: 44_000..=44_999,
        timeouts: MediaTimeouts::with_silence(Duration::from_secs(60)),
        dscp: 46,
    };
    let program = Some(env!("CARGO_BIN_EXE_offhook").into());
    let speaker =
        Speaker::start(SpeechSettings { program, ..SpeechSettings::default() }).await.unwrap();
    let mut live = config::read(&manual()).unwrap().live;
    live.policy.allow = vec!["+81".to_owned()];
    live.offer.codecs = vec![Codec::Pcmu];
    live.script.hear_first = false;
    (live.callback.enabled, live.callback.by_pin) = (true, true);
    let policy = live.policy.clone();
    let live = watch::channel(Arc::new(live)).1;
    Arc::new(CallContext {
        agent: call.agent().await,
        engine: Engine::start(settings, Seed::fresh()).unwrap(),
        speaker,
        store: Store::open(&folder(name).join("offhook.db"), policy).unwrap(),
        trunk_pool: TrunkPool::new(vec![trunk]),
        codec_budget: CodecBudget::default(),
        numbers: Numbers::default(),
        live,
    })
}

fn manual() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("component.toml")
}

fn claim() -> Claim {
    let bob = BareJid::new("bob@example.org").unwrap();
    let message = |id| offhook::notification::Message {
        id: offhook::notification::MessageId(id),
        received: clock::timestamp(),
        draft: Draft {
            stanza_id: None,
            sender: "alice@example.org".parse().unwrap(),
            recipient: bob.clone(),
            body: "Come home.".to_owned(),
            language: None,
            wants_receipt: false,
            stanza: String::new(),
            how: Circumstances::default(),
        },
        status_stanza_id: String::new(),
        chain: Default::default(),
    };
    Claim {
        notification: NotificationId(7),
        attempt: AttemptId(8),
        number: number(),
        callee: Subscriber::new(bob.clone(), "Bob".to_owned()),
        messages: vec![message(1), message(2)],
        continuing: false,
        pin_locked: false,
        lease_until: clock::timestamp(),
    }
}

fn number() -> offhook::phone_number::PhoneNumber {
    "+81378902222".parse().unwrap()
}

/// What the rooms of a call have logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn take(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        // Speech workers and the media thread serve all calls.
        let rooms = ["offhook::call", "offhook::sip::invite"];
        let lines = String::from_utf8(bytes).unwrap();
        let ours = |line: &&str| rooms.iter().any(|room| line.contains(room));
        lines.lines().filter(ours).map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
