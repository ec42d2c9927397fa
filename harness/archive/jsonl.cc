#include "archive/jsonl.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <iterator>

#include "core/json_text.h"
#include "history/columns.h"

namespace mailproof::archive {
namespace {

/// Writes ,"key":value pairs, leaving out what holds nothing.
class Fields {
 public:
  explicit Fields(std::string& out) : out_(out) {}
  void number(std::string_view key, std::uint64_t value) {
    if (value == 0) return;
    comma(key);
    fmt::format_to(std::back_inserter(out_), FMT_COMPILE("{}"), value);
  }
  void always(std::string_view key, std::int64_t value) {
    comma(key);
    fmt::format_to(std::back_inserter(out_), FMT_COMPILE("{}"), value);
  }
  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    comma(key);
    write_json_string(value, out_);
  }
  /// 64-bit hashes and seeds as hex text: JSON readers lose integers above 2^53.
  void hex(std::string_view key, std::uint64_t value) {
    if (value == 0) return;
    comma(key);
    fmt::format_to(std::back_inserter(out_), FMT_COMPILE("\"{:016x}\""), value);
  }
  void flag(std::string_view key, bool value) {
    if (!value) return;
    comma(key);
    out_ += "true";
  }
  void comma(std::string_view key) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += key;
    out_ += "\":";
  }

 private:
  std::string& out_;
  bool first_ = true;
};

void account(const AccountInfo& account, std::string& out) {
  out += '{';
  Fields f(out);
  f.text("name", account.name);
  f.text("login", account.login);
  f.text("address", account.address);
  if (account.quota) f.always("quota", static_cast<std::int64_t>(*account.quota));
  f.number("customer", account.customer);
  out += '}';
}

void device(const DeviceInfo& device, std::string& out) {
  out += '{';
  Fields f(out);
  f.text("name", device.name);
  f.always("kind", static_cast<std::int64_t>(device.kind));
  f.number("account", device.account);
  f.text("policy", device.policy);
  out += '}';
}

}  // namespace

void write_account(const AccountInfo& info, std::string& out) {
  out += "{\"account\":";
  account(info, out);
  out += '}';
}

void write_device(const DeviceInfo& info, std::string& out) {
  out += "{\"device\":";
  device(info, out);
  out += '}';
}

void write_run(std::optional<std::size_t> histories, std::string& out) {
  out += "{\"run\":{";
  if (histories) Fields(out).always("histories", static_cast<std::int64_t>(*histories));
  out += "}}";
}

void write_info(const HistoryInfo& info, std::string& out) {
  out += "{\"history\":{";
  Fields f(out);
  f.text("scenario", info.scenario);
  f.text("title", info.title);
  f.hex("scenario_hash", info.scenario_hash);
  f.hex("run_seed", info.run_seed);
  f.hex("seed", info.seed);
  f.number("copy", info.copy);
  f.text("target", info.target);
  f.text("version", info.version);
  f.always("settle", info.settle.count());
  if (info.pop3_delete) f.text("pop3_delete", name(*info.pop3_delete));
  if (info.pop3_download) f.text("pop3_download", name(*info.pop3_download));
  if (info.gives_up_after) f.always("gives_up_after", info.gives_up_after->count());
  f.comma("patience");
  fmt::format_to(std::back_inserter(out), "{}", info.patience);
  f.flag("simulated", info.simulated);
  f.flag("load", info.load);
  f.flag("recorded", info.recorded);
  f.flag("all_clients", info.all_clients);
  if (info.check) {
    f.comma("check");
    out += '{';
    Fields c(out);
    c.text("level", info.check->level);
    c.text("harm", info.check->harm);
    c.flag("talk", info.check->talk);
    c.text("requirement", info.check->requirement);
    out += '}';
  }
  if (!info.customers.empty()) {
    f.comma("customers");
    out += '[';
    for (std::size_t i = 0; i < info.customers.size(); ++i) {
      out += i == 0 ? "{" : ",{";
      Fields c(out);
      c.text("name", info.customers[i].name);
      c.number("quota", info.customers[i].quota);
      out += '}';
    }
    out += ']';
  }
  f.comma("accounts");
  out += '[';
  for (std::size_t i = 0; i < info.accounts.size(); ++i) {
    if (i != 0) out += ',';
    account(info.accounts[i], out);
  }
  out += ']';
  f.comma("devices");
  out += '[';
  for (std::size_t i = 0; i < info.devices.size(); ++i) {
    if (i != 0) out += ',';
    device(info.devices[i], out);
  }
  out += ']';
  f.comma("steps");
  out += '[';
  for (std::size_t i = 0; i < info.steps.size(); ++i) {
    if (i != 0) out += ',';
    write_json_string(info.steps[i], out);
  }
  out += "]}}";
}

