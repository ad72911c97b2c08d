//! The report of a batch as one page for a browser: figures, charts, and a row for each output. Nothing is loaded from
//! anywhere.

use super::entry::{Entry, Outcome, Status};
use super::report::{About, Totals, name};
use crate::size::Bytes;
use std::fmt::{self, Display};
use std::io::{self, Write};

/// Bars of a chart: what comes behind them is in the table.
const MOST_BARS: usize = 400;

/// Width and height of a chart, in its own units.
const CHART: (f64, f64) = (1000.0, 120.0);

/// The widest bar and the space behind it: a few bars do not fill the chart.
const WIDEST_BAR: f64 = 40.0;

/// Its head. The colours are the system's where it is dark.
const HEAD: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Plimsoll: batch</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root{color-scheme:light dark;--bar:#2a6fb0;--line:#c0392b;--grid:#8886}
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:.8rem}
dt{font-size:.8rem;opacity:.75}dd{margin:0;font-size:1.15rem;font-variant-numeric:tabular-nums}
svg{width:100%;height:auto;display:block}svg text{font-size:12px;fill:currentColor}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.85rem}
th,td{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--grid);vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}td.name{overflow-wrap:anywhere}
.failed,.refused{color:var(--line)}
</style></head><body>
"#;

/// Text in a page.
struct Text<D>(D);

impl<D: Display> Display for Text<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.to_string().chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                c if c.is_control() => f.write_str("?")?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

/// Writes the page.
pub(super) fn write(file: &mut impl Write, about: &About<'_>) -> io::Result<()> {
    let (plan, actual, totals) = (about.plan, about.actual, Totals::of(about.plan));
    file.write_all(HEAD.as_bytes())?;
    writeln!(
        file,
        "<h1>Batch: {} of {} outputs complete</h1>\n<dl>",
        totals.done + totals.skipped,
        plan.entries.len()
    )?;
    let mut figure = |name: &str, value: &dyn Display| {
        writeln!(file, "<div><dt>{}</dt><dd>{}</dd></div>", Text(name), Text(value))
    };
    figure("made", &totals.done)?;
    figure("there already", &totals.skipped)?;
    figure("refused: do not fit", &totals.refused)?;
    figure("failed", &totals.failed)?;
    figure("not begun", &totals.not_begun)?;
    figure("budget", &Bytes(plan.budget.bytes))?;
    figure("planned peak", &Bytes(plan.peak_bytes()))?;
    match actual.peak_resident_bytes {
        Some(bytes) => figure("peak resident", &Bytes(bytes))?,
        None => figure("peak resident", &"not said by this system")?,
    }
    figure("files at once", &plan.in_flight)?;
    figure("read", &Bytes(totals.bytes_read))?;
    figure("written", &Bytes(totals.bytes_written))?;
    figure("megapixels", &format!("{:.2}", totals.pixels as f64 / 1e6))?;
    figure("seconds", &format!("{:.2}", actual.seconds))?;
    figure("changes of pace", &actual.adaptations)?;
    writeln!(file, "</dl>")?;
    let budget = plan.budget.bytes as f64;
    let memory =
        |entry: &Entry| Some(entry.own_bytes.max(entry.smallest_bytes) as f64).filter(|bytes| *bytes > 0.0);
    chart(
        file,
        about,
        "Memory that each output needs, in the order of the list",
        memory,
        Some(budget),
        &|value| Bytes(value as u64).to_string(),
    )?;
    let of = |figure: fn(&Outcome) -> f64| {
        move |entry: &Entry| match &entry.status {
            Status::Done(outcome) => Some(figure(outcome)),
            _ => None,
        }
    };
    chart(file, about, "Seconds", of(|outcome| outcome.seconds), None, &|value| format!("{value:.3} s"))?;
    chart(file, about, "Bytes written", of(|outcome| outcome.bytes_written as f64), None, &|value| {
        Bytes(value as u64).to_string()
    })?;
    table(file, about)?;
    file.write_all(b"</body></html>\n")
}

