//! The texts of the pages in the language of the site: Fluent messages (projectfluent.org), one file for each language
//! in `messages/`.
//!
//! Templates get a message by its key: `t(key, name=value)` returns HTML in which outside text is escaped and isolated
//! with `bdi`; `say(key, …)` returns plain text, for attributes and titles.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};
use unic_langid::LanguageIdentifier;

use super::number_format::format_number;
use crate::domain::html_escape::escape_into;

/// English comes first, as the fallback for messages that another language lacks.
const BUILT_IN: [(&str, &str); 2] =
    [("en", include_str!("messages/en.ftl")), ("de", include_str!("messages/de.ftl"))];

/// A file in the looks folder with messages that replace the built-in ones, in any language.
const CUSTOM_FILE: &str = "words.ftl";

/// The messages of one language.
pub struct Messages {
    bundle: FluentBundle<FluentResource>,
    tag: String,
}

impl std::fmt::Debug for Messages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Messages").field(&self.tag).finish()
    }
}

impl Messages {
    /// Loads the messages for a site in `language` (BCP 47). Those in `words.ftl` in the folder `overrides` replace the
    /// built-in ones.
    ///
    /// # Errors
    /// If that file cannot be read or is not valid Fluent.
    pub fn load(language: &str, overrides: Option<&Path>) -> anyhow::Result<Self> {
        let requested: LanguageIdentifier = language.parse().unwrap_or_default();
        let file = overrides.map(|folder| folder.join(CUSTOM_FILE)).filter(|file| file.exists());
        let built_in = BUILT_IN.iter().find(|(tag, _)| {
            tag.parse::<LanguageIdentifier>().is_ok_and(|tag| tag.language == requested.language)
        });
        let tag = match (&file, built_in) {
            (None, None) => "en".parse()?,
            _ => requested,
        };
        let mut bundle = FluentBundle::new_concurrent(vec![tag.clone()]);
        // Outside text is isolated by markup instead.
        bundle.set_use_isolating(false);
        bundle.set_formatter(Some(format_number));
        let english = BUILT_IN.first();
        for (name, source) in english.into_iter().chain(built_in) {
            bundle.add_resource_overriding(parse(source).with_context(|| format!("the messages in {name}"))?);
        }
        if let Some(file) = file {
            let source = std::fs::read_to_string(&file);
            let source =
                source.with_context(|| format!("could not read the messages in {}", file.display()))?;
            let custom = parse(&source).with_context(|| format!("the messages in {}", file.display()))?;
            bundle.add_resource_overriding(custom);
        }
        Ok(Self { bundle, tag: tag.to_string() })
    }

    /// The language of the messages (BCP 47).
    pub fn language(&self) -> &str {
        &self.tag
    }

    /// A message without arguments, or its key if there is no such message.
    pub fn get(&self, key: &str) -> String {
        self.format(key, [])
    }

