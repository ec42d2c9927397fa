#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "scenario/story/search_keys.h"
#include "scenario/story/steps.h"
#include "scenario/yaml/fields.h"

namespace mailproof::scenario {
namespace {

constexpr std::int64_t kMostMessages = 100'000;
constexpr std::string_view kMailbox = "the name of a mailbox";

/// A mailbox name as people write it; the session encodes it (RFC 3501 section 5.1.3).
std::optional<std::string> read_mailbox(const Node& node, Complaints& complaints) {
  return read_text(node, kMailbox, complaints);
}

std::optional<std::string> read_imap_flag(const Node& node, Complaints& complaints) {
  if (node.kind == Node::Kind::scalar) {
    for (const auto& entry : kFlags)
      if (node.text == entry.word || node.text == entry.meaning) return std::string(entry.meaning);
    const auto in_keyword = [](char c) {
      return c > ' ' && c < 0x7F && std::string_view("(){%*\"\\]").find(c) == std::string_view::npos;
    };
    if (node.text.size() > 1 && node.text[0] == '$' && std::all_of(node.text.begin(), node.text.end(), in_keyword))
      return node.text;
  }
  auto known = words_of(kFlags);
  known.emplace_back("a keyword like $Forwarded");
  complaints.value(node, either(known), words_of(kFlags));
  return std::nullopt;
}

void read_flags(const Node& node, Complaints& complaints, Step& step) {
  for (const Node* entry : read_list(node, "a flag", complaints))
    if (auto flag = read_imap_flag(*entry, complaints)) step.flags.push_back(std::move(*flag));
  if (node.kind == Node::Kind::list && node.children.empty()) complaints.value(node, "at least one flag");
}

/// "1.2.3" (RFC 3463 section 2): class 2, 4 or 5, then subject and detail of up to three digits.
bool is_enhanced_status(std::string_view text) {
  if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5') || text[1] != '.') return false;
  const auto digits = [](std::string_view part) {
    return !part.empty() && part.size() <= 3 &&
           std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  const auto dot = text.find('.', 2);
  return dot != std::string_view::npos && digits(text.substr(2, dot - 2)) && digits(text.substr(dot + 1));
}

/// "after 120 bytes"
std::optional<std::uint64_t> bytes_of_cut(std::string_view text) {
  constexpr std::string_view before = "after ";
  constexpr std::string_view behind = " bytes";
  if (!text.starts_with(before) || !text.ends_with(behind) || text.size() <= before.size() + behind.size())
    return std::nullopt;
  text = text.substr(before.size(), text.size() - before.size() - behind.size());
  std::uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return bytes;
}

/// The places where a connection of this verb can be cut.
std::vector<std::string> cuts_of(Verb verb) {
  if (verb == Verb::deliver) return {"after-final-dot", "after N bytes"};
  return {"before-reply", "after-reply", "after N bytes"};
}

void read_cut(const VerbRule& rule, const Node& node, Complaints& complaints, Step& step) {
  const auto places = cuts_of(rule.verb);
  if (node.kind == Node::Kind::scalar) {
    if (const auto bytes = bytes_of_cut(node.text)) {
      step.cut = {Cut::When::after_bytes, *bytes};
      return;
    }
    for (const auto& entry : kCuts)
      if (node.text == entry.word && std::find(places.begin(), places.end(), entry.word) != places.end()) {
        step.cut = {entry.meaning, 0};
        return;
      }
  }
  complaints.value(node, either(places), places);
}

void read_finds(const Node& node, Context& context, Step& step) {
  if (node.kind == Node::Kind::scalar && node.text == "nothing") return;
  step.messages = context.sets.use(node, context.complaints);
}

void read_to(const VerbRule& rule, const Node& node, Context& context, Step& step) {
  if (rule.verb == Verb::set_quota) {
    if (node.kind == Node::Kind::scalar && node.text == "unlimited") return;
    step.quota = read_size(node, context.complaints);
    return;
  }
  if (rule.verb == Verb::deliver) {
    for (const Node* entry : read_list(node, "an account", context.complaints)) {
      const auto account = context.account(*entry);
      if (!account) continue;
      if (std::find(step.to_accounts.begin(), step.to_accounts.end(), *account) != step.to_accounts.end())
        context.complaints.value(*entry, "each account once");
      step.to_accounts.push_back(*account);
    }
    if (node.kind == Node::Kind::list && node.children.empty()) context.complaints.value(node, "at least one account");
  } else if (auto mailbox = read_mailbox(node, context.complaints)) {
    (rule.verb == Verb::save || rule.verb == Verb::upload ? step.mailbox : step.to_mailbox) = std::move(*mailbox);
  }
}

/// A command of the protocol, like NOOP or CAPA.
bool read_line(const Node& node, Complaints& complaints, Step& step) {
  const auto text = read_text(node, "a command, like NOOP", complaints);
  if (!text) return false;
  const bool ascii = std::all_of(text->begin(), text->end(), [](char c) { return c >= ' ' && c < 0x7F; });
  if (!ascii) complaints.value(node, "one line of ASCII");
  step.query = *text;
  return ascii;
}

template <class T>
void put(T& field, std::optional<T> value) {
  if (value) field = std::move(*value);
}

void put(int& field, std::optional<std::int64_t> value) {
  if (value) field = static_cast<int>(*value);
}

bool read_which(const Node& node, Context& context, Step& step) {
  if (node.text == "new" || node.text == "all") {
    step.which = node.text == "new" ? Step::Which::fresh : Step::Which::all;
    return true;
  }
  step.messages = context.sets.use(node, context.complaints);
  return step.messages.has_value();
}

/// How many messages the set of a deliver or save step can hold; its options are read later, so it looks ahead.
int most_messages(const Node& action) {
  for (std::string_view option : {"at_most", "count"})
    if (const Node* node = find(action, option)) {
      int most = 0;
      std::from_chars(node->text.data(), node->text.data() + node->text.size(), most);
      return most;
    }
  return 1;
}

bool read_new_set(const VerbRule& rule, const Node& object, const Node& action, Context& context, Step& step) {
  auto set = context.sets.make(object, most_messages(action), context.complaints);
  if (!set) return false;
  if (rule.verb == Verb::save) step.as = *set;
  step.messages = MessageRef{std::move(*set), 0, 0, false};
  return true;
}

}  // namespace

bool read_object(const VerbRule& rule, const Node& object, const Node& action, Context& context, Step& step) {
  Complaints& complaints = context.complaints;
  switch (rule.object) {
    case Object::none:
      if (object.kind == Node::Kind::scalar && object.text == "now") return true;
      complaints.value(object, fmt::format("now, as in {{{}: now}}, or the bare word", rule.word));
      return false;
    case Object::new_set:
      return read_new_set(rule, object, action, context, step);
    case Object::set:
      step.messages = context.sets.use(object, complaints);
      return step.messages.has_value();
    case Object::which:
      return read_which(object, context, step);
    case Object::mailbox:
    case Object::maybe_mailbox:
      if (auto mailbox = read_mailbox(object, complaints)) {
        step.mailbox = std::move(*mailbox);
        return true;
      }
      return false;
    case Object::query:
      put(step.query, read_text(object, "IMAP search keys, like UNSEEN or SUBJECT report", complaints));
      if (const auto keys = read_search_keys(step.query); !step.query.empty() && !keys.expected.empty())
        complaints.at(object.pos, keys.wrong, keys.expected,
                      keys.hint.empty() ? std::vector<std::string>{} : std::vector{keys.hint});
      return !step.query.empty();
    case Object::state: {
      constexpr Word<bool> states[] = {{"offline", false}, {"online", true}};
      const auto online = read_word(object, states, complaints);
      if (online) step.online = *online;
      return online.has_value();
    }
    case Object::number: {
      const auto number = read_number(object, 0, kMostMessages, "a number of messages", complaints);
      put(step.count, number);
      return number.has_value();
    }
    case Object::devices:
      for (const Node* entry : read_list(object, "a device", complaints))
        if (const auto device = context.device(*entry)) step.devices.push_back(*device);
      return true;
    case Object::account:
      step.account = context.account(object);
      return step.account.has_value();
    case Object::line:
      return read_line(object, complaints, step);
    case Object::owner:
      for (std::size_t i = 0; i < context.scenario.customers.size(); ++i)
        if (object.kind == Node::Kind::scalar && context.scenario.customers[i].name == object.text) step.customer = i;
      if (!step.customer) step.account = context.account(object);
      return step.account.has_value() || step.customer.has_value();
    case Object::duration:
      put(step.span, read_duration(object, complaints));
      return step.span.count() > 0;
    case Object::now: {
      constexpr Word<bool> ways[] = {{"now", false}, {"plaintext", true}};
      const auto plaintext = read_word(object, ways, complaints);
      if (plaintext) step.plaintext = *plaintext;
      return plaintext.has_value();
    }
  }
  return false;
}

void read_option(const VerbRule& rule, const Node& option, Context& context, Step& step) {
  Complaints& complaints = context.complaints;
  const std::string& name = option.key;
  if (name == "to") return read_to(rule, option, context, step);
  if (name == "count")
    return put(step.count, read_number(option, 1, kMostMessages, "a number of messages", complaints));
  if (name == "at_most")
    return put(step.at_most, read_number(option, 1, kMostMessages, "a number of messages", complaints));
  if (name == "size") return put(step.size, read_size(option, complaints));
  if (name == "kind") return put(step.kind, read_word(option, kMessageKinds, complaints));
  if (name == "until") return void(step.until = read_word(option, kOutcomes, complaints));
  if (name == "expect" && rule.verb == Verb::connect)
    return put(step.welcome, read_word(option, kWelcomes, complaints));
  if (name == "expect") return void(step.expect = read_word(option, kOutcomes, complaints));
  if (name == "settle") return void(step.settle = read_duration(option, complaints));
  if (name == "within") return void(step.within = read_duration(option, complaints));
  if (name == "via") return void(step.via = read_word(option, kWays, complaints));
  if (name == "cut") return read_cut(rule, option, complaints, step);
  if (name == "in") return put(step.mailbox, read_mailbox(option, complaints));
  if (name == "flags" || name == "with") return read_flags(option, complaints, step);
  if (name == "how") return put(step.how, read_word(option, kHows, complaints));
  if (name == "resync") return put(step.resync, read_word(option, kResyncs, complaints));
  if (name == "finds") return read_finds(option, context, step);
  if (name == "as") return put(step.as, context.sets.make(option, 0, complaints));
  if (name == "after") return void(step.after = read_after_download(option, complaints));
  if (name == "latitude") return put(step.latitude, read_text(option, "the RFC's words", complaints));
  if (name == "is") return put(step.fate, read_word(option, kFates, complaints));
  if (name == "by") return void(step.by = context.device(option));
  if (name == "copy_on") {
    step.copy_on_nobody = option.kind == Node::Kind::scalar && option.text == "nobody";
    if (!step.copy_on_nobody) step.copy_on = context.device(option);
    return;
  }
  if (name == "over") return void(step.over = read_word(option, kProtocols, complaints));
  if (name == "of") return void(step.account = context.account(option));
  if (name == "status") {
    if (option.kind == Node::Kind::scalar && is_enhanced_status(option.text)) {
      step.status = option.text;
    } else {
      complaints.value(option, "an enhanced status code like 5.2.2 (RFC 3463)");
    }
  }
}

}  // namespace mailproof::scenario
