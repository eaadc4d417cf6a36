#include "report_html.hpp"

#include <fmt/format.h>

#include "bench_table.hpp"
#include "chart_svg.hpp"

namespace ringside::bench {
namespace {

constexpr std::string_view page_begin = R"(<!doctype html>
<html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>
<title>Ringside benchmarks</title>
<style>
:root { color-scheme: light dark; --page: #fff; --ink: #1b1f24; --soft: #59636e; --grid: #d8dee4;
  --yes: #116329; --no: #b3261e }
@media (prefers-color-scheme: dark) { :root { --page: #0f1318; --ink: #e6edf3; --soft: #9aa5b1;
  --grid: #2d343c; --yes: #56d364; --no: #ff8a80 } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 1200px; margin: 2em auto; padding: 0 1em }
h2 { margin-top: 2.5em; border-bottom: 1px solid var(--grid) }
.facts, .note { color: var(--soft) } .note { font-size: 13px }
code { font-size: 13px }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: 4px 10px; border-bottom: 1px solid var(--grid);
  vertical-align: top }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.yes { color: var(--yes) } .NO { color: var(--no); font-weight: bold }
figure { margin: 2em 0; max-width: 760px } figcaption { font-weight: bold }
svg { width: 100%; height: auto }
)";

std::string cell(const std::optional<Yardstick>& yardstick) {
    if (!yardstick) {
        return "";
    }
    const auto& [name, value] = *yardstick;
    return fmt::format("{:.4g}{} <span class=note>{}</span>", value.median,
                       value.p99 ? " / " + tail_text(value) : "", html_text(name));
}

std::string row(const Figure& figure) {
    const auto ratio = figure.ratio();
    const std::string met = met_text(figure);
    const std::string note =
        figure.note.empty() ? ""
                            : fmt::format("<br><span class=note>{}</span>", html_text(figure.note));
    return fmt::format(
        "<tr><td>{}{}<td>{}<td class=number>{:.4g}<td class=number>{}<td>{}<td>{}"
        "<td class=number>{}<td>{}<td class='{}'>{}\n",
        html_text(figure.name), note, html_text(figure.unit), figure.value.median,
        tail_text(figure.value), cell(figure.floor), cell(figure.rival),
        ratio ? fmt::format("{:.2f}", *ratio) : "", html_text(goal_text(figure)), met, met);
}

std::string section(const StoredReport& stored) {
    const Report& report = stored.report;
    std::string html = fmt::format("<h2 id='{0}'>{0}</h2><p class=facts><code>{1}</code>, {2}</p>",
                                   html_text(report.bench), html_text(stored.facts.command),
                                   html_text(stored.facts.date));
    html +=
        "<div class=wide><table><tr><th>figure<th>unit<th class=number>median"
        "<th class=number>p99<th>floor (median / p99)<th>rival (median / p99)"
        "<th class=number>ratio<th>goal<th>met\n";
    for (const Figure& figure : report.figures) {
        html += row(figure);
    }
    html += "</table></div>\n";
    for (const std::string& note : report.notes) {
        html += fmt::format("<p class=note>{}</p>\n", html_text(note));
    }
    for (const Chart& chart : report.charts) {
        html += fmt::format("<figure><figcaption>{}</figcaption>{}</figure>\n",
                            html_text(chart.title), to_svg(chart));
    }
    return html;
}

}  // namespace

GoalCount count_goals(std::span<const StoredReport> reports) {
    GoalCount goals;
    for (const StoredReport& stored : reports) {
        for (const Figure& figure : stored.report.figures) {
            const auto met = figure.met();
            goals.total += met ? 1 : 0;
            goals.met += met.value_or(false) ? 1 : 0;
        }
    }
    return goals;
}

std::string to_html(std::span<const StoredReport> reports) {
    const GoalCount goals = count_goals(reports);
    std::string html(page_begin);
    html += chart_style() + "</style>\n";
    html += "<h1>Ringside benchmarks</h1>\n";
    if (!reports.empty()) {
        const RunFacts& facts = reports.front().facts;
        html += fmt::format("<p class=facts>{} CPUs {}, {} MiB, {}; {}</p>\n", facts.cpu_count,
                            html_text(facts.cpu), facts.memory_mib, html_text(facts.kernel),
                            html_text(facts.date));
    }
    html += fmt::format("<p>{} of {} goals met.</p>\n", goals.met, goals.total);
    for (const StoredReport& stored : reports) {
        html += section(stored);
    }
    return html + "</html>\n";
}

std::string html_text(std::string_view text) {
    std::string html;
    for (const char character : text) {
        switch (character) {
            case '&': html += "&amp;"; break;
            case '<': html += "&lt;"; break;
            case '>': html += "&gt;"; break;
            case '"': html += "&quot;"; break;
            case '\'': html += "&#39;"; break;
            default: html += character;
        }
    }
    return html;
}

}  // namespace ringside::bench
