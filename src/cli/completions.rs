//! `completions`: what a shell completes commands and flags by, made of the commands themselves.

use clap::{Command, ValueEnum};
use clap_complete::{Shell, generate};

use crate::man::print;
use crate::stop::Stop;

#[derive(clap::Args)]
#[command(after_help = "\
Where shells look for it:
  bash  clickproof completions bash > ~/.local/share/bash-completion/completions/clickproof
  zsh   clickproof completions zsh > _clickproof, in a directory of $fpath
  fish  clickproof completions fish > ~/.config/fish/completions/clickproof.fish")]
pub(crate) struct Args {
    /// Which shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Known,
}

/// The shells that are told of. The others that clap knows are nobody's here.
#[derive(Clone, Copy, ValueEnum)]
enum Known {
    Bash,
    Zsh,
    Fish,
}

/// Prints it.
pub(crate) fn run(args: &Args, command: &mut Command) -> Result<(), Stop> {
    let shell = match args.shell {
        Known::Bash => Shell::Bash,
        Known::Zsh => Shell::Zsh,
        Known::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    generate(shell, command, "clickproof", &mut script);
    print(&script)
}
