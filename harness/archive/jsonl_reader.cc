#include "archive/jsonl_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/json_text.h"
#include "core/names.h"
#include "history/columns.h"
#include "history/names.h"
#include "report/json_values.h"

namespace mailproof::archive {

using history::AccountInfo;
using history::CheckInfo;
using history::CustomerInfo;
using history::DeviceInfo;
using history::DeviceKind;
using history::Event;
using history::HistoryInfo;
using history::MessageInfo;
using history::SessionInfo;
using history::Type;
using history::What;
namespace {

using nlohmann::json;

/// Nanoseconds: thirty years. Sums and differences of two stay far from what 64 bits hold.
constexpr std::int64_t kLongest = 1'000'000'000'000'000'000;

struct Wrong {
  std::string why;
};

/// Lines are missing, or there twice.
struct Gap {
  std::string why;
};

/// An object of a line; `name` for who reads what is wrong with it.
class Object {
 public:
  Object(const json& from, std::string_view name) : from_(from), name_(name) {
    if (!from.is_object()) throw Wrong{fmt::format("{} is no object", name)};
  }

  const json* find(const char* key) const {
    const auto at = from_.find(key);
    return at == from_.end() ? nullptr : &*at;
  }
  const json& list(const char* key) const {
    const json* at = find(key);
    if (at == nullptr || !at->is_array()) throw Wrong{fmt::format("{} has no list '{}'", name_, key)};
    return *at;
  }
  std::string text(const char* key) const {
    const json* at = find(key);
    if (at == nullptr) return {};
    if (!at->is_string()) wrong(key, "text", *at);
    return at->get<std::string>();
  }
  bool flag(const char* key) const {
    const json* at = find(key);
    if (at != nullptr && !at->is_boolean()) wrong(key, "true or false", *at);
    return at != nullptr && at->get<bool>();
  }
  std::uint64_t size(const char* key) const { return number(key, std::numeric_limits<std::uint64_t>::max()); }
  std::uint32_t number(const char* key) const {
    return static_cast<std::uint32_t>(number(key, std::numeric_limits<std::uint32_t>::max()));
  }
  /// Of one of so many things; 0 = none.
  std::uint32_t reference(const char* key, std::size_t there, std::string_view what) const {
    const std::uint64_t n = size(key);
    if (n > there) throw Wrong{fmt::format("'{}' of {} is {} {}, and there are {}", key, name_, what, n, there)};
    return static_cast<std::uint32_t>(n);
  }
  std::int64_t time(const char* key, bool negative) const {
    const json* at = find(key);
    if (at == nullptr) return 0;
    const bool fits = at->is_number_unsigned() ? at->get<std::uint64_t>() <= static_cast<std::uint64_t>(kLongest)
                                               : at->is_number_integer() && at->get<std::int64_t>() >= -kLongest;
    if (!fits || (!negative && at->get<std::int64_t>() < 0)) wrong(key, "a time in nanoseconds", *at);
    return at->get<std::int64_t>();
  }
  /// 64-bit hashes and seeds stand as text.
  std::uint64_t hex(const char* key) const {
    const std::string digits = text(key);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (!digits.empty() && (error != std::errc() || end != digits.data() + digits.size()))
      wrong(key, "up to 16 hexadecimal digits", from_.at(key));
    return value;
  }
  template <class Enum, std::size_t N>
  Enum word(const char* key, const Word<Enum> (&words)[N]) const {
    const std::string said = text(key);
    const auto found = meaning_of(words, said);
    if (!found) throw Wrong{fmt::format("'{}' of {} is the unknown word '{}'", key, name_, said)};
    return *found;
  }

 private:
  std::uint64_t number(const char* key, std::uint64_t most) const {
    const json* at = find(key);
    if (at == nullptr) return 0;
    if (!at->is_number_unsigned() || at->get<std::uint64_t>() > most)
      wrong(key, fmt::format("a number from 0 to {}", most), *at);
    return at->get<std::uint64_t>();
  }
  [[noreturn]] void wrong(const char* key, std::string_view expected, const json& got) const {
    // What holds others may hold them as deep as the file likes: it is only named.
    const std::string shown = got.is_structured() ? got.is_array() ? "a list" : "an object"
                                                  : got.dump(-1, ' ', true, json::error_handler_t::replace);
    throw Wrong{fmt::format("'{}' of {} is {}{}, and must be {}", key, name_, shown.substr(0, 60),
                            shown.size() > 60 ? "..." : "", expected)};
  }

