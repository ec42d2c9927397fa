#include "play/talk/own_mailboxes.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "play/ownership.h"
#include "play/talk/imap.h"

namespace mailproof::play {
namespace {

scenario::TalkConnect logged_in() {
  scenario::TalkConnect how;
  how.protocol = Protocol::imap;
  how.standing = scenario::Standing::authenticated;
  return how;
}

std::string delimiter_of(const ImapValue& value) { return value.string ? value.text : std::string(); }

}  // namespace

OwnMailboxes::OwnMailboxes(Context& context, std::uint32_t session, const Endpoint& endpoint)
    : connection_(context, session, Protocol::imap), bring_up_(context, connection_, logged_in(), endpoint) {}

bool OwnMailboxes::ask(const std::string& command, Step next) {
  connection_.send({{fmt::format("own0 {}\r\n", command), false}});
  step_ = next;
  return false;
}

void OwnMailboxes::take(const std::string& line) {
  const auto values = parse_imap_values(line);
  if (step_ == Step::asking_list && values.size() == 5 && is_word(values[1], "LIST")) {
    told_ = true;
    hierarchy_.delimiter = delimiter_of(values[3]);
  }
  if (step_ != Step::asking_namespace || values.size() < 3 || !is_word(values[1], "NAMESPACE")) return;
  if (values[2].kind != ImapValue::Kind::list || values[2].items.empty()) return;
  const ImapValue& first = values[2].items.front();
  if (first.kind != ImapValue::Kind::list || first.items.size() < 2) return;
  told_ = true;
  hierarchy_.prefix = first.items[0].text;
  hierarchy_.delimiter = delimiter_of(first.items[1]);
}

void OwnMailboxes::answered(bool ok) {
  if (step_ == Step::quitting) return;
  // NAMESPACE that tells no delimiter may be mistaken: what LIST shows is what names are made of.
  const bool asks_list = step_ == Step::asking_namespace && (!ok || hierarchy_.delimiter.empty());
  if (asks_list) {
    ask("LIST \"\" \"\"", Step::asking_list);
  } else if (told_) {
    ask("LOGOUT", Step::quitting);
  } else {
    problem_ = "the server does not tell its hierarchy delimiter: LIST \"\" \"\" has no row";
    step_ = Step::over;
    connection_.drop(false);
  }
}

bool OwnMailboxes::go_on() {
  while (step_ != Step::over) {
    if (step_ == Step::bringing_up) {
      const auto state = bring_up_.go_on();
      if (state == TalkBringUp::State::busy) return false;
      if (state == TalkBringUp::State::up) {
        ask("NAMESPACE", Step::asking_namespace);
      } else {
        problem_ = bring_up_.why();
        step_ = Step::over;
        connection_.drop(false);
      }
      continue;
    }
    if (connection_.replies.empty()) {
      if (!connection_.over()) return false;
      if (step_ != Step::quitting) problem_ = fmt::format("the connection ended ({})", name(connection_.end()));
      step_ = Step::over;
      break;
    }
    const TalkReply reply = std::move(connection_.replies.front());
    connection_.replies.pop_front();
    if (reply.line.starts_with("own0 ")) {
      answered(istarts_with(reply.line, "own0 OK"));
    } else {
      take(reply.line);
    }
  }
  return true;
}

std::map<std::string, std::string, std::less<>> own_names(const Hierarchy& hierarchy, const std::string& token,
                                                          const std::set<std::string>& names) {
  std::map<std::string, std::string, std::less<>> out;
  for (const std::string& name : names) {
    if (name == "sep" || name.find('/') != std::string::npos)
      if (hierarchy.delimiter.empty()) return {};
    if (name == "sep") {
      out[name] = hierarchy.delimiter;
      continue;
    }
    const bool bare = name.starts_with("token");
    std::string rest = name.substr(bare ? 5 : 3);
    std::string value = (bare ? "" : hierarchy.prefix) + token;
    if (!rest.empty() && rest.front() != '/') {
      value += fmt::format("-{}", rest.front());
      rest.erase(0, 1);
    }
    for (const char c : rest) value += c == '/' ? hierarchy.delimiter : std::string(1, c);
    out[name] = value;
  }
  return out;
}

std::string as_quoted_text(const std::string& name) {
  std::string out;
  for (const char c : name) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string as_astring(const std::string& name) {
  const bool atom = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c < '\x7f' && std::string_view("(){%*\"\\").find(c) == std::string_view::npos;
  });
  return atom ? name : fmt::format("\"{}\"", as_quoted_text(name));
}

}  // namespace mailproof::play
