#include "scenario/imaptest/imaptest.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/bytes.h"
#include "core/hash.h"
#include "core/units.h"
#include "scenario/imaptest/lines.h"

namespace mailproof::scenario {
namespace {

using Op = TalkLine::Op;
using Is = ImapTestReplies::Untagged::Is;

constexpr int kMostConnections = 99;

std::string_view without_blanks(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<int> number(std::string_view text, int least, int most) {
  int out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || out < least || out > most)
    return std::nullopt;
  return out;
}

/// Takes the first word off.
std::string_view word(std::string_view& text) {
  const auto end = std::min(text.find(' '), text.size());
  const auto out = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return out;
}

bool is_status(std::string_view text) {
  return iequals(text, "ok") || iequals(text, "no") || iequals(text, "bad") || text == "\"\"";
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  while (!(text = without_blanks(text)).empty()) out.emplace_back(word(text));
  return out;
}

/// Where a script's connections stand when it begins.
enum class State { nonauth, auth, created, appended, selected };

class ScriptReader {
 public:
  ScriptReader(const ImapTestScript& script, const std::function<bool(const std::string&)>& has_environment,
               Complaints& complaints)
      : script_(script),
        conditions_(has_environment),
        complaints_(complaints),
        messages_(messages_of_mbox(script.mbox)) {}

  Scenario run() {
    read_lines();
    finish_group();
    if (conditions_.unfinished()) complain("!ifenv", "!endif");
    if (groups_ == 0 && complaints_.empty()) complain(script_.name, "commands");
    Scenario out;
    out.path = script_.path;
    out.id = "imaptest." + script_.name;
    out.title = fmt::format("ImapTest's script {}", script_.name);
    ContentHash hash;
    hash.add(script_.text);
    hash.add(script_.mbox);
    out.hash = hash.value();
    out.needs = {Need::imap};
    for (int i = 1; i <= accounts_; ++i)
      out.accounts.push_back({i == 1 ? "user" : fmt::format("user{}", i), std::nullopt, {}});
    Device mta, client, watcher;
    mta.name = "mta";
    mta.kind = DeviceKind::deliverer;
    client.name = "client";
    watcher.name = "watcher";
    watcher.webmail = true;
    out.devices = {mta, client, watcher};
    check_.file_id = "imaptest";
    check_.slug = script_.name;
    check_.first = how(1);
    set_up();
    check_.talk.insert(check_.talk.end(), std::make_move_iterator(lines_.begin()),
                       std::make_move_iterator(lines_.end()));
    check_.own = {"box"};
    out.check = std::move(check_);
    return out;
  }

 private:
  void complain(std::string_view text, std::string expected) { complaints_.at({line_, 1}, text, std::move(expected)); }

  void read_lines() {
    ScriptLines read = lines_of(script_.text);
    check_.given = std::move(read.given);
    for (const ScriptLine& line : read.lines) {
      line_ = line.number;
      line.header ? header_line(line.text) : command_line(line.text);
    }
    if (!read.unfinished) return;
    line_ = *read.unfinished;
    complain("{{{", "}}} that ends it");
  }

  void header_line(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return complain(line, "key: value, and an empty line behind the header");
    const std::string key = lower(without_blanks(line.substr(0, colon)));
    const std::string_view value = without_blanks(line.substr(colon + 1));
    if (key == "capabilities") {
      check_.when = words_of(value);
    } else if (key == "connections") {
      if (const auto n = number(value, 1, kMostConnections)) {
        connections_ = *n;
      } else {
        complain(value, "how many connections");
      }
    } else if (key == "messages") {
      if (const auto n = number(value, 0, 5000)) {
        appends_ = static_cast<std::size_t>(*n);
      } else if (value == "all") {
        appends_ = messages_.size();
      } else {
        complain(value, "how many messages, or all");
      }
    } else if (key == "state") {
      constexpr std::pair<std::string_view, State> known[] = {{"nonauth", State::nonauth},
                                                              {"auth", State::auth},
                                                              {"created", State::created},
                                                              {"appended", State::appended},
                                                              {"selected", State::selected}};
      const auto found =
          std::find_if(std::begin(known), std::end(known), [&](const auto& one) { return iequals(one.first, value); });
      if (found == std::end(known)) return complain(value, "nonauth, auth, created, appended or selected");
      state_ = found->second;
    } else if (key == "ignore_extra_untagged") {
      no_extra_ = !value.starts_with('y');
    } else if (const auto n = key.starts_with("user ") ? number(key.substr(5), 1, kMostConnections) : std::nullopt) {
      if (value != "$user2" && value != "${user2}")
        return complain(value, "$user2: the accounts are those that the target lends");
      accounts_ = 2;
      second_user_.push_back(*n);
    } else {
      complain(key, "capabilities, connections, messages, state, ignore_extra_untagged or user");
    }
  }

