//! Formats log lines for people at a terminal, like the formatter of the subscriber. The level is coloured if
//! the terminal supports colours.

use std::fmt;
use std::io::stdout;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Time, level, message and fields.
pub(crate) struct TerminalLines {
    has_colours: bool,
}

impl TerminalLines {
    /// For the standard output. `NO_COLOR` disables colours.
    pub(crate) fn of_stdout() -> Self {
        Self { has_colours: AutoStream::choice(&stdout()) != ColorChoice::Never }
    }
}

impl<S, N> FormatEvent<S, N> for TerminalLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        let style = if self.has_colours { style(level) } else { Style::new() };
        SystemTime.format_time(&mut out)?;
        write!(out, " {style}{:>5}{style:#} ", level.as_str())?;
        context.field_format().format_fields(out.by_ref(), event)?;
        writeln!(out)
    }
}

fn style(level: Level) -> Style {
    let colour = match level {
        Level::ERROR => AnsiColor::Red,
        Level::WARN => AnsiColor::Yellow,
        Level::INFO => AnsiColor::Green,
        Level::DEBUG => AnsiColor::Blue,
        Level::TRACE => AnsiColor::Magenta,
    };
    colour.on_default()
}