  const json& from_;
  std::string_view name_;
};

void read_account(const Object& account, HistoryInfo& info) {
  AccountInfo read{account.text("name"), account.text("login"), account.text("address"), std::nullopt,
                   account.reference("customer", info.customers.size(), "customer")};
  if (account.find("quota") != nullptr) read.quota = account.size("quota");
  info.accounts.push_back(std::move(read));
}

void read_device(const Object& device, HistoryInfo& info) {
  const auto kind = device.reference("kind", static_cast<std::size_t>(DeviceKind::auditor), "kind");
  info.devices.push_back({device.text("name"), static_cast<DeviceKind>(kind),
                          device.reference("account", info.accounts.size(), "account"), device.text("policy")});
}

void read_info(const Object& from, HistoryInfo& info) {
  info.scenario = from.text("scenario");
  info.title = from.text("title");
  info.scenario_hash = from.hex("scenario_hash");
  info.run_seed = from.hex("run_seed");
  info.seed = from.hex("seed");
  info.copy = from.number("copy");
  info.target = from.text("target");
  info.version = from.text("version");
  info.settle = Duration(from.time("settle", false));
  if (const json* policy = from.find("pop3_delete")) {
    if (policy->is_string()) info.pop3_delete = meaning_of(kPop3Deletes, policy->get_ref<const std::string&>());
    if (!info.pop3_delete) throw Wrong{"'pop3_delete' of the history is no policy"};
  }
  if (const json* policy = from.find("pop3_download")) {
    if (policy->is_string()) info.pop3_download = meaning_of(kPop3Downloads, policy->get_ref<const std::string&>());
    if (!info.pop3_download) throw Wrong{"'pop3_download' of the history is no policy"};
  }
  if (from.find("gives_up_after") != nullptr) info.gives_up_after = Duration(from.time("gives_up_after", false));
  if (const json* patience = from.find("patience")) {
    if (!patience->is_number()) throw Wrong{"'patience' of the history is no number"};
    info.patience = patience->get<double>();
    if (!std::isfinite(info.patience) || info.patience < 0 || info.patience > 1e6)
      throw Wrong{"'patience' of the history is no factor that a run can have had"};
  }
  info.simulated = from.flag("simulated");
  info.load = from.flag("load");
  info.recorded = from.flag("recorded");
  info.all_clients = from.flag("all_clients");
  if (const json* found = from.find("check")) {
    const Object check(*found, "the check");
    info.check = {check.text("level"), check.text("harm"), check.flag("talk"), check.text("requirement")};
  }
  if (from.find("customers") != nullptr)
    for (const json& one : from.list("customers")) {
      const Object customer(one, "a customer");
      info.customers.push_back({customer.text("name"), customer.size("quota")});
    }
  for (const json& one : from.list("accounts")) read_account(Object(one, "an account"), info);
  for (const json& one : from.list("devices")) read_device(Object(one, "a device"), info);
  for (const json& step : from.list("steps")) {
    if (!step.is_string()) throw Wrong{"a step of the history is no text"};
    info.steps.push_back(step.get<std::string>());
  }
}

enum class Of { anybody, imap, pop3, reader };

/// Whose business it is: what only an IMAP or a POP3 session does or sees.
Of business(What what) {
  if ((what >= What::select && what <= What::logout) || (what >= What::exists && what <= What::quota) ||
      what == What::nil || what == What::piece)
    return Of::imap;
  if (what >= What::stat && what <= What::pop_noop) return Of::pop3;
  if (what == What::message || what == What::report || what == What::enumerated) return Of::reader;
  return Of::anybody;
}

/// Whether `set` holds numbers of messages.
bool about_messages(What what) {
  return (what >= What::see && what <= What::usage && what != What::agree) || what == What::asked_again ||
         what == What::undone;
}

void check_session(const Event& e, const History& history) {
  const Of of = business(e.what);
  if (of == Of::anybody) return;
  if (e.session == 0) throw Wrong{fmt::format("the event is a {} of no session", name(e.what))};
  const Protocol protocol = history.session(e.session).protocol;
  const bool fits = of == Of::imap   ? protocol == Protocol::imap
                    : of == Of::pop3 ? protocol == Protocol::pop3
                                     : protocol == Protocol::imap || protocol == Protocol::pop3;
  if (!fits) throw Wrong{fmt::format("the event is a {} of a session that speaks {}", name(e.what), name(protocol))};
}

void read_event(const Object& from, History& history) {
  const std::size_t next = history.events().size() + 1;
  if (const std::uint64_t index = from.size("i"); index != next)
    throw Gap{next == 1 ? fmt::format("its first event is {}", index)
                        : fmt::format("event {} follows event {}", index, next - 1)};
  Event e;
  e.at = Time(Duration(from.time("t", true)));
  if (next > 1 && e.at < history.events().back().at)
    throw Gap{fmt::format("event {} is earlier than event {}", next, next - 1)};
  e.type = from.word("type", history::kTypes);
  e.what = from.word("what", history::kWhats);
  e.session = from.reference("session", history.sessions().size(), "session");
  e.command = from.reference("command", next, "event");
  e.step = from.number("step");  // a check's talk counts further than its steps
  e.message = from.reference("message", history.messages().size(), "message");
  e.account = from.reference("account", history.info.accounts.size(), "account");
  e.uidvalidity = from.number("uidvalidity");
  e.hash = from.hex("hash");
  e.mailbox = from.text("mailbox");
  e.other_mailbox = from.text("other_mailbox");
  e.set = from.text("set");
  e.has_flags = from.flag("has_flags");
  e.flags = from.text("flags");
  e.code = from.text("code");
  e.text = from.text("text");
  if (from.find("raw") != nullptr) {
    const json& raw = from.list("raw");
    if (raw.size() != 2 || !raw[0].is_number_unsigned() || !raw[1].is_number_unsigned() ||
        raw[1].get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max())
      throw Wrong{"'raw' of the event is no place in a byte log"};
    e.raw = {raw[0].get<std::uint64_t>(), raw[1].get<std::uint32_t>()};
  }
  const std::string other_set = from.text("other_set");
  const history::Columns special{from.number("uid"), from.number("seq"), from.size("size"), from.size("modseq"),
                                 other_set};
  check_session(e, history);
  const bool asks = e.type == Type::invoke || e.type == Type::expect;
  if (asks && e.command != 0 && e.command != next)
    throw Wrong{fmt::format("the event begins a command, and belongs to event {}", e.command)};
  if (!asks && e.command != 0) {
    const Event* asked = e.command == next ? nullptr : &history.event(e.command);
    if (asked == nullptr || (asked->type != Type::invoke && asked->type != Type::expect))
      throw Wrong{fmt::format("the event belongs to event {}, which begins no command", e.command)};
  }
  if (about_messages(e.what))
    for (const std::uint32_t number : history::parse_numbers(e.set))
      if (number > history.messages().size())
        throw Wrong{
            fmt::format("'set' of the event names message {}, and there are {}", number, history.messages().size())};
  if ((e.type == Type::expect || e.what == What::settle || e.what == What::admin) && e.what != What::usage &&
      special.size > static_cast<std::uint64_t>(kLongest))
    throw Wrong{fmt::format("'size' of the event is {}, and must be a time in nanoseconds", special.size)};
  if (const std::string why = history::take_columns(special, history.info, e); !why.empty()) throw Wrong{why};
  history.append(std::move(e));
}

void in_order(const Object& from, std::size_t there, std::string_view what) {
  // Older ones have no number of their own.
  if (from.find("n") == nullptr) return;
  if (const std::uint64_t n = from.size("n"); n != there + 1)
    throw Gap{fmt::format("{} {} follows {} of them", what, n, there)};
}

void read_session(const Object& from, History& history) {
  in_order(from, history.sessions().size(), "session");
  history.add_session({from.text("label"), from.reference("device", history.info.devices.size(), "device"),
                       from.word("protocol", kProtocols),
                       from.reference("account", history.info.accounts.size(), "account"), from.number("audit"),
                       from.text("endpoint")});
}

void read_message(const Object& from, History& history) {
  in_order(from, history.messages().size(), "message");
  MessageInfo message;
  message.set = from.text("set");
  message.index = from.number("index");
  message.subject = from.text("subject");
  message.message_id = from.text("message_id");
  message.seed = from.hex("seed");
  message.size = from.size("size");
  message.hash = from.hex("hash");
  message.header_lines = from.number("header_lines");
  message.body_lines = from.number("body_lines");
  message.header_octets = from.size("header_octets");
  message.header_hash = from.hex("header_hash");
  message.sender = from.reference("sender", history.info.accounts.size(), "account");
  history.add_message(std::move(message));
}

void begin(const json& from, ReadRun& run, const std::string& where) {
  ReadHistory fresh{std::make_unique<History>(), false, {}, {}};
  read_info(Object(from, "the history"), fresh.history->info);
  const HistoryInfo& info = fresh.history->info;
  for (const ReadHistory& known : run.histories)
    if (known.history->info.scenario == info.scenario && known.history->info.copy == info.copy)
      fresh.broken = fmt::format("{}: it is there twice", where);
  run.histories.push_back(std::move(fresh));
}

/// What belongs to the newest history.
void take_part(const json& line, ReadHistory& at) {
  History& history = *at.history;
  const json* found = nullptr;
  const auto has = [&](const char* key) {
    const auto here = line.find(key);
    found = here == line.end() ? nullptr : &*here;
    return found != nullptr;
  };
  if (at.whole) throw Gap{"something stands behind its end"};
  if (has("end")) {
    const Object end(*found, "the end");
    if (end.size("events") != history.events().size())
      throw Gap{fmt::format("it had {} events, and {} are here", end.size("events"), history.events().size())};
    at.took = Duration(end.time("took", false));
    at.whole = true;
  } else if (has("account")) {
    read_account(Object(*found, "the account"), history.info);
  } else if (has("device")) {
    read_device(Object(*found, "the device"), history.info);
  } else if (has("session")) {
    read_session(Object(*found, "the session"), history);
  } else if (has("message")) {
    read_message(Object(*found, "the message"), history);
  } else if (has("event")) {
    read_event(Object(*found, "the event"), history);
  } else {
    throw Wrong{"the line is nothing that a history has"};
  }
}

}  // namespace

void JsonlReader::begin_file(std::string name) {
  file_ = std::move(name);
  line_ = 0;
}

std::string JsonlReader::where() const { return fmt::format("{}:{}", file_, line_); }

std::optional<Error> JsonlReader::take(std::string_view text) {
  ++line_;
  try {
    const json line = report::read_json(text);
    if (!line.is_object()) throw Wrong{"the line is no object"};
    if (const auto found = line.find("run"); found != line.end()) {
      const Object head(*found, "the run");
      run.marked = true;
      if (head.find("histories") != nullptr) run.expected = head.size("histories");
    } else if (const auto history = line.find("history"); history != line.end()) {
      begin(*history, run, where());
    } else if (run.histories.empty()) {
      throw Wrong{"the file does not begin with a history"};
    } else if (run.histories.back().broken.empty()) {
      try {
        take_part(line, run.histories.back());
      } catch (const Gap& gap) {
        run.histories.back().broken = fmt::format("{}: {}", where(), gap.why);
        run.histories.back().whole = false;
      }
    }
    return std::nullopt;
  } catch (const Wrong& wrong) {
    return Error{where(), wrong.why};
  } catch (const json::parse_error& error) {
    return Error{fmt::format("{}:{}", where(), place_in(text, error.byte).column),
                 "this is no line of a history: JSON is broken here"};
  } catch (const json::exception&) {
    return Error{where(), "this is no line of a history: a number in it is out of every range"};
  }
}

}  // namespace mailproof::archive