  // Commands, and what must come. A group is a command, or several that are sent at once, with all that answers them.

  struct Group {
    int connection = 1, line = 0;
    std::string text;  ///< its first line
    std::vector<TalkLine> commands;
    std::vector<std::string> tags;  ///< as the script calls the commands; "" where it does not
    ImapTestReplies replies;
    Duration sleep{};
    std::size_t pending() const {
      return static_cast<std::size_t>(
          std::count_if(replies.tagged.begin(), replies.tagged.end(), [](const auto& one) { return one.line == 0; }));
    }
  };

  void command_line(std::string_view line) {
    const auto condition = conditions_.take(line);
    if (condition == ScriptConditions::Took::without_if) complain(line, "!ifenv before it");
    if (condition != ScriptConditions::Took::no || conditions_.skips()) return;
    if (group_) {
      if (line == "!ordered") {
        group_->replies.ordered = true;
        return;
      }
      if (line.starts_with("!output ")) return;
      if (line.starts_with("!sleep ")) {
        const auto span = parse_duration(without_blanks(line.substr(7)));
        if (!span) return complain(line, "a time, like !sleep 100ms");
        group_->sleep = *span;
        return;
      }
      if (line.size() > 2 && line[1] == ' ' && std::string_view("*!?").find(line[0]) != std::string_view::npos) {
        const Is is = line[0] == '*' ? Is::must : line[0] == '!' ? Is::must_not : Is::may;
        group_->replies.untagged.push_back({is, pattern(line.substr(2)), line_});
        return;
      }
      if (group_->pending() > 0 && reply(line)) return;
    }
    command(line);
  }

  static bool is_tag(std::string_view text) {
    return text.size() > 3 && iequals(text.substr(0, 3), "tag") && number(text.substr(3), 1, 1 << 20);
  }

  /// "1 tag1 ok [prefix]": of a command of the group that has none yet.
  bool reply(std::string_view line) {
    std::string_view rest = line;
    if (connections_ > 1) {
      std::string_view after = rest;
      if (number(word(after), 1, kMostConnections)) rest = after;
    }
    std::string_view after = rest;
    std::string tag;
    if (const std::string_view first = word(after); is_tag(first)) {
      tag = lower(first);
      rest = after;
    }
    std::string_view behind = rest;
    if (!is_status(word(behind))) return false;
    for (std::size_t i = 0; i < group_->tags.size(); ++i) {
      ImapTestReplies::Tagged& one = group_->replies.tagged[i];
      if (one.line != 0 || tag != group_->tags[i]) continue;
      one.pattern = rest.starts_with("\"\"") ? std::string() : pattern(rest);
      one.line = line_;
      return true;
    }
    complain(line, "the reply to a command of this group");
    return true;
  }

