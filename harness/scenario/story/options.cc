#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "scenario/story/letter.h"
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

std::vector<std::string> read_flags(const Node& node, Complaints& complaints) {
  std::vector<std::string> flags;
  for (const Node* entry : read_list(node, "a flag", complaints))
    if (auto flag = read_imap_flag(*entry, complaints)) flags.push_back(std::move(*flag));
  if (node.kind == Node::Kind::list && node.children.empty()) complaints.value(node, "at least one flag");
  return flags;
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

/// A command of the protocol, like NOOP or CAPA.
bool read_line(const Node& node, Complaints& complaints, std::string& command) {
  const auto text = read_text(node, "a command, like NOOP", complaints);
  if (!text) return false;
  const bool ascii = std::all_of(text->begin(), text->end(), [](char c) { return c >= ' ' && c < 0x7F; });
  if (!ascii) complaints.value(node, "one line of ASCII");
  command = *text;
  return ascii;
}

template <class T>
void put(T& field, std::optional<T> value) {
  if (value) field = std::move(*value);
}

void put(int& field, std::optional<std::int64_t> value) {
  if (value) field = static_cast<int>(*value);
}

bool read_messages(const Node& node, Context& context, MessageRef& messages) {
  auto read = context.sets.use(node, context.complaints);
  if (read) messages = std::move(*read);
  return read.has_value();
}

bool read_which(const Node& node, Context& context, Download& download) {
  if (node.text == "new" || node.text == "all") {
    download.which = node.text == "new" ? Download::Which::fresh : Download::Which::all;
    return true;
  }
  return read_messages(node, context, download.messages);
}

bool read_devices(const Node& node, Context& context, std::vector<std::size_t>& devices) {
  for (const Node* entry : read_list(node, "a device", context.complaints))
    if (const auto device = context.device(*entry)) devices.push_back(*device);
  return true;
}

bool read_names(const Node& node, Complaints& complaints, std::vector<std::string>& names) {
  for (const Node* entry : read_list(node, kMailbox, complaints))
    if (auto name = read_mailbox(*entry, complaints)) names.push_back(std::move(*name));
  return !names.empty();
}

bool read_owner(const Node& node, Context& context, SetQuota& of) {
  const auto& customers = context.scenario.customers;
  for (std::size_t i = 0; i < customers.size(); ++i)
    if (node.kind == Node::Kind::scalar && customers[i].name == node.text) of.customer = i;
  if (!of.customer) of.account = context.account(node);
  return of.account.has_value() || of.customer.has_value();
}

bool read_keys(const Node& node, Complaints& complaints, std::string& keys) {
  put(keys, read_text(node, "IMAP search keys, like UNSEEN or SUBJECT report", complaints));
  if (const auto read = read_search_keys(keys); !keys.empty() && !read.expected.empty())
    complaints.at(node.pos, read.wrong, read.expected,
                  read.hint.empty() ? std::vector<std::string>{} : std::vector{read.hint});
  return !keys.empty();
}

/// False after a complaint.
template <class T>
bool given(T& field, std::optional<T> value) {
  const bool there = value.has_value();
  put(field, std::move(value));
  return there;
}

/// The mailbox that stands behind the verb.
std::string& mailbox_of(Step& step) {
  return step.verb == Verb::rename ? step.get<Rename>().mailbox : step.get<OfMailbox>().mailbox;
}

int number_in(const Node* node) {
  int number = 0;
  if (node != nullptr) std::from_chars(node->text.data(), node->text.data() + node->text.size(), number);
  return node == nullptr ? 1 : number;
}

/// How many messages the set of a deliver or save step can hold; its options are read later, so it looks ahead.
int most_messages(const Node& action) {
  const Node* most = find(action, "at_most");
  return number_in(most != nullptr ? most : find(action, "count")) * number_in(find(action, kTimes));
}

/// One option, for each struct that has any. What the grammar does not allow a verb does not come here.
class OptionReader {
 public:
  OptionReader(const Node& option, Context& context)
      : option_(option), context_(context), complaints_(context.complaints) {}

  void into(Deliver& takes) {
    if (is("to")) return recipients(takes.to);
    if (is("until")) return void(takes.until = read_word(option_, kOutcomes, complaints_));
    if (is("at_most")) return put(takes.at_most, number());
    if (is("settle")) return void(takes.settle = read_duration(option_, complaints_));
    if (is("latitude")) return put(takes.latitude, read_text(option_, "the RFC's words", complaints_));
    if (is("cut")) return void(takes.cut = read_cut(option_, {"after-final-dot", "after N bytes"}, complaints_));
    part(static_cast<NewMessages&>(takes));
    part(static_cast<Sending&>(takes));
  }
  void into(Retry& takes) { part(static_cast<Sending&>(takes)); }
  void into(Read& takes) {
    if (is("in")) return part(takes);
    put(takes.pieces, read_size(option_, complaints_));
  }
  void into(Rename& takes) { put(takes.to, read_mailbox(option_, complaints_)); }
  void into(Await& takes) {
    if (is("in")) return part(takes);
    if (is("within")) return put(takes.within, read_duration(option_, complaints_));
    if (is("for")) return put(takes.stays, read_duration(option_, complaints_));
    if (is("flags")) takes.flags = read_flags(option_, complaints_);
  }
  void into(Flag& takes) {
    if (is("in")) return part(takes);
    takes.flags = read_flags(option_, complaints_);
  }
  void into(Delete& takes) {
    if (is("in")) return part(takes);
    put(takes.how, read_word(option_, kHows, complaints_));
  }
  void into(Move& takes) {
    if (is("in")) return part(takes);
    put(takes.to, read_mailbox(option_, complaints_));
  }
  void into(Save& takes) {
    if (is("to")) return put(takes.to, read_mailbox(option_, complaints_));
    part(static_cast<NewMessages&>(takes));
  }
  void into(Upload& takes) { put(takes.to, read_mailbox(option_, complaints_)); }
  void into(Search& takes) {
    if (is("in")) return put(takes.mailbox, read_mailbox(option_, complaints_));
    if (option_.kind == Node::Kind::scalar && option_.text == "nothing") return;
    takes.finds = context_.sets.use(option_, complaints_);
  }
  void into(Go& takes) { put(takes.resync, read_word(option_, kResyncs, complaints_)); }
  void into(Connect& takes) { put(takes.expect, read_word(option_, kWelcomes, complaints_)); }
  void into(Download& takes) {
    if (is("as")) return put(takes.as, context_.sets.make(option_, 0, complaints_));
    if (is("after")) takes.after = read_after_download(option_, complaints_);
  }
  void into(Quit& takes) {
    takes.cut = read_cut(option_, {"before-reply", "after-reply", "after N bytes"}, complaints_);
  }
  void into(SetQuota& takes) {
    if (option_.kind == Node::Kind::scalar && option_.text == "unlimited") return;
    takes.quota = read_size(option_, complaints_);
  }
  void into(HasFate& takes) {
    if (is("is")) return put(takes.is, read_word(option_, kFates, complaints_));
    if (is("by")) return void(takes.by = context_.device(option_));
    if (is("over")) return void(takes.over = read_word(option_, kProtocols, complaints_));
    takes.copy_on_nobody = option_.kind == Node::Kind::scalar && option_.text == "nobody";
    if (!takes.copy_on_nobody) takes.copy_on = context_.device(option_);
  }
  void into(HasCount& takes) {
    if (is("in")) return put(takes.mailbox, read_mailbox(option_, complaints_));
    takes.account = context_.account(option_);
  }
  void into(Agree& takes) { put(takes.mailbox, read_mailbox(option_, complaints_)); }

  // These have none.
  void into(Nothing&) {}
  void into(OfMessages&) {}
  void into(OfNames&) {}
  void into(OfMailbox&) {}
  void into(Smuggle&) {}
  void into(LetPass&) {}
  void into(Usage&) {}

 private:
  bool is(std::string_view name) const { return option_.key == name; }
  std::optional<std::int64_t> number() const {
    return read_number(option_, 1, kMostMessages, "a number of messages", complaints_);
  }

  void part(NewMessages& made) {
    if (is("count")) return put(made.count, number());
    if (is("size")) return put(made.size, read_size(option_, complaints_));
    if (is("kind")) return put(made.kind, read_word(option_, kMessageKinds, complaints_));
    if (is("subject")) return put(made.subject, read_subject(option_, complaints_));
    if (is("file")) made.letter = read_letter(option_, complaints_);
  }
  void part(InMailbox& where) { put(where.mailbox, read_mailbox(option_, complaints_)); }

  void part(Sending& how) {
    if (is("via")) return void(how.via = read_word(option_, kWays, complaints_));
    if (is("by")) return put(how.by, read_word(option_, kTransfers, complaints_));
    if (is("expect")) return void(how.expect = read_word(option_, kOutcomes, complaints_));
    if (is("within")) return put(how.within, read_duration(option_, complaints_));
    if (!is("status")) return;
    if (option_.kind == Node::Kind::scalar && is_enhanced_status(option_.text)) {
      how.status = option_.text;
    } else {
      complaints_.value(option_, "an enhanced status code like 5.2.2 (RFC 3463)");
    }
  }

  void recipients(std::vector<std::size_t>& to) {
    for (const Node* entry : read_list(option_, "an account", complaints_)) {
      const auto account = context_.account(*entry);
      if (!account) continue;
      if (std::find(to.begin(), to.end(), *account) != to.end()) complaints_.value(*entry, "each account once");
      to.push_back(*account);
    }
    if (option_.kind == Node::Kind::list && option_.children.empty())
      complaints_.value(option_, "at least one account");
  }

  const Node& option_;
  Context& context_;
  Complaints& complaints_;
};

}  // namespace