void write_session(const SessionInfo& session, std::uint32_t number, std::string& out) {
  out += "{\"session\":{";
  Fields f(out);
  f.number("n", number);
  f.text("label", session.label);
  f.number("device", session.device);
  f.text("protocol", name(session.protocol));
  f.number("account", session.account);
  f.number("audit", session.audit_round);
  f.text("endpoint", session.endpoint);
  out += "}}";
}

void write_message(const MessageInfo& message, std::uint32_t number, std::string& out) {
  out += "{\"message\":{";
  Fields f(out);
  f.number("n", number);
  f.text("set", message.set);
  f.number("index", message.index);
  f.text("subject", message.subject);
  f.text("message_id", message.message_id);
  f.hex("seed", message.seed);
  f.number("size", message.size);
  f.hex("hash", message.hash);
  f.number("header_lines", message.header_lines);
  f.number("body_lines", message.body_lines);
  f.number("header_octets", message.header_octets);
  f.hex("header_hash", message.header_hash);
  f.number("sender", message.sender);
  out += "}}";
}

void write_event(const Event& event, std::string& out) {
  out += "{\"event\":{";
  Fields f(out);
  f.number("i", event.index);
  f.always("t", event.at.time_since_epoch().count());
  f.text("type", name(event.type));
  f.text("what", name(event.what));
  f.number("session", event.session);
  f.number("command", event.command);
  f.number("step", event.step);
  f.number("message", event.message);
  f.number("account", event.account);
  f.number("uidvalidity", event.uidvalidity);
  const history::Columns special = history::columns(event);
  f.number("uid", special.uid);
  f.number("seq", special.seq);
  f.number("size", special.size);
  f.number("modseq", special.modseq);
  f.hex("hash", event.hash);
  f.text("mailbox", event.mailbox);
  f.text("other_mailbox", event.other_mailbox);
  f.text("set", event.set);
  f.text("other_set", special.other_set);
  f.flag("has_flags", event.has_flags);
  f.text("flags", event.flags);
  f.text("code", event.code);
  f.text("text", event.text);
  if (event.raw.length != 0) {
    f.comma("raw");
    fmt::format_to(std::back_inserter(out), FMT_COMPILE("[{},{}]"), event.raw.offset, event.raw.length);
  }
  out += "}}";
}

void write_end(const History& history, Duration took, std::string& out) {
  out += "{\"end\":{";
  Fields f(out);
  f.always("events", static_cast<std::int64_t>(history.events().size()));
  f.always("took", took.count());
  out += "}}";
}

std::string write_all(const History& history, Duration took) {
  std::string out;
  write_info(history.info, out);
  out += '\n';
  std::uint32_t n = 0;
  for (const auto& session : history.sessions()) write_session(session, ++n, out), out += '\n';
  n = 0;
  for (const auto& message : history.messages()) write_message(message, ++n, out), out += '\n';
  for (const auto& event : history.events()) write_event(event, out), out += '\n';
  write_end(history, took, out);
  return out + "\n";
}

}  // namespace mailproof::archive
