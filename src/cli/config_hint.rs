//! Repeats `--config` in the commands that messages name, so that they can be copied.

use std::path::Path;

use clap::CommandFactory as _;

use super::Cli;
use crate::config::DEFAULT_FILE;

/// Returns the text with `--config FILE` in each command of Marquee that it names, unless that is the default file.
pub(super) fn with_config(text: &str, file: &Path) -> String {
    const PROGRAM: &str = "marquee ";
    if file == Path::new(DEFAULT_FILE) || !text.contains(PROGRAM) {
        return text.to_owned();
    }
    let root = Cli::command();
    let option = format!("--config {} ", quoted(&file.display().to_string()));
    let mut parts = text.split(PROGRAM);
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let word = part.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default();
        let is_command = root.get_subcommands().any(|command| command.get_name() == word);
        result.extend([PROGRAM, if is_command { option.as_str() } else { "" }, part]);
    }
    result
}

/// The path as a word of a shell.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:@%".contains(c);
    if path.chars().all(is_plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_repeat_the_config_file() {
        for (file, text, expected) in [
            ("a.toml", "run: marquee feed release anora", "run: marquee --config a.toml feed release anora"),
            (
                "a.toml",
                "`marquee host list`, `marquee serve`",
                "`marquee --config a.toml host list`, `marquee --config a.toml serve`",
            ),
            ("my site.toml", "marquee preview x", "marquee --config 'my site.toml' preview x"),
            ("it's.toml", "marquee preview x", r"marquee --config 'it'\''s.toml' preview x"),
            ("a.toml", "a marquee sign, and marquee previews", "a marquee sign, and marquee previews"),
            (DEFAULT_FILE, "run: marquee feed held", "run: marquee feed held"),
        ] {
            assert_eq!(with_config(text, Path::new(file)), expected);
        }
    }
}