Cut read_cut(const Node& node, const std::vector<std::string>& places, Complaints& complaints) {
  if (node.kind == Node::Kind::scalar) {
    if (const auto bytes = bytes_of_cut(node.text)) return {Cut::When::after_bytes, *bytes};
    for (const auto& entry : kCuts)
      if (node.text == entry.word && std::find(places.begin(), places.end(), entry.word) != places.end())
        return {entry.meaning, 0};
  }
  complaints.value(node, either(places), places);
  return {};
}

bool read_object(const VerbRule& rule, const Node& object, const Node& action, Context& context, Step& step) {
  Complaints& complaints = context.complaints;
  switch (rule.object) {
    case Object::none:
      if (object.kind == Node::Kind::scalar && object.text == "now") return true;
      complaints.value(object, fmt::format("now, as in {{{}: now}}, or the bare word", rule.word));
      return false;
    case Object::new_set:
      return given(step.get<NewMessages>().set, context.sets.make(object, most_messages(action), complaints));
    case Object::set:
      return read_messages(object, context, step.get<OfMessages>().messages);
    case Object::which:
      return read_which(object, context, step.get<Download>());
    case Object::mailbox:
    case Object::maybe_mailbox:
      return given(mailbox_of(step), read_mailbox(object, complaints));
    case Object::names:
      return read_names(object, complaints, step.get<OfNames>().names);
    case Object::query:
      return read_keys(object, complaints, step.get<Search>().keys);
    case Object::state: {
      constexpr Word<bool> states[] = {{"offline", false}, {"online", true}};
      return given(step.get<Go>().online, read_word(object, states, complaints));
    }
    case Object::number: {
      const auto number = read_number(object, 0, kMostMessages, "a number of messages", complaints);
      put(step.get<HasCount>().count, number);
      return number.has_value();
    }
    case Object::devices:
      return read_devices(object, context, step.get<Agree>().devices);
    case Object::account:
      return given(step.get<Usage>().account, context.account(object));
    case Object::line:
      return read_line(object, complaints, step.get<Smuggle>().command);
    case Object::owner:
      return read_owner(object, context, step.get<SetQuota>());
    case Object::duration:
      return given(step.get<LetPass>().span, read_duration(object, complaints));
    case Object::now: {
      constexpr Word<bool> ways[] = {{"now", false}, {"plaintext", true}};
      return given(step.get<Connect>().plaintext, read_word(object, ways, complaints));
    }
  }
  return false;
}

void read_option(const Node& option, Context& context, Step& step) {
  std::visit([&](auto& takes) { OptionReader(option, context).into(takes); }, step.takes);
}

}  // namespace mailproof::scenario