  void command(std::string_view line) {
    if (!group_ || group_->pending() == 0) finish_group();
    if (!group_) {
      group_ = Group{};
      group_->line = line_;
      group_->text = line;
      std::erase(group_->text, '\1');
    }
    std::string_view rest = line;
    int connection = 1;
    if (connections_ > 1) {
      const auto n = number(word(rest), 1, connections_);
      if (!n) return complain(line, fmt::format("the number of a connection in front, 1 to {}", connections_));
      connection = *n;
    }
    if (!group_->commands.empty() && connection != group_->connection)
      return complain(line, "all commands of a group on one connection");
    group_->connection = connection;
    if (group_->commands.empty() && rest.starts_with("* ")) {
      group_->replies.untagged.push_back({Is::must, pattern(rest.substr(2)), line_});
      greeted_.push_back(connection);
      return;
    }
    std::string tag;
    std::string_view after = rest;
    if (const std::string_view first = word(after); is_tag(first)) {
      tag = lower(first);
      rest = after;
    }
    if (!group_->commands.empty() && (tag.empty() || std::count(group_->tags.begin(), group_->tags.end(), tag) != 0))
      return complain(line, "the reply to the command before it, or tags in front of both");
    ImapTestReplies::Tagged awaited;
    after = rest;
    if (const std::string_view status = word(after); is_status(status)) {
      awaited.pattern = status == "\"\"" ? std::string() : std::string(status);
      awaited.line = line_;
      rest = after;
    }
    awaited.tag = fmt::format("s{}", ++made_tags_);  // of its own, so that no late reply meets another command's
    TalkLine said;
    said.op = Op::send;
    said.connection = connection;
    said.text = fmt::format("{} {}", awaited.tag, command_text(rest));
    said.written = line;
    std::erase(said.written, '\1');
    said.line = line_;
    group_->commands.push_back(std::move(said));
    group_->tags.push_back(std::move(tag));
    group_->replies.tagged.push_back(std::move(awaited));
  }

  void finish_group() {
    if (!group_) return;
    Group group = std::move(*group_);
    group_.reset();
    if (group.pending() > 0) return complain(group.text, "the reply to it");
    ++groups_;
    add(std::move(group), lines_);
  }

  void add(Group group, std::vector<TalkLine>& to) {
    for (TalkLine& one : group.commands) to.push_back(std::move(one));
    TalkLine awaited;
    awaited.op = Op::imaptest;
    awaited.connection = group.connection;
    awaited.written = group.text;
    awaited.line = group.line;
    awaited.alternatives = {group.replies.tagged.empty() ? "the greeting" : "the replies that the script wants"};
    group.replies.no_extra = no_extra_;
    awaited.imaptest = std::make_shared<const ImapTestReplies>(std::move(group.replies));
    to.push_back(std::move(awaited));
    if (group.sleep > Duration{}) {
      TalkLine wait;
      wait.op = Op::wait;
      wait.connection = group.connection;
      wait.written = "!sleep";
      wait.line = group.line;
      wait.span = group.sleep;
      to.push_back(std::move(wait));
    }
  }

  /// In the talk's notation: "$uid1" is "${uid1}", "$mailbox" the check's own, and a message stands where ImapTest
  /// takes the next of its mbox.
  std::string command_text(std::string_view text) {
    std::string out = variables(text);
    std::string_view rest = text;
    const bool append = iequals(word(rest), "append");
    const bool has_body =
        out.find("${literal:") != std::string::npos || lower(text).find("catenate") != std::string::npos;
    if (!append || has_body) return out;
    return fmt::format("{} {}", without_blanks(rest).empty() ? "APPEND ${box}" : out, next_message());
  }

  std::string next_message() {
    if (messages_.empty()) {
      complain("append", "messages in the mbox beside the script");
      return {};
    }
    // Those that are appended before the script are the first.
    const std::size_t first = !preparing_ && state_ >= State::appended ? appends_ : 0;
    const std::size_t n = (first + next_message_++) % messages_.size();
    const std::string name = fmt::format("message{}", n + 1);
    check_.given.emplace(name, messages_[n]);
    return fmt::format("${{literal:${{{}}}}}", name);
  }

