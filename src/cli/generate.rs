//! `offhook generate`: the manual page and the completions of shells, as packages bring them.

use std::io;
use std::process::ExitCode;

use clap::{Command, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;

use super::failed;
use super::output::show;

/// What is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Generated {
    /// offhook(1).
    Man,
    /// For bash.
    Bash,
    /// For fish.
    Fish,
    /// For zsh.
    Zsh,
}

pub(super) fn run(wanted: Generated, command: Command) -> ExitCode {
    match text(wanted, command) {
        Ok(text) => {
            show(text.trim_end());
            ExitCode::SUCCESS
        }
        Err(error) => failed(error),
    }
}

fn text(wanted: Generated, mut command: Command) -> io::Result<String> {
    let mut text = vec![];
    let shell = match wanted {
        Generated::Man => {
            man(command, &mut text)?;
            return Ok(String::from_utf8_lossy(&text).into_owned());
        }
        Generated::Bash => Shell::Bash,
        Generated::Fish => Shell::Fish,
        Generated::Zsh => Shell::Zsh,
    };
    clap_complete::generate(shell, &mut command, "offhook", &mut text);
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// One page: the program, then what each command takes.
fn man(mut command: Command, text: &mut Vec<u8>) -> io::Result<()> {
    command.build();
    let commands: Vec<_> =
        command.get_subcommands().filter(|it| !it.is_hide_set()).cloned().collect();
    Man::new(command).render(text)?;
    for command in commands {
        let page = Man::new(command.clone());
        let name = command.get_name().to_uppercase();
        text.extend(format!(".SH {name}\n").bytes());
        page.render_synopsis_section(text)?;
        page.render_description_section(text)?;
        page.render_options_section(text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::CommandLine;

    #[test]
    fn each_command_stands_in_the_manual_page_and_in_the_completions() {
        for wanted in [Generated::Man, Generated::Bash, Generated::Fish, Generated::Zsh] {
            let text = text(wanted, CommandLine::command()).unwrap().replace('\\', "");
            for name in ["backup", "logs-explained", "licences", "log-format"] {
                assert!(text.contains(name), "{wanted:?} has no {name}");
            }
        }
    }
}
