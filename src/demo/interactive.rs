//! The demo for people who play all parts themselves.

use std::io;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::chat_client::ChatUpdate;
use super::child_process::DemoError;
use super::phone::Phone;
use super::stage::{ALICE, BOB, BOB_BY_PHONE, PASSWORD, Stage};
use super::terminal::Terminal;
use crate::seed::Seed;

/// Starts everything and obeys the terminal until the demo is ended from outside.
///
/// Errors: [`DemoError`] if something does not start or ends early.
pub(super) async fn run(shown: &Terminal) -> Result<(), DemoError> {
    let mut stage = Stage::set(shown, true).await?;
    let shown = &shown.without_spinner();
    shown.write(&help(&stage));
    let mut terminal = terminal();
    let mut at_terminal = true;
    let mut ids = Seed::fresh();
    loop {
        let Stage { alice, phone, offhook, .. } = &mut stage;
        let parts_run = offhook.is_running();
        let mut other_phone = None;
        tokio::select! {
            line = terminal.recv(), if at_terminal => {
                let Some(line) = line else {
                    at_terminal = false;
                    continue;
                };
                let done = match line.trim() {
                    "" => Ok(()),
                    "a" => phone.answer().await,
                    "h" => phone.hang_up().await,
                    keys if keys.chars().all(|key| key.is_ascii_digit() || key == '*' || key == '#') => {
                        phone.press(keys).await
                    }
                    uri if uri.starts_with("sip:") && !uri.contains(['"', '\\', ' ']) => {
                        other_phone = Some(uri.to_owned());
                        Ok(())
                    }
                    text => {
                        shown.line("Alice", text);
                        alice.send(BOB_BY_PHONE, &ids.token(), text).await
                    }
                };
                match done {
                    Err(DemoError::Refused { reason, .. }) => shown.line("phone", &reason),
                    other => other?,
                }
            }
            told = alice.next(LONG) => match told {
                Ok(ChatUpdate::Message(message)) => shown.read_by_alice(&message),
                Ok(ChatUpdate::Other(_)) | Err(DemoError::Late { .. }) => (),
                Err(error) => return Err(error),
            },
            event = phone.next(LONG) => match event {
                Ok(event) => show_event(shown, phone, event["type"].as_str()),
                Err(DemoError::Late { .. }) => (),
                Err(error) => return Err(error),
            },
            () = sleep(LOOK) => if !parts_run {
                stage.show_logs(shown);
                return Err(DemoError::Ended("offhook"));
            },
        }
        if let Some(uri) = other_phone {
            stage.point_at(&uri).await?;
            shown.line("Offhook", &format!("was started again; it calls {uri} from now on"));
        }
    }
}

/// Shows what the phone says of its calls.
fn show_event(shown: &Terminal, phone: &Phone, event: Option<&str>) {
    match event {
        Some("CALL_INCOMING") => shown.line("phone", "rings: a picks up, h declines"),
        Some("CALL_ESTABLISHED") => shown.line("phone", "was picked up"),
        Some("CALL_CLOSED") => {
            shown.line("phone", "the call is over");
            if let Some(heard) = phone.recording() {
                shown.line("phone", &format!("heard {}", heard.file().display()));
            }
        }
        Some(_) | None => (),
    }
}

/// Lines as they are typed.
fn terminal() -> mpsc::Receiver<String> {
    let (lines, typed) = mpsc::channel(1);
    // A thread of its own: the runtime would wait for its read to end before the program can.
    std::thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                break;
            }
        }
    });
    typed
}

fn help(stage: &Stage) -> String {
    format!(
        "\n\
         Chat server    {clients}, without encryption, host localhost\n\
         Accounts       {ALICE} and {BOB}, password {PASSWORD}\n\
         Bob by phone   write to {BOB_BY_PHONE} while {BOB} is offline\n\
         Phone          baresip at sip:{sip}\n\
         Your own phone type its address here, such as sip:127.0.0.1:5060\n\
         Configuration  {configuration}\n\
         All files      {folder}\n\
         \n\
         Here: a picks up, h hangs up, digits * # press keys, any other line is what Alice writes to Bob. Ctrl-C ends everything.\n",
        clients = stage.prosody.clients,
        sip = stage.phone.sip,
        configuration = stage.configuration.display(),
        folder = stage.folder().display(),
    )
}

const LONG: Duration = Duration::from_secs(3600);
const LOOK: Duration = Duration::from_secs(1);
