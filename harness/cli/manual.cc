#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/output.h"
#include "core/version.h"

// The manual page and the completions of the shells, written from the same options that the program takes.
namespace mailproof::cli {
namespace {

using Commands = std::vector<const CLI::App*>;

Commands subcommands(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

/// In the order in which --help has them, --help itself left out.
std::vector<const CLI::Option*> options_of(const CLI::App& command) {
  std::vector<const CLI::Option*> out;
  for (const auto* option : command.get_options())
    if (!option->get_lnames().empty() && option->get_lnames().front() != "help") out.push_back(option);
  return out;
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

/// Text is no macro of roff: neither a line's first octet nor a backslash, and a hyphen is one that can be copied.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n'))
      out += std::string("\\&") + c;
    else
      out += c;
  }
  return out;
}

constexpr const char* kManualEnd = R"(.SH EXIT STATUS
.TP
.B 0
Nothing failed.
.TP
.B 1
The server broke a promise, or something could not be judged; the summary says which.
.TP
.B 2
Wrong use: an option, a file or a scenario that cannot be.
.TP
.B 3
Trouble: a server that cannot be reached, a report that cannot be written.
.SH ENVIRONMENT
.TP
.B MAILPROOF_PASSWORD
The password of the test accounts, unless a target file names another variable.
.SH FILES
.TP
.I scenarios/
Stories and checks in the working folder; where there is none, those that were installed with the program.
.TP
.I runs/
A run directory for each run: report.html, run.json, junit.xml, summary.md, history.jsonl, wire/.
.SH EXAMPLES
.nf
mailproof run \-\-sim
mailproof run \-\-target target.yaml mixed.pop\-download\-empties\-the\-phone
mailproof probe \-\-target target.yaml
.fi
.SH CAUTION
Use test accounts. mailproof removes no mail but its own, and ends a scenario before its first change where a mailbox holds
other mail; it does fill mailboxes and restart servers where a target file allows it.
)";

std::string manual(const CLI::App& app) {
  std::string out = fmt::format(
      ".TH MAILPROOF 1 \"\" \"mailproof {}\" \"User Commands\"\n.SH NAME\nmailproof \\- plays mail devices against a "
      "mail "
      "server and says whether it kept its promises\n.SH SYNOPSIS\n.B mailproof\n.I command\n[\\fIoptions\\fR]\n"
      ".SH DESCRIPTION\n{}\n",
      kVersion, roff(app.get_description()));
  out += ".SH COMMANDS\n";
  for (const auto* command : subcommands(app)) {
    std::string arguments;
    for (const auto* option : command->get_options())
      if (option->get_positional())
        arguments += option->get_required() ? fmt::format(" \\fI{}\\fR", roff(option->get_name(true)))
                                            : fmt::format(" [\\fI{}\\fR]", roff(option->get_name(true)));
    out += fmt::format(".SS mailproof {}{}\n{}.\n", roff(command->get_name()), arguments,
                       roff(command->get_description()));
    for (const auto* option : options_of(*command)) {
      const std::string value = takes_value(*option) ? fmt::format(" \\fI{}\\fR", roff(option->get_type_name())) : "";
      out += fmt::format(".TP\n\\fB\\-\\-{}\\fR{}\n{}.{}\n", roff(option->get_lnames().front()), value,
                         roff(option->get_description()),
                         option->get_default_str().empty() ? "" : roff(" Default: " + option->get_default_str() + "."));
    }
  }
  return out + kManualEnd;
}

/// Ids stand where files do for these; `list` knows them.
bool takes_scenarios(const CLI::App& command) { return command.get_option_no_throw("--scenarios") != nullptr; }

std::string words(const CLI::App& command) {
  std::string out;
  for (const auto* option : options_of(command)) out += " --" + option->get_lnames().front();
  return out.empty() ? out : out.substr(1);
}

std::string names(const CLI::App& app) {
  std::string out;
  for (const auto* command : subcommands(app)) out += " " + command->get_name();
  return out.substr(1);
}

std::string bash(const CLI::App& app) {
  std::string cases, valued;
  for (const auto* command : subcommands(app)) {
    cases += fmt::format("    {}) options=\"{}\"{} ;;\n", command->get_name(), words(*command),
                         takes_scenarios(*command) ? " ids=$(mailproof list 2>/dev/null | cut -d ' ' -f 1)" : "");
    for (const auto* option : options_of(*command))
      if (takes_value(*option)) valued += "|--" + option->get_lnames().front();
  }
  return fmt::format(R"(# bash completion of mailproof {}
_mailproof() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} options= ids=
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W "{} --help --version" -- "$current"))
    return
  fi
  case $before in {}) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
  case ${{COMP_WORDS[1]}} in
{}  esac
  case $current in
    -*) COMPREPLY=($(compgen -W "$options --help" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$ids" -- "$current") $(compgen -f -- "$current")) ;;
  esac
}}
complete -o filenames -F _mailproof mailproof
)",
                     kVersion, names(app), valued.substr(1), cases);
}