/// A bar for each entry that has the figure; a line where a limit is.
fn chart(
    file: &mut impl Write,
    about: &About<'_>,
    heading: &str,
    figure: impl Fn(&Entry) -> Option<f64>,
    limit: Option<f64>,
    say: &dyn Fn(f64) -> String,
) -> io::Result<()> {
    let entries = &about.plan.entries;
    let shown = || entries.iter().take(MOST_BARS);
    let most = shown().filter_map(&figure).fold(0.0, f64::max);
    if most <= 0.0 {
        return Ok(());
    }
    let (width, height) = CHART;
    // A limit far above all bars would flatten them: it is said and not drawn then.
    let limit = limit.filter(|limit| *limit < 20.0 * most);
    let top = most.max(limit.unwrap_or(0.0));
    let step = (width / shown().count().max(1) as f64).min(WIDEST_BAR);
    let behind = entries.len().saturating_sub(MOST_BARS);
    let more = if behind == 0 { String::new() } else { format!(" (the first {MOST_BARS})") };
    writeln!(file, "<h2>{}{more}</h2>", Text(heading))?;
    writeln!(
        file,
        r#"<svg viewBox="0 -18 {width} {}" role="img" aria-label="{}">"#,
        height + 22.0,
        Text(heading)
    )?;
    writeln!(file, r#"<text x="0" y="-5">at most {}</text>"#, Text(say(most)))?;
    for (number, entry) in shown().enumerate() {
        let Some(value) = figure(entry) else { continue };
        let tall = (value / top * height).max(0.5);
        let fill = if matches!(entry.status, Status::Refused(_)) { "var(--line)" } else { "var(--bar)" };
        writeln!(
            file,
            r#"<rect x="{:.2}" y="{:.2}" width="{:.2}" height="{tall:.2}" fill="{fill}"><title>{}: {}</title></rect>"#,
            number as f64 * step,
            height - tall,
            (step * 0.85).max(0.2),
            Text(name(about, entry)),
            Text(say(value)),
        )?;
    }
    if let Some(limit) = limit {
        let y = height - limit / top * height;
        writeln!(
            file,
            r#"<line x1="0" x2="{width}" y1="{y:.2}" y2="{y:.2}" stroke="var(--line)" stroke-dasharray="6 4"/><text x="{width}" y="{:.2}" text-anchor="end">budget {}</text>"#,
            y - 4.0,
            Text(say(limit)),
        )?;
    }
    writeln!(file, r#"<line x1="0" x2="{width}" y1="{height}" y2="{height}" stroke="var(--grid)"/></svg>"#)
}

fn table(file: &mut impl Write, about: &About<'_>) -> io::Result<()> {
    writeln!(
        file,
        "<h2>Outputs</h2><div class=\"wide\"><table><thead><tr><th>input</th><th>output</th><th>what became of it</th>\
         <th class=\"n\">pixels</th><th class=\"n\">written</th><th class=\"n\">memory</th><th class=\"n\">seconds</th>\
         <th>read back</th></tr></thead><tbody>"
    )?;
    for (number, entry) in about.plan.entries.iter().enumerate() {
        let Some(found) = about.plan.files.get(entry.file as usize) else { continue };
        let output = about.job.outputs.of(found, entry);
        let status = entry.status.name();
        let mut why = entry.status.why().map_or(String::new(), |why| format!(": {why}"));
        match about.decisions_of(number).count() {
            0 => {}
            1 => why.push_str("; 1 change of pace"),
            count => why.push_str(&format!("; {count} changes of pace")),
        }
        write!(
            file,
            "<tr><td class=\"name\">{}</td><td class=\"name\">{}</td><td class=\"{}\">{status}{}</td>",
            Text(name(about, entry)),
            Text(output.display()),
            status.replace(' ', "-"),
            Text(why),
        )?;
        if let Status::Done(outcome) = &entry.status {
            write!(
                file,
                "<td class=\"n\">{} x {}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{:.3}</td>",
                outcome.cols,
                outcome.rows,
                Bytes(outcome.bytes_written),
                Bytes(outcome.own_bytes),
                outcome.seconds,
            )?;
            let checked = match &outcome.checked {
                None => "no".to_owned(),
                Some(checked) if checked.before.is_some() => "identical, written once more".to_owned(),
                Some(checked) if checked.identical => "identical".to_owned(),
                Some(checked) => {
                    let ssim = checked.ssim.map_or(String::new(), |ssim| format!(", SSIM {ssim:.5}"));
                    let missed = if checked.missed { ", less than asked for" } else { "" };
                    format!("PSNR {:.2} dB{ssim}{missed}", checked.psnr)
                }
            };
            writeln!(file, "<td>{}</td></tr>", Text(checked))?;
        } else {
            writeln!(file, "<td></td><td></td><td></td><td></td><td></td></tr>")?;
        }
    }
    writeln!(file, "</tbody></table></div>")
}
