#include "manual.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "settings.hpp"

namespace ringside {
namespace {

/// Text for man(7): no character of it is taken for an instruction.
std::string roff(std::string_view text) {
    std::string out;
    bool line_begins = true;
    for (const char c : text) {
        if (line_begins && (c == '.' || c == '\'')) {
            out += "\\&";
        }
        switch (c) {
            case '\\': out += "\\e"; break;
            case '-': out += "\\-"; break;
            case '\'': out += "\\(aq"; break;
            case '`': out += "\\(ga"; break;
            case '^': out += "\\(ha"; break;
            case '~': out += "\\(ti"; break;
            default: out += c;
        }
        line_begins = c == '\n';
    }
    return out;
}

constexpr unsigned with_version = on_top | on_play;

std::string title(std::string_view page, const std::string& version) {
    return fmt::format(".TH {} 1 \"\" \"Ringside {}\" \"Ringside\"\n.nh\n.ad l\n", roff(page),
                       version);
}

/// "\fB\-P\fR, \fB\-\-port\fR \fIPORT\fR"
std::string term(const OptionRow& row) {
    std::string text;
    std::string names(row.names);
    for (std::istringstream in(names); std::getline(in, names, ',');) {
        text += fmt::format("{}\\fB{}\\fR", text.empty() ? "" : ", ", roff(names));
    }
    return row.value.empty() ? text : fmt::format("{} \\fI{}\\fR", text, roff(row.value));
}

std::string options_section(unsigned command) {
    std::string text = ".SH OPTIONS\n";
    for (const OptionRow& row : option_table()) {
        if ((row.commands & command) != 0) {
            text += fmt::format(".TP\n{}\n{}.\n", term(row), roff(help_text(row)));
        }
    }
    if ((command & with_version) != 0) {
        text += ".TP\n\\fB\\-V\\fR, \\fB\\-\\-version\\fR\nPrint the version and exit.\n";
    }
    return text + ".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nPrint this and exit.\n";
}

std::string literal_section(std::string_view heading, std::string_view text) {
    return text.empty() ? std::string() : fmt::format(".SH {}\n.nf\n{}.fi\n", heading, roff(text));
}

std::string see_also() {
    std::string text = ".SH SEE ALSO\n.BR ringside (1)";
    for (const CommandRow& command : command_table()) {
        text += fmt::format(",\n.BR ringside\\-{} (1)", command.name);
    }
    return text + "\n";
}

constexpr std::string_view serve_sections =
    ".SH CONFIGURATION\n"
    "Every option of this page but \\fB\\-\\-config\\fR, \\fB\\-\\-print\\-config\\fR, "
    "\\fB\\-\\-check\\fR and \\fB\\-\\-fresh\\fR may\n"
    "stand in the file of \\fB\\-\\-config\\fR by its long name, as in \\fBgames\\-max = 100\\fR, "
    "and in "
    "the environment in\n"
    "capitals, as in \\fBRINGSIDE_SERVE_GAMES_MAX=100\\fR. The command line counts more than the "
    "environment,\n"
    "that more than the file, and that more than the default. Lists are arrays in the file and "
    "separated by\n"
    "commas in the environment. An unknown name is refused.\n"
    ".SH SIGNALS\n"
    ".TP\n\\fBSIGTERM\\fR, \\fBSIGINT\\fR, \\fBSIGHUP\\fR\n"
    "Tell the players, end every game and stop. A second one stops at once.\n"
    ".TP\n\\fBSIGUSR2\\fR\n"
    "As\n.BR ringside\\-upgrade (1).\n"
    ".SH SERVICE MANAGER\n"
    "Under systemd or another manager that speaks its protocol: sockets that are passed are served "
    "before\n"
    "those of \\fB\\-\\-listen\\fR; the manager is told when the host serves, is replaced and "
    "stops; "
    "and signs of\n"
    "life are sent while the supervisor's loop turns and every front answers it.\n"
    ".SH FILES\n"
    ".TP\n\\fI/dev/shm/ringside\\-INSTANCE\\fR\n"
    "The segments of the host. Those of a host that died are restored by the next of its "
    "instance.\n"
    ".TP\n\\fI/etc/ringside/ringside.toml\\fR\n"
    "The options of the service.\n";

std::string quoted_words(const std::vector<std::string>& words) {
    return fmt::format("'{}'", fmt::join(words, " "));
}

std::vector<std::string> flags_of(unsigned command) {
    std::vector<std::string> flags = long_flags(command);
    flags.emplace_back("--help");
    if ((command & with_version) != 0) {
        flags.emplace_back("--version");
    }
    return flags;
}

/// The flags whose value is of this kind, as a pattern of `case`; empty: none.
std::string flags_with_value(std::string_view kind) {
    std::vector<std::string> flags;
    for (const OptionRow& row : option_table()) {
        std::string names(row.names);
        for (std::istringstream in(names); row.value == kind && std::getline(in, names, ',');) {
            if (std::find(flags.begin(), flags.end(), names) == flags.end()) {
                flags.push_back(names);
            }
        }
    }
    return fmt::format("{}", fmt::join(flags, "|"));
}

}  // namespace

std::string program_page(const std::string& version) {
    std::string text = title("RINGSIDE", version);
    text +=
        ".SH NAME\nringside \\- host and play small real\\-time games in shared memory\n"
        ".SH SYNOPSIS\n.B ringside\n[\\fIoptions\\fR]\n.br\n.B ringside\n\\fIcommand\\fR "
        "[\\fIoptions\\fR]\n"
        ".SH DESCRIPTION\n"
        "Ringside runs each game in a process of its own, and players reach it with a terminal or "
        "a\n"
        "browser. Without arguments it is a practice game.\n"
        ".SH COMMANDS\n";
    for (const CommandRow& command : command_table()) {
        text += fmt::format(".TP\n.BR ringside\\-{} (1)\n{}.\n", command.name, roff(command.help));
    }
    return text + options_section(on_top) + ".SH EXIT STATUS\n0 done, 1 failed, 2 wrong usage.\n" +
           see_also();
}

std::string command_page(const CommandRow& command, const std::string& version) {
    std::string upper(command.name);
    for (char& letter : upper) {
        letter = static_cast<char>(std::toupper(letter));
    }
    std::string text = title("RINGSIDE-" + upper, version);
    text += fmt::format(".SH NAME\nringside\\-{} \\- {}\n", command.name, roff(command.help));
    text += fmt::format(".SH SYNOPSIS\n.B ringside {}\n[\\fIoptions\\fR]", command.name);
    for (const OptionRow& row : option_table()) {
        if ((row.commands & command.bit) != 0 && !row.names.starts_with('-')) {
            text += fmt::format(" \\fI{}\\fR", roff(row.names));
        }
    }
    text += fmt::format("\n.SH DESCRIPTION\n{}.\n", roff(command.help));
    text += options_section(command.bit);
    if (command.bit == on_serve) {
        text += serve_sections;
    }
    return text + literal_section("EXAMPLES", command.examples) + see_also();
}

std::string bash_completion() {
    std::vector<std::string> commands;
    std::string by_command;
    for (const CommandRow& command : command_table()) {
        commands.emplace_back(command.name);
        by_command += fmt::format("        {}) flags={} ;;\n", command.name,
                                  quoted_words(flags_of(command.bit)));
    }
    return fmt::format(
        "# bash completion for ringside(1); made from its table of options\n"
        "_ringside() {{\n"
        "    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}\n"
        "    local flags={}\n"
        "    COMPREPLY=()\n"
        "    case ${{COMP_WORDS[1]-}} in\n"
        "{}"
        "    esac\n"
        "    case $before in\n"
        "        {}) mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); return ;;\n"
        "        {}) mapfile -t COMPREPLY < <(compgen -d -- \"$word\"); return ;;\n"
        "        --instance)\n"
        "            mapfile -t COMPREPLY < <(cd /dev/shm && compgen -W \"$(printf '%s ' "
        "ringside-* | sed 's/ringside-//g')\" -- \"$word\")\n"
        "            return ;;\n"
        "    esac\n"
        "    if [[ $word == -* || $COMP_CWORD -gt 1 ]]; then\n"
        "        mapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$word\")\n"
        "    fi\n"
        "    if [[ $COMP_CWORD -eq 1 && $word != -* ]]; then\n"
        "        mapfile -t COMPREPLY < <(compgen -W {} -- \"$word\")\n"
        "    fi\n"
        "}}\n"
        "complete -F _ringside ringside\n",
        quoted_words(flags_of(on_top)), by_command, flags_with_value("FILE"),
        flags_with_value("FOLDER"), quoted_words(commands));
}

}  // namespace ringside
