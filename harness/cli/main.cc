#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cli/output.h"
#include "core/units.h"
#include "core/version.h"
#include "host/signals.h"

namespace {

/// "did you mean 'run'?" for a first word that is no subcommand; "" when there is nothing to say.
std::string misspelt(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return {};
  std::vector<std::string> known;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
    known.push_back(command->get_name());
  if (std::find(known.begin(), known.end(), argv[1]) != known.end()) return {};
  const auto near = mailproof::nearest_word(argv[1], known);
  return fmt::format(
      "there is no subcommand '{}'; {}", argv[1],
      near ? fmt::format("did you mean '{}'?", *near) : fmt::format("there is: {}", fmt::join(known, ", ")));
}

/// Takes a value, and so often as it is given: --only A --only B.
bool takes_one_of_several(const CLI::Option& option) {
  return option.get_items_expected_max() == 1 && option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
}

/// `run scenarios --only A B`: B was meant for --only, and would be played. "" when there is nothing to say.
std::string meant_for_an_option(const CLI::App& app, int argc, char** argv) {
  const auto named = app.get_subcommands([&](const CLI::App* one) { return argc > 1 && one->get_name() == argv[1]; });
  const CLI::App* command = named.empty() ? nullptr : named.front();
  bool asked = false;             // something stands there already that is to be played
  const char* several = nullptr;  // the option whose value was the last word
  for (int i = 2; command != nullptr && i < argc; ++i) {
    const std::string word = argv[i];
    if (!word.starts_with("-")) {
      if (asked && several != nullptr)
        return fmt::format("{1} stands behind {0}, which takes one word: {0} {2} {0} {1}", several, word, argv[i - 1]);
      asked = true;
      several = nullptr;  // --only A scenarios fixtures: where nothing stood before, these are to be played
      continue;
    }
    several = nullptr;
    const CLI::Option* option = command->get_option_no_throw(word);
    if (option == nullptr || option->get_items_expected_max() == 0) continue;
    ++i;
    if (takes_one_of_several(*option)) several = argv[i - 1];
  }
  return {};
}

/// `run --sm`: the option that is none, and the nearest there is. "" where another word was not expected.
std::string no_option(const CLI::App& app, int argc, char** argv) {
  const auto named = app.get_subcommands([&](const CLI::App* one) { return argc > 1 && one->get_name() == argv[1]; });
  const CLI::App& command = named.empty() ? app : *named.front();
  for (int i = 1; i < argc; ++i) {
    const std::string word = std::string(argv[i]).substr(0, std::string_view(argv[i]).find('='));
    if (word == "--") break;
    if (!word.starts_with("-") || word == "-" || command.get_option_no_throw(word) != nullptr) continue;
    std::vector<std::string> known;
    for (const CLI::Option* option : command.get_options())
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    const auto near = mailproof::nearest_word(word, known);
    return fmt::format("{} has no option {};{} `mailproof {}--help` lists them", named.empty() ? "mailproof" : argv[1],
                       word, near ? fmt::format(" did you mean {}?", *near) : "",
                       named.empty() ? "" : command.get_name() + " ");
  }
  return {};
}

/// What somebody reads who does not know what to say yet.
std::string overview(const CLI::App& app) {
  std::string out = app.get_description() + "\n\n";
  for (const auto* command : app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); }))
    out += fmt::format("  {:<10} {}\n", command->get_name(), command->get_description());
  return out +
         "\nTo begin with:\n"
         "  mailproof run --sim                            all there is, on the built-in server, in seconds\n"
         "  mailproof list                                 which stories and checks there are\n"
         "  mailproof probe --target FILE                  what your server offers; FILE: scenarios/targets.md\n"
         "  mailproof run --target FILE                    and whether it keeps its promises\n"
         "\nmailproof COMMAND --help says what each can do; a subcommand is required.\n";
}

}  // namespace

int main(int argc, char** argv) {
  using namespace mailproof::cli;
  mailproof::host::catch_signals(kTrouble);
  CLI::App app(
      "mailproof plays mail devices against a mail server, follows every message, and says whether the server kept its "
      "promises.");
  app.set_version_flag("--version", std::string("mailproof ") + mailproof::kVersion);
  app.require_subcommand(1);
  int status = 0;
  add_run(app, status);
  add_load(app, status);
  add_capacity(app, status);
  add_explore(app, status);
  add_list(app, status);
  add_check(app, status);
  add_server(app, status);
  add_judge(app, status);
  add_explain(app, status);
  add_shrink(app, status);
  add_probe(app, status);
  add_prove(app, status);
  add_matrix(app, status);
  add_import(app, status);
  add_record(app, status);
  add_anonymise(app, status);
  add_compare(app, status);
  add_merge(app, status);
  add_manual(app, status);
  if (argc < 2) return say_error(overview(app)), kWrongUse;
  if (const std::string wrong = misspelt(app, argc, argv); !wrong.empty()) return complain(wrong);
  if (const std::string wrong = meant_for_an_option(app, argc, argv); !wrong.empty()) return complain(wrong);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError& error) {
    if (const std::string wrong = no_option(app, argc, argv); !wrong.empty()) return complain(wrong);
    return app.exit(error), kWrongUse;
  } catch (const CLI::ParseError& error) {
    if (app.exit(error) != 0) return kWrongUse;
  } catch (const std::exception& error) {
    say_error(fmt::format("mailproof: internal error: {}\n", error.what()));
    return kTrouble;
  }
  if (const std::string why = output_refused(); !why.empty()) {
    say_error(fmt::format("mailproof: standard output could not be written: {}\n", why));
    if (status == 0) status = kTrouble;
  }
  return status;
}
