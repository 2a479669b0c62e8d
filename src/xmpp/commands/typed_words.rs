//! How each command is typed, in English and German. Where several words do, the first is the one that is told.

use super::values::{self, CommandError};
use super::{AdminCommand, SettingChange, UserCommand};
use crate::subscriber::{Quiet, SenderRule, Senders, Setting, WhenOffline};

/// How a command is typed. Alternative words are separated by `|`.
pub(super) enum Typed {
    /// These words and nothing else.
    Words(&'static str, fn() -> UserCommand),
    /// These words and a value.
    Value(&'static str, fn(&str) -> Result<UserCommand, CommandError>),
}

use Typed::{Value, Words};

pub(super) const HELP: &[Typed] = &[
    Words(
        "help|?|hilfe|help me|hi|hello|hallo|hey|moin|servus|guten tag|guten morgen|good morning|hello there|menu|menü|info\
         |commands|befehle|what can you do|was kannst du|how does this work|wie geht das|who are you|wer bist du|thanks\
         |thank you|danke|ok|okay|ヘルプ|aide|ayuda",
        || UserCommand::Help,
    ),
    Words("help more|more|more help|mehr|mehr hilfe|hilfe mehr", || UserCommand::HelpMore),
    Value("help|?|hilfe", |_| Ok(UserCommand::HelpMore)),
];

pub(super) const SETTINGS: &[Typed] = &[
    Words("on|an|ein|start|phone on|calls on|anrufe an|anrufe ein|resume me|wieder an", || {
        Setting::Offline(WhenOffline::Phone).into()
    }),
    Words(
        "off|stop|aus|stopp|unsubscribe|quit|phone off|calls off|anrufe aus|no calls|keine anrufe|do not call me|don't call me\
         |stop calling|stop calling me|nicht anrufen|nicht mehr anrufen|turn off|abschalten|ausschalten",
        || Setting::Offline(WhenOffline::Store).into(),
    ),
    Words(
        "second off|no second|second none|zweite aus|zweite nummer aus|second number off",
        || Setting::NoSecondNumber.into(),
    ),
    Value("second|second number|zweite|zweite nummer|zweitnummer", values::second_number),
    Words("quiet default|quiet hours default|ruhe standard|ruhezeit standard", || {
        Setting::Quiet(None).into()
    }),
    Words(
        "quiet off|quiet none|no quiet|no quiet hours|quiet hours off|ruhe aus|ruhezeit aus|ruhezeiten aus|keine ruhezeit\
         |keine ruhe",
        || Setting::Quiet(Some(Quiet::Never)).into(),
    ),
    Value("quiet|quiet hours|dnd|do not disturb|ruhe|ruhezeit|ruhezeiten|nachtruhe", values::quiet),
    Words("timezone default|time zone default|zeitzone standard", || {
        Setting::TimeZone(None).into()
    }),
    Value("timezone|time zone|tz|zone|zeitzone|my timezone|set timezone", values::zone),
    Words("language default|sprache standard", || Setting::Language(None).into()),
    Value("language|lang|sprache|speak|sprich|set language|my language", values::language),
    Words("pin off|no pin|pin none|pin aus|keine pin", || SettingChange::pin("").into()),
    Value("pin|my pin|meine pin|set pin", values::pin),
];

pub(super) const NUMBER: &[Typed] = &[
    Words(
        "phone remove|remove number|remove my number|number off|nummer löschen|nummer aus",
        || Setting::NoNumber.into(),
    ),
    Value(
        "phone|number|my number|my phone|call me at|call me on|tel|mobile|telefon|nummer|handy|meine nummer|telefonnummer",
        values::first_number,
    ),
];

pub(super) const CODE: &[Typed] =
    &[Value("code|the code|my code|der code|code ist|the code is", values::code)];

pub(super) const SHOW: &[Typed] = &[Words(
    "show|status|settings|setting|config|show settings|show me|zeige|zeigen|einstellungen|was ist eingestellt|me|ich",
    || UserCommand::Show,
)];

pub(super) const SENDER: &[Typed] = &[
    Value("allow|erlaube|erlauben|zulassen|permit", |jid| match without_off(jid) {
        Some(jid) => Ok(Setting::NoSenderRule(values::person(jid)?).into()),
        None => Ok(Setting::Sender(values::person(jid)?, SenderRule::Allow).into()),
    }),
    Value("block|sperre|sperren|blockiere|blockieren|ban|ignore", |jid| match without_off(jid) {
        Some(jid) => Ok(Setting::NoSenderRule(values::person(jid)?).into()),
        None => Ok(Setting::Sender(values::person(jid)?, SenderRule::Block).into()),
    }),
    Value("unblock|unallow|disallow|no rule|unban|entsperre|entsperren|keine regel", |jid| {
        Ok(Setting::NoSenderRule(values::person(jid)?).into())
    }),
    Value("report|report spam|spam|melde|melden", |jid| {
        Ok(UserCommand::Report(values::person(jid)?))
    }),
    Words("everyone|everybody|anyone|all|alle|jeder|everyone on", || {
        senders(Some(Senders::Everyone))
    }),
    Words(
        "contacts|my contacts|kontakte|meine kontakte|contacts on|only contacts|nur kontakte",
        || senders(Some(Senders::Contacts)),
    ),
    Words("domain|my server|meine domain|mein server", || senders(Some(Senders::Domain))),
    Words(
        "senders default|everyone off|contacts off|domain off|everyone default|contacts default|alle aus|kontakte aus\
         |absender standard",
        || senders(None),
    ),
];

pub(super) const RULES: &[Typed] =
    &[Words("rules|regeln|blocked|allowed|block list|blocklist|gesperrt", || UserCommand::Rules)];

pub(super) const TEST: &[Typed] = &[Words(
    "test|testen|test call|testanruf|phone me now|call me|call me now|ruf mich an|ruf an|probe|try it",
    || UserCommand::Test,
)];

pub(super) const CALLS: &[Typed] = &[Words(
    "calls|anrufe|my calls|last calls|letzte anrufe|history|log|die letzten anrufe",
    || UserCommand::Calls,
)];

pub(super) const FORGET: &[Typed] = &[
    Words(
        "forget me|forget|delete me|delete my account|delete my data|erase me|vergiss mich|lösche mich|lösch mich\
         |alles löschen|unregister",
        || UserCommand::Forget { confirmed: false },
    ),
    Words("forget me now|delete me now|vergiss mich jetzt|lösche mich jetzt", || {
        UserCommand::Forget { confirmed: true }
    }),
];

pub(super) const PEOPLE: &[Typed] =
    &[Words("people|users|subscribers|leute|benutzer", || AdminCommand::People.into())];

pub(super) const ALL_CALLS: &[Typed] =
    &[Words("all calls|alle anrufe", || AdminCommand::Calls.into())];

pub(super) const TEST_CALL: &[Typed] = &[Value("test-call|test call to|testanruf an", |jid| {
    Ok(AdminCommand::TestCall(values::person(jid)?).into())
})];

pub(super) const SUSPEND: &[Typed] = &[
    Words("suspend|pause|aussetzen", || AdminCommand::Suspend(true).into()),
    Words("resume|continue|fortsetzen|weiter", || AdminCommand::Suspend(false).into()),
];

fn senders(who: Option<Senders>) -> UserCommand {
    Setting::Senders(who).into()
}

/// The address, if "off" follows it.
fn without_off(value: &str) -> Option<&str> {
    let (jid, last) = value.rsplit_once(' ')?;
    ["off", "aus", "none"].contains(&last.to_lowercase().as_str()).then(|| jid.trim_end())
}