    /// A message with arguments as plain text, or its key if there is no such message.
    pub fn format<'a>(
        &self,
        key: &'a str,
        args: impl IntoIterator<Item = (&'a str, FluentValue<'a>)>,
    ) -> String {
        let args: FluentArgs<'_> = args.into_iter().collect();
        self.try_format(key, &args).unwrap_or_else(|_| key.to_owned())
    }

    fn try_format(&self, key: &str, args: &FluentArgs<'_>) -> anyhow::Result<String> {
        let message = self.bundle.get_message(key).with_context(|| format!("no message {key}"))?;
        let pattern = message.value().with_context(|| format!("no message {key}"))?;
        let mut errors = Vec::new();
        let formatted = self.bundle.format_pattern(pattern, Some(args), &mut errors).into_owned();
        match errors.first() {
            None => Ok(formatted),
            Some(error) => bail!("message {key}: {error}"),
        }
    }

    /// The template function `t`: a message as HTML. Values marked as safe are inserted as they are; other text is
    /// escaped and wrapped in `bdi`.
    fn render_html(&self, key: &str, kwargs: &Kwargs) -> Result<Value, Error> {
        let mut args = FluentArgs::new();
        let mut arguments = Vec::new();
        for name in kwargs.args() {
            let value: Value = kwargs.get(name)?;
            let argument = as_number(&value).unwrap_or_else(|| {
                arguments.push(escape_argument(&value));
                format!("{PLACEHOLDER_START}{}{PLACEHOLDER_END}", arguments.len() - 1).into()
            });
            args.set(name.to_owned(), argument);
        }
        let formatted = self.try_format(key, &args).map_err(|error| failed(&error))?;
        let mut html = String::new();
        for (index, part) in formatted.split(PLACEHOLDER_START).enumerate() {
            let text =
                match part.split_once(PLACEHOLDER_END) {
                    Some((argument, text)) if index > 0 => {
                        let argument = argument.parse().ok().and_then(|at: usize| arguments.get(at));
                        html.push_str(argument.ok_or_else(|| {
                            failed(&anyhow!("message {key} contains {PLACEHOLDER_START:?}"))
                        })?);
                        text
                    }
                    _ => part,
                };
            escape_into(&mut html, text);
        }
        Ok(Value::from_safe_string(html))
    }

    /// The template function `say`: a message as plain text.
    fn render_text(&self, key: &str, kwargs: &Kwargs) -> Result<String, Error> {
        let mut args = FluentArgs::new();
        for name in kwargs.args() {
            let value: Value = kwargs.get(name)?;
            args.set(name.to_owned(), as_number(&value).unwrap_or_else(|| value.to_string().into()));
        }
        self.try_format(key, &args).map_err(|error| failed(&error))
    }
}

/// Adds `t` and `say` to the templates.
pub(super) fn add_functions(env: &mut Environment<'static>, messages: &std::sync::Arc<Messages>) {
    let html = std::sync::Arc::clone(messages);
    env.add_function("t", move |key: &str, kwargs: Kwargs| html.render_html(key, &kwargs));
    let text = std::sync::Arc::clone(messages);
    env.add_function("say", move |key: &str, kwargs: Kwargs| text.render_text(key, &kwargs));
}

/// Characters around the index of an argument, which is inserted after the message was escaped. Messages must not
/// contain them.
const PLACEHOLDER_START: char = '\u{e000}';
const PLACEHOLDER_END: char = '\u{e001}';

fn escape_argument(value: &Value) -> String {
    let text = value.to_string();
    if value.is_safe() {
        return text;
    }
    let mut html = "<bdi>".to_owned();
    escape_into(&mut html, &text);
    html.push_str("</bdi>");
    html
}

fn as_number(value: &Value) -> Option<FluentValue<'static>> {
    (value.kind() == ValueKind::Number).then(|| i64::try_from(value.clone()).unwrap_or_default().into())
}

fn parse(source: &str) -> anyhow::Result<FluentResource> {
    FluentResource::try_new(source.to_owned()).map_err(|(_, errors)| match errors.first() {
        Some(error) => {
            let line = source.get(..error.pos.start).map_or(0, |before| before.matches('\n').count()) + 1;
            anyhow!("line {line}: {}", error.kind)
        }
        None => anyhow!("not valid Fluent"),
    })
}