/// What zsh and fish quote with '.
std::string quoted(const std::string& text, const char* inside) {
  std::string out;
  for (const char c : text) {
    if (c == '\'')
      out += inside;
    else if (c == '[' || c == ']' || c == ':')
      out += std::string(inside[1] == '\\' ? "\\" : "") + c;
    else
      out += c;
  }
  return out;
}

std::string zsh(const CLI::App& app) {
  constexpr const char* kQuote = "'\\''";
  std::string commands, cases;
  for (const auto* command : subcommands(app)) {
    commands += fmt::format("    '{}:{}'\n", command->get_name(), quoted(command->get_description(), kQuote));
    cases += fmt::format("    {})\n      _arguments", command->get_name());
    for (const auto* option : options_of(*command))
      cases += fmt::format(" \\\n        '--{}[{}]{}'", option->get_lnames().front(),
                           quoted(option->get_description(), kQuote), takes_value(*option) ? ":value:_files" : "");
    cases += takes_scenarios(*command) ? " \\\n        '*:scenario:{ compadd -- ${(f)\"$(mailproof list 2>/dev/null | "
                                         "cut -d \" \" -f 1)\"}; _files }'\n"
                                       : " \\\n        '*:file:_files'\n";
    cases += "      ;;\n";
  }
  return fmt::format(R"(#compdef mailproof
# zsh completion of mailproof {}
local -a commands=(
{})
if (( CURRENT == 2 )); then
  _describe command commands
else
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
{}  esac
fi
)",
                     kVersion, commands, cases);
}

std::string fish(const CLI::App& app) {
  constexpr const char* kQuote = "\\'";
  std::string out = fmt::format("# fish completion of mailproof {}\n", kVersion);
  for (const auto* command : subcommands(app)) {
    out += fmt::format("complete -c mailproof -n __fish_use_subcommand -f -a {} -d '{}'\n", command->get_name(),
                       quoted(command->get_description(), kQuote));
    const std::string when =
        fmt::format("complete -c mailproof -n '__fish_seen_subcommand_from {}'", command->get_name());
    for (const auto* option : options_of(*command))
      out += fmt::format("{} -l {}{} -d '{}'\n", when, option->get_lnames().front(), takes_value(*option) ? " -r" : "",
                         quoted(option->get_description(), kQuote));
    if (takes_scenarios(*command)) out += when + " -a '(mailproof list 2>/dev/null | cut -d \" \" -f 1)'\n";
  }
  return out;
}

}  // namespace

void add_manual(CLI::App& app, int& status) {
  app.add_subcommand("manual", "Print the manual page, for man(1)")->callback([&app, &status] {
    say(manual(app));
    status = 0;
  });
  auto shell = std::make_shared<std::string>();
  auto* completion = app.add_subcommand("completion", "Print what makes a shell complete words of this program");
  completion->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([&app, &status, shell] {
    say(*shell == "bash" ? bash(app) : *shell == "zsh" ? zsh(app) : fish(app));
    status = 0;
  });
}

}  // namespace mailproof::cli
