//! What holds in a world from its beginning: the rules, and of what kind its phones and lines are.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::tz::TimeZone;
use offhook::config::{self, Live};
use offhook::notification::Throttle;
use offhook::notification::policy::Policy;
use offhook::notification::rules::RetryPauses;
use offhook::seed::Seed;
use offhook::subscriber::{Pin, Subscriber};
use xmpp_parsers::jid::BareJid;

use crate::clocks::quiet_hours;
use crate::server::COMPONENT;
use crate::world::CALLEES;

/// Numbers that may be dialled and reach a phone.
pub(crate) const NUMBERS: [&str; 4] =
    ["+81378901111", "+81378902222", "+81378903333", "+81378904444"];
/// The PIN of those who have one.
pub(crate) const PIN: &str = "4711";

pub(crate) struct Nature {
    /// The configuration as it is written.
    pub(crate) file: Configured,
    /// The configuration as the program has taken it over.
    pub(crate) force: Configured,
    /// Since when the rules are in force.
    pub(crate) force_since: Duration,
    /// Calls run the real machine and script, with phones that speak SIP.
    pub(crate) calls_are_real: bool,
    /// The network loses SIP datagrams.
    pub(crate) loses_datagrams: bool,
    /// The trunk says nothing at all.
    pub(crate) trunk_is_silent: bool,
    /// The second of the callees has a PIN.
    pub(crate) has_pin: bool,
    /// Calls in a day that the model believes in.
    pub(crate) calls_per_day_max: u32,
}

/// What an operator writes.
#[derive(Clone)]
pub(crate) struct Configured {
    pub(crate) policy: Policy,
    /// The numbers of [`CALLEES`].
    pub(crate) numbers: [&'static str; 2],
}

impl Nature {
    pub(crate) fn plain(policy: Policy) -> Self {
        let calls_per_day_max = policy.calls_per_day_max;
        let file = Configured { policy, numbers: [NUMBERS[0], NUMBERS[1]] };
        Self {
            force: file.clone(),
            file,
            force_since: Duration::ZERO,
            calls_are_real: false,
            loses_datagrams: false,
            trunk_is_silent: false,
            has_pin: false,
            calls_per_day_max,
        }
    }

    pub(crate) fn drawn(seed: &mut Seed) -> Self {
        let wait = [0, 2, 60][seed.below(3) as usize];
        let throttle = [vec![], [(1, 60), (3, 900)].map(Throttle::from).to_vec()];
        let [free, bound] = throttle;
        let policy = Policy {
            wait: Duration::from_secs(wait),
            quiet: quiet_hours(seed),
            zone: TimeZone::UTC,
            allow: (0..=9).map(|digit| format!("+81{digit}")).collect(),
            retry: RetryPauses { no_answer: vec![Duration::from_secs(60)], ..Default::default() },
            throttle: if seed.below(2) == 0 { free } else { bound },
            sender_throttle: vec![],
            sender_calls: vec![],
            keep: Duration::from_secs(if seed.below(8) == 0 { 240 } else { 72 * 3600 }),
            calls_per_day_max: if seed.below(8) == 0 { 3 } else { 200 },
            ..Policy::default()
        };
        let mut nature = Self::plain(policy);
        nature.calls_are_real = seed.below(4) == 0;
        nature.loses_datagrams = seed.below(4) == 0;
        nature.trunk_is_silent = seed.below(12) == 0;
        nature.has_pin = seed.below(3) == 0;
        nature
    }
}

impl Nature {
    /// Whether calls to one number are throttled, before and after whatever the operator has changed.
    pub(crate) fn is_throttled(&self) -> bool {
        !self.force.policy.throttle.is_empty() && !self.file.policy.throttle.is_empty()
    }
}

impl Configured {
    /// Those whom the operator has configured.
    pub(crate) fn people(&self) -> Vec<Subscriber> {
        CALLEES.iter().zip(self.numbers).map(|(jid, number)| person(jid, number)).collect()
    }

    /// All that SIGHUP may change.
    pub(crate) fn live(&self) -> Arc<Live> {
        static READ: OnceLock<Live> = OnceLock::new();
        let read = READ.get_or_init(|| {
            let text = format!(
                "[component]\njid = \"{COMPONENT}\"\nsecret = \"x\"\n\
                 [[trunk]]\nname = \"pbx\"\nproxy = \"sip:192.0.2.1\"\nfrom = \"sip:+81312345678@example.org\"\n\
                 [sip]\ncallback = true\ncallback_pin = true\n[dial]\nallow = [\"+81\"]\n"
            );
            config::read_text(Path::new("component.toml"), text).unwrap().live
        });
        Arc::new(Live { policy: self.policy.clone(), ..read.clone() })
    }
}

fn person(jid: &str, number: &str) -> Subscriber {
    let name = jid.split('@').next().unwrap_or_default().to_owned();
    let number = Some(number.parse().unwrap());
    Subscriber { number, ..Subscriber::new(BareJid::new(jid).unwrap(), name) }
}

/// [`PIN`] as it is stored. To hash it takes long.
pub(crate) fn pin() -> Pin {
    static HASHED: OnceLock<Pin> = OnceLock::new();
    HASHED.get_or_init(|| Pin::new(PIN, &mut Seed::fixed(7)).unwrap()).clone()
}