  std::string variables(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
      if (text[i] == '\1') {
        const auto end = text.find('\1', i + 1);
        out += fmt::format("${{literal:${{{}}}}}", text.substr(i + 1, end - i - 1));
        i = end + 1;
      } else if (text[i] != '$' || i + 1 == text.size()) {
        out += text[i++];
      } else if (text[i + 1] == '$') {
        out += '$';
        i += 2;
      } else {
        std::string name;
        if (text[++i] == '{') {
          const auto end = std::min(text.find('}', i), text.size());
          name = text.substr(i + 1, end - i - 1);
          i = std::min(end + 1, text.size());
        } else {
          while (i < text.size() && is_name(text[i])) name += text[i++];
        }
        if (name == "mailbox") name = "box";
        if (name == "password") name = "pass";
        if (name.starts_with("username") || name.starts_with("domain") || name == "mailbox_url")
          complain(text, fmt::format("another variable: ${} is not known here", name));
        out += number(name, 1, 1 << 30) ? name : fmt::format("${{{}}}", name);  // "$3": now it is the third
      }
    }
    return out;
  }

  static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }

  /// As it is compared: with literals in it as a server writes them.
  std::string pattern(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
      if (text[i] != '\1') {
        out += text[i++];
        continue;
      }
      const auto end = text.find('\1', i + 1);
      const std::string& body = check_.given.at(std::string(text.substr(i + 1, end - i - 1)));
      out += fmt::format("{{{}}}\r\n{}", body.size(), body);
      i = end + 1;
    }
    return out;
  }

  // What ImapTest does before the first command.

  TalkConnect how(int connection) const {
    TalkConnect out;
    out.protocol = Protocol::imap;
    const bool greets = std::find(greeted_.begin(), greeted_.end(), connection) != greeted_.end();
    out.standing =
        state_ == State::nonauth ? (greets ? Standing::greeting : Standing::authorization) : Standing::authenticated;
    out.account =
        std::find(second_user_.begin(), second_user_.end(), connection) != second_user_.end() ? std::size_t{1} : 0;
    return out;
  }

  void prepare(int connection, const std::string& command) {
    Group group;
    group.connection = connection;
    group.text = "before the script: " + command.substr(0, command.find(" ${literal"));
    TalkLine said;
    said.op = Op::send;
    said.connection = connection;
    const std::string tag = fmt::format("s{}", ++made_tags_);
    said.text = fmt::format("{} {}", tag, command);
    said.written = group.text;
    group.commands.push_back(std::move(said));
    group.replies.tagged.push_back({tag, "ok", 1});
    add(std::move(group), check_.talk);
  }

  void set_up() {
    for (int i = 1; i <= connections_; ++i) {
      TalkLine line;
      line.op = Op::connect;
      line.connection = i;
      line.written = fmt::format("connection {}", i);
      line.connect = how(i);
      check_.talk.push_back(std::move(line));
    }
    next_message_ = 0;
    preparing_ = true;
    if (state_ >= State::created) prepare(1, "CREATE ${box}");
    if (state_ >= State::appended)
      for (std::size_t i = 0; i < appends_ && !messages_.empty(); ++i)
        prepare(1, fmt::format("APPEND ${{box}} {}", next_message()));
    if (state_ == State::selected)
      for (int i = 1; i <= connections_; ++i) prepare(i, "SELECT ${box}");
  }

  const ImapTestScript& script_;
  ScriptConditions conditions_;
  Complaints& complaints_;
  std::vector<std::string> messages_;
  Check check_;
  std::vector<TalkLine> lines_;  ///< of the script itself
  int line_ = 1;
  int connections_ = 1, accounts_ = 1;
  std::vector<int> second_user_, greeted_;
  std::size_t appends_ = 0, next_message_ = 0;
  State state_ = State::selected;
  bool no_extra_ = false, preparing_ = false;
  std::optional<Group> group_;
  int groups_ = 0, made_tags_ = 0;
};

}  // namespace

Scenario read_imaptest(const ImapTestScript& script, const std::function<bool(const std::string&)>& has_environment,
                       Complaints& complaints) {
  return ScriptReader(script, has_environment, complaints).run();
}

}  // namespace mailproof::scenario