fn failed(error: &anyhow::Error) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;

    fn rendered(language: &str, template: &str) -> Result<String, Error> {
        let mut env = crate::web::templates::load(None).unwrap();
        add_functions(&mut env, &Arc::new(Messages::load(language, None).unwrap()));
        env.add_template_owned("it.html", template.to_owned())?;
        env.get_template("it.html")?.render(())
    }

    /// The message keys in a Fluent file.
    fn keys(source: &str) -> BTreeSet<&str> {
        let named = source.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
        named.filter_map(|line| line.split_once(" =").map(|(key, _)| key)).collect()
    }

    #[test]
    fn all_languages_have_the_same_messages() {
        let [(_, english), others @ ..] = BUILT_IN;
        for (tag, source) in others {
            assert_eq!(keys(english), keys(source), "{tag}");
        }
    }

    #[test]
    fn plurals_and_numbers_follow_the_language_of_the_site() {
        assert_eq!(rendered("en", "{{ t('reviews', count=1) }}").unwrap(), "1 review");
        assert_eq!(rendered("en-GB", "{{ t('reviews', count=12345) }}").unwrap(), "12,345 reviews");
        assert_eq!(rendered("de-AT", "{{ t('reviews', count=12345) }}").unwrap(), "12\u{a0}345 Kritiken");
        // There are no messages in this language.
        assert_eq!(rendered("fy", "{{ t('reviews', count=2) }}").unwrap(), "2 reviews");
        assert_eq!(Messages::load("fy", None).unwrap().language(), "en");
    }

    #[test]
    fn arguments_are_escaped() {
        let html = rendered("en", "{{ t('by', critic='<b>\u{e000}0\u{e001} & co') }}").unwrap();
        assert_eq!(html, "by <bdi>&lt;b&gt;\u{e000}0\u{e001} &amp; co</bdi>");
        let html = rendered("en", "{{ t('by', critic='<b>Bo</b>'|safe) }}").unwrap();
        assert_eq!(html, "by <b>Bo</b>");
        assert_eq!(
            rendered("en", "{{ say('follow-critic', critic='\"Bo\"') }}").unwrap(),
            "Follow &quot;Bo&quot;"
        );
    }

    #[test]
    fn unknown_messages_and_missing_arguments_are_errors() {
        for template in ["{{ t('no-such-message') }}", "{{ say('no-such-message') }}", "{{ t('by') }}"] {
            assert!(rendered("en", template).is_err(), "{template}");
        }
    }

    #[test]
    fn a_site_can_override_messages() {
        let folder = std::env::temp_dir().join(format!("marquee-messages-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(CUSTOM_FILE), "direction = rtl\nskip = דלג לתוכן\n").unwrap();
        let messages = Messages::load("he", Some(&folder)).unwrap();
        assert_eq!((messages.get("skip").as_str(), messages.get("follow").as_str()), ("דלג לתוכן", "Follow"));
        assert_eq!((messages.language(), messages.get("direction").as_str()), ("he", "rtl"));
        std::fs::write(folder.join(CUSTOM_FILE), "skip = fine\n\nfollow = {\n").unwrap();
        let error = format!("{:#}", Messages::load("he", Some(&folder)).unwrap_err());
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(error.contains("words.ftl") && error.contains("line "), "{error}");
    }

    /// The text of a template without expressions, statements and comments.
    fn own_text(template: &str) -> String {
        let mut text = template.to_owned();
        for (open, close) in [("{#", "#}"), ("{%", "%}"), ("{{", "}}")] {
            while let Some((before, rest)) = text.split_once(open) {
                let (_, after) = rest.split_once(close).expect("a closing delimiter");
                text = format!("{before}{after}");
            }
        }
        text
    }

    #[test]
    fn templates_contain_no_text_of_their_own() {
        for (name, template) in crate::web::templates::BUILT_IN {
            if Path::new(name).extension().is_none_or(|ending| ending != "html") {
                continue;
            }
            let text = own_text(template);
            for attribute in ["aria-label=\"", "placeholder=\"", "alt=\"", "title=\""] {
                let is_text = |part: &str| part.starts_with(char::is_alphabetic);
                assert!(!text.split(attribute).skip(1).any(is_text), "{name}: {attribute}");
            }
            for part in text.split('<') {
                let (_, formatted) = part.split_once('>').unwrap_or(("", part));
                assert!(!formatted.contains(char::is_alphabetic), "{name}: {formatted}");
            }
        }
    }
}
